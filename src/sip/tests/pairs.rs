//! Both sides of a transaction on one virtual clock, and between them a link that loses, doubles and reorders: whatever
//! happens is a row of the tables, and every row of the tables happens.

use core::fmt::Debug;
use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use rand::RngExt;

use super::{peer, sent};
use crate::base::{Outbox, Rng, Time, seeded};
use crate::sip::Output;
use crate::sip::client_invite::{Answer, ClientInvite};
use crate::sip::client_other::ClientOther;
use crate::sip::repeat::Repeat;
use crate::sip::server_invite::ServerInvite;
use crate::sip::server_other::ServerOther;
use crate::sip::table::rows;
use crate::sip::transactions::Told;

const SEEDS: u64 = 600;
/// Longer than anything takes: an INVITE that is answered late, and what is waited for behind it.
const END: Duration = Duration::from_secs(300);

/// Where a message goes.
#[derive(Clone, Copy, PartialEq)]
enum Side {
    Client,
    Server,
}

/// What lies between the two.
struct Link {
    rng: Rng,
    loss: f64,
    doubled: f64,
    slowest_ms: u64,
    /// From then on nothing arrives at the client, or at the server.
    cut: [Time; 2],
    flying: BTreeMap<(Time, u64), (Side, String)>,
    sent: u64,
}

impl Link {
    fn new(seed: u64) -> Link {
        let mut rng = seeded(seed);
        let cut = [(); 2].map(|()| Time::ZERO + Duration::from_millis(rng.random_range(0..120_000)));
        let loss = [0.0, 0.3, 0.6][rng.random_range(0..3)];
        let slowest_ms = [20, 900, 3_000][rng.random_range(0..3)];
        Link { rng, loss, doubled: 0.2, slowest_ms, cut, flying: BTreeMap::new(), sent: 0 }
    }

    fn send(&mut self, now: Time, to: Side, what: String) {
        let copies = if self.rng.random_bool(self.doubled) { 2 } else { 1 };
        for _ in 0..copies {
            let at = now + Duration::from_millis(self.rng.random_range(1..=self.slowest_ms));
            if !self.rng.random_bool(self.loss) && at < self.cut[usize::from(to == Side::Server)] {
                self.sent += 1;
                self.flying.insert((at, self.sent), (to, what.clone()));
            }
        }
    }

    fn arrives(&mut self, now: Time) -> Option<(Side, String)> {
        self.flying.first_entry().filter(|entry| entry.key().0 <= now).map(|entry| entry.remove())
    }

    fn next(&self) -> Option<Time> {
        self.flying.keys().next().map(|(at, _)| *at)
    }

    /// Answers that somebody gives in time, or too late, or never: each with its moment.
    fn answers(&mut self, now: Time, finals: &[&str]) -> BTreeMap<Time, String> {
        let mut at = now;
        let mut later = |rng: &mut Rng, most: u64| {
            at = at + Duration::from_millis(rng.random_range(1..=most));
            at
        };
        let mut answers = BTreeMap::new();
        for code in ["100", "180"] {
            if self.rng.random_bool(0.6) {
                answers.insert(later(&mut self.rng, 6_000), code.to_owned());
            }
        }
        if self.rng.random_bool(0.9) {
            let chosen = finals[self.rng.random_range(0..finals.len())];
            answers.insert(later(&mut self.rng, 20_000), chosen.to_owned());
        }
        answers
    }
}

/// The state a machine is in, as its code calls it.
fn state(machine: &impl Debug) -> String {
    let text = format!("{machine:?}");
    let name = text.split("state: ").nth(1).unwrap_or_default();
    name.chars().take_while(char::is_ascii_alphanumeric).collect()
}

/// What happened, in the words of the tables.
#[derive(Default)]
struct Seen {
    rows: BTreeSet<String>,
}

