//! The facts of an incident: what is stored, replayed, shown and audited. Nothing else is kept.

use core::fmt;
use core::time::Duration;
use serde::{Deserialize, Serialize};

use super::house::Scope;
use super::plan::Plan;
use crate::base::{ContactId, Digit, Phone, Quality, RoomName, Stamp, Trigger, TrunkId};

/// Something that happened and stays so. Its incident and its moment are kept beside it.
///
/// Serialised as JSON objects tagged by `fact`; a name once used keeps its meaning for ever.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
#[allow(clippy::large_enum_variant, reason = "the large one comes once an incident, and facts are few")]
pub enum Fact {
    /// A trigger was accepted. The plan is kept whole, so that a changed configuration does not change an
    /// incident under way.
    Accepted {
        /// What came from outside.
        trigger: Trigger,
        /// Who is called, how, and what they hear.
        plan: Plan,
    },
    /// A trigger joined this incident: its deduplication key came again, or it came with a key of its own in the
    /// first moments of a storm and was bundled. Nobody is called once more for it.
    Again {
        /// What came from outside.
        trigger: Trigger,
    },
    /// One of the alerts bundled here is over, and others are not.
    Cleared {
        /// Its deduplication key.
        dedup: String,
        /// Who said so.
        by: String,
    },
    /// No call was made: somebody had promised to stay quiet about this.
    Suppressed {
        /// The number of the suppression.
        suppression: u32,
    },
    /// A round began, with its order.
    RoundStarted {
        /// From 1.
        round: u32,
        /// Nobody stands here twice.
        order: Vec<ContactId>,
    },
    /// A person whose turn it was is not called in this round.
    Skipped {
        /// Who.
        contact: ContactId,
        /// In words.
        reason: String,
    },
    /// A phone is being rung. With an empty handle nothing left the house: the call failed before that.
    Dialled {
        /// From 1 within the incident.
        attempt: u32,
        /// Whom.
        contact: ContactId,
        /// Where.
        phone: Phone,
        /// How to end the call after a crash.
        call: CallHandle,
    },
    /// The far end says that it rings (or plays early media).
    Ringing {
        /// Which attempt.
        attempt: u32,
        /// 180 or 183.
        code: u16,
    },
    /// The trunk could not carry the call: it goes another way now, and is another call for whoever carries it.
    Rerouted {
        /// Which attempt.
        attempt: u32,
        /// How to end the call after a crash.
        call: CallHandle,
        /// Which way it goes, and why.
        detour: Detour,
    },
    /// The phone was picked up. By a person or by a machine: nobody knows yet.
    Answered {
        /// Which attempt.
        attempt: u32,
        /// How to end the call after a crash.
        call: CallHandle,
    },
    /// A contact of this incident called hansho's own number; the call was answered and goes into the room.
    CalledIn {
        /// Counted with the calls that hansho makes.
        attempt: u32,
        /// Who.
        contact: ContactId,
        /// From where.
        phone: Phone,
        /// How to end the call after a crash.
        call: CallHandle,
    },
    /// A key was pressed.
    Key {
        /// Which attempt.
        attempt: u32,
        /// The key.
        digit: Digit,
        /// What the guidance makes of it; `None` for a key it does not name.
        #[serde(rename = "means")]
        behaviour: Option<Behaviour>,
    },
    /// A person took the incident. With `answer = "all"` there is one such fact a person.
    Taken {
        /// Which attempt.
        attempt: u32,
        /// Who.
        contact: ContactId,
    },
    /// A person does not want to be called again in this incident, in no round.
    Left {
        /// Which attempt.
        attempt: u32,
        /// Who.
        contact: ContactId,
    },
    /// A person promised to stay quiet about this; the incident ends as suppressed.
    Quieted {
        /// Which attempt.
        attempt: u32,
        /// Who.
        contact: ContactId,
        /// For how many hours.
        hours: u32,
        /// Until then: written down with the fact ([`Fact::dated`]), because the machine knows no calendar.
        until: Stamp,
        /// About what.
        scope: Scope,
    },
    /// As many as must have taken it: the ringing stops.
    Acknowledged {
        /// Whose key completed it.
        contact: ContactId,
    },
    /// It was taken by somebody who is not on the phone: a program, a page, the command line. The ringing stops.
    Claimed {
        /// Who.
        by: String,
    },
    /// A person went into a room.
    Joined {
        /// Which attempt.
        attempt: u32,
        /// Which room.
        room: RoomName,
    },
    /// A call ended.
    Ended {
        /// Which attempt.
        attempt: u32,
        /// How, in our words.
        outcome: Outcome,
        /// The SIP status that ended it (486, 404, 200 after an answered call); `None` when there was none.
        code: Option<u16>,
        /// The reason in words: the peer's Reason or reason phrase, or what we found.
        reason: String,
        /// How well both sides heard each other; facts of short calls, and older ones, do not say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        quality: Option<Quality>,
    },
    /// Everybody was called as often as the call flow says, and nobody took it: another call flow goes on.
    Escalated {
        /// Who is called from here on, how, and what they hear.
        plan: Plan,
    },
    /// Everybody was called as often as the last call flow says, and nobody took it.
    Exhausted,
    /// An operator called it off.
    Cancelled {
        /// Who asked: `control`, a token's name.
        by: String,
    },
    /// What it was about is over.
    Resolved {
        /// Who said so.
        by: String,
    },
}

