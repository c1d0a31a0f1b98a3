//! What hansho shows of a call afterwards, compared with what SIPp did and with what tshark reads of the capture file.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::sound::silence;
use crate::support::{Baresip, Daemon, Scene, Settings, Sipp, hand, tshark_fields, until};

const NUMBER: &str = "+815011110001";

/// The ladders of an incident, when the last one ends with this.
fn ladders(daemon: &Daemon, incident: &str, end: &str) -> Value {
    until(&format!("a ladder that ends with {end}"), || {
        let answer = daemon.ask(&json!({ "op": "ladder", "incident": incident }));
        let last = answer["ladders"].as_array()?.last()?["messages"].as_array()?.last()?.clone();
        let code = last["code"].as_u64().map(|code| code.to_string());
        (last["method"] == end || code.as_deref() == Some(end)).then_some(answer)
    })
}

fn captured(scene: &Scene, daemon: &Daemon, incident: &str) -> PathBuf {
    let answer = daemon.ask(&json!({ "op": "ladder", "incident": incident, "pcap": true }));
    let file = scene.path("ladder.pcap");
    let bytes = STANDARD.decode(answer["pcap"].as_str().expect("a file")).expect("base64");
    std::fs::write(&file, bytes).expect("a file can be written");
    file
}

/// What `--pcap` writes, beside what `--ladder` says: the same messages between the same ends, each of them SIP as tshark
/// reads it, whole and with good checksums. Gives the ends, and how many bytes the longest packet has.
fn read_by_tshark(scene: &Scene, daemon: &Daemon, incident: &str) -> (BTreeSet<[String; 2]>, usize) {
    let answer = daemon.ask(&json!({ "op": "ladder", "incident": incident }));
    let mut told = Vec::new();
    for message in
        answer["ladders"].as_array().expect("ladders").iter().flat_map(|it| it["messages"].as_array()).flatten()
    {
        let what = message["method"].as_str().map_or_else(|| message["code"].to_string(), str::to_owned);
        let [local, remote] = ["local", "remote"].map(|end| message[end].as_str().expect("an end").to_owned());
        let line = if message["sent"] == true { [what, local, remote] } else { [what, remote, local] };
        told.extend(message["at"].as_array().expect("times").iter().map(|_| line.clone()));
    }
    let file = scene.path("by-command.pcap");
    let said = daemon.command(&["status", incident, "--pcap", &file.display().to_string()]);
    assert!(said.starts_with(&format!("{} messages in ", told.len())), "{said}");
    let fields = ["sip.Method", "sip.Status-Code", "ip.src", "ipv6.src", "udp.srcport", "ip.dst", "ipv6.dst"];
    let rest = ["udp.dstport", "ip.checksum.status", "udp.checksum.status", "frame.len"];
    let whole = ["-Y", "sip and not _ws.malformed and not ip.fragment"];
    let packets = tshark_fields(&file, &whole, &[&fields[..], &rest].concat());
    let end = |four: &str, six: &str, port: &str| match four {
        "" => format!("[{six}]:{port}"),
        four => format!("{four}:{port}"),
    };
    let mut read = Vec::new();
    for packet in &packets {
        let [method, code, from4, from6, from, to4, to6, to, ip_sum, udp_sum, _] = &packet[..] else {
            panic!("{packet:?}")
        };
        read.push([method.clone() + code, end(from4, from6, from), end(to4, to6, to)]);
        let sums = if from4.is_empty() { ["", "1"] } else { ["1", "1"] };
        assert_eq!([ip_sum.as_str(), udp_sum.as_str()], sums, "good checksums: {packet:?}");
    }
    told.sort();
    read.sort();
    assert_eq!(read, told, "what is read, and what was told");
    let ends = told.into_iter().map(|[_, from, to]| [from, to]).collect();
    (ends, packets.iter().filter_map(|packet| packet[10].parse().ok()).max().unwrap_or_default())
}

/// Our end of the connection that stands to this port, as the kernel knows it.
fn end_of_connection(port: u16) -> u16 {
    until(&format!("a connection to port {port}"), || {
        let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(|path| std::fs::read_to_string(path).unwrap_or_default());
        let port_of = |word: &str| u16::from_str_radix(word.rsplit(':').next()?, 16).ok();
        tables.concat().lines().find_map(|line| match line.split_whitespace().collect::<Vec<_>>()[..] {
            // 01: established.
            [_, ours, theirs, "01", ..] if port_of(theirs) == Some(port) => port_of(ours),
            _ => None,
        })
    })
}

