//! Good files, bad files, and the example that is shipped.

mod calling;
mod transport;

use std::collections::BTreeSet;
use std::time::Duration;

use super::notify::tests::CERTIFICATE;
use super::reader::pattern;
use super::*;
use crate::base::{Codec, Language, Phone};
use crate::incident::{Answer, Behaviour, Strategy, Trigger};

const EXAMPLE: &str = include_str!("../../sip-trunk.example.toml");

/// A certificate and its key, made for tests.
const OWN: &str = include_str!("../shell/transport/tests/dns.pem");

pub(super) const SMALLEST: &str = r#"
[[trunk]]
id = "main"
proxy = "192.0.2.1"

[[contact]]
id = "yamada"
phones = ["+81 80-1234-5678"]

[[roster]]
id = "first"
contacts = ["yamada"]

[[call_flow]]
id = "oncall"
roster = "first"
"#;

pub(super) fn read(text: &str) -> Result<Settings, Vec<Complaint>> {
    let password = |path: &Path| match path.to_str() {
        Some("/home/hansho/pbx-password" | "/home/hansho/tanaka-phone-password") => Ok("from the file\n".to_owned()),
        Some("/home/hansho/empty") => Ok("\n".to_owned()),
        Some("/home/hansho/second-line.json") => Ok("[{\"phone_number\": \"+815011112222\"}]".to_owned()),
        Some("/home/hansho/ca.pem" | "/home/hansho/trunk-ca.pem") => Ok(CERTIFICATE.to_owned()),
        Some("/home/hansho/hansho.pem" | "/home/hansho/hansho.key") => Ok(OWN.to_owned()),
        Some("/home/hansho/slack-webhook") => Ok("https://hooks.slack.com/x\n".to_owned()),
        Some(path) if ["-secret", "-token", "-password"].iter().any(|end| path.ends_with(end)) => Ok("x\n".to_owned()),
        _ => Err("No such file or directory".to_owned()),
    };
    let there = |path: &Path| path.ends_with("music.wav") || path.ends_with("greeting.wav");
    let opens = |path: &Path| if there(path) { Ok(()) } else { Err("No such file".to_owned()) };
    Settings::read(text, &Origin { folder: Path::new("/home/hansho"), read: &password, opens: &opens })
}

/// The smallest file with `more` behind it.
pub(super) fn read_text(more: &str) -> Result<Settings, Vec<Complaint>> {
    read(&format!("{SMALLEST}{more}"))
}

/// The smallest file with `more` behind it and no trunk.
pub(super) fn read_without_trunk(more: &str) -> Result<Settings, Vec<Complaint>> {
    let rest = SMALLEST.find("[[contact]]").unwrap();
    read(&format!("{}{more}", &SMALLEST[rest..]))
}

/// The complaints about the smallest file with `more` behind it, as they are printed.
pub(super) fn complaints(more: &str) -> Vec<String> {
    complaints_of(&format!("{SMALLEST}{more}"))
}

fn complaints_of(text: &str) -> Vec<String> {
    let complaints = read(text).expect_err("there is something wrong with it");
    complaints.iter().map(ToString::to_string).collect()
}

fn trigger(json: serde_json::Value) -> Trigger {
    serde_json::from_value(json).unwrap()
}

#[test]
fn the_smallest_file_needs_a_trunk_a_contact_a_roster_and_a_call_flow() {
    let settings = read(SMALLEST).unwrap();
    assert_eq!(settings.journal, Path::new("/home/hansho/hansho-data/hansho.db"));
    assert_eq!(settings.control_socket, Path::new("/home/hansho/hansho-data/control.sock"));
    assert_eq!(settings.sip.listen.v4.unwrap().to_string(), "0.0.0.0:5060");
    assert_eq!((settings.media.ports.clone(), settings.media.max_legs), (20_000..=29_999, 500));
    let trunk = settings.trunks[0].sip(None);
    assert_eq!((trunk.domain.as_str(), trunk.register, trunk.username.as_str()), ("192.0.2.1", false, "hansho"));
    assert_eq!(trunk.codecs, Codec::ALL);
    let plan = settings.plan(&trigger(serde_json::json!({ "call_flow": "oncall" }))).unwrap();
    assert_eq!((plan.call_flow.strategy, plan.call_flow.answer), (Strategy::Sequential, Answer::One));
    assert_eq!((plan.contacts.len(), plan.contacts[0].name.as_str()), (1, "yamada"));
    let keys: Vec<_> = plan.guidance.keys.iter().map(|(digit, key)| (digit.as_char(), key.behaviour)).collect();
    assert_eq!(keys, [('1', Behaviour::Take), ('2', Behaviour::Next), ('3', Behaviour::Repeat)]);
}