impl Fact {
    /// The fact as it is written down at `at`: a promise of hours becomes one until a moment.
    pub fn dated(mut self, at: Stamp) -> Fact {
        if let Fact::Quieted { hours, until, .. } = &mut self {
            *until = at + Duration::from_secs(3_600).saturating_mul(*hours);
        }
        self
    }

    /// The attempt whose call begins with it, goes another way or is answered, and that call.
    pub fn call(&self) -> Option<(u32, &CallHandle)> {
        match self {
            Fact::Dialled { attempt, call, .. }
            | Fact::Rerouted { attempt, call, .. }
            | Fact::Answered { attempt, call }
            | Fact::CalledIn { attempt, call, .. } => Some((*attempt, call)),
            _ => None,
        }
    }
}

/// Enough of a SIP call to end it after a crash; only the sip folder reads what is inside.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallHandle(pub String);

/// Another way that a call goes, because its trunk could not carry it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Detour {
    /// Over which trunk it did not go.
    pub from: TrunkId,
    /// Over which trunk it goes now.
    pub trunk: TrunkId,
    /// At which of its addresses.
    pub target: Option<String>,
    /// The status that said so, where there was one.
    pub code: Option<u16>,
    /// Why, in words.
    pub reason: String,
}

/// What a key does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Behaviour {
    /// I deal with it. The call ends, or goes into the guidance's room where it names one.
    Take,
    /// Not me: call the next person.
    Next,
    /// Into the room. It takes the incident as well.
    Join,
    /// Say it again.
    Repeat,
    /// Do not call me again about this.
    Leave,
    /// Nobody is to be called about the same thing for some hours, which are asked for.
    Quiet,
}

impl Behaviour {
    /// Every behaviour, for tables and messages.
    pub const ALL: [Behaviour; 6] =
        [Behaviour::Take, Behaviour::Next, Behaviour::Join, Behaviour::Repeat, Behaviour::Leave, Behaviour::Quiet];

    /// The word of the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Behaviour::Take => "take",
            Behaviour::Next => "next",
            Behaviour::Join => "join",
            Behaviour::Repeat => "repeat",
            Behaviour::Leave => "leave",
            Behaviour::Quiet => "quiet",
        }
    }
}

/// How an attempt ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// This person took the incident.
    Taken,
    /// Pressed the key for the next person.
    Passed,
    /// Does not want to be called again in this incident.
    Left,
    /// Promised to stay quiet about the same thing for some hours.
    Quieted,
    /// Answered and pressed no key that counts.
    Ignored,
    /// Rang until the ring timeout, or 408, 480 and the like from the far end.
    NoAnswer,
    /// 486 or 600.
    Busy,
    /// 603 and the like.
    Rejected,
    /// 404, 410, 484: the number leads nowhere.
    Unreachable,
    /// The trunk, the network or hansho itself failed.
    Failed,
    /// We ended it: somebody else took it, it was cancelled or resolved.
    Cancelled,
}

impl Outcome {
    /// The word that events, tables and documents use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Outcome::Taken => "taken",
            Outcome::Passed => "passed",
            Outcome::Left => "left",
            Outcome::Quieted => "quieted",
            Outcome::Ignored => "ignored",
            Outcome::NoAnswer => "no_answer",
            Outcome::Busy => "busy",
            Outcome::Rejected => "rejected",
            Outcome::Unreachable => "unreachable",
            Outcome::Failed => "failed",
            Outcome::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Heard;
    use crate::incident::tests::{any_plan, any_trigger};

    fn any_detour() -> Detour {
        let (from, trunk) = (TrunkId::parse("main").unwrap(), TrunkId::parse("spare").unwrap());
        Detour { from, trunk, target: Some("192.0.2.1:5060".into()), code: Some(503), reason: "半鐘".into() }
    }

