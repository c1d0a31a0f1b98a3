//! One night: hansho, the carrier, the telephones and their owners on one clock, and everything that goes wrong.

#[path = "morning.rs"]
mod morning;

use core::time::Duration;
use std::collections::BTreeMap;

use hansho::base::{Digit, Outbox, Rng, Stamp, Time, seeded};
use hansho::media::Way;
use hansho::rig::{Output, SoftTrunk};
use hansho::sip::Trunk;
use hansho::switch::{Entry, PortRange, Settings};
use rand::RngExt;

use crate::disk::Disk;
use crate::house::{Birth, House, MediaKey, Seen};
use crate::laws::Laws;
use crate::phone::{Line, Phone};
use crate::plan::{People, Weather, up_to};
use crate::support::link::{Flying, Link};
use crate::support::sounds::voice_hz;
use crate::support::town::{Town, account, carrier, phone_rtp, phone_sip, trunk_id, trunk_sip};
use crate::support::{minutes, seconds};

/// 2026-11-21T02:00:00Z: the night begins.
const NIGHT: Stamp = Stamp::from_unix_micros(1_795_226_400_000_000);
/// Nobody lets a telephone ring for longer.
const RINGS_MAX: Duration = seconds(180);
/// Nobody holds a line for longer.
const HOLDS_MAX: Duration = seconds(900);
/// By then every night is over.
const MORNING: Duration = minutes(240);

/// Something that happens by itself.
#[derive(Clone, Copy, Debug)]
enum Happening {
    Trigger,
    Cancel,
    Resolve,
    Acknowledge,
    /// Quiet about something, for so long.
    Quiet(Duration),
    Lift,
    /// Somebody sets the clock of hansho's machine.
    ClockSteps(i64),
    /// hansho is about to die.
    Fuse,
    Restart,
    DiskFills(Duration),
    TrunkAway(bool),
    TrunkForgets,
    CallIn(usize),
    /// The owner of this telephone does this in the call of this number.
    Do(usize, u32, Act),
}

#[derive(Clone, Copy, Debug)]
enum Act {
    PickUp,
    Refuse(u16),
    Press(MediaKey),
    Talk,
    HangUp,
    LoseHope,
}

pub struct Night {
    seed: u64,
    rng: Rng,
    now: Time,
    voice: bool,
    weather: Weather,
    people: People,
    trunk_settings: Trunk,
    link: Link,
    carrier: SoftTrunk,
    trunk_away: bool,
    phones: Vec<Phone>,
    /// How many calls each telephone had: what was meant for one is not done in the next.
    calls: Vec<u32>,
    disk: Disk,
    house: Option<House>,
    journal: Vec<Entry>,
    laws: Laws,
    /// The calendar time of the beginning, as hansho's machine has it.
    calendar: Stamp,
    agenda: BTreeMap<(Time, u64), Happening>,
    planned: u64,
}

/// Says which night it was when a law is broken.
impl Drop for Night {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let at = self.now.as_micros() as f64 / 1e6;
            eprintln!("the night of HANSHO_SEED={} at {at:.3} s, {:?}:", self.seed, self.weather);
            for (incident, at, fact) in self.journal.iter().filter_map(Entry::of_incident) {
                eprintln!("  {incident} {:9.3} {fact:?}", at.since(NIGHT).as_secs_f64());
            }
        }
    }
}

