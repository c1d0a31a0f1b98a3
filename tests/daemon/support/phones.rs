//! A trunk and its telephones in one small thread, by hand on a raw socket: no machine of hansho's answers
//! hansho here, only its reader and writer of messages (which have their own oracles) are used.
//!
//! Every call is kept, with what became of it on the wire: that is what the tests judge.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hansho::wire::rtp::Header;
use hansho::wire::sdp::Description;
use hansho::wire::sip::{Builder, Message, Method, Name, Uri};
use hansho::wire::telephone_event::Event;

use super::LIMIT;

/// What a telephone does when it is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Habit {
    /// Rings until it is cancelled.
    Rings,
    /// Rings, and is picked up the moment it is cancelled: the 200 crosses the CANCEL.
    Crosses,
    /// Rings and is picked up at once.
    Answers,
    /// 486.
    Busy,
    /// Says nothing at all.
    Dead,
    /// Answers with a codec that was not offered.
    Strange,
}

/// How a call stands on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stage {
    Ringing,
    /// 200 was sent; acknowledged or not.
    Up(bool),
    /// 486, 487 and the like.
    Refused,
    /// A BYE came.
    Ended,
}

/// A call as the telephone saw it.
#[derive(Debug)]
pub struct Call {
    pub number: String,
    pub stage: Stage,
    pub cancelled: bool,
    id: String,
    invite: Message,
    from: SocketAddr,
    last: Vec<u8>,
    /// Sent again until it is acknowledged.
    again: Option<Instant>,
    media: UdpSocket,
    /// Where hansho listens, and its number for keys.
    peer: SocketAddr,
    events: u8,
    sequence: u16,
}

/// Everything the telephones know.
#[derive(Default)]
pub struct State {
    habits: BTreeMap<String, Habit>,
    /// Every request and response that came, as `METHOD number` or `200 METHOD`; copies too.
    pub heard: Vec<String>,
    pub calls: Vec<Call>,
    /// For how long the last REGISTER asked to be known; 0 when it took itself off.
    pub registered_s: Option<u32>,
}

struct Shared {
    socket: UdpSocket,
    state: Mutex<State>,
    changed: Condvar,
    stop: std::sync::atomic::AtomicBool,
}

/// The telephones.
pub struct Phones {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Phones {
    pub fn plug_in() -> Phones {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has ports");
        socket.set_read_timeout(Some(Duration::from_millis(50))).expect("a socket has a time limit");
        let shared = Shared { socket, state: Mutex::default(), changed: Condvar::new(), stop: false.into() };
        let shared = Arc::new(shared);
        let own = shared.clone();
        Phones { shared, thread: Some(std::thread::spawn(move || own.run())) }
    }

    pub fn address(&self) -> SocketAddr {
        self.shared.socket.local_addr().expect("a bound socket has an address")
    }

    /// From now on, whoever has this number does this.
    pub fn habit(&self, number: &str, habit: Habit) {
        self.shared.lock().habits.insert(number.to_owned(), habit);
    }

