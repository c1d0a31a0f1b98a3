//! A corridor with one trunk, and everything around it played by the test.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use core::net::SocketAddr;
use core::time::Duration;

pub use super::town::{agent, agent_with, contact, plan, trigger, trunk};

use crate::base::{Digit, IncidentId, Language, LegId, Phone, Stamp, Time};
use crate::incident::{Fact, Outcome, Plan, Trigger};
use crate::media::{self, Command, Prompt, Way};
use crate::sip::Agent;
use crate::switch::{
    Act, Batch, Clip, Entry, Event, HotlineAnswer, Input, PortRange, PromptBook, Raised, Settings, Switch, What,
};
use crate::wire::sip::{Builder, Message, Method, Name};

pub const US: &str = "192.0.2.10:5060";
pub const TRUNK: &str = "192.0.2.1:5060";

pub fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// Everything that left the corridor, and the corridor itself.
pub struct World {
    pub switch: Switch,
    pub now: Time,
    /// The journal.
    pub facts: Vec<Entry>,
    pub events: Vec<Event>,
    /// What is recorded: begun (`None`), kept or dropped.
    pub recordings: Vec<(LegId, String, Option<bool>)>,
    /// Recordings that are to be read.
    pub replays: Vec<(IncidentId, Language, String, String)>,
    /// What the gateway is to send.
    pub messages: Vec<(u32, Phone, String)>,
    /// What is to be spoken.
    pub texts: Vec<(IncidentId, Language, String)>,
    /// Requests on the wire that nobody has looked at.
    requests: Vec<Message>,
    responses: Vec<Message>,
    seen: BTreeSet<Vec<u8>>,
    /// Where the last datagram went.
    pub last_sent_to: Option<SocketAddr>,
    ports: BTreeMap<u16, LegId>,
    /// Legs that are open in the media plane.
    pub open: BTreeSet<LegId>,
    playing: BTreeMap<LegId, media::Playlist>,
    pub rooms: BTreeMap<LegId, media::Playlist>,
    clips: BTreeMap<i16, String>,
    next: u32,
}

/// One telephone that hansho rings, or that rings hansho.
#[derive(Clone, Debug)]
pub struct Ringing {
    pub leg: LegId,
    pub invite: Message,
}

impl World {
    /// A corridor with a trunk that wants no registration, and three people in the configuration.
    pub fn new() -> World {
        let mut world = World::with(agent(0, false, Some(TRUNK.parse().unwrap())), PortRange::default());
        world.input(Input::Start);
        world
    }

    pub fn with(agent: Agent, ports: PortRange) -> World {
        let mut clips = BTreeMap::new();
        let read = |language: Language, clip: Clip| {
            let number = i16::try_from(clips.len() + 1).unwrap();
            clips.insert(number, if language == Language::En { clip.name().to_owned() } else { "foreign".to_owned() });
            Ok::<Prompt, String>(Prompt::from([number]))
        };
        let book = PromptBook::gather(read, Prompt::from([0])).unwrap();
        let settings = Settings {
            contacts: ["ann", "bob", "cleo"].iter().map(|name| contact(name)).collect(),
            rooms: Vec::new(),
            ports,
            trunks: agent.trunks().map(|trunk| trunk.id).collect(),
            ..Settings::default()
        };
        let began = Stamp::from_unix_micros(1_795_000_000_000_000);
        World {
            switch: Switch::new(settings, agent, Arc::new(book), began, 7),
            now: Time::ZERO,
            facts: Vec::new(),
            events: Vec::new(),
            messages: Vec::new(),
            recordings: Vec::new(),
            replays: Vec::new(),
            texts: Vec::new(),
            requests: Vec::new(),
            responses: Vec::new(),
            seen: BTreeSet::new(),
            last_sent_to: None,
            ports: BTreeMap::new(),
            open: BTreeSet::new(),
            playing: BTreeMap::new(),
            rooms: BTreeMap::new(),
            clips,
            next: 0,
        }
    }

