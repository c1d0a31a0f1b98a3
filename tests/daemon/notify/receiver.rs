//! A web server in a thread, by hand: it keeps every request and answers as it was told to.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::LIMIT;

/// How a request is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// 200 with this body.
    Body(String),
    /// This status line's code and more header lines, each with its line end.
    Status(u16, String),
    /// 200 with a body of so many bytes, sent as long as somebody reads.
    Endless,
    /// Nothing, until the other end gives up.
    Silence,
    /// The connection is closed without a word.
    Close,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Request {
    pub path: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or_else(|| panic!("no {name} in {:?}", self.headers), |(_, value)| value)
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|why| panic!("{why}: {}", self.body))
    }

    pub fn key(&self) -> &str {
        self.header("Idempotency-Key")
    }
}

#[derive(Default)]
struct State {
    requests: Vec<Request>,
    replies: VecDeque<Reply>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    /// What is answered when nothing else is asked for.
    usual: Reply,
    stop: AtomicBool,
}

/// The server.
pub struct Receiver {
    shared: Arc<Shared>,
    address: SocketAddr,
}

impl Receiver {
    /// Answers every request with this.
    pub fn that_answers(usual: Reply) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        let shared =
            Arc::new(Shared { state: Mutex::default(), changed: Condvar::new(), usual, stop: AtomicBool::new(false) });
        let own = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let own = own.clone();
                if own.stop.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::spawn(move || own.serve(stream));
            }
        });
        Receiver { shared, address }
    }

    /// Answers 200.
    pub fn new() -> Receiver {
        Receiver::that_answers(Reply::Body("ok".to_owned()))
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The next requests are answered so, one each.
    pub fn replies(&self, replies: impl IntoIterator<Item = Reply>) {
        self.shared.lock().replies.extend(replies);
    }

    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// Waits until the requests so far are as wanted.
    pub fn until<T>(&self, what: &str, look: impl FnMut(&[Request]) -> Option<T>) -> T {
        self.within(LIMIT, look).unwrap_or_else(|| panic!("waited for {what}; came: {:#?}", self.requests()))
    }

    /// Waits so long for it.
    pub fn within<T>(&self, limit: Duration, mut look: impl FnMut(&[Request]) -> Option<T>) -> Option<T> {
        let end = Instant::now() + limit;
        let mut state = self.shared.lock();
        loop {
            if let Some(found) = look(&state.requests) {
                return Some(found);
            }
            // Woken now and then: what is looked at may not be here alone.
            let left = end.checked_duration_since(Instant::now())?.min(Duration::from_millis(200));
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits for an event of this name, and gives the request.
    pub fn event(&self, name: &str) -> Request {
        self.until(name, |requests| requests.iter().find(|request| request.json()["event"] == name).cloned())
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn serve(&self, stream: TcpStream) {
        let _ = stream.set_read_timeout(Some(LIMIT));
        let Ok(mut out) = stream.try_clone() else { return };
        let Some(request) = read(&mut BufReader::new(&stream)) else { return };
        let reply = {
            let mut state = self.lock();
            state.requests.push(request);
            state.replies.pop_front().unwrap_or_else(|| self.usual.clone())
        };
        self.changed.notify_all();
        let _ = match reply {
            Reply::Body(body) => {
                out.write_all(head(200, &format!("Content-Length: {}\r\n", body.len()), &body).as_bytes())
            }
            Reply::Status(code, headers) => {
                out.write_all(head(code, &format!("{headers}Content-Length: 0\r\n"), "").as_bytes())
            }
            Reply::Endless => endless(&mut out),
            // Until the other end has had enough.
            Reply::Silence => (&stream).read(&mut [0]).map(|_| ()),
            Reply::Close => Ok(()),
        };
    }
}

fn head(code: u16, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {code} Word\r\nConnection: close\r\n{headers}\r\n{body}")
}

fn endless(out: &mut TcpStream) -> std::io::Result<()> {
    out.set_write_timeout(Some(Duration::from_secs(2)))?;
    out.write_all(head(200, "Content-Length: 999999999999\r\n", "").as_bytes())?;
    loop {
        out.write_all(&[b'x'; 4_096])?;
    }
}

fn read(from: &mut impl BufRead) -> Option<Request> {
    let mut line = || {
        let mut text = String::new();
        from.read_line(&mut text).ok().filter(|length| *length > 0)?;
        Some(text.trim_end().to_owned())
    };
    let path = line()?.split(' ').nth(1)?.to_owned();
    let mut headers = Vec::new();
    while let Some(text) = line().filter(|text| !text.is_empty()) {
        let (name, value) = text.split_once(": ")?;
        headers.push((name.to_owned(), value.to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: usize = length.and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    from.read_exact(&mut body).ok()?;
    Some(Request { path, headers, body: String::from_utf8(body).ok()? })
}
