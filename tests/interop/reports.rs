//! Reports of how well a call is heard (RTCP), to and from other people's telephones: on a port of their own and on the
//! port of the voice. On loopback nothing is lost, and both sides have to say so; what a telephone of our own loses on
//! purpose is counted as tshark counts it in what that telephone sent.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::sound::silence;
use crate::support::{Baresip, Capture, Daemon, LIMIT, Linphone, Scene, Settings, hand, tshark, tshark_fields, until};

const NUMBER: &str = "+815011110001";

/// What is known of the only call, once the telephone has reported, and there are two seconds and more to report of.
fn reported(daemon: &Daemon, incident: &str, sides: &[&str]) -> Value {
    until("the telephone's report", || {
        let status = daemon.ask(&json!({ "op": "status", "incident": incident }));
        let quality = status["incidents"][0]["attempts"][0]["quality"].clone();
        let long = sides.iter().all(|side| quality[*side]["packets"].as_u64() >= Some(100));
        (quality["round_trip_ms"].is_u64() && long).then_some(quality)
    })
}

fn nothing_is_lost(quality: &Value, sides: &[&str]) {
    for side in sides {
        let packets = quality[*side]["packets"].as_u64().unwrap_or_default();
        let lost = quality[*side]["lost"].as_u64().unwrap_or(u64::MAX);
        // The last packets may be under way while they are counted.
        assert!(packets >= 100 && lost * 50 <= packets, "{side}: {quality}");
    }
    assert!(quality["round_trip_ms"].as_u64().is_some_and(|ms| ms < 10_000), "{quality}");
}

fn baresip_reports(name: &str, account: &str) {
    let scene = Scene::new(name);
    let account = format!("<sip:{NUMBER}@127.0.0.1:PORT>;regint=0{account}");
    let mut phone = Baresip::with_account(&scene, NUMBER, "PCMU", &silence(60.0), &account);
    let daemon = Daemon::start(&scene, &Settings::trunk_at(phone.port).with_room().person("anna", NUMBER));
    let incident = daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    phone.listens(1);
    phone.presses('1');
    daemon.events.until("room.joined", &[]);
    let sides = ["here", "there"];
    nothing_is_lost(&reported(&daemon, &incident, &sides), &sides);
    phone.hangs_up();
    let ended = daemon.events.until("attempt.ended", &[]);
    nothing_is_lost(&ended["quality"], &sides);
    let said = daemon.command(&["status", &incident]);
    assert!(said.contains("the other side heard 0"), "{said}");
}

#[test]
fn baresip_and_we_hear_each_other_s_reports_on_ports_of_their_own() {
    baresip_reports("reports_apart", "");
}

#[test]
fn baresip_and_we_hear_each_other_s_reports_on_the_port_of_the_voice() {
    baresip_reports("reports_muxed", ";rtcp_mux=yes");
}

#[test]
fn linphone_and_we_hear_each_other_s_reports() {
    let scene = Scene::new("reports_linphone");
    let mut phone = Linphone::start(&scene, "anna", "");
    let daemon = Daemon::start(&scene, &Settings::trunk_at(phone.port).with_room().person("anna", NUMBER));
    let incident = daemon.trigger();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    phone.listens(1);
    phone.presses('1');
    daemon.events.until("room.joined", &[]);
    // It has no microphone here, and sends no more than its key.
    nothing_is_lost(&reported(&daemon, &incident, &["there"]), &["there"]);
}

/// Packets of the stream, 10 ms each.
const PACKETS: u16 = 800;
/// The number of the first: they wrap on the way.
const FIRST: u16 = 65_000;
/// In those before, a key is pressed.
const KEY: std::ops::Range<u16> = 40..46;
/// From here on nothing is lost, and the sender's clock jumps to and fro.
const UNEVEN: u16 = 640;
/// By so much, in samples: 50 ms.
const UNEVEN_BY: u32 = 400;
const SSRC: u32 = 0x0bad_cafe;
/// How long the telephone keeps a report before it answers, without saying so.
const KEPT: Duration = Duration::from_millis(300);
/// What it says that it heard: packets lost, and jitter in samples.
const CLAIMS: (u8, u32) = (24, 160);