    /// Looks at everything.
    pub fn look<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&self.shared.lock())
    }

    /// Waits until something is so.
    pub fn until<T>(&self, what: &str, look: impl FnMut(&State) -> Option<T>) -> T {
        self.within(LIMIT, look).unwrap_or_else(|| panic!("no {what}; came: {:?}", self.look(|s| s.heard.clone())))
    }

    /// Waits so long for something.
    pub fn within<T>(&self, limit: Duration, mut look: impl FnMut(&State) -> Option<T>) -> Option<T> {
        let end = Instant::now() + limit;
        let mut state = self.shared.lock();
        loop {
            if let Some(found) = look(&state) {
                return Some(found);
            }
            let left = end.checked_duration_since(Instant::now())?;
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits until the `count`-th call to this number stands so.
    pub fn reaches(&self, number: &str, count: usize, stage: Stage) {
        self.until(&format!("{stage:?} in call {count} to {number}"), |state| {
            state
                .calls
                .iter()
                .filter(|call| call.number == number)
                .nth(count - 1)
                .filter(|call| call.stage == stage)?;
            Some(())
        });
    }

    /// How often this number was called.
    pub fn calls_to(&self, number: &str) -> usize {
        self.look(|state| state.calls.iter().filter(|call| call.number == number).count())
    }

    /// Waits until no call is left ringing or up.
    pub fn fall_silent(&self) {
        let over = |call: &&Call| matches!(call.stage, Stage::Refused | Stage::Ended);
        let all = self.within(LIMIT, |state| state.calls.iter().all(|call| over(&call)).then_some(()));
        let left = |state: &State| state.calls.iter().filter(|call| !over(call)).map(Call::story).collect::<Vec<_>>();
        assert!(all.is_some(), "calls are left ringing or up: {:#?}", self.look(left));
    }

    /// Presses a key in the call that is up, or comes up.
    pub fn press(&self, number: &str, code: u8) {
        self.once(number, Stage::Up(true), |call, _| call.press(code));
    }

    /// Picks up the phone that rings, or will ring.
    pub fn pick_up(&self, number: &str) {
        self.once(number, Stage::Ringing, |call, socket| call.pick_up(socket, false));
    }

    /// Presses a key where a call is up at this moment.
    pub fn press_if_up(&self, number: &str, code: u8) {
        if let Some(call) = self.shared.lock().call(number, Stage::Up(true)) {
            call.press(code);
        }
    }

    /// Hangs up where a call is up at this moment.
    pub fn hang_up_if_up(&self, number: &str) {
        if let Some(call) = self.shared.lock().call(number, Stage::Up(true)) {
            call.hang_up(&self.shared.socket);
        }
    }

    /// Does this as soon as the last call to the number stands so: an event may be told before its message is here.
    fn once(&self, number: &str, stage: Stage, act: impl FnOnce(&mut Call, &UdpSocket)) {
        let end = Instant::now() + LIMIT;
        let mut state = self.shared.lock();
        loop {
            if let Some(call) = state.call(number, stage) {
                return act(call, &self.shared.socket);
            }
            let left = end.checked_duration_since(Instant::now());
            let left = left.unwrap_or_else(|| panic!("no call to {number} is {stage:?}; came: {:?}", state.heard));
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Phones {
    fn drop(&mut self) {
        self.shared.stop.store(true, std::sync::atomic::Ordering::Relaxed);
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("the telephones broke");
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut buffer = vec![0; 65_536];
        while !self.stop.load(std::sync::atomic::Ordering::Relaxed) {
            if let Ok((length, from)) = self.socket.recv_from(&mut buffer)
                && let Ok(message) = Message::parse(&buffer[..length])
            {
                let mut state = self.lock();
                state.on_message(from, &message, &self.socket);
                drop(state);
                self.changed.notify_all();
            }
            let mut state = self.lock();
            for call in &mut state.calls {
                if call.again.is_some_and(|at| at <= Instant::now()) {
                    call.again = Some(Instant::now() + Duration::from_millis(500));
                    let _ = self.socket.send_to(&call.last, call.from);
                }
            }
        }
    }
}

impl State {
    /// The last call to this number, if one stands so.
    fn call(&mut self, number: &str, stage: Stage) -> Option<&mut Call> {
        self.calls.iter_mut().rev().find(|call| call.number == number && call.stage == stage)
    }

    fn on_message(&mut self, from: SocketAddr, message: &Message, socket: &UdpSocket) {
        let number = message.uri().and_then(|uri| Uri::parse(uri).ok()).and_then(|uri| uri.user).unwrap_or_default();
        self.heard.push(match message.code() {
            Some(code) => format!("{code} {}", message.method()),
            None => format!("{} {number}", message.method()),
        });
        let id = message.call_id().unwrap_or_default().to_owned();
        let call = self.calls.iter_mut().find(|call| call.id == id);
        let send = |bytes: &[u8]| {
            let _ = socket.send_to(bytes, from);
        };
        let reply = |code| Builder::response(message, code).to_tag("phone");
        match (message.method(), call) {
            _ if !message.is_request() => {}
            (Method::Register, _) => {
                let contact = message.contact().and_then(Result::ok);
                let expires = contact.as_ref().and_then(|contact| contact.expires()).or(message.expires());
                self.registered_s = expires;
                let bound = contact.map(|contact| format!("<{}>;expires={}", contact.uri, expires.unwrap_or(60)));
                send(&reply(200).header(Name::Contact, bound.unwrap_or_default()).finish());
            }
            (Method::Invite, Some(call)) => send(&call.last),
            (Method::Invite, None) => {
                let habit = self.habits.get(number).copied().unwrap_or(Habit::Dead);
                if let Some(call) = Call::begin(habit, number, id, from, message, socket) {
                    self.calls.push(call);
                }
            }
            (Method::Cancel, Some(call)) => {
                send(&reply(200).finish());
                call.cancelled = true;
                if call.stage == Stage::Ringing {
                    match self.habits.get(&call.number) {
                        Some(Habit::Crosses) => call.pick_up(socket, false),
                        _ => call.refuse(socket, 487),
                    }
                }
            }
            (Method::Ack, Some(call)) => {
                call.again = None;
                if call.stage == Stage::Up(false) {
                    call.stage = Stage::Up(true);
                }
            }
            (Method::Bye, Some(call)) => {
                call.again = None;
                call.stage = Stage::Ended;
                send(&reply(200).finish());
            }
            (Method::Ack, None) => {}
            _ => send(&reply(481).finish()),
        }
    }
}

impl Call {
    /// What became of it, for a test that fails.
    fn story(&self) -> String {
        format!("{} {:?}, cancelled: {}, Call-ID {}", self.number, self.stage, self.cancelled, self.id)
    }

    /// Where hansho listens.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    fn begin(
        habit: Habit,
        number: &str,
        id: String,
        from: SocketAddr,
        invite: &Message,
        socket: &UdpSocket,
    ) -> Option<Call> {
        let offer = String::from_utf8_lossy(invite.body()).into_owned();
        let offer = Description::parse(&offer).expect("hansho's offer can be read");
        let audio = offer.media.first().expect("hansho offers audio");
        let events = audio.rtpmaps.iter().find(|map| map.encoding.eq_ignore_ascii_case("telephone-event"));
        let mut call = Call {
            number: number.to_owned(),
            stage: Stage::Ringing,
            cancelled: false,
            id,
            invite: invite.clone(),
            from,
            last: Vec::new(),
            again: None,
            media: UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has ports"),
            peer: (Ipv4Addr::LOCALHOST, audio.port).into(),
            events: events.expect("hansho offers RFC 4733").payload_type,
            sequence: 1,
        };
        match habit {
            Habit::Dead => return None,
            Habit::Busy => call.refuse(socket, 486),
            Habit::Rings | Habit::Crosses => call.send(socket, 180),
            Habit::Answers | Habit::Strange => {
                call.send(socket, 180);
                call.pick_up(socket, habit == Habit::Strange);
            }
        }
        Some(call)
    }

    /// An RFC 4733 event of 100 ms with its end sent three times.
    fn press(&mut self, code: u8) {
        let timestamp = u32::from(self.sequence) * 160;
        for (place, duration) in [160, 320, 480, 640, 800, 800, 800].into_iter().enumerate() {
            let event = Event { code, end: place >= 4, volume: 10, duration };
            self.sequence = self.sequence.wrapping_add(1);
            let header = Header {
                marker: place == 0,
                payload_type: self.events,
                sequence: self.sequence,
                timestamp,
                ssrc: 0x5150,
            };
            let bytes = [&header.to_bytes()[..], &event.to_bytes()[..]].concat();
            self.media.send_to(&bytes, self.peer).expect("loopback takes a packet");
        }
    }

    fn hang_up(&mut self, socket: &UdpSocket) {
        let own = socket.local_addr().expect("a bound socket has an address");
        let invite = &self.invite;
        let target = invite.contact().and_then(Result::ok).map(|contact| contact.uri.to_owned()).unwrap_or_default();
        let bye = Builder::request(Method::Bye, &target)
            .header(Name::Via, format!("SIP/2.0/UDP {own};branch=z9hG4bKbye{}", self.sequence))
            .header(Name::MaxForwards, "70")
            .header(Name::From, format!("{};tag=phone", invite.header(&Name::To).unwrap_or_default()))
            .header(Name::To, invite.header(&Name::From).unwrap_or_default())
            .header(Name::CallId, &self.id)
            .header(Name::CSeq, "1 BYE")
            .finish();
        self.stage = Stage::Ended;
        socket.send_to(&bye, self.from).expect("loopback takes a datagram");
    }

    fn send(&mut self, socket: &UdpSocket, code: u16) {
        self.last = Builder::response(&self.invite, code).to_tag("phone").finish();
        let _ = socket.send_to(&self.last, self.from);
    }

    fn refuse(&mut self, socket: &UdpSocket, code: u16) {
        self.send(socket, code);
        self.stage = Stage::Refused;
        self.again = Some(Instant::now() + Duration::from_millis(500));
    }

    fn pick_up(&mut self, socket: &UdpSocket, strange: bool) {
        let media = self.media.local_addr().expect("a bound socket has an address").port();
        let own = socket.local_addr().expect("a bound socket has an address");
        let (format, map) = if strange { (18, "G729") } else { (0, "PCMU") };
        let events = self.events;
        let sdp = format!(
            "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
             m=audio {media} RTP/AVP {format} {events}\r\na=rtpmap:{format} {map}/8000\r\n\
             a=rtpmap:{events} telephone-event/8000\r\na=fmtp:{events} 0-15\r\n"
        );
        self.last = Builder::response(&self.invite, 200)
            .to_tag("phone")
            .header(Name::Contact, format!("<sip:{}@{own}>", self.number))
            .body("application/sdp", sdp.as_bytes())
            .finish();
        let _ = socket.send_to(&self.last, self.from);
        self.stage = Stage::Up(false);
        self.again = Some(Instant::now() + Duration::from_millis(500));
    }
}
