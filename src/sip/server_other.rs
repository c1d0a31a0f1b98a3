//! The server transaction of everything but INVITE (RFC 3261 §17.2.2).
//!
//! It answers copies of the request with the response that was given, for as long as copies may come. It
//! never makes a response of its own.
//!
//! Easy to get wrong: a copy that arrives before we answered gets nothing, so that the work behind the
//! request is done once.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Trying | send 1xx | Proceeding | response |
//! | Trying | send 2xx-6xx | Completed | response |
//! | Proceeding | request | Proceeding | response |
//! | Proceeding | send 1xx | Proceeding | response |
//! | Proceeding | send 2xx-6xx | Completed | response |
//! | Completed | request | Completed | response |
//! | Completed | timer J | Terminated | - |
//!
//! Over a connection no copies come: timer J is zero, so that Completed is Terminated at once.

use crate::base::{Outbox, Time};
use crate::sip::timers::GIVE_UP;
use crate::sip::{Hop, Output};

/// One request to be answered.
#[derive(Debug)]
pub struct ServerOther {
    /// Where responses go.
    to: Hop,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Not answered yet.
    Trying,
    /// Answered provisionally.
    Proceeding {
        last: Vec<u8>,
    },
    /// Answered.
    Completed {
        response: Vec<u8>,
        until: Time,
    },
    Terminated,
}

impl ServerOther {
    /// A new request came; answers go to `to`.
    pub fn new(to: Hop) -> ServerOther {
        ServerOther { to, state: State::Trying }
    }

    /// A copy of the request arrived.
    pub fn on_request(&mut self, out: &mut Outbox<Output>) {
        if let State::Proceeding { last: bytes } | State::Completed { response: bytes, .. } = &self.state {
            out.push(Output::Send { to: self.to, bytes: bytes.clone() });
        }
    }

    /// Answers. A second final response is not sent.
    pub fn respond(&mut self, now: Time, code: u16, bytes: Vec<u8>, out: &mut Outbox<Output>) {
        if let State::Completed { .. } | State::Terminated = self.state {
            return;
        }
        out.push(Output::Send { to: self.to, bytes: bytes.clone() });
        self.state = match code {
            0..200 => State::Proceeding { last: bytes },
            _ if self.to.is_reliable() => State::Terminated,
            _ => State::Completed { response: bytes, until: now + GIVE_UP },
        };
    }

    /// Nothing more can happen.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    /// When to call [`ServerOther::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        match &self.state {
            State::Completed { until, .. } => Some(*until),
            State::Trying | State::Proceeding { .. } | State::Terminated => None,
        }
    }

    /// Timer J.
    pub fn on_deadline(&mut self, now: Time) {
        if let State::Completed { until, .. } = &self.state
            && *until <= now
        {
            self.state = State::Terminated;
        }
    }
}

#[cfg(test)]
#[path = "tests/server_other.rs"]
mod tests;
