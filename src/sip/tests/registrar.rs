use super::*;
use crate::sip::digest::{Session, strongest};
use crate::sip::table;
use crate::wire::sip::{Builder, Method};
use proptest::prelude::*;

const REALM: &str = "house.example";
const URI: &str = "sip:house.example";
const PHONE: &str = "<sip:ann@192.0.2.5:5060>";

/// A registrar, somebody who asks it, and the time.
struct Bench {
    registrar: Registrar,
    now: Time,
    source: Hop,
    seq: u32,
    call_id: &'static str,
    session: Option<Session>,
    told: Outbox<Event>,
}

fn house() -> House {
    House {
        realm: REALM.into(),
        users: [("ann", "tiger"), ("bob", "lion")].map(|(name, word)| (name.to_owned(), word.to_owned())).into(),
        expires_s: (60, 3_600),
        phones_max: 3,
        allow_from: vec![IpRange::parse("192.0.2.0/24").unwrap()],
        hashes: vec![Hash::Sha256, Hash::Md5],
        codecs: Codec::ALL.to_vec(),
        address: Default::default(),
        srtp: crate::sip::Srtp::Off,
    }
}

/// What a REGISTER holds besides what all of them hold.
#[derive(Clone, Copy)]
struct Says<'a> {
    to: &'a str,
    contacts: &'a [&'a str],
    expires: Option<&'a str>,
    more: &'a [(Name, &'a str)],
}

const PLAIN: Says<'_> = Says { to: "<sip:ann@house.example>", contacts: &[PHONE], expires: Some("300"), more: &[] };

impl Bench {
    fn new() -> Bench {
        Bench {
            registrar: Registrar::new(house(), [7; 32], "nobody knows".into()),
            now: Time::ZERO + Duration::from_secs(100),
            source: "192.0.2.5:5060".parse().unwrap(),
            seq: 0,
            call_id: "call-1",
            session: None,
            told: Outbox::new(),
        }
    }

    fn request(&mut self, method: Method, says: Says<'_>, signed: Option<(&str, &str)>) -> Message {
        self.seq += 1;
        let mut builder = Builder::request(method.clone(), URI)
            .header(Name::Via, format!("SIP/2.0/UDP 192.0.2.5:5060;branch=z9hG4bK{};rport", self.seq))
            .header(Name::From, "<sip:ann@house.example>;tag=a")
            .header(Name::To, says.to)
            .header(Name::CallId, self.call_id)
            .header(Name::CSeq, format!("{} {method}", self.seq));
        for contact in says.contacts {
            builder = builder.header(Name::Contact, contact);
        }
        for (name, value) in says.more {
            builder = builder.header(*name, value);
        }
        if let Some(expires) = says.expires {
            builder = builder.header(Name::Expires, expires);
        }
        if let (Some((name, password)), Some(session)) = (signed, &mut self.session) {
            builder = builder.header(Name::Authorization, session.authorize(name, password, &method, URI));
        }
        Message::parse(&builder.finish()).unwrap()
    }

    /// What becomes of a request: its user, or the word for why not.
    fn judged(&mut self, message: &Message) -> Result<String, String> {
        match self.registrar.judge(self.now, self.source, message, &mut self.told) {
            Verdict::Is(user) => Ok(user),
            Verdict::Silence => Err("silence".into()),
            Verdict::Ask(questions) => {
                let challenge = strongest(questions.iter().map(String::as_str)).unwrap();
                let stale = if challenge.stale { " stale" } else { "" };
                self.session = Some(Session::new(challenge, "cnonce"));
                Err(format!("401{stale}"))
            }
        }
    }

    fn ask(&mut self) {
        let message = self.request(Method::Register, PLAIN, None);
        let _ = self.judged(&message);
    }

    /// A REGISTER of `ann`, signed right.
    fn registers(&mut self, says: Says<'_>) -> Answer {
        if self.session.is_none() {
            self.ask();
        }
        let message = self.request(Method::Register, says, Some(("ann", "tiger")));
        assert_eq!(self.judged(&message).as_deref(), Ok("ann"));
        self.registrar.on_register(self.now, "ann", self.source, &message, &mut self.told)
    }

    fn code(&mut self, says: Says<'_>) -> String {
        self.registers(says).code.to_string()
    }

