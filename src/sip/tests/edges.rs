//! The rows of the tables of a call, seen between two agents on one virtual clock with a bad wire between them.
//!
//! Whatever two ends of our kind can do to each other happens in some seed; what only ends of another kind say is said by
//! somebody on the wire who knows their dialog. What is left is listed here, row by row, with the reason;
//! `the_code_does_what_the_table_says` of each machine has all of them.

use core::time::Duration;
use std::collections::BTreeSet;

use rand::RngExt;

use super::bench::{SDP_G729, SDP_HELD};
use super::world::{ALICE, BOB, Wire, World, address};
use crate::base::{Digit, LegId, Outbox, Rng, Time, seeded};
use crate::sip::message::SDP;
use crate::sip::table::rows;
use crate::sip::{Agent, Output};
use crate::wire::sip::{Builder, Method, Name};

/// Nights at the most; most rows are seen within some hundred.
const SEEDS: u64 = 6_000;
const LEG: LegId = LegId(1);
const BOBS: LegId = LegId(u32::MAX);

const TABLES: [(&str, &str); 6] = [
    ("outgoing", include_str!("../outgoing.rs")),
    ("incoming", include_str!("../incoming.rs")),
    ("session", include_str!("../session.rs")),
    ("refresh", include_str!("../refresh.rs")),
    ("pulse", include_str!("../pulse.rs")),
    ("farewell", include_str!("../farewell.rs")),
];

/// What never happens here: a 422 comes before any provisional response of ours; and nothing ends the wait for an answer
/// while it rings but a connection that breaks.
const NEVER: [&str; 3] = [
    "outgoing: Ringing | 422 | Calling | INVITE",
    "outgoing: Ringing | no answer | Over | ended Timeout",
    "outgoing: Cancelling | 422 | Over | ended Us",
];

/// How a wire that meddles changes a message.
const MEDDLERS: [fn(String) -> String; 14] = [
    |text| text,
    |text| text.replace("INFO, UPDATE, PRACK", "INFO, PRACK"),
    |text| if text.starts_with("INVITE") { text.replace("Supported: 100rel, timer", "Require: 100rel") } else { text },
    too_short,
    |text| refused(text, "401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"pbx\", nonce=\"abc\", qop=\"auth\""),
    |text| {
        let number: String = text.split("CSeq: ").nth(1).unwrap_or_default().chars().take(1).collect();
        refused(text, &format!("302 Moved\r\nContact: <sip:+818012345678@pbx.example;way={number}>"))
    },
    |text| refused(text, "302 Moved\r\nContact: <sip:thief@evil.example>"),
    |text| if answers(&text, "INVITE") { text.replace("RTP/AVP 0", "RTP/AVP 18") } else { text },
    |text| if answers(&text, "UPDATE") { spoiled(text) } else { text },
    |text| if answers(&text, "UPDATE") { text.replace("Session-Expires", "X-Expires") } else { text },
    |text| if answers(&text, "UPDATE") { text.replace("200 OK", "503 Service Unavailable") } else { text },
    |text| if answers(&text, "OPTIONS") || answers(&text, "BYE") { spoiled(text) } else { text },
    |text| if answers(&text, "INVITE") && text.contains("m=audio 20000") { "lost".to_owned() } else { text },
    |text| refused(text, "420 Bad Extension\r\nUnsupported: timer"),
];

/// What Bob does when he is called.
type Whim = fn(&mut Agent, Time, LegId, &mut Outbox<Output>);

/// What he may do.
const WHIMS: [Whim; 4] = [
    |agent, now, leg, out| agent.accept(now, leg, 20_000, out),
    |agent, now, leg, out| agent.ring(now, leg, out),
    |agent, now, leg, out| agent.refuse(now, leg, 486, out),
    |_, _, _, _| {},
];

fn answers(text: &str, method: &str) -> bool {
    text.starts_with("SIP/2.0 200") && text.lines().any(|line| line.starts_with("CSeq:") && line.ends_with(method))
}

fn refused(text: String, with: &str) -> String {
    text.replacen("486 Busy Here", with, 1)
}

fn too_short(text: String) -> String {
    match text.get(..11) {
        Some("INVITE sip:") => text.replace("Session-Expires: 1800\r", "Session-Expires: 60\r"),
        Some("SIP/2.0 422") => text.replace("Min-SE: 90", "Min-SE: 1900"),
        _ => text,
    }
}

