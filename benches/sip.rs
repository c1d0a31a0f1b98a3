//! What it costs to read a 200 with a session description: the message, every value of it that a call looks at, and
//! what its answer agrees to. And how often that asks the allocator for memory.
//!
//! `cargo bench --no-default-features --bench sip`. The bar is a microsecond; the time told is that of the best of many
//! batches, which a busy machine changes least.

#![allow(clippy::disallowed_methods, reason = "a bench is about the real world")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use hansho::base::Codec;
use hansho::sip::offer::{Local, read_answer};
use hansho::wire::sip::{Message, Name};

/// The system's allocator, which counts.
struct Counting;

static ASKED: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(1, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.fetch_add(1, Relaxed);
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
    let asked = ASKED.load(Relaxed);
    work();
    let asked = ASKED.load(Relaxed) - asked;
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
    let local = Local { session: 1, version: 1, media, codecs: &Codec::ALL };
    let read = || Message::parse(black_box(bytes)).expect("it is a message");
    let message = read();
    println!("a 200 of {} bytes, {} of them the session description", bytes.len(), message.body().len());
    measure("the message read", None, || drop(black_box(read())));
    measure("its values looked at", None, || look(&message));
    measure("its answer understood", None, || {
        let _ = black_box(read_answer(&local, message.body()));
    });
    measure("message and values", Some(BAR_NS), || look(&read()));
    measure("message, values and answer", None, || {
        let message = read();
        look(&message);
        black_box(read_answer(&local, message.body()).expect("it agrees"));
    });
}
