//! Where a trunk is: its targets in the order they are tried, and which of them is left alone for a while.
//!
//! A target that does not answer, cannot be connected to, or says 503 rests; meanwhile the next one is taken (RFC 3263
//! §4.3). When all rest, the one whose rest ends first is taken all the same: an alarm is worth a try that may fail.
//!
//! Easy to get wrong: a new list, fresh from DNS, says nothing about who rests; whatever a target answers but 503
//! shows that it is there; and a connection that served before and breaks says nothing at all: a firewall on the way may
//! have forgotten it, and the next one is taken.

use core::net::IpAddr;
use core::time::Duration;

use crate::base::Time;
use crate::sip::Hop;

/// How long a target is left alone that did not answer, or that did not say for how long.
pub const REST: Duration = Duration::from_secs(60);
/// A target that asks for more than this is tried again all the same.
const LONGEST_REST: Duration = Duration::from_secs(3_600);
/// One that says 503 and asks for less is not asked again at once.
const SHORTEST_REST: Duration = Duration::from_secs(5);
/// How long a target is not tried over a connection again that took none.
const NO_CONNECTIONS: Duration = Duration::from_secs(86_400);
/// More targets than this are not tried.
const MOST: usize = 16;

/// The targets of a trunk.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Targets {
    list: Vec<Hop>,
    /// Who rests, and until when.
    rests: Vec<(Hop, Time)>,
    /// Who takes datagrams alone, as far as was seen, and until when that is believed.
    plain: Vec<(Hop, Time)>,
    /// Connections over which something came.
    served: Vec<Hop>,
}

impl Targets {
    /// These, the first to be tried first.
    pub fn new(mut list: Vec<Hop>) -> Targets {
        list.truncate(MOST);
        Targets { list, ..Targets::default() }
    }

    /// Takes another list. True: it is another one indeed.
    pub fn replace(&mut self, list: Vec<Hop>) -> bool {
        let Targets { list, .. } = Targets::new(list);
        self.rests.retain(|(hop, _)| list.contains(hop));
        self.plain.retain(|(hop, _)| list.contains(hop));
        self.served.retain(|hop| reaches(&list, *hop));
        core::mem::replace(&mut self.list, list) != self.list
    }

    /// The one to be tried now; `None` when there is none at all.
    pub fn best(&self, now: Time) -> Option<Hop> {
        let awake = self.awake(now).next();
        awake.or_else(|| {
            let soonest = self.rests.iter().min_by_key(|(_, until)| *until).map(|(hop, _)| *hop);
            soonest.or(self.list.first().copied())
        })
    }

    /// The same, as if `failed` rested already.
    pub fn best_but(&self, failed: Option<Hop>, now: Time) -> Option<Hop> {
        let awake = self.awake(now).find(|hop| Some(*hop) != failed);
        awake.or_else(|| self.best(now).filter(|hop| Some(*hop) != failed))
    }

    /// Another one than `hop` that does not rest.
    pub fn other(&self, hop: Hop, now: Time) -> Option<Hop> {
        self.awake(now).find(|other| *other != hop)
    }

    /// Everyone rests.
    pub fn all_rest(&self, now: Time) -> bool {
        !self.list.is_empty() && self.awake(now).next().is_none()
    }

    /// Is somebody of ours at this address?
    pub fn is_at(&self, ip: IpAddr) -> bool {
        self.list.iter().any(|hop| hop.ip().to_canonical() == ip)
    }

    /// It failed: leaves it alone for so long, within limits. For how long, when that is news; somebody else's hop is
    /// nobody here.
    pub fn rest(&mut self, hop: Hop, now: Time, long: Duration) -> Option<Duration> {
        if !self.list.contains(&hop) {
            return None;
        }
        let (long, news) = (long.clamp(SHORTEST_REST, LONGEST_REST), self.awake(now).any(|awake| awake == hop));
        self.rests.retain(|(resting, until)| *resting != hop && *until > now);
        self.rests.push((hop, now + long));
        news.then_some(long)
    }