/// In which order the packets go out: some never, some twice, some late, some so late that nobody plays them.
fn order() -> Vec<u16> {
    let mut drawn = 0x5eed_u32;
    let mut all = Vec::new();
    for n in 0..PACKETS {
        drawn ^= drawn << 13;
        drawn ^= drawn >> 17;
        drawn ^= drawn << 5;
        let spared = n == 0 || KEY.contains(&n) || n >= UNEVEN;
        let lost = (300..380).contains(&n) || drawn.is_multiple_of(12);
        if spared || !lost {
            all.push(n);
            all.extend((n % 50 == 7).then_some(n));
        }
    }
    let mut delay = |which: std::ops::Range<u16>, until: u16| {
        let late: Vec<u16> = all.extract_if(.., |n| which.contains(n)).collect();
        let place = all.iter().position(|n| *n >= until).expect("they go on");
        all.splice(place..place, late);
    };
    delay(100..101, 102);
    delay(150..153, 170);
    delay(420..424, 505);
    all
}

/// A telephone that numbers its packets, loses some, and writes down what it sent and heard.
struct Telephone {
    port: u16,
    sip: UdpSocket,
    voice: UdpSocket,
    reports: UdpSocket,
    /// Where the daemon's voice is, once it has called; its reports are on the next port.
    there: SocketAddr,
    invite: String,
    daemon: SocketAddr,
    all: Capture,
    uneven: Capture,
    /// What is to be answered when.
    kept: Vec<(Instant, Vec<u8>)>,
    goodbye: bool,
}

impl Telephone {
    fn new(scene: &Scene) -> Telephone {
        let bind = |port| UdpSocket::bind(("127.0.0.1", port)).expect("the port is free");
        let (port, media) = (scene.port(), scene.ports(2));
        let (sip, voice, reports) = (bind(port), bind(media), bind(media + 1));
        sip.set_read_timeout(Some(LIMIT)).expect("a socket takes a limit");
        reports.set_nonblocking(true).expect("a socket need not wait");
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        Telephone {
            port,
            sip,
            voice,
            reports,
            there: nowhere,
            invite: String::new(),
            daemon: nowhere,
            all: Capture::begin(scene.path("all.pcap")),
            uneven: Capture::begin(scene.path("uneven.pcap")),
            kept: Vec::new(),
            goodbye: false,
        }
    }

    /// The next message of SIP that begins so; what else comes is passed over.
    fn told(&self, begin: &str) -> (String, SocketAddr) {
        let mut buffer = [0; 8_192];
        loop {
            let (length, from) = self.sip.recv_from(&mut buffer).unwrap_or_else(|error| panic!("no {begin}: {error}"));
            let message = String::from_utf8_lossy(&buffer[..length]).into_owned();
            if message.starts_with(begin) {
                return (message, from);
            }
        }
    }

    fn picks_up(&mut self) {
        (self.invite, self.daemon) = self.told("INVITE ");
        let port = self.invite.split_once("m=audio ").and_then(|(_, rest)| rest.split_once(' ')).expect("an offer").0;
        self.there = SocketAddr::from(([127, 0, 0, 1], port.parse().expect("a port")));
        let media = self.voice.local_addr().expect("it is bound").port();
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio {media} RTP/AVP 0 101\r\n\
             a=rtpmap:101 telephone-event/8000\r\na=ptime:10\r\n"
        );
        let fields = format!("Contact: <sip:anna@127.0.0.1:{}>\r\nContent-Type: application/sdp\r\n", self.port);
        let answer = hand::answer(&self.invite, b"200 OK", fields.as_bytes(), &sdp);
        self.sip.send_to(&answer, self.daemon).expect("it can be sent");
        self.told("ACK ");
    }

    /// Sends the stream in its own time.
    fn plays(&mut self) {
        let began = Instant::now();
        let order = order();
        let end = order.iter().rposition(|n| *n < UNEVEN).expect("they begin even");
        for (place, n) in order.into_iter().enumerate() {
            let due = began + Duration::from_millis(10) * u32::try_from(place).expect("they are few");
            while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
                std::thread::park_timeout(left);
            }
            let packet = packet(n);
            self.voice.send_to(&packet, self.there).expect("it can be sent");
            let from = self.voice.local_addr().expect("it is bound");
            self.all.add(from, self.there, &packet);
            if place > end {
                self.uneven.add(from, self.there, &packet);
            }
            self.listens();
        }
    }

    /// Takes reports, and answers those that it has kept for long enough.
    fn listens(&mut self) {
        let mut buffer = [0; 2_048];
        let own = self.reports.local_addr().expect("it is bound");
        let there = SocketAddr::new(self.there.ip(), self.there.port() + 1);
        while let Ok((length, from)) = self.reports.recv_from(&mut buffer) {
            let report = &buffer[..length];
            self.all.add(from, own, report);
            // 200: by somebody who sends, with a clock. 203: a goodbye.
            self.goodbye |= kinds(report).contains(&203);
            if kinds(report)[0] == 200 {
                self.kept.push((Instant::now() + KEPT, answer_to(report)));
            }
        }
        while self.kept.first().is_some_and(|(at, _)| *at <= Instant::now()) {
            let (_, answer) = self.kept.remove(0);
            self.reports.send_to(&answer, there).expect("it can be sent");
            self.all.add(own, there, &answer);
        }
    }

    /// Hangs up, and hears the daemon say goodbye; what was written down.
    fn hangs_up(mut self) -> [std::path::PathBuf; 2] {
        let field = |name| hand::field(&self.invite, name);
        let contact = field("Contact").trim_start_matches('<').split('>').next().expect("an address");
        let bye = format!(
            "BYE {contact} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{};branch=z9hG4bKbye\r\nMax-Forwards: 70\r\nFrom: {};tag=hand\r\n\
             To: {}\r\nCall-ID: {}\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n",
            self.port,
            field("To"),
            field("From"),
            field("Call-ID")
        );
        self.sip.send_to(bye.as_bytes(), self.daemon).expect("it can be sent");
        self.told("SIP/2.0 200 ");
        until("the daemon's goodbye", || {
            self.listens();
            self.goodbye.then_some(())
        });
        [self.all.end(), self.uneven.end()]
    }
}