impl Night {
    pub fn new(seed: u64, voice: bool) -> Night {
        let mut rng = seeded(seed);
        let weather = Weather::any(&mut rng);
        let people = People::any(&mut rng, if voice { 3 } else { 6 });
        let mut carrier_there = SoftTrunk::new(carrier(rng.random()));
        let phone = |place: usize| {
            carrier_there.connect(&Town::number(place), phone_sip(place));
            Phone::new(place, voice, rng.random())
        };
        let phones: Vec<Phone> = (0..people.owners.len()).map(phone).collect();
        let mut link = Link::new(seeded(rng.random()));
        if weather.loss {
            link.loses_one_in = rng.random_range(6..40);
            link.doubles_one_in = rng.random_range(4..20);
            link.delays_one_in = rng.random_range(4..20);
        }
        let max_calls = if rng.random_ratio(1, 4) { 2 } else { 0 };
        let disk = Disk::new(seeded(rng.random()));
        let mut night = Night {
            seed,
            now: Time::ZERO,
            voice,
            weather,
            trunk_settings: Trunk { max_calls, ..account() },
            link,
            carrier: carrier_there,
            trunk_away: false,
            calls: vec![0; phones.len()],
            phones,
            people,
            disk,
            house: None,
            journal: Vec::new(),
            laws: Laws::default(),
            calendar: NIGHT,
            agenda: BTreeMap::new(),
            planned: 0,
            rng,
        };
        night.happens();
        night.restarts();
        night
    }

    /// Plays it to its end.
    pub fn pass(mut self) {
        let mut quiet = None;
        while let Some(at) = self.next() {
            self.now = self.now.max(at);
            assert!(self.now < Time::ZERO + MORNING, "the night does not end: {}", self.what_is_left());
            self.step();
            if !self.is_quiet() {
                quiet = None;
            } else if self.now.since(*quiet.get_or_insert(self.now)) > minutes(11) {
                break;
            }
        }
        self.at_the_end();
    }

    /// Throws what is to happen.
    fn happens(&mut self) {
        let Weather { outages, crashes, full_disk, clock, .. } = self.weather;
        let length = if self.voice { 180 } else { 1_500 };
        let some = |night: &mut Night, most: u64, what: fn(&mut Night) -> Happening| {
            for _ in 0..night.rng.random_range(0..=most) {
                let at = Time::ZERO + up_to(&mut night.rng, length);
                let what = what(night);
                night.plan(at, what);
            }
        };
        self.plan(Time::ZERO + seconds(2), Happening::Trigger);
        some(self, if self.voice { 1 } else { 5 }, |_| Happening::Trigger);
        some(self, 1, |_| Happening::Cancel);
        some(self, 1, |_| Happening::Resolve);
        some(self, 1, |_| Happening::Acknowledge);
        some(self, 1, |night| Happening::Quiet(up_to(&mut night.rng, 1_000)));
        some(self, 1, |_| Happening::Lift);
        if clock {
            some(self, 2, |night| Happening::ClockSteps(night.rng.random_range(-7_200..7_200)));
        }
        some(self, 3, |night| Happening::CallIn(night.rng.random_range(0..night.phones.len())));
        if crashes {
            some(self, 4, |_| Happening::Fuse);
        }
        if full_disk {
            some(self, 3, |night| Happening::DiskFills(up_to(&mut night.rng, 60)));
        }
        if outages {
            some(self, 2, |_| Happening::TrunkAway(true));
            some(self, 1, |_| Happening::TrunkForgets);
        }
    }

    fn plan(&mut self, at: Time, what: Happening) {
        self.planned += 1;
        self.agenda.insert((at, self.planned), what);
    }

    fn next(&self) -> Option<Time> {
        let phones = self.phones.iter().filter_map(Phone::next_deadline).min();
        let house = self.house.as_ref().and_then(House::next_deadline);
        let agenda = self.agenda.keys().next().map(|(at, _)| *at);
        [self.link.next(), phones, house, agenda, self.carrier.next_deadline()].into_iter().flatten().min()
    }

