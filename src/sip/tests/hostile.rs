//! Bytes and orders nobody sends on purpose: nothing panics, and every call ends in bounded time.

use core::net::SocketAddr;
use core::time::Duration;

use proptest::prelude::*;

use super::bench::{SDP_G729, SDP_HELD, SDP_PCMU, asks, us};
use super::peer;
use super::world::{agent, main_trunk, number, trunk};
use crate::base::{LegId, Outbox, Time};
use crate::sip::{Agent, Event, Output, Trunk};
use crate::wire::sip::{Builder, Edit, Message, Method, Name};

/// One thing that happens. Places are taken modulo what there is.
#[derive(Clone, Debug)]
enum Step {
    Dial,
    HangUp(usize),
    Ring(usize),
    Accept(usize),
    Refuse(usize, u16),
    Forget(usize),
    /// The trunk answers one of our requests.
    Answer {
        request: usize,
        code: u16,
        tag: u8,
        body: u8,
    },
    /// The trunk asks something, in one of our dialogs or in none.
    Ask {
        method: u8,
        seq: u32,
        tag: u8,
        dialog: Option<usize>,
        body: u8,
    },
    /// A message of ours comes back to us.
    Echo(usize),
    /// A message of ours comes back, cut or with another byte in it.
    Broken {
        message: usize,
        place: usize,
        byte: u8,
        cut: bool,
    },
    Recover(usize),
    Wait(u32),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let code = prop_oneof![
        Just(100u16),
        Just(180),
        Just(183),
        Just(200),
        Just(200),
        Just(202),
        Just(302),
        Just(401),
        Just(407),
        Just(408),
        Just(423),
        Just(481),
        Just(486),
        Just(487),
        Just(503),
        Just(603),
        100u16..700
    ];
    let step = prop_oneof![
        3 => Just(Step::Dial),
        2 => any::<usize>().prop_map(Step::HangUp),
        1 => any::<usize>().prop_map(Step::Ring),
        2 => any::<usize>().prop_map(Step::Accept),
        1 => (any::<usize>(), any::<u16>()).prop_map(|(call, code)| Step::Refuse(call, code)),
        1 => any::<usize>().prop_map(Step::Forget),
        8 => (any::<usize>(), code, 0u8..3, 0u8..4)
            .prop_map(|(request, code, tag, body)| Step::Answer { request, code, tag, body }),
        6 => (any::<u8>(), 0u32..6, 0u8..3, any::<Option<usize>>(), 0u8..4)
            .prop_map(|(method, seq, tag, dialog, body)| Step::Ask { method, seq, tag, dialog, body }),
        1 => any::<usize>().prop_map(Step::Echo),
        2 => (any::<usize>(), any::<usize>(), any::<u8>(), any::<bool>())
            .prop_map(|(message, place, byte, cut)| Step::Broken { message, place, byte, cut }),
        1 => any::<usize>().prop_map(Step::Recover),
        4 => (0u32..50_000).prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 1..60)
}

fn body(choice: u8) -> &'static str {
    [SDP_PCMU, SDP_HELD, SDP_G729, ""][usize::from(choice % 4)]
}

struct Hostile {
    agent: Agent,
    now: Time,
    out: Outbox<Output>,
    requests: Vec<Message>,
    sent: Vec<Vec<u8>>,
    handles: Vec<String>,
    legs: Vec<LegId>,
    ended: Vec<LegId>,
    dialled: u32,
}

impl Hostile {
    fn new(seed: u64) -> Hostile {
        let agent = agent(0, Trunk { register: true, ..trunk(peer()) }, seed);
        Hostile {
            agent,
            now: Time::ZERO,
            out: Outbox::new(),
            requests: Vec::new(),
            sent: Vec::new(),
            handles: Vec::new(),
            legs: Vec::new(),
            ended: Vec::new(),
            dialled: 0,
        }
    }

