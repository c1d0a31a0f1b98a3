//! The client transaction of an INVITE (RFC 3261 §17.1.1, RFC 6026 §7.2).
//!
//! It sends the INVITE again until something answers, acknowledges a refusal, and stays on for a while after
//! a 200, because every copy of a 200 wants its ACK again. It never decides what a response means: that is
//! the call's part.
//!
//! Easy to get wrong: the ACK to a refusal belongs to this transaction (same branch); the ACK to a 200 does
//! not (a branch of its own, along the route of the dialog), so the call makes it and leaves a copy here. Two
//! 200s with different To tags come from two phones; and one may come behind a refusal, because a proxy that has given up
//! hands on what it hears then (RFC 3261 §16.7), and somebody has picked up a telephone.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Calling | 1xx | Proceeding | tell |
//! | Calling | 2xx | Accepted | tell |
//! | Calling | 3xx-6xx | Completed | ack, tell |
//! | Calling | timer A | Calling | request |
//! | Calling | timer B | Terminated | timeout |
//! | Proceeding | 1xx | Proceeding | tell |
//! | Proceeding | 2xx | Accepted | tell |
//! | Proceeding | 3xx-6xx | Completed | ack, tell |
//! | Accepted | 2xx | Accepted | tell |
//! | Accepted | 2xx again | Accepted | ack |
//! | Accepted | timer M | Terminated | - |
//! | Completed | 2xx | Accepted | tell |
//! | Completed | 3xx-6xx | Completed | ack |
//! | Completed | timer D | Terminated | - |
//!
//! Over a connection nothing is lost on the way: there is no timer A, and timer D is zero, so that Completed is
//! Terminated at once. A connection that breaks before anything was heard ends Calling as timer B does.

use crate::base::{Outbox, Time};
use crate::sip::timers::{GIVE_UP, Resend, TIMER_D};
use crate::sip::transactions::Told;
use crate::sip::{Hop, Output};

/// More phones than this answering one INVITE are not acknowledged a second time.
const MAX_ACKS: usize = 8;

/// One INVITE on its way.
#[derive(Debug)]
pub struct ClientInvite {
    to: Hop,
    request: Vec<u8>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing heard yet.
    Calling {
        /// None over a connection.
        again: Option<Resend>,
        give_up: Time,
    },
    /// A provisional response came; the network does not lose the INVITE any more.
    Proceeding,
    /// A 200 came; others and copies may follow.
    Accepted {
        acks: Vec<Ack>,
        until: Time,
    },
    /// A refusal came; copies are acknowledged again.
    Completed {
        ack: Vec<u8>,
        until: Time,
    },
    Terminated,
}

/// The ACK to one phone's 200.
#[derive(Debug)]
struct Ack {
    tag: String,
    to: Hop,
    bytes: Vec<u8>,
}

