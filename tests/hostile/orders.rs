//! Valid messages in wild orders: the far end answers what it likes, when it likes, as often as it likes.
//!
//! The laws: nobody is dialled once it is over, every 200 to an INVITE of ours is acknowledged, and when the far
//! end falls silent everything comes to its end by itself.

use core::time::Duration;
use std::collections::BTreeSet;

use hansho::base::{Digit, LegId, seeded};
use hansho::incident::{Entry, Fact};
use hansho::media::{Event, Way};
use hansho::switch::Input;
use hansho::wire::sip::{Message, Method};
use rand::RngExt;

use crate::desk::{Desk, fresh, in_dialog, response, sdp, trunk};
use crate::support::Town;
use crate::{Seed, seeds};

const CODES: [u16; 16] = [100, 180, 180, 183, 200, 200, 200, 302, 401, 407, 404, 481, 486, 487, 503, 603];

#[test]
fn valid_messages_in_wild_orders_end_every_call_and_every_incident() {
    let mut acknowledged = 0;
    for seed in seeds(80) {
        let _seed = Seed(seed);
        let mut rng = seeded(seed);
        let town = Town::of(&["anna", "bert", "carl"]).rounds(2);
        let town = if seed % 3 == 0 { town.all_at_once() } else { town };
        let town = if seed % 2 == 0 { town.with_room("bridge") } else { town };
        let mut desk = Desk::new(seed, town);
        let body = sdp();
        let mut answered: BTreeSet<String> = BTreeSet::new();
        let mut said: Vec<Vec<u8>> = Vec::new();
        let mut incidents = Vec::new();
        for n in 1..250u32 {
            if n % 80 == 1 {
                incidents.push(desk.raises());
            }
            let requests: Vec<&Message> = desk.sent.iter().map(|(_, m)| m).filter(|m| m.is_request()).collect();
            let request = requests[requests.len() - 1 - rng.random_range(0..requests.len().min(12))].clone();
            let calls: BTreeSet<&str> = desk.requests(Method::Invite).filter_map(Message::call_id).collect();
            // hansho numbers the legs it dials from 1.
            let dialled = u32::try_from(calls.len()).unwrap();
            let tag = ["a", "a", "a", "b"][rng.random_range(0..4)];
            let sdp = rng.random_bool(0.8).then_some(body.as_str());
            let bytes = match rng.random_range(0..22) {
                0..11 => {
                    let code = CODES[rng.random_range(0..CODES.len())];
                    if request.method() == Method::Invite && code == 200 {
                        answered.insert(request.call_id().unwrap_or_default().to_owned());
                    }
                    response(&request, code, tag, sdp)
                }
                11..15 => {
                    let methods =
                        [Method::Bye, Method::Invite, Method::Ack, Method::Info, Method::Update, Method::Prack];
                    in_dialog(&request, methods[rng.random_range(0..6)].clone(), tag, n, sdp)
                }
                15 => {
                    let methods = [Method::Invite, Method::Cancel, Method::Bye, Method::Options, Method::Ack];
                    let caller = Town::number(rng.random_range(0..4));
                    fresh(methods[rng.random_range(0..5)].clone(), &caller, &(n / 8).to_string(), sdp)
                }
                16 if !said.is_empty() => said[rng.random_range(0..said.len())].clone(),
                17..20 => {
                    let leg = LegId(dialled.saturating_sub(rng.random_range(0..4)));
                    let digit = Digit::from_event([1, 1, 2, 3, 7, 11][rng.random_range(0..6)]).unwrap();
                    desk.hands(Input::Media(Event::Digit { leg, digit, way: Way::Tone }));
                    continue;
                }
                20 => {
                    let (leg, play) = (LegId(dialled.saturating_sub(rng.random_range(0..4))), rng.random_range(0..30));
                    desk.hands(Input::Media(Event::PlayEnded { leg, play }));
                    if rng.random_bool(0.2) {
                        desk.hands(Input::LegFailed { leg, why: "the port is gone".into() });
                    }
                    continue;
                }
                _ => {
                    desk.waits(Duration::from_millis(rng.random_range(0..20_000)));
                    continue;
                }
            };
            desk.comes(trunk(), &bytes);
            said.push(bytes);
            desk.waits(Duration::from_millis(rng.random_range(0..300)));
        }
        desk.comes_to_rest();
        for incident in incidents {
            let facts: Vec<&Fact> =
                desk.facts.iter().filter(|entry| entry.incident() == Some(incident)).filter_map(Entry::fact).collect();
            let over = facts.iter().position(|fact| matches!(fact, Fact::Acknowledged { .. } | Fact::Exhausted));
            let over = over.expect("it came to its end");
            acknowledged += usize::from(matches!(facts[over], Fact::Acknowledged { .. }));
            let late = facts[over..].iter().find(|fact| matches!(fact, Fact::Dialled { .. }));
            assert!(late.is_none(), "dialled after the end: {late:?}");
        }
        let acks: BTreeSet<&str> = desk.requests(Method::Ack).filter_map(Message::call_id).collect();
        let missing: Vec<&String> = answered.iter().filter(|id| !acks.contains(id.as_str())).collect();
        assert!(missing.is_empty(), "200s without ACK: {missing:?}");
    }
    if seeds(80).count() > 1 {
        assert!(acknowledged > 15, "the nights are worth something: {acknowledged} were taken");
    }
}
