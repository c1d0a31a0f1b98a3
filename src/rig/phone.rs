//! A telephone in software: hansho's own user agent as its signalling, a [`Headset`] as its voice.
//!
//! What it does when it rings stands in its [`Script`]; by hand it can be told everything as well. It has one
//! line: who calls while it is in use is told that it is busy.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | Idle | called | Ringing | 180, or at once the refusal of its script |
//! | Idle | call in | Calling | INVITE |
//! | Ringing | the script's time is over, picked up by hand | Connecting | 200 |
//! | Ringing, Calling, Connecting | answered | Up | begins to send and to record |
//! | Up | a step of the script is over | Up | the next step |
//! | any but Idle | called | same | 486 |
//! | any but Idle | ended | Idle | keeps what was heard |

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;

use super::headset::Headset;
use super::recording::Recording;
use super::{Datagram, Output};
use crate::base::{Codec, Digit, LegId, Outbox, Phone as Number, Rng, Time, TrunkId, seeded};
use crate::media::Way;
use crate::sip::{self, Agent, End, Identity, Trunk};

/// How long a step that presses a key takes: the key, and the pause behind it.
const PRESSING: Duration = Duration::from_millis(300);

/// What a telephone does when it rings.
#[derive(Clone, PartialEq, Debug)]
pub struct Script {
    /// Whether and when it is picked up.
    pub pick_up: PickUp,
    /// What its owner does then, one after another; afterwards the line stays up.
    pub then: Vec<Step>,
}

/// Whether and when a telephone is picked up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PickUp {
    /// It rings on; only [`Phone::pick_up`] ends that.
    Never,
    /// 486.
    Busy,
    /// After ringing so long.
    After(Duration),
    /// This status (300 to 699).
    Reject(u16),
}

/// One thing that the owner of a telephone does.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Step {
    /// Listens.
    Hear(Duration),
    /// Presses a key.
    Press(Digit, Way),
    /// Presses a key that is told by INFO and not heard in the media.
    PressByInfo(Digit),
    /// Hums at this many hertz.
    Talk {
        /// The pitch.
        hz: f64,
        /// For how long.
        length: Duration,
    },
    /// Hangs up.
    HangUp,
}

/// Something a telephone went through.
#[derive(Clone, PartialEq, Debug)]
pub enum Noted {
    /// It rings.
    Rings,
    /// It was called, and its script turned the caller away with this status.
    TurnedAway(u16),
    /// It calls somebody.
    Calls,
    /// The call is up.
    Answered,
    /// Its owner pressed a key.
    Pressed(Digit, Way),
    /// Its owner pressed a key that was told by INFO.
    PressedByInfo(Digit),
    /// A short message came.
    Message {
        /// Its sender's number.
        from: String,
        /// What it says.
        text: String,
    },
    /// Its owner talks.
    Talks,
    /// The call is over.
    Ended(End),
}

/// A telephone.
#[derive(Debug)]
pub struct Phone {
    number: String,
    trunk: TrunkId,
    media_port: u16,
    agent: Agent,
    rng: Rng,
    script: Script,
    line: Line,
    wishes: Outbox<sip::Output>,
    log: Vec<(Time, Noted)>,
    past: Vec<Recording>,
    dialled: u32,
}

#[derive(Debug)]
enum Line {
    Idle,
    Ringing { leg: LegId, pick_up: Option<Time> },
    Connecting { leg: LegId },
    Calling { leg: LegId, then: Vec<Step> },
    Up { leg: LegId, headset: Box<Headset>, steps: VecDeque<Step>, step_ends: Option<Time> },
}

/// Where a telephone is plugged in.
#[derive(Clone, Debug)]
pub struct Socket {
    /// Its number, as the trunk knows it.
    pub number: String,
    /// Where it speaks SIP.
    pub sip: SocketAddr,
    /// Where it speaks RTP, on the same address.
    pub media_port: u16,
    /// The trunk.
    pub trunk: SocketAddr,
    /// The trunk's domain.
    pub realm: String,
}

impl Phone {
    /// A telephone that is on the hook.
    pub fn new(socket: Socket, script: Script, seed: u64) -> Phone {
        let trunk = TrunkId::parse("exchange").expect("`exchange` is made of letters");
        let settings = Trunk {
            proxy: Some(socket.trunk.into()),
            domain: socket.realm,
            expires_s: 3_600,
            username: socket.number.clone(),
            codecs: vec![Codec::Pcmu, Codec::Pcma],
            ..Trunk::new(trunk.clone())
        };
        let identity = Identity {
            local: socket.sip,
            media_address: socket.sip.ip(),
            user_agent: "hansho software phone".to_owned(),
            doors: Vec::new(),
        };
        Phone {
            number: socket.number,
            trunk,
            media_port: socket.media_port,
            agent: Agent::new(identity, vec![settings], seed),
            rng: seeded(seed ^ 1),
            script,
            line: Line::Idle,
            wishes: Outbox::new(),
            log: Vec::new(),
            past: Vec::new(),
            dialled: 0,
        }
    }

