//! A telephone: the one of the rig with its voice, or one that only signals.

use core::net::SocketAddr;

use hansho::base::{Digit, LegId, Outbox, Phone as Number, Time, TrunkId};
use hansho::media::Way;
use hansho::rig::{self, Datagram, Output, PickUp, Recording, Script, Socket};
use hansho::sip::{self, Agent, Identity, Trunk};

use crate::support::town::{HANSHO_NUMBER, Town, phone_rtp, phone_sip, trunk_sip};

/// What a telephone is doing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Line {
    Idle,
    Ringing,
    Up,
    /// On its way to one of the others.
    Between,
}

pub enum Phone {
    Voice(Box<rig::Phone>),
    Mute(Box<Mute>),
}

/// A telephone without a voice.
pub struct Mute {
    agent: Agent,
    place: usize,
    /// Says that it rings before it is picked up.
    says_180: bool,
    state: (Line, LegId),
    wishes: Outbox<sip::Output>,
    dialled: u32,
}

impl Phone {
    pub fn new(place: usize, voice: bool, seed: u64) -> Phone {
        if voice {
            let (number, media_port) = (Town::number(place), phone_rtp(place).port());
            let realm = "carrier.test".to_owned();
            let socket = Socket { number, sip: phone_sip(place), media_port, trunk: trunk_sip(), realm };
            let script = Script { pick_up: PickUp::Never, then: Vec::new() };
            return Phone::Voice(Box::new(rig::Phone::new(socket, script, seed)));
        }
        let local = phone_sip(place);
        let identity =
            Identity { local, media_address: local.ip(), user_agent: "telephone".to_owned(), doors: Vec::new() };
        let trunk = Trunk {
            id: exchange(),
            register: false,
            username: Town::number(place),
            password: String::new(),
            max_calls: 0,
            ..crate::support::town::account()
        };
        Phone::Mute(Box::new(Mute {
            agent: Agent::new(identity, vec![trunk], seed),
            place,
            says_180: !seed.is_multiple_of(4),
            state: (Line::Idle, LegId(0)),
            wishes: Outbox::new(),
            dialled: 0,
        }))
    }

    pub fn line(&self) -> Line {
        match self {
            Phone::Voice(phone) if phone.is_idle() => Line::Idle,
            Phone::Voice(phone) if phone.is_ringing() => Line::Ringing,
            Phone::Voice(phone) if phone.is_up() => Line::Up,
            Phone::Voice(_) => Line::Between,
            Phone::Mute(phone) => phone.state.0,
        }
    }

    /// True when no SIP dialog is left, not even one that is being ended.
    pub fn has_no_dialog(&self) -> bool {
        match self {
            Phone::Voice(phone) => phone.is_idle(),
            Phone::Mute(phone) => phone.state.0 == Line::Idle && phone.agent.trunks().all(|trunk| trunk.calls == 0),
        }
    }

    /// What was heard in each call, where there is a voice.
    pub fn recordings(&self) -> impl Iterator<Item = &Recording> {
        match self {
            Phone::Voice(phone) => Some(phone.recordings()).into_iter().flatten(),
            Phone::Mute(_) => None.into_iter().flatten(),
        }
    }

    pub fn pick_up(&mut self, now: Time, out: &mut Outbox<Output>) {
        match self {
            Phone::Voice(phone) => phone.pick_up(now, out),
            Phone::Mute(phone) => phone.pick_up(now, out),
        }
    }

    pub fn refuse(&mut self, now: Time, code: u16, out: &mut Outbox<Output>) {
        match self {
            Phone::Voice(phone) => phone.refuse(now, code, out),
            Phone::Mute(phone) if phone.state.0 == Line::Ringing => {
                phone.agent.refuse(now, phone.state.1, code, &mut phone.wishes);
                phone.settle(now, out);
            }
            Phone::Mute(_) => {}
        }
    }

    pub fn hang_up(&mut self, now: Time, out: &mut Outbox<Output>) {
        match self {
            Phone::Voice(phone) => phone.hang_up(now, out),
            Phone::Mute(phone) if phone.state.0 != Line::Idle => {
                phone.agent.hang_up(now, phone.state.1, &mut phone.wishes);
                phone.settle(now, out);
            }
            Phone::Mute(_) => {}
        }
    }

