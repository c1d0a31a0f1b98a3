//! Strangers at every door at once, and what those inside notice of them.
//!
//! The strangers are this same program, started once more at a low priority: in the world they have processors of
//! their own. They have no token and no trunk's address; what they send is as heavy as they may make it. Everything is
//! measured before they come and while they are there.

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{MS, Nanos, SECOND, now, pause};
use crate::daemon::{ANNA, Daemon};
use crate::stats::Sorted;
use crate::table::Row;
use crate::trunk::Town;
use crate::{Effort, Result, proc, trigger};

/// Connections that ask for something harmless now and then and keep their places.
const HOLDERS: usize = 600;
/// Between two datagrams of the stranger who calls: five thousand a second.
const DATAGRAM_EVERY: Duration = Duration::from_micros(200);
/// How long the strangers may take to come.
const ARRIVAL: Nanos = 3 * SECOND;

/// What somebody inside notices.
struct Noticed {
    invites: Sorted,
    acks: Sorted,
    web: Sorted,
}

pub fn measure(effort: &Effort, daemon: &mut Daemon, town: &mut Town) -> Result<Vec<Row>> {
    let token = daemon.token()?;
    let calm = notice(effort, daemon, town, &token)?;
    let dropped = proc::dropped_datagrams(daemon.sip_port())?;
    let begun = now();
    let strangers = Strangers::come(daemon)?;
    town.rest(ARRIVAL)?;
    let flooded = notice(effort, daemon, town, &token)?;
    let (resident, files) = (proc::resident_kib(daemon.pid())? as f64 / 1_024.0, proc::open_files(daemon.pid())?);
    let sent = strangers.go()?;
    let seconds = (now() - begun) as f64 / SECOND as f64;
    let lost = proc::dropped_datagrams(daemon.sip_port())? - dropped;
    let row = |what: &str, figure: &Sorted, calm: &Sorted| {
        Row::new(what, figure.whole()).beside(format!("before it: {}", calm.middle_and_tail()))
    };
    Ok(vec![
        row("flood: trigger to INVITE", &flooded.invites, &calm.invites)
            .bar("p99 < 50 ms", flooded.invites.p99() < 50 * MS),
        row("flood: refusal to its ACK", &flooded.acks, &calm.acks).bar("p99 < 50 ms", flooded.acks.p99() < 50 * MS),
        row("flood: a trigger over HTTP, with its connection", &flooded.web, &calm.web)
            .bar("< 1 s", flooded.web.max() < SECOND),
        Row::new("flood: what came", sent.per_second(seconds))
            .beside(format!("datagrams its SIP socket had no room for: {lost}")),
        Row::new("flood: memory, open files", format!("{resident:.1} MiB resident, {files} files")),
    ])
}

fn notice(effort: &Effort, daemon: &mut Daemon, town: &mut Town, token: &str) -> Result<Noticed> {
    let (mut invites, mut acks, mut web) = (Vec::new(), Vec::new(), Vec::new());
    for count in 0..effort.flood {
        let (incident, sent) = if count % 4 == 3 {
            let sent = now();
            let incident = over_http(daemon.web(), token)?;
            web.push(now() - sent);
            (incident, None)
        } else {
            let raised = daemon.trigger("busy")?;
            (raised.incident, Some(raised.sent))
        };
        let call = town.is_called(ANNA)?;
        invites.extend(sent.map(|sent| town.call(call).invited_at - sent));
        let refused = now();
        town.reply(call, 486)?;
        acks.push(trigger::is_over(town, call)? - refused);
        daemon.ends(&incident, town)?;
    }
    Ok(Noticed { invites: Sorted::new(invites)?, acks: Sorted::new(acks)?, web: Sorted::new(web)? })
}

/// Raises an incident as a monitoring tool does.
fn over_http(web: SocketAddr, token: &str) -> Result<String> {
    let body = r#"{"call_flow":"busy","message":"The disk is full."}"#;
    let length = body.len();
    let request = format!(
        "POST /v1/incidents HTTP/1.1\r\nHost: h\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    let said = exchange(web, request.as_bytes(), Duration::from_secs(20)).map_err(|error| format!("HTTP: {error}"))?;
    let json = said.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
    let answer: serde_json::Value = serde_json::from_str(json).map_err(|error| format!("{said}: {error}"))?;
    answer["incident"].as_str().map(str::to_owned).ok_or_else(|| format!("the trigger is refused: {said}"))
}

fn exchange(web: SocketAddr, request: &[u8], patience: Duration) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(web)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    // Who refuses a large body does not read it to its end.
    let _ = stream.write_all(request);
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    Ok(String::from_utf8_lossy(&said).into_owned())
}

/// How much they sent.
struct Sent {
    requests: u64,
    datagrams: u64,
}

impl Sent {
    fn per_second(&self, seconds: f64) -> String {
        let rate = |count: u64| count as f64 / seconds;
        format!(
            "{:.0} requests/s, {:.0} datagrams/s, {HOLDERS} connections held",
            rate(self.requests),
            rate(self.datagrams)
        )
    }
}

