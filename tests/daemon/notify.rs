//! Who is told: receivers that are slow, broken, hostile or away, and a daemon that dies while it tells.

mod email;
mod nights;
pub mod receiver;
mod slack;
mod sms;
mod webhook;