impl Seen {
    /// Notes what one event made of a machine, and sends what it said.
    fn note(&mut self, before: &str, event: &str, after: &str, out: &mut Outbox<Output>, told: Told) -> Vec<String> {
        let said: Vec<String> = sent(out).collect();
        let word = |text: &String| match text.as_str() {
            "request" => "request".to_owned(),
            ack if ack.starts_with("ack") => "ack".to_owned(),
            _ => "response".to_owned(),
        };
        let does: Vec<String> = said.iter().map(word).chain(told.word()).collect();
        if before != after || !does.is_empty() {
            let does = if does.is_empty() { "-".to_owned() } else { does.join(", ") };
            self.rows.insert(format!("{before} | {event} | {after} | {does}"));
        }
        said
    }

    /// They are those of the table, all of them and no others.
    fn are_those_of(self, source: &str) {
        let table: BTreeSet<String> = rows(source).into_iter().collect();
        let missing: Vec<&String> = table.difference(&self.rows).collect();
        let others: Vec<&String> = self.rows.difference(&table).collect();
        assert!(missing.is_empty() && others.is_empty(), "never seen: {missing:#?}\nin no table: {others:#?}");
    }
}

/// The timer that this was.
fn timer(names: &[(&str, &str, &str)], before: &str, after: &str) -> String {
    let name = names.iter().find(|(from, to, _)| *from == before && *to == after);
    name.map_or_else(|| format!("a timer in {before}"), |(_, _, name)| format!("timer {name}"))
}

const INVITE_CLIENT: [(&str, &str, &str); 4] = [
    ("Calling", "Calling", "A"),
    ("Calling", "Terminated", "B"),
    ("Accepted", "Terminated", "M"),
    ("Completed", "Terminated", "D"),
];
const INVITE_SERVER: [(&str, &str, &str); 4] = [
    ("Completed", "Completed", "G"),
    ("Completed", "Terminated", "H"),
    ("Confirmed", "Terminated", "I"),
    ("Accepted", "Terminated", "L"),
];
const OTHER_CLIENT: [(&str, &str, &str); 5] = [
    ("Trying", "Trying", "E"),
    ("Trying", "Terminated", "F"),
    ("Proceeding", "Proceeding", "E"),
    ("Proceeding", "Terminated", "F"),
    ("Completed", "Terminated", "K"),
];
const OTHER_SERVER: [(&str, &str, &str); 1] = [("Completed", "Terminated", "J")];

fn class(code: &str) -> &'static str {
    match code.as_bytes().first() {
        Some(b'1') => "send 1xx",
        Some(b'2') => "send 2xx",
        _ => "send 3xx-6xx",
    }
}

