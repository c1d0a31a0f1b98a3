//! What is left of a call after a crash: a line of text that says how to end it.
//!
//! It is written when the call is dialled and again when it is answered; whoever stores it gives it back to
//! `Agent::recover`. Words are separated by spaces; what might be mistaken is escaped as in a URI.
//!
//! Easy to get wrong: a challenged INVITE is sent again with another branch and number; the handle knows the
//! secret of the branches, so that every try can be cancelled.

use crate::base::TrunkId;
use crate::sip::Hop;
use crate::sip::dialog::Dialog;
use crate::sip::message::Request;
use core::fmt::Write;

/// A longer one is no handle of ours.
const MAX_LENGTH: usize = 16_384;
/// A sign before the words, so that another format can follow one day.
const UNANSWERED: &str = "i1";
const ANSWERED: &str = "d1";

/// A call of a former life.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Handle {
    /// The INVITE was sent; it wants a CANCEL.
    Unanswered {
        /// Over which trunk.
        trunk: TrunkId,
        /// What makes its branches.
        secret: String,
        /// Where the INVITE went.
        hop: Hop,
        /// The Request-URI.
        uri: String,
        /// From, with our tag.
        from: String,
        /// To.
        to: String,
        /// Call-ID.
        call_id: String,
    },
    /// It was answered; it wants a BYE.
    Answered {
        /// Over which trunk.
        trunk: TrunkId,
        /// The dialog.
        dialog: Dialog,
    },
}

/// The handle of a call that was just dialled.
pub fn unanswered(trunk: &TrunkId, secret: &str, invite: &Request) -> String {
    let hop = invite.hop.to_string();
    words(&[UNANSWERED, trunk.as_str(), secret, &hop, &invite.uri, &invite.from, &invite.to, &invite.call_id])
}

/// The handle of a call that was just answered.
pub fn answered(trunk: &TrunkId, dialog: &Dialog) -> String {
    let (hop, seq) = (dialog.fallback.to_string(), dialog.seq.to_string());
    let mut list = vec![ANSWERED, trunk.as_str(), &hop, &seq, &dialog.call_id, &dialog.local, &dialog.remote];
    list.push(&dialog.target);
    list.extend(dialog.routes.iter().map(String::as_str));
    words(&list)
}

/// Reads a handle; `None` for anything else.
pub fn read(text: &str) -> Option<Handle> {
    if text.len() > MAX_LENGTH {
        return None;
    }
    let mut list = text.split(' ').map(plain);
    let mut next = || list.next().flatten();
    let sign = next()?;
    let trunk = TrunkId::parse(&next()?).ok()?;
    match sign.as_str() {
        UNANSWERED => Some(Handle::Unanswered {
            trunk,
            secret: next()?,
            hop: next()?.parse().ok()?,
            uri: next()?,
            from: next()?,
            to: next()?,
            call_id: next()?,
        }),
        ANSWERED => {
            let (fallback, seq) = (next()?.parse().ok()?, next()?.parse().ok()?);
            let (call_id, local, remote, target) = (next()?, next()?, next()?, next()?);
            let routes = list.collect::<Option<Vec<String>>>()?;
            let dialog =
                Dialog { call_id, local, remote, target, routes, seq, remote_seq: None, fallback, direct: false };
            Some(Handle::Answered { trunk, dialog })
        }
        _ => None,
    }
}

/// The Call-ID of the call (of the calls, which have one in common) that a handle ends; `None` for anything but a handle.
pub fn call_id_of(text: &str) -> Option<String> {
    Some(match read(text.lines().next()?)? {
        Handle::Unanswered { call_id, .. } => call_id,
        Handle::Answered { dialog, .. } => dialog.call_id,
    })
}

/// A line of words, each escaped so that [`plain`] gives it back.
pub fn words(list: &[&str]) -> String {
    let mut text = String::with_capacity(list.iter().map(|word| word.len() + 1).sum());
    for (place, word) in list.iter().enumerate() {
        if place > 0 {
            text.push(' ');
        }
        let mut copied = 0;
        for (at, byte) in word.bytes().enumerate().filter(|(_, byte)| !byte.is_ascii_graphic() || *byte == b'%') {
            text.push_str(word.get(copied..at).unwrap_or_default());
            // Writing to a String does not fail.
            let _ = write!(text, "%{byte:02x}");
            copied = at + 1;
        }
        text.push_str(word.get(copied..).unwrap_or_default());
    }
    text
}

/// A word as it was before it was written; `None` where nobody wrote it so.
pub fn plain(word: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16));
                let (high, low) = (digit(rest.next())?, digit(rest.next())?);
                u8::try_from(high * 16 + low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sip::Method;

    fn dialog() -> Dialog {
        Dialog {
            call_id: "abc".into(),
            local: "\"Fire, 50 %\" <sip:hansho@pbx.example>;tag=a1".into(),
            remote: "<sip:+818012345678@pbx.example>;tag=b2".into(),
            target: "sip:phone@192.0.2.9:5062;transport=udp".into(),
            routes: vec!["<sip:192.0.2.1;lr>".into(), "\"半鐘\" <sip:192.0.2.2;lr>".into()],
            seq: 7,
            remote_seq: None,
            fallback: "192.0.2.1:5060".parse().unwrap(),
            direct: false,
        }
    }

    #[test]
    fn an_answered_call_survives_being_written_and_read() {
        let trunk = TrunkId::parse("main").unwrap();
        let text = answered(&trunk, &dialog());
        assert!(text.bytes().all(|b| b.is_ascii_graphic() || b == b' '));
        assert_eq!(read(&text), Some(Handle::Answered { trunk, dialog: dialog() }));
    }

    #[test]
    fn an_unanswered_call_survives_being_written_and_read() {
        let trunk = TrunkId::parse("本線").unwrap();
        let invite = dialog().request(Method::Invite);
        let text = unanswered(&trunk, "secret", &invite);
        let Some(Handle::Unanswered { trunk: read_trunk, secret, hop, uri, from, to, call_id }) = read(&text) else {
            panic!("{text}");
        };
        assert_eq!((read_trunk, secret.as_str(), hop), (trunk, "secret", invite.hop));
        assert_eq!((uri, from, to, call_id), (invite.uri, invite.from, invite.to, invite.call_id));
    }

    #[test]
    fn what_is_no_handle_is_refused() {
        for text in ["", "i1", "i1 main s nowhere u f t c", "d1 main 192.0.2.1:5060 x a b c d", "i1 main %g0", "x1 a b"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