/// Both ways between two ends.
fn both_ways(ours: &str, theirs: &str) -> BTreeSet<[String; 2]> {
    [[ours, theirs], [theirs, ours]].map(|ends| ends.map(str::to_owned)).into()
}

/// May it go to a terminal?
fn is_harmless(text: &str) -> bool {
    let turns =
        |c: char| matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().all(|c| c == '\n' || !(c.is_control() || turns(c)))
}

#[test]
fn a_call_over_tls_can_be_read_with_the_ends_that_its_connection_has() {
    let scene = Scene::new("ladder_tls");
    let mut phone = Baresip::start(&scene, NUMBER, "PCMU", &silence(60.0), None);
    let (own, port) = (scene.path("baresip.pem"), phone.port + 1);
    let trunk = format!("transport = \"tls\"\nca_file = {own:?}");
    let daemon = Daemon::start(&scene, &Settings::trunk_at(port).trunk(&trunk).person("anna", NUMBER));
    let incident = daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    let ours = end_of_connection(port);
    phone.listens(1);
    phone.presses('1');
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    ladders(&daemon, &incident, "200");
    let (ours, theirs) = (format!("127.0.0.1:{ours}"), format!("127.0.0.1:{port}"));
    assert_eq!(read_by_tshark(&scene, &daemon, &incident).0, both_ways(&ours, &theirs));
    let drawn = daemon.command(&["status", &incident, "--ladder"]);
    for line in [&ours, &theirs, "  tls\n", "|--INVITE (SDP)---", "|<-200 Answering (SDP)---", "|--BYE---"] {
        assert!(drawn.contains(line), "{line}\n{drawn}");
    }
}

#[test]
fn a_call_over_tcp_and_ipv6_can_be_read_with_the_ends_that_its_connection_has() {
    let scene = Scene::new("ladder_tcp6");
    let sipp = Sipp::scenario("answer_key").over_tcp().over_ipv6().for_ever().listens(&scene);
    let settings = Settings::trunk_at(sipp.port).trunk("transport = \"tcp\"").over_ipv6().person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    let incident = daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    ladders(&daemon, &incident, "200");
    let (ours, theirs) = (format!("[::1]:{}", end_of_connection(sipp.port)), format!("[::1]:{}", sipp.port));
    assert_eq!(read_by_tshark(&scene, &daemon, &incident).0, both_ways(&ours, &theirs));
    let drawn = daemon.command(&["status", &incident, "--ladder"]);
    assert!(drawn.contains(&ours) && drawn.contains(&theirs) && drawn.contains("  tcp\n"), "{drawn}");
    sipp.drains();
}

#[test]
fn a_call_over_udp_and_ipv6_can_be_read() {
    let scene = Scene::new("ladder_udp6");
    let sipp = Sipp::scenario("answer_key").over_ipv6().listens(&scene);
    let daemon = Daemon::start(&scene, &Settings::trunk_at(sipp.port).over_ipv6().person("anna", NUMBER));
    let incident = daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    ladders(&daemon, &incident, "200");
    let (ours, theirs) = (format!("[::1]:{}", daemon.port), format!("[::1]:{}", sipp.port));
    assert_eq!(read_by_tshark(&scene, &daemon, &incident).0, both_ways(&ours, &theirs));
    sipp.passes();
}

