//! What is asked of each input. A law that does not hold is a panic.

use hansho::base::{Codec, Keys, MASTER, MasterKey, Suite};
use hansho::sip::digest::{Challenge, Credentials, Session};
use hansho::sip::offer::{Local, answer, read_answer};
use hansho::sip::rung::{masked, parties, rung, whose};
use hansho::wire::rtcp::{Compound, Packet as Part, Report, WRITTEN_MAX};
use hansho::wire::rtp::Packet;
use hansho::wire::sdp::{Crypto, Description};
use hansho::wire::sip::{
    Builder, Edit, List, Message, Method, Name, NameAddr, Params, Piece, Stream, Uri, Via, unquote,
};
use hansho::wire::srtp::{BadSrtp, GROWTH_MAX, Protection};
use hansho::wire::stun::{ANSWER_MAX, Request, is_stun};
use hansho::wire::telephone_event::Event;

/// Every question that a message can be asked.
pub fn message(bytes: &[u8]) {
    ladder(bytes);
    stream(bytes);
    if let Some(part) = Message::salvage(bytes) {
        let refusal = Builder::response(&part, 400).to_tag("t").received_from(([192, 0, 2, 1], 9).into()).finish();
        Message::parse(&refusal).expect("a refusal can be read");
    }
    let Ok(message) = Message::parse(bytes) else { return };
    let _ = (message.start(), message.method(), message.check(), message.content_type(), message.retry_after());
    let _ = (message.max_forwards(), message.expires(), message.min_expires(), message.cseq(), message.call_id());
    for (_, value) in message.fields() {
        text(value);
    }
    let source = "[2001:db8::7]:1".parse().expect("it is an address");
    let response = Builder::response(&message, 486).to_tag("t").received_from(source).reason("a\r\nb").finish();
    Message::parse(&response).expect("an answer to what can be read can be read");
    let passed = Edit::of(&message).received_from(source).push_front(Name::Via, "SIP/2.0/UDP h").finish();
    let passed = Message::parse(&passed).expect("what is passed on can be read");
    let back = Message::parse(&Edit::of(&passed).remove_first(Name::Via).finish()).expect("and back");
    assert_eq!(back.body(), message.body());
    assert_eq!(back.list(&Name::Via).count(), message.list(&Name::Via).count());
}

/// What is kept of it to be shown.
fn ladder(bytes: &[u8]) {
    let kept = masked(bytes.to_vec());
    assert_eq!(kept.len(), bytes.len(), "a mask is as long as what it hides");
    let (before, after) = (rung(bytes), rung(&kept));
    assert_eq!((&before.what, &before.cseq, whose(bytes)), (&after.what, &after.cseq, whose(&kept)));
    let most =
        parties(bytes).iter().chain(after.headers.iter().map(|(_, value)| value)).map(|it| it.chars().count()).max();
    assert!(most <= Some(400), "what is shown has an end");
}

/// The same messages come out of a connection however it cuts them, and it ends for the same reason.
fn stream(bytes: &[u8]) {
    let taken = |size: usize| {
        let (mut stream, mut rest, mut messages) = (Stream::default(), bytes, Vec::new());
        loop {
            match stream.next_piece() {
                Ok(Some(Piece::Message(message))) => messages.push(message),
                Ok(Some(Piece::Ping | Piece::Pong)) => {}
                Ok(None) if rest.is_empty() => return (messages, None, stream.rest()),
                Ok(None) => {
                    let (next, others) = rest.split_at(size.min(stream.room()).min(rest.len()));
                    stream.push(next);
                    rest = others;
                }
                Err(broken) => return (messages, Some(broken), Vec::new()),
            }
        }
    };
    let whole = taken(usize::MAX);
    for size in [1, 7, 64] {
        assert_eq!(taken(size), whole, "by {size}");
    }
}

fn text(text: &str) {
    let _ = (List::of(text).count(), Params::of(text).iter().count(), unquote(text));
    if let Ok(via) = Via::parse(text) {
        let _ = (via.reply_address(), via.stamped(([192, 0, 2, 1], 1).into()), via.is_modern());
        assert_eq!(Via::parse(&via.to_string()), Ok(via));
    }
    if let Ok(name) = NameAddr::parse(text) {
        let _ = (name.display_name(), name.tag(), name.expires(), name.uri());
    }
    if let Ok(uri) = Uri::parse(text) {
        assert_eq!(Uri::parse(&uri.to_string()), Ok(uri));
    }
}

/// A session description as an offer and as an answer.
pub fn sdp(bytes: &[u8]) {
    let local = |media: &str| Local {
        session: 1,
        version: 1,
        media: media.parse().expect("it is an address"),
        codecs: &Codec::ALL,
        keys: None,
    };
    for local in [local("192.0.2.1:9000"), local("[2001:db8::1]:9000")] {
        let _ = read_answer(&local, bytes);
        if let Ok((body, stream)) = answer(&local, bytes) {
            let (ours, theirs) = (Description::parse(&body), String::from_utf8_lossy(bytes));
            let ours = ours.expect("our answer can be read");
            let theirs = Description::parse(&theirs).expect("it was answered");
            assert_eq!(ours.media.len(), theirs.media.len());
            assert!((10..=60).contains(&stream.packet_time.as_millis()));
        }
    }
    let text = String::from_utf8_lossy(bytes);
    if let Ok(read) = Description::parse(&text) {
        let written = read.to_string();
        assert_eq!(Description::parse(&written), Ok(read));
    }
}