    /// The process ends here and another begins with what the journal holds.
    pub fn crash(&self) -> World {
        self.crash_with(|_| {})
    }

    /// The same, with more in the configuration.
    pub fn crash_with(&self, more: impl FnOnce(&mut Settings)) -> World {
        let mut next = World::with(agent(0, false, Some(TRUNK.parse().unwrap())), PortRange::default());
        more(&mut next.switch.settings);
        // It takes a moment to begin again.
        next.switch.set_calendar(self.calendar() + seconds(1));
        next.facts.clone_from(&self.facts);
        next.next = self.next + 1_000;
        let house = |entry: &Entry| match entry {
            Entry::House(at, fact) => Some((*at, fact.clone())),
            Entry::Incident(..) => None,
        };
        next.input(Input::RestoreHouse(self.facts.iter().filter_map(house).collect()));
        let mut ids: Vec<IncidentId> = self.facts.iter().filter_map(Entry::incident).collect();
        ids.dedup();
        let ids: BTreeSet<IncidentId> = ids.into_iter().collect();
        for incident in ids {
            let facts = self.facts.iter().filter(|entry| entry.incident() == Some(incident));
            let facts = facts.filter_map(|entry| Some((entry.at(), entry.fact()?.clone()))).collect();
            next.input(Input::Restore { incident, facts });
        }
        next.input(Input::Start);
        next
    }

    pub fn input(&mut self, input: Input) {
        self.switch.handle(self.now, input);
        self.gather();
    }

    pub fn raise(&mut self, trigger: Trigger, plan: Plan) -> IncidentId {
        self.comes(trigger, plan).incident()
    }

    /// The same, with what became of the trigger.
    pub fn comes(&mut self, trigger: Trigger, plan: Plan) -> Raised {
        self.ask(|switch, now| switch.raise(now, trigger, plan))
    }

    /// Something is asked of the corridor from outside.
    pub fn ask<R>(&mut self, what: impl FnOnce(&mut Switch, Time) -> R) -> R {
        let answer = what(&mut self.switch, self.now);
        self.gather();
        answer
    }

    /// The calendar time of now.
    pub fn calendar(&self) -> Stamp {
        self.switch.stamp(self.now)
    }

    /// The names of the events so far that are told of this incident.
    pub fn events_of(&self, id: IncidentId) -> Vec<String> {
        let of = self.events.iter().filter(|event| event.incident == Some(id));
        of.map(|event| serde_json::to_value(event).unwrap()["event"].as_str().unwrap().to_owned()).collect()
    }

    pub fn cancel(&mut self, id: IncidentId) -> bool {
        let done = self.switch.cancel(self.now, id, "test").is_ok();
        self.gather();
        done
    }

    /// Time passes, and what is due in it happens.
    pub fn wait(&mut self, pause: Duration) {
        let until = self.now + pause;
        let mut at_once = 0;
        while let Some(next) = self.switch.next_deadline().filter(|next| *next <= until) {
            at_once = if next <= self.now { at_once + 1 } else { 0 };
            assert!(at_once < 10, "it wakes for ever at {next:?}");
            self.now = self.now.max(next);
            self.input(Input::Wake);
        }
        self.now = until;
    }

    fn gather(&mut self) {
        let Batch { facts, acts, events } = self.switch.take();
        self.facts.extend(facts);
        self.events.extend(events);
        for act in acts {
            match act {
                Act::Send { to, bytes } => {
                    self.last_sent_to = Some(to.address);
                    self.sent(bytes);
                }
                Act::OpenLeg { leg, port } => {
                    assert!(self.open.insert(leg), "{leg} is opened twice");
                    self.ports.insert(port, leg);
                }
                Act::Media(command) => self.media(command),
                Act::Speak { incident, language, text } => self.texts.push((incident, language, text)),
                Act::RecordRoom { .. } => {}
                Act::RecordLeg { leg, file } => self.recordings.push((leg, file, None)),
                Act::StopRecord { leg, file, keep } => self.recordings.push((leg, file, Some(keep))),
                Act::Replay { incident, language, text, file } => self.replays.push((incident, language, text, file)),
                Act::Message { number, to, text } => self.messages.push((number, to, text)),
            }
        }
    }

