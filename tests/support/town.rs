//! Who lives in this world, and how they are called.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::BTreeMap;

use hansho::base::{CallFlowId, ContactId, Digit, GuidanceId, Language, Phone, RoomName, TrunkId};
use hansho::incident::{Answer, Behaviour, CallFlow, Contact, Guidance, Hotline, Key, Plan, Strategy, Trigger};
use hansho::rig::{Account, Settings as TrunkSettings};
use hansho::sip::Trunk;
use hansho::sip::digest::Hash;
use hansho::switch::{CallInSettings, PortRange, RoomSettings, Settings};

use super::{minutes, seconds};

/// What people call to reach hansho.
pub const HANSHO_NUMBER: &str = "+815000000000";
const REALM: &str = "carrier.test";

/// The people and the call flow of a story.
#[derive(Clone, Debug)]
pub struct Town {
    pub people: Vec<String>,
    pub strategy: Strategy,
    pub answer: Answer,
    pub rounds: u32,
    pub ring_timeout: Duration,
    pub between_rounds: Duration,
    pub room: Option<String>,
    /// The first two have a hotline on hansho's number; whether hansho rings both.
    pub hotline: Option<bool>,
    /// What opens the room to whoever is not on the incident.
    pub pin: Option<String>,
    /// People may leave messages, which raise incidents that call everybody but the first.
    pub messages: bool,
    /// So many of the people, the last ones, are nobody's contact.
    pub strangers: usize,
}

impl Town {
    /// One round in this order, 20 s of ringing, no room.
    pub fn of(people: &[&str]) -> Town {
        Town {
            people: people.iter().map(|name| (*name).to_owned()).collect(),
            strategy: Strategy::Sequential,
            answer: Answer::One,
            rounds: 1,
            ring_timeout: seconds(20),
            between_rounds: seconds(10),
            room: None,
            hotline: None,
            pin: None,
            messages: false,
            strangers: 0,
        }
    }

    pub fn rounds(self, rounds: u32) -> Town {
        Town { rounds, ..self }
    }

    pub fn all_at_once(self) -> Town {
        Town { strategy: Strategy::Simultaneous, ..self }
    }

    pub fn shuffled(self) -> Town {
        Town { strategy: Strategy::Shuffled, ..self }
    }

    /// The first two may ask each other for a call; `bridge`: hansho rings both.
    pub fn with_hotline(self, bridge: bool) -> Town {
        Town { hotline: Some(bridge), ..self }
    }

    /// The room, or one called `war-room`, has a PIN.
    pub fn with_pin(self, pin: &str) -> Town {
        Town { pin: Some(pin.to_owned()), ..self }
    }

    /// Whoever calls in may leave a message, which calls all the others.
    pub fn with_messages(self) -> Town {
        Town { messages: true, ..self }
    }

    /// hansho does not know the last ones of the people.
    pub fn with_strangers(self, strangers: usize) -> Town {
        Town { strangers, ..self }
    }

    /// Who takes it goes into this room.
    pub fn with_room(self, room: &str) -> Town {
        Town { room: Some(room.to_owned()), ..self }
    }

