//! Every SIP message of every call, kept on the way past, and shown afterwards as a ladder or as a capture file.
//!
//! | file | what it does |
//! | --- | --- |
//! | `witness` | the core's end: hands copies over, and never waits |
//! | `keeper` | the thread that masks, sorts and writes them, and answers what is asked about them |
//! | `answer` | a ladder as JSON |
//! | `pcap` | messages as a capture file |
//!
//! Nothing depends on it: a file that cannot be opened or a disk that is too slow costs pictures and no call, and is
//! said where ladders are shown.
//!
//! Easy to get wrong: a call's way through trunks may take several Call-IDs, and one person several attempts; which of
//! them belong together is what the journal says, not what stands in the messages.

mod answer;
mod keeper;
mod pcap;
mod witness;

pub use keeper::LadderHandle;
pub use witness::{Witness, start};

use serde_json::Value;

use super::ask::Reply;
use super::control::{Failure, LadderRequest};
use super::core::Core;
use crate::base::{AttemptId, IncidentId};
use crate::switch::{Event, What};

impl Core {
    /// Answers with the ladders of an incident's calls, with that of one call, or with what was said outside of calls
    /// lately.
    pub(super) fn ladder(&self, wanted: LadderRequest, reply: Reply) {
        let handle = self.witness.handle();
        let LadderRequest { incident, attempt, call, pcap } = wanted;
        let incident = match (incident, call) {
            (None, None) => return handle.ask(move |keeper| told(reply, Ok(answer::house(keeper, pcap)))),
            (None, Some(call_id)) => return handle.ask(move |keeper| told(reply, answer::one(keeper, &call_id, pcap))),
            (Some(incident), None) => incident,
            (Some(_), Some(_)) => {
                return told(
                    reply,
                    Err(Failure::new("bad_request", "a ladder is an incident's or a call's, not both")),
                );
            }
        };
        let id: IncidentId = match self.named(&incident) {
            Ok(id) => id,
            Err(failure) => return told(reply, Err(failure)),
        };
        self.history.with_facts(id, move |facts| match facts.and_then(|facts| answer::calls(id, attempt, &facts)) {
            Err(failure) => told(reply, Err(failure)),
            Ok(calls) => handle.ask(move |keeper| told(reply, answer::incident(keeper, id, &calls, pcap))),
        });
    }
}

impl LadderHandle {
    /// Hears what is told to those who watch: a call that goes another way has another Call-ID.
    pub(super) fn hear(&self, event: &Event) {
        if let (What::Rerouted { .. }, Some(incident), Some(number), Some(call_id)) =
            (&event.what, event.incident, event.attempt, &event.call_id)
        {
            self.is_way_of(call_id.clone(), AttemptId { incident, number });
        }
    }
}

fn told(reply: Reply, answer: Result<Value, Failure>) {
    // A client that went away needs no answer.
    let _ = reply.send(answer);
}

#[cfg(test)]
mod tests;
