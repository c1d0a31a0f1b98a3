//! Which packets of a stream came, came twice, came late or never (RFC 3550 appendix A.1).

/// So far behind the newest a packet is late and no restart (RFC 3550 `MAX_MISORDER`).
const WINDOW: u64 = 100;
/// A larger jump than this is a restart of the sender (RFC 3550 `MAX_DROPOUT`).
const DROPOUT_MAX: u16 = 3_000;

/// The sequence numbers of one leg.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sequence {
    run: Option<Run>,
    /// Lost in runs that are over.
    lost: u64,
    /// After a jump: the number that would confirm a restart.
    restart: Option<u16>,
}

#[derive(Clone, Copy, Debug)]
struct Run {
    first: u16,
    /// The newest, counted on beyond 16 bits from the first packet, which is 0.
    newest: u64,
    newest_number: u16,
    /// Bit n: the packet n before the newest came.
    came: u128,
    unique: u64,
    /// Also those that came twice.
    all: u64,
}

/// How far a stream has come, as reports count it (RFC 3550 appendix A.3): what came twice or late counts as received.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Progress {
    /// The highest number, and above its 16 bits how often they wrapped.
    pub highest: u32,
    /// Packets from the first to the highest.
    pub expected: u64,
    /// Packets that came.
    pub received: u64,
}

impl Sequence {
    /// A packet with this number came; false when it is a duplicate or far out of order.
    pub fn on_packet(&mut self, number: u16) -> bool {
        let Some(run) = &mut self.run else {
            self.begin(number);
            return true;
        };
        let ahead = number.wrapping_sub(run.newest_number);
        let behind = u64::from(run.newest_number.wrapping_sub(number));
        if ahead != 0 && ahead < DROPOUT_MAX {
            let shift = u32::from(ahead);
            run.came = run.came.checked_shl(shift).unwrap_or(0) | 1;
            run.newest += u64::from(ahead);
            run.newest_number = number;
            run.unique += 1;
            run.all += 1;
            self.restart = None;
            return true;
        }
        if behind < WINDOW {
            let fresh = run.came & (1 << behind) == 0 && behind <= run.newest;
            run.came |= 1 << behind;
            run.unique += u64::from(fresh);
            run.all += 1;
            return fresh;
        }
        // Two in a row after a jump: the sender began anew.
        if self.restart == Some(number) {
            self.begin(number);
            return true;
        }
        self.restart = Some(number.wrapping_add(1));
        false
    }

    /// Another sender: what was lost so far is kept.
    pub fn restart(&mut self) {
        self.lost = self.lost();
        self.run = None;
        self.restart = None;
    }

    /// Packets that never came.
    pub fn lost(&self) -> u64 {
        self.lost + self.run.map_or(0, |run| (run.newest + 1).saturating_sub(run.unique))
    }

    /// How far the present run has come.
    pub fn progress(&self) -> Option<Progress> {
        self.run.map(|run| Progress {
            highest: (u64::from(run.first) + run.newest) as u32,
            expected: run.newest + 1,
            received: run.all,
        })
    }

    fn begin(&mut self, number: u16) {
        self.restart();
        self.run = Some(Run { first: number, newest: 0, newest_number: number, came: 1, unique: 1, all: 1 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_reordering_and_duplicates_are_told_apart_across_the_wrap() {
        let mut sequence = Sequence::default();
        let taken: Vec<bool> = [65_533, 65_534, 1, 65_535, 1, 2, 5].map(|n| sequence.on_packet(n)).into();
        assert_eq!(taken, [true, true, true, true, false, true, true]);
        assert_eq!(sequence.lost(), 3, "0, 3 and 4 never came");
        let wrapped = Progress { highest: 65_536 + 5, expected: 9, received: 7 };
        assert_eq!(sequence.progress(), Some(wrapped), "1 came twice");
    }

    #[test]
    fn what_comes_a_second_late_has_come_and_is_no_other_beginning() {
        let mut sequence = Sequence::default();
        let held = |n: &u16| (20..25).contains(n);
        for n in (0..=119).filter(|n| !held(n)).chain(20..25) {
            assert!(sequence.on_packet(n), "{n}");
        }
        assert_eq!((sequence.lost(), sequence.on_packet(24), sequence.on_packet(120)), (0, false, true));
        assert_eq!(sequence.progress(), Some(Progress { highest: 120, expected: 121, received: 122 }));
    }

    #[test]
    fn a_sender_that_begins_anew_is_believed_at_its_second_packet() {
        let mut sequence = Sequence::default();
        sequence.on_packet(100);
        assert!(!sequence.on_packet(40_000));
        assert!(sequence.on_packet(40_001) && sequence.on_packet(40_002));
        assert_eq!(sequence.lost(), 0);
    }
}