    /// Its number.
    pub fn number(&self) -> &str {
        &self.number
    }

    /// What it does from the next call on.
    pub fn follow(&mut self, script: Script) {
        self.script = script;
    }

    /// Does it ring?
    pub fn is_ringing(&self) -> bool {
        matches!(self.line, Line::Ringing { .. })
    }

    /// Is it in a call that was answered?
    pub fn is_up(&self) -> bool {
        matches!(self.line, Line::Up { .. })
    }

    /// Is it on the hook?
    pub fn is_idle(&self) -> bool {
        matches!(self.line, Line::Idle)
    }

    /// All it went through, in order.
    pub fn log(&self) -> &[(Time, Noted)] {
        &self.log
    }

    /// The short messages that came, in order.
    pub fn messages(&self) -> impl Iterator<Item = &str> {
        self.log.iter().filter_map(|(_, noted)| match noted {
            Noted::Message { text, .. } => Some(text.as_str()),
            _ => None,
        })
    }

    /// What was heard in this call, or in the last one.
    pub fn heard(&self) -> Option<&Recording> {
        match &self.line {
            Line::Up { headset, .. } => Some(headset.heard()),
            _ => self.past.last(),
        }
    }

    /// What was heard in each call so far, in order.
    pub fn recordings(&self) -> impl Iterator<Item = &Recording> {
        let now = match &self.line {
            Line::Up { headset, .. } => Some(headset.heard()),
            _ => None,
        };
        self.past.iter().chain(now)
    }

    /// Picks up while it rings.
    pub fn pick_up(&mut self, now: Time, out: &mut Outbox<Output>) {
        if let Line::Ringing { leg, .. } = self.line {
            self.agent.accept(now, leg, self.media_port, &mut self.wishes);
            self.line = Line::Connecting { leg };
            self.settle(now, out);
        }
    }

    /// Turns the caller away while it rings.
    pub fn refuse(&mut self, now: Time, code: u16, out: &mut Outbox<Output>) {
        if let Line::Ringing { leg, .. } = self.line {
            self.agent.refuse(now, leg, code, &mut self.wishes);
            self.settle(now, out);
        }
    }

    /// Hangs up.
    pub fn hang_up(&mut self, now: Time, out: &mut Outbox<Output>) {
        if let Some(leg) = self.leg() {
            self.agent.hang_up(now, leg, &mut self.wishes);
            self.settle(now, out);
        }
    }

    /// Presses a key; nothing happens while no call is up.
    pub fn press(&mut self, now: Time, digit: Digit, way: Way) {
        if let Line::Up { headset, .. } = &mut self.line {
            headset.press(digit, way);
            self.log.push((now, Noted::Pressed(digit, way)));
        }
    }

    /// Presses a key as INFO; nothing happens while no call is up.
    pub fn press_by_info(&mut self, now: Time, digit: Digit, out: &mut Outbox<Output>) {
        if let Line::Up { leg, .. } = self.line {
            self.agent.press(now, leg, digit, &mut self.wishes);
            self.log.push((now, Noted::PressedByInfo(digit)));
            self.settle(now, out);
        }
    }

    /// Hums at `hz`; nothing happens while no call is up.
    pub fn talk(&mut self, now: Time, hz: f64, length: Duration) {
        if let Line::Up { headset, .. } = &mut self.line {
            headset.talk(hz, length);
            self.log.push((now, Noted::Talks));
        }
    }

    /// Calls `number` and does `then` once it is answered. The error says why it cannot be tried.
    pub fn call_in(
        &mut self,
        now: Time,
        number: &str,
        then: Vec<Step>,
        out: &mut Outbox<Output>,
    ) -> Result<(), String> {
        if !self.is_idle() {
            return Err("the line is in use".to_owned());
        }
        let number = Number::parse(number).map_err(|error| error.to_string())?;
        let leg = LegId(self.dialled);
        let dialled = self.agent.dial(now, leg, &self.trunk, &number, self.media_port, &mut self.wishes);
        dialled.map_err(|error| error.to_string())?;
        self.dialled += 1;
        self.line = Line::Calling { leg, then };
        self.log.push((now, Noted::Calls));
        self.settle(now, out);
        Ok(())
    }

    /// A datagram came to the SIP port.
    pub fn on_sip(&mut self, now: Time, from: SocketAddr, bytes: &[u8], out: &mut Outbox<Output>) {
        self.agent.on_datagram(now, from, bytes, &mut self.wishes);
        self.settle(now, out);
    }

    /// A datagram came to the RTP port.
    pub fn on_rtp(&mut self, now: Time, from: SocketAddr, bytes: &[u8]) {
        if let Line::Up { headset, .. } = &mut self.line {
            headset.on_datagram(now, from, bytes);
        }
    }