/// Another status in place of 200, by the branch.
fn spoiled(text: String) -> String {
    const OTHERS: [&str; 11] = [
        "401 Unauthorized\r\nWWW-Authenticate: Digest realm=\"pbx\", nonce=\"abc\", qop=\"auth\"",
        "404 Not Found",
        "405 Method Not Allowed",
        "408 Request Timeout",
        "410 Gone",
        "422 Session Interval Too Small\r\nMin-SE: 3600",
        "481 Call/Transaction Does Not Exist",
        "491 Request Pending",
        "503 Service Unavailable",
        "200 OK",
        "200 OK",
    ];
    let via = text.lines().nth(1).unwrap_or_default();
    let sum: usize = via.bytes().map(usize::from).sum();
    text.replacen("200 OK", OTHERS[sum % OTHERS.len()], 1)
}

/// What is said by an end of another kind: its name in the tables, its method, its body and what that is.
const WORDS: [(&str, Method, &str, &str); 13] = [
    ("BYE", Method::Bye, "", ""),
    ("UPDATE", Method::Update, "", ""),
    ("UPDATE", Method::Update, SDP_HELD, SDP),
    ("INVITE", Method::Invite, SDP_HELD, SDP),
    ("INVITE", Method::Invite, "", ""),
    ("INVITE", Method::Invite, SDP_G729, SDP),
    ("INVITE", Method::Invite, "hello", "text/plain"),
    ("INFO", Method::Info, "Signal=1", "application/dtmf-relay"),
    ("INFO", Method::Info, "hello", "text/plain"),
    ("OPTIONS", Method::Options, "", ""),
    ("MESSAGE", Method::Message, "hello", "text/plain"),
    ("PRACK", Method::Prack, "", ""),
    ("other", Method::Refer, "", ""),
];

/// Says one of these to one end, in the dialog as far as it is known.
fn whisper(world: &mut World, rng: &mut Rng, seq: u32) {
    let header = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_default().trim_start_matches([':', ' ']).to_owned()
    };
    let answer = world.said.iter().find(|text| text.starts_with("SIP/2.0") && header(text, "To").contains("tag="));
    let alice = header(&world.said[0], "From");
    let bob = answer.map_or_else(|| "<sip:bob@pbx.example>;tag=unknown".to_owned(), |text| header(text, "To"));
    let who = if rng.random_bool(0.5) { ALICE } else { BOB };
    let (us, mut them) = if who == ALICE { (alice, bob) } else { (bob, alice) };
    let (event, method, body, kind) = WORDS[rng.random_range(0..WORDS.len())].clone();
    let (event, seq) = match rng.random_range(0..8) {
        0 => ("old number", 0),
        1 => {
            them = "<sip:third@pbx.example>;tag=third".to_owned();
            ("other phone", seq)
        }
        _ => (event, seq),
    };
    let mut request = Builder::request(method.clone(), "sip:hansho@192.0.2.10:5060")
        .header(Name::Via, format!("SIP/2.0/UDP {};branch=z9hG4bKw{}", address(1 - who), world.said.len()))
        .header(Name::MaxForwards, "70")
        .header(Name::From, them)
        .header(Name::To, us)
        .header(Name::CallId, header(&world.said[0], "Call-ID"))
        .header(Name::CSeq, format!("{seq} {method}"))
        .header(Name::Contact, format!("<sip:other@{}>", address(1 - who)));
    if event == "UPDATE" {
        request = request.header(Name::Supported, "timer").header(Name::SessionExpires, "1800;refresher=uac");
    }
    let bytes = if body.is_empty() { request.finish() } else { request.body(kind, body.as_bytes()).finish() };
    world.whispers(who, event, &bytes);
}

