//! A hundred people in one room: does everybody get their 50 packets a second, evenly, and what does it cost?
//!
//! All telephones send all the time; a few talk. Gaps are taken from the kernel's receive times, for each leg.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::clock::{MS, Nanos, SECOND, now};
use crate::daemon::{Daemon, LIMIT};
use crate::phone::{Phones, Way};
use crate::reference::{gaps, plain_sender};
use crate::stats::ms;
use crate::table::Row;
use crate::trunk::{Heard, Town};
use crate::witness::{Stalls, Witness};
use crate::{Effort, Result, proc};

/// So many talk at once.
const TALKERS: usize = 5;

pub fn measure(effort: &Effort, daemon: &mut Daemon, town: &mut Town) -> Result<Vec<Row>> {
    let realtime = proc::media_is_realtime(daemon.pid());
    let half = (effort.room_seconds / 2).max(1);
    let mut plain = plain_sender(effort.legs, half, false)?;
    let mut urgent = plain_sender(effort.legs, half, true)?;
    let empty = proc::resident_kib(daemon.pid())?;

    let phones = Phones::new(town.mouth()?);
    let repeated = town.repeated();
    let places = gather(effort, daemon, town, &phones)?;
    places.keys().take(TALKERS).try_for_each(|port| phones.talk(([127, 0, 0, 1], *port).into()))?;
    let repeated = town.repeated() - repeated;
    let dropped = proc::dropped_datagrams(daemon.sip_port())?;
    // Until the last greeting has ended and everybody hears the talkers.
    town.rest(3 * SECOND)?;
    let witness = Witness::start();
    let window = listen(effort, daemon, town, &places)?;
    let stalls = witness.stop();
    let full = proc::resident_kib(daemon.pid())?;
    drop(phones);

    plain.extend(plain_sender(effort.legs, half, false)?);
    urgent.extend(plain_sender(effort.legs, half, true)?);
    let plain = gaps(&plain)?;
    let urgent = gaps(&urgent)?;

    let gap = gaps(&window.arrivals)?;
    let worst = window.arrivals.iter().map(|times| gaps(std::slice::from_ref(times)).map(|gaps| gaps.p99()));
    let worst = worst.collect::<Result<Vec<_>>>()?.into_iter().max().unwrap_or_default();
    let (slowest, fastest) = window.rates()?;
    let skipped = window.skipped(&stalls);
    let even = |rate: f64| (rate - 50.0).abs() < 0.05;
    let legs = effort.legs as f64;
    let share = window.cpu_seconds / window.seconds * 100.0;
    let name = format!("room of {}", effort.legs);
    let kind = if realtime { "SCHED_FIFO" } else { "normal priority" };
    Ok(vec![
        Row::new(format!("{name}: packets/s to a leg"), format!("{slowest:.2} to {fastest:.2}"))
            .beside(format!("{} missing in {:.0} s", window.missing, window.seconds))
            .bar("50.0", even(slowest) && even(fastest) && window.missing == 0),
        Row::new("… ticks skipped", format!("{} (leg by leg)", skipped.all))
            .beside(format!("{} of them while a core stood still, which it did {}", skipped.stalled, stalls.summary()))
            .bar("0 else", skipped.all == skipped.stalled),
        Row::new(format!("{name}: gap between packets"), gap.whole())
            .beside(format!("plain sender: {}, max {}", plain.middle_and_tail(), ms(plain.max())))
            .bar("p99 < 25 ms", gap.p99() < 25 * MS),
        Row::new("… p99 of the worst leg".to_owned(), format!("{} ms; media thread at {kind}", ms(worst)))
            .beside(format!("SCHED_FIFO sender: {}, max {}", urgent.middle_and_tail(), ms(urgent.max())))
            .bar("< 25 ms", worst < 25 * MS),
        Row::new(format!("{name}: processor"), format!("{share:.1} % of one core"))
            .beside(format!("{:.3} % a leg, {TALKERS} of them talking", share / legs)),
        Row::new(format!("{name}: answers without an ACK in 500 ms"), repeated.to_string())
            .beside(format!("datagrams its SIP socket had no room for: {dropped}")),
        Row::new(format!("{name}: memory"), format!("{:.1} MiB resident", full as f64 / 1_024.0))
            .beside(format!("{:.1} KiB a leg more than without calls", (full as f64 - empty as f64) / legs)),
    ])
}

