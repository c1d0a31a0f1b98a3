//! How fast the journal takes in a burst, and how long a daemon with much to remember needs to come up.
//!
//! `cargo bench --bench journal`, or `tools/bench`. It starts the release binary on a configuration of its own, with a
//! trunk that never answers; everything is measured from outside, on the control socket and over HTTP, with plain
//! writes to the same disk beside it. docs/performance.md says how to read what it prints.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "a bench is about the real world")]

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use hansho::base::{IncidentId, Stamp, seeded};
use hansho::incident::{Entry, Fact, Outcome};
use hansho::store::{Journal, Reader, record_of};
use serde_json::{Value, json};

type Result<T> = std::result::Result<T, String>;

/// A burst.
const BURST: usize = 1_000;
/// Connections to the control socket, which takes 64.
const LINES: usize = 50;
/// How often a burst is repeated.
const TIMES: usize = 3;
/// So many incidents are open at the end.
const OPEN: usize = 10_000;
/// So many facts are replayed: a hundred an incident.
const FACTS: usize = 1_000_000;
/// How long anything may take.
const LIMIT: Duration = Duration::from_secs(120);
/// Ports for voice.
const MEDIA_PORTS: u16 = 1_000;

fn main() {
    // `cargo bench` hands over flags of its own.
    let quick = std::env::args().any(|argument| argument == "--quick");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("journal-{}", std::process::id()));
    let measured = measure(&folder, if quick { 10 } else { 1 });
    let _ = fs::remove_dir_all(&folder);
    if let Err(why) = measured {
        eprintln!("could not be measured: {why}");
        std::process::exit(1);
    }
}

fn measure(folder: &Path, part: usize) -> Result<()> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    println!("{:<52} {:>44}  bar", "what", "figure");
    let plain = flushes(folder)?;
    row("plain: write 4 KiB + fdatasync", &format!("{plain:.0} a second, {:.2} ms each", 1_000.0 / plain), "");
    bursts(&folder.join("open"), OPEN / part)?;
    replay(&folder.join("replay"), FACTS / part)
}

fn row(what: &str, figure: &str, bar: &str) {
    println!("{what:<52} {figure:>44}  {bar}");
}

/// A bar in seconds, and whether it was kept.
fn within(took: Duration, bar: f64) -> String {
    format!("< {bar} s: {}", if took.as_secs_f64() < bar { "within" } else { "BEYOND" })
}

/// How many writes of a page reach this disk in a second, one after the other.
fn flushes(folder: &Path) -> Result<f64> {
    const TIMES: u32 = 300;
    let mut file = File::create(folder.join("plain")).map_err(|error| error.to_string())?;
    let begun = Instant::now();
    for _ in 0..TIMES {
        file.write_all(&[0x5a; 4_096]).and_then(|()| file.sync_data()).map_err(|error| error.to_string())?;
    }
    Ok(f64::from(TIMES) / begun.elapsed().as_secs_f64())
}

fn bursts(folder: &Path, open: usize) -> Result<()> {
    let mut daemon = Daemon::start(folder)?;
    let mut raised = 0;
    let mut took = Vec::new();
    for _ in 0..TIMES {
        took.push(over_the_control_socket(&daemon, BURST)?);
        raised += BURST;
    }
    tell("control socket: 1,000 triggers at once, durable", &took);
    let token = daemon.ask(&json!({ "op": "token.create", "name": "bench" }))?;
    let token = token["secret"].as_str().ok_or_else(|| format!("no token: {token}"))?.to_owned();
    let mut took = Vec::new();
    for _ in 0..TIMES {
        took.push(over_http(&daemon, &token, BURST)?);
        raised += BURST;
    }
    tell("HTTP: 1,000 triggers at once, durable", &took);
    while raised < open {
        let some = BURST.min(open - raised);
        over_the_control_socket(&daemon, some)?;
        raised += some;
    }
    let alone = daemon.one_trigger()?;
    row(&format!("one trigger beside {raised} open incidents"), &format!("{:.2} ms", millis(alone)), "");
    row(&format!("memory with {raised} open incidents"), &format!("{:.0} MiB resident", daemon.memory()?), "");
    daemon.end();
    let begun = Instant::now();
    let mut daemon = Daemon::start(folder)?;
    let up = begun.elapsed();
    row(
        &format!("kill -9 and start with {raised} open incidents"),
        &format!("{:.2} s to the first answer", secs(up)),
        "",
    );
    // A second later all of them go on at once.
    let alone = (0..40).map(|_| daemon.one_trigger()).collect::<Result<Vec<_>>>()?;
    let longest = alone.iter().max().copied().unwrap_or_default();
    row("… the slowest of 40 triggers while they go on", &format!("{:.0} ms", millis(longest)), "");
    row("… memory", &format!("{:.0} MiB resident", daemon.memory()?), "");
    daemon.end();
    Ok(())
}

