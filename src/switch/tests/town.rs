//! Who there is: trunks, people, plans, triggers.

use std::collections::BTreeMap;

use core::net::SocketAddr;
use core::time::Duration;

use super::world::{US, seconds};
use crate::base::{CallFlowId, ContactId, Digit, GuidanceId, Language, Phone, RoomName, TrunkId};
use crate::incident::{Answer, Behaviour, CallFlow, Contact, Guidance, Key, Plan, Strategy, Trigger};
use crate::sip::{Agent, Identity, IpRange, Trunk};

pub fn trunk(id: &str, max_calls: u32, register: bool, proxy: Option<SocketAddr>) -> Trunk {
    Trunk {
        proxy: proxy.map(Into::into),
        domain: "pbx.example".into(),
        register,
        expires_s: 300,
        username: "hansho".into(),
        password: "secret".into(),
        max_calls,
        allow_from: vec![IpRange::parse("192.0.2.0/24").unwrap()],
        ..Trunk::new(TrunkId::parse(id).unwrap())
    }
}

pub fn agent_with(trunks: Vec<Trunk>) -> Agent {
    let local: SocketAddr = US.parse().unwrap();
    let identity = Identity { local, media_address: local.ip(), user_agent: "hansho-test".into(), doors: Vec::new() };
    Agent::new(identity, trunks, 7)
}

/// An agent with one trunk.
pub fn agent(max_calls: u32, register: bool, proxy: Option<SocketAddr>) -> Agent {
    agent_with(vec![trunk("main", max_calls, register, proxy)])
}

pub fn contact(name: &str) -> Contact {
    let number = name.bytes().map(u32::from).sum::<u32>();
    Contact {
        id: ContactId::parse(name).unwrap(),
        name: name.to_owned(),
        phones: vec![Phone::parse(&format!("+8190{number:08}")).unwrap()],
        language: Language::En,
        hours: Default::default(),
    }
}

/// 1 takes it, 2 passes it on, 3 goes into the room; whoever takes it goes into `room`, where there is one.
pub fn plan(people: &[&str], room: Option<&str>) -> Plan {
    let key = |digit, behaviour| (Digit::from_char(digit).unwrap(), Key { behaviour, say: None });
    Plan {
        call_flow: CallFlow {
            id: CallFlowId::parse("oncall").unwrap(),
            strategy: Strategy::Sequential,
            answer: Answer::One,
            rounds: 1,
            ring_timeout: seconds(25),
            between_rounds: seconds(5),
            bundle: Duration::ZERO,
            taken_for: Duration::ZERO,
        },
        contacts: people.iter().map(|name| contact(name)).collect(),
        guidance: Guidance {
            id: GuidanceId::parse("plain").unwrap(),
            message: BTreeMap::new(),
            keys: BTreeMap::from([
                key('1', Behaviour::Take),
                key('2', Behaviour::Next),
                key('3', Behaviour::Join),
                key('8', Behaviour::Leave),
                key('9', Behaviour::Quiet),
            ]),
            first_key_timeout: seconds(10),
            explains_keys: false,
            inter_key_timeout: Duration::from_secs(15),
            challenge: false,
            readings: 1,
            repeats: 1,
            voice_before_dialling: Duration::ZERO,
            room: room.map(|room| RoomName::parse(room).unwrap()),
        },
        then: None,
    }
}

pub fn trigger(dedup: Option<&str>) -> Trigger {
    Trigger {
        call_flow: CallFlowId::parse("oncall").unwrap(),
        guidance: None,
        message: Some("the database is down".to_owned()),
        parameters: BTreeMap::new(),
        dedup: dedup.map(str::to_owned),
        to: Vec::new(),
        host: None,
        service: None,
        by: None,
    }
}
