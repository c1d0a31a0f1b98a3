//! What hansho shows of a call afterwards, compared with what SIPp did and with what tshark reads of the capture file.

use std::path::Path;
use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::{Daemon, Scene, Settings, Sipp, until};

const NUMBER: &str = "+815011110001";

/// What tshark reads of a file: a line a packet, with these fields.
fn tshark(file: &Path, fields: &[&str]) -> Vec<Vec<String>> {
    let mut command = Command::new("tshark");
    command.arg("-r").arg(file).args(["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE"]);
    command.args(["-T", "fields", "-E", "separator=|"]);
    fields.iter().for_each(|field| {
        command.args(["-e", field]);
    });
    let read = command.output().expect("tshark runs");
    assert!(read.status.success(), "{read:?}");
    let text = String::from_utf8(read.stdout).expect("tshark writes text");
    text.lines().map(|line| line.split('|').map(str::to_owned).collect()).collect()
}

/// The ladders of an incident, when the last one ends with this.
fn ladders(daemon: &Daemon, incident: &str, end: &str) -> Value {
    until(&format!("a ladder that ends with {end}"), || {
        let answer = daemon.ask(&json!({ "op": "ladder", "incident": incident }));
        let last = answer["ladders"].as_array()?.last()?["messages"].as_array()?.last()?.clone();
        (last["method"] == end || last["code"].to_string() == end).then_some(answer)
    })
}

fn captured(scene: &Scene, daemon: &Daemon, incident: &str) -> std::path::PathBuf {
    let answer = daemon.ask(&json!({ "op": "ladder", "incident": incident, "pcap": true }));
    let file = scene.path("ladder.pcap");
    let bytes = STANDARD.decode(answer["pcap"].as_str().expect("a file")).expect("base64");
    std::fs::write(&file, bytes).expect("a file can be written");
    file
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
    let packets = tshark(&file, &fields);
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
    let proofs = tshark(&file, &["sip.auth.digest.response", "sip.auth.username"]);
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
    let read = tshark(&captured(&scene, &daemon, &incident), &["sip.Method", "sip.Status-Code"]);
    assert!(read.iter().all(|packet| packet.iter().any(|field| !field.is_empty())), "all of it is SIP: {read:?}");
    for what in ["503", "BYE"] {
        assert!(read.iter().flatten().any(|field| field == what), "{what} in {read:?}");
    }
    broken.passes();
    works.passes();
}
