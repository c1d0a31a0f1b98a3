//! Short messages: stored, then sent over a trunk as SIP MESSAGE or handed to the shell's gateway, and tried again.
//!
//! What was stored and neither sent nor given up goes on after a restart. A message may therefore arrive twice, and
//! never not at all without a word. The gateway tries again by itself; what it says is final.
//!
//! Easy to get wrong: a text may hold a hotline's link, and the journal must not; it stands there as `{link 7}`, and
//! the link is put in its place when the message leaves (see [`hotline`](super::hotline)).
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | | a message | Sending | stores it queued; sends it |
//! | Sending | sent | gone | stores it sent |
//! | Sending | given back | Sending | sends it the present way |
//! | Sending | refused, and another trunk is left | Sending | sends it there |
//! | Sending | refused | gone | stores it failed |
//! | Sending | unheard, or not now | Resting | |
//! | Sending | the same for the last time | gone | stores it failed |
//! | Resting | time | Sending | sends it |

use core::time::Duration;
use std::collections::BTreeMap;

use super::batch::Act;
use super::desk::Switch;
use super::tell::What;
use crate::base::{Phone, Stamp, Time, TrunkId};
use crate::incident::{Entry, HouseFact};
use crate::sip::TEXT_MAX;

/// By which way short messages leave.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum SmsWay {
    /// As SIP MESSAGE over the trunks.
    #[default]
    Trunk,
    /// By the shell: [`Act::Message`], answered with [`Input::MessageDone`](super::Input::MessageDone).
    Gateway,
}

/// So many times a message is tried over trunks that do not take it now: some five minutes.
const TRIES: u32 = 8;
/// The first pause between two tries; each is twice as long as the one before.
const PAUSE_FIRST: Duration = Duration::from_secs(5);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(60);
/// More than this do not wait; what comes on top is given up at once, with a word.
const WAITING_MAX: usize = 1_000;
/// What no text from outside may hold: it stands for a link.
const MARK: &str = "{link";

/// Messages that are not sent yet.
#[derive(Debug, Default)]
pub(super) struct Post {
    waiting: BTreeMap<u32, Letter>,
    last: u32,
}

#[derive(Debug)]
struct Letter {
    to: Phone,
    /// As it stands in the journal.
    text: String,
    /// How often it was tried.
    tries: u32,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Somebody has it and will say what became of it.
    Sending,
    /// It is tried again then.
    Resting(Time),
}

impl Post {
    pub(super) fn next_deadline(&self) -> Option<Time> {
        let due = |letter: &Letter| match letter.state {
            State::Sending => None,
            State::Resting(until) => Some(until),
        };
        self.waiting.values().filter_map(due).min()
    }

    /// A fact of a former life.
    pub(super) fn restore(&mut self, now: Time, fact: &HouseFact) {
        match fact {
            HouseFact::MessageQueued { message, to, text } => {
                self.last = self.last.max(*message);
                let letter = Letter { to: to.clone(), text: text.clone(), tries: 0, state: State::Resting(now) };
                self.waiting.insert(*message, letter);
            }
            HouseFact::MessageSent { message } | HouseFact::MessageFailed { message, .. } => {
                self.waiting.remove(message);
            }
            _ => {}
        }
    }
}

impl Switch {
    /// Stores a short message and sends it; its number. What becomes of it is told as an event.
    pub fn send_message(&mut self, now: Time, to: Phone, text: &str) -> u32 {
        let number = self.post_message(now, to, text.replace(MARK, "(link"));
        self.settle(now);
        number
    }

    /// The same for a text of ours, in which a link may stand as `{link 7}`.
    pub(super) fn post_message(&mut self, now: Time, to: Phone, text: String) -> u32 {
        self.post.last = self.post.last.saturating_add(1);
        let message = self.post.last;
        self.keep_fact(now, HouseFact::MessageQueued { message, to: to.clone(), text: text.clone() });
        let full = self.post.waiting.len() >= WAITING_MAX;
        self.post.waiting.insert(message, Letter { to, text, tries: 0, state: State::Sending });
        if full {
            self.give_up(now, message, format!("{WAITING_MAX} messages wait already"));
        } else {
            self.try_message(now, message);
        }
        message
    }

