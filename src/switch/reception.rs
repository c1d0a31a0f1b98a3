//! A caller who has no incident to join: asked for a room's PIN, or for a message that raises an incident.
//!
//! The machine knows neither rooms nor files: whether digits are a PIN it asks whoever gives it a key, and what was
//! recorded it never sees. `may_speak`: the caller is a contact, and messages raise incidents here. `may_enter`: some
//! room has a PIN.
//!
//! Easy to get wrong: a PIN ends with `#` or at the length of the longest one, so that shorter ones need their `#`; a
//! digit while the question still plays counts and stops it; a message of whoever hangs up instead of pressing `#` is a
//! message; one second of breath is none; and a key that brings nobody further wins no time, or few callers could
//! hold every place for ever.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Asking | digit | Asking | hush |
//! | Asking | PIN | Gone | join |
//! | Asking | wrong PIN | Asking | say wrong, ask |
//! | Asking | third wrong PIN | Leaving | say wrong |
//! | Asking | * | Greeting | say how, tone |
//! | Asking | time | Leaving | say no key |
//! | Asking | hung up | Gone | - |
//! | Greeting | said | Recording | record |
//! | Greeting | * | Asking | ask |
//! | Greeting | hung up | Gone | - |
//! | Recording | # | Confirming | raise, say taken |
//! | Recording | early # | Leaving | forget, say nothing |
//! | Recording | time | Confirming | raise, say taken |
//! | Recording | hung up | Gone | raise |
//! | Confirming | said | Gone | hang up |
//! | Confirming | hung up | Gone | - |
//! | Leaving | said | Gone | hang up |
//! | Leaving | hung up | Gone | - |

use core::time::Duration;

use crate::base::{Digit, Outbox, Time};

/// So many wrong PINs end a call.
pub(super) const TRIES: u32 = 3;
/// How long a key is waited for, after the question and after each digit.
const PAUSE: Duration = Duration::from_secs(10);
/// So often a caller may change between PIN and message.
const CHANGES_MAX: u32 = 4;
/// Whoever presses `#` earlier has said nothing.
const MESSAGE_MIN: Duration = Duration::from_secs(1);

/// What is said to the caller.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Word {
    /// Which PIN?
    Pin,
    /// That is none.
    WrongPin,
    /// How to leave a message.
    LeaveMessage,
    /// Now.
    Tone,
    /// The message is on its way.
    MessageTaken,
    /// There was nothing.
    NoMessage,
    /// No key came.
    NoKey,
}

/// What the reception wants done, in order.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Wish {
    /// Say this, instead of whatever is being said.
    Say(Vec<Word>),
    /// Stop saying it.
    Hush,
    /// This was no PIN.
    Wrong,
    /// Into the room with this PIN.
    Join(String),
    /// Record what the caller says from now on.
    Record,
    /// Stop recording; what was said is the message of an incident.
    Raise,
    /// Stop recording; it was nothing.
    Forget,
    /// End the call.
    HangUp,
}

/// What the caller may do, and within which bounds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Door {
    pub(super) may_enter: bool,
    pub(super) may_speak: bool,
    /// The digits of the longest PIN.
    pub(super) pin_length: usize,
    /// The longest message.
    pub(super) message_max: Duration,
}

/// One caller.
#[derive(Debug)]
pub(super) struct Reception {
    door: Door,
    state: State,
    wrong: u32,
    /// How often the caller changed between PIN and message.
    changes: u32,
}

#[derive(Debug)]
enum State {
    /// For a PIN; `until`: not while the question is still being said.
    Asking { digits: String, until: Option<Time> },
    /// How to leave a message is being said.
    Greeting,
    /// The caller speaks.
    Recording { since: Time },
    /// The message is confirmed.
    Confirming,
    /// Last words.
    Leaving,
    /// Nothing more can happen.
    Gone,
}

impl Reception {
    /// A call was just answered. `speak_first`: a message before a PIN, where both may be.
    pub(super) fn start(door: Door, speak_first: bool, out: &mut Outbox<Wish>) -> Reception {
        let mut reception = Reception { door, state: State::Gone, wrong: 0, changes: 0 };
        if door.may_speak && (speak_first || !door.may_enter) {
            reception.greet(out);
        } else {
            reception.ask(&[Word::Pin], out);
        }
        reception
    }

