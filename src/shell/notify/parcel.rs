//! What is delivered, and how a delivery ends.

use std::time::Duration;

use crate::base::Stamp;
use crate::switch::Notice;

/// One thing to deliver.
#[derive(Clone, Debug)]
pub(super) struct Parcel {
    /// The same for every try, also after a restart: `NODE-SEQ`.
    pub(super) key: String,
    /// When it happened.
    pub(super) at: Stamp,
    /// What.
    pub(super) notice: Notice,
}

/// Why a delivery failed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Trouble {
    /// It may work later.
    Later {
        /// In words, without secrets.
        why: String,
        /// How long the receiver wants to be left alone.
        after: Option<Duration>,
    },
    /// It will never work.
    Never {
        /// In words, without secrets.
        why: String,
    },
}

impl Trouble {
    pub(super) fn later(why: impl Into<String>) -> Trouble {
        Trouble::Later { why: why.into(), after: None }
    }

    pub(super) fn never(why: impl Into<String>) -> Trouble {
        Trouble::Never { why: why.into() }
    }
}

/// One way to deliver. It may take its time, but not for ever.
pub(super) trait Deliver: Send {
    /// Tries once.
    fn deliver(&mut self, parcel: &Parcel) -> Result<(), Trouble>;
}