/// The strangers' process; it ends when its standard input does.
struct Strangers(Child);

impl Strangers {
    fn come(daemon: &Daemon) -> Result<Strangers> {
        let bench = std::env::current_exe().map_err(|error| error.to_string())?;
        let mut command = Command::new("nice");
        command.args(["-n", "15"]).arg(bench).arg("--flood").arg(daemon.web().to_string());
        command.arg(daemon.sip_port().to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        command.spawn().map(Strangers).map_err(|error| format!("nice: {error}"))
    }

    fn go(mut self) -> Result<Sent> {
        drop(self.0.stdin.take());
        let mut said = String::new();
        let out = self.0.stdout.as_mut().ok_or("the strangers say nothing")?;
        out.read_to_string(&mut said).map_err(|error| error.to_string())?;
        let _ = self.0.wait();
        let mut counts = said.split_whitespace().map(str::parse::<u64>);
        match (counts.next(), counts.next()) {
            (Some(Ok(requests)), Some(Ok(datagrams))) => Ok(Sent { requests, datagrams }),
            _ => Err(format!("the strangers said: {said}")),
        }
    }
}

impl Drop for Strangers {
    fn drop(&mut self) {
        // They have left already where all went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the strangers' process does until its standard input ends.
pub fn strangers(web: &str, sip: &str) -> ExitCode {
    let (Ok(web), Ok(sip)) = (web.parse::<SocketAddr>(), sip.parse::<u16>()) else { return ExitCode::from(2) };
    let (requests, datagrams) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    std::thread::spawn(move || hold(web));
    for request in [wrong_token(), slow_press(), without_end(), deep(), long_head()] {
        let requests = requests.clone();
        std::thread::spawn(move || {
            loop {
                match exchange(web, &request, Duration::from_secs(2)) {
                    Ok(_) => requests.fetch_add(1, Ordering::Relaxed),
                    // Every port is in use for a moment.
                    Err(_) => {
                        pause(10 * MS);
                        0
                    }
                };
            }
        });
    }
    let sent = datagrams.clone();
    std::thread::spawn(move || ring(sip, &sent));
    let _ = std::io::stdin().read(&mut [0; 1]);
    println!("{} {}", requests.load(Ordering::Relaxed), datagrams.load(Ordering::Relaxed));
    ExitCode::SUCCESS
}

/// Holds places with what breaks no rule; a place that is lost is taken again.
fn hold(web: SocketAddr) {
    let mut held: Vec<Option<TcpStream>> = (0..HOLDERS).map(|_| None).collect();
    loop {
        for place in &mut held {
            let asked = place.as_mut().map(|stream| {
                let _ = stream.set_nonblocking(true);
                let _ = stream.read(&mut [0; 1_024]);
                stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n")
            });
            if !matches!(asked, Some(Ok(()))) {
                *place = TcpStream::connect(web).ok();
            }
        }
        pause(SECOND);
    }
}

/// Calls the house from an address that is no trunk's.
fn ring(sip: u16, sent: &AtomicU64) {
    let Ok(socket) = UdpSocket::bind((IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2)), 0)) else { return };
    loop {
        let number = sent.fetch_add(1, Ordering::Relaxed);
        let invite = format!(
            "INVITE sip:+815011100001@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.2:5060;rport;branch=z9hG4bK{number}\r\n\
             Max-Forwards: 70\r\nFrom: <sip:x@127.0.0.2>;tag={number}\r\nTo: <sip:x@127.0.0.1>\r\nCall-ID: {number}\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:x@127.0.0.2>\r\nContent-Length: 0\r\n\r\n"
        );
        let _ = socket.send_to(invite.as_bytes(), (Ipv4Addr::LOCALHOST, sip));
        std::thread::sleep(DATAGRAM_EVERY);
    }
}

fn post(path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

fn wrong_token() -> Vec<u8> {
    post("/v1/incidents", "Authorization: Bearer hansho_wrong\r\n", b"{}")
}

/// A press that could be Slack's, as far as its head says, and is as long as nothing should be.
fn slow_press() -> Vec<u8> {
    let time = now() / SECOND;
    let headers = format!("X-Slack-Request-Timestamp: {time}\r\nX-Slack-Signature: v0={}\r\n", "0".repeat(64));
    post("/in/slack", &headers, &vec![b'x'; 1 << 20])
}

fn without_end() -> Vec<u8> {
    let head = b"POST /v2/enqueue HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    let chunk = [b"400\r\n".as_slice(), &[b'x'; 1_024], b"\r\n"].concat();
    [head, chunk.repeat(60)].concat()
}

fn deep() -> Vec<u8> {
    post("/v2/enqueue", "Content-Type: application/json\r\n", "{\"a\":".repeat(10_000).as_bytes())
}

fn long_head() -> Vec<u8> {
    let header = format!("X-Long: {}\r\n", "x".repeat(300_000));
    format!("GET /healthz HTTP/1.1\r\nHost: h\r\n{header}\r\n").into_bytes()
}
