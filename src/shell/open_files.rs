//! How many files and sockets the process may have open.
//!
//! A leg is a socket, and so is a connection over HTTP. Many systems start a process with a soft limit of 1,024,
//! which a full house of both passes, and then it is a call that fails. The soft limit is ours to raise up to the
//! hard one. It never asks for more than that, and a limit that stays too low is told at start, not at night.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Beside the legs: connections over HTTP (512 at most), clients of the control socket, the journal, notifiers,
/// voice programs.
const HOUSE: u64 = 1_024;

/// Raises the limit so that the sockets of `legs` calls in so many families of addresses fit in beside everything else,
/// and says when it cannot be.
pub(super) fn make_room(legs: u32, families: usize) {
    let wanted = u64::from(legs) * families as u64 + HOUSE;
    match raise(wanted) {
        Ok(allowed) if allowed >= wanted => {}
        Ok(allowed) => tracing::warn!(
            allowed,
            wanted,
            "too few open files are allowed for all legs and connections: raise the hard limit (LimitNOFILE=, ulimit -Hn)"
        ),
        Err(error) => tracing::warn!(%error, wanted, "the limit of open files could not be read or raised"),
    }
}

/// The soft limit afterwards: at least `wanted` where the hard limit lets us.
fn raise(wanted: u64) -> nix::Result<u64> {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE)?;
    if soft >= wanted {
        return Ok(soft);
    }
    let soft = wanted.min(hard);
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard)?;
    Ok(soft)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_to_what_is_wanted_and_never_beyond_the_hard_one_or_lowered() {
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        let more = (soft + 1).min(hard);
        assert_eq!(raise(more), Ok(more));
        assert_eq!(raise(1), Ok(more));
        assert_eq!(raise(u64::MAX), Ok(hard));
    }
}
