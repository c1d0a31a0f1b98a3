//! Where an INVITE goes that was answered with 300, 301 or 302 (RFC 3261 §8.1.3.4, §21.3).
//!
//! A redirect lets somebody else choose whom we dial, and that is the oldest way to toll fraud. So it is followed only
//! where it changes the way and not the person: the same user at the trunk itself, at another port or with other
//! parameters of the URI. Everything else ends the call with its status, and the roster goes on with the person's next
//! telephone; whom a person is reached by is for the roster to say.
//!
//! Easy to get wrong: a URI that was tried already is a loop (§21.4.20 calls it 482); the values of one Contact are in no
//! order but that of their `q`; headers and a method in the URI are another's words in our request, and are not taken
//! (§19.1.5); parameters of the user part route a number elsewhere (`;rn=`), so the user must be the same to the letter;
//! 305 and 380 name no other address for the same call.

use crate::sip::Hop;
use crate::wire::sip::{Message, Name, NameAddr, Uri};

/// So many redirects of one call are followed.
pub const MAX_HOPS: usize = 3;

/// The trunk, as far as it matters here.
#[derive(Clone, Copy, Debug)]
pub struct Home<'a> {
    /// Its domain.
    pub domain: &'a str,
    /// Where it is.
    pub proxy: Hop,
}

/// The next Request-URI for an INVITE that went to all of `tried`, the last being answered with `response`; or why
/// there is none.
pub fn next(home: Home<'_>, tried: &[String], response: &Message) -> Result<String, &'static str> {
    if !matches!(response.code(), Some(300..=302)) {
        return Err("it names no other address");
    }
    if tried.len() > MAX_HOPS {
        return Err("it is one redirect too many");
    }
    let Some(last) = tried.last().and_then(|uri| Uri::parse(uri).ok()) else { return Err("it leads nowhere") };
    let mut contacts: Vec<(u32, &str)> = response.list(&Name::Contact).filter_map(contact).collect();
    contacts.sort_by_key(|(q, _)| core::cmp::Reverse(*q));
    let mut why = "it names no address";
    for (_, target) in contacts {
        let Ok(uri) = Uri::parse(target) else { continue };
        match judge(home, &last, &uri) {
            Err(reason) => why = reason,
            Ok(()) if tried.iter().any(|known| known.eq_ignore_ascii_case(target)) => why = "it leads in a circle",
            Ok(()) => return Ok(target.to_owned()),
        }
    }
    Err(why)
}

fn judge(home: Home<'_>, last: &Uri<'_>, uri: &Uri<'_>) -> Result<(), &'static str> {
    let here = uri.host.trim_end_matches('.').eq_ignore_ascii_case(home.domain)
        || uri.ip().is_some_and(|ip| ip.to_canonical() == home.proxy.ip().to_canonical());
    match uri {
        _ if !uri.scheme.eq_ignore_ascii_case("sip") => Err("it leads out of SIP"),
        _ if uri.headers.is_some() || uri.param("method").is_some() || uri.param("maddr").is_some() => {
            Err("its address holds more than an address")
        }
        _ if !here => Err("it leads away from the trunk"),
        _ if uri.user.is_none() || uri.user != last.user => Err("it leads to another number"),
        _ => Ok(()),
    }
}

/// A value of Contact: its weight in thousandths, and its URI.
fn contact(value: &str) -> Option<(u32, &str)> {
    let contact = NameAddr::parse(value).ok()?;
    let q = contact.param("q").and_then(thousandths).unwrap_or(1_000);
    Some((q, contact.uri))
}

/// `0.25` as 250.
fn thousandths(q: &str) -> Option<u32> {
    let (whole, part) = q.split_once('.').unwrap_or((q, ""));
    let digits: String = part.bytes().filter(u8::is_ascii_digit).chain(*b"000").take(3).map(char::from).collect();
    let whole: u32 = whole.parse().ok()?;
    Some(whole.min(1) * 1_000 + digits.parse::<u32>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::tests::peer;
    use crate::wire::sip::{Builder, Method};

    const FIRST: &str = "sip:+818012345678@pbx.example";

    fn redirect(code: u16, contact: &str, tried: &[&str]) -> Result<String, &'static str> {
        let request = Builder::request(Method::Invite, FIRST).header(Name::CSeq, "1 INVITE").finish();
        let request = Message::parse(&request).unwrap();
        let response = Builder::response(&request, code).header(Name::Contact, contact).finish();
        let tried: Vec<String> = tried.iter().map(|uri| (*uri).to_owned()).collect();
        next(Home { domain: "pbx.example", proxy: peer() }, &tried, &Message::parse(&response).unwrap())
    }

    #[test]
    fn the_same_number_at_the_trunk_is_followed() {
        for (contact, expected) in [
            ("<sip:+818012345678@PBX.example;user=phone>", "sip:+818012345678@PBX.example;user=phone"),
            ("sip:+818012345678@192.0.2.1:5070", "sip:+818012345678@192.0.2.1:5070"),
            (
                "<sip:+818012345678@pbx.example;a>;q=0.1, <sip:+818012345678@pbx.example;b>;q=0.9",
                "sip:+818012345678@pbx.example;b",
            ),
            ("<sip:thief@evil.example>, <sip:+818012345678@pbx.example;c>;q=0.01", "sip:+818012345678@pbx.example;c"),
        ] {
            for code in [300, 301, 302] {
                assert_eq!(redirect(code, contact, &[FIRST]).as_deref(), Ok(expected), "{contact}");
            }
        }
    }

    #[test]
    fn a_redirect_dials_nobody_else() {
        for contact in [
            "<sip:+881612345678@pbx.example>",
            "<sip:+818012345678;rn=+881612345678@pbx.example>",
            "<sip:+818012345678@evil.example>",
            "<sip:+818012345678@203.0.113.1>",
            "<sip:pbx.example>",
            "<tel:+818012345678>",
            "<sips:+818012345678@pbx.example>",
            "<sip:+818012345678@pbx.example;method=REFER>",
            "<sip:+818012345678@pbx.example;maddr=203.0.113.1>",
            "<sip:+818012345678@pbx.example?Route=%3Csip:evil.example%3E>",
            "*",
            "",
        ] {
            assert!(redirect(302, contact, &[FIRST]).is_err(), "{contact}");
        }
    }

    #[test]
    fn circles_and_long_chains_and_other_classes_end() {
        assert_eq!(redirect(302, FIRST, &[FIRST]), Err("it leads in a circle"));
        let fresh = "<sip:+818012345678@pbx.example;last>";
        let chain: Vec<String> = (0..=MAX_HOPS).map(|n| format!("{FIRST};n={n}")).collect();
        let chain: Vec<&str> = chain.iter().map(String::as_str).collect();
        assert!(redirect(302, fresh, &chain[..MAX_HOPS]).is_ok());
        assert_eq!(redirect(302, fresh, &chain), Err("it is one redirect too many"));
        for code in [305, 380, 399] {
            assert!(redirect(code, fresh, &[FIRST]).is_err(), "{code}");
        }
    }
}