    fn state(&self) -> &'static str {
        if self.registrar.phones("ann").is_empty() { "Away" } else { "Bound" }
    }

    fn words(&mut self) -> Vec<String> {
        let word = |event| match event {
            Event::UserRegistered { .. } => "registered".to_owned(),
            Event::UserUnregistered { .. } => "unregistered".to_owned(),
            other => panic!("{other:?}"),
        };
        self.told.drain().map(word).collect()
    }

    fn contacts(&self) -> Vec<String> {
        self.registrar.phones("ann").into_iter().map(|phone| phone.contact.clone()).collect()
    }
}

const EVENTS: [&str; 20] = [
    "no password",
    "wrong password",
    "unknown user",
    "old nonce",
    "replay",
    "another's name",
    "REGISTER",
    "query",
    "other Contact",
    "second phone",
    "one too many",
    "old number",
    "too brief",
    "expires 0",
    "*",
    "* and more",
    "bad Contact",
    "another domain",
    "time",
    "lost",
];

fn row(state: &str, event: &str) -> Option<String> {
    let mut bench = Bench::new();
    if event == "lost" {
        bench.source = Hop::tcp(bench.source.address);
    }
    if state == "Bound" {
        bench.registers(PLAIN);
        if event == "one too many" {
            for contact in ["<sip:ann@192.0.2.6>", "<sip:ann@192.0.2.7>"] {
                bench.registers(Says { contacts: &[contact], ..PLAIN });
            }
        }
    } else {
        bench.ask();
    }
    bench.words();
    let signed = |bench: &mut Bench, name, password| {
        let message = bench.request(Method::Register, PLAIN, Some((name, password)));
        bench.judged(&message).unwrap_err()
    };
    let code = match event {
        "no password" => {
            let message = bench.request(Method::Register, PLAIN, None);
            bench.judged(&message).unwrap_err()
        }
        "wrong password" => signed(&mut bench, "ann", "lion"),
        "unknown user" => signed(&mut bench, "nobody", "tiger"),
        "old nonce" => {
            bench.now = bench.now + Duration::from_secs(3_600);
            signed(&mut bench, "ann", "tiger")
        }
        "replay" => {
            let message = bench.request(Method::Register, PLAIN, Some(("ann", "tiger")));
            assert_eq!(bench.judged(&message).as_deref(), Ok("ann"));
            bench.judged(&message).unwrap_err()
        }
        "another's name" => bench.code(Says { to: "<sip:bob@house.example>", ..PLAIN }),
        "REGISTER" => bench.code(PLAIN),
        "query" => bench.code(Says { contacts: &[], ..PLAIN }),
        "other Contact" => {
            bench.call_id = "call-2";
            if state == "Away" {
                return None;
            }
            bench.code(Says { contacts: &["<sip:other@192.0.2.5:5060>"], ..PLAIN })
        }
        "second phone" | "one too many" if state == "Away" => return None,
        "second phone" => bench.code(Says { contacts: &["<sip:ann@192.0.2.6>"], ..PLAIN }),
        "one too many" => bench.code(Says { contacts: &["<sip:ann@192.0.2.8>"], ..PLAIN }),
        "old number" => {
            if state == "Away" {
                return None;
            }
            bench.seq = 0;
            bench.code(PLAIN)
        }
        "too brief" => bench.code(Says { expires: Some("59"), ..PLAIN }),
        "expires 0" => bench.code(Says { expires: Some("0"), ..PLAIN }),
        "*" => bench.code(Says { contacts: &["*"], expires: Some("0"), ..PLAIN }),
        "* and more" => bench.code(Says { contacts: &["*", PHONE], expires: Some("0"), ..PLAIN }),
        "another domain" => bench.code(Says { to: "<sip:ann@elsewhere.example>", ..PLAIN }),
        "bad Contact" => bench.code(Says { contacts: &["<tel:+81312345678>"], ..PLAIN }),
        "time" => {
            bench.now = bench.registrar.next_deadline()?;
            bench.registrar.on_deadline(bench.now, &mut bench.told);
            String::new()
        }
        _ => {
            bench.registrar.on_lost(bench.source, &mut bench.told);
            String::new()
        }
    };
    let mut words = bench.words();
    words.extend(Some(code).filter(|code| !code.is_empty()));
    table::row(state, event, bench.state(), &words)
}