    #[test]
    fn a_stored_fact_reads_back_as_it_was_written_under_the_name_it_always_had() {
        let contact = ContactId::parse("当番").unwrap();
        let phone = Phone::parse("+818012345678").unwrap();
        let call = CallHandle("handle".to_owned());
        let mut plan = any_plan();
        plan.guidance.room = RoomName::parse("war-room").ok();
        let digit = Digit::from_char('#').unwrap();
        let scope = Scope { dedup: Some("disk".to_owned()), ..Scope::default() };
        let facts = [
            ("accepted", Fact::Accepted { trigger: any_trigger(), plan }),
            ("round_started", Fact::RoundStarted { round: 1, order: vec![contact.clone()] }),
            (
                "dialled",
                Fact::Dialled { attempt: 1, contact: contact.clone(), phone: phone.clone(), call: call.clone() },
            ),
            ("ringing", Fact::Ringing { attempt: 1, code: 183 }),
            ("rerouted", Fact::Rerouted { attempt: 1, call: call.clone(), detour: any_detour() }),
            ("answered", Fact::Answered { attempt: 1, call: call.clone() }),
            ("called_in", Fact::CalledIn { attempt: 2, contact: contact.clone(), phone, call }),
            ("key", Fact::Key { attempt: 1, digit, behaviour: None }),
            ("key", Fact::Key { attempt: 1, digit, behaviour: Some(Behaviour::Take) }),
            ("taken", Fact::Taken { attempt: 1, contact: contact.clone() }),
            ("acknowledged", Fact::Acknowledged { contact: contact.clone() }),
            ("joined", Fact::Joined { attempt: 1, room: RoomName::parse("war-room").unwrap() }),
            (
                "ended",
                Fact::Ended {
                    attempt: 1,
                    outcome: Outcome::NoAnswer,
                    code: Some(487),
                    reason: "半鐘".to_owned(),
                    quality: None,
                },
            ),
            ("exhausted", Fact::Exhausted),
            ("again", Fact::Again { trigger: any_trigger() }),
            ("cleared", Fact::Cleared { dedup: "disk".to_owned(), by: "control".to_owned() }),
            ("suppressed", Fact::Suppressed { suppression: 3 }),
            ("skipped", Fact::Skipped { contact: contact.clone(), reason: "asleep".to_owned() }),
            ("left", Fact::Left { attempt: 1, contact: contact.clone() }),
            ("quieted", Fact::Quieted { attempt: 1, contact, hours: 12, until: Stamp::default(), scope }),
            ("claimed", Fact::Claimed { by: "slack".to_owned() }),
            ("escalated", Fact::Escalated { plan: any_plan() }),
            ("cancelled", Fact::Cancelled { by: "control".to_owned() }),
            ("resolved", Fact::Resolved { by: "control".to_owned() }),
        ];
        for (name, fact) in facts {
            let written = serde_json::to_value(&fact).unwrap();
            assert_eq!(written["fact"], name);
            assert_eq!(serde_json::from_value::<Fact>(written.clone()).unwrap(), fact, "{written}");
            let text = written.to_string();
            assert_eq!(serde_json::from_str::<Fact>(&text).unwrap(), fact, "{text}");
        }
    }
    #[test]
    fn an_end_says_how_well_the_call_was_heard_and_one_of_an_older_journal_is_read_all_the_same() {
        let older = r#"{"fact":"ended","attempt":1,"outcome":"busy","code":486,"reason":"Busy Here"}"#;
        let fact: Fact = serde_json::from_str(older).unwrap();
        let Fact::Ended { quality: None, attempt, outcome, code, reason } = fact.clone() else { panic!("{fact:?}") };
        assert_eq!(serde_json::to_string(&fact).unwrap(), older, "what is not known is not written");
        let there = Some(Heard { packets: 100, lost: 12, jitter_ms: 4 });
        let quality = Some(Quality { there, ..Quality::default() });
        let fact = Fact::Ended { attempt, outcome, code, reason, quality };
        assert_eq!(serde_json::from_str::<Fact>(&serde_json::to_string(&fact).unwrap()).unwrap(), fact);
    }

    #[test]
    fn a_promise_of_hours_is_written_down_as_one_until_a_moment() {
        let contact = ContactId::parse("a").unwrap();
        let (until, scope) = (Stamp::default(), Scope::default());
        let fact = Fact::Quieted { attempt: 1, contact, hours: 2, until, scope };
        let Fact::Quieted { until, .. } = fact.dated(Stamp::from_unix_micros(5)) else { panic!("another fact") };
        assert_eq!(until, Stamp::from_unix_micros(2 * 3_600_000_000 + 5));
    }

    #[test]
    fn the_facts_of_an_older_journal_are_read_with_what_was_usual_then() {
        let plan = serde_json::to_value(any_plan()).unwrap();
        let mut old = serde_json::json!({ "fact": "accepted", "trigger": any_trigger(), "plan": plan });
        for (part, key) in [
            ("call_flow", "bundle"),
            ("call_flow", "taken_for"),
            ("guidance", "challenge"),
            ("guidance", "explains_keys"),
            ("guidance", "inter_key_timeout"),
        ] {
            old["plan"][part].as_object_mut().unwrap().remove(key).unwrap();
        }
        let Ok(Fact::Accepted { plan, .. }) = serde_json::from_value(old) else { panic!("not read") };
        assert_eq!((plan.call_flow.bundle, plan.guidance.challenge, plan.then), (Duration::ZERO, false, None));
        assert!(plan.contacts[0].hours.is_always());
    }
}