#[test]
fn a_file_under_etc_keeps_its_data_where_services_do() {
    let origin =
        Origin { folder: Path::new("/etc/hansho"), read: &|_| Err(String::new()), opens: &|_| Err(String::new()) };
    let settings = Settings::read(SMALLEST, &origin).unwrap();
    assert_eq!(settings.journal, Path::new("/var/lib/hansho/hansho.db"));
}

#[test]
fn an_empty_file_is_told_what_it_needs() {
    let keys: Vec<String> = read("").unwrap_err().into_iter().map(|complaint| complaint.key).collect();
    assert_eq!(keys, ["call_flow", "contact", "roster", "trunk"]);
}

#[test]
fn every_mistake_is_told_at_once_in_the_order_of_the_file_with_its_line() {
    let text = r#"[node]
language = "fr"
[[trunk]]
id = "main"
porxy = "sip.example.com"
username = 7
[[contact]]
id = "yamada"
phones = ["080-1234-5678", "+818012345678"]
[[roster]]
id = "first"
contacts = ["yamada", "sato"]
[[call_flow]]
id = "oncall"
roster = "second"
ring_timeout = 0
"#;
    let found: Vec<(usize, String)> =
        read(text).unwrap_err().into_iter().map(|complaint| (complaint.line.unwrap(), complaint.key)).collect();
    let expected = [
        (2, "node.language"),
        (3, "trunk[1].proxy"),
        (5, "trunk[1].porxy"),
        (6, "trunk[1].username"),
        (9, "contact[1].phones[1]"),
        (12, "roster[1].contacts[2]"),
        (15, "call_flow[1].roster"),
        (16, "call_flow[1].ring_timeout"),
    ];
    assert_eq!(found, expected.map(|(line, key)| (line, key.to_owned())));
    assert!(complaints_of(text)[2].contains("did you mean `proxy`?"));
}

#[test]
fn a_complaint_says_where_what_and_what_is_accepted() {
    let complaint = read(&format!("{SMALLEST}strategy = \"random\"\n")).unwrap_err().remove(0);
    assert_eq!(
        complaint.in_file(Path::new("sip-trunk.toml")),
        "sip-trunk.toml:17: call_flow[1].strategy: found `random`; accepted: \"sequential\", \"shuffled\" or \
         \"simultaneous\""
    );
}

#[test]
fn every_syntax_error_is_told_with_its_line() {
    let lines: Vec<_> = read("[node]\nname = \n[sip]\nlisten = tcp\n").unwrap_err().iter().map(|c| c.line).collect();
    assert_eq!(lines, [Some(2), Some(4)]);
}

#[test]
fn what_a_later_version_will_take_is_refused_with_a_word_about_it() {
    let postgres = complaints("[store]\nurl = \"postgres://hansho:hidden@db/hansho\"\n");
    assert!(postgres[0].contains("postgres is not supported in this version"), "{postgres:?}");
    assert!(!postgres[0].contains("hidden"), "{postgres:?}");
}

