//! Who sits at the door, the longest first, and whether a token of theirs ever opened.
//!
//! Whoever has shown a right token keeps the place. The others have theirs while nobody waits for one: a connection
//! that asks for `/healthz` now and then breaks no rule, and five hundred of them would hold every place for ever.
//!
//! Easy to get wrong: a connection is told to leave by a word in its seat, and sees it when it is polled next, so it
//! has to be woken. And a storm of alerts is many connections at once whose tokens nobody has read yet: they are no
//! strangers, so nobody leaves who came a moment ago or was not listened to.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Waker};
use std::time::Duration;

use tokio::time::Instant;

/// So long everybody may sit.
const GRACE: Duration = Duration::from_secs(1);

/// Every seat that is taken.
#[derive(Clone, Debug, Default)]
pub(super) struct Seats(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    /// Where each connection sits.
    seats: BTreeMap<SocketAddr, Arc<Place>>,
    /// Those without a token that opened, as they came.
    strangers: BTreeMap<u64, Arc<Place>>,
    came: u64,
}

#[derive(Debug)]
struct Place {
    number: u64,
    since: Instant,
    known: AtomicBool,
    leaves: AtomicBool,
    waker: Mutex<Option<Waker>>,
}

/// One connection's seat; it is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    from: SocketAddr,
    place: Arc<Place>,
}

impl Seats {
    /// Somebody sits down.
    pub(super) fn take(&self, since: Instant, from: SocketAddr) -> Seat {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.came += 1;
        let (known, leaves) = (AtomicBool::new(false), AtomicBool::new(false));
        let place = Arc::new(Place { number: taken.came, since, known, leaves, waker: Mutex::default() });
        taken.strangers.insert(place.number, place.clone());
        taken.seats.insert(from, place.clone());
        Seat { seats: self.clone(), from, place }
    }

    /// A token of this connection opened: it keeps its place.
    pub(super) fn opened(&self, from: SocketAddr) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = taken.seats.get(&from).cloned() {
            place.known.store(true, Ordering::Relaxed);
            taken.strangers.remove(&place.number);
        }
    }

    /// Sends away whoever has sat longest without a token that opened; nobody where all have shown one, or have not had
    /// the time to.
    pub(super) fn make_room(&self, now: Instant) {
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sat = taken.strangers.values().take_while(|place| now.duration_since(place.since) >= GRACE);
        let Some((number, waker)) = sat.filter_map(|place| Some((place.number, place.listened()?))).next() else {
            return;
        };
        if let Some(place) = taken.strangers.remove(&number) {
            place.leaves.store(true, Ordering::Relaxed);
            waker.wake();
        }
    }
}

impl Place {
    /// What wakes it; `None` as long as nobody has listened to it.
    fn listened(&self) -> Option<Waker> {
        self.waker.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Seat {
    /// Has a token of theirs opened?
    pub(super) fn is_known(&self) -> bool {
        self.place.known.load(Ordering::Relaxed)
    }

    /// Must they leave? If not, whoever asks is woken when they must.
    pub(super) fn must_leave(&self, context: &Context<'_>) -> bool {
        if !self.is_known() {
            let mut waker = self.place.waker.lock().unwrap_or_else(PoisonError::into_inner);
            waker.get_or_insert_with(|| context.waker().clone()).clone_from(context.waker());
        }
        self.place.leaves.load(Ordering::Relaxed)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.0.lock().unwrap_or_else(PoisonError::into_inner);
        taken.strangers.remove(&self.place.number);
        // The same address may sit here again already.
        if taken.seats.get(&self.from).is_some_and(|place| place.number == self.place.number) {
            taken.seats.remove(&self.from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 7], port))
    }

    #[test]
    fn whoever_sat_longest_without_a_token_leaves_first_and_nobody_who_has_shown_one() {
        let (seats, now) = (Seats::default(), Instant::now());
        let [one, two, three] = [1, 2, 3].map(|port| seats.take(now, of(port)));
        let context = Context::from_waker(Waker::noop());
        let leave = || [&one, &two, &three].map(|seat| seat.must_leave(&context));
        leave();
        seats.opened(of(1));
        seats.make_room(now + GRACE);
        assert_eq!(leave(), [false, true, false]);
        seats.make_room(now + GRACE);
        seats.make_room(now + GRACE);
        assert_eq!(leave(), [false, true, true]);
        drop((one, two, three));
        let taken = seats.0.lock().unwrap();
        assert!(taken.seats.is_empty() && taken.strangers.is_empty());
    }

    #[test]
    fn nobody_leaves_who_came_a_moment_ago_or_was_not_listened_to() {
        let (seats, now) = (Seats::default(), Instant::now());
        let [unheard, heard] = [1, 2].map(|port| seats.take(now, of(port)));
        let context = Context::from_waker(Waker::noop());
        heard.must_leave(&context);
        seats.make_room(now + GRACE / 2);
        assert!(!heard.must_leave(&context));
        seats.make_room(now + GRACE);
        assert_eq!([unheard, heard].map(|seat| seat.must_leave(&context)), [false, true]);
    }
}