#[test]
fn the_longest_message_comes_through_in_pieces_and_what_it_holds_leaves_the_terminal_alone() {
    const HOSTILE: &[u8] = b"\x1b]0;owned\x07\x1b[2J \x9b31m \xc2\x9b31m \xe2\x80\xae \xd8\x9c \xff\xfe \x7f\x08";
    const LONGEST: usize = 16_384;
    let scene = Scene::new("ladder_long");
    let trunk = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = trunk.local_addr().expect("it is bound").port();
    let trunk = std::thread::spawn(move || {
        let (mut stream, _) = trunk.accept().expect("somebody connects");
        while let Some(request) = hand::take(&mut stream) {
            if !request.starts_with("INVITE ") {
                continue;
            }
            let phrase = [b"183 ", HOSTILE, " 応答 🙂 e\u{301}".as_bytes()].concat();
            let warned = |length| [b"Warning: 399 here \"", HOSTILE, &vec![b'w'; length], b"\"\r\n"].concat();
            let length = LONGEST - hand::answer(&request, &phrase, &warned(0), "").len();
            for piece in hand::answer(&request, &phrase, &warned(length), "").chunks(1_300) {
                stream.write_all(piece).expect("it is read");
                stream.flush().expect("it is read");
            }
            let reason = [b"Reason: SIP;text=\"", HOSTILE, b"\"\r\n"].concat();
            stream.write_all(&hand::answer(&request, b"486 Busy", &reason, "")).expect("it is read");
        }
    });
    let settings = Settings::trunk_at(port).trunk("transport = \"tcp\"").person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    let incident = daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("busy".to_owned(), Some(486)));
    ladders(&daemon, &incident, "ACK");
    let (ends, longest) = read_by_tshark(&scene, &daemon, &incident);
    assert_eq!((ends.len(), longest), (2, LONGEST + 28), "{ends:?}");
    let drawn = daemon.command(&["status", &incident, "--ladder"]);
    for line in ["|<-183 ?]0;owned??[2J", "|  Warning: 399 here", "|<-486 Busy---", "|  Reason: SIP;text="] {
        assert!(drawn.contains(line), "{line}\n{drawn}");
    }
    for arguments in [&["status", &incident, "--ladder", "--json"][..], &["status", &incident], &["status"]] {
        let said = daemon.command(arguments);
        assert!(is_harmless(&said), "{arguments:?}: {said:?}");
    }
    assert!(is_harmless(&drawn) && drawn.lines().all(|line| line.chars().count() < 280), "{drawn:?}");
    drop(daemon);
    trunk.join().expect("the trunk saw what it expected");
}

#[test]
fn a_message_that_is_too_long_ends_the_call_and_its_beginning_is_seen() {
    let scene = Scene::new("ladder_too_long");
    let trunk = TcpListener::bind(("127.0.0.1", 0)).expect("a port is free");
    let port = trunk.local_addr().expect("it is bound").port();
    let trunk = std::thread::spawn(move || {
        let (mut stream, _) = trunk.accept().expect("somebody connects");
        let invite = hand::take(&mut stream).expect("somebody calls");
        let answer = hand::answer(&invite, b"200 OK", b"Contact: <sip:long@127.0.0.1>\r\n", &"x".repeat(70_000));
        // Nobody reads to its end.
        let _ = stream.write_all(&answer);
        while stream.read(&mut [0; 4_096]).is_ok_and(|count| count > 0) {}
    });
    let settings = Settings::trunk_at(port).trunk("transport = \"tcp\"").person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    let incident = daemon.trigger();
    let ended = daemon.events.until("attempt.ended", &[("contact", "anna")]);
    assert_eq!(ended["outcome"], "failed");
    assert!(ended["reason"].as_str().is_some_and(|why| why.contains("longer than 16384 bytes")), "{ended}");
    ladders(&daemon, &incident, "200");
    let drawn = daemon.command(&["status", &incident, "--ladder"]);
    assert!(drawn.contains("|--INVITE (SDP)---") && drawn.contains("|<-200 OK---"), "{drawn}");
    trunk.join().expect("the trunk saw what it expected");
}