fn tell(what: &str, took: &[Duration]) {
    let worst = took.iter().max().copied().unwrap_or_default();
    let best = took.iter().min().copied().unwrap_or_default();
    let rate = BURST as f64 / worst.as_secs_f64();
    let figure = format!("{:.0} to {:.0} ms, {rate:.0} a second", millis(best), millis(worst));
    row(what, &figure, &within(worst, 1.0));
}

fn trigger(number: usize) -> Value {
    json!({ "op": "trigger", "call_flow": "oncall", "message": format!("Disk {number} of db-01 is full."),
            "dedup": format!("{number}-{}", std::process::id()) })
}

/// From the first byte of the first request to the last answer.
fn over_the_control_socket(daemon: &Daemon, number: usize) -> Result<Duration> {
    let mut lines: Vec<_> = (0..LINES).map(|_| daemon.line()).collect::<Result<_>>()?;
    let (share, offset) = (number / LINES, daemon.asked.replace(daemon.asked.get() + number));
    let texts: Vec<String> = (0..LINES)
        .map(|line| (0..share).map(|place| format!("{}\n", trigger(offset + line * share + place))).collect())
        .collect();
    let begun = Instant::now();
    for (line, text) in lines.iter_mut().zip(&texts) {
        line.get_mut().write_all(text.as_bytes()).map_err(|error| error.to_string())?;
    }
    for line in &mut lines {
        for _ in 0..share {
            let answer = read_line(line)?;
            if answer["ok"] != true || answer["joined"] == true {
                return Err(format!("a trigger was answered {answer}"));
            }
        }
    }
    Ok(begun.elapsed())
}

/// The same with a connection each.
fn over_http(daemon: &Daemon, token: &str, number: usize) -> Result<Duration> {
    let offset = daemon.asked.replace(daemon.asked.get() + number);
    let requests: Vec<String> = (0..number)
        .map(|place| {
            let mut body = trigger(offset + place);
            body.as_object_mut().map(|body| body.remove("op"));
            let body = body.to_string();
            format!(
                "POST /v1/incidents HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
                 Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            )
        })
        .collect();
    let begun = Instant::now();
    let mut lines = Vec::new();
    for request in &requests {
        let mut line = TcpStream::connect(daemon.http).map_err(|error| error.to_string())?;
        line.set_read_timeout(Some(LIMIT)).map_err(|error| error.to_string())?;
        line.write_all(request.as_bytes()).map_err(|error| error.to_string())?;
        lines.push(line);
    }
    for line in &mut lines {
        let mut answer = String::new();
        line.read_to_string(&mut answer).map_err(|error| error.to_string())?;
        if !answer.starts_with("HTTP/1.1 201") {
            return Err(format!("a trigger was answered {answer:?}"));
        }
    }
    Ok(begun.elapsed())
}

/// A journal with a million facts of incidents that are all open, and a daemon that goes on with them.
fn replay(folder: &Path, facts: usize) -> Result<()> {
    let data = folder.join("data");
    let path = data.join("hansho.db");
    let incidents = facts / 100;
    let say = |error: hansho::store::StoreError| error.to_string();
    let begun = Instant::now();
    let mut journal = Journal::open(&path).map_err(say)?;
    let mut rng = seeded(1);
    let ids: Vec<IncidentId> = (0..incidents).map(|n| IncidentId::new(stamp(n), &mut rng)).collect();
    for some in ids.chunks(100) {
        let entries: Vec<Entry> = some.iter().flat_map(|id| night(*id)).collect();
        journal.append(&entries).map_err(say)?;
    }
    let wrote = begun.elapsed();
    row(&format!("{facts} facts written, 10,000 a transaction"), &format!("{:.2} s", secs(wrote)), "");
    drop(journal);

    let reader = Reader::open(&path).map_err(say)?;
    let begun = Instant::now();
    let (mut seq, mut read) = (0, 0);
    loop {
        let some = reader.after(seq, 1_000).map_err(say)?;
        let Some((last, _)) = some.last() else { break };
        (seq, read) = (*last, read + some.len());
    }
    row(&format!("{read} facts read in their order"), &format!("{:.2} s", secs(begun.elapsed())), "");
    let begun = Instant::now();
    let mut attempts = 0;
    for id in &ids {
        attempts += record_of(&reader.facts(*id).map_err(say)?).attempts.len();
    }
    let figure = format!("{:.2} s, {attempts} calls", secs(begun.elapsed()));
    row(&format!("… replayed into {incidents} records"), &figure, &within(begun.elapsed(), 5.0));
    let begun = Instant::now();
    let verdict = reader.verify(None).map_err(say)?;
    if verdict.fault_count > 0 {
        return Err(format!("the chain is broken: {:?}", verdict.faults.first()));
    }
    let figure = format!("{:.2} s, {} audited", secs(begun.elapsed()), verdict.whole);
    row("… their chain verified", &figure, "");
    drop(reader);

    let begun = Instant::now();
    let mut daemon = Daemon::start(folder)?;
    let up = begun.elapsed();
    let figure = format!("{:.2} s to the first answer", secs(up));
    row(&format!("daemon started on {facts} facts, all open"), &figure, &within(up, 5.0));
    row("… memory", &format!("{:.0} MiB resident", daemon.memory()?), "");
    daemon.end();
    Ok(())
}

