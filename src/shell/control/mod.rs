//! The control socket: a Unix socket, mode 0600, one JSON object a line.
//!
//! Whoever can open it is an operator: there are no tokens here. A line that is no request gets an error that
//! says what is accepted, and the connection stays. Limits: 64 KiB a line, 64 connections.

pub mod client;
mod request;
mod server;
mod status;

pub(in crate::shell) use request::member;
pub use request::{Failure, LadderRequest, Request, SayRequest, SuppressRequest, TokenRequest, TriggerRequest};
pub use server::{Server, listen};
pub use status::Status;
pub(in crate::shell) use status::{attempt_json, incident_json};