/// One INVITE from its first copy until both sides are done with it.
fn invite(seed: u64, at_client: &mut Seen, at_server: &mut Seen) {
    let (mut link, mut out, mut now) = (Link::new(seed), Outbox::new(), Time::ZERO);
    // Some callers give the ACK to a 200 the branch of their INVITE.
    let old_fashioned = link.rng.random_bool(0.3);
    let two_phones = link.rng.random_bool(0.3);
    let mut client = ClientInvite::start(now, peer(), b"request".to_vec(), &mut out);
    let mut server: Option<ServerInvite> = None;
    let (mut answers, mut success, mut acked, mut heard) = (BTreeMap::new(), None, BTreeSet::new(), Vec::new());
    sent(&mut out).for_each(|what| link.send(now, Side::Server, what));
    loop {
        while let Some((to, what)) = link.arrives(now) {
            if to == Side::Client {
                let before = state(&client);
                let (event, told) = match what.split_at(1) {
                    ("1", _) => ("1xx", client.on_response(now, Answer::Provisional, &mut out)),
                    ("2", tag) => {
                        let event = if before == "Accepted" && acked.contains(tag) { "2xx again" } else { "2xx" };
                        (event, client.on_response(now, Answer::Success(tag), &mut out))
                    }
                    _ => ("3xx-6xx", client.on_response(now, Answer::Refusal(b"ack"), &mut out)),
                };
                let said = at_client.note(&before, event, &state(&client), &mut out, told);
                said.into_iter().for_each(|what| link.send(now, Side::Server, what));
                if told == Told::Tell && !what.starts_with('1') {
                    heard.push(what.clone());
                }
                if told == Told::Tell && what.starts_with('2') {
                    acked.insert(what[1..].to_owned());
                    client.acknowledge(&what[1..], peer(), format!("ack{what}").into_bytes(), &mut out);
                    sent(&mut out).for_each(|what| link.send(now, Side::Server, what));
                }
            } else if what == "request" {
                if let Some(server) = &mut server {
                    let before = state(server);
                    server.on_request(&mut out);
                    let said = at_server.note(&before, "INVITE", &state(server), &mut out, Told::Nothing);
                    said.into_iter().for_each(|what| link.send(now, Side::Client, what));
                } else {
                    server = Some(ServerInvite::new(peer()));
                    answers = link.answers(now, &["200", "486"]);
                }
            } else {
                success = success.filter(|_| what != "ack200");
                if let Some(server) = server.as_mut().filter(|_| what == "ack" || old_fashioned) {
                    let before = state(server);
                    let told = server.on_ack(now);
                    at_server.note(&before, "ACK", &state(server), &mut out, told);
                }
            }
        }
        if let (Some(server), Some(due)) = (&mut server, answers.first_entry().filter(|due| *due.key() <= now)) {
            let (code, before) = (due.remove(), state(server));
            let is_final = !code.starts_with('1');
            server.respond(now, code.parse().unwrap(), code.clone().into_bytes(), &mut out);
            let said = at_server.note(&before, class(&code), &state(server), &mut out, Told::Nothing);
            said.into_iter().for_each(|what| link.send(now, Side::Client, what));
            if code == "200" {
                success = Some(Repeat::success(now, peer(), code.into_bytes()));
            }
            // The second telephone of a fork.
            if two_phones && is_final {
                link.send(now, Side::Client, "299".to_owned());
            }
        }
        if success.as_mut().is_some_and(|again: &mut Repeat| again.on_deadline(now, &mut out)) {
            success = None;
        }
        sent(&mut out).for_each(|what| link.send(now, Side::Client, what));
        if client.next_deadline().is_some_and(|due| due <= now) {
            let before = state(&client);
            let told = client.on_deadline(now, &mut out);
            let event = timer(&INVITE_CLIENT, &before, &state(&client));
            let said = at_client.note(&before, &event, &state(&client), &mut out, told);
            said.into_iter().for_each(|what| link.send(now, Side::Server, what));
        }
        if let Some(server) = server.as_mut().filter(|server| server.next_deadline().is_some_and(|due| due <= now)) {
            let before = state(server);
            let told = server.on_deadline(now, &mut out);
            let event = timer(&INVITE_SERVER, &before, &state(server));
            let said = at_server.note(&before, &event, &state(server), &mut out, told);
            said.into_iter().for_each(|what| link.send(now, Side::Client, what));
        }
        let server_due = server.as_ref().and_then(ServerInvite::next_deadline);
        let answer_due = answers.keys().next().copied();
        let all =
            [client.next_deadline(), server_due, link.next(), answer_due, success.as_ref().map(Repeat::next_deadline)];
        match all.into_iter().flatten().min().filter(|next| next.since(Time::ZERO) < END) {
            Some(next) => now = now.max(next),
            None => break,
        }
    }
    let unique: BTreeSet<&String> = heard.iter().collect();
    assert_eq!(unique.len(), heard.len(), "seed {seed}: nothing final is told twice: {heard:?}");
    assert!(
        !(heard.contains(&"486".to_owned()) && heard.contains(&"200".to_owned())),
        "seed {seed}: whoever refuses does not answer: {heard:?}"
    );
}