    fn sent(&mut self, bytes: Vec<u8>) {
        // A retransmission is no news.
        if self.seen.insert(bytes.clone()) {
            let message = Message::parse(&bytes).unwrap();
            if message.is_request() { self.requests.push(message) } else { self.responses.push(message) }
        }
    }

    fn media(&mut self, command: Command) {
        match command {
            Command::Play(leg, playlist) => {
                self.playing.insert(leg, *playlist);
            }
            Command::Hush(leg) => {
                self.playing.remove(&leg);
            }
            Command::Join(leg, _) => {
                self.playing.remove(&leg);
                self.rooms.insert(leg, media::Playlist { play: 0, prompts: Vec::new(), forever: false });
            }
            Command::Leave(leg) => {
                self.rooms.remove(&leg);
            }
            Command::Close(leg) => {
                self.open.remove(&leg);
                self.playing.remove(&leg);
                self.rooms.remove(&leg);
            }
            _ => {}
        }
    }

    /// The trunk answers the REGISTER.
    pub fn registers(&mut self, code: u16) {
        let place = self.requests.iter().position(|request| request.method() == Method::Register).unwrap();
        let register = self.requests.remove(place);
        let contact = register.header(&Name::Contact).unwrap_or_default().to_owned();
        let builder = Builder::response(&register, code).to_tag("there").header(Name::Contact, contact);
        let bytes = builder.header(Name::Expires, "300").finish();
        self.input(Input::Datagram { from: TRUNK.parse().unwrap(), bytes });
    }

    /// The phone of this person rings (180 is said).
    pub fn rings(&mut self, name: &str) -> Ringing {
        let phone = contact(name).phones[0].to_string();
        let is = |request: &Message| request.method() == Method::Invite && request.uri().unwrap().contains(&phone);
        let place = self.requests.iter().position(is);
        let place = place.unwrap_or_else(|| panic!("{name} is not rung; on the wire: {:?}", self.on_the_wire()));
        let invite = self.requests.remove(place);
        let body = String::from_utf8_lossy(invite.body()).into_owned();
        let port = body.split_once("m=audio ").unwrap().1.split(' ').next().unwrap().parse().unwrap();
        let ringing = Ringing { leg: self.ports[&port], invite };
        self.respond(&ringing.invite, 180);
        ringing
    }

    /// hansho sends a short message to this person.
    pub fn send(&mut self, name: &str, text: &str) -> u32 {
        let number = self.switch.send_message(self.now, contact(name).phones[0].clone(), text);
        self.gather();
        number
    }

    /// Somebody presses the button of a hotline's page.
    pub fn taps(&mut self, link: &str) -> Option<HotlineAnswer> {
        let page = self.switch.hotline_accept(self.now, link);
        self.gather();
        page
    }

    /// How many requests with this method are on the wire that nobody has looked at.
    pub fn asked_for(&self, method: &Method) -> usize {
        self.requests.iter().filter(|request| request.method() == *method).count()
    }

    /// The last request on the wire with this method, which nobody has looked at.
    pub fn asked(&mut self, method: &Method) -> Message {
        let place = self.requests.iter().position(|request| request.method() == *method);
        self.requests.remove(place.unwrap_or_else(|| panic!("no {method}; on the wire: {:?}", self.on_the_wire())))
    }

    /// Nobody is rung (any more) who was not rung before.
    pub fn nobody_rings(&self) {
        let rung = self.requests.iter().any(|request| request.method() == Method::Invite);
        assert!(!rung, "somebody is rung: {:?}", self.on_the_wire());
    }

    pub fn on_the_wire(&self) -> Vec<String> {
        self.requests.iter().map(|request| format!("{} {}", request.method(), request.uri().unwrap())).collect()
    }

