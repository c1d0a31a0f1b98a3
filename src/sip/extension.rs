//! The extensions of SIP that hansho knows, by their option tags (RFC 3261 §19.2).
//!
//! `100rel` are provisional responses that must not be lost (RFC 3262), `timer` are session timers (RFC 4028).
//!
//! Easy to get wrong: Supported is an offer and Require a demand; whoever demands what we do not know is answered 420
//! with exactly those tags in Unsupported; a BYE and a CANCEL are never turned away for that.

use crate::wire::sip::{Message, Method, Name};

/// Provisional responses that are acknowledged (RFC 3262).
pub const RELIABLE: &str = "100rel";
/// Session timers (RFC 4028).
pub const TIMER: &str = "timer";
/// Proxies between a phone and its registrar (RFC 3327).
pub const PATH: &str = "path";
/// What we say in Supported.
pub const SUPPORTED: &str = "100rel, timer";

/// What a request demands that we do not do; `None` when there is nothing of the kind.
pub fn unsupported(request: &Message) -> Option<String> {
    if request.method() == Method::Bye {
        return None; // Whoever wants to go may go.
    }
    let known: &[&str] = if request.method() == Method::Register { &[PATH] } else { &[RELIABLE, TIMER] };
    let ours = |tag: &str| known.iter().any(|known| tag.eq_ignore_ascii_case(known));
    let tags: Vec<&str> = request.list(&Name::Require).filter(|tag| !ours(tag)).collect();
    (!tags.is_empty()).then(|| tags.join(", "))
}

/// Takes these extensions out of what a request of ours says of itself; false when it has none of them.
pub fn leave_out(headers: &mut Vec<(Name, String)>, tags: &[&str]) -> bool {
    let named = |tag: &str| tags.iter().any(|known| known.eq_ignore_ascii_case(tag));
    let Some((_, said)) = headers.iter_mut().find(|(name, _)| *name == Name::Supported) else { return false };
    let left: Vec<&str> = said.split(", ").filter(|tag| !named(tag)).collect();
    let left = left.join(", ");
    if left == *said {
        return false;
    }
    *said = left;
    let lapses = named(TIMER);
    headers.retain(|(name, value)| match name {
        Name::Supported => !value.is_empty(),
        Name::SessionExpires | Name::MinSe => !lapses,
        _ => true,
    });
    true
}

/// Does the message demand this extension?
pub fn requires(message: &Message, tag: &str) -> bool {
    message.list(&Name::Require).any(|named| named.eq_ignore_ascii_case(tag))
}

/// Does the sender of the message know this extension?
pub fn supports(message: &Message, tag: &str) -> bool {
    message.list(&Name::Supported).any(|named| named.eq_ignore_ascii_case(tag)) || requires(message, tag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sip::Builder;

    #[test]
    fn only_what_nobody_here_knows_is_unsupported() {
        let asks = |method, tags: &str| {
            let text = Builder::request(method, "sip:us@192.0.2.10").header(Name::Require, tags).finish();
            unsupported(&Message::parse(&text).unwrap())
        };
        assert_eq!(asks(Method::Invite, "100rel, Timer"), None);
        assert_eq!(asks(Method::Invite, "timer, resource-priority, x"), Some("resource-priority, x".to_owned()));
        assert_eq!(asks(Method::Bye, "x"), None);
    }

    #[test]
    fn what_is_not_liked_is_left_out_with_all_that_belongs_to_it() {
        let whole = || {
            let said = [(Name::Supported, SUPPORTED), (Name::SessionExpires, "1800"), (Name::MinSe, "90")];
            said.map(|(name, value)| (name, value.to_owned())).to_vec()
        };
        let left = |tags: &[&str]| {
            let mut headers = whole();
            leave_out(&mut headers, tags).then_some(headers)
        };
        assert_eq!((left(&[]), left(&["replaces", ""])), (None, None));
        assert_eq!(left(&["Timer"]), Some(vec![(Name::Supported, RELIABLE.to_owned())]));
        assert_eq!(left(&[RELIABLE]).map(|left| left.len()), Some(3));
        assert_eq!(left(&[TIMER, RELIABLE]), Some(Vec::new()));
        let mut headers = left(&[TIMER]).unwrap();
        assert!(!leave_out(&mut headers, &[TIMER]), "it was left out already");
    }
}
