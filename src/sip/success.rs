//! A 200 to an INVITE that waits for its ACK (RFC 3261 §13.3.1.4).
//!
//! It is sent again, at intervals that grow to four seconds, until the ACK comes or 32 seconds are over; then
//! the dialog is to be ended with BYE. The transaction does not do this, because a 200 travels end to end.

use crate::base::{Outbox, Time};
use crate::sip::timers::{GIVE_UP, Resend};
use crate::sip::{Hop, Output};

/// The 200 and its clockwork.
#[derive(Debug)]
pub struct Success {
    to: Hop,
    bytes: Vec<u8>,
    again: Resend,
    give_up: Time,
}

impl Success {
    /// The 200 just left for `to` for the first time.
    pub fn sent(now: Time, to: Hop, bytes: Vec<u8>) -> Success {
        Success { to, bytes, again: Resend::capped(now), give_up: now + GIVE_UP }
    }

    /// When to call [`Success::on_deadline`].
    pub fn next_deadline(&self) -> Time {
        self.again.at.min(self.give_up)
    }

    /// Sends the 200 again when it is time. True: no ACK came, give up.
    pub fn on_deadline(&mut self, now: Time, out: &mut Outbox<Output>) -> bool {
        if self.give_up <= now {
            return true;
        }
        if self.again.at <= now {
            self.again = self.again.next(now);
            out.push(Output::Send { to: self.to, bytes: self.bytes.clone() });
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::tests::{peer, sent};

    #[test]
    fn a_200_nobody_acknowledges_is_sent_ten_times_more_and_given_up() {
        let mut out = Outbox::new();
        let mut success = Success::sent(Time::ZERO, peer(), b"200".to_vec());
        let mut now = Time::ZERO;
        while !success.on_deadline(now, &mut out) {
            now = success.next_deadline();
        }
        assert_eq!((sent(&mut out).count(), now), (10, Time::ZERO + GIVE_UP));
    }
}