    pub fn respond(&mut self, request: &Message, code: u16) {
        let mut builder =
            Builder::response(request, code).to_tag("there").header(Name::Contact, format!("<sip:{TRUNK}>"));
        if code == 200 && request.method() == Method::Invite {
            builder = builder.body("application/sdp", sdp().as_bytes());
        }
        let bytes = builder.finish();
        self.input(Input::Datagram { from: TRUNK.parse().unwrap(), bytes });
    }

    pub fn answers(&mut self, phone: &Ringing) {
        self.respond(&phone.invite.clone(), 200);
    }

    pub fn presses(&mut self, phone: &Ringing, key: char) {
        let digit = Digit::from_char(key).unwrap();
        self.input(Input::Media(media::Event::Digit { leg: phone.leg, digit, way: Way::Event }));
    }

    /// The clips that play on this phone now; a text that was spoken is `spoken`.
    pub fn hears(&self, phone: &Ringing) -> Vec<&str> {
        let Some(playlist) = self.playing.get(&phone.leg) else { return Vec::new() };
        let name = |prompt: &Prompt| self.clips.get(&prompt[0]).map_or("spoken", String::as_str);
        playlist.prompts.iter().map(name).collect()
    }

    /// All that is said on this leg is heard out, whatever follows.
    pub fn hears_everything(&mut self, leg: LegId) {
        while let Some(playlist) = self.playing.remove(&leg) {
            self.input(Input::Media(media::Event::PlayEnded { leg, play: playlist.play }));
        }
    }

    /// The clips that play on this leg now.
    pub fn plays(&self, leg: LegId) -> Vec<&str> {
        let Some(playlist) = self.playing.get(&leg) else { return Vec::new() };
        let name = |prompt: &Prompt| self.clips.get(&prompt[0]).map_or("sound", String::as_str);
        playlist.prompts.iter().map(name).collect()
    }

    /// Somebody presses keys on this leg.
    pub fn keys(&mut self, leg: LegId, keys: &str) {
        for key in keys.chars() {
            let digit = Digit::from_char(key).unwrap();
            self.input(Input::Media(media::Event::Digit { leg, digit, way: Way::Event }));
            self.wait(seconds(3));
        }
    }

    /// What plays there is heard out.
    pub fn hears_out(&mut self, phone: &Ringing) {
        let play = self.playing.remove(&phone.leg).expect("something plays").play;
        self.input(Input::Media(media::Event::PlayEnded { leg: phone.leg, play }));
    }

    pub fn spoken(&mut self, result: Result<(), &str>) {
        for (incident, language, text) in core::mem::take(&mut self.texts) {
            let prompt = result.map(|()| Prompt::from([-1])).map_err(str::to_owned);
            self.input(Input::Spoken { incident, language, text, prompt });
        }
    }

    /// hansho ends this call: its CANCEL or BYE, which is answered.
    pub fn is_let_go(&mut self, phone: &Ringing) -> Message {
        let call_id = phone.invite.call_id().unwrap().to_owned();
        let ends = |request: &Message| {
            matches!(request.method(), Method::Cancel | Method::Bye) && request.call_id() == Some(&call_id)
        };
        let place = self.requests.iter().position(ends);
        let end = self.requests.remove(place.unwrap_or_else(|| panic!("not ended: {:?}", self.on_the_wire())));
        self.respond(&end, 200);
        if end.method() == Method::Cancel {
            self.respond(&phone.invite.clone(), 487);
        }
        end
    }

    /// The person hangs up.
    pub fn hangs_up(&mut self, phone: &Ringing) {
        let header = |name| phone.invite.header(name).unwrap().to_owned();
        let (ours, theirs) = (header(&Name::From), format!("{};tag=there", header(&Name::To)));
        let bye = self.request(Method::Bye, &theirs, &ours, phone.invite.call_id().unwrap(), 5).finish();
        self.input(Input::Datagram { from: TRUNK.parse().unwrap(), bytes: bye });
    }

