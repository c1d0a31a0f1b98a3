//! What it costs to read a 200 with a session description: the message, every value of it that a call looks at, and
//! what its answer agrees to. And how often that asks the allocator for memory.
//!
//! And what a thousand phones cost that register here and are kept alive: time, allocations and memory each.
//!
//! `cargo bench --no-default-features --bench sip`. The bar is a microsecond; the time told is that of the best of many
//! batches, which a busy machine changes least.

#![allow(clippy::disallowed_methods, reason = "a bench is about the real world")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use hansho::base::{Codec, Outbox, Time};
use hansho::sip::digest::{Hash, Session, strongest};
use hansho::sip::offer::{Local, read_answer};
use hansho::sip::{Agent, House, Identity, IpRange, Output};
use hansho::wire::sdp::Description;
use hansho::wire::sip::{Builder, Message, Method, Name};

/// The system's allocator, which counts when it is told to: counting takes time, which is measured apart.
struct Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
static ASKED: AtomicU64 = AtomicU64::new(0);
/// Bytes that are held at this moment.
static HELD: AtomicU64 = AtomicU64::new(0);

/// There is one thread: a load and a store are enough, and cost less of what is measured than one locked addition.
fn add(counter: &AtomicU64, amount: u64) {
    if COUNTS.load(Relaxed) {
        counter.store(counter.load(Relaxed).wrapping_add(amount), Relaxed);
    }
}

