//! From the way a call ended to our nine words for it. Pure, and never the last word: what the dialogue
//! already knows (a key was pressed, we hung up ourselves) comes before this.
//!
//! Easy to get wrong: 487 is the answer to our own CANCEL, so it says nothing about the person; 603 is a refusal, after
//! which the person's other phones are left alone, while 486 is not; and 403 is the trunk's word: it lets us not call this
//! number, and the person's next phone may be one that it does.
//!
//! | status before an answer | outcome |
//! | --- | --- |
//! | 486, 600 | busy |
//! | 433, 603, 607, 608 | rejected |
//! | 301, 302, 305, 380, 404, 410, 416, 484, 485, 604 | unreachable |
//! | 408, 480, 487 | no_answer |
//! | every other | failed |

use super::fact::Outcome;
use crate::base::Quality;

/// Who or what ended a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EndedBy {
    /// We did: `Order::HangUp`, or hansho is stopping.
    Us,
    /// The callee hung up.
    Them,
    /// A final answer of 300 and above instead of a call.
    Refused,
    /// The same, and the telephone network behind the trunk says what happened where the status leaves it open: the
    /// status that would say so.
    Network(u16),
    /// Nothing of theirs is there to be rung: no phone of theirs is registered.
    Away,
    /// Nothing was heard: no answer to the INVITE, or the media of a call fell silent for good.
    Timeout,
    /// The trunk, the network or hansho failed.
    Failed,
}

/// How a call ended, as far as signalling can tell.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CallEnd {
    /// Who or what.
    pub by: EndedBy,
    /// The SIP status, where there was one.
    pub code: Option<u16>,
    /// The peer's reason, or what we found.
    pub reason: String,
    /// How well both sides heard each other, where that was measured.
    pub quality: Option<Quality>,
}

/// What the end of a call means that nobody answered (RFC 3261 §21; 433: RFC 5079, 607: RFC 8197, 608: RFC 8688).
pub(super) fn unanswered(end: &CallEnd) -> Outcome {
    match (end.by, end.code) {
        (EndedBy::Network(code), _) | (EndedBy::Refused | EndedBy::Them, Some(code)) => refused(code),
        (EndedBy::Them, None) => Outcome::NoAnswer,
        (EndedBy::Away, _) => Outcome::Unreachable,
        (EndedBy::Refused, None) | (EndedBy::Us | EndedBy::Timeout | EndedBy::Failed, _) => Outcome::Failed,
    }
}

/// What the end of a call means that was answered and in which no key counted.
pub(super) fn answered(end: &CallEnd) -> Outcome {
    match end.by {
        EndedBy::Them => Outcome::Ignored,
        EndedBy::Us | EndedBy::Refused | EndedBy::Network(_) | EndedBy::Away | EndedBy::Timeout | EndedBy::Failed => {
            Outcome::Failed
        }
    }
}

fn refused(code: u16) -> Outcome {
    match code {
        486 | 600 => Outcome::Busy,
        433 | 603 | 607 | 608 => Outcome::Rejected,
        301 | 302 | 305 | 380 | 404 | 410 | 416 | 484 | 485 | 604 => Outcome::Unreachable,
        408 | 480 | 487 => Outcome::NoAnswer,
        _ => Outcome::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(by: EndedBy, code: Option<u16>) -> CallEnd {
        CallEnd { by, code, reason: String::new(), quality: None }
    }

    #[test]
    fn every_status_means_what_the_table_at_the_head_says() {
        let rows: Vec<(Vec<u16>, &str)> = include_str!("outcome.rs")
            .lines()
            .filter_map(|line| line.strip_prefix("//! | "))
            .skip(2)
            .filter_map(|row| row.trim_end_matches(" |").split_once(" | "))
            .map(|(codes, outcome)| (codes.split(", ").filter_map(|code| code.parse().ok()).collect(), outcome))
            .collect();
        assert_eq!(rows.len(), 5);
        for code in 300..700 {
            let said = rows.iter().find(|(codes, _)| codes.contains(&code)).map_or("failed", |(_, outcome)| outcome);
            assert_eq!(unanswered(&end(EndedBy::Refused, Some(code))).as_str(), said, "{code}");
        }
    }

    #[test]
    fn a_call_that_nothing_answered_has_failed_and_one_the_callee_ended_was_ignored() {
        assert_eq!(unanswered(&end(EndedBy::Timeout, Some(408))), Outcome::Failed);
        assert_eq!(unanswered(&end(EndedBy::Failed, None)), Outcome::Failed);
        assert_eq!(unanswered(&end(EndedBy::Them, None)), Outcome::NoAnswer);
        assert_eq!(unanswered(&end(EndedBy::Away, Some(480))), Outcome::Unreachable);
        assert_eq!(unanswered(&end(EndedBy::Network(486), Some(500))), Outcome::Busy);
        assert_eq!(answered(&end(EndedBy::Them, Some(200))), Outcome::Ignored);
        assert_eq!(answered(&end(EndedBy::Timeout, None)), Outcome::Failed);
    }
}