    fn step(&mut self) {
        let now = self.now;
        while let Some(flying) = self.link.arrived(now) {
            self.deliver(flying);
        }
        for place in 0..self.phones.len() {
            if self.phones[place].next_deadline().is_some_and(|at| at <= now) {
                self.with(place, |phone, now, out| phone.on_deadline(now, out));
            }
        }
        self.carrier.on_deadline(now, &mut Outbox::new());
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= now) {
            let what = entry.remove();
            self.comes(what);
        }
        if self.house.as_ref().and_then(House::next_deadline).is_some_and(|at| at <= now) {
            self.at_home(|house, now| house.on_deadline(now));
        }
    }

    fn deliver(&mut self, flying: Flying) {
        let now = self.now;
        let place_of = |address| (0..self.phones.len()).find(|place| address == phone_sip(*place));
        let hears = |address| (0..self.phones.len()).find(|place| address == phone_rtp(*place));
        if flying.to == trunk_sip() {
            let mut out = Outbox::new();
            self.carrier.on_datagram(now, flying.from, &flying.bytes, &mut out);
            for datagram in out.drain() {
                self.send(Flying { from: trunk_sip(), to: datagram.to, bytes: datagram.bytes });
            }
        } else if let Some(place) = place_of(flying.to) {
            self.with(place, |phone, now, out| phone.on_sip(now, flying.from, &flying.bytes, out));
        } else if let Some(place) = hears(flying.to) {
            self.phones[place].on_rtp(now, flying.from, &flying.bytes);
        } else {
            self.at_home(|house, now| house.on_datagram(now, flying));
        }
    }

    fn send(&mut self, flying: Flying) {
        if !self.trunk_away || (flying.from != trunk_sip() && flying.to != trunk_sip()) {
            self.link.send(self.now, flying);
        }
    }

    /// Does something with hansho, if it is alive, and lets the laws see what it did.
    fn at_home(&mut self, act: impl FnOnce(&mut House, Time)) {
        let now = self.now;
        let Some(house) = &mut self.house else { return };
        act(house, now);
        let (seen, dead) = (core::mem::take(&mut house.seen), house.dead);
        for seen in seen {
            if let Seen::Stored(entries) = &seen {
                self.journal.extend(entries.iter().cloned());
            }
            self.laws.see(now, &seen);
            if let Seen::Sent(flying) = seen {
                self.send(flying);
            }
        }
        if dead {
            self.dies();
        }
    }

    fn dies(&mut self) {
        self.house = None;
        self.journal.extend(self.disk.cut());
        self.laws.forget_all_but(&self.journal);
        let pause = up_to(&mut self.rng, 20);
        self.plan(self.now + pause, Happening::Restart);
    }

    fn restarts(&mut self) {
        // Sometimes it does not live long.
        let fuse = (self.weather.crashes && self.rng.random_ratio(1, 6)).then(|| self.rng.random_range(1..60));
        let pairs = 2 * self.people.contacts.len() as u16 + 2;
        let settings = Settings {
            contacts: self.people.contacts.clone(),
            rooms: Vec::new(),
            ports: PortRange { first: 20_000, last: 20_000 + 2 * pairs - 1 },
            trunks: vec![trunk_id()],
            ..Settings::default()
        };
        let open = crate::support::laws::open_incidents(&self.journal);
        let (seed, real_media, trunk) = (self.rng.random(), self.voice, self.trunk_settings.clone());
        let house = crate::support::laws::house(&self.journal);
        let birth = Birth { settings, trunk, began: self.calendar, seed, real_media, fuse, house, open };
        self.house = Some(House::start(self.now, birth, self.disk.clone()));
        self.at_home(|_, _| {});
    }

    fn comes(&mut self, what: Happening) {
        match what {
            Happening::Trigger => {
                let (trigger, plan) = self.people.trigger(&mut self.rng, self.voice);
                self.at_home(|house, now| house.raise(now, trigger, plan));
            }
            Happening::Cancel => {
                let which: u64 = self.rng.random();
                self.at_home(|house, now| {
                    house.ask(now, |switch| {
                        let open: Vec<_> = switch.open().map(|(id, _)| id).collect();
                        if !open.is_empty() {
                            // What was decided in the meantime is not open any more.
                            let _ = switch.cancel(now, open[which as usize % open.len()], "night");
                        }
                    });
                });
            }
            Happening::Resolve => {
                let dedup = format!("about {}", self.rng.random_range(0..2));
                // Nothing may be open about it.
                self.at_home(|house, now| house.ask(now, |switch| drop(switch.resolve(now, &dedup, "night"))));
            }
            Happening::Acknowledge => {
                let which: u64 = self.rng.random();
                self.at_home(|house, now| {
                    house.ask(now, |switch| {
                        let open: Vec<_> = switch.open().map(|(id, _)| id).collect();
                        if !open.is_empty() {
                            let _ = switch.acknowledge(now, open[which as usize % open.len()], "night");
                        }
                    });
                });
            }
            Happening::Quiet(length) => {
                let (scope, until) =
                    (People::scope(&mut self.rng), self.calendar + self.now.since(Time::ZERO) + length);
                self.at_home(|house, now| house.ask(now, |switch| drop(switch.suppress(now, scope, until, "night"))));
            }
            Happening::Lift => self.at_home(|house, now| {
                house.ask(now, |switch| {
                    let oldest = switch.suppressions(now).next().map(|it| it.id);
                    if let Some(oldest) = oldest {
                        switch.lift(now, oldest, "night").expect("it holds");
                    }
                });
            }),
            Happening::ClockSteps(by) => {
                self.calendar = Stamp::from_unix_micros(self.calendar.as_unix_micros() + by * 1_000_000);
                self.laws.clock_steps();
                let calendar = self.calendar;
                self.at_home(|house, now| house.ask(now, |switch| switch.set_calendar(calendar)));
            }
            Happening::Fuse => {
                let length = self.rng.random_range(1..200);
                if let Some(house) = &mut self.house {
                    house.fuse = Some(length);
                }
            }
            Happening::Restart => self.restarts(),
            Happening::DiskFills(length) => self.disk.refuse_until(self.now + length),
            Happening::TrunkAway(away) => {
                self.trunk_away = away;
                if away {
                    let length = up_to(&mut self.rng, 400);
                    self.plan(self.now + length, Happening::TrunkAway(false));
                }
            }
            Happening::TrunkForgets => {
                self.carrier = SoftTrunk::new(carrier(self.rng.random()));
                (0..self.phones.len()).for_each(|place| self.carrier.connect(&Town::number(place), phone_sip(place)));
            }
            Happening::CallIn(place) if !self.owner_talks(place) => {
                self.with(place, |phone, now, out| phone.call_in(now, out));
            }
            Happening::CallIn(_) => {}
            Happening::Do(place, call, act) if self.calls[place] == call => self.does(place, act),
            Happening::Do(..) => {}
        }
    }

    fn does(&mut self, place: usize, act: Act) {
        match act {
            Act::PickUp if self.owner_talks(place) => {}
            Act::PickUp => self.with(place, |phone, now, out| phone.pick_up(now, out)),
            Act::Refuse(code) => self.with(place, |phone, now, out| phone.refuse(now, code, out)),
            Act::Press(key) => {
                self.with(place, |phone, now, _| phone.press(now, key.digit, key.way));
                if self.phones[place].line() == Line::Up {
                    self.at_home(|house, now| house.pressed(now, phone_rtp(place), key));
                }
            }
            Act::Talk => self.with(place, |phone, now, _| phone.talk(now, voice_hz(place), seconds(2))),
            Act::HangUp => self.with(place, |phone, now, out| phone.hang_up(now, out)),
            Act::LoseHope => {
                self.hansho_ends_every_call(place);
                self.with(place, |phone, now, out| match phone.line() {
                    Line::Ringing => phone.refuse(now, 480, out),
                    _ => phone.hang_up(now, out),
                });
            }
        }
    }

    /// Does something with a telephone; its owner reacts to what became of it.
    fn with(&mut self, place: usize, act: impl FnOnce(&mut Phone, Time, &mut Outbox<Output>)) {
        let mut out = Outbox::new();
        let before = self.phones[place].line();
        act(&mut self.phones[place], self.now, &mut out);
        for output in out.drain() {
            let (from, datagram) = match output {
                Output::Sip(datagram) => (phone_sip(place), datagram),
                Output::Rtp(datagram) => (phone_rtp(place), datagram),
            };
            self.send(Flying { from, to: datagram.to, bytes: datagram.bytes });
        }
        match self.phones[place].line() {
            line if line == before => {}
            Line::Idle => self.calls[place] += 1,
            Line::Ringing => self.rings(place),
            Line::Up => self.is_up(place),
            Line::Between => {}
        }
    }

    fn rings(&mut self, place: usize) {
        const CODES: [u16; 10] = [302, 403, 404, 408, 480, 486, 500, 503, 600, 603];
        let soon = up_to(&mut self.rng, if self.voice { 6 } else { 25 });
        match self.rng.random_range(0..100) {
            0..20 => {}
            20..30 => self.will(place, Duration::ZERO, Act::Refuse(486)),
            30..42 => {
                let code = CODES[self.rng.random_range(0..CODES.len())];
                self.will(place, soon, Act::Refuse(code));
            }
            _ => self.will(place, soon, Act::PickUp),
        }
        self.will(place, RINGS_MAX, Act::LoseHope);
    }

    fn is_up(&mut self, place: usize) {
        // What was meant for the ringing is not done any more.
        self.calls[place] += 1;
        let length = if self.voice { 20 } else { 60 };
        for _ in 0..self.rng.random_range(0..5) {
            let at = up_to(&mut self.rng, length);
            let keys = if self.rng.random_ratio(1, 2) { 1..7 } else { 0..16 };
            let digit = Digit::from_event(self.rng.random_range(keys)).unwrap();
            let way = if self.rng.random_ratio(1, 2) { Way::Event } else { Way::Tone };
            self.will(place, at, Act::Press(MediaKey { digit, way }));
        }
        if self.voice {
            let at = up_to(&mut self.rng, length);
            self.will(place, at, Act::Talk);
        }
        if self.rng.random_ratio(1, 2) {
            let at = up_to(&mut self.rng, 2 * length);
            self.will(place, at, Act::HangUp);
        }
        self.will(place, if self.voice { seconds(60) } else { HOLDS_MAX }, Act::LoseHope);
    }

    fn will(&mut self, place: usize, after: Duration, act: Act) {
        let at = self.now + after;
        self.plan(at, Happening::Do(place, self.calls[place], act));
    }

    /// A person has one mouth: who is in a call, or makes one, picks up no other telephone.
    fn owner_talks(&self, place: usize) -> bool {
        let own = (0..self.phones.len()).filter(|other| self.people.owners[*other] == self.people.owners[place]);
        own.into_iter().any(|other| matches!(self.phones[other].line(), Line::Up | Line::Between))
    }

    fn is_quiet(&self) -> bool {
        let house = self.house.as_ref().is_some_and(|house| house.switch.open().count() + house.switch.legs() == 0);
        let idle = self.agenda.values().all(|what| matches!(what, Happening::Do(..)));
        house && idle && self.phones.iter().all(Phone::has_no_dialog)
    }

    fn what_is_left(&self) -> String {
        let house = self.house.as_ref().map(|house| {
            let open: Vec<String> = house.switch.open().map(|(id, record)| format!("{id} {}", record.state)).collect();
            format!("incidents {open:?}, {} legs, rooms {:?}", house.switch.legs(), house.switch.room_views().count())
        });
        let lines: Vec<_> = self.phones.iter().map(|phone| (phone.line(), phone.has_no_dialog())).collect();
        format!("{house:?}, telephones {lines:?}, agenda {:?}", self.agenda.values().take(5).collect::<Vec<_>>())
    }
}
