//! A voice that fails in front of a real call: the next one speaks, and everybody can see who and why.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::json;

use crate::support::phones::Stage;
use crate::support::{Daemon, Habit, World, hansho, until};

const ANNA: &str = "+815000000001";

/// Reads a request to its end: whoever answers and goes before that may cut off the other side, which still writes.
fn swallow(stream: &mut TcpStream) {
    let mut request = Vec::new();
    let mut part = [0; 4_096];
    while let Ok(length @ 1..) = stream.read(&mut part) {
        request.extend_from_slice(&part[..length]);
        let text = String::from_utf8_lossy(&request).to_lowercase();
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        let body = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
        if request.len() >= head.len() + 4 + body.unwrap_or_default() {
            return;
        }
    }
}

/// A service that answers every request with an error.
fn broken_service() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            swallow(&mut stream);
            let _ = stream.write_all(b"HTTP/1.1 500 Oops\r\ncontent-length: 4\r\nconnection: close\r\n\r\nfire");
        }
    });
    address
}

/// A program that writes half a second of a tone, as the configuration names it.
fn tone(world: &World) -> String {
    let path = world.folder.path().join("tone.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&path, spec).expect("a file can be written");
    for i in 0..4_000 {
        writer.write_sample((8_000.0 * (i as f32 * 0.6).sin()) as i16).expect("a file can be written");
    }
    writer.finalize().expect("a file can be written");
    format!("[\"/bin/cp\", {path:?}, \"{{out}}\"]")
}

#[test]
fn a_service_that_fails_is_passed_over_and_the_call_is_spoken_to_by_the_next_voice() {
    let service = broken_service();
    let world = World::new("voices").person(ANNA, Habit::Answers).more(&format!(
        "[[speech.voice]]\nid = \"service\"\nlanguage = \"en\"\nkind = \"http\"\nurl = \"http://{service}/\"\nbody = \"{{text}}\"\n"
    ));
    let usual = "voices.en = [\"command\"]\ncommand.en = [\"/bin/false\", \"{out}\"]\n";
    let text = world.text();
    assert!(text.contains(usual), "{text}");
    let own = format!("voices.en = [\"service\", \"command\"]\ncommand.en = {}\n", tone(&world));
    std::fs::write(&world.config, text.replace(usual, &own)).expect("a configuration can be written");

    let daemon = Daemon::start(&world.config, &world.socket);
    let mut watch = daemon.watch();
    daemon.trigger();
    let failed = watch.until("voice.failed", &[("spoken_by", json!("command"))]);
    assert_eq!(failed["reason"], "service: it answered 500 Internal Server Error (fire)");
    watch.until("attempt.prompt_started", &[]);
    world.phones.reaches(ANNA, 1, Stage::Up(true));
    let lines = until("the voices' counts", || {
        let status = daemon.ask(&json!({ "op": "status" }));
        let lines: Vec<String> = serde_json::from_value(status["voices"].clone()).expect("lines");
        lines.iter().any(|line| line.contains("spoke 1")).then_some(lines)
    });
    let line = |start: &str| lines.iter().find(|line| line.starts_with(start)).unwrap_or_else(|| panic!("{lines:?}"));
    assert!(line("en: service").contains("passed over: it answered 500"), "{lines:?}");
    assert!(line("en: command").ends_with("spoke 1, kept 0, failed 0"), "{lines:?}");
    world.phones.press(ANNA, 1);
    watch.until("incident.acknowledged", &[]);
}

/// A service that does one wrong thing to everybody who asks.
fn bad_service(wrong: impl Fn(&mut TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("a listener has an address");
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            swallow(&mut stream);
            wrong(&mut stream);
        }
    });
    address
}

fn answers(stream: &mut TcpStream, status: &str, length: usize, body: &[u8]) {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    // Whoever had enough is gone.
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// A second of silence, as a file.
fn silent_wav() -> Vec<u8> {
    let mut wav = std::io::Cursor::new(Vec::new());
    let (channels, sample_rate, bits_per_sample) = (1, 8_000, 16);
    let spec = hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format: hound::SampleFormat::Int };
    let mut writer = hound::WavWriter::new(&mut wav, spec).expect("a file can be written");
    (0..8_000).for_each(|_| writer.write_sample(0i16).expect("a file can be written"));
    writer.finalize().expect("a file can be written");
    wav.into_inner()
}

