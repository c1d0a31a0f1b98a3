//! The server transaction of an INVITE (RFC 3261 §17.2.1, RFC 6026 §7.1).
//!
//! It answers copies of the INVITE with whatever was answered last, and sends a refusal again until it is
//! acknowledged. It never makes a response of its own.
//!
//! Easy to get wrong: it does not send a 200 again. That is the dialog's part, because the ACK to a 200 comes
//! with a branch of its own and does not find this transaction; where it does, because its sender knows no better or is
//! of RFC 2543, it is the dialog's all the same.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Proceeding | INVITE | Proceeding | response |
//! | Proceeding | send 1xx | Proceeding | response |
//! | Proceeding | send 2xx | Accepted | response |
//! | Proceeding | send 3xx-6xx | Completed | response |
//! | Accepted | ACK | Accepted | tell |
//! | Accepted | timer L | Terminated | - |
//! | Completed | INVITE | Completed | response |
//! | Completed | ACK | Confirmed | - |
//! | Completed | timer G | Completed | response |
//! | Completed | timer H | Terminated | timeout |
//! | Confirmed | timer I | Terminated | - |
//!
//! Over a connection there is no timer G, and timer I is zero, so that Confirmed is Terminated at once.

use crate::base::{Outbox, Time};
use crate::sip::timers::{GIVE_UP, Resend, T4};
use crate::sip::transactions::Told;
use crate::sip::{Hop, Output};

/// One INVITE to be answered.
#[derive(Debug)]
pub struct ServerInvite {
    /// Where responses go.
    to: Hop,
    state: State,
}

#[derive(Debug)]
enum State {
    /// No final response yet; the last provisional one, when there was one.
    Proceeding {
        last: Option<Vec<u8>>,
    },
    /// A 200 was sent; copies of the INVITE are swallowed.
    Accepted {
        until: Time,
    },
    /// A refusal was sent and is not acknowledged.
    Completed {
        response: Vec<u8>,
        /// None over a connection.
        again: Option<Resend>,
        give_up: Time,
    },
    /// The refusal is acknowledged; copies of the ACK are swallowed.
    Confirmed {
        until: Time,
    },
    Terminated,
}

impl ServerInvite {
    /// A new INVITE came; answers go to `to`.
    pub fn new(to: Hop) -> ServerInvite {
        ServerInvite { to, state: State::Proceeding { last: None } }
    }

    /// A copy of the INVITE arrived.
    pub fn on_request(&mut self, out: &mut Outbox<Output>) {
        if let State::Proceeding { last: Some(bytes) } | State::Completed { response: bytes, .. } = &self.state {
            out.push(Output::Send { to: self.to, bytes: bytes.clone() });
        }
    }

    /// An ACK with the branch of the INVITE arrived.
    pub fn on_ack(&mut self, now: Time) -> Told {
        match self.state {
            State::Accepted { .. } => return Told::Tell,
            State::Completed { .. } if self.to.is_reliable() => self.state = State::Terminated,
            State::Completed { .. } => self.state = State::Confirmed { until: now + T4 },
            State::Proceeding { .. } | State::Confirmed { .. } | State::Terminated => {}
        }
        Told::Nothing
    }

    /// Answers. A second final response is not sent.
    pub fn respond(&mut self, now: Time, code: u16, bytes: Vec<u8>, out: &mut Outbox<Output>) {
        let State::Proceeding { .. } = self.state else { return };
        out.push(Output::Send { to: self.to, bytes: bytes.clone() });
        let again = (!self.to.is_reliable()).then(|| Resend::capped(now));
        self.state = match code {
            0..200 => State::Proceeding { last: Some(bytes) },
            200..300 => State::Accepted { until: now + GIVE_UP },
            _ => State::Completed { response: bytes, again, give_up: now + GIVE_UP },
        };
    }

    /// True while we owe an answer, or wait for the ACK to a refusal.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Proceeding { .. } | State::Completed { .. })
    }

    /// Nothing more can happen.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    /// When to call [`ServerInvite::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        match &self.state {
            State::Completed { again, give_up, .. } => Some(again.map_or(*give_up, |again| again.at.min(*give_up))),
            State::Accepted { until } | State::Confirmed { until } => Some(*until),
            State::Proceeding { .. } | State::Terminated => None,
        }
    }

    /// Timers G, H, I and L.
    pub fn on_deadline(&mut self, now: Time, out: &mut Outbox<Output>) -> Told {
        match &mut self.state {
            State::Completed { give_up, .. } if *give_up <= now => {
                self.state = State::Terminated;
                Told::TimedOut
            }
            State::Completed { response, again: Some(again), .. } if again.at <= now => {
                *again = again.next(now);
                out.push(Output::Send { to: self.to, bytes: response.clone() });
                Told::Nothing
            }
            State::Accepted { until } | State::Confirmed { until } if *until <= now => {
                self.state = State::Terminated;
                Told::Nothing
            }
            _ => Told::Nothing,
        }
    }
}

#[cfg(test)]
#[path = "tests/server_invite.rs"]
mod tests;