fn stamp(n: usize) -> Stamp {
    Stamp::from_unix_micros(1_795_000_000_000_000 + n as i64 * 1_000_000)
}

/// A hundred facts of one incident that nobody has taken yet.
fn night(id: IncidentId) -> Vec<Entry> {
    let fact = |value: Value| serde_json::from_value::<Fact>(value).expect("a fact as the journal has it");
    let seconds = |secs: u64| json!({ "secs": secs, "nanos": 0 });
    let people: Vec<Value> = (0..5)
        .map(|n| json!({ "id": format!("p{n}"), "name": format!("Person {n}"), "phones": [format!("+81501110000{n}")], "language": "en" }))
        .collect();
    let mut facts = vec![fact(json!({ "fact": "accepted",
        "trigger": { "call_flow": "oncall", "message": "The disk of db-01 is full.", "dedup": id },
        "plan": { "call_flow": { "id": "oncall", "strategy": "sequential", "answer": "one", "rounds": 10,
                "ring_timeout": seconds(30), "between_rounds": seconds(10) },
            "contacts": people,
            "guidance": { "id": "usual", "keys": { "1": { "do": "take" }, "2": { "do": "next" } },
                "first_key_timeout": seconds(10), "repeats": 2 } } }))];
    let mut attempt = 0;
    while facts.len() < 96 {
        if attempt % 5 == 0 {
            let round = attempt / 5 + 1;
            facts.push(fact(
                json!({ "fact": "round_started", "round": round, "order": ["p0", "p1", "p2", "p3", "p4"] }),
            ));
        }
        let person = attempt % 5;
        attempt += 1;
        let call = format!("i1 town secret 127.0.0.1:9 sip:x@127.0.0.1 <sip:a>;tag=1 <sip:b> {id}-{attempt}@127.0.0.1");
        facts.push(fact(json!({ "fact": "dialled", "attempt": attempt, "contact": format!("p{person}"),
            "phone": format!("+81501110000{person}"), "call": call })));
        facts.push(Fact::Ringing { attempt, code: 180 });
        let reason = "Request Terminated".to_owned();
        facts.push(Fact::Ended { attempt, outcome: Outcome::NoAnswer, code: Some(487), reason, quality: None });
    }
    while facts.len() < 100 {
        facts.push(Fact::Ringing { attempt, code: 180 });
    }
    let at = |n: usize| Stamp::from_unix_micros(1_795_000_000_000_000 + n as i64 * 1_000);
    facts.into_iter().enumerate().map(|(n, fact)| Entry::Incident(id, at(n), fact)).collect()
}

/// A running `hansho run`.
struct Daemon {
    child: Child,
    socket: PathBuf,
    http: SocketAddr,
    /// Where its calls go, and stay.
    _trunk: UdpSocket,
    asked: std::cell::Cell<usize>,
}