/// What the transaction needs to know of a response.
#[derive(Clone, Copy, Debug)]
pub enum Answer<'a> {
    /// 1xx.
    Provisional,
    /// 2xx, with its To tag.
    Success(&'a str),
    /// 3xx to 6xx, with the ACK that belongs to it.
    Refusal(&'a [u8]),
}

impl ClientInvite {
    /// Sends `request` to `to`.
    pub fn start(now: Time, to: Hop, request: Vec<u8>, out: &mut Outbox<Output>) -> ClientInvite {
        let kept = request.clone();
        out.push(Output::Send { to, bytes: request });
        let again = (!to.is_reliable()).then(|| Resend::doubling(now));
        ClientInvite { to, request: kept, state: State::Calling { again, give_up: now + GIVE_UP } }
    }

    /// Takes over an INVITE that a former life of the process sent: something is known to have rung.
    pub fn resume(to: Hop, request: Vec<u8>) -> ClientInvite {
        ClientInvite { to, request, state: State::Proceeding }
    }

    /// The INVITE as it was sent; CANCEL and the ACK to a refusal are made from it. Empty once there is a 200, after
    /// which there is neither.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Where it was sent.
    pub fn to(&self) -> Hop {
        self.to
    }

    /// A response with our branch arrived.
    pub fn on_response(&mut self, now: Time, answer: Answer<'_>, out: &mut Outbox<Output>) -> Told {
        match (&mut self.state, answer) {
            (State::Calling { .. } | State::Proceeding, Answer::Provisional) => {
                self.state = State::Proceeding;
                Told::Tell
            }
            (State::Calling { .. } | State::Proceeding | State::Completed { .. }, Answer::Success(_)) => {
                self.request = Vec::new();
                self.state = State::Accepted { acks: Vec::with_capacity(1), until: now + GIVE_UP };
                Told::Tell
            }
            (State::Calling { .. } | State::Proceeding, Answer::Refusal(ack)) => {
                out.push(Output::Send { to: self.to, bytes: ack.to_vec() });
                self.state = match self.to.is_reliable() {
                    false => State::Completed { ack: ack.to_vec(), until: now + TIMER_D },
                    true => State::Terminated,
                };
                Told::Tell
            }
            (State::Accepted { acks, .. }, Answer::Success(tag)) => match acks.iter().find(|ack| ack.tag == tag) {
                Some(ack) => {
                    out.push(Output::Send { to: ack.to, bytes: ack.bytes.clone() });
                    Told::Nothing
                }
                None => Told::Tell,
            },
            (State::Completed { ack, .. }, Answer::Refusal(_)) => {
                out.push(Output::Send { to: self.to, bytes: ack.clone() });
                Told::Nothing
            }
            (State::Accepted { .. } | State::Completed { .. } | State::Terminated, _) => Told::Nothing,
        }
    }

    /// Sends the ACK to the 200 with this To tag, and again for each of its copies.
    pub fn acknowledge(&mut self, tag: &str, to: Hop, bytes: Vec<u8>, out: &mut Outbox<Output>) {
        if let State::Accepted { acks, .. } = &mut self.state
            && acks.len() < MAX_ACKS
        {
            acks.push(Ack { tag: tag.to_owned(), to, bytes: bytes.clone() });
        }
        out.push(Output::Send { to, bytes });
    }

    /// Sends no more copies, and still waits for what the first one leads to.
    pub fn hush(&mut self) {
        if let State::Calling { again, .. } = &mut self.state {
            *again = None;
        }
    }

    /// Gives up waiting for an answer.
    pub fn abandon(&mut self) {
        self.state = State::Terminated;
    }

    /// The connection it was sent over is gone. What rings goes on ringing: its answer may come over another one.
    pub fn on_lost(&mut self) -> Told {
        match self.state {
            State::Calling { .. } => {
                self.state = State::Terminated;
                Told::TimedOut
            }
            State::Proceeding | State::Accepted { .. } | State::Completed { .. } | State::Terminated => Told::Nothing,
        }
    }

    /// True while no final response has come.
    pub fn is_waiting(&self) -> bool {
        matches!(self.state, State::Calling { .. } | State::Proceeding)
    }

    /// Nothing more can happen.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Terminated)
    }

    /// When to call [`ClientInvite::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        match &self.state {
            State::Calling { again, give_up } => Some(again.map_or(*give_up, |again| again.at.min(*give_up))),
            State::Accepted { until, .. } | State::Completed { until, .. } => Some(*until),
            State::Proceeding | State::Terminated => None,
        }
    }

    /// Timers A, B, D and M.
    pub fn on_deadline(&mut self, now: Time, out: &mut Outbox<Output>) -> Told {
        match &mut self.state {
            State::Calling { give_up, .. } if *give_up <= now => {
                self.state = State::Terminated;
                Told::TimedOut
            }
            State::Calling { again: Some(again), .. } if again.at <= now => {
                *again = again.next(now);
                out.push(Output::Send { to: self.to, bytes: self.request.clone() });
                Told::Nothing
            }
            State::Accepted { until, .. } | State::Completed { until, .. } if *until <= now => {
                self.state = State::Terminated;
                Told::Nothing
            }
            _ => Told::Nothing,
        }
    }
}

#[cfg(test)]
#[path = "tests/client_invite.rs"]
mod tests;