fn take(counter: &AtomicU64, amount: u64) {
    add(counter, amount.wrapping_neg());
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(&ASKED, 1);
        add(&HELD, layout.size() as u64);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        take(&HELD, layout.size() as u64);
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        add(&ASKED, 1);
        add(&HELD, size as u64);
        take(&HELD, layout.size() as u64);
        unsafe { System.realloc(memory, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ANSWER: &str = "SIP/2.0 200 OK\r\n\
    Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKq7Qm2nXwT4v9Rk1LzB8s.1;rport=5060;received=192.0.2.10\r\n\
    Record-Route: <sip:192.0.2.1;lr=on;ftag=a81bc81e>\r\n\
    From: \"hansho\" <sip:hansho@carrier.example>;tag=a81bc81e4f0c\r\n\
    To: <sip:+818012345678@carrier.example>;tag=9f4c31d7-co1045\r\n\
    Call-ID: kP3vJ9xLq2Wc7Ry5Tn8Zb4Hd\r\n\
    CSeq: 2 INVITE\r\n\
    Contact: <sip:+818012345678@192.0.2.77:5080;transport=udp>\r\n\
    Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, PRACK\r\n\
    Supported: timer, 100rel\r\n\
    Session-Expires: 1800;refresher=uac\r\n\
    Server: carrier-sbc/7.2\r\n\
    Content-Type: application/sdp\r\n\
    Content-Length: 231\r\n\r\n\
    v=0\r\no=carrier 1795000000 1795000001 IN IP4 192.0.2.77\r\ns=-\r\nc=IN IP4 192.0.2.77\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
    a=ptime:20\r\na=maxptime:40\r\na=sendrecv\r\n";

/// So long one measurement takes.
const LONG: Duration = Duration::from_secs(2);
const BATCH: u32 = 1_000;
const BAR_NS: f64 = 1_000.0;

/// What a call looks at when it is answered.
fn look(message: &Message) {
    black_box((message.code(), message.cseq().expect("it has one").number, message.call_id()));
    black_box((message.via().expect("it has one").branch(), message.from().expect("it has one").tag()));
    black_box((
        message.to().expect("it has one").tag(),
        message.contact().expect("it has one").expect("it is good").uri,
    ));
    black_box((message.list(&Name::RecordRoute).count(), message.header(&Name::SessionExpires)));
    black_box(message.content_type());
}

fn measure(what: &str, bar: Option<f64>, work: impl Fn()) {
    work();
    COUNTS.store(true, Relaxed);
    let asked = ASKED.load(Relaxed);
    work();
    let asked = ASKED.load(Relaxed) - asked;
    COUNTS.store(false, Relaxed);
    let (began, mut best) = (Instant::now(), f64::MAX);
    while began.elapsed() < LONG {
        let batch = Instant::now();
        (0..BATCH).for_each(|_| work());
        best = best.min(batch.elapsed().as_secs_f64() * 1e9 / f64::from(BATCH));
    }
    let verdict = bar.map_or(String::new(), |bar| {
        format!("; the bar of {bar:.0} ns {}", if best < bar { "holds" } else { "is MISSED" })
    });
    println!("{what}: {best:.0} ns, {asked} allocations{verdict}");
}

fn main() {
    let bytes = ANSWER.as_bytes();
    let media = "192.0.2.10:30000".parse().expect("it is an address");
    let local = Local { session: 1, version: 1, media, codecs: &Codec::ALL, keys: None };
    let read = || Message::parse(black_box(bytes)).expect("it is a message");
    let message = read();
    println!("a 200 of {} bytes, {} of them the session description", bytes.len(), message.body().len());
    measure("the message read", None, || drop(black_box(read())));
    measure("its values looked at", None, || look(&message));
    measure("its answer understood", None, || {
        let _ = black_box(read_answer(&local, message.body()));
    });
    measure("message and values", Some(BAR_NS), || look(&read()));
    measure("message, values and description", Some(BAR_NS), || {
        let message = read();
        look(&message);
        let text = core::str::from_utf8(message.body()).expect("it is text");
        black_box(Description::parse(text).expect("it is a description"));
    });
    measure("message, values and answer", Some(BAR_NS), || {
        let message = read();
        look(&message);
        black_box(read_answer(&local, message.body()).expect("it agrees"));
    });
    registrations();
}

/// Phones that register here, as many as the bar asks for.
const PHONES: usize = 1_000;
/// So many rounds of refreshes they are kept alive for, one a minute.
const ROUNDS: u32 = 10;

/// A phone, by its place among the others.
struct Phone {
    user: String,
    address: std::net::SocketAddr,
    session: Option<Session>,
    seq: u32,
}

impl Phone {
    fn register(&mut self) -> Vec<u8> {
        self.seq += 1;
        let (user, address, uri) = (&self.user, self.address, "sip:house.example");
        let mut builder = Builder::request(Method::Register, uri)
            .header(Name::Via, format!("SIP/2.0/UDP {address};branch=z9hG4bK{user}.{};rport", self.seq))
            .header(Name::MaxForwards, "70")
            .header(Name::From, format!("<sip:{user}@house.example>;tag={user}"))
            .header(Name::To, format!("<sip:{user}@house.example>"))
            .header(Name::CallId, format!("register-of-{user}"))
            .header(Name::CSeq, format!("{} REGISTER", self.seq))
            .header(Name::Contact, format!("<sip:{user}@{address}>"))
            .header(Name::Expires, "120")
            .header(Name::UserAgent, "a phone of the bench");
        if let Some(session) = &mut self.session {
            let signed = session.authorize(user, "the password of the bench", &Method::Register, uri);
            builder = builder.header(Name::Authorization, signed);
        }
        builder.finish()
    }
}

/// The status of the one answer, and the question in it.
fn answer(out: &mut Outbox<Output>) -> (Option<u16>, Option<Session>) {
    let mut answer = (None, None);
    for output in out.drain() {
        if let Output::Send { bytes, .. } = output {
            let message = Message::parse(&bytes).expect("an answer of ours is SIP");
            let question = strongest(message.headers(&Name::WwwAuthenticate));
            answer = (message.code(), question.map(|question| Session::new(question, "bench")));
        }
    }
    answer
}

fn registrations() {
    COUNTS.store(true, Relaxed);
    let mut phones: Vec<Phone> = (0..PHONES)
        .map(|place| Phone {
            user: format!("phone{place}"),
            address: ([10, 0, (place >> 8) as u8, place as u8], 5060).into(),
            session: None,
            seq: 0,
        })
        .collect();
    let local = "10.1.0.1:5060".parse().expect("it is an address");
    let identity =
        Identity { local, media_address: [10, 1, 0, 1].into(), user_agent: "hansho".into(), doors: Vec::new() };
    let mut agent = Agent::new(identity, Vec::new(), 7);
    agent.keep_house(House {
        realm: "house.example".into(),
        users: phones.iter().map(|phone| (phone.user.clone(), "the password of the bench".to_owned())).collect(),
        expires_s: (60, 3_600),
        phones_max: 8,
        allow_from: vec![IpRange::parse("10.0.0.0/8").expect("it is a block")],
        hashes: vec![Hash::Sha256, Hash::Md5],
        codecs: Codec::ALL.to_vec(),
        address: Default::default(),
        srtp: hansho::sip::Srtp::Off,
    });
    let (mut now, mut out) = (Time::ZERO + Duration::from_secs(1), Outbox::new());
    let held = HELD.load(Relaxed);
    // What the phones themselves do is not on our bill.
    let (mut asking, mut first, mut refreshing, mut asked) = (Duration::ZERO, Duration::ZERO, Duration::ZERO, 0);
    for phone in &mut phones {
        let request = phone.register();
        asking += timed(|| agent.on_datagram(now, phone.address, &request, &mut out));
        let (code, session) = answer(&mut out);
        assert_eq!(code, Some(401));
        phone.session = session;
        let request = phone.register();
        first += timed(|| agent.on_datagram(now, phone.address, &request, &mut out));
        assert_eq!(answer(&mut out).0, Some(200));
    }
    // The transactions are over.
    now = now + Duration::from_secs(40);
    agent.on_deadline(now, &mut out);
    let kept = HELD.load(Relaxed) - held;
    let (mut worst, mut due) = (Duration::ZERO, Duration::ZERO);
    for _ in 0..ROUNDS {
        now = now + Duration::from_secs(60);
        due += timed(|| agent.on_deadline(now, &mut out));
        for phone in &mut phones {
            let request = phone.register();
            let before = ASKED.load(Relaxed);
            let took = timed(|| agent.on_datagram(now, phone.address, &request, &mut out));
            asked += ASKED.load(Relaxed) - before;
            (refreshing, worst) = (refreshing + took, worst.max(took));
            assert_eq!(answer(&mut out).0, Some(200));
        }
    }
    let up = agent.users().filter(|user| !user.phones.is_empty()).count();
    assert_eq!(up, PHONES, "every phone is kept alive");
    let each = |all: Duration, times: usize| all.as_secs_f64() * 1e6 / times as f64;
    let refreshes = PHONES * ROUNDS as usize;
    let (refresh, sweep) = (each(refreshing, refreshes), each(due, ROUNDS as usize));
    println!("{PHONES} phones registered, kept alive for {ROUNDS} minutes with a refresh a minute each");
    println!("a question: {:.1} µs; a registration: {:.1} µs", each(asking, PHONES), each(first, PHONES));
    println!(
        "a refresh: {refresh:.1} µs ({:.1} µs at worst), {} allocations",
        each(worst, 1),
        asked / refreshes as u64
    );
    println!(
        "what is due a minute: {sweep:.0} µs; all of it: {:.2} % of a core",
        refreshing.as_secs_f64() / f64::from(ROUNDS) / 60.0 * 100.0
    );
    println!("memory: {:.1} KiB a phone", kept as f64 / PHONES as f64 / 1_024.0);
}

fn timed(work: impl FnOnce()) -> Duration {
    let began = Instant::now();
    work();
    began.elapsed()
}