/// Each of these, added to the smallest file, is one mistake: one complaint that names the key.
#[test]
fn one_mistake_gives_one_complaint() {
    let contact = "[[contact]]\nid = \"sato\"\nphones = [\"+819012345678\"]\n";
    let trunk = "[[trunk]]\nid = \"b\"\nproxy = \"h\"\n";
    let guidance = "[[guidance]]\nid = \"g\"\n";
    for (more, key) in [
        ("[htpp]\nlisten = \"x\"\n".to_owned(), "htpp"),
        ("[http]\nlisten = \"x\"\n".to_owned(), "http.listen"),
        ("[node]\ntime_zone = \"Mars/Olympus\"\n".to_owned(), "node.time_zone"),
        ("[node]\nname = 3\n".to_owned(), "node.name"),
        ("[control]\nsocket = \"/".to_owned() + &"s".repeat(120) + "\"\n", "control.socket"),
        ("[sip]\npublic_address = \"0.0.0.0\"\n".to_owned(), "sip.public_address"),
        ("[sip]\npublic_address = \"::1\"\n".to_owned(), "sip.public_address"),
        ("[media]\naddress = \"::1\"\n".to_owned(), "media.address"),
        ("[media]\nports = \"20001-20002\"\n".to_owned(), "media.ports"),
        ("[media]\nports = \"5000-5999\"\n".to_owned(), "media.ports"),
        ("[media]\nports = \"20000-20099\"\nmax_legs = 51\n".to_owned(), "media.max_legs"),
        ("[speech]\ncommand.ja = [\"say\", \"it\"]\n".to_owned(), "speech.command.ja"),
        ("[speech]\ncommand.fr = [\"say\", \"{out}\"]\n".to_owned(), "speech.command.fr"),
        ("[speech]\ncommand.en = []\n".to_owned(), "speech.command.en"),
        ("[speech]\ntimeout = \"2h\"\n".to_owned(), "speech.timeout"),
        ("[speech]\nvoices.ja = [\"nobody\"]\n".to_owned(), "speech.voices.ja[1]"),
        (format!("{trunk}registrar = \"h\"\nusername = \"u\"\n"), "trunk[2].password"),
        (format!("{trunk}registrar = \"h\"\npassword = \"p\"\n"), "trunk[2].username"),
        (format!("{trunk}password = \"p\"\n"), "trunk[2].username"),
        (
            format!("{trunk}username = \"u\"\npassword = \"p\"\npassword_file = \"pbx-password\"\n"),
            "trunk[2].password_file",
        ),
        (format!("{trunk}username = \"u\"\npassword_file = \"absent\"\n"), "trunk[2].password_file"),
        (format!("{trunk}username = \"u\"\npassword_file = \"empty\"\n"), "trunk[2].password_file"),
        (format!("{trunk}username = \"u v\"\npassword = \"p\"\n"), "trunk[2].username"),
        (format!("{trunk}codecs = [\"opus\"]\n"), "trunk[2].codecs[1]"),
        (format!("{trunk}codecs = []\n"), "trunk[2].codecs"),
        (format!("{trunk}codecs = [\"pcma\", \"PCMA\"]\n"), "trunk[2].codecs[2]"),
        (format!("{trunk}allow_from = [\"192.0.2.0/33\"]\n"), "trunk[2].allow_from[1]"),
        (format!("{trunk}max_calls = -1\n"), "trunk[2].max_calls"),
        ("[[trunk]]\nid = \"main\"\nproxy = \"h\"\n".to_owned(), "trunk[2].id"),
        ("[[trunk]]\nid = \"b\"\nproxy = \"h h\"\n".to_owned(), "trunk[2].proxy"),
        ("[[contact]]\nid = \"sato\"\n".to_owned(), "contact[2].phones"),
        ("[[contact]]\nid = \"sato\"\nphones = []\n".to_owned(), "contact[2].phones"),
        ("[[contact]]\nid = \"sato\"\nphones = \"+819012345678\"\n".to_owned(), "contact[2].phones"),
        ("[[contact]]\nid = \"sato\"\nphones = [\"+818012345678\"]\n".to_owned(), "contact[2].phones[1]"),
        ("[[contact]]\nid = \"sa to\"\nphones = [\"+819012345678\"]\n".to_owned(), "contact[2].id"),
        (format!("{contact}language = \"tlh\"\n"), "contact[2].language"),
        (format!("{contact}{contact}").replacen("+8190", "+8170", 1), "contact[3].id"),
        ("[[roster]]\nid = \"empty\"\ncontacts = []\n".to_owned(), "roster[2].contacts"),
        ("[[roster]]\nid = \"absent\"\n".to_owned(), "roster[2].contacts"),
        ("[[roster]]\nid = \"twice\"\ncontacts = [\"yamada\", \"yamada\"]\n".to_owned(), "roster[2].contacts[2]"),
        ("[[call_flow]]\nid = \"b\"\n".to_owned(), "call_flow[2].roster"),
        ("[[call_flow]]\nid = \"b\"\nroster = \"first\"\nrounds = 0\n".to_owned(), "call_flow[2].rounds"),
        ("[[call_flow]]\nid = \"b\"\nroster = \"first\"\nguidance = \"g\"\n".to_owned(), "call_flow[2].guidance"),
        (format!("{guidance}keys.1 = {{ do = \"next\" }}\n"), "guidance[1].keys"),
        (format!("{guidance}keys.1 = {{ do = \"dance\" }}\n"), "guidance[1].keys.1.do"),
        (format!("{guidance}keys.12 = {{ do = \"take\" }}\n"), "guidance[1].keys.12"),
        (format!("{guidance}keys.1 = \"take\"\n"), "guidance[1].keys.1"),
        (format!("{guidance}keys = 1\n"), "guidance[1].keys"),
        (format!("{guidance}room = \"nowhere\"\n"), "guidance[1].room"),
        (format!("{guidance}message = \"one for all\"\n"), "guidance[1].message"),
        (format!("{guidance}message.ja = \"{{{{server\"\n"), "guidance[1].message.ja"),
        (format!("{guidance}message.en = \"{{{{server | nosuch}}}}\"\n"), "guidance[1].message.en"),
        (format!("{guidance}keys.1 = {{ do = \"take\", say = \"{{% if a %}}\" }}\n"), "guidance[1].keys.1.say"),
        (format!("{guidance}parameters = [\"server\"]\nmessage.ja = \"{{{{sever}}}}\"\n"), "guidance[1].message.ja"),
        (format!("{guidance}parameters = [\"\"]\n"), "guidance[1].parameters[1]"),
        ("[[room]]\nid = \"war\"\nhold_music = \"absent.wav\"\n".to_owned(), "room[1].hold_music"),
        ("[[room]]\nid = \"war\"\nrecord = \"yes\"\n".to_owned(), "room[1].record"),
        ("[room]\nid = \"war\"\n".to_owned(), "room"),
    ] {
        let complaints = read(&format!("{SMALLEST}{more}")).map(|_| "no complaint").expect_err(&more);
        let keys: Vec<&str> = complaints.iter().map(|complaint| complaint.key.as_str()).collect();
        assert_eq!(keys, [key], "{more}: {complaints:?}");
        assert!(complaints[0].line.is_some_and(|line| line > 16), "{more}: {complaints:?}");
    }
}

