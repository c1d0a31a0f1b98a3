//! Floor 5: what touches the world. Sockets, threads, the clock, the control socket, voice makers, signals.
//!
//! One task, [`core`], owns the corridor; everything else sends it inputs and takes what it hands out.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "clocks, threads and sockets live here and nowhere below"
)]

mod addresses;
mod ask;
mod calendar;
mod clock;
pub mod control;
mod core;
mod daemon;
mod directory;
pub mod events;
pub mod gate;
pub mod history;
mod http;
mod inbox;
pub mod journal;
mod ladder;
mod locate;
mod log;
mod markup;
pub mod media;
mod messages;
pub mod notify;
mod open_files;
mod orders;
mod quiet;
mod reload;
mod requests;
mod rooms;
mod sockets;
mod tokens;
mod transport;
mod trunks;
pub mod voice;
pub mod wav;

pub use calendar::Zones;
pub use clock::Clock;
pub use daemon::{Daemon, StartError};
pub use log::start as start_log;