/// A packet of the stream.
fn packet(n: u16) -> Vec<u8> {
    let ahead = if n >= UNEVEN && n % 2 == 1 { UNEVEN_BY } else { 0 };
    let key = KEY.contains(&n);
    // All packets of a key have the time at which it began.
    let timestamp = u32::from(if key { KEY.start } else { n }) * 80 + ahead;
    let kind = if key { 101 } else { 0 };
    let mut packet = vec![0x80, kind];
    packet.extend(FIRST.wrapping_add(n).to_be_bytes());
    packet.extend(timestamp.to_be_bytes());
    packet.extend(SSRC.to_be_bytes());
    if key {
        // A 1, whose last three packets say that it is over.
        let end = if n >= KEY.end - 3 { 0x80 } else { 0 };
        packet.extend([1, end | 10]);
        packet.extend((u16::min(n - KEY.start + 1, 4) * 200).to_be_bytes());
    } else {
        packet.extend([0xff; 80]);
    }
    packet
}

/// The kinds of the packets that a report is made of.
fn kinds(mut report: &[u8]) -> Vec<u8> {
    let mut kinds = Vec::new();
    while let [_, kind, high, low, ..] = *report {
        kinds.push(kind);
        report = &report[(usize::from(u16::from_be_bytes([high, low])) + 1) * 4..];
    }
    kinds
}

/// A report about somebody who reported, as if it had come back at once.
fn answer_to(report: &[u8]) -> Vec<u8> {
    let mut answer = [0x81, 201, 0, 7].to_vec();
    answer.extend(SSRC.to_be_bytes());
    answer.extend(&report[4..8]);
    // The loss of late and of all time, the highest number, jitter.
    answer.extend([0, 0, 0, CLAIMS.0, 0, 0, 0, 1]);
    answer.extend(CLAIMS.1.to_be_bytes());
    // The middle of the clock in theirs, and how long that was kept.
    answer.extend(&report[10..14]);
    answer.extend([0; 4]);
    // Who it is, by name.
    answer.extend([0x81, 202, 0, 3]);
    answer.extend(SSRC.to_be_bytes());
    answer.extend([1, 4, b'a', b'n', b'n', b'a', 0, 0]);
    answer
}

/// Packets and lost ones of the telephone's stream, as tshark counts them.
fn streams(file: &std::path::Path, port: u16) -> (u64, i64, f64) {
    let rtp = format!("udp.port=={port},rtp");
    let said = tshark(file, &["-d", &rtp, "-q", "-z", "rtp,streams"]);
    let line = said
        .lines()
        .find(|line| line.to_lowercase().contains("0x0badcafe"))
        .unwrap_or_else(|| panic!("no stream: {said}"));
    let words: Vec<&str> = line.split_whitespace().collect();
    let percent = words.iter().position(|word| word.ends_with("%)")).unwrap_or_else(|| panic!("no loss: {said}"));
    let jitter_max = words[percent + 6].parse().unwrap_or_else(|_| panic!("no jitter: {said}"));
    (words[percent - 2].parse().expect("a count"), words[percent - 1].parse().expect("a count"), jitter_max)
}

