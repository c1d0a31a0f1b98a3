use super::*;
use crate::sip::tests::bench::asks;
use crate::sip::tests::peer;
use crate::wire::sip::{Edit, Name};

fn with_via(message: &Message, via: &str) -> Message {
    Message::parse(&Edit::of(message).set(Name::Via, via).finish()).unwrap()
}

#[test]
fn the_same_branch_from_another_host_is_another_transaction() {
    let mut all = Transactions::default();
    let out = &mut Outbox::new();
    let first = asks(Method::Options, 1, "a", "", "");
    let again = with_via(&asks(Method::Options, 2, "a", "", ""), first.header(&Name::Via).unwrap());
    let other = with_via(
        &asks(Method::Options, 3, "a", "", ""),
        &first.header(&Name::Via).unwrap().replace("192.0.2.1:5060", "192.0.2.1:5070"),
    );
    assert!(matches!(all.on_request(&first, peer(), out), Arrival::New(_)));
    assert_eq!(all.on_request(&again, peer(), out), Arrival::Copy);
    assert!(matches!(all.on_request(&other, peer(), out), Arrival::New(_)));
}

#[test]
fn a_cancel_finds_the_invite_with_its_branch() {
    let mut all = Transactions::default();
    let out = &mut Outbox::new();
    let invite = asks(Method::Invite, 1, "a", "", "");
    let Arrival::New(id) = all.on_request(&invite, peer(), out) else { panic!() };
    all.give(id, Owner::Call(CallKey(7)));
    let cancel = with_via(&asks(Method::Cancel, 1, "a", "", ""), invite.header(&Name::Via).unwrap());
    assert!(matches!(all.on_request(&cancel, peer(), out), Arrival::New(_)));
    assert_eq!(all.cancelled_by(&cancel), Some((id, Owner::Call(CallKey(7)))));
}

#[test]
fn a_request_without_the_cookie_is_still_known_again() {
    let mut all = Transactions::default();
    let out = &mut Outbox::new();
    let via = "SIP/2.0/UDP 192.0.2.1:5060";
    let invite = with_via(&asks(Method::Invite, 1, "a", "", ""), via);
    let Arrival::New(id) = all.on_request(&invite, peer(), out) else { panic!() };
    assert_eq!(all.on_request(&invite, peer(), out), Arrival::Copy);
    all.respond(Time::ZERO, id, 486, b"SIP/2.0 486 Busy Here\r\n\r\n".to_vec(), out);
    assert!(all.on_ack(Time::ZERO, &with_via(&asks(Method::Ack, 1, "a", "", ""), via)));
    assert!(!all.is_waiting());
}

#[test]
fn an_ack_with_the_branch_of_an_invite_that_was_taken_is_the_call_s() {
    for via in ["SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKthesame", "SIP/2.0/UDP 192.0.2.1:5060"] {
        let mut all = Transactions::default();
        let out = &mut Outbox::new();
        let invite = with_via(&asks(Method::Invite, 1, "a", "", ""), via);
        let Arrival::New(id) = all.on_request(&invite, peer(), out) else { panic!() };
        all.respond(Time::ZERO, id, 200, b"SIP/2.0 200 OK\r\n\r\n".to_vec(), out);
        let ack = with_via(&asks(Method::Ack, 1, "a", "ours", ""), via);
        assert!(!all.on_ack(Time::ZERO, &ack), "{via}");
    }
}

#[test]
fn when_the_table_is_full_requests_are_turned_away_until_there_is_room() {
    let mut all = Transactions::default();
    let out = &mut Outbox::new();
    for seq in 0..MAX_TRANSACTIONS {
        let request = asks(Method::Options, u32::try_from(seq).unwrap(), "a", "", "");
        let Arrival::New(id) = all.on_request(&request, peer(), out) else { panic!() };
        all.respond(Time::ZERO, id, 200, b"SIP/2.0 200 OK\r\n\r\n".to_vec(), out);
    }
    let one_more = asks(Method::Options, 70_000, "a", "", "");
    assert_eq!(all.on_request(&one_more, peer(), out), Arrival::Full);
    let of_a_call = asks(Method::Bye, 70_001, "b", "", "");
    assert!(matches!(all.on_request_of_call(&of_a_call, peer(), out), Arrival::New(_)), "a call up has room");
    let later = all.next_deadline().unwrap();
    while all.on_deadline(later, out).is_some() {}
    assert!(matches!(all.on_request(&one_more, peer(), out), Arrival::New(_)));
}