#[test]
fn a_secret_is_never_shown() {
    let trunk = "[[trunk]]\nid = \"b\"\nproxy = \"h\"\nusername = \"u\"\n";
    let settings = read(&format!("{SMALLEST}{trunk}password = \"tiger\"\n"));
    let settings = settings.unwrap();
    assert_eq!(settings.trunks[1].sip(None).password, "tiger");
    let shown = format!("{settings:?}");
    assert!(!shown.contains("tiger"), "{shown}");
    let wrong = complaints(&format!("{trunk}password = 4711\n"));
    assert_eq!(wrong.len(), 1);
    assert!(!wrong.concat().contains("4711"), "{wrong:?}");
}

#[test]
fn trunks_are_tried_by_priority() {
    let more = "priority = 5\n[[trunk]]\nid = \"first\"\nproxy = \"[2001:db8::1]\"\npriority = 1\n";
    let text = SMALLEST.replacen("proxy = \"192.0.2.1\"\n", &format!("proxy = \"192.0.2.1\"\n{more}"), 1);
    let settings = read(&format!("{text}[sip]\nlisten = [\"udp:0.0.0.0:5060\", \"udp:[::]:5060\"]\n")).unwrap();
    let order: Vec<&str> = settings.trunks.iter().map(|trunk| trunk.id.as_str()).collect();
    assert_eq!(order, ["first", "main"]);
    assert_eq!(settings.trunks[0].domain, "[2001:db8::1]");
}

