use super::*;
use crate::sip::tests::bench::asks;
use crate::sip::tests::{connected, peer};
use crate::wire::sip::Edit;

fn invite(routes: &str, contact: &str) -> Message {
    let edit = Edit::of(&asks(Method::Invite, 5, "theirs", "", "")).set(Name::Contact, contact);
    let edit = if routes.is_empty() { edit } else { edit.push_front(Name::RecordRoute, routes) };
    Message::parse(&edit.finish()).unwrap()
}

fn opened(routes: &str, contact: &str) -> Dialog {
    Dialog::of_invite(&invite(routes, contact), "ours", peer()).unwrap()
}

#[test]
fn loose_routers_leave_the_target_in_the_request_uri() {
    let bye = opened("<sip:192.0.2.2;lr>, <sip:192.0.2.3;lr>", "<sip:phone@192.0.2.9>").request(Method::Bye);
    assert_eq!(bye.uri, "sip:phone@192.0.2.9");
    assert_eq!(bye.routes, ["<sip:192.0.2.2;lr>", "<sip:192.0.2.3;lr>"]);
    assert_eq!(bye.hop, SocketAddr::from(([192, 0, 2, 2], 5060)));
}

#[test]
fn a_strict_router_takes_the_place_of_the_request_uri() {
    let bye = opened("<sip:192.0.2.2>, <sip:192.0.2.3;lr>", "<sip:phone@192.0.2.9>").request(Method::Bye);
    assert_eq!(bye.uri, "sip:192.0.2.2");
    assert_eq!(bye.routes, ["<sip:192.0.2.3;lr>", "<sip:phone@192.0.2.9>"]);
}

#[test]
fn what_may_not_stand_in_a_request_uri_is_left_out_of_it() {
    let strict = opened("<sip:192.0.2.2;method=INVITE;x=1?Subject=a>", "<sip:phone@192.0.2.9>").request(Method::Bye);
    assert_eq!(strict.uri, "sip:192.0.2.2;x=1");
    let target = opened("", "<sip:phone;method@192.0.2.9:5062;Method=REFER?Route=%3Csip:evil%3E>").request(Method::Bye);
    assert_eq!(target.uri, "sip:phone;method@192.0.2.9:5062");
    assert_eq!(opened("", "<sip:phone@192.0.2.9;methods=1>").request(Method::Bye).uri, "sip:phone@192.0.2.9;methods=1");
}

#[test]
fn what_cannot_be_reached_by_its_name_goes_back_where_the_call_came_from() {
    let somewhere = |contact: &str| opened("", contact).request(Method::Bye).hop;
    for contact in [
        "<sip:phone@pbx.example>",
        "<sip:phone@192.0.2.9;transport=sctp>",
        "<sip:phone@10.0.0.7:5062>",
        "<sips:phone@192.0.2.9>",
        "<sip:phone@0.0.0.0>",
        "<sip:phone@192.0.2.9:0>",
        "<sip:phone@[2001:db8::9]>",
    ] {
        assert_eq!(somewhere(contact), peer(), "{contact}");
    }
    assert_eq!(somewhere("<sip:phone@192.0.2.9:5062>"), SocketAddr::from(([192, 0, 2, 9], 5062)));
    assert_eq!(somewhere("<sip:phone@pbx.example;maddr=192.0.2.8>"), SocketAddr::from(([192, 0, 2, 8], 5060)));
}

#[test]
fn a_uri_that_names_tcp_is_reached_over_tcp_and_a_connection_that_stands_is_used_again() {
    let tcp = |from: Hop, contact: &str| {
        let mut dialog = Dialog::of_invite(&invite("", contact), "ours", from).unwrap();
        dialog.request(Method::Bye).hop
    };
    let phone = SocketAddr::from(([192, 0, 2, 9], 5062));
    assert_eq!(tcp(peer(), "<sip:phone@192.0.2.9:5062;transport=TCP>"), Hop::tcp(phone));
    assert_eq!(tcp(connected(), "<sip:phone@192.0.2.9:5062>"), phone);
    for contact in ["<sip:phone@192.0.2.1:40001>", "<sip:phone@192.0.2.1:40001;transport=tcp>"] {
        assert_eq!(tcp(connected(), contact), connected(), "{contact}");
    }
    let secured = Hop { transport: Transport::Tls, line: Some(3), ..connected() };
    assert_eq!(tcp(secured, "<sip:phone@192.0.2.9:5062;transport=tls>"), secured);
}

#[test]
fn our_numbers_rise_and_theirs_must() {
    let mut dialog = opened("", "<sip:phone@192.0.2.9>");
    assert_eq!((dialog.request(Method::Bye).seq, dialog.request(Method::Bye).seq, dialog.ack(7).seq), (1, 2, 7));
    assert!(!dialog.takes(5) && dialog.takes(6) && !dialog.takes(6) && dialog.takes(60));
}

#[test]
fn from_and_to_change_places_between_the_ends() {
    let mut dialog = opened("", "<sip:phone@192.0.2.9>");
    assert_eq!((dialog.local_tag(), dialog.remote_tag()), ("ours", "theirs"));
    let bye = dialog.request(Method::Bye);
    assert_eq!((bye.from.as_str(), bye.call_id.as_str()), ("<sip:us@pbx.example>;tag=ours", "call-1"));
}

#[test]
fn a_stray_200_without_tag_or_contact_opens_nothing() {
    let stray = |edit: Edit| Dialog::of_stray(&Message::parse(&edit.finish()).unwrap(), peer());
    let response = crate::wire::sip::Builder::response(&invite("", "<sip:phone@192.0.2.9>"), 200);
    let whole = response.clone().to_tag("phone").header(Name::Contact, "<sip:phone@192.0.2.9>").finish();
    let whole = Edit::of(&Message::parse(&whole).unwrap());
    assert!(stray(whole.clone()).is_some());
    assert!(stray(whole.clone().remove_all(Name::Contact)).is_none());
    assert!(stray(whole.set(Name::To, "<sip:us@pbx.example>")).is_none());
}

#[test]
fn who_does_not_say_where_he_is_is_where_the_invite_went() {
    let hop = Hop::udp(([192, 0, 2, 1], 5_080).into());
    let invite = Request { uri: "sip:+8150@192.0.2.1".into(), hop, ..opened("", "<sip:a@b>").request(Method::Invite) };
    let answer = Message::parse(b"SIP/2.0 200 OK\r\nTo: <sip:+8150@192.0.2.1>;tag=t\r\n\r\n").unwrap();
    let mut dialog = Dialog::of_response(&invite, &answer);
    assert_eq!((dialog.ack(1).hop, dialog.request(Method::Bye).uri.as_str()), (hop, "sip:+8150@192.0.2.1"));
    let routed = Edit::of(&answer).set(Name::RecordRoute, "<sip:192.0.2.7;lr>").finish();
    let routed = Dialog::of_response(&invite, &Message::parse(&routed).unwrap());
    assert_eq!(routed.ack(1).hop, SocketAddr::from(([192, 0, 2, 7], 5_060)), "its proxy has said it");
}
