use super::*;
use crate::rig::{Account, Settings, SoftTrunk, ear};
use crate::sip::Cause;
use crate::sip::digest::Hash;

/// Two telephones, the trunk between them, and a network that takes 3 ms.
struct World {
    now: Time,
    trunk: SoftTrunk,
    phones: [Phone; 2],
    flying: VecDeque<(Time, SocketAddr, Datagram)>,
}

const NUMBERS: [&str; 2] = ["+81901", "+81902"];

fn sip(place: usize) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 5_080 + place as u16))
}

fn rtp(place: usize) -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 6_000 + 2 * place as u16))
}

impl World {
    fn new(second: Script) -> World {
        let local: SocketAddr = "127.0.0.1:5060".parse().unwrap();
        let account = Account { username: "h".into(), password: "p".into(), number: "+8150".into() };
        let mut trunk = SoftTrunk::new(Settings {
            local,
            realm: "carrier.test".into(),
            account,
            hash: Hash::Md5,
            nonce_life: Duration::from_secs(60),
            expires_min_s: 60,
            expires_max_s: 600,
            seed: 1,
        });
        let mut plug = |place: usize, script: Script| {
            trunk.connect(NUMBERS[place], sip(place));
            let (number, sip, media_port) = (NUMBERS[place].into(), sip(place), rtp(place).port());
            Phone::new(Socket { number, sip, media_port, trunk: local, realm: "carrier.test".into() }, script, 7)
        };
        let first = Script { pick_up: PickUp::Never, then: vec![] };
        let phones = [plug(0, first), plug(1, second)];
        World { now: Time::ZERO, trunk, phones, flying: VecDeque::new() }
    }

    fn with(&mut self, place: usize, act: impl FnOnce(&mut Phone, Time, &mut Outbox<Output>)) {
        let mut out = Outbox::new();
        act(&mut self.phones[place], self.now, &mut out);
        self.fly(place, out);
    }

    fn fly(&mut self, place: usize, mut out: Outbox<Output>) {
        for sent in out.drain() {
            let (from, datagram) = match sent {
                Output::Sip(datagram) => (sip(place), datagram),
                Output::Rtp(datagram) => (rtp(place), datagram),
            };
            self.flying.push_back((self.now + Duration::from_millis(3), from, datagram));
        }
    }

    fn deliver(&mut self, from: SocketAddr, datagram: Datagram) {
        if datagram.to == self.trunk.local() {
            let mut out = Outbox::new();
            self.trunk.on_datagram(self.now, from, &datagram.bytes, &mut out);
            let (at, from) = (self.now + Duration::from_millis(3), self.trunk.local());
            self.flying.extend(out.drain().map(|datagram| (at, from, datagram)));
        }
        for place in 0..2 {
            if datagram.to == sip(place) {
                self.with(place, |phone, now, out| phone.on_sip(now, from, &datagram.bytes, out));
            } else if datagram.to == rtp(place) {
                self.phones[place].on_rtp(self.now, from, &datagram.bytes);
            }
        }
    }

    fn wait(&mut self, length: Duration) {
        let until = self.now + length;
        loop {
            let phones = self.phones.iter().filter_map(Phone::next_deadline);
            let next = phones.chain(self.flying.front().map(|(at, ..)| *at)).min().filter(|at| *at <= until);
            let Some(next) = next else { break };
            self.now = self.now.max(next);
            while self.flying.front().is_some_and(|(at, ..)| *at <= self.now) {
                let (_, from, datagram) = self.flying.pop_front().unwrap();
                self.deliver(from, datagram);
            }
            for place in 0..2 {
                self.with(place, Phone::on_deadline);
            }
        }
        self.now = until;
    }

    fn call(&mut self) {
        self.with(0, |phone, now, out| phone.call_in(now, NUMBERS[1], vec![], out).unwrap());
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn ends(phone: &Phone) -> Vec<(Cause, Option<u16>)> {
    let end = |(_, noted): &(Time, Noted)| match noted {
        Noted::Ended(end) => Some((end.cause, end.code)),
        _ => None,
    };
    phone.log().iter().filter_map(end).collect()
}

#[test]
fn a_telephone_follows_its_script_and_both_sides_hear_each_other() {
    let key = Digit::from_char('1').unwrap();
    let then = vec![
        Step::Hear(seconds(1)),
        Step::Talk { hz: 345.0, length: seconds(2) },
        Step::Press(key, Way::Tone),
        Step::HangUp,
    ];
    let mut world = World::new(Script { pick_up: PickUp::After(seconds(1)), then });
    world.call();
    world.wait(Duration::from_millis(500));
    assert!(world.phones[1].is_ringing() && !world.phones[0].is_up());
    world.wait(Duration::from_millis(600));
    assert!(world.phones[0].is_up() && world.phones[1].is_up());
    world.with(0, |phone, now, _| phone.talk(now, 465.0, seconds(2)));
    world.wait(seconds(4));
    assert!(world.phones.iter().all(Phone::is_idle));
    let [first, second] = &world.phones;
    for (phone, other, own) in [(first, 345.0, 465.0), (second, 465.0, 345.0)] {
        let heard = phone.heard().unwrap().samples();
        assert!(ear::tone_dbm0(heard, other) > -25.0, "{}", ear::tone_dbm0(heard, other));
        assert!(ear::tone_dbm0(heard, own) < -55.0, "{}", ear::tone_dbm0(heard, own));
        assert!(ear::voice_seconds(heard) > 1.5);
    }
    assert_eq!(ends(first), [(Cause::Them, Some(200))]);
    assert_eq!(ends(second), [(Cause::Us, Some(200))]);
}

#[test]
fn a_telephone_that_is_busy_or_refuses_says_so() {
    for (pick_up, code) in [(PickUp::Busy, 486), (PickUp::Reject(603), 603)] {
        let mut world = World::new(Script { pick_up, then: vec![] });
        world.call();
        world.wait(seconds(1));
        assert_eq!(ends(&world.phones[0]), [(Cause::Refused, Some(code))]);
        assert_eq!(world.phones[1].log().last().unwrap().1, Noted::TurnedAway(code));
    }
}

#[test]
fn a_telephone_rings_until_the_caller_gives_up() {
    let mut world = World::new(Script { pick_up: PickUp::Never, then: vec![] });
    world.call();
    world.wait(seconds(30));
    assert!(world.phones[1].is_ringing());
    world.with(0, Phone::hang_up);
    world.wait(seconds(1));
    assert!(world.phones.iter().all(Phone::is_idle));
    assert_eq!(ends(&world.phones[1])[0].0, Cause::Them);
}

#[test]
fn a_key_pressed_as_an_event_is_no_voice() {
    let mut world = World::new(Script { pick_up: PickUp::After(seconds(0)), then: vec![] });
    world.call();
    world.wait(seconds(1));
    world.with(0, |phone, now, _| phone.press(now, Digit::from_char('5').unwrap(), Way::Event));
    world.wait(seconds(1));
    let heard = world.phones[1].heard().unwrap();
    assert!(ear::voice_seconds(heard.samples()) == 0.0);
    assert!(heard.packets() < 100, "eight packets were no voice");
}
