//! The real binary on loopback: the control socket, real calls, crashes, a full disk.
//!
//! Nothing sleeps for a guess: a test waits for a line, an event or a message on the wire, and gives up after
//! a limit. Every process ends with its test, by its own id.

#![cfg(feature = "daemon")]
#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "these tests are about the real world")]

mod audit;
mod calls;
mod control;
mod crashes;
mod directory;
mod disk;
mod files;
mod http;
mod intake;
mod ladder;
mod notify;
mod page;
mod pigeon;
mod reload;
mod rooms;
mod second;
mod selftest;
mod strangers;
mod support;
mod systems;
mod voice;
