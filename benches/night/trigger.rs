//! From a line on the control socket to the INVITE on the wire, with everything stored in between.
//!
//! The callee is busy, so every incident ends at once; the next is raised when the one before has ended. Between
//! two triggers the disk is asked once for the least that durability costs: 4 KiB, written and flushed.

use crate::clock::{MS, Nanos, now};
use crate::daemon::{ANNA, Daemon, LIMIT};
use crate::reference::Disk;
use crate::stats::{Sorted, ms};
use crate::table::Row;
use crate::trunk::{Heard, Town};
use crate::{Effort, Result};

/// The first ones find cold caches.
const WARM_UP: usize = 5;

pub fn measure(effort: &Effort, daemon: &mut Daemon, town: &mut Town) -> Result<Vec<Row>> {
    let mut disk = Disk::new(daemon.folder())?;
    let (mut invites, mut answers, mut flushes) = (Vec::new(), Vec::new(), Vec::new());
    for count in 0..effort.triggers + WARM_UP {
        let flush = disk.flush()?;
        let raised = daemon.trigger("busy")?;
        let call = town.is_called(ANNA)?;
        town.reply(call, 486)?;
        is_over(town, call)?;
        daemon.ends(&raised.incident, town)?;
        if count >= WARM_UP {
            flushes.push(flush);
            invites.push(town.call(call).invited_at - raised.sent);
            answers.push(raised.answered - raised.sent);
        }
    }
    let (invites, answers, flushes) = (Sorted::new(invites)?, Sorted::new(answers)?, Sorted::new(flushes)?);
    let beyond = |permille| ms(invites.at(permille) - flushes.at(permille));
    Ok(vec![
        Row::new("trigger to INVITE, facts durable", invites.whole())
            .beside(format!("write 4 KiB + fdatasync: {}", flushes.middle_and_tail())),
        Row::new("… beyond one fdatasync", format!("median {}, p99 {} ms", beyond(500), beyond(990))),
        Row::new("trigger to its answer", answers.whole()),
    ])
}

/// Waits for the ACK of the refusal, and says when it came.
pub fn is_over(town: &mut Town, call: usize) -> Result<Nanos> {
    let until = now() + LIMIT;
    while now() < until {
        if let Some(Heard::Ack(acked, at)) = town.next(now() + MS)?
            && acked == call
        {
            return Ok(at);
        }
    }
    Err("no ACK of a refusal".to_owned())
}
