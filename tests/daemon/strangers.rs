//! Strangers at the doors of a running daemon: ten thousand datagrams while a call is up.
//!
//! The trunk is 127.0.0.1 here and the stranger 127.0.0.2.

use std::fs;
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use hansho::base::{Rng, seeded};
use hansho::wire::rtp::Header;
use rand::RngExt;
use serde_json::json;

use crate::support::phones::Stage;
use crate::support::{Habit, World, until};

const ANNA: &str = "+815000000001";

/// What the process holds in memory, in KiB.
fn memory_kib(pid: i32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the daemon runs");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("every process has memory");
    line.split_whitespace().next().and_then(|kib| kib.parse().ok()).expect("a number of KiB")
}

fn sip(rng: &mut Rng, n: u32) -> Vec<u8> {
    let method = ["INVITE", "REGISTER", "OPTIONS", "BYE", "ACK", "CANCEL"][rng.random_range(0..6)];
    let text = format!(
        "{method} sip:hansho@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:5060;rport;branch=z9hG4bK{n}\r\n\
         Max-Forwards: 70\r\nFrom: <sip:p{ANNA}@127.0.0.1>;tag={n}\r\nTo: <sip:hansho@127.0.0.1>\r\n\
         Call-ID: {n}\r\nCSeq: 1 {method}\r\nContact: <sip:x@127.0.0.2>\r\nContent-Length: 0\r\n\r\n"
    );
    let mut bytes = text.into_bytes();
    match rng.random_range(0..3) {
        0 => {}
        1 => {
            let at = rng.random_range(0..bytes.len());
            bytes[at] = rng.random();
        }
        _ => bytes = (0..rng.random_range(1..1_400)).map(|_| rng.random()).collect(),
    }
    bytes
}

#[test]
fn ten_thousand_datagrams_of_strangers_get_no_answer_and_the_call_goes_on() {
    let world = World::new("strangers").person(ANNA, Habit::Answers).guidance("first_key_timeout = \"60s\"");
    let mut daemon = world.start();
    let mut watch = daemon.watch();
    let incident = daemon.trigger();
    watch.until("attempt.prompt_started", &[]);
    let stranger = UdpSocket::bind("127.0.0.2:0").expect("all of 127/8 is loopback");
    stranger.set_nonblocking(true).expect("a socket need not block");
    // Anna's first packet says where she is, as any telephone's does.
    world.phones.press(ANNA, 11);
    watch.until("attempt.key", &[("digit", json!("#"))]);
    let before = memory_kib(daemon.pid());
    let media = world.phones.look(|state| state.calls[0].peer());
    let mut rng = seeded(1);
    for n in 0..10_000u32 {
        let _ = stranger.send_to(&sip(&mut rng, n), ("127.0.0.1", world.sip));
        // A key press, then a voice, as if it were Anna's.
        let header = Header {
            marker: true,
            payload_type: if n % 2 == 0 { 101 } else { 0 },
            sequence: (n % 65_536) as u16,
            timestamp: n * 160,
            ssrc: 0x5150,
        };
        let payload: &[u8] = if n % 2 == 0 { &[1, 0x8a, 3, 0x20] } else { &[0x11; 160] };
        let _ = stranger.send_to(&[&header.to_bytes()[..], payload].concat(), media);
        if n % 64 == 0 {
            // The daemon's own pace: what would only overflow the socket tests nothing.
            assert!(daemon.is_well(), "{}", daemon.said());
        }
    }
    assert!(daemon.is_well());
    let grown = memory_kib(daemon.pid()).saturating_sub(before);
    assert!(grown < 8 * 1024, "{grown} KiB more than before");
    assert!(stranger.recv_from(&mut [0; 2_048]).is_err(), "a stranger was answered");
    let counts = &daemon.ask(&json!({ "op": "status" }))["counts"]["sip"];
    for what in ["strangers", "malformed"] {
        assert!(counts[what].as_u64() > Some(1_000), "each is counted: {counts}");
    }
    let status = daemon.status(&incident);
    assert_eq!(status["attempts"][0]["keys"].as_array().map(Vec::len), Some(1), "only Anna's key counts: {status}");
    world.phones.press(ANNA, 1);
    daemon.comes_to(&incident, "acknowledged");
    world.phones.reaches(ANNA, 1, Stage::Ended);
}

/// Somebody who sends as fast as the network carries, until this is dropped.
struct Flood(Arc<AtomicBool>);

impl Flood {
    fn begin(sip: u16) -> Flood {
        let over = Arc::new(AtomicBool::new(false));
        let (ends, mut rng) = (over.clone(), seeded(3));
        let stranger = UdpSocket::bind("127.0.0.2:0").expect("all of 127/8 is loopback");
        let datagrams: Vec<Vec<u8>> = (0..256).map(|n| self::sip(&mut rng, n)).collect();
        thread::spawn(move || {
            while !ends.load(Ordering::Relaxed) {
                for datagram in &datagrams {
                    let _ = stranger.send_to(datagram, ("127.0.0.1", sip));
                }
            }
        });
        Flood(over)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn triggers_are_answered_while_a_stranger_sends_as_fast_as_the_network_carries() {
    let world = World::new("flood").person(ANNA, Habit::Busy).flow("rounds = 1");
    let daemon = world.start();
    let flood = Flood::begin(world.sip);
    let counted = || daemon.ask(&json!({ "op": "status" }))["counts"]["sip"]["strangers"].as_u64();
    until("the flood", || counted().filter(|count| *count > 1_000));
    for _ in 0..3 {
        daemon.trigger();
    }
    drop(flood);
    world.phones.reaches(ANNA, 3, Stage::Refused);
}

#[test]
fn random_lines_on_many_connections_break_nothing() {
    let world = World::new("lines").person(ANNA, Habit::Rings);
    let mut daemon = world.start();
    let mut rng = seeded(2);
    let words =
        ["{", "}", "\"op\"", ":", "\"trigger\"", "\"status\"", "\"watch\"", ",", "\"incident\"", "null", "1e999", "\n"];
    for _ in 0..200 {
        let mut line = crate::support::Line::open(&world.socket);
        let mut bytes = Vec::new();
        for _ in 0..rng.random_range(1..60) {
            match rng.random_range(0..8) {
                0 => bytes.push(rng.random()),
                _ => bytes.extend_from_slice(words[rng.random_range(0..words.len())].as_bytes()),
            }
        }
        line.send(&bytes);
    }
    until("a place to come free", || daemon.is_well().then_some(()));
    assert_eq!(world.phones.calls_to(ANNA), 0);
    let quiet = world.phones.within(Duration::from_millis(100), |state| (!state.calls.is_empty()).then_some(()));
    assert_eq!(quiet, None);
}
