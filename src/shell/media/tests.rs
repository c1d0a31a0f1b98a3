//! Two media threads that talk to each other over loopback: the house, and a phone made of the same parts.

use core::time::Duration;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Instant;

use super::*;
use crate::audio::tone;
use crate::base::{Codec, Digit, RoomId, Stream};
use crate::media::Playlist;
use crate::media::tones::presses;

const LIMIT: Duration = Duration::from_secs(60);
/// Of this test alone: a port that is let go here and taken again is nobody else's meanwhile.
const HERE: Ipv4Addr = Ipv4Addr::new(127, 0, 50, 1);

fn start() -> (MediaHandle, MediaEvents) {
    start_at(IpAddr::V4(HERE).into(), 1)
}

fn start_at(addresses: PerFamily<IpAddr>, seed: u64) -> (MediaHandle, MediaEvents) {
    MediaHandle::start(MediaSettings { addresses, legs: 4, rooms: 2, realtime: false, core: None, seed }).unwrap()
}

fn stream(remote: SocketAddr) -> Stream {
    Stream {
        remote,
        reports: Some(SocketAddr::new(remote.ip(), remote.port() + 1)),
        codec: Codec::Pcma,
        payload_type: 8,
        event_payload_type: Some(101),
        packet_time: Duration::from_millis(20),
        send: true,
        receive: true,
        keys: None,
    }
}

fn until(events: &mut MediaEvents, wanted: impl Fn(&Event) -> bool) -> Event {
    let end = Instant::now() + LIMIT;
    while Instant::now() < end {
        if let Some(event) = events.recv_timeout(Duration::from_millis(200)).filter(&wanted) {
            return event;
        }
    }
    panic!("the event did not come");
}

fn digit(key: char) -> Digit {
    Digit::from_char(key).unwrap()
}

#[test]
fn two_threads_call_each_other_press_keys_play_and_record() {
    let folder = std::env::temp_dir().join(format!("hansho-media-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("phone.wav");
    let ((mut house, mut heard), (mut phone, mut rang)) = (start(), start());
    let here = house.open(LegId(1), 0).unwrap();
    let there = phone.open(LegId(7), 0).unwrap();
    // The phone first: none of what comes to it is refused then.
    phone.command(Command::Connect(LegId(7), stream(here)));
    house.command(Command::Connect(LegId(1), stream(there)));
    phone.record(Source::Leg(LegId(7)), &file).unwrap();
    // Again and again, until the phone hears the prompt as the key that it is: where the machine stands still for a
    // moment, the tone has a hole and is none.
    let prompt = [tone::key(digit('8'), Duration::from_millis(200), -12.0, 0.0), vec![0; 800]].concat();
    let list = |play, forever| Box::new(Playlist { play, prompts: vec![prompt.as_slice().into()], forever });
    house.command(Command::Play(LegId(1), list(1, true)));
    until(&mut rang, |event| matches!(event, Event::Digit { digit, .. } if digit.as_char() == '8'));
    house.command(Command::Play(LegId(1), list(2, false)));
    until(&mut heard, |event| matches!(event, Event::PlayEnded { play: 2, .. }));
    house.command(Command::Join(LegId(1), RoomId(1)));
    phone.command(Command::Press(LegId(7), digit('#')));
    let pressed = until(&mut heard, |event| matches!(event, Event::Digit { .. }));
    assert!(matches!(pressed, Event::Digit { leg: LegId(1), digit, .. } if digit.as_char() == '#'), "{pressed:?}");
    phone.command(Command::Close(LegId(7)));
    let closed = until(&mut rang, |event| matches!(event, Event::Closed { .. }));
    assert!(
        matches!(closed, Event::Closed { counts, .. } if counts.received >= 3 && counts.refused == 0),
        "{closed:?}"
    );
    // Its port is free again when the closing is told.
    phone.open(LegId(8), there.port()).unwrap();
    drop(phone);
    let end = Instant::now() + LIMIT;
    let keys = loop {
        let samples: Vec<i16> =
            hound::WavReader::open(&file).map_or(Vec::new(), |wav| wav.into_samples().flatten().collect());
        let keys: String = presses(&samples).iter().map(|press| press.digit.as_char()).collect();
        if !keys.is_empty() || Instant::now() > end {
            break keys;
        }
        std::thread::yield_now();
    };
    // Where the machine stood still for a moment, the tone has a hole and is two.
    assert!(!keys.is_empty() && keys.chars().all(|key| key == '8'), "{keys:?}");
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_leg_speaks_with_whoever_is_named_in_either_family_and_moves_with_him() {
    let six = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);
    let (mut house, mut heard) = start_at(PerFamily { v4: Some(HERE.into()), v6: Some(six) }, 1);
    // A port that is free for IPv4 may be taken for IPv6.
    let here = (0..50).find_map(|_| house.open(LegId(1), 0).ok()).unwrap();
    for (leg, address, reached) in [(7, six, SocketAddr::new(six, here.port())), (8, HERE.into(), here)] {
        let (mut phone, _rang) = start_at(address.into(), leg.into());
        let there = phone.open(LegId(leg), 0).unwrap();
        phone.command(Command::Connect(LegId(leg), stream(reached)));
        house.command(Command::Connect(LegId(1), stream(there)));
        phone.command(Command::Press(LegId(leg), digit('5')));
        until(&mut heard, |event| matches!(event, Event::Digit { leg: LegId(1), .. }));
    }
}

#[test]
fn a_port_that_is_taken_and_a_folder_that_is_not_there_are_errors() {
    let (mut house, mut events) = start();
    let taken = house.open(LegId(1), 0).unwrap();
    assert_eq!(house.open(LegId(2), taken.port()).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    assert!(house.record(Source::Leg(LegId(1)), Path::new("/nowhere/at/all.wav")).is_err());
    for leg in 3..=6 {
        house.open(LegId(leg), 0).unwrap();
    }
    let refused = until(&mut events, |event| matches!(event, Event::Refused(_)));
    assert_eq!(refused, Event::Refused(LegId(6)), "the fifth of four");
}

#[test]
fn a_sleeping_taker_is_woken_and_told_when_the_thread_ends() {
    let (mut house, mut events) = start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        house.open(LegId(1), 0).unwrap();
        house.command(Command::Close(LegId(1)));
        let closed = tokio::time::timeout(LIMIT, events.recv()).await.unwrap();
        assert!(matches!(closed, Some(Event::Closed { leg: LegId(1), .. })));
        drop(house);
        assert_eq!(tokio::time::timeout(LIMIT, events.recv()).await.unwrap(), None);
    });
}
