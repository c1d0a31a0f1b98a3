//! Phones and trunks that ask on the port of SIP where they are seen, to keep their way open (RFC 5626 §4.4.2).
//!
//! A stranger gets no answer here either: a source that can be forged would turn us into somebody's loudspeaker.

use core::net::IpAddr;

use crate::base::Outbox;
use crate::sip::agent::Agent;
use crate::sip::{Hop, Output, Transport};
use crate::wire::stun::{ANSWER_MAX, Request};

impl Agent {
    /// A datagram that looks like STUN came.
    pub(super) fn on_stun(&mut self, from: Hop, bytes: &[u8], out: &mut Outbox<Output>) {
        let at_home = |ip: IpAddr| self.trunk_at(ip, &[]).is_some();
        let registered = || self.registrar.as_ref().is_some_and(|registrar| registrar.is_at(from));
        if from.transport != Transport::Udp || !at_home(from.ip()) && !registered() {
            self.counts.strangers += 1;
            return;
        }
        // What is no request wants no answer.
        if let Ok(request) = Request::read(bytes) {
            let mut answer = [0; ANSWER_MAX];
            let length = request.answer(from.address, &mut answer);
            out.push(Output::Send { to: from, bytes: answer.get(..length).unwrap_or_default().to_vec() });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Time;
    use crate::sip::tests::world::{agent, trunk};

    const ASKS: [u8; 20] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

    fn answers(from: &str, bytes: &[u8]) -> (Vec<Vec<u8>>, u64) {
        let trunk_at: Hop = "198.51.100.1:5060".parse().unwrap();
        let (mut agent, mut out) = (agent(0, trunk(trunk_at), 7), Outbox::new());
        let from: Hop = from.parse().unwrap();
        agent.on_datagram(Time::ZERO, from, bytes, &mut out);
        let sent = out.drain().map(|output| match output {
            Output::Send { to, bytes } if to == from => bytes,
            other => panic!("{other:?}"),
        });
        (sent.collect(), agent.counts().strangers)
    }

    #[test]
    fn a_trunk_is_told_where_it_is_seen_and_a_stranger_is_told_nothing() {
        for known in ["198.51.100.1:40000", "192.0.2.77:5060"] {
            let (sent, strangers) = answers(known, &ASKS);
            let [answer] = &sent[..] else { panic!("{sent:?}") };
            assert_eq!((answer.len(), &answer[..2], &answer[8..20], strangers), (32, &[1, 1][..], &ASKS[8..], 0));
        }
        assert_eq!(answers("203.0.113.5:5060", &ASKS), (Vec::new(), 1));
        assert_eq!(answers("tcp:198.51.100.1:40000", &ASKS).0.len(), 0);
    }

    #[test]
    fn what_is_no_request_is_dropped() {
        let indication = [&[0, 0x11][..], &ASKS[2..]].concat();
        assert_eq!(answers("198.51.100.1:40000", &indication), (Vec::new(), 0));
    }
}