    /// Somebody calls hansho's number; the INVITE.
    pub fn call_comes_in(&mut self, caller: &str) -> Message {
        self.next += 1;
        let from = format!("<sip:{caller}@pbx.example>;tag=caller{}", self.next);
        let call_id = format!("in-{}", self.next);
        let invite = self.request(Method::Invite, &from, "<sip:hansho@pbx.example>", &call_id, 1);
        let bytes = invite.header(Name::Contact, format!("<sip:{TRUNK}>")).body("application/sdp", sdp().as_bytes());
        let bytes = bytes.finish();
        self.input(Input::Datagram { from: TRUNK.parse().unwrap(), bytes: bytes.clone() });
        Message::parse(&bytes).unwrap()
    }

    /// What hansho answered to this request, finally.
    pub fn answered(&self, request: &Message) -> Option<u16> {
        self.answer_to(request).and_then(Message::code)
    }

    /// The caller acknowledges the 200; the leg.
    pub fn acknowledges(&mut self, invite: &Message) -> LegId {
        let answer = self.answer_to(invite).expect("it was answered");
        let to = answer.header(&Name::To).unwrap().to_owned();
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        let port: u16 = body.split_once("m=audio ").unwrap().1.split(' ').next().unwrap().parse().unwrap();
        let from = invite.header(&Name::From).unwrap().to_owned();
        let ack = self.request(Method::Ack, &from, &to, invite.call_id().unwrap(), 1).finish();
        self.input(Input::Datagram { from: TRUNK.parse().unwrap(), bytes: ack });
        self.ports[&port]
    }

    /// The caller hangs up.
    pub fn caller_hangs_up(&mut self, invite: &Message) {
        let answer = self.answer_to(invite).expect("it was answered");
        let to = answer.header(&Name::To).unwrap().to_owned();
        let from = invite.header(&Name::From).unwrap().to_owned();
        let bye = self.request(Method::Bye, &from, &to, invite.call_id().unwrap(), 2).finish();
        self.input(Input::Datagram { from: TRUNK.parse().unwrap(), bytes: bye });
    }

    pub fn answer_to(&self, request: &Message) -> Option<&Message> {
        let same = |answer: &&Message| {
            answer.call_id() == request.call_id() && answer.method() == request.method() && answer.code() >= Some(200)
        };
        self.responses.iter().rev().find(same)
    }

    fn request(&mut self, method: Method, from: &str, to: &str, call_id: &str, number: u32) -> Builder {
        self.next += 1;
        let cseq = format!("{number} {}", method.as_str());
        Builder::request(method, &format!("sip:hansho@{US}"))
            .header(Name::Via, format!("SIP/2.0/UDP {TRUNK};branch=z9hG4bK{}", self.next))
            .header(Name::MaxForwards, "70")
            .header(Name::From, from)
            .header(Name::To, to)
            .header(Name::CallId, call_id)
            .header(Name::CSeq, cseq)
    }

    /// The facts of an incident.
    pub fn story(&self, id: IncidentId) -> Vec<&Fact> {
        self.facts.iter().filter(|entry| entry.incident() == Some(id)).filter_map(Entry::fact).collect()
    }

    /// How its attempts ended, in order.
    pub fn ends(&self, id: IncidentId) -> Vec<(u32, Outcome)> {
        let end = |fact: &&Fact| match fact {
            Fact::Ended { attempt, outcome, .. } => Some((*attempt, *outcome)),
            _ => None,
        };
        self.story(id).iter().filter_map(end).collect()
    }

    /// Nothing is left of any call: no leg, no port, no room.
    pub fn nothing_is_left(&mut self) {
        assert_eq!(self.switch.legs(), 0);
        assert_eq!(self.switch.room_views().count(), 0);
        assert!(self.open.is_empty(), "open in the media plane: {:?}", self.open);
        assert_eq!(self.switch.ports.in_use(), 0);
        assert!(self.switch.waiting.is_empty());
    }

    pub fn told(&self, what: impl Fn(&What) -> bool) -> usize {
        self.events.iter().filter(|event| what(&event.what)).count()
    }
}

fn sdp() -> String {
    "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
     m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n"
        .to_owned()
}