    /// A key; `is_pin` says whether digits are one.
    pub(super) fn on_key(&mut self, now: Time, digit: Digit, is_pin: impl Fn(&str) -> bool, out: &mut Outbox<Wish>) {
        let may_change = self.changes < CHANGES_MAX;
        match (&mut self.state, digit.as_char()) {
            (State::Asking { .. }, '*') if self.door.may_speak && may_change => {
                self.changes += 1;
                self.greet(out);
            }
            (State::Asking { digits, until }, key) if key.is_ascii_digit() || key == '#' && !digits.is_empty() => {
                if key.is_ascii_digit() {
                    digits.push(key);
                    if until.is_none() {
                        out.push(Wish::Hush);
                    }
                }
                *until = Some(now + PAUSE);
                let whole = key == '#' || digits.len() >= self.door.pin_length.max(1);
                if whole {
                    let digits = core::mem::take(digits);
                    self.judge(digits, is_pin, out);
                }
            }
            (State::Greeting, '*') if self.door.may_enter && may_change => {
                self.changes += 1;
                self.ask(&[Word::Pin], out);
            }
            (State::Recording { since }, '#') => {
                if now.since(*since) < MESSAGE_MIN {
                    out.push(Wish::Forget);
                    self.leave(Word::NoMessage, out);
                } else {
                    self.raise(out);
                }
            }
            _ => {}
        }
    }

    /// Everything was said.
    pub(super) fn on_said(&mut self, now: Time, out: &mut Outbox<Wish>) {
        match &mut self.state {
            State::Asking { until, .. } => {
                until.get_or_insert(now + PAUSE);
            }
            State::Greeting => {
                self.state = State::Recording { since: now };
                out.push(Wish::Record);
            }
            State::Confirming | State::Leaving => {
                self.state = State::Gone;
                out.push(Wish::HangUp);
            }
            State::Recording { .. } | State::Gone => {}
        }
    }

    /// The caller is gone.
    pub(super) fn on_ended(&mut self, now: Time, out: &mut Outbox<Wish>) {
        if let State::Recording { since } = self.state {
            out.push(if now.since(since) < MESSAGE_MIN { Wish::Forget } else { Wish::Raise });
        }
        self.state = State::Gone;
    }

    /// When to call [`Reception::on_deadline`].
    pub(super) fn next_deadline(&self) -> Option<Time> {
        match &self.state {
            State::Asking { until, .. } => *until,
            State::Recording { since } => Some(*since + self.door.message_max),
            State::Greeting | State::Confirming | State::Leaving | State::Gone => None,
        }
    }

    /// No key came, or the message is as long as may be.
    pub(super) fn on_deadline(&mut self, now: Time, out: &mut Outbox<Wish>) {
        if self.next_deadline().is_none_or(|at| at > now) {
            return;
        }
        match self.state {
            State::Recording { .. } => self.raise(out),
            _ => self.leave(Word::NoKey, out),
        }
    }

    fn judge(&mut self, digits: String, is_pin: impl Fn(&str) -> bool, out: &mut Outbox<Wish>) {
        if is_pin(&digits) {
            self.state = State::Gone;
            out.push(Wish::Join(digits));
            return;
        }
        self.wrong += 1;
        out.push(Wish::Wrong);
        if self.wrong >= TRIES {
            self.leave(Word::WrongPin, out);
        } else {
            self.ask(&[Word::WrongPin, Word::Pin], out);
        }
    }

    fn ask(&mut self, words: &[Word], out: &mut Outbox<Wish>) {
        self.state = State::Asking { digits: String::new(), until: None };
        out.push(Wish::Say(words.to_vec()));
    }

    fn greet(&mut self, out: &mut Outbox<Wish>) {
        self.state = State::Greeting;
        out.push(Wish::Say(vec![Word::LeaveMessage, Word::Tone]));
    }

    fn raise(&mut self, out: &mut Outbox<Wish>) {
        self.state = State::Confirming;
        out.push(Wish::Raise);
        out.push(Wish::Say(vec![Word::MessageTaken]));
    }

    fn leave(&mut self, word: Word, out: &mut Outbox<Wish>) {
        self.state = State::Leaving;
        out.push(Wish::Say(vec![word]));
    }
}

#[cfg(test)]
#[path = "tests/reception.rs"]
mod tests;