    /// When to call [`Phone::on_deadline`].
    pub fn next_deadline(&self) -> Option<Time> {
        let line = match &self.line {
            Line::Idle | Line::Connecting { .. } | Line::Calling { .. } => None,
            Line::Ringing { pick_up, .. } => *pick_up,
            Line::Up { headset, step_ends, .. } => {
                Some(step_ends.map_or(headset.next_deadline(), |ends| ends.min(headset.next_deadline())))
            }
        };
        line.into_iter().chain(self.agent.next_deadline()).min()
    }

    /// Does all that is due.
    pub fn on_deadline(&mut self, now: Time, out: &mut Outbox<Output>) {
        self.agent.on_deadline(now, &mut self.wishes);
        self.settle(now, out);
        if let Line::Ringing { pick_up: Some(at), .. } = self.line
            && at <= now
        {
            self.pick_up(now, out);
        }
        if let Line::Up { step_ends: Some(ends), .. } = self.line
            && ends <= now
        {
            self.next_step(now, out);
        }
        if let Line::Up { headset, .. } = &mut self.line
            && let Some(datagram) = headset.on_deadline(now)
        {
            out.push(Output::Rtp(datagram));
        }
    }

    fn leg(&self) -> Option<LegId> {
        match &self.line {
            Line::Idle => None,
            Line::Ringing { leg, .. } | Line::Connecting { leg } | Line::Calling { leg, .. } | Line::Up { leg, .. } => {
                Some(*leg)
            }
        }
    }

    fn settle(&mut self, now: Time, out: &mut Outbox<Output>) {
        while let Some(wish) = self.wishes.pop() {
            match wish {
                sip::Output::Send { to, bytes } => out.push(Output::Sip(Datagram { to: to.address, bytes })),
                sip::Output::Event(event) => self.on_event(now, event, out),
            }
        }
    }

    fn on_event(&mut self, now: Time, event: sip::Event, out: &mut Outbox<Output>) {
        match event {
            sip::Event::Incoming { leg, .. } if self.leg().is_some() => {
                self.agent.refuse(now, leg, 486, &mut self.wishes);
            }
            sip::Event::Incoming { leg, .. } => self.called(now, leg),
            sip::Event::Answered { leg, stream, .. } if self.leg() == Some(leg) => {
                let steps = match core::mem::replace(&mut self.line, Line::Idle) {
                    Line::Calling { then, .. } => then,
                    _ => self.script.then.clone(),
                };
                let headset = Box::new(Headset::new(now, stream, &mut self.rng));
                self.line = Line::Up { leg, headset, steps: steps.into(), step_ends: Some(now) };
                self.log.push((now, Noted::Answered));
                self.next_step(now, out);
            }
            sip::Event::Changed { leg, stream } if self.leg() == Some(leg) => {
                if let Line::Up { headset, .. } = &mut self.line {
                    headset.change(stream);
                }
            }
            sip::Event::Ended { leg, end } if self.leg() == Some(leg) => {
                if let Line::Up { headset, .. } = core::mem::replace(&mut self.line, Line::Idle) {
                    self.past.push(headset.into_heard());
                }
                self.log.push((now, Noted::Ended(end)));
            }
            sip::Event::MessageReceived { from, text, .. } => self.log.push((now, Noted::Message { from, text })),
            _ => {}
        }
    }

    fn called(&mut self, now: Time, leg: LegId) {
        let pick_up = match self.script.pick_up {
            PickUp::Busy => return self.turn_away(now, leg, 486),
            PickUp::Reject(code) => return self.turn_away(now, leg, code),
            PickUp::Never => None,
            PickUp::After(ringing) => Some(now + ringing),
        };
        self.agent.ring(now, leg, &mut self.wishes);
        self.line = Line::Ringing { leg, pick_up };
        self.log.push((now, Noted::Rings));
    }

    fn turn_away(&mut self, now: Time, leg: LegId, code: u16) {
        self.agent.refuse(now, leg, code, &mut self.wishes);
        self.log.push((now, Noted::TurnedAway(code)));
    }

    fn next_step(&mut self, now: Time, out: &mut Outbox<Output>) {
        let Line::Up { steps, step_ends, .. } = &mut self.line else { return };
        let step = steps.pop_front();
        *step_ends = match step {
            None => None,
            Some(Step::Hear(length) | Step::Talk { length, .. }) => Some(now + length),
            Some(Step::Press(..) | Step::PressByInfo(_) | Step::HangUp) => Some(now + PRESSING),
        };
        match step {
            None | Some(Step::Hear(_)) => {}
            Some(Step::Press(digit, way)) => self.press(now, digit, way),
            Some(Step::PressByInfo(digit)) => self.press_by_info(now, digit, out),
            Some(Step::Talk { hz, length }) => self.talk(now, hz, length),
            Some(Step::HangUp) => self.hang_up(now, out),
        }
    }
}

#[cfg(test)]
mod tests;
