use super::*;
use crate::sip::table;
use crate::sip::tests::bench::Bench;
use crate::sip::tests::peer;
use crate::wire::sip::Edit;

const STATES: [&str; 6] = ["Away", "Trying", "Registered", "Waiting", "Leaving", "Left"];
const EVENTS: [&str; 11] =
    ["address", "no address", "200", "401", "423", "503", "no answer", "time", "lost", "settings", "stop"];

fn fresh() -> Registration {
    Registration::new(Owner::Registration(0), 300, "register-1".into(), "ours".into())
}

fn answered(bench: &mut Bench, registration: &mut Registration, code: u16) {
    let response = bench.response(&Method::Register, code, "");
    let response = Edit::of(&response).remove_all(Name::Contact).finish();
    let response = Message::parse(&response).unwrap();
    let tx = registration.tx().unwrap();
    registration.on_response(&mut bench.ctx(), tx, &response);
}

fn in_state(name: &str, bench: &mut Bench) -> Registration {
    let mut registration = fresh();
    match name {
        "Away" => bench.core.lines[0].proxy = None,
        "Left" => registration.stop(&mut bench.ctx()),
        _ => registration.on_address(&mut bench.ctx()),
    }
    bench.done();
    match name {
        "Registered" => answered(bench, &mut registration, 200),
        "Waiting" => answered(bench, &mut registration, 503),
        "Leaving" => registration.stop(&mut bench.ctx()),
        _ => {}
    }
    bench.done();
    registration
}

fn name(registration: &Registration) -> &'static str {
    match registration.state {
        State::Away => "Away",
        State::Trying(_) => "Trying",
        State::Registered { .. } => "Registered",
        State::Waiting { .. } => "Waiting",
        State::Leaving(_) => "Leaving",
        State::Left => "Left",
    }
}

fn row(state: &str, event: &str) -> Option<String> {
    let mut bench = Bench::new();
    let mut registration = in_state(state, &mut bench);
    match event {
        "address" => {
            bench.core.lines[0].proxy = Some(peer());
            registration.on_address(&mut bench.ctx());
        }
        "no address" => registration.on_no_address(&mut bench.ctx(), "no such name".into()),
        "no answer" => {
            let tx = registration.tx()?;
            registration.on_timeout(&mut bench.ctx(), tx, "silence");
        }
        "lost" => registration.on_lost(&mut bench.ctx(), peer()),
        "time" => {
            bench.now = registration.next_deadline()?;
            registration.on_deadline(&mut bench.ctx());
        }
        "settings" => registration.on_settings(&mut bench.ctx()),
        "stop" => registration.stop(&mut bench.ctx()),
        code => {
            registration.tx()?;
            answered(&mut bench, &mut registration, code.parse().unwrap());
        }
    }
    table::row(state, event, name(&registration), &bench.done())
}

#[test]
fn the_code_does_what_the_table_says() {
    table::compare(include_str!("../register.rs"), &STATES, &EVENTS, row);
}

/// A 200 with these Contacts and this Expires header.
fn says_yes(bench: &mut Bench, registration: &mut Registration, contacts: &str, expires: Option<&str>) {
    let response = bench.response(&Method::Register, 200, "");
    let mut edit = Edit::of(&response).remove_all(Name::Contact).push_front(Name::Contact, contacts);
    if let Some(expires) = expires {
        edit = edit.set(Name::Expires, expires);
    }
    let response = Message::parse(&edit.finish()).unwrap();
    let tx = registration.tx().unwrap();
    registration.on_response(&mut bench.ctx(), tx, &response);
}

#[test]
fn our_own_binding_counts_and_no_other() {
    let mut bench = Bench::new();
    let mut registration = in_state("Trying", &mut bench);
    let contacts = "<sip:hansho@192.0.2.99:5060>;expires=3600, <sip:hansho@192.0.2.10:5060>;expires=120";
    says_yes(&mut bench, &mut registration, contacts, Some("7200"));
    assert_eq!(bench.out.iter().count(), 1);
    // 120 seconds granted, refreshed 40 seconds before.
    assert_eq!(registration.next_deadline(), Some(Time::ZERO + Duration::from_secs(80)));
}

#[test]
fn the_expires_header_counts_where_the_contact_says_nothing() {
    let mut bench = Bench::new();
    let mut registration = in_state("Trying", &mut bench);
    says_yes(&mut bench, &mut registration, "<sip:hansho@192.0.2.10:5060>", Some("200"));
    assert_eq!(registration.next_deadline(), Some(Time::ZERO + Duration::from_secs(150)));
}