    /// The trunk, or the gateway, has it.
    pub(super) fn message_sent(&mut self, now: Time, message: u32) {
        let Some(letter) = self.post.waiting.remove(&message) else { return };
        self.keep_fact(now, HouseFact::MessageSent { message });
        self.tell(None, None, None, What::MessageSent { message, to: letter.to });
    }

    /// The trunk did not take it: `code` is what it said, if anything.
    pub(super) fn message_refused(&mut self, now: Time, message: u32, code: Option<u16>, reason: String) {
        let trunks = u32::try_from(self.settings.trunks.len()).unwrap_or(u32::MAX);
        let Some(letter) = self.post.waiting.get_mut(&message) else { return };
        let later = matches!(code, None | Some(408 | 429 | 480 | 500..600));
        if !later && letter.tries < trunks {
            self.try_message(now, message);
        } else if later && letter.tries < TRIES {
            letter.state = State::Resting(now + pause(letter.tries));
        } else {
            let code = code.map(|code| format!("{code} ")).unwrap_or_default();
            self.give_up(now, message, format!("{code}{reason}"));
        }
    }

    /// The gateway said what became of it.
    pub(super) fn message_done(&mut self, now: Time, message: u32, result: Result<(), String>) {
        match result {
            Ok(()) => self.message_sent(now, message),
            Err(why) => self.give_up(now, message, why),
        }
    }

    /// The gateway gives a message back that it has not sent: it leaves by whichever way there is now.
    pub(super) fn message_back(&mut self, now: Time, message: u32) {
        if let Some(letter) = self.post.waiting.get_mut(&message) {
            letter.tries = 0;
            self.try_message(now, message);
        }
    }

    /// Tries again what has rested long enough.
    pub(super) fn post_wakes(&mut self, now: Time) {
        let due = |letter: &Letter| matches!(letter.state, State::Resting(until) if until <= now);
        let due: Vec<u32> = self.post.waiting.iter().filter(|(_, letter)| due(letter)).map(|(id, _)| *id).collect();
        due.into_iter().for_each(|message| self.try_message(now, message));
    }

    /// A fact of the house goes into the journal.
    pub(super) fn keep_fact(&mut self, now: Time, fact: HouseFact) {
        let at: Stamp = self.stamp(now);
        self.batch.facts.push(Entry::House(at, fact));
    }

    fn try_message(&mut self, now: Time, message: u32) {
        let Some(letter) = self.post.waiting.get_mut(&message) else { return };
        letter.state = State::Sending;
        letter.tries += 1;
        let (to, text, tries) = (letter.to.clone(), letter.text.clone(), letter.tries);
        let text = self.with_link(now, text);
        if self.settings.sms == SmsWay::Gateway && self.agent.user_of(&to).is_none() {
            return self.act(Act::Message { number: message, to, text });
        }
        if let Some(user) = self.agent.user_of(&to) {
            if let Err(error) = self.agent.write_to_user(now, message, &user, fitting(&text), &mut self.sip_out) {
                self.message_refused(now, message, None, error.to_string());
            }
            return;
        }
        let Some(trunk) = self.trunk_for(now, tries) else {
            return self.message_refused(now, message, None, "no trunk is registered".to_owned());
        };
        if let Err(error) = self.agent.send_message(now, message, &trunk, &to, fitting(&text), &mut self.sip_out) {
            self.message_refused(now, message, None, format!("trunk {trunk}: {error}"));
        }
    }

    /// The trunks that are up take turns, the preferred one first.
    fn trunk_for(&self, now: Time, tries: u32) -> Option<TrunkId> {
        let up = self.trunks_up(now);
        let place = usize::try_from(tries.saturating_sub(1)).unwrap_or(0).checked_rem(up.len())?;
        up.get(place).cloned()
    }

    fn give_up(&mut self, now: Time, message: u32, why: String) {
        let Some(letter) = self.post.waiting.remove(&message) else { return };
        self.keep_fact(now, HouseFact::MessageFailed { message, why: why.clone() });
        self.tell(None, None, None, What::MessageFailed { message, to: letter.to, reason: why });
    }
}

fn pause(tries: u32) -> Duration {
    PAUSE_FIRST.saturating_mul(1u32.checked_shl(tries.saturating_sub(1)).unwrap_or(u32::MAX)).min(PAUSE_MAX)
}

/// As much of a text as fits into one MESSAGE.
fn fitting(text: &str) -> &str {
    let end = (0..=text.len().min(TEXT_MAX)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    text.get(..end).unwrap_or_default()
}
