//! The client transaction of everything but INVITE (RFC 3261 §17.1.2).
//!
//! It sends the request again until a final response comes, at intervals that grow to four seconds, and then
//! swallows copies of that response for a while. It never decides what a response means.
//!
//! Easy to get wrong: a provisional response slows the sending down but does not stop it; timer F keeps
//! running all the while.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Trying | 1xx | Proceeding | tell |
//! | Trying | 2xx-6xx | Completed | tell |
//! | Trying | timer E | Trying | request |
//! | Trying | timer F | Terminated | timeout |
//! | Proceeding | 1xx | Proceeding | tell |
//! | Proceeding | 2xx-6xx | Completed | tell |
//! | Proceeding | timer E | Proceeding | request |
//! | Proceeding | timer F | Terminated | timeout |
//! | Completed | timer K | Terminated | - |
//!
//! Over a connection there is no timer E, and timer K is zero, so that Completed is Terminated at once. A connection
//! that breaks ends the waiting as timer F does.

use crate::base::{Outbox, Time};
use crate::sip::timers::{GIVE_UP, Resend, T4};
use crate::sip::transactions::Told;
use crate::sip::{Hop, Output};

/// One request on its way.
#[derive(Debug)]
pub struct ClientOther {
    to: Hop,
    request: Vec<u8>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing heard yet.
    Trying {
        /// None over a connection.
        again: Option<Resend>,
        give_up: Time,
    },
    /// A provisional response came.
    Proceeding {
        again: Option<Resend>,
        give_up: Time,
    },
    /// The final response came; copies are swallowed.
    Completed {
        until: Time,
    },
    Terminated,
}

impl ClientOther {
    /// Sends `request` to `to`.
    pub fn start(now: Time, to: Hop, request: Vec<u8>, out: &mut Outbox<Output>) -> ClientOther {
        let kept = request.clone();
        out.push(Output::Send { to, bytes: request });
        let again = (!to.is_reliable()).then(|| Resend::capped(now));
        ClientOther { to, request: kept, state: State::Trying { again, give_up: now + GIVE_UP } }
    }

    /// Where it was sent.
    pub fn to(&self) -> Hop {
        self.to
    }

    /// A response with our branch and method arrived.
    pub fn on_response(&mut self, now: Time, code: u16) -> Told {
        match (&self.state, code < 200) {
            (State::Trying { give_up, .. }, true) => {
                let again = (!self.to.is_reliable()).then(|| Resend::slowed(now));
                self.state = State::Proceeding { again, give_up: *give_up };
                Told::Tell
            }
            (State::Proceeding { .. }, true) => Told::Tell,
            (State::Trying { .. } | State::Proceeding { .. }, false) => {
                // It is not sent again.
                self.request = Vec::new();
                self.state = match self.to.is_reliable() {
                    false => State::Completed { until: now + T4 },
                    true => State::Terminated,
                };
                Told::Tell
            }
            (State::Completed { .. } | State::Terminated, _) => Told::Nothing,
        }
    }

    /// Timer F ends at `at`, if that is sooner, while nothing was heard.
    pub fn hurry(&mut self, at: Time) {
        if let State::Trying { give_up, .. } = &mut self.state {
            *give_up = (*give_up).min(at);
        }
    }

    /// The connection it was sent over is gone.
    pub fn on_lost(&mut self) -> Told {
        if !self.is_waiting() {
            return Told::Nothing;
        }
        self.state = State::Terminated;
        Told::TimedOut
    }

    /// True while no final response has come.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Trying { .. } | State::Proceeding { .. })
    }

    /// Nothing more can happen.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    /// When to call [`ClientOther::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        match &self.state {
            State::Trying { again, give_up } | State::Proceeding { again, give_up } => {
                Some(again.map_or(*give_up, |again| again.at.min(*give_up)))
            }
            State::Completed { until } => Some(*until),
            State::Terminated => None,
        }
    }

    /// Timers E, F and K.
    pub fn on_deadline(&mut self, now: Time, out: &mut Outbox<Output>) -> Told {
        match &mut self.state {
            State::Trying { give_up, .. } | State::Proceeding { give_up, .. } if *give_up <= now => {
                self.state = State::Terminated;
                Told::TimedOut
            }
            State::Trying { again: Some(again), .. } | State::Proceeding { again: Some(again), .. }
                if again.at <= now =>
            {
                *again = again.next(now);
                out.push(Output::Send { to: self.to, bytes: self.request.clone() });
                Told::Nothing
            }
            State::Completed { until } if *until <= now => {
                self.state = State::Terminated;
                Told::Nothing
            }
            _ => Told::Nothing,
        }
    }
}

#[cfg(test)]
#[path = "tests/client_other.rs"]
mod tests;