/// Calls everybody; all answer, press 1 and join. Gives the legs by hansho's ports.
fn gather(effort: &Effort, daemon: &mut Daemon, town: &mut Town, phones: &Phones) -> Result<BTreeMap<u16, usize>> {
    let incident = daemon.trigger("crowd")?.incident;
    let mut places = BTreeMap::new();
    // Whose key is to be pressed, and when.
    let mut presses = Vec::new();
    let mut joined = 0;
    let until = now() + 3 * LIMIT;
    while joined < effort.legs {
        if now() > until {
            return Err(format!("{} of {} were called, {joined} joined", places.len(), effort.legs));
        }
        match town.next(now() + MS)? {
            Some(Heard::Invite(call)) => town.answer(call)?,
            Some(Heard::Ack(call, at)) => {
                let (media, event_type) = (town.call(call).media, town.call(call).event_type);
                let place = places.len();
                // An answer that was sent twice is acknowledged twice.
                if let Entry::Vacant(free) = places.entry(media.port()) {
                    free.insert(place);
                    phones.speak(media, event_type)?;
                    presses.push((at + SECOND, media));
                }
            }
            Some(Heard::Ended(call)) => return Err(format!("{} was hung up", town.call(call).number)),
            _ => {}
        }
        for (_, media) in presses.extract_if(.., |(at, _)| *at < now()) {
            phones.press(media, '1', Way::Event)?;
        }
        while let Some(event) = daemon.event() {
            joined += usize::from(event["event"] == "room.joined" && event["incident"] == incident.as_str());
        }
    }
    Ok(places)
}

/// What came in the window.
struct Window {
    /// By leg.
    arrivals: Vec<Vec<Nanos>>,
    /// Packets that never came, by their sequence numbers.
    missing: u64,
    seconds: f64,
    cpu_seconds: f64,
}

fn listen(effort: &Effort, daemon: &Daemon, town: &mut Town, places: &BTreeMap<u16, usize>) -> Result<Window> {
    let room = effort.room_seconds as usize * 60;
    let mut arrivals = vec![Vec::with_capacity(room); effort.legs];
    let mut last: Vec<Option<u16>> = vec![None; effort.legs];
    let mut missing = 0;
    let cpu_before = proc::cpu_seconds(daemon.pid())?;
    let begin = now();
    let until = begin + effort.room_seconds as Nanos * SECOND;
    while now() < until {
        let Some(Heard::Voice(voice)) = town.next(until)? else { continue };
        let Some(&place) = places.get(&voice.port) else { continue };
        if let Some(last) = last[place] {
            missing += u64::from(voice.header.sequence.wrapping_sub(last).wrapping_sub(1));
        }
        last[place] = Some(voice.header.sequence);
        arrivals[place].push(voice.at);
    }
    let seconds = (now() - begin) as f64 / 1e9;
    Ok(Window { arrivals, missing, seconds, cpu_seconds: proc::cpu_seconds(daemon.pid())? - cpu_before })
}

/// Ticks without a packet, all legs together.
struct Skipped {
    all: usize,
    /// Those within which a core stood still for 10 ms or more.
    stalled: usize,
}

impl Window {
    /// A skipped tick shows as two packets with 20 ms too much between them.
    fn skipped(&self, stalls: &Stalls) -> Skipped {
        let pairs = self.arrivals.iter().flat_map(|times| times.windows(2));
        let holes: Vec<_> = pairs.filter(|pair| pair[1] - pair[0] > 30 * MS).collect();
        let stalled = holes.iter().filter(|pair| stalls.longest_within(pair[0], pair[1]) >= 10 * MS).count();
        Skipped { all: holes.len(), stalled }
    }

    /// Packets a second of the slowest and of the fastest leg.
    fn rates(&self) -> Result<(f64, f64)> {
        let rate = |times: &Vec<Nanos>| match (times.first(), times.last()) {
            (Some(first), Some(last)) if first < last => Ok((times.len() - 1) as f64 * 1e9 / (last - first) as f64),
            _ => Err("a leg got no packets".to_owned()),
        };
        let rates = self.arrivals.iter().map(rate).collect::<Result<Vec<_>>>()?;
        Ok((rates.iter().copied().fold(f64::MAX, f64::min), rates.iter().copied().fold(0.0, f64::max)))
    }
}