#[test]
fn a_call_with_a_copy_a_challenge_and_a_diversion_is_shown_as_tshark_reads_it() {
    let scene = Scene::new("ladder");
    let sipp = Sipp::scenario("ladder").sees_copies().listens(&scene);
    let settings = Settings::trunk_at(sipp.port).account("bell", "s3cret").person("anna", NUMBER);
    let daemon = Daemon::start(&scene, &settings);
    let incident = daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("busy".to_owned(), Some(486)));
    let port = sipp.port;
    sipp.passes();
    let before = ladders(&daemon, &incident, "ACK");
    let daemon = daemon.power_cut(&scene);
    let answer = ladders(&daemon, &incident, "ACK");
    assert_eq!(answer["ladders"], before["ladders"], "it is the same after a power cut");

    let messages = answer["ladders"][0]["messages"].as_array().expect("messages");
    let mut whole: Vec<(&str, String, bool)> = Vec::new();
    for message in messages {
        let what = message["method"].as_str().map_or_else(|| message["code"].to_string(), str::to_owned);
        let times = message["at"].as_array().expect("times").iter();
        whole.extend(times.map(|at| (at.as_str().expect("a time"), what.clone(), message["sent"] == true)));
    }
    whole.sort();
    let said: Vec<&str> = whole.iter().map(|(_, what, _)| what.as_str()).collect();
    assert_eq!(said, ["INVITE", "INVITE", "407", "ACK", "INVITE", "181", "486", "ACK"]);

    let file = captured(&scene, &daemon, &incident);
    let fields = [
        "sip.Method",
        "sip.Status-Code",
        "frame.time_epoch",
        "udp.srcport",
        "ip.checksum.status",
        "udp.checksum.status",
    ];
    let packets = tshark_fields(&file, &[], &fields);
    assert_eq!(packets.len(), whole.len(), "{packets:?}");
    for (packet, (at, what, sent)) in packets.iter().zip(&whole) {
        let from = if *sent { daemon.port } else { port };
        assert_eq!(
            [packet[0].clone() + &packet[1], packet[3].clone()],
            [what.clone(), from.to_string()],
            "{packets:?}"
        );
        assert_eq!((packet[4].as_str(), packet[5].as_str()), ("1", "1"), "good checksums: {packet:?}");
        let micros = at.trim_end_matches('Z').rsplit_once('.').expect("a fraction").1;
        assert!(packet[2].split_once('.').is_some_and(|(_, rest)| rest.starts_with(micros)), "{at} {packet:?}");
    }
    let proofs = tshark_fields(&file, &[], &["sip.auth.digest.response", "sip.auth.username"]);
    assert!(proofs.iter().any(|fields| fields[0].contains("****") && fields[1].contains("bell")), "{proofs:?}");
    assert!(proofs.iter().all(|fields| !fields[0].contains(|c: char| c.is_ascii_hexdigit())), "{proofs:?}");

    let drawn = daemon.command(&["status", &incident, "--ladder"]);
    for line in [
        "|--INVITE (SDP) x2",
        "|<-407 Proxy Authentication Req..-|  1 INVITE",
        "|<-181 Call Is Being Forwarded",
        "|  Diversion: <sip:+815011110001@sipp>;reason=no-answer",
        "|  History-Info: <sip:+815011110001@sipp>;index=1, <sip:mailbox@sipp>;index=1.1",
        "|  Reason: Q.850;cause=17;text=\"User busy\"",
        "|  Retry-After: 30",
    ] {
        assert!(drawn.contains(line), "{line}\n{drawn}");
    }
}

#[test]
fn every_way_that_an_attempt_took_has_a_ladder_and_what_came_over_tcp_is_read_too() {
    let scene = Scene::new("ladder_ways");
    let broken = Sipp::scenario("refuse").with("code", "503").with("phrase", "Service Unavailable").listens(&scene);
    let works = Sipp::scenario("answer_key").over_tcp().listens(&scene);
    let spare =
        format!("[[trunk]]\nid = \"spare\"\nproxy = \"127.0.0.1:{}\"\ntransport = \"tcp\"\npriority = 10", works.port);
    let daemon = Daemon::start(&scene, &Settings::trunk_at(broken.port).more(&spare).person("anna", NUMBER));
    let incident = daemon.trigger();
    assert_eq!(daemon.outcome("anna"), ("taken".to_owned(), Some(200)));
    let answer = ladders(&daemon, &incident, "200");
    let ways: Vec<(Value, Value)> = answer["ladders"]
        .as_array()
        .expect("ladders")
        .iter()
        .map(|it| (it["attempt"].clone(), it["messages"][0]["transport"].clone()))
        .collect();
    assert_eq!(ways, [(json!(1), json!("udp")), (json!(1), json!("tcp"))], "{answer}");
    let read = tshark_fields(&captured(&scene, &daemon, &incident), &[], &["sip.Method", "sip.Status-Code"]);
    assert!(read.iter().all(|packet| packet.iter().any(|field| !field.is_empty())), "all of it is SIP: {read:?}");
    for what in ["503", "BYE"] {
        assert!(read.iter().flatten().any(|field| field == what), "{what} in {read:?}");
    }
    broken.passes();
    works.passes();
}