#[test]
fn a_trigger_can_only_ring_phones_of_the_roster() {
    let contact = "[[contact]]\nid = \"sato\"\nphones = [\"sip:sato@pbx\", \"+819012345678\"]\n[[contact]]\nid = \"ito\"\n\
                   phones = [\"+817012345678\"]\n";
    let text = format!("{SMALLEST}{contact}").replace("[\"yamada\"]", "[\"yamada\", \"sato\"]");
    let settings = read(&text).unwrap();
    let ask = |to: &[&str]| settings.plan(&trigger(serde_json::json!({ "call_flow": "oncall", "to": to })));
    let chosen = ask(&["+819012345678"]).unwrap().contacts;
    assert_eq!(chosen.len(), 1);
    assert_eq!(chosen[0].phones, [Phone::parse("+819012345678").unwrap()]);
    // Somebody in the file, but not in this roster; and somebody in no roster at all.
    for stranger in ["+817012345678", "+882123456789"] {
        let refusal = ask(&["+819012345678", stranger]).unwrap_err();
        assert_eq!(refusal.code(), "not_a_roster_number");
        assert!(refusal.to_string().starts_with(stranger), "{refusal}");
    }
}

#[test]
fn a_trigger_that_names_nothing_we_know_is_told_what_there_is() {
    let settings = read(SMALLEST).unwrap();
    let flow = settings.plan(&trigger(serde_json::json!({ "call_flow": "offcall" }))).unwrap_err();
    assert_eq!(flow.to_string(), "there is no call flow `offcall`; known: oncall");
    let guidance = trigger(serde_json::json!({ "call_flow": "oncall", "guidance": "none" }));
    assert_eq!(
        settings.plan(&guidance).unwrap_err().to_string(),
        "there is no guidance `none`; known: alert, azure, default"
    );
    let long = trigger(serde_json::json!({ "call_flow": "oncall", "message": "長".repeat(2_001) }));
    assert_eq!(settings.plan(&long).unwrap_err().code(), "too_much");
    for (field, letters) in [("host", 1 << 20), ("service", 201)] {
        let long = trigger(serde_json::json!({ "call_flow": "oncall", field: "x".repeat(letters) }));
        let refusal = settings.plan(&long).unwrap_err().to_string();
        assert!(refusal.starts_with(field), "{refusal}");
    }
}

#[test]
fn the_trigger_s_guidance_wins_over_the_call_flow_s_and_that_over_the_default() {
    let more = "guidance = \"flow\"\n[[guidance]]\nid = \"flow\"\n[[guidance]]\nid = \"own\"\nrepeats = 7\n[[guidance]]\n\
                id = \"default\"\nrepeats = 9\n[[call_flow]]\nid = \"plain\"\nroster = \"first\"\n";
    let settings = read(&format!("{SMALLEST}{more}")).unwrap();
    let heard = |json| settings.plan(&trigger(json)).unwrap().guidance;
    assert_eq!(heard(serde_json::json!({ "call_flow": "oncall", "guidance": "own" })).repeats, 7);
    assert_eq!(heard(serde_json::json!({ "call_flow": "oncall" })).id.as_str(), "flow");
    assert_eq!(heard(serde_json::json!({ "call_flow": "plain" })).repeats, 9);
}

#[test]
fn a_key_may_join_without_a_room_in_the_file() {
    let settings = read(&format!("{SMALLEST}[[guidance]]\nid = \"g\"\nkeys.\"*\" = {{ do = \"join\" }}\n")).unwrap();
    let guidance = settings.guidances.values().find(|guidance| guidance.id.as_str() == "g").unwrap();
    assert_eq!(guidance.room, None);
    assert_eq!(guidance.keys.keys().map(|digit| digit.as_char()).collect::<String>(), "*");
}

#[test]
fn a_file_without_end_or_with_endless_mistakes_is_cut_short() {
    assert_eq!(read(&"#".repeat(FILE_LIMIT + 1)).unwrap_err().len(), 1);
    let many: String = (0..1_000).map(|n| format!("[[room]]\nid = \"a b{n}\"\n")).collect();
    let complaints = complaints(&many);
    assert_eq!(complaints.len(), 201);
    assert_eq!(complaints[200], "800 more complaints");
}

#[test]
fn a_deep_file_is_refused_rather_than_followed_down() {
    assert!(read(&format!("a = {}", "[".repeat(100_000))).is_err());
    assert!(read(&format!("a = {}{}", "[".repeat(100_000), "]".repeat(100_000))).is_err());
    assert!(read(&format!("{}a = 1", "a.".repeat(100_000))).is_err());
}