#[test]
fn every_row_of_the_table_is_what_the_machine_does() {
    table::compare(include_str!("../registrar.rs"), &["Away", "Bound"], &EVENTS, row);
}

#[test]
fn an_unknown_user_and_a_wrong_password_are_answered_alike() {
    let asked = |name: &str, password: &str| {
        let mut bench = Bench::new();
        bench.ask();
        let message = bench.request(Method::Register, PLAIN, Some((name, password)));
        match bench.registrar.judge(bench.now, bench.source, &message, &mut bench.told) {
            Verdict::Ask(questions) => questions,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(asked("ann", "wrong"), asked("nobody", "wrong"));
}

#[test]
fn whoever_is_not_allowed_or_not_registered_hears_nothing() {
    let mut bench = Bench::new();
    let invite = bench.request(Method::Invite, PLAIN, None);
    assert_eq!(bench.judged(&invite), Err("silence".into()), "an INVITE before any REGISTER");
    bench.registers(PLAIN);
    let invite = bench.request(Method::Invite, PLAIN, None);
    assert_eq!(bench.judged(&invite), Err("401".into()), "a phone that is registered is asked");
    bench.source = "198.51.100.5:5060".parse().unwrap();
    let register = bench.request(Method::Register, PLAIN, None);
    assert_eq!(bench.judged(&register), Err("silence".into()), "from where nobody may come");
}

#[test]
fn a_source_with_too_many_wrong_passwords_hears_nothing_but_a_phone_that_is_registered_does() {
    let mut bench = Bench::new();
    bench.registers(PLAIN);
    let (phone, stranger) = (bench.source, "192.0.2.5:6000".parse().unwrap());
    bench.words();
    bench.source = stranger;
    for _ in 0..10 {
        bench.ask();
        let message = bench.request(Method::Register, PLAIN, Some(("ann", "wrong")));
        assert_eq!(bench.judged(&message), Err("401".into()));
    }
    let shut = bench.told.drain().next();
    assert_eq!(shut, Some(Event::ShutOut { source: stranger.ip(), tries: 10, seconds: 600 }));
    let message = bench.request(Method::Register, PLAIN, None);
    assert_eq!(bench.judged(&message), Err("silence".into()));
    assert_eq!(bench.registrar.denials(), Denials { wrong: 10, replayed: 0, shut_out: 1 });
    bench.source = phone;
    assert_eq!(bench.registers(PLAIN).code, 200);
}

#[test]
fn a_user_who_tries_the_passwords_of_others_is_shut_out_there_and_keeps_a_phone_of_his_own() {
    let mut bench = Bench::new();
    bench.registers(PLAIN);
    bench.words();
    let to_bob = Says { to: "<sip:bob@house.example>", ..PLAIN };
    let tries = |bench: &mut Bench| {
        let message = bench.request(Method::Register, to_bob, Some(("bob", "wrong")));
        bench.judged(&message)
    };
    for _ in 0..10 {
        bench.ask();
        assert_eq!(tries(&mut bench), Err("401".into()));
    }
    assert!(matches!(bench.told.drain().next(), Some(Event::ShutOut { .. })));
    bench.ask();
    assert_eq!(tries(&mut bench), Err("silence".into()));
    assert_eq!(bench.registers(PLAIN).code, 200);
}

#[test]
fn a_name_that_is_escaped_without_need_is_the_same_name() {
    let mut bench = Bench::new();
    assert_eq!(bench.registers(Says { to: "<sip:%61nn@house.example>", ..PLAIN }).code, 200);
    assert_eq!(bench.registers(Says { to: "<sip:%62nn@house.example>", ..PLAIN }).code, 403);
}

#[test]
fn both_algorithms_are_offered_the_stronger_first_and_either_is_taken() {
    let mut bench = Bench::new();
    for place in 0..2 {
        let message = bench.request(Method::Register, PLAIN, None);
        let Verdict::Ask(questions) = bench.registrar.judge(bench.now, bench.source, &message, &mut bench.told) else {
            panic!("no question");
        };
        let hashes: Vec<bool> = questions.iter().map(|question| question.contains("algorithm=SHA-256")).collect();
        assert_eq!(hashes, [true, false]);
        let one = [questions[place].as_str()].into_iter();
        bench.session = Some(Session::new(strongest(one).unwrap(), "c"));
        assert_eq!(bench.registers(PLAIN).code, 200);
    }
}

#[test]
fn what_was_signed_for_another_address_is_worth_nothing_here() {
    let mut bench = Bench::new();
    bench.ask();
    let message = bench.request(Method::Register, PLAIN, Some(("ann", "tiger")));
    bench.source = "192.0.2.6:5060".parse().unwrap();
    assert_eq!(bench.judged(&message), Err("401 stale".into()));
}

#[test]
fn the_answer_names_every_phone_the_heaviest_first_and_for_how_long() {
    let mut bench = Bench::new();
    bench.registers(Says { contacts: &["<sip:ann@192.0.2.6>;q=0.5;expires=90"], ..PLAIN });
    bench.now = bench.now + Duration::from_secs(30);
    let more = [(Name::Path, "<sip:192.0.2.9;lr>"), (Name::UserAgent, "phone/1")];
    let answer = bench.registers(Says { expires: Some("86400"), more: &more, ..PLAIN });
    let lines: Vec<String> = answer.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let expected = [
        "Contact: <sip:ann@192.0.2.5:5060>;expires=3600",
        "Contact: <sip:ann@192.0.2.6>;expires=60;q=0.500",
        "Path: <sip:192.0.2.9;lr>",
        "Supported: path",
    ];
    assert_eq!(lines, expected);
    let phones = bench.registrar.phones("ann");
    assert_eq!((phones[0].path.len(), phones[0].agent.as_str()), (1, "phone/1"));
    let least = bench.registers(Says { expires: Some("1"), ..PLAIN });
    assert_eq!(least.headers, [(Name::MinExpires, "60".to_owned())]);
}

#[test]
fn a_refresh_keeps_a_phone_and_its_absence_ends_it() {
    let mut bench = Bench::new();
    bench.registers(PLAIN);
    for _ in 0..5 {
        bench.now = bench.now + Duration::from_secs(200);
        bench.registrar.on_deadline(bench.now, &mut bench.told);
        bench.registers(PLAIN);
    }
    assert_eq!(bench.words(), ["registered"], "only what changes is told");
    bench.now = bench.now + Duration::from_secs(300);
    bench.registrar.on_deadline(bench.now, &mut bench.told);
    assert_eq!((bench.words(), bench.registrar.next_deadline()), (vec!["unregistered".to_owned()], None));
}

#[test]
fn one_more_phone_pushes_out_the_one_heard_least_lately() {
    let mut bench = Bench::new();
    for host in ["192.0.2.6", "192.0.2.7", "192.0.2.8", "192.0.2.6", "192.0.2.9"] {
        bench.now = bench.now + Duration::from_secs(1);
        let contact = format!("<sip:ann@{host}>");
        bench.registers(Says { contacts: &[&contact], ..PLAIN });
    }
    assert_eq!(bench.contacts(), ["sip:ann@192.0.2.8", "sip:ann@192.0.2.6", "sip:ann@192.0.2.9"]);
}

#[test]
fn a_device_is_known_again_by_its_instance_wherever_it_went() {
    let mut bench = Bench::new();
    let flow = ";+sip.instance=\"<urn:uuid:7>\";reg-id=1";
    let contact = |host: &str| format!("<sip:ann@{host}>{flow}");
    bench.registers(Says { contacts: &[&contact("10.0.0.1")], ..PLAIN });
    bench.registers(Says { contacts: &[&contact("10.0.0.2")], ..PLAIN });
    assert_eq!(bench.contacts(), ["sip:ann@10.0.0.2"]);
    assert_eq!(bench.registrar.phones("ann")[0].hop, bench.source, "it is behind a NAT");
}

#[test]
fn several_contacts_of_one_register_are_taken_together_or_not_at_all() {
    let mut bench = Bench::new();
    let brief = ["<sip:a@192.0.2.5:1>", "<sip:b@192.0.2.5:2>;expires=5"];
    assert_eq!(bench.code(Says { contacts: &brief, ..PLAIN }), "423");
    assert_eq!(bench.state(), "Away");
    let both = ["<sip:a@192.0.2.5:1>", "<sip:b@192.0.2.5:2>;expires=60"];
    assert_eq!(bench.code(Says { contacts: &both, ..PLAIN }), "200");
    assert_eq!(bench.contacts().len(), 2);
}

#[test]
fn a_restart_brings_back_what_was_told_and_not_what_hung_on_a_connection() {
    let mut bench = Bench::new();
    bench.registers(PLAIN);
    let Some(Event::UserRegistered { user, binding: Some(binding), .. }) = bench.told.pop() else { panic!("untold") };
    let mut next = Bench::new();
    next.registrar.restore(Time::ZERO, &user, &binding);
    next.registrar.restore(Time::ZERO, "nobody", &binding);
    assert_eq!(
        (next.contacts(), next.registrar.next_deadline()),
        (bench.contacts(), Some(Time::ZERO + Duration::from_secs(300)))
    );
    assert!(next.registrar.is_there(next.source.ip()) && next.registrar.is_at(next.source));
    next.registrar.forget("ann", "sip:ann@192.0.2.5:5060");
    assert!(next.contacts().is_empty() && !next.registrar.is_there(next.source.ip()));

    let mut over_tcp = Bench::new();
    over_tcp.source = Hop::tcp(over_tcp.source.address);
    over_tcp.registers(PLAIN);
    assert!(matches!(over_tcp.told.pop(), Some(Event::UserRegistered { binding: None, .. })));
}

proptest! {
    #[test]
    fn no_register_makes_the_registrar_panic_or_keep_more_than_it_may(
        contacts in proptest::collection::vec("(\\*|<?(sip:)?[a-z]{0,4}@?[\\PC]{0,20}>?(;(expires|q|reg-id)=[-0-9.]{0,12}){0,2})", 0..5),
        expires in "[-0-9]{0,12}",
        signature in "(Digest )?[\\PC\"=,]{0,60}",
        path in "[\\PC]{0,20}",
    ) {
        let mut bench = Bench::new();
        bench.registers(PLAIN);
        let contacts: Vec<&str> = contacts.iter().map(String::as_str).collect();
        let more = [(Name::Path, path.as_str()), (Name::Authorization, signature.as_str())];
        let says = Says { contacts: &contacts, expires: Some(&expires), more: &more, ..PLAIN };
        let message = bench.request(Method::Register, says, None);
        let _ = bench.registrar.judge(bench.now, bench.source, &message, &mut bench.told);
        let answer = bench.registrar.on_register(bench.now, "ann", bench.source, &message, &mut bench.told);
        prop_assert!([200, 400, 423, 500].contains(&answer.code), "{answer:?}");
        prop_assert!(bench.contacts().len() <= 3);
        let phones = bench.registrar.phones("ann").into_iter().map(|phone| phone.written().unwrap());
        for text in phones.collect::<Vec<_>>() {
            prop_assert!(Binding::read(bench.now, &text).is_some(), "{text}");
        }
        bench.now = bench.now + Duration::from_secs(4_000);
        bench.registrar.on_deadline(bench.now, &mut bench.told);
        prop_assert!(bench.contacts().is_empty() && !bench.registrar.is_there(bench.source.ip()));
        prop_assert!(bench.registrar.hops.is_empty() && bench.registrar.next_deadline().is_none());
    }
}

#[test]
fn a_house_is_printed_without_its_passwords() {
    let text = format!("{:?} {:?}", house(), Registrar::new(house(), [7; 32], "decoy".into()).house);
    assert!(text.contains(REALM) && !text.contains("tiger"), "{text}");
}

#[test]
fn two_phones_behind_a_proxy_that_names_no_path_are_two_phones() {
    let mut bench = Bench::new();
    for (call, contact) in [("call-1", "<sip:ann@10.0.0.5:5060>"), ("call-2", "<sip:ann@10.0.0.6:5060>")] {
        bench.call_id = call;
        let more = &[(Name::Via, "SIP/2.0/UDP 10.0.0.5:5060;branch=z9hG4bK-phone")];
        assert_eq!(bench.code(Says { contacts: &[contact], more, ..PLAIN }), "200");
    }
    assert_eq!(bench.contacts().len(), 2);
    // The same without a proxy is one phone that was started again.
    let mut bench = Bench::new();
    for (call, contact) in [("call-1", "<sip:ann@10.0.0.5:5060>"), ("call-2", "<sip:ann@10.0.0.6:5060>")] {
        bench.call_id = call;
        assert_eq!(bench.code(Says { contacts: &[contact], ..PLAIN }), "200");
    }
    assert_eq!(bench.contacts(), ["sip:ann@10.0.0.6:5060"]);
}