    fn settle(&mut self) {
        while let Some(output) = self.out.pop() {
            match output {
                Output::Send { bytes, .. } => {
                    let message = Message::parse(&bytes).expect("we write what we can read");
                    // A 400 repeats what was wrong.
                    let sound = message.code() == Some(400) || message.check().is_ok();
                    assert!(sound, "{:?}: {}", message.check(), message.head());
                    if message.is_request() {
                        self.requests.push(message);
                    }
                    self.sent.push(bytes);
                }
                Output::Event(Event::Incoming { leg, .. }) => self.legs.push(leg),
                Output::Event(Event::Answered { leg, handle, .. } | Event::Unwanted { leg, handle }) => {
                    assert!(!self.ended.contains(&leg), "an ended call is answered");
                    self.handles.push(handle);
                }
                Output::Event(Event::Ended { leg, .. }) => {
                    assert!(!self.ended.contains(&leg), "a call ends twice");
                    self.ended.push(leg);
                }
                Output::Event(
                    Event::Ringing { leg, .. }
                    | Event::Changed { leg, .. }
                    | Event::Key { leg, .. }
                    | Event::Rerouted { leg, .. },
                ) => {
                    assert!(!self.ended.contains(&leg), "an ended call goes on");
                }
                Output::Event(
                    Event::Registered { .. }
                    | Event::RegistrationFailed { .. }
                    | Event::TargetFailed { .. }
                    | Event::MessageSent { .. }
                    | Event::MessageFailed { .. }
                    | Event::MessageReceived { .. }
                    | Event::UserRegistered { .. }
                    | Event::UserUnregistered { .. }
                    | Event::ShutOut { .. },
                ) => {}
            }
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.agent.on_datagram(self.now, peer(), bytes, &mut self.out);
    }

    fn leg(&self, place: usize) -> LegId {
        self.legs.get(place % self.legs.len().max(1)).copied().unwrap_or(LegId(0))
    }

    fn wait(&mut self, until: Time) {
        let mut wakes = 0;
        while let Some(due) = self.agent.next_deadline().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.agent.on_deadline(self.now, &mut self.out);
            self.settle();
            wakes += 1;
            assert!(wakes < 100_000, "the agent wakes up for nothing");
        }
        self.now = until;
    }