/// A datagram at the door of a call.
pub fn rtp(bytes: &[u8]) {
    let _ = Event::read(bytes);
    let Ok(packet) = Packet::read(bytes) else { return };
    let _ = Event::read(packet.payload);
    let mut again = vec![0; 12 + packet.payload.len()];
    let room = packet.header.write(&mut again).expect("there is room for it");
    room.copy_from_slice(packet.payload);
    assert_eq!(Packet::read(&again), Ok(packet));
}

/// A datagram at the door of a call's reports.
pub fn rtcp(bytes: &[u8]) {
    let Ok(compound) = Compound::read(bytes) else { return };
    let mut held = 0;
    for part in compound.packets() {
        held += match part {
            Part::Report { ssrc, sent, blocks } => {
                for block in blocks {
                    let report = Report { ssrc, sent, heard: Some(block), name: b"0123456789abcdef", goodbye: true };
                    let mut out = [0; WRITTEN_MAX];
                    let length = report.write(&mut out);
                    let again = Compound::read(&out[..length]).expect("what is written can be read").packets().next();
                    let Some(Part::Report { blocks, .. }) = again else { panic!("no report: {again:?}") };
                    assert_eq!(blocks.collect::<Vec<_>>(), [block]);
                }
                8 + blocks.count() * 24
            }
            Part::Names(names) => 4 + names.map(|(_, name)| 4 + name.len()).sum::<usize>(),
            Part::Goodbye(sources) => 4 + sources.count() * 4,
            Part::Other(_) => 4,
        };
    }
    assert!(held <= bytes.len(), "it holds no more than came");
}

/// What the other side of [`srtp`] protects with.
fn protection(ours: u8, theirs: u8) -> Protection {
    let (ours, theirs) = (MasterKey([ours; MASTER]), MasterKey([theirs; MASTER]));
    Protection::new(&Keys { suite: Suite::Tag32, ours, theirs, name_bytes: 0 })
}

/// A packet as the other side sends it, where it is one.
pub fn sealed(packet: &[u8]) -> Option<Vec<u8>> {
    let mut room = [packet, &[0; GROWTH_MAX]].concat();
    let length = protection(1, 2).protect(&mut room, packet.len())?;
    room.truncate(length);
    Some(room)
}

/// The same for a report.
pub fn sealed_report(report: &[u8]) -> Option<Vec<u8>> {
    let mut room = [report, &[0; GROWTH_MAX]].concat();
    let length = protection(1, 2).protect_report(&mut room, report.len())?;
    room.truncate(length);
    Some(room)
}

/// A datagram at the door of a call whose voice is protected, and a line that names a key.
pub fn srtp(bytes: &[u8]) {
    type Open = fn(&mut Protection, &mut [u8]) -> Result<usize, BadSrtp>;
    let both: [(Open, Option<Vec<u8>>); 2] =
        [(Protection::unprotect, sealed(bytes)), (Protection::unprotect_report, sealed_report(bytes))];
    for (open, sealed) in both {
        let mut ours = protection(2, 1);
        if open(&mut ours, &mut bytes.to_vec()).is_ok() {
            assert_eq!(open(&mut ours, &mut bytes.to_vec()), Err(BadSrtp::Replayed), "it is taken once");
        }
        if let Some(mut sealed) = sealed {
            let length = open(&mut protection(2, 1), &mut sealed).expect("what was protected is taken");
            assert_eq!(sealed[..length], *bytes, "and is what it was");
        }
    }
    if let Ok(line) = Crypto::parse(&String::from_utf8_lossy(bytes)) {
        let written = Crypto { name_bytes: 0, ..line };
        assert_eq!(Crypto::parse(&written.to_string()), Ok(written));
    }
}

/// Somebody asks where they are seen.
pub fn stun(bytes: &[u8]) {
    let Ok(request) = Request::read(bytes) else { return };
    for seen in ["192.0.2.1:9", "[2001:db8::1]:65535"] {
        let mut out = [0; ANSWER_MAX];
        let length = request.answer(seen.parse().expect("it is an address"), &mut out);
        assert!(is_stun(&out[..length]) && out[8..20] == bytes[8..20], "an answer has the name of its question");
        assert_eq!(usize::from(u16::from_be_bytes([out[2], out[3]])), length - 20);
        assert!(Request::read(&out[..length]).is_err(), "an answer is not answered");
    }
}

/// A header of digest authentication.
pub fn digest(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = Credentials::parse(&text);
    for challenge in Challenge::parse_all(&text) {
        let mut session = Session::new(challenge, "cnonce");
        for _ in 0..2 {
            let header = session.authorize("user", "secret", &Method::Invite, "sip:a@b");
            assert!(!header.contains(['\r', '\n']), "{header:?}");
        }
    }
}