    /// Who rests, and until when; some of them may be through with it.
    pub fn resting(&self) -> &[(Hop, Time)] {
        &self.rests
    }

    /// Is it one of ours?
    pub fn has(&self, hop: Hop) -> bool {
        self.list.contains(&hop)
    }

    /// It is one of ours that speaks UDP, and may take a connection as well.
    pub fn may_take_connections(&self, hop: Hop, now: Time) -> bool {
        let refused = self.plain.iter().any(|(plain, until)| *plain == hop && *until > now);
        !hop.is_reliable() && self.has(hop) && !refused
    }

    /// It takes no connections.
    pub fn takes_no_connections(&mut self, hop: Hop, now: Time) {
        self.plain.retain(|(plain, until)| *plain != hop && *until > now);
        self.plain.push((hop, now + NO_CONNECTIONS));
    }

    /// Something came over a connection to one of ours.
    pub fn hears(&mut self, hop: Hop) {
        if hop.is_reliable() && reaches(&self.list, hop) && !self.has_served(hop) {
            self.served.push(hop);
        }
    }

    /// Something came over this connection before it broke.
    pub fn has_served(&self, hop: Hop) -> bool {
        self.served.contains(&hop)
    }

    /// The connection is gone, and what is sent there goes over a new one.
    pub fn is_lost(&mut self, hop: Hop) {
        self.served.retain(|served| *served != hop);
    }

    /// It answered.
    pub fn is_well(&mut self, hop: Hop) {
        self.rests.retain(|(resting, _)| *resting != hop);
    }

    fn awake(&self, now: Time) -> impl Iterator<Item = Hop> + '_ {
        let rests = move |hop: &Hop| self.rests.iter().any(|(resting, until)| resting == hop && *until > now);
        self.list.iter().copied().filter(move |hop| !rests(hop))
    }
}

/// Is it one of these, or a connection to one that speaks UDP (RFC 3261 §18.1.1)?
fn reaches(list: &[Hop], hop: Hop) -> bool {
    list.contains(&hop) || hop == Hop::tcp(hop.address) && list.contains(&Hop::udp(hop.address))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(last: u8) -> Hop {
        Hop::udp(core::net::SocketAddr::from(([192, 0, 2, last], 5060)))
    }

    #[test]
    fn the_first_target_that_does_not_rest_is_tried_and_the_first_one_again_when_its_rest_is_over() {
        let mut targets = Targets::new(vec![hop(1), hop(2), hop(3)]);
        let mut now = Time::ZERO;
        assert_eq!(targets.best(now), Some(hop(1)));
        targets.rest(hop(1), now, REST);
        now = now + Duration::from_secs(10);
        assert_eq!(targets.best(now), Some(hop(2)));
        targets.rest(hop(2), now, REST);
        assert!(targets.other(hop(2), now).is_some() && targets.other(hop(3), now).is_none());
        assert_eq!(targets.rest(hop(3), now, Duration::from_secs(1)), Some(SHORTEST_REST));
        assert_eq!(targets.rest(hop(3), now, Duration::from_secs(1)), None, "it rested already");
        assert!(targets.all_rest(now));
        assert_eq!(targets.best(now), Some(hop(3)), "its rest ends first");
        targets.is_well(hop(2));
        assert_eq!(targets.best(now), Some(hop(2)));
        assert_eq!(targets.best(now + REST), Some(hop(1)));
    }

    #[test]
    fn a_new_list_keeps_who_rests_and_nobody_rests_for_ever() {
        let mut targets = Targets::new(vec![hop(1), hop(2)]);
        targets.rest(hop(1), Time::ZERO, Duration::from_secs(1_000_000));
        targets.rest(hop(9), Time::ZERO, REST);
        assert!(targets.replace(vec![hop(3), hop(1)]) && !targets.replace(vec![hop(3), hop(1)]));
        assert_eq!(
            (targets.other(hop(3), Time::ZERO), targets.other(hop(3), Time::ZERO + LONGEST_REST)),
            (None, Some(hop(1)))
        );
        assert_eq!(Targets::default().best(Time::ZERO), None);
    }
}
