//! A response of ours that is sent again until the other side says that it came.
//!
//! It is sent at intervals that grow, for 32 seconds; then whoever waits for the acknowledgement gives up. The
//! transaction does not do this: a 200 and a provisional response that is to be reliable travel end to end (RFC 3261
//! §13.3.1.4, RFC 3262 §3). What acknowledges it is not known here.

use crate::base::{Outbox, Time};
use crate::sip::timers::{GIVE_UP, Resend};
use crate::sip::{Hop, Output};

/// The response and its clockwork.
#[derive(Debug)]
pub struct Repeat {
    to: Hop,
    bytes: Vec<u8>,
    again: Resend,
    give_up: Time,
}

impl Repeat {
    /// A 200 to an INVITE just left for `to` for the first time: its intervals grow to four seconds.
    pub fn success(now: Time, to: Hop, bytes: Vec<u8>) -> Repeat {
        Repeat { to, bytes, again: Resend::capped(now), give_up: now + GIVE_UP }
    }

    /// A reliable provisional response just left for `to` for the first time: its intervals double.
    pub fn provisional(now: Time, to: Hop, bytes: Vec<u8>) -> Repeat {
        Repeat { to, bytes, again: Resend::doubling(now), give_up: now + GIVE_UP }
    }

    /// When to call [`Repeat::on_deadline`].
    pub fn next_deadline(&self) -> Time {
        self.again.at.min(self.give_up)
    }

    /// Sends it again when it is time. True: nothing acknowledged it, give up.
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

    /// How often it is sent again, and when it is given up.
    fn repeated(mut repeat: Repeat) -> (usize, Time) {
        let mut out = Outbox::new();
        let mut now = Time::ZERO;
        while !repeat.on_deadline(now, &mut out) {
            now = repeat.next_deadline();
        }
        (sent(&mut out).count(), now)
    }

    #[test]
    fn a_200_nobody_acknowledges_is_sent_ten_times_more_and_given_up() {
        let success = Repeat::success(Time::ZERO, peer(), b"200".to_vec());
        assert_eq!(repeated(success), (10, Time::ZERO + GIVE_UP));
    }

    #[test]
    fn a_provisional_response_nobody_acknowledges_is_sent_six_times_more_and_given_up() {
        let ringing = Repeat::provisional(Time::ZERO, peer(), b"180".to_vec());
        assert_eq!(repeated(ringing), (6, Time::ZERO + GIVE_UP));
    }
}
