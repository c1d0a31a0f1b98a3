//! Floor 2: SIP. Transactions, dialogs, registration, calls, trunks.
//!
//! The agent is one machine seen from outside: datagrams and wishes go in, datagrams and events come out.
//! Nothing here reads a clock, opens a socket, or decides whom to call.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `agent` | the face: trunks, wishes, deadlines; `arrivals`: whose a datagram is |
//! | `call`, `calls` | a call's way from machine to machine; how it is found |
//! | `outgoing`, `incoming`, `session`, `farewell` | the machines of a call, in the order of its life |
//! | `early`, `reliable` | telephones that ring, and provisional responses that are acknowledged |
//! | `redirect` | whether a 3xx is followed |
//! | `refresh`, `interval` | session timers |
//! | `pulse` | asks whether an answered call still stands |
//! | `info` | keys that come as INFO |
//! | `letter` | short messages, out and in |
//! | `register`, `attempt`, `auth`, `digest` | registration; a request sent again with credentials |
//! | `dialog`, `message`, `terms`, `offer`, `repeat` | route and numbers; what is written; SDP; what is said until it is acknowledged |
//! | `content` | the session description among what a message carries |
//! | `trunk`, `context` | the settings of an account; what every machine is handed beside its input |
//! | `srtp` | whether voice is encrypted, and our keys for a call |
//! | `extension` | which extensions we know |
//! | `rung` | a message as a ladder shows it, and what of it may be kept |
//! | `registrar`, `users`, `fork` | phones of our own users: where they are, what they ask, several at once |
//! | `rates`, `counts` | how often one source may begin something; what was dropped and refused |
//! | `hop`, `targets` | over what and where a message travels; where a trunk is |
//! | `locate` | what DNS says of a trunk's name, in the order it is tried |
//! | `identity` | where we are, as a trunk sees it |
//! | `isdn` | what the telephone network says of a call, where the status does not |
//! | `lines`, `health`, `reroute` | how the trunks stand; is one there; another way for a call that it could not carry |
//! | `handle` | the line of text that ends a call after a crash |
//! | `transactions`, `client_*`, `server_*`, `timers` | the four machines of RFC 3261 §17 and how they are found |
//!
//! Easy to get wrong: outputs are to be carried out in order, what was heard being stored before anything
//! behind it is sent. [`Event::Answered`] comes before its ACK: a crash in between loses nothing, because a
//! 200 that was never acknowledged comes again.

mod agent;
mod arrivals;
mod attempt;
mod auth;
mod call;
mod calls;
mod client_invite;
mod client_other;
mod content;
mod context;
mod counts;
mod dialog;
pub mod digest;
mod early;
mod extension;
mod farewell;
mod fork;
mod handle;
mod health;
mod hop;
mod identity;
mod incoming;
mod info;
mod interval;
mod isdn;
mod letter;
mod lines;
pub mod locate;
mod message;
pub mod offer;
mod outgoing;
mod pulse;
mod rates;
mod redirect;
mod refresh;
mod register;
mod registrar;
mod reliable;
mod renewal;
mod repeat;
mod reroute;
pub mod rung;
mod server_invite;
mod server_other;
mod session;
mod srtp;
mod stun;
mod targets;
mod terms;
mod timers;
mod transactions;
mod trunk;
mod users;

#[cfg(test)]
mod table;
#[cfg(test)]
mod tests;

pub use agent::{Agent, DialError, MAX_CALLS};
pub use counts::Counts;
pub use handle::call_id_of;
pub use hop::{Hop, NoHop, Transport};
pub use identity::{Identities, Identity};
pub use letter::{MessageError, TEXT_MAX};
pub use lines::{TrunkState, Whereabouts};
pub use registrar::House;
pub use renewal::{NextTrunk, Renewed, TrunkRenewal};
pub use srtp::{OurKeys, Srtp, Unprotected};
pub use trunk::{CallerIn, IpRange, Trunk};
pub use users::{HOUSE_LINE, PhoneState, UserState};

use core::net::IpAddr;

use crate::base::{Digit, LegId, Stream, TrunkId};
use crate::wire::sip::{Builder, Name};

/// What the agent wants done, in order.
#[derive(Clone, PartialEq, Debug)]
pub enum Output {
    /// Put this message on the wire.
    Send {
        /// Where to.
        to: Hop,
        /// The whole message.
        bytes: Vec<u8>,
    },
    /// Something happened that others care about.
    Event(Event),
}