    fn step(&mut self, step: &Step) {
        let (now, out) = (self.now, &mut self.out);
        match step {
            Step::Dial => {
                self.dialled += 1;
                let leg = LegId(self.dialled);
                if let Ok(handle) = self.agent.dial(now, leg, &main_trunk(), &number(), 30_000, out) {
                    self.handles.push(handle);
                    self.legs.push(leg);
                }
            }
            Step::HangUp(call) => self.agent.hang_up(now, self.leg(*call), &mut self.out),
            Step::Ring(call) => self.agent.ring(now, self.leg(*call), &mut self.out),
            Step::Accept(call) => self.agent.accept(now, self.leg(*call), 20_000, &mut self.out),
            Step::Refuse(call, code) => self.agent.refuse(now, self.leg(*call), *code, &mut self.out),
            Step::Forget(call) => {
                let leg = self.leg(*call);
                self.agent.forget(leg);
                if self.agent.calls.of_leg(leg).is_none() && !self.ended.contains(&leg) {
                    self.ended.push(leg);
                }
            }
            Step::Answer { request, code, tag, body: choice } => {
                let Some(request) = self.requests.get(request % self.requests.len().max(1)) else { return };
                let nonce =
                    format!("Digest realm=\"r{tag}\", nonce=\"{}\", qop=\"auth\", stale={}", choice, tag % 2 == 0);
                let builder = Builder::response(request, *code)
                    .to_tag(&format!("t{tag}"))
                    .header(Name::Contact, "<sip:phone@192.0.2.1:5060>;expires=60")
                    .header(if *code == 407 { Name::ProxyAuthenticate } else { Name::WwwAuthenticate }, nonce)
                    .header(Name::MinExpires, "400")
                    .header(Name::RetryAfter, "9");
                let bytes = builder.body("application/sdp", body(*choice).as_bytes()).finish();
                self.hear(&bytes);
            }
            Step::Ask { method, seq, tag, dialog, body: choice } => {
                let methods = [
                    Method::Invite,
                    Method::Ack,
                    Method::Bye,
                    Method::Cancel,
                    Method::Options,
                    Method::Info,
                    Method::Update,
                    Method::Refer,
                    Method::Notify,
                    Method::Message,
                    Method::Prack,
                ];
                let method = methods[usize::from(*method) % methods.len()].clone();
                let request = asks(method, *seq, &format!("t{tag}"), "", body(*choice));
                let mut edit = Edit::of(&request);
                let messages: Vec<&Vec<u8>> = self.sent.iter().collect();
                let ours = dialog.and_then(|place| messages.get(place % messages.len().max(1)).copied());
                if let Some(ours) = ours.and_then(|bytes| Message::parse(bytes).ok()) {
                    // Of our own message the other side's view: From and To change places.
                    let (us, them) = if ours.is_request() { (Name::From, Name::To) } else { (Name::To, Name::From) };
                    let header = |name| ours.header(name).unwrap_or_default().to_owned();
                    edit = edit.set(Name::To, header(&us)).set(Name::CallId, header(&Name::CallId));
                    if header(&them).contains("tag=") {
                        edit = edit.set(Name::From, header(&them));
                    }
                }
                self.hear(&edit.finish());
            }
            Step::Echo(message) => {
                let Some(bytes) = self.sent.get(message % self.sent.len().max(1)).cloned() else { return };
                self.hear(&bytes);
            }
            Step::Broken { message, place, byte, cut } => {
                let Some(mut bytes) = self.sent.get(message % self.sent.len().max(1)).cloned() else { return };
                let place = place % bytes.len();
                if *cut {
                    bytes.truncate(place);
                } else {
                    bytes[place] = *byte;
                }
                self.hear(&bytes);
            }
            Step::Recover(handle) => {
                let Some(handle) = self.handles.get(handle % self.handles.len().max(1)).cloned() else { return };
                self.agent.recover(now, &handle, &mut self.out);
            }
            Step::Wait(millis) => {
                let until = self.now + Duration::from_millis((*millis).into());
                self.wait(until);
            }
        }
        self.settle();
    }
}

/// A few dozen in the default run; `PROPTEST_CASES` asks for more.
fn cases() -> ProptestConfig {
    let default = ProptestConfig { failure_persistence: None, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { default } else { ProptestConfig { cases: 48, ..default } }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn whatever_is_said_in_whatever_order_every_call_ends(seed in any::<u64>(), steps in steps()) {
        let mut hostile = Hostile::new(seed);
        hostile.agent.start(hostile.now, &mut hostile.out);
        hostile.settle();
        for step in &steps {
            hostile.step(step);
        }
        hostile.agent.stop(hostile.now, &mut hostile.out);
        hostile.settle();
        let soon = hostile.now + Duration::from_secs(4);
        hostile.wait(soon);
        let open = hostile.legs.iter().find(|leg| !hostile.ended.contains(leg));
        prop_assert_eq!(open, None, "who hangs up learns of the end within four seconds");
        let until = hostile.now + Duration::from_secs(200);
        hostile.wait(until);
        hostile.settle();
        prop_assert!(hostile.agent.is_idle(), "{:?}", hostile.agent.calls);
    }

    #[test]
    fn no_bytes_make_the_agent_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400), port in any::<u16>()) {
        let mut hostile = Hostile::new(1);
        hostile.agent.start(hostile.now, &mut hostile.out);
        let from = SocketAddr::new(us().ip(), port);
        hostile.agent.on_datagram(hostile.now, from, &bytes, &mut hostile.out);
        hostile.hear(&bytes);
        hostile.settle();
    }
}
