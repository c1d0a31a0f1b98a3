//! Who is no trunk of ours: no answer, no trace, a number.

use core::net::SocketAddr;
use core::time::Duration;

use hansho::base::seeded;
use hansho::wire::sip::Method;
use rand::RngExt;

use crate::damage::damaged;
use crate::desk::{Desk, fresh, in_dialog, response, sdp, stranger, trunk};
use crate::support::Town;
use crate::{Seed, seeds};

const METHODS: [Method; 10] = [
    Method::Invite,
    Method::Ack,
    Method::Bye,
    Method::Cancel,
    Method::Options,
    Method::Register,
    Method::Info,
    Method::Update,
    Method::Notify,
    Method::Message,
];

#[test]
fn ten_thousand_datagrams_of_strangers_get_no_answer_and_leave_nothing_behind() {
    for seed in seeds(1) {
        let _seed = Seed(seed);
        let mut rng = seeded(seed);
        let mut desk = Desk::new(seed, Town::of(&["anna"]));
        desk.raises();
        let invite = desk.last(Method::Invite).expect("Anna is called").clone();
        desk.comes(trunk(), &response(&invite, 180, "phone", None));
        let (sent, facts, next) = (desk.sent.len(), desk.facts.len(), desk.switch.next_deadline());
        let before = desk.counts();
        let body = sdp();
        for n in 0..10_000u32 {
            let method = METHODS[rng.random_range(0..METHODS.len())].clone();
            let id = n.to_string();
            let bytes = match rng.random_range(0..6) {
                0 => fresh(method, "anna", &id, Some(&body)),
                // They know a call's id but not our tag, nor our branch.
                1 => String::from_utf8_lossy(&in_dialog(&invite, method, "phone", n, Some(&body)))
                    .replacen(";tag=", &format!(";tag=x{n}"), 2)
                    .into_bytes(),
                2 => String::from_utf8_lossy(&response(&invite, 200, "phone", Some(&body)))
                    .replace("branch=z9hG4bK", &format!("branch=z9hG4bK{n}"))
                    .into_bytes(),
                3 => damaged(&mut rng, &fresh(method, "anna", &id, Some(&body))),
                4 => (0..rng.random_range(5..200)).map(|_| rng.random()).collect(),
                _ => b"OPTIONS sip:100@192.0.2.1 SIP/2.0\r\nFrom: \"sipvicious\"<sip:1@1>\r\n\r\n".to_vec(),
            };
            let [a, b] = rng.random::<[u8; 2]>();
            let from = SocketAddr::from(([203, 0, a, b], rng.random_range(1..=65_535)));
            desk.comes(if n % 2 == 0 { stranger() } else { from }, &bytes);
        }
        assert_eq!((desk.sent.len(), desk.facts.len()), (sent, facts), "no answer, no fact");
        assert_eq!(desk.switch.next_deadline(), next, "nothing is kept that would have a deadline");
        let now = desk.counts();
        let counted =
            [now.malformed - before.malformed, now.strangers - before.strangers, now.unknown - before.unknown];
        assert_eq!(counted.iter().sum::<u64>(), 10_000, "each is counted once: {counted:?}");
        assert!(counted.iter().all(|count| *count > 1_000), "{counted:?}");
        desk.waits(Duration::from_secs(1));
        desk.comes(trunk(), &response(&invite, 486, "phone", None));
        assert_eq!(desk.switch.legs(), 0, "the trunk is heard all the same");
    }
}

#[test]
fn a_200_of_a_stranger_to_nothing_is_not_answered_with_a_bye() {
    let mut desk = Desk::new(1, Town::of(&["anna"]));
    desk.raises();
    let invite = desk.last(Method::Invite).expect("Anna is called").clone();
    let text = String::from_utf8(response(&invite, 200, "x", Some(&sdp()))).expect("it is text");
    let id = invite.call_id().unwrap();
    let text = text.replace("branch=z9hG4bK", "branch=z9hG4bKother").replace(id, "of-a-former-life");
    let sent = desk.sent.len();
    desk.comes(stranger(), text.as_bytes());
    assert_eq!(desk.sent.len(), sent);
    desk.comes(trunk(), text.as_bytes());
    assert_eq!(desk.counts().strays, 1, "one of the trunk is ended");
    assert!(desk.requests(Method::Bye).count() == 1 && desk.requests(Method::Ack).count() == 1);
}
