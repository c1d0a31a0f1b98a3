//! Other people's SIP against the real binary: SIPp, baresip, linphone and Kamailio, and dnsmasq for the names; real
//! sockets on loopback.
//!
//! These tests need programs that are not ours, so plain `cargo test` leaves them out; `tools/test` sees to it that the
//! programs are there and runs every one of them. Each test has its own ports and its own folder under
//! `target/interop`, where the logs of everybody who took part stay for whoever wants to know what happened.
//! Nothing sleeps for a guess: a test waits for an event, a line or a socket, and gives up after a limit.

#![allow(clippy::disallowed_methods, clippy::disallowed_types, reason = "these tests are about the real world")]

mod baresip;
mod dns;
mod dual;
mod hotline;
mod kamailio;
mod ladder;
mod linphone;
mod page;
mod power_cuts;
#[path = "../daemon/notify/receiver.rs"]
#[allow(dead_code, reason = "the daemon's own tests use the rest of it")]
mod receiver;
mod registrar;
mod reports;
mod restart;
mod rooms;
mod sipp_callee;
mod sipp_control;
mod sipp_trunk;
mod srtp;
mod support;
mod systems;
mod torture;
mod transport;
mod trunks;
mod voice;
