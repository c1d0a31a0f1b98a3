//! The control socket, spoken by hand: a test must be able to say what no client of ours would.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use serde_json::Value;

use super::LIMIT;

/// One connection.
pub struct Line(BufReader<UnixStream>);

impl Line {
    pub fn open(socket: &Path) -> Line {
        let stream = UnixStream::connect(socket).unwrap_or_else(|why| panic!("{}: {why}", socket.display()));
        stream.set_read_timeout(Some(LIMIT)).expect("a socket has a time limit");
        Line(BufReader::new(stream))
    }

    /// Sends bytes as they are; false when the daemon has closed.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.get_mut().write_all(bytes).is_ok()
    }

    /// The next line; `None` when the daemon closed the connection.
    pub fn hears(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.0.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap_or_else(|why| panic!("{why}: {line}"))),
            Err(why) if why.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(why) => panic!("no line came within {} s: {why}", LIMIT.as_secs()),
        }
    }

    /// One request, one answer.
    pub fn ask(&mut self, request: &Value) -> Value {
        self.send(format!("{request}\n").as_bytes());
        self.hears().unwrap_or_else(|| panic!("closed instead of an answer to {request}"))
    }

    /// True when nothing but the end is left.
    pub fn is_closed(&mut self) -> bool {
        !matches!(self.0.read(&mut [0; 1]), Ok(1..))
    }
}

/// A connection that watches.
pub struct Watch {
    line: Line,
    heard: Vec<Value>,
}

impl Watch {
    pub fn start(socket: &Path) -> Watch {
        let mut line = Line::open(socket);
        assert_eq!(line.ask(&serde_json::json!({ "op": "watch" }))["ok"], true);
        Watch { line, heard: Vec::new() }
    }

    /// Waits for an event with these fields; told earlier counts as well.
    pub fn until(&mut self, event: &str, fields: &[(&str, Value)]) -> Value {
        let fits = |told: &Value| told["event"] == event && fields.iter().all(|(field, value)| told[*field] == *value);
        if let Some(told) = self.heard.iter().find(|told| fits(told)) {
            return told.clone();
        }
        let end = Instant::now() + LIMIT;
        loop {
            let told = self.line.hears();
            let told = told.unwrap_or_else(|| panic!("the daemon ended before {event} {fields:?}: {}", self.story()));
            self.heard.push(told.clone());
            if fits(&told) {
                return told;
            }
            assert!(Instant::now() < end, "no {event} {fields:?}: {}", self.story());
        }
    }

    /// Everything told so far, a line each.
    pub fn story(&self) -> String {
        self.heard.iter().map(|told| format!("\n  {told}")).collect()
    }

    /// Everything told so far.
    pub fn heard(&self) -> &[Value] {
        &self.heard
    }
}
