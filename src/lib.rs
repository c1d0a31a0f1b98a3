//! hansho (半鐘) phones the on-call roster over the user's own SIP trunk until a person takes the incident,
//! and puts those who answer into one room.
//!
//! The house has floors; a lower floor never imports an upper one, and folders on one floor do not import
//! each other. Read it from the corridor, [`switch`], outwards:
//!
//! | floor | folder | what lives there |
//! | --- | --- | --- |
//! | 7 | [`cli`] | one file a command |
//! | 6 | [`rig`] | a trunk and phones in software, for the demo, the tests and the benches |
//! | 5 | [`shell`] | sockets, threads, the clock, the control socket, voice makers |
//! | 4 | [`config`], [`store`] | settings that cannot be wrong; the journal |
//! | 3 | [`switch`] | the corridor: the only folder that knows calls, media and incidents together |
//! | 2 | [`sip`], [`media`], [`incident`], [`intake`], [`phrase`] | machines, readers and words: no clock, no socket, no thread |
//! | 1 | [`wire`], [`audio`] | bytes to values, samples to samples |
//! | 0 | [`base`] | time, ids, digits, phones, seeded randomness |
//!
//! Floors 0 to 3 build without the feature `daemon`: no socket, no thread, no clock, no file, no lock.

#![forbid(unsafe_code)]
#![warn(missing_docs)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod audio;
pub mod base;
pub mod incident;
pub mod intake;
pub mod media;
pub mod phrase;
pub mod sip;
pub mod switch;
pub mod wire;

#[cfg(feature = "daemon")]
pub mod cli;
#[cfg(feature = "daemon")]
pub mod config;
#[cfg(feature = "daemon")]
pub mod rig;
#[cfg(feature = "daemon")]
pub mod shell;
#[cfg(feature = "daemon")]
pub mod store;
