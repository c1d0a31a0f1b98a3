//! A provisional response of ours that the caller wants to acknowledge (RFC 3262 §3).
//!
//! We send one only when the caller demands it. It is sent again, at intervals that double, until the PRACK comes or
//! 32 seconds are over; then the call is to be refused.
//!
//! Easy to get wrong: RAck names our number, and the number and the method of the INVITE, and all three must fit; a
//! PRACK that fits comes in order even after the final response was sent.

use crate::base::{Outbox, Time};
use crate::sip::repeat::Repeat;
use crate::sip::{Hop, Output};
use crate::wire::sip::{CSeq, Message, Method, Name};

/// The response, and what a PRACK of it says.
#[derive(Debug)]
pub struct Reliable {
    rseq: u32,
    invite_seq: u32,
    repeat: Repeat,
}

impl Reliable {
    /// The response with this RSeq just left for `to` for the first time.
    pub fn sent(now: Time, rseq: u32, invite_seq: u32, to: Hop, bytes: Vec<u8>) -> Reliable {
        Reliable { rseq, invite_seq, repeat: Repeat::provisional(now, to, bytes) }
    }

    /// Does this PRACK mean it?
    pub fn is_meant(&self, prack: &Message) -> bool {
        let Some((rseq, cseq)) = prack.header(&Name::RAck).and_then(|value| value.split_once([' ', '\t'])) else {
            return false;
        };
        let cseq = CSeq::parse(cseq);
        rseq.parse() == Ok(self.rseq) && cseq == Ok(CSeq { number: self.invite_seq, method: Method::Invite })
    }

    /// When to call [`Reliable::on_deadline`].
    pub fn next_deadline(&self) -> Time {
        self.repeat.next_deadline()
    }

    /// Sends it again when it is time. True: no PRACK came, give up.
    pub fn on_deadline(&mut self, now: Time, out: &mut Outbox<Output>) -> bool {
        self.repeat.on_deadline(now, out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::tests::peer;
    use crate::wire::sip::Builder;

    #[test]
    fn a_prack_must_name_all_three() {
        let ringing = Reliable::sent(Time::ZERO, 7, 5, peer(), Vec::new());
        let meant = |rack: &str| {
            let text = Builder::request(Method::Prack, "sip:us@192.0.2.10").header(Name::RAck, rack).finish();
            ringing.is_meant(&Message::parse(&text).unwrap())
        };
        assert!(meant("7 5 INVITE") && meant("7   5  INVITE"));
        for rack in ["", "7", "7 5", "8 5 INVITE", "7 6 INVITE", "7 5 UPDATE", "x 5 INVITE"] {
            assert!(!meant(rack), "{rack}");
        }
    }
}