    /// Presses a key; only a voice can be heard to do so.
    pub fn press(&mut self, now: Time, digit: Digit, way: Way) {
        if let Phone::Voice(phone) = self {
            phone.press(now, digit, way);
        }
    }

    pub fn talk(&mut self, now: Time, hz: f64, length: core::time::Duration) {
        if let Phone::Voice(phone) = self {
            phone.talk(now, hz, length);
        }
    }

    pub fn call_in(&mut self, now: Time, out: &mut Outbox<Output>) {
        match self {
            Phone::Voice(phone) => drop(phone.call_in(now, HANSHO_NUMBER, vec![], out)),
            Phone::Mute(phone) if phone.state.0 == Line::Idle => phone.call_in(now, out),
            Phone::Mute(_) => {}
        }
    }

    pub fn on_sip(&mut self, now: Time, from: SocketAddr, bytes: &[u8], out: &mut Outbox<Output>) {
        match self {
            Phone::Voice(phone) => phone.on_sip(now, from, bytes, out),
            Phone::Mute(phone) => {
                phone.agent.on_datagram(now, from, bytes, &mut phone.wishes);
                phone.settle(now, out);
            }
        }
    }

    pub fn on_rtp(&mut self, now: Time, from: SocketAddr, bytes: &[u8]) {
        if let Phone::Voice(phone) = self {
            phone.on_rtp(now, from, bytes);
        }
    }

    pub fn next_deadline(&self) -> Option<Time> {
        match self {
            Phone::Voice(phone) => phone.next_deadline(),
            Phone::Mute(phone) => phone.agent.next_deadline(),
        }
    }

    pub fn on_deadline(&mut self, now: Time, out: &mut Outbox<Output>) {
        match self {
            Phone::Voice(phone) => phone.on_deadline(now, out),
            Phone::Mute(phone) => {
                phone.agent.on_deadline(now, &mut phone.wishes);
                phone.settle(now, out);
            }
        }
    }
}

impl Mute {
    fn pick_up(&mut self, now: Time, out: &mut Outbox<Output>) {
        if self.state.0 == Line::Ringing {
            self.agent.accept(now, self.state.1, phone_rtp(self.place).port(), &mut self.wishes);
            self.state.0 = Line::Between;
            self.settle(now, out);
        }
    }

    fn call_in(&mut self, now: Time, out: &mut Outbox<Output>) {
        let leg = LegId(self.dialled);
        self.dialled += 1;
        let (number, port) = (Number::parse(HANSHO_NUMBER).unwrap(), phone_rtp(self.place).port());
        if self.agent.dial(now, leg, &exchange(), &number, port, &mut self.wishes).is_ok() {
            self.state = (Line::Between, leg);
            self.settle(now, out);
        }
    }

    fn settle(&mut self, now: Time, out: &mut Outbox<Output>) {
        while let Some(wish) = self.wishes.pop() {
            match wish {
                sip::Output::Send { to, bytes } => out.push(Output::Sip(Datagram { to: to.address, bytes })),
                sip::Output::Event(event) => self.on_event(now, event),
            }
        }
    }

    fn on_event(&mut self, now: Time, event: sip::Event) {
        match event {
            sip::Event::Incoming { leg, .. } if self.state.0 != Line::Idle => {
                self.agent.refuse(now, leg, 486, &mut self.wishes);
            }
            sip::Event::Incoming { leg, .. } => {
                self.state = (Line::Ringing, leg);
                if self.says_180 {
                    self.agent.ring(now, leg, &mut self.wishes);
                }
            }
            sip::Event::Answered { leg, .. } if leg == self.state.1 => self.state.0 = Line::Up,
            sip::Event::Ended { leg, .. } if leg == self.state.1 => self.state.0 = Line::Idle,
            _ => {}
        }
    }
}

fn exchange() -> TrunkId {
    TrunkId::parse("exchange").unwrap()
}