proptest::proptest! {
    /// A slip of the editor in the example never makes it panic, and what is wrong lies within the file.
    #[test]
    fn an_example_with_a_slip_is_read_or_complained_about(
        at in 0..EXAMPLE.len(),
        cut in 0..40usize,
        with in "[\\[\\]\"'=#.{}a0 \n\\\\-]{0,6}",
    ) {
        let text = switched_on();
        let floor = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
        let (from, to) = (floor(at), floor(at + cut));
        let slipped = format!("{}{with}{}", &text[..from], &text[to..]);
        if let Err(complaints) = read(&slipped) {
            let lines = slipped.lines().count() + 1;
            proptest::prop_assert!(!complaints.is_empty());
            for complaint in complaints {
                proptest::prop_assert!(complaint.line.is_none_or(|line| (1..=lines).contains(&line)), "{complaint:?}");
            }
        }
    }
}

/// The example with everything that is switched off in it switched on: `#key` is a setting, `# word` is prose.
fn switched_on() -> String {
    let on = |line: &str| match line.strip_prefix('#').filter(|setting| !setting.starts_with(OR)) {
        Some(setting) if setting.starts_with(|c: char| c == '[' || c.is_ascii_alphabetic()) => format!("{setting}\n"),
        _ => format!("{line}\n"),
    };
    EXAMPLE.lines().map(on).collect()
}

/// Begins a line that is another way to write the one before it.
const OR: &str = "or ";

/// The example with everything switched on, and each of the other ways in turn.
fn other_ways() -> Vec<String> {
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    let other = |pair: &[&str]| {
        let other = pair[1].strip_prefix('#')?.strip_prefix(OR)?;
        Some(switched_on().replacen(pair[0].strip_prefix('#').unwrap_or(pair[0]), other, 1))
    };
    lines.windows(2).filter_map(other).collect()
}

#[test]
fn every_other_way_of_the_example_is_accepted_too() {
    let ways = other_ways();
    assert!(ways.len() >= 4, "{ways:?}");
    for way in ways {
        let read = read(&way);
        assert!(read.is_ok(), "{:?}\n{way}", read.err());
    }
}

#[test]
fn the_example_is_accepted_as_it_is_shipped() {
    let settings = read(EXAMPLE).unwrap();
    assert_eq!(settings.node.language, Language::Ja);
    let trunk = settings.trunks[0].sip(None);
    assert!(trunk.register);
    assert_eq!((trunk.domain.as_str(), trunk.password.as_str()), ("sip.example.com", "change me"));
}

#[test]
fn every_key_of_the_example_is_accepted_when_it_is_switched_on() {
    let settings = read(&switched_on()).unwrap();
    assert_eq!(settings.trunks[1].password.reveal(), "from the file");
    assert_eq!(settings.guidances.values().filter(|guidance| !is_built_in(guidance)).count(), 1);
}

#[test]
fn the_defaults_the_example_shows_are_the_defaults() {
    let on = read(&switched_on()).unwrap();
    let off = read(EXAMPLE).unwrap();
    assert_eq!(on.sip.listen, off.sip.listen);
    assert_eq!(on.media.ports, off.media.ports);
    assert_eq!(on.media.max_legs, off.media.max_legs);
    assert_eq!(on.media.address, off.media.address);
    assert_eq!(on.speech.timeout, off.speech.timeout);
    assert_eq!(on.node.name, off.node.name);
    assert_eq!(on.journal.file_name(), off.journal.file_name());
    assert_eq!(on.control_socket.file_name(), off.control_socket.file_name());
    assert_eq!(on.media.record_dir.file_name(), off.media.record_dir.file_name());
    assert_eq!(on.trunks[0].expires, off.trunks[0].expires);
    assert_eq!(on.trunks[0].codecs, off.trunks[0].codecs);
    assert_eq!((on.trunks[0].priority, on.trunks[0].max_calls), (off.trunks[0].priority, off.trunks[0].max_calls));
    let flow = |settings: &Settings| settings.call_flows.values().next().map(|flow| flow.flow.clone());
    assert_eq!(flow(&on), flow(&off));
    let usual = off.guidances.values().next().unwrap();
    let shown = on.guidances.values().find(|guidance| guidance.id.as_str() == "with-room").unwrap();
    assert_eq!((shown.repeats, shown.first_key_timeout), (usual.repeats, usual.first_key_timeout));
}