#[test]
fn whoever_grants_more_than_was_asked_is_asked_again_as_if_he_had_not() {
    for granted in ["86400", "4294967295"] {
        let mut bench = Bench::new();
        let mut registration = in_state("Trying", &mut bench);
        says_yes(&mut bench, &mut registration, "<sip:hansho@192.0.2.10:5060>", Some(granted));
        // 300 were asked for.
        assert_eq!(registration.next_deadline(), Some(Time::ZERO + Duration::from_secs(225)), "{granted}");
    }
}

#[test]
fn a_registrar_that_is_elsewhere_is_not_followed_and_says_where_it_is() {
    let mut bench = Bench::new();
    let mut registration = in_state("Trying", &mut bench);
    let response = bench.response(&Method::Register, 302, "");
    let edit = Edit::of(&response).remove_all(Name::Contact).push_front(Name::Contact, "<sip:198.51.100.7:5070>");
    let response = Message::parse(&edit.finish()).unwrap();
    let tx = registration.tx().unwrap();
    registration.on_response(&mut bench.ctx(), tx, &response);
    let (code, reason) = registration.last().unwrap();
    assert_eq!(*code, Some(302));
    assert!(reason.ends_with("wants to be asked at sip:198.51.100.7:5070; write that as its proxy"), "{reason}");
    assert_eq!(name(&registration), "Waiting");
}

/// What a call would name as its Route after a 200 with these service routes.
fn routes_after(bench: &mut Bench, registration: &mut Registration, service_route: &str) -> Vec<String> {
    let response = bench.response(&Method::Register, 200, "");
    let edit = Edit::of(&response).remove_all(Name::Contact).push_front(Name::ServiceRoute, service_route);
    let response = Message::parse(&edit.finish()).unwrap();
    let tx = registration.tx().unwrap();
    registration.on_response(&mut bench.ctx(), tx, &response);
    let ctx = bench.ctx();
    let number = crate::sip::tests::world::number();
    crate::sip::outgoing::invite(&ctx, &number, peer(), "call-1".into(), "ours").routes
}

#[test]
fn calls_go_over_the_proxies_that_the_registrar_names_and_over_no_others() {
    let routes = |service_route: &str| {
        let mut bench = Bench::new();
        let mut registration = in_state("Trying", &mut bench);
        routes_after(&mut bench, &mut registration, service_route)
    };
    let two = ["<sip:edge.example;lr;x=1>", "<sip:192.0.2.77:5070;transport=tcp;lr>"];
    assert_eq!(routes(&two.join(", ")), two);
    let many = ["<sip:192.0.2.1;lr>"; 9].join(",");
    for bad in
        ["<sip:strict.example>", "<tel:+81312345678;lr>", "edge", &many, &format!("<sip:{};lr>", "e".repeat(300))]
    {
        assert_eq!(routes(bad), [""; 0], "{bad}");
    }
    // The next 200 names none.
    let mut bench = Bench::new();
    let mut registration = in_state("Trying", &mut bench);
    assert_eq!(routes_after(&mut bench, &mut registration, two[0]), [two[0]]);
    let elsewhere = Hop::udp(SocketAddr::from(([192, 0, 2, 200], 5060)));
    assert_eq!(bench.ctx().line.service_route(elsewhere), [""; 0], "it is one target's word");
    bench.now = registration.next_deadline().unwrap();
    registration.on_deadline(&mut bench.ctx());
    answered(&mut bench, &mut registration, 200);
    assert_eq!(bench.ctx().line.service_route(peer()), [""; 0]);
}

#[test]
fn a_trunk_that_is_away_is_tried_again_later_and_later_up_to_a_minute() {
    let mut bench = Bench::new();
    let mut registration = in_state("Trying", &mut bench);
    let mut waits = Vec::new();
    for _ in 0..8 {
        let tx = registration.tx().unwrap();
        registration.on_timeout(&mut bench.ctx(), tx, "silence");
        let due = registration.next_deadline().unwrap();
        waits.push(due.since(bench.now).as_secs_f64());
        bench.now = due;
        registration.on_deadline(&mut bench.ctx());
    }
    let fits = |(place, wait): (usize, &f64)| {
        let most = (2.0 * f64::powi(2.0, place.try_into().unwrap())).min(60.0);
        (most / 2.0..=most).contains(wait)
    };
    assert!(waits.iter().enumerate().all(fits), "{waits:?}");
}

