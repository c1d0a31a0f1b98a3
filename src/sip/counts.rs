//! What the agent counts of what it drops and refuses: scanners are seen here and nowhere else.

/// What the agent counted since it began.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Datagrams that are no SIP, or lack what every message must have.
    pub malformed: u64,
    /// Requests from addresses that are no trunk's and no user's, and connections from there; they get no answer.
    pub strangers: u64,
    /// Responses and ACKs that belong to nothing.
    pub unknown: u64,
    /// Copies of messages that were dealt with before.
    pub copies: u64,
    /// 200s to INVITEs that nobody remembers, ended with BYE.
    pub strays: u64,
    /// Requests refused because there is no room, or because their source asked too often.
    pub refused: u64,
    /// Requests that were signed with a wrong password, or by nobody.
    pub wrong_passwords: u64,
    /// Requests whose signature had been used before.
    pub replays: u64,
    /// Requests of sources that had too many wrong passwords.
    pub shut_out: u64,
}