impl Daemon {
    /// Starts it and waits for the first answer.
    fn start(folder: &Path) -> Result<Daemon> {
        let say = |error: std::io::Error| error.to_string();
        fs::create_dir_all(folder).map_err(say)?;
        // A socket's path must be short, and the folder may be deep.
        let socket = std::env::temp_dir().join(format!("hansho-journal-{}.sock", std::process::id()));
        let _ = fs::remove_file(&socket);
        let trunk = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).map_err(say)?;
        let ports = |count| hansho::rig::free_ports(count).ok_or_else(|| format!("no {count} free ports in a row"));
        let (sip, http, media) = (ports(1)?, ports(1)?, ports(MEDIA_PORTS)?);
        let http = SocketAddr::from((Ipv4Addr::LOCALHOST, http));
        let config = folder.join("sip-trunk.toml");
        let proxy = trunk.local_addr().map_err(say)?;
        fs::write(&config, configuration(folder, &socket, proxy, sip, http, media)).map_err(say)?;
        let log = File::create(folder.join("daemon.log")).map_err(say)?;
        let second = log.try_clone().map_err(say)?;
        let mut command = Command::new(env!("CARGO_BIN_EXE_hansho"));
        command.args(["run", "--config"]).arg(&config).stdin(Stdio::null());
        let child = command.stdout(Stdio::from(log)).stderr(Stdio::from(second)).spawn().map_err(say)?;
        let asked = std::cell::Cell::new(usize::try_from(child.id()).unwrap_or(0) * 1_000_000);
        let mut daemon = Daemon { child, socket, http, _trunk: trunk, asked };
        let end = Instant::now() + LIMIT;
        while Instant::now() < end {
            if let Some(status) = daemon.child.try_wait().map_err(say)? {
                let said = fs::read_to_string(folder.join("daemon.log")).unwrap_or_default();
                return Err(format!("the daemon ended early, {status}: {}", said.trim()));
            }
            if daemon.line().is_ok() {
                // Answered when everything is taken up.
                let unknown = daemon.ask(&json!({ "op": "status", "incident": "000000000000" }))?;
                if unknown["error"]["code"] != "not_found" {
                    return Err(format!("a status was answered {unknown}"));
                }
                return Ok(daemon);
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Err("the daemon opens no control socket".to_owned())
    }

    fn line(&self) -> Result<BufReader<UnixStream>> {
        let stream = UnixStream::connect(&self.socket).map_err(|error| format!("control socket: {error}"))?;
        stream.set_read_timeout(Some(LIMIT)).map_err(|error| error.to_string())?;
        Ok(BufReader::new(stream))
    }

    fn ask(&self, request: &Value) -> Result<Value> {
        let mut line = self.line()?;
        line.get_mut().write_all(format!("{request}\n").as_bytes()).map_err(|error| error.to_string())?;
        read_line(&mut line)
    }

    fn one_trigger(&self) -> Result<Duration> {
        let request = trigger(self.asked.replace(self.asked.get() + 1));
        let begun = Instant::now();
        let answer = self.ask(&request)?;
        if answer["ok"] == true { Ok(begun.elapsed()) } else { Err(format!("a trigger was answered {answer}")) }
    }

    /// In MiB.
    fn memory(&mut self) -> Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).map_err(|why| why.to_string())?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        let kib: f64 = line.trim().trim_end_matches(" kB").parse().map_err(|_| format!("VmRSS: {line}"))?;
        Ok(kib / 1_024.0)
    }

    /// As a power cut would.
    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end();
        let _ = fs::remove_file(&self.socket);
    }
}

fn read_line(line: &mut BufReader<UnixStream>) -> Result<Value> {
    let mut text = String::new();
    match line.read_line(&mut text) {
        Ok(0) => Err("the daemon closed the connection".to_owned()),
        Ok(_) => serde_json::from_str(&text).map_err(|error| format!("{error}: {text}")),
        Err(error) => Err(format!("no answer: {error}")),
    }
}

fn configuration(folder: &Path, socket: &Path, proxy: SocketAddr, sip: u16, http: SocketAddr, media: u16) -> String {
    let (data, last) = (folder.join("data"), media + MEDIA_PORTS - 1);
    let mut text = format!(
        r#"[node]
data_dir = {data:?}
language = "en"
[control]
socket = {socket:?}
[http]
listen = "{http}"
[sip]
listen = ["udp:127.0.0.1:{sip}"]
[media]
address = "127.0.0.1"
ports = "{media}-{last}"
max_legs = 100
[speech]
voices.en = ["command"]
command.en = ["/bin/false", "{{out}}"]
[[trunk]]
id = "town"
proxy = "{proxy}"
[[roster]]
id = "crowd"
contacts = ["p0", "p1", "p2", "p3", "p4"]
[[call_flow]]
id = "oncall"
roster = "crowd"
guidance = "usual"
bundle = "0s"
[[guidance]]
id = "usual"
[guidance.keys]
1 = {{ do = "take" }}
2 = {{ do = "next" }}
"#
    );
    for n in 0..5 {
        // Writing to a String does not fail.
        let _ = writeln!(text, "[[contact]]\nid = \"p{n}\"\nphones = [\"+81501110000{n}\"]");
    }
    text
}

fn secs(time: Duration) -> f64 {
    time.as_secs_f64()
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}