#[test]
fn a_hotline_needs_two_different_people_a_number_and_a_place_for_its_links() {
    let with = |lines: &str| format!("{SMALLEST}[[hotline]]\nid = \"h\"\n{lines}\n");
    let keys =
        |text: &str| -> Vec<String> { read(text).unwrap_err().into_iter().map(|complaint| complaint.key).collect() };
    let wrong = keys(&with("people = [\"nobody\", \"nobody\"]\ntimeout = \"1s\""));
    for key in ["node.public_url", "http.listen", "hotline[1].number", "hotline[1].people[1]", "hotline[1].timeout"] {
        assert!(wrong.iter().any(|found| found == key), "{key}: {wrong:?}");
    }
}

#[test]
fn two_rooms_cannot_have_one_pin_and_a_pin_is_never_shown() {
    let rooms = "[[room]]\nid = \"a\"\npin = \"24681\"\n[[room]]\nid = \"b\"\npin = \"24681\"\n[[room]]\nid = \"c\"\npin = \"97x\"\n";
    let complaints = read(&format!("{SMALLEST}{rooms}")).unwrap_err();
    let keys: Vec<&str> = complaints.iter().map(|complaint| complaint.key.as_str()).collect();
    assert_eq!(keys, ["room[2].pin", "room[3].pin"]);
    assert!(!format!("{complaints:?}").contains("24681") && !format!("{complaints:?}").contains("97x"));
}

#[test]
fn every_key_that_is_accepted_appears_in_the_example() {
    let text = switched_on();
    let document = DeTable::parse(&text).unwrap();
    let report = Report::new(&text);
    let origin = Origin { folder: Path::new("/"), read: &|_| Ok("x".to_owned()), opens: &|_| Ok(()) };
    read_document(&report, &text, document.get_ref(), &origin, Elsewhere(false)).unwrap();
    let mut shown = BTreeSet::new();
    gather("", document.get_ref(), &mut shown);
    for way in other_ways() {
        gather("", DeTable::parse(&way).unwrap().get_ref(), &mut shown);
    }
    let asked = report.asked.borrow().clone();
    assert!(asked.len() > 50, "{asked:?}");
    let missing: Vec<&String> = asked.difference(&shown).collect();
    assert!(missing.is_empty(), "not in sip-trunk.example.toml: {missing:?}");
}

fn gather(path: &str, table: &DeTable<'_>, shown: &mut BTreeSet<String>) {
    for (key, value) in table {
        let path = if path.is_empty() { key.get_ref().to_string() } else { format!("{path}.{}", key.get_ref()) };
        shown.insert(pattern(&path));
        let blocks = value.get_ref().as_array().into_iter().flat_map(|list| list.iter());
        let tables = blocks.chain([value]).filter_map(|value| value.get_ref().as_table());
        tables.for_each(|table| gather(&path, table, shown));
    }
}

#[test]
fn a_bare_number_is_seconds_and_a_registrar_alone_is_the_proxy_too() {
    let trunk = "[[trunk]]\nid = \"b\"\nregistrar = \"192.0.2.9:5062\"\nusername = \"u\"\npassword = \"p\"\n";
    let settings = read(&format!("{}ring_timeout = 20\n{trunk}", SMALLEST)).unwrap();
    let trunk = &settings.trunks[1];
    assert_eq!((trunk.proxy.to_string().as_str(), trunk.domain.as_str()), ("192.0.2.9:5062", "192.0.2.9"));
    let plan = settings.plan(&trigger(serde_json::json!({ "call_flow": "oncall" }))).unwrap();
    assert_eq!(plan.call_flow.ring_timeout, Duration::from_secs(20));
}

#[test]
fn a_contact_whose_id_could_be_a_strangers_is_refused() {
    for id in ["any.yamada", "guest.1"] {
        let more = format!("[[contact]]\nid = \"{id}\"\nphones = [\"+81 80-1234-5679\"]\n");
        let complaints = complaints(&more);
        assert!(
            complaints.len() == 1 && complaints[0].contains(id) && complaints[0].contains("begins otherwise"),
            "{complaints:?}"
        );
    }
}
