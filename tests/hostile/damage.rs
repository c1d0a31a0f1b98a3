//! Damaged messages over the trunk itself, and giant ones: the trunk is trusted, its bytes are not.

use core::time::Duration;

use hansho::base::{Rng, seeded};
use hansho::wire::sip::Method;
use rand::RngExt;

use crate::desk::{Desk, fresh, in_dialog, response, sdp, trunk};
use crate::support::Town;
use crate::{Seed, seeds};

/// The message with some of its bytes changed, doubled, dropped, or lines of it exchanged.
pub fn damaged(rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.random_range(1..6) {
        let at = rng.random_range(0..bytes.len());
        match rng.random_range(0..7) {
            0 => bytes[at] = rng.random(),
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, b"\r\n \t\"<>;,:@%=[]/*0"[rng.random_range(0..18)]),
            3 => bytes.truncate(at.max(1)),
            4 => {
                let end = (at + rng.random_range(1..40)).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            5 => {
                let mut lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
                let (a, b) = (rng.random_range(0..lines.len()), rng.random_range(0..lines.len()));
                lines.swap(a, b);
                bytes = lines.concat();
            }
            _ => {
                let end = (at + rng.random_range(1..10)).min(bytes.len());
                bytes.splice(at..end, rng.random::<u64>().to_string().into_bytes());
            }
        }
        if bytes.is_empty() {
            bytes.push(b' ');
        }
    }
    bytes
}

#[test]
fn damaged_messages_of_the_trunk_in_a_living_call_break_nothing() {
    for seed in seeds(24) {
        let _seed = Seed(seed);
        let mut rng = seeded(seed);
        let mut desk = Desk::new(seed, Town::of(&["anna", "bert", "carl"]).rounds(2).with_room("bridge"));
        let body = sdp();
        for n in 0..400u32 {
            if n % 100 == 0 {
                desk.raises();
            }
            let request = desk.sent.iter().rev().map(|(_, m)| m).find(|m| m.is_request() && rng.random_bool(0.6));
            let tag = ["a", "b"][rng.random_range(0..2)];
            let code = [100, 180, 183, 200, 200, 401, 407, 302, 404, 486, 500, 603][rng.random_range(0..12)];
            let method = [Method::Bye, Method::Invite, Method::Ack, Method::Cancel, Method::Info, Method::Update];
            let method = method[rng.random_range(0..method.len())].clone();
            let bytes = match (rng.random_range(0..4), request) {
                (0, _) | (_, None) => fresh(method, "+81900000000", &n.to_string(), Some(&body)),
                (1, Some(request)) => in_dialog(request, method, tag, n + 1, Some(&body)),
                (_, Some(request)) => response(request, code, tag, Some(&body)),
            };
            let bytes = if rng.random_bool(0.7) { damaged(&mut rng, &bytes) } else { bytes };
            let before = desk.sent.len();
            desk.comes(trunk(), &bytes);
            assert!(desk.sent.len() - before <= 12, "one datagram led to {} others", desk.sent.len() - before);
            desk.waits(Duration::from_millis(rng.random_range(0..400)));
        }
        desk.comes_to_rest();
    }
}

#[test]
fn giant_messages_are_answered_or_dropped_and_the_next_one_is_heard() {
    let mut desk = Desk::new(1, Town::of(&["anna"]));
    let good = String::from_utf8(fresh(Method::Options, "x", "0", None)).expect("it is text");
    let with =
        |line: &str, n: usize| good.replacen("\r\n", &format!("\r\n{line}\r\n"), 1).replace("new0", &format!("n{n}"));
    let many = |line: &str, count: usize| line.repeat(count);
    let via = |count| many("SIP/2.0/UDP 192.0.2.77;branch=z9hG4bKx, ", count);
    let giants = [
        with(&format!("Subject: {}", many("x", 60_000)), 1),
        with(&many("X-Filler: 1\r\n", 5_000), 2),
        with(&format!("Via: {}SIP/2.0/UDP a", via(1_400)), 3),
        with(&format!("Route: {}<sip:a>", many("<sip:a;lr>, ", 5_000)), 4),
        with(&format!("Contact: {}", many("\"", 60_000)), 5),
        with(&format!("Supported: {}", many("(", 60_000)), 6),
        with(&format!("Require: {}", many("x,", 30_000)), 7),
        with("Content-Length: 99999999999999999999", 8),
        with("Content-Length: -1", 9),
        good.replace("CSeq: 1 ", "CSeq: 99999999999999999999 "),
        good.replace("Max-Forwards: 70", "Max-Forwards: 99999999999"),
        good.replace("192.0.2.2:5060;branch", "192.0.2.2:99999;branch"),
        good.replace("192.0.2.2:5060;branch", "192.0.2.2:0;branch"),
        good.replace("192.0.2.2:5060;branch", "224.0.0.1:5060;rport=1;received=255.255.255.255;branch"),
        good.replace("Call-ID: call-0", &format!("Call-ID: {}", many("i", 60_000))),
        good.replace("branch=z9hG4bKnew0", &format!("branch={}", many("b", 60_000))),
        good.replace("OPTIONS", &many("M", 60_000)),
        many("\r\n", 30_000),
        many(" ", 60_000),
    ];
    for (place, giant) in giants.iter().enumerate() {
        let before = desk.sent.len();
        desk.comes(trunk(), giant.as_bytes());
        for (to, answer) in &desk.sent[before..] {
            assert_eq!(to.ip(), trunk().ip(), "number {place} is answered to where it came from and nowhere else");
            assert!(answer.code().is_some());
        }
        let before = desk.sent.len();
        desk.comes(trunk(), fresh(Method::Options, "x", &format!("after{place}"), None).as_slice());
        assert_eq!(desk.sent[before..].iter().map(|(_, m)| m.code()).collect::<Vec<_>>(), [Some(200)], "{place}");
    }
    desk.comes_to_rest();
}

#[test]
fn a_flood_of_invites_over_the_trunk_is_bounded_and_all_end() {
    let mut desk = Desk::new(1, Town::of(&["anna"]));
    let body = sdp();
    for n in 0..18_000 {
        desk.comes(trunk(), &fresh(Method::Invite, "nobody", &n.to_string(), Some(&body)));
        assert_eq!(desk.switch.legs(), 0, "who is on no roster gets no leg");
    }
    let answers = desk.answers();
    assert!(answers.iter().all(|code| matches!(code, 100 | 480 | 503)), "{:?}", answers.iter().max());
    assert!(desk.counts().refused > 0, "there is a limit");
    desk.comes_to_rest();
    desk.comes(trunk(), &fresh(Method::Options, "x", "last", None));
    assert_eq!(desk.answers().last(), Some(&200));
}