/// A call between two ends that both do what comes to their minds.
fn night(seed: u64, seen: BTreeSet<String>) -> BTreeSet<String> {
    let mut rng = seeded(seed);
    let wires = [Wire::GOOD, Wire::BAD, Wire { loss: 0.5, ..Wire::BAD }, Wire { loss: 1.0, ..Wire::BAD }];
    let wire = wires[rng.random_range(0..12) % 11 % 4];
    let mut world = World::new(wire, seed);
    world.seen = Some(seen);
    world.rewrites = MEDDLERS[rng.random_range(0..MEDDLERS.len())];
    world.bob = WHIMS[rng.random_range(0..WHIMS.len())];
    let mut whispers = 100;
    match seed % 7 {
        // A call that lasts until somebody refreshes it.
        0 => {
            (world.wire, world.bob) = (Wire::GOOD, WHIMS[0]);
            world.rewrites = MEDDLERS[[1, 8, 8, 9, 10][rng.random_range(0..5)]];
            world.dial();
            world.wait(Duration::from_secs(60));
            world.wire = Wire { loss: [0.0, 1.0][rng.random_range(0..2)], ..Wire::GOOD };
            world.wait(Duration::from_secs(rng.random_range(839..860)));
            whispers += 1;
            whisper(&mut world, &mut rng, whispers);
            world.wait(Duration::from_secs([1, 1_000][rng.random_range(0..2)]));
        }
        // One that is not wanted any more before anything was heard.
        1 => {
            (world.wire, world.bob) = (Wire::BAD, WHIMS[rng.random_range(0..3)]);
            world.dial();
            world.hang_up(ALICE, LEG);
        }
        // One whose end asks the other something, or says goodbye, and is answered strangely.
        3 => {
            (world.wire, world.bob, world.rewrites) = (Wire::GOOD, WHIMS[0], MEDDLERS[11]);
            world.dial();
            world.wait(Duration::from_secs(rng.random_range(1..700)));
            world.hang_up(if rng.random_bool(0.5) { ALICE } else { BOB }, LEG);
        }
        // One that whoever took it does not want any more before it is acknowledged.
        2 => {
            world.bob = WHIMS[0];
            world.dial();
            world.wait(Duration::from_millis(rng.random_range(0..1_500)));
            world.hang_up(BOB, BOBS);
            for _ in 0..6 {
                whispers += 1;
                whisper(&mut world, &mut rng, whispers);
            }
        }
        _ => drop(world.dial()),
    }
    for _ in 0..rng.random_range(1..6) {
        let most_ms = [300, 3_000, 40_000, 1_000_000][rng.random_range(0..4)];
        world.wait(Duration::from_millis(rng.random_range(0..most_ms)));
        if rng.random_bool(0.1) {
            world.wire = Wire { loss: [0.0, 1.0][rng.random_range(0..2)], ..world.wire };
        }
        let choice = rng.random_range(0..9);
        let (who, leg) = if rng.random_bool(0.5) { (ALICE, LEG) } else { (BOB, BOBS) };
        world.at(if choice < 5 { BOB } else { who }, |agent, now, out| match choice {
            0 => agent.ring(now, BOBS, out),
            1 | 2 => agent.accept(now, BOBS, 20_000, out),
            3 => agent.refuse(now, BOBS, 486, out),
            4 => {}
            5 => agent.press(now, leg, Digit::from_char('5').unwrap(), out),
            6 => agent.hang_up(now, leg, out),
            _ => {}
        });
        for _ in 0..[0, 1, 4, 10][rng.random_range(0..4)] {
            whispers += 1;
            whisper(&mut world, &mut rng, whispers);
        }
    }
    world.wire = Wire::GOOD;
    world.wait(Duration::from_secs(400));
    world.at(ALICE, |agent, now, out| agent.stop(now, out));
    world.at(BOB, |agent, now, out| agent.stop(now, out));
    assert!(world.settles(Duration::from_secs(400)), "seed {seed}: {:#?}", world.ladder());
    assert_eq!(world.ends(ALICE).len(), 1, "seed {seed}: {:#?}", world.ladder());
    world.seen.take().unwrap()
}

/// A row of a table in the words of what is noted.
fn noted(machine: &str, row: &str) -> String {
    let cells: Vec<&str> = row.split(" | ").collect();
    let event = match cells[1].trim_start_matches("reliable ") {
        "ring" | "accept" | "refuse" | "hang up" | "press" => "wish",
        "no answer" | "no sign" | "patience" | "no ACK" | "timeout" | "lapse" => "time",
        event if event.starts_with("due") || event.starts_with("timeout") => "time",
        "refreshed" => "UPDATE",
        code if code.starts_with(|c: char| c.is_ascii_digit()) => code.get(..3).unwrap_or(code),
        "old number" | "other phone" | "other" => cells[1],
        // Whatever is asked of somebody who leaves is refused alike.
        "other request" => "OPTIONS",
        method => method.split(' ').next().unwrap_or(method),
    };
    format!("{machine} | {} | {event} | {}", cells[0], cells[2])
}

#[test]
fn every_row_that_two_of_us_can_make_happens_between_two_of_us() {
    let rows_of = |(machine, source): (&'static str, &str)| rows(source).into_iter().map(move |row| (machine, row));
    let all: Vec<(&str, String)> = TABLES.into_iter().flat_map(rows_of).collect();
    let missing = |seen: &BTreeSet<String>| -> Vec<String> {
        let unseen = all.iter().filter(|(machine, row)| !seen.contains(&noted(machine, row)));
        let unseen = unseen.map(|(machine, row)| format!("{machine}: {row}"));
        unseen.filter(|row| !NEVER.contains(&row.as_str())).collect()
    };
    let mut seen = BTreeSet::new();
    for seed in 0..SEEDS {
        seen = night(seed, seen);
        if seed.is_multiple_of(50) && missing(&seen).is_empty() {
            break;
        }
    }
    assert_eq!(missing(&seen), [""; 0]);
}