#[test]
fn whatever_a_service_does_wrong_the_call_is_spoken_to_and_the_status_says_who_spoke_and_why() {
    let silent = silent_wav();
    let half = silent.clone();
    let services: [(&str, SocketAddr, &str); 6] = [
        ("slow", bad_service(|stream| drop(stream.read_to_end(&mut Vec::new()))), "no voice within 1s"),
        ("wrong", bad_service(|stream| answers(stream, "200 OK", 6, b"<html>")), "no WAV"),
        (
            "huge",
            bad_service(|stream| answers(stream, "200 OK", 40 << 20, &vec![82; 40 << 20])),
            "more than 33554432 bytes",
        ),
        ("half", bad_service(move |stream| answers(stream, "200 OK", half.len(), &half[..900])), "broke off"),
        ("burns", bad_service(|stream| answers(stream, "500 Oops", 4, b"fire")), "it answered 500"),
        ("silent", bad_service(move |stream| answers(stream, "200 OK", silent.len(), &silent)), "nothing but silence"),
    ];
    let mut world = World::new("bad_voices").person(ANNA, Habit::Answers);
    for (name, address, _) in &services {
        let timeout = if *name == "slow" { "1s" } else { "60s" };
        world = world.more(&format!(
            "[[speech.voice]]\nid = \"{name}\"\nlanguage = \"en\"\nkind = \"http\"\nurl = \"http://{address}/\"\n\
             body = \"{{text}}\"\ntimeout = \"{timeout}\"\n"
        ));
    }
    let usual = "voices.en = [\"command\"]\ncommand.en = [\"/bin/false\", \"{out}\"]\n";
    let text = world.text();
    assert!(text.contains(usual), "{text}");
    let names: Vec<&str> = services.iter().map(|(name, ..)| *name).collect();
    let own = format!("voices.en = {:?}\ncommand.en = {}\n", [&names[..], &["command"]].concat(), tone(&world));
    std::fs::write(&world.config, text.replace(usual, &own)).expect("a configuration can be written");

    let daemon = Daemon::start(&world.config, &world.socket);
    let mut watch = daemon.watch();
    daemon.trigger();
    let failed = watch.until("voice.failed", &[("spoken_by", json!("command"))]);
    let said = failed["reason"].as_str().expect("a reason is text");
    for (name, _, why) in &services {
        assert!(said.contains(&format!("{name}: ")) && said.contains(why), "{name}: {said}");
    }
    world.phones.reaches(ANNA, 1, Stage::Up(true));
    let lines = until("the voices' counts", || {
        let status = daemon.ask(&json!({ "op": "status" }));
        let lines: Vec<String> = serde_json::from_value(status["voices"].clone()).expect("lines");
        lines.iter().any(|line| line.contains("spoke 1")).then_some(lines)
    });
    for (name, _, why) in &services {
        let line = lines.iter().find(|line| line.starts_with(&format!("en: {name}:")));
        let line = line.unwrap_or_else(|| panic!("{name}: {lines:?}"));
        assert!(line.contains("passed over: ") && line.contains(why) && line.ends_with("failed 1"), "{line}");
    }
    assert!(lines.iter().any(|line| line.starts_with("en: command") && line.ends_with("spoke 1, kept 0, failed 0")));
    world.phones.press(ANNA, 1);
    watch.until("incident.acknowledged", &[]);
}

#[test]
fn a_text_is_spoken_from_the_command_line_without_a_daemon() {
    let world = World::new("speak");
    let own = format!("[speech]\nvoices.en = [\"command\"]\ncommand.en = {}\n", tone(&world));
    let rest = "[[trunk]]\nid = \"m\"\nproxy = \"192.0.2.1\"\n[[contact]]\nid = \"y\"\nphones = [\"+818012345678\"]\n\
                [[roster]]\nid = \"r\"\ncontacts = [\"y\"]\n[[call_flow]]\nid = \"o\"\nroster = \"r\"\nguidance = \"g\"\n\
                [[guidance]]\nid = \"g\"\nmessage.en = \"{{host}} is down.\"\nkeys.1 = { do = \"take\" }\n";
    std::fs::write(&world.config, format!("{own}{rest}")).expect("a configuration can be written");
    let (config, out) = (world.config.to_str().expect("a path is text"), world.folder.path().join("out.wav"));
    let out = out.to_str().expect("a path is text");
    let done = hansho(&["speak", "The disk is full.", "--lang", "en", "--out", out, "--config", config]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(0), "{said}");
    assert!(said.starts_with("en: command spoke 0.") && said.contains("The disk is full."), "{said}");
    let wav = hound::WavReader::open(out).expect("a sound file was written");
    assert_eq!((wav.spec().sample_rate, wav.spec().channels), (8_000, 1));
    assert!(wav.duration() > 4_000);

    let folder = world.folder.path().join("samples");
    let folder = folder.to_str().expect("a path is text");
    let done =
        hansho(&["speak", "--incident-sample", "--guidance", "g", "--lang", "en", "--out", folder, "--config", config]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&done.stderr));
    assert!(said.contains("host is down.") && said.contains("g.en.wav"), "{said}");

    let done = hansho(&["speak", "--incident-sample", "--lang", "en", "--out", folder, "--config", config]);
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    assert_eq!(done.status.code(), Some(0), "{said}{}", String::from_utf8_lossy(&done.stderr));
    for (guidance, words) in [
        ("g", "host is down."),
        ("default", "The disk of the server"),
        ("alert", "Emergency, emergency, The disk of the server"),
        ("azure", "Press one to take it, or two for the next person."),
    ] {
        assert!(said.contains(&format!("{guidance}.en.wav")) && said.contains(words), "{guidance}: {said}");
    }
    let done = hansho(&["speak", "--incident-sample", "--guidance", "g2", "--out", folder, "--config", config]);
    let why = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(why.contains("there is no guidance `g2`; there are alert, azure, default, g"), "{why}");

    let code = |arguments: &[&str]| hansho(&[arguments, &["--out", out, "--config", config]].concat()).status.code();
    assert_eq!(code(&["speak", "障害", "--lang", "ja", "--voice", "nobody"]), Some(2));
    assert_eq!(code(&["speak", "--incident-sample", "--guidance", "nothing"]), Some(2));
    assert_eq!(code(&["speak", "...", "--lang", "en"]), Some(1), "there is nothing to say");
    assert_eq!(code(&["speak", "--incident-sample", "and a text"]), Some(2));
}