#[test]
fn what_is_lost_doubled_and_late_on_purpose_is_counted_as_tshark_counts_it() {
    let scene = Scene::new("reports_loss");
    let mut phone = Telephone::new(&scene);
    let daemon = Daemon::start(&scene, &Settings::trunk_at(phone.port).with_room().person("anna", NUMBER));
    let incident = daemon.trigger();
    phone.picks_up();
    daemon.events.until("attempt.prompt_started", &[("contact", "anna")]);
    phone.plays();
    daemon.events.until("room.joined", &[]);
    let sent = order();
    let came: std::collections::BTreeSet<u16> = sent.iter().copied().collect();
    let lost = u64::from(PACKETS) - came.len() as u64;
    let twice = (sent.len() - came.len()) as u64;
    let told = |status: &Value| status["incidents"][0]["attempts"][0]["quality"].clone();
    let quality = until("all packets to be counted", || {
        phone.listens();
        let quality = told(&daemon.ask(&json!({ "op": "status", "incident": incident })));
        let all = quality["here"]["packets"] == PACKETS && quality["here"]["lost"] == lost;
        (all && quality["round_trip_ms"].is_u64()).then_some(quality)
    });
    let (voice, there) = (phone.voice.local_addr().expect("it is bound").port(), phone.there.port());
    let [all, uneven] = phone.hangs_up();
    let ended = daemon.events.until("attempt.ended", &[]);
    assert_eq!(ended["quality"]["here"], quality["here"], "nothing comes after the end");
    assert_eq!(told(&daemon.ask(&json!({ "op": "status", "incident": incident }))), ended["quality"]);

    let (packets, net, _) = streams(&all, voice);
    assert_eq!(packets, sent.len() as u64);
    // What came twice makes up for what was lost (RFC 3550 §6.4.1), in tshark and in our reports; not in our figures.
    assert_eq!(net, lost as i64 - twice as i64);
    let rtcp = [
        "-d".to_owned(),
        format!("udp.port=={},rtcp", voice + 1),
        "-d".to_owned(),
        format!("udp.port=={},rtcp", there + 1),
    ];
    let rtcp: Vec<&str> = rtcp.iter().map(String::as_str).collect();
    let ask = |filter: &str, fields: &[&str]| {
        tshark_fields(
            &all,
            &[&rtcp[..], &["-o", "rtcp.show_roundtrip_calculation:TRUE", "-Y", filter]].concat(),
            fields,
        )
    };
    let reported =
        ask("rtcp.ssrc.cum_nr", &["udp.srcport", "rtcp.ssrc.cum_nr", "rtcp.ssrc.ext_high", "rtcp.ssrc.jitter"]);
    let last = reported.iter().rfind(|fields| fields[0] == (there + 1).to_string()).expect("it reported");
    assert_eq!(last[1..3], [net.to_string(), (u32::from(FIRST) + u32::from(PACKETS) - 1).to_string()], "{reported:?}");
    assert!(ask("_ws.malformed", &["frame.number"]).is_empty());

    // A busy machine adds to these figures, and takes nothing from them: another unit would be eight times off.
    let (ours, theirs) = (ended["quality"]["here"]["jitter_ms"].as_u64().expect("jitter"), streams(&uneven, voice).2);
    assert!((40..200).contains(&ours) && (40.0..200.0).contains(&theirs), "{ours} and {theirs} ms");
    let in_samples: u64 = last[3].parse().expect("a number");
    assert!(in_samples.abs_diff(ours * 8) <= 8, "{in_samples} samples are {ours} ms");
    assert_eq!((&ended["quality"]["there"]["lost"], &ended["quality"]["there"]["jitter_ms"]), (&json!(24), &json!(20)));
    let there_and_back: Vec<u64> = ask(&format!("udp.dstport == {}", there + 1), &["rtcp.roundtrip-delay"])
        .iter()
        .filter_map(|fields| fields[0].parse().ok())
        .collect();
    let (least, ours) = (there_and_back.iter().min(), ended["quality"]["round_trip_ms"].as_u64().expect("a time"));
    assert!(
        least.is_some_and(|least| *least >= 299 && ours + 5 >= *least && ours < least + 5_000),
        "{ours}: {there_and_back:?}"
    );
}