/// The same of any other request.
fn other(seed: u64, at_client: &mut Seen, at_server: &mut Seen) {
    let (mut link, mut out, mut now) = (Link::new(seed), Outbox::new(), Time::ZERO);
    let mut client = ClientOther::start(now, peer(), b"request".to_vec(), &mut out);
    let mut server: Option<ServerOther> = None;
    let (mut answers, mut heard) = (BTreeMap::new(), Vec::new());
    sent(&mut out).for_each(|what| link.send(now, Side::Server, what));
    loop {
        while let Some((to, what)) = link.arrives(now) {
            if to == Side::Client {
                let before = state(&client);
                let told = client.on_response(now, what.parse().unwrap());
                let event = if what.starts_with('1') { "1xx" } else { "2xx-6xx" };
                at_client.note(&before, event, &state(&client), &mut out, told);
                if told == Told::Tell && !what.starts_with('1') {
                    heard.push(what);
                }
            } else if let Some(server) = &mut server {
                let before = state(server);
                server.on_request(&mut out);
                let said = at_server.note(&before, "request", &state(server), &mut out, Told::Nothing);
                said.into_iter().for_each(|what| link.send(now, Side::Client, what));
            } else {
                server = Some(ServerOther::new(peer()));
                answers = link.answers(now, &["200", "404"]);
            }
        }
        if let (Some(server), Some(due)) = (&mut server, answers.first_entry().filter(|due| *due.key() <= now)) {
            let (code, before) = (due.remove(), state(server));
            server.respond(now, code.parse().unwrap(), code.clone().into_bytes(), &mut out);
            let event = if code.starts_with('1') { "send 1xx" } else { "send 2xx-6xx" };
            let said = at_server.note(&before, event, &state(server), &mut out, Told::Nothing);
            said.into_iter().for_each(|what| link.send(now, Side::Client, what));
        }
        if client.next_deadline().is_some_and(|due| due <= now) {
            let before = state(&client);
            let told = client.on_deadline(now, &mut out);
            let event = timer(&OTHER_CLIENT, &before, &state(&client));
            let said = at_client.note(&before, &event, &state(&client), &mut out, told);
            said.into_iter().for_each(|what| link.send(now, Side::Server, what));
        }
        if let Some(server) = server.as_mut().filter(|server| server.next_deadline().is_some_and(|due| due <= now)) {
            let before = state(server);
            server.on_deadline(now);
            let event = timer(&OTHER_SERVER, &before, &state(server));
            at_server.note(&before, &event, &state(server), &mut out, Told::Nothing);
        }
        let server_due = server.as_ref().and_then(ServerOther::next_deadline);
        let all = [client.next_deadline(), server_due, link.next(), answers.keys().next().copied()];
        match all.into_iter().flatten().min().filter(|next| next.since(Time::ZERO) < END) {
            Some(next) => now = now.max(next),
            None => break,
        }
    }
    assert!(client.is_over() && heard.len() < 2, "seed {seed}: {heard:?}");
}

#[test]
fn every_row_of_an_invite_happens_on_both_sides_of_a_bad_link_and_nothing_else_does() {
    let (mut at_client, mut at_server) = (Seen::default(), Seen::default());
    (0..SEEDS).for_each(|seed| invite(seed, &mut at_client, &mut at_server));
    at_client.are_those_of(include_str!("../client_invite.rs"));
    at_server.are_those_of(include_str!("../server_invite.rs"));
}

#[test]
fn every_row_of_another_request_happens_on_both_sides_of_a_bad_link_and_nothing_else_does() {
    let (mut at_client, mut at_server) = (Seen::default(), Seen::default());
    (0..SEEDS).for_each(|seed| other(seed, &mut at_client, &mut at_server));
    at_client.are_those_of(include_str!("../client_other.rs"));
    at_server.are_those_of(include_str!("../server_other.rs"));
}