#[test]
fn retry_after_is_honoured() {
    let mut bench = Bench::new();
    let mut registration = in_state("Trying", &mut bench);
    let response = bench.response(&Method::Register, 503, "");
    let response = Message::parse(&Edit::of(&response).set(Name::RetryAfter, "600 (upkeep)").finish()).unwrap();
    let tx = registration.tx().unwrap();
    registration.on_response(&mut bench.ctx(), tx, &response);
    assert_eq!(registration.next_deadline(), Some(Time::ZERO + Duration::from_secs(600)));
}

#[test]
fn a_wrong_password_is_said_once_and_not_asked_for_ever() {
    let mut bench = Bench::new();
    let mut registration = in_state("Trying", &mut bench);
    answered(&mut bench, &mut registration, 401);
    assert_eq!(bench.done(), ["REGISTER"]);
    answered(&mut bench, &mut registration, 401);
    assert_eq!(bench.done(), ["failed"]);
    let (code, reason) = registration.last().unwrap();
    assert_eq!(*code, Some(401));
    assert!(reason.contains("username or the password"), "{reason}");
}

#[test]
fn a_stale_nonce_is_answered_once_more() {
    let mut bench = Bench::new();
    let mut registration = in_state("Trying", &mut bench);
    answered(&mut bench, &mut registration, 401);
    bench.done();
    let response = bench.response(&Method::Register, 401, "");
    let stale = "Digest realm=\"pbx\", nonce=\"fresh\", qop=\"auth\", stale=true";
    let response = Message::parse(&Edit::of(&response).set(Name::WwwAuthenticate, stale).finish()).unwrap();
    let tx = registration.tx().unwrap();
    registration.on_response(&mut bench.ctx(), tx, &response);
    assert_eq!(bench.done(), ["REGISTER"]);
    let sent = bench.last(&Method::Register).header(&Name::Authorization).unwrap();
    assert!(sent.contains("nonce=\"fresh\"") && sent.contains("nc=00000001"), "{sent}");
}

#[test]
fn a_refresh_uses_the_nonce_again_and_counts_it() {
    let mut bench = Bench::new();
    let mut registration = in_state("Trying", &mut bench);
    answered(&mut bench, &mut registration, 401);
    bench.done();
    answered(&mut bench, &mut registration, 200);
    bench.now = registration.next_deadline().unwrap();
    registration.on_deadline(&mut bench.ctx());
    bench.done();
    let sent = bench.last(&Method::Register);
    assert!(sent.header(&Name::Authorization).unwrap().contains("nc=00000002"));
    assert_eq!(sent.cseq().unwrap().number, 3);
}

#[test]
fn the_least_expiry_the_trunk_names_is_asked_for() {
    let mut bench = Bench::new();
    let mut registration = in_state("Trying", &mut bench);
    answered(&mut bench, &mut registration, 423);
    bench.done();
    let sent = bench.last(&Method::Register);
    assert_eq!(sent.expires(), Some(600));
    assert_eq!(sent.contact().unwrap().unwrap().expires(), Some(600));
}

#[test]
fn a_423_after_a_challenge_is_answered_with_the_next_count_of_the_nonce() {
    let mut bench = Bench::new();
    let mut registration = in_state("Trying", &mut bench);
    answered(&mut bench, &mut registration, 401);
    bench.done();
    answered(&mut bench, &mut registration, 423);
    assert_eq!(bench.done(), ["REGISTER"]);
    let sent = bench.last(&Method::Register);
    let signed = sent.header(&Name::Authorization).unwrap();
    assert!(signed.contains("nc=00000002") && sent.expires() == Some(600), "{signed}");
}

#[test]
fn at_the_end_our_binding_is_taken_away() {
    let mut bench = Bench::new();
    let mut registration = in_state("Registered", &mut bench);
    registration.stop(&mut bench.ctx());
    bench.done();
    assert_eq!(bench.last(&Method::Register).contact().unwrap().unwrap().expires(), Some(0));
    assert!(registration.is_registered());
    answered(&mut bench, &mut registration, 200);
    assert!(!registration.is_registered() && registration.is_idle());
}

#[test]
fn the_binding_lapses_when_no_refresh_succeeds() {
    let mut bench = Bench::new();
    let mut registration = in_state("Registered", &mut bench);
    bench.now = registration.next_deadline().unwrap();
    registration.on_deadline(&mut bench.ctx());
    bench.done();
    let tx = registration.tx().unwrap();
    registration.on_timeout(&mut bench.ctx(), tx, "silence");
    assert!(registration.is_registered());
    bench.now = bench.now + Duration::from_secs(300);
    registration.on_deadline(&mut bench.ctx());
    assert!(!registration.is_registered());
}
