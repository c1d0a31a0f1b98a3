//! Passes a received message on with changes: what a proxy does to Via, Route, Record-Route, Max-Forwards and
//! the Request-URI (RFC 3261 §16.6, §16.7). Lines nobody touches stay in their order, word for word.

use core::net::SocketAddr;

use super::build::stamp_first;
use super::scan::{self, one_line};
use super::{List, Message, Name};

/// A message being changed.
#[derive(Clone, Debug)]
pub struct Edit {
    start: String,
    fields: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Edit {
    /// `message`, unchanged so far.
    pub fn of(message: &Message) -> Edit {
        let start = message.head().split('\n').next().unwrap_or_default();
        // Without a header line behind it, it is the last line of the head, whose end is cut off behind its CR.
        let start = start.strip_suffix('\r').unwrap_or(start).to_owned();
        let fields = message.fields().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Edit { start, fields, body: message.body().to_vec() }
    }

    /// Puts a line before the first one called `name`, or before all others.
    pub fn push_front(mut self, name: Name, value: impl AsRef<str>) -> Edit {
        let place = self.place(&name).unwrap_or(0);
        self.fields.insert(place, (name.as_str().to_owned(), one_line(value.as_ref()).into_owned()));
        self
    }

    /// Takes away the first value of a list: one Via, one Route. A line with more values keeps the others.
    pub fn remove_first(mut self, name: Name) -> Edit {
        if let Some(place) = self.place(&name)
            && let Some((_, line)) = self.fields.get_mut(place)
        {
            let rest = List::of(line).skip(1).collect::<Vec<_>>().join(", ");
            if rest.is_empty() {
                self.fields.remove(place);
            } else {
                *line = rest;
            }
        }
        self
    }

    /// Takes away every line called `name`.
    pub fn remove_all(mut self, name: Name) -> Edit {
        self.fields.retain(|(field, _)| !is(field, &name));
        self
    }

    /// Replaces all lines called `name` by one, which stands where the first stood.
    pub fn set(mut self, name: Name, value: impl AsRef<str>) -> Edit {
        let place = self.place(&name).unwrap_or(self.fields.len());
        self = self.remove_all(name);
        let place = place.min(self.fields.len());
        self.fields.insert(place, (name.as_str().to_owned(), one_line(value.as_ref()).into_owned()));
        self
    }

    /// Sets the Request-URI; a response stays as it is.
    pub fn set_uri(mut self, uri: &str) -> Edit {
        let mut words = self.start.splitn(3, ' ');
        if let (Some(method), Some(_), Some(version)) = (words.next(), words.next(), words.next())
            && !method.contains('/')
        {
            let uri: String = uri.chars().filter(|c| !c.is_whitespace() && !c.is_control()).collect();
            self.start = format!("{method} {uri} {version}");
        }
        self
    }

    /// Fills in `received` and `rport` of the topmost Via for a request that came from `source`
    /// (RFC 3261 §18.2.1, RFC 3581 §4).
    pub fn received_from(mut self, source: SocketAddr) -> Edit {
        if let Some((_, line)) = self.fields.iter_mut().find(|(name, _)| is(name, &Name::Via)) {
            *line = stamp_first(line, source);
        }
        self
    }

    /// The whole message.
    pub fn finish(self) -> Vec<u8> {
        let fields = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let fields = fields.filter(|(name, _)| !is(name, &Name::ContentLength));
        write_message(&self.start, fields, &self.body)
    }

    fn place(&self, name: &Name) -> Option<usize> {
        self.fields.iter().position(|(field, _)| is(field, name))
    }
}

/// Is a header written as `field` the one called `name`, in its full or its compact form?
fn is(field: &str, name: &Name) -> bool {
    Name::known(field).map_or_else(|| field.eq_ignore_ascii_case(name.as_str()), |known| known == *name)
}

/// A message of these parts, Content-Length last. Names that are no token are left out with their value.
fn write_message<'a>(start: &str, fields: impl Iterator<Item = (&'a str, &'a str)>, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(512 + body.len());
    bytes.extend_from_slice(start.as_bytes());
    for (name, value) in fields.filter(|(name, _)| scan::is_token(name)) {
        for part in ["\r\n", name, ": ", value] {
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    bytes.extend_from_slice(format!("\r\nContent-Length: {}\r\n\r\n", body.len()).as_bytes());
    bytes.extend_from_slice(body);
    bytes
}
