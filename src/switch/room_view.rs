//! What is seen of rooms, and why an order about one is not carried out.
//!
//! It holds no room: a view is made when somebody asks, and is true in that moment.

use core::fmt;
use core::time::Duration;

use crate::base::{AttemptId, ContactId, Phone, RoomName, Stamp};

/// In an error so many are listed.
pub(super) const LISTED: usize = 10;

/// A room with somebody inside.
#[derive(Clone, PartialEq, Debug)]
pub struct RoomView<'a> {
    /// What people call it.
    pub name: &'a RoomName,
    /// When the first came in.
    pub since: Stamp,
    /// Nobody comes in.
    pub locked: bool,
    /// Those inside, in the order in which they came.
    pub people: Vec<Attendee<'a>>,
}

/// Somebody in a room.
#[derive(Clone, PartialEq, Debug)]
pub struct Attendee<'a> {
    /// The how-many-eth to come in, from 1.
    pub member: u32,
    /// Who.
    pub contact: &'a ContactId,
    /// The name people know them by; nobody knows that of a guest.
    pub name: Option<&'a str>,
    /// When they came in.
    pub since: Stamp,
    /// The others do not hear them.
    pub muted: bool,
    /// They are talking.
    pub talking: bool,
    /// The call that brought them in, where it is an incident's.
    pub attempt: Option<AttemptId>,
}

impl Attendee<'_> {
    /// For messages.
    pub(super) fn shown(&self) -> String {
        let name = self.name.map(|name| format!(", {name}")).unwrap_or_default();
        format!("{} ({}{name})", self.member, self.contact)
    }
}

/// Somebody who is being rung and asked in.
#[derive(Clone, PartialEq, Debug)]
pub struct Invited {
    /// Who.
    pub contact: ContactId,
    /// Where.
    pub phone: Phone,
}

/// Why an order about a room is not carried out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum NotDone {
    /// Nobody is in it, and no configuration names it.
    #[error("there is no room `{0}`; {1}")]
    NoSuchRoom(String, OpenRooms),
    /// Nobody is in it.
    #[error("nobody is in the room `{0}`; {1}")]
    Empty(RoomName, OpenRooms),
    /// Nobody in it is called so.
    #[error("nobody in the room `{room}` is `{member}`; in it: {there}")]
    NobodyCalledSo {
        /// Which room.
        room: RoomName,
        /// Whom somebody asked for.
        member: String,
        /// Who is there.
        there: String,
    },
    /// Several in it are called so.
    #[error("several in the room `{room}` are `{member}`: name one by number; in it: {there}")]
    Several {
        /// Which room.
        room: RoomName,
        /// Whom somebody asked for.
        member: String,
        /// Who is there.
        there: String,
    },
    /// It takes nobody in.
    #[error("the room `{0}` is locked: unlock it first")]
    Locked(RoomName),
    /// Too much is being said in it.
    #[error("in the room `{room}` words of {} s wait to be said: say it again when they are through", waits.as_secs())]
    TalkedOver {
        /// Which room.
        room: RoomName,
        /// How long it takes to say what waits.
        waits: Duration,
    },
    /// They are on another call of ours.
    #[error("{0} is on the phone with hansho already")]
    OnThePhone(String),
    /// The dial guard forbids it.
    #[error("{0}")]
    Forbidden(String),
    /// Something of ours is in the way.
    #[error("{0}")]
    Fault(String),
}

impl NotDone {
    /// For programs.
    pub const fn code(&self) -> &'static str {
        match self {
            NotDone::NoSuchRoom(..) | NotDone::NobodyCalledSo { .. } => "not_found",
            NotDone::Empty(..) => "not_open",
            NotDone::Several { .. } => "ambiguous",
            NotDone::Locked(_) => "locked",
            NotDone::TalkedOver { .. } | NotDone::OnThePhone(_) => "busy",
            NotDone::Forbidden(_) => "dial_refused",
            NotDone::Fault(_) => "not_dialled",
        }
    }
}

/// The rooms there are, for messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OpenRooms(Vec<RoomName>);

impl OpenRooms {
    /// These.
    pub(super) const fn new(names: Vec<RoomName>) -> OpenRooms {
        OpenRooms(names)
    }
}

impl fmt::Display for OpenRooms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("nobody is in any room");
        }
        let names: Vec<&str> = self.0.iter().take(LISTED).map(RoomName::as_str).collect();
        write!(f, "rooms with somebody inside: {}", names.join(", "))
    }
}