/// What happened.
#[derive(Clone, PartialEq, Debug)]
pub enum Event {
    /// The trunk took our registration (or needs none).
    Registered {
        /// Which.
        trunk: TrunkId,
        /// For how many seconds it was granted.
        expires_s: u32,
    },
    /// The trunk is away or refuses us; hansho tries again by itself.
    RegistrationFailed {
        /// Which.
        trunk: TrunkId,
        /// The status it answered, when it answered.
        code: Option<u16>,
        /// In words.
        reason: String,
        /// In how many seconds the next try follows.
        retry_s: u32,
    },
    /// 180, or 183 with or without early media.
    Ringing {
        /// Which call.
        leg: LegId,
        /// The status.
        code: u16,
    },
    /// The far end said 200, and our ACK follows (as caller), or our 200 was acknowledged (as callee).
    Answered {
        /// Which call.
        leg: LegId,
        /// What was agreed on.
        stream: Stream,
        /// Enough to end this call after a crash.
        handle: String,
    },
    /// A 200 came that does not help any more: it crossed our CANCEL, or offer and answer have nothing in common.
    /// ACK and BYE follow, then `Ended`.
    Unwanted {
        /// Which call.
        leg: LegId,
        /// Enough to end this call after a crash.
        handle: String,
    },
    /// The far end of an answered call pressed a key, and told it by INFO. The same press may be heard in the media.
    Key {
        /// Which call.
        leg: LegId,
        /// Which key.
        digit: Digit,
    },
    /// A re-INVITE changed the agreement.
    Changed {
        /// Which call.
        leg: LegId,
        /// What holds now.
        stream: Stream,
    },
    /// Its trunk could not carry the call; it goes over another target or another trunk now, and is the same call.
    Rerouted {
        /// Which call.
        leg: LegId,
        /// Over which trunk it did not go.
        from: TrunkId,
        /// Over which trunk it goes now.
        trunk: TrunkId,
        /// And where that is.
        target: Option<Hop>,
        /// Enough to end this call after a crash.
        handle: String,
        /// The status that said so, where there was one.
        code: Option<u16>,
        /// Why it did not go the other way, in words.
        reason: String,
    },
    /// A target of a trunk failed and is left alone for a while.
    TargetFailed {
        /// Whose target.
        trunk: TrunkId,
        /// Which.
        target: Hop,
        /// The status it answered, when it answered.
        code: Option<u16>,
        /// In words.
        reason: String,
        /// For how many seconds it is left alone.
        rest_s: u32,
        /// Where requests to this trunk go now; `None`: there is no other target.
        next: Option<Hop>,
    },
    /// The call is over, in whichever way; nothing follows for this leg.
    Ended {
        /// Which call.
        leg: LegId,
        /// How.
        end: End,
    },
    /// Somebody calls us over a trunk. Answer with `accept` or `refuse`.
    Incoming {
        /// The new leg. The agent numbers incoming legs downwards from `u32::MAX`; legs that are dialled are
        /// numbered upwards by who dials.
        leg: LegId,
        /// Over which trunk.
        trunk: TrunkId,
        /// The caller's user part or number as the trunk states it (P-Asserted-Identity, else From).
        caller: String,
        /// The user part they dialled.
        dialled: String,
        /// The user part of To: where the trunk puts our account in place of what was dialled, it stands there.
        to: String,
    },
    /// The trunk took a short message of ours.
    MessageSent {
        /// The number its sender gave it.
        message: u32,
    },
    /// It did not.
    MessageFailed {
        /// The number its sender gave it.
        message: u32,
        /// The status it was refused with; `None`: nothing answered.
        code: Option<u16>,
        /// In words.
        reason: String,
    },
    /// A phone of a user is registered, or is elsewhere now.
    UserRegistered {
        /// Whose.
        user: String,
        /// Its Contact.
        contact: String,
        /// Where the REGISTER came from.
        source: Hop,
        /// For how many seconds it was granted.
        expires_s: u32,
        /// What brings it over a restart; `None`: it hangs on a connection, which does not survive us.
        binding: Option<String>,
    },
    /// It is registered no more.
    UserUnregistered {
        /// Whose.
        user: String,
        /// Its Contact.
        contact: String,
        /// Why, in words.
        reason: String,
        /// It was one that a restart brings back.
        lasting: bool,
    },
    /// A source had too many wrong passwords, and hears nothing for a while.
    ShutOut {
        /// Which.
        source: IpAddr,
        /// How many.
        tries: u32,
        /// For how long.
        seconds: u32,
    },
    /// A short message came over a trunk.
    MessageReceived {
        /// Which.
        trunk: TrunkId,
        /// Its sender as the trunk states it.
        from: String,
        /// What it says.
        text: String,
    },
}

/// How a call ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct End {
    /// Who or what ended it.
    pub cause: Cause,
    /// The SIP status, where there was one: 486, 404, 487 after CANCEL, 200 for an answered call.
    pub code: Option<u16>,
    /// The peer's Reason header or reason phrase, or what we found, in words.
    pub reason: String,
}

/// Who or what ended a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cause {
    /// We did: CANCEL or BYE at our own wish.
    Us,
    /// We did, because somebody else has answered; the far end is told so.
    Elsewhere,
    /// We did, because somebody took them out of a room; the far end is told so.
    Removed,
    /// We did, because their room takes nobody in; the far end is told so.
    Locked,
    /// The far end hung up an answered call.
    Them,
    /// The far end answered the INVITE with a final refusal.
    Refused,
    /// The same, and the telephone network behind it says what happened (Q.850) where the status leaves it open: the
    /// status that would say so.
    Network(u16),
    /// No answer came at all (timer B or F), or the network said so.
    Timeout,
    /// Offer and answer have no codec in common, or the SDP cannot be read.
    NoCommonCodec,
}

/// What we can do, for the answer to OPTIONS (RFC 3261 §11.2).
fn capabilities(builder: Builder) -> Builder {
    let accept = [message::SESSIONS, info::KINDS, letter::PLAIN].join(", ");
    builder
        .header(Name::Allow, message::ALLOW)
        .header(Name::Accept, accept)
        .header(Name::Supported, extension::SUPPORTED)
}
