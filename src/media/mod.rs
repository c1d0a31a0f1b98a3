//! Floor 2: the hot path. Legs, DTMF, players, rooms, and the tick that drives them.
//!
//! The plane is owned by value by one thread. Commands come in and events go out over bounded rings; in
//! between nothing locks, allocates, logs or makes a system call. What must be freed rides back in an event.

mod dtmf;
mod dtmf_send;
mod interval;
mod jitter;
mod latch;
mod leg;
mod merge;
mod plane;
mod player;
mod reports;
mod room;
mod sender;
mod sequence;
mod talk;
mod taps;
mod told;
pub mod tones;

pub use dtmf_send::{Presses, Report};
pub use plane::{Limits, Plane, Stats};

use core::net::SocketAddr;
use std::sync::Arc;

use crate::audio::Frame;
use crate::base::{Digit, LegId, Quality, RoomId, Stream};
use crate::wire::srtp::Protection;

/// Samples a second of everything inside the plane: 16-bit linear, mono.
pub const SAMPLE_RATE: u32 = 8_000;
/// Samples of one 20 ms frame.
pub const FRAME: usize = 160;

/// A prompt ready to be played: 8,000 samples a second, 16-bit linear.
pub type Prompt = Arc<[i16]>;

/// What is played on a leg: prompts one after another without a gap.
#[derive(Clone, PartialEq, Debug)]
pub struct Playlist {
    /// Given back in [`Event::PlayEnded`], so that an old ending is not taken for a new one.
    pub play: u32,
    /// In order.
    pub prompts: Vec<Prompt>,
    /// Begin again when the last one ended.
    pub forever: bool,
}

/// What the plane is asked to do.
#[derive(Debug)]
pub enum Command {
    /// A leg begins to exist. It sends nothing until it is connected.
    Open(LegId),
    /// What protects a leg whose next [`Command::Connect`] has keys; made from these keys. Without it such a leg stays mute.
    Protect(LegId, Box<Protection>),
    /// Offer and answer agreed: send there, listen, detect digits. Again on a re-INVITE.
    Connect(LegId, Stream),
    /// Play this instead of whatever is playing.
    Play(LegId, Box<Playlist>),
    /// Stop playing.
    Hush(LegId),
    /// Into the room (out of any other).
    Join(LegId, RoomId),
    /// Out of its room.
    Leave(LegId),
    /// What this leg says is heard by nobody in its room (true), or again (false). A room begins with everybody heard.
    Mute(LegId, bool),
    /// The leg is over; its place is free again.
    Close(LegId),
    /// What is played in this room while somebody is alone in it. Opens the room.
    Music(RoomId, Box<Playlist>),
    /// The room is over.
    CloseRoom(RoomId),
    /// Press a key towards the peer, as RFC 4733 events.
    Press(LegId, Digit),
    /// Record what comes from there, frame by frame, until it closes or [`Command::StopRecord`].
    Record(Source, Tap),
    /// End this recording.
    StopRecord(Tap),
}

/// What can be recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// What the peer of a leg says.
    Leg(LegId),
    /// What all in a room say.
    Room(RoomId),
}

/// A recording, by the number its owner gave it; never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Tap(pub u32);

/// 20 ms of a recording.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// Which recording.
    pub tap: Tap,
    /// How many frames after its beginning; where one is missing there is silence.
    pub index: u32,
    /// The recording is over; the samples are none.
    pub last: bool,
    /// The samples.
    pub samples: Frame,
}

/// Where everything goes that leaves the plane. None of it may wait.
pub trait Sink {
    /// A datagram for the peer of the leg in `slot`.
    fn send(&mut self, slot: usize, to: SocketAddr, bytes: &[u8]);
    /// A report for the peer of the leg in `slot`, from the port that is for reports alone.
    fn report(&mut self, slot: usize, to: SocketAddr, bytes: &[u8]);
    /// From now on the leg in `slot` takes packets from `peer` alone.
    fn latch(&mut self, slot: usize, peer: SocketAddr);
    /// An event; it comes back when there is no room for it now, and is offered again.
    fn tell(&mut self, event: Event) -> Result<(), Event>;
    /// A frame of a recording; false when there is no room for it.
    fn record(&mut self, frame: &Recorded) -> bool;
}

/// What the plane tells.
#[derive(Debug, PartialEq)]
pub enum Event {
    /// One key press, however many ways it was heard.
    Digit {
        /// Who pressed.
        leg: LegId,
        /// Which key.
        digit: Digit,
        /// In which way it was heard first.
        way: Way,
    },
    /// The first packet of a playlist left.
    PlayStarted {
        /// On which leg.
        leg: LegId,
        /// Which playlist.
        play: u32,
    },
    /// A playlist was heard out (never said of one that was replaced or hushed).
    PlayEnded {
        /// On which leg.
        leg: LegId,
        /// Which playlist.
        play: u32,
    },
    /// Somebody in a room began or ceased to talk.
    Talking {
        /// Who.
        leg: LegId,
        /// Began?
        talking: bool,
    },
    /// How well the two sides of a leg heard each other so far: every few seconds.
    Quality {
        /// On which leg.
        leg: LegId,
        /// How well.
        quality: Quality,
    },
    /// The leg is closed, and this is what it saw.
    Closed {
        /// Which.
        leg: LegId,
        /// What it counted.
        counts: Counts,
    },
    /// No place is free: the leg was not opened.
    Refused(LegId),
    /// No more rooms can be opened: the leg stays outside.
    NoRoom(LegId, RoomId),
    /// Something to be freed where freeing is allowed.
    Spent(Box<Playlist>),
    /// The same.
    SpentKeys(Box<Protection>),
}

/// How a key press reached us.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// An RFC 4733 event.
    Event,
    /// Two tones in the voice.
    Tone,
}

/// What a leg counted in its life.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Packets sent.
    pub sent: u64,
    /// Packets taken.
    pub received: u64,
    /// Packets that never came, by sequence number.
    pub lost: u64,
    /// Packets that came too late, twice or out of the window.
    pub late: u64,
    /// Datagrams from a stranger, that were no RTP, or that the keys of the leg do not vouch for.
    pub refused: u64,
}

#[cfg(test)]
mod tests;