    pub fn place(&self, name: &str) -> usize {
        self.people.iter().position(|known| known == name).unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    pub fn number(place: usize) -> String {
        format!("+81900000{place:04}")
    }

    pub fn contacts(&self) -> Vec<Contact> {
        let contact = |(place, name): (usize, &String)| Contact {
            id: ContactId::parse(name).unwrap(),
            name: name.clone(),
            phones: vec![Phone::parse(&Town::number(place)).unwrap()],
            language: if place % 2 == 0 { Language::Ja } else { Language::En },
            hours: Default::default(),
        };
        let known = self.people.len() - self.strangers;
        self.people.iter().take(known).enumerate().map(contact).collect()
    }

    pub fn trigger(&self, message: &str) -> (Trigger, Plan) {
        let call_flow = CallFlowId::parse("oncall").unwrap();
        let key = |key: char, behaviour| (Digit::from_char(key).unwrap(), Key { behaviour, say: None });
        let room = self.room.as_ref().map(|room| RoomName::parse(room).unwrap());
        let take = if room.is_some() { Behaviour::Join } else { Behaviour::Take };
        let plan = Plan {
            call_flow: CallFlow {
                id: call_flow.clone(),
                strategy: self.strategy,
                answer: self.answer,
                rounds: self.rounds,
                ring_timeout: self.ring_timeout,
                between_rounds: self.between_rounds,
                bundle: Duration::ZERO,
                taken_for: Duration::ZERO,
            },
            contacts: self.contacts(),
            guidance: Guidance {
                id: GuidanceId::parse("default").unwrap(),
                message: BTreeMap::new(),
                keys: [key('1', take), key('2', Behaviour::Next), key('3', Behaviour::Repeat)].into(),
                first_key_timeout: seconds(10),
                explains_keys: false,
                inter_key_timeout: Duration::from_secs(15),
                challenge: false,
                readings: 1,
                repeats: 2,
                voice_before_dialling: Duration::ZERO,
                room,
            },
            then: None,
        };
        let trigger = Trigger {
            call_flow,
            guidance: None,
            message: Some(message.to_owned()),
            parameters: BTreeMap::new(),
            dedup: None,
            to: Vec::new(),
            host: None,
            service: None,
            by: None,
        };
        (trigger, plan)
    }

    /// The corridor's settings.
    pub fn settings(&self) -> Settings {
        let hotline = self.hotline.map(|bridge| Hotline {
            id: "pair".to_owned(),
            number: HANSHO_NUMBER.to_owned(),
            people: [self.contacts().swap_remove(0), self.contacts().swap_remove(1)],
            timeout: minutes(2),
            bridge,
            language: Some(Language::Ja),
        });
        let room = self.room.clone().unwrap_or_else(|| "war-room".to_owned());
        let name = RoomName::parse(&room).unwrap();
        let room = self.pin.clone().map(|pin| RoomSettings {
            name,
            music: None,
            record: false,
            language: None,
            pin: Some(pin),
        });
        let call_in = self.messages.then(|| {
            let (mut trigger, mut plan) = self.trigger("");
            trigger.message = None;
            plan.contacts.remove(0);
            CallInSettings { trigger, plan, greeting: None, message_max: minutes(1) }
        });
        Settings {
            call_in,
            rooms: room.into_iter().collect(),
            hotlines: hotline.into_iter().collect(),
            public_url: "https://h.test".to_owned(),
            contacts: self.contacts(),
            ports: PortRange { first: 20_000, last: 20_199 },
            trunks: vec![trunk_id()],
            ..Settings::default()
        }
    }
}

pub fn trunk_id() -> TrunkId {
    TrunkId::parse("carrier").unwrap()
}

pub fn hansho_sip() -> SocketAddr {
    ([10, 0, 0, 1], 5_060).into()
}

pub fn trunk_sip() -> SocketAddr {
    ([10, 0, 0, 2], 5_060).into()
}

pub fn phone_sip(place: usize) -> SocketAddr {
    ([10, 0, 1, place as u8], 5_060).into()
}

pub fn phone_rtp(place: usize) -> SocketAddr {
    ([10, 0, 1, place as u8], 4_000).into()
}

/// hansho's account.
pub fn account() -> Trunk {
    Trunk {
        proxy: Some(trunk_sip().into()),
        domain: REALM.to_owned(),
        register: true,
        username: "hansho".to_owned(),
        password: "secret".to_owned(),
        ..Trunk::new(trunk_id())
    }
}

/// The same, seen from the carrier.
pub fn carrier(seed: u64) -> TrunkSettings {
    TrunkSettings {
        local: trunk_sip(),
        realm: REALM.to_owned(),
        account: Account { username: "hansho".into(), password: "secret".into(), number: HANSHO_NUMBER.into() },
        hash: if seed.is_multiple_of(2) { Hash::Sha256 } else { Hash::Md5 },
        nonce_life: minutes(5),
        expires_min_s: 60,
        expires_max_s: 600,
        seed,
    }
}
