//! The messages of RFC 4475 and RFC 5118 sent to the real daemon by its trunk, each over a connection of its own. What each has to
//! be answered with stands in `tests/sip/torture_files.rs`.
//!
//! Behind a message the trunk asks whether somebody is there: when only that is answered, the message was not.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;

use crate::support::{Daemon, LIMIT, Scene, Settings, hand};

/// What the daemon says first to which of them; to responses nothing.
const SAID: [(&str, &[&str]); 13] = [
    ("100", &["esc01", "longreq", "baddate", "inv2543", "mult-ip-in-sdp"]),
    (
        "200",
        &[
            "lwsdisp",
            "semiuri",
            "transports",
            "trws",
            "badaspec",
            "badbranch",
            "zeromf",
            "via-received-param-no-delim",
            "ipv6-bug-abnf-3-colons",
            "ipv6-correct-abnf-2-colons",
        ],
    ),
    (
        "400",
        &[
            "badinv01",
            "clerr",
            "ncl",
            "scalar02",
            "quotbal",
            "ltgtruri",
            "lwsruri",
            "lwsstart",
            "escruri",
            "baddn",
            "mismatch01",
            "mismatch02",
            "insuf",
            "multi01",
            "mcl01",
            "ipv6-bad",
            "ipv6-in-sdp",
        ],
    ),
    (
        "405",
        &[
            "escnull",
            "dblreq",
            "regbadct",
            "unksm2",
            "regaut01",
            "cparam01",
            "cparam02",
            "regescrt",
            "ipv6-good",
            "port-ambiguous",
            "port-unambiguous",
        ],
    ),
    ("406", &["sdp01"]),
    ("415", &["mpart01", "invut"]),
    ("416", &["unkscm", "novelsc"]),
    ("420", &["bext01"]),
    ("481", &["wsinv", "via-received-param-with-delim", "mult-ip-in-header"]),
    ("488", &["ipv4-mapped-ipv6"]),
    ("501", &["intmeth", "esc02"]),
    ("505", &["badvers"]),
    ("", &["unreason", "noreason", "scalarlg", "bigcode", "bcast"]),
];
/// Those that say more than there is: on a connection their rest is waited for.
const ENDLESS: [&str; 3] = ["clerr", "baddn", "ipv6-in-sdp"];
/// Those after which nobody can know where the next message begins.
const LAST: [&str; 2] = ["ncl", "mcl01"];

fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    SAID.into_iter().flat_map(|(code, names)| names.iter().map(move |name| (*name, code)))
}

fn bytes(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sip/torture");
    std::fs::read(folder.join(name).with_extension("sip")).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Is somebody there? The answer has this question's name in it.
fn question(name: &str) -> Vec<u8> {
    format!(
        "OPTIONS sip:hansho@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bK-after-{name}\r\n\
         From: <sip:asks@127.0.0.1>;tag=asks\r\nTo: <sip:hansho@127.0.0.1>\r\nCall-ID: after-{name}\r\nCSeq: 1 OPTIONS\r\n\
         Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    )
    .into_bytes()
}

/// The status of an answer; nothing, when it is that to the question.
fn code(name: &str, answer: &str) -> String {
    let asked = answer.contains(&format!("\r\nCall-ID: after-{name}\r\n"));
    if asked { String::new() } else { answer.split(' ').nth(1).unwrap_or_default().to_owned() }
}

#[test]
fn every_torture_message_is_answered_as_its_rfc_demands() {
    let scene = Scene::new("torture_tcp");
    let door = scene.port();
    let settings = Settings::trunk_at(scene.port()).takes_connections(door).person("anna", "+815011110001");
    let daemon = Daemon::start(&scene, &settings);
    let mut wrong = Vec::new();
    for (name, expected) in all() {
        let mut stream = TcpStream::connect(("127.0.0.1", door)).expect("the door is open");
        stream.set_read_timeout(Some(LIMIT)).expect("a socket takes a limit");
        stream.write_all(&bytes(name)).expect("it is read");
        let waited_for = ENDLESS.contains(&name);
        if waited_for {
            stream.shutdown(Shutdown::Write).expect("it stands");
        } else if expected.is_empty() {
            stream.write_all(&question(name)).expect("it is read");
        }
        let said = hand::take(&mut stream).map(|answer| code(name, &answer));
        if said.as_deref() != (!waited_for).then_some(expected) {
            wrong.push(format!("{name}: {said:?} and not {expected:?}"));
        }
        if waited_for || LAST.contains(&name) {
            assert_eq!(stream.read(&mut [0]).expect("it ends properly"), 0, "{name}: nothing more comes");
        } else {
            // One after the other: so many at once would be refused.
            stream.shutdown(Shutdown::Write).expect("it stands");
            stream.read_to_end(&mut Vec::new()).expect("it ends properly");
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    daemon.stops();
}
