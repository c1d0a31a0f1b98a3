//! The control socket as a stranger's program would use it: JSON lines, nothing of hansho's own code.

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use serde_json::Value;

use super::{LIMIT, until};

/// One event, as it came.
pub type Event = Value;

/// Asks once and returns the answer.
pub fn ask(socket: &Path, request: &Value) -> Value {
    let (answer, _) = open(socket, request);
    answer
}

/// Everything that happens, from the moment it was asked for.
pub struct Watch {
    lines: Receiver<Event>,
    seen: RefCell<Vec<Event>>,
}

impl Watch {
    /// Begins to watch; nothing that is asked for afterwards can be missed.
    pub fn start(socket: &Path, log: &Path) -> Watch {
        let (answer, lines) = open(socket, &serde_json::json!({ "op": "watch" }));
        assert_eq!(answer["ok"], true, "watch is answered: {answer}");
        let mut log = File::create(log).expect("a log can be written");
        let (send, receive) = channel();
        std::thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                let _ = writeln!(log, "{line}");
                let event = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{line}: {error}"));
                if send.send(event).is_err() {
                    return;
                }
            }
        });
        Watch { lines: receive, seen: RefCell::new(Vec::new()) }
    }

    /// The first event of this name for which all fields are as given; waits for it when it is still to come.
    pub fn until(&self, name: &str, fields: &[(&str, &str)]) -> Event {
        let end = Instant::now() + LIMIT;
        let fits = |event: &&Event| event["event"] == name && fields.iter().all(|(key, value)| is(&event[key], value));
        loop {
            if let Some(event) = self.seen.borrow().iter().find(fits) {
                return event.clone();
            }
            match self.lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(event) => self.seen.borrow_mut().push(event),
                Err(_) => panic!("{name} {fields:?} never came; what came:\n{}", self.story()),
            }
        }
    }

    /// How many events of this name came so far.
    pub fn count(&self, name: &str) -> usize {
        self.seen.borrow_mut().extend(self.lines.try_iter());
        self.seen.borrow().iter().filter(|event| event["event"] == name).count()
    }

    fn story(&self) -> String {
        self.seen.borrow().iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
    }
}

/// Is the field this, be it written as a text or as a number?
fn is(field: &Value, wanted: &str) -> bool {
    match field {
        Value::String(text) => text == wanted,
        Value::Number(number) => number.as_u64().is_some_and(|n| wanted.parse() == Ok(n)),
        _ => false,
    }
}

fn open(socket: &Path, request: &Value) -> (Value, BufReader<UnixStream>) {
    let mut stream = until("the control socket", || UnixStream::connect(socket).ok());
    stream.write_all(format!("{request}\n").as_bytes()).expect("a request can be written");
    stream.set_read_timeout(Some(LIMIT)).expect("a socket takes a limit");
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    lines.read_line(&mut line).unwrap_or_else(|error| panic!("no answer to {request}: {error}"));
    lines.get_ref().set_read_timeout(None).expect("a socket takes no limit");
    (serde_json::from_str(&line).unwrap_or_else(|error| panic!("answer to {request}: {error}: {line}")), lines)
}
