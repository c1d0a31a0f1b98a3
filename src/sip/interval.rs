//! How long a session holds without a refresh, and who refreshes it (RFC 4028).
//!
//! ```text
//! Session-Expires: 1800;refresher=uac
//! Min-SE: 90
//! ```
//!
//! Pure: headers in, an agreement out.
//!
//! Easy to get wrong: `uac` and `uas` are the roles in the transaction that carries the header, not those of the whole
//! call; who is asked may shorten the interval and never lengthen it (§9); 422 is for those alone who know the
//! extension, because the header may have been put in by a proxy on the way.

use crate::sip::extension::{TIMER, supports};
use crate::wire::sip::{Message, Name, Params};

/// What we ask for in our calls, in seconds; the value that RFC 4028 §4 recommends.
pub const WANTED_S: u32 = 1_800;
/// The least we agree to when we are asked (RFC 4028 §4).
pub const LEAST_S: u32 = 90;
/// An answer that grants less than [`LEAST_S`] is wrong and obeyed all the same, because its writer ends the call
/// otherwise; below this it would be a flood.
const SHORTEST_S: u32 = 4;
/// A least interval of more than a day is nonsense.
const LONGEST_LEAST_S: u32 = 86_400;

/// Who refreshes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refresher {
    /// We do.
    Us,
    /// The far end does.
    Them,
}

/// What is agreed on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval {
    /// So long the session holds from one refresh to the next.
    pub seconds: u32,
    /// Who sends it.
    pub refresher: Refresher,
}

/// What a request asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Asked {
    /// Nothing: the session holds until somebody ends it.
    Nothing,
    /// Too often: 422.
    TooShort,
    /// This, which we grant.
    Granted(Interval),
}

/// What a request of theirs asks for (RFC 4028 §9).
pub fn asked(request: &Message) -> Asked {
    let Some((seconds, role)) = session_expires(request) else { return Asked::Nothing };
    let known = supports(request, TIMER);
    match (seconds < LEAST_S, known) {
        (true, true) => Asked::TooShort,
        (true, false) => Asked::Nothing,
        (false, _) => {
            let ours = !known || role == Some(Role::Uas);
            let refresher = if ours { Refresher::Us } else { Refresher::Them };
            Asked::Granted(Interval { seconds, refresher })
        }
    }
}

/// What a 2xx to a request of ours grants (RFC 4028 §7.2).
pub fn granted(response: &Message) -> Option<Interval> {
    let (seconds, role) = session_expires(response)?;
    let refresher = if role == Some(Role::Uas) { Refresher::Them } else { Refresher::Us };
    Some(Interval { seconds: seconds.max(SHORTEST_S), refresher })
}

/// The least interval that a 422 demands, if it can be met.
pub fn least(response: &Message) -> Option<u32> {
    let value = response.header(&Name::MinSe)?;
    number(value).filter(|seconds| *seconds <= LONGEST_LEAST_S).map(|seconds| seconds.max(LEAST_S))
}

impl Interval {
    /// Session-Expires of our answer to a request of theirs.
    pub fn answer(self) -> String {
        let role = if self.refresher == Refresher::Us { "uas" } else { "uac" };
        format!("{};refresher={role}", self.seconds)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Uac,
    Uas,
}

fn session_expires(message: &Message) -> Option<(u32, Option<Role>)> {
    let value = message.header(&Name::SessionExpires)?;
    let (seconds, params) = value.split_once(';').unwrap_or((value, ""));
    let role = Params::of(params).get("refresher").and_then(|role| match role {
        _ if role.eq_ignore_ascii_case("uac") => Some(Role::Uac),
        _ if role.eq_ignore_ascii_case("uas") => Some(Role::Uas),
        _ => None,
    });
    Some((number(seconds)?, role))
}

fn number(text: &str) -> Option<u32> {
    let digits = text.split(';').next().unwrap_or(text).trim();
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sip::{Builder, Method};

    fn says(expires: &str, supported: &str) -> Message {
        let mut builder = Builder::request(Method::Invite, "sip:us@192.0.2.10");
        if !expires.is_empty() {
            builder = builder.header(Name::SessionExpires, expires);
        }
        Message::parse(&builder.header(Name::Supported, supported).finish()).unwrap()
    }

    #[test]
    fn who_refreshes_is_what_table_2_of_rfc_4028_says() {
        let interval = |seconds, refresher| Asked::Granted(Interval { seconds, refresher });
        for (expires, supported, expected) in [
            ("", "timer", Asked::Nothing),
            ("1800", "", interval(1_800, Refresher::Us)),
            ("1800;refresher=uac", "", interval(1_800, Refresher::Us)),
            ("1800", "100rel, timer", interval(1_800, Refresher::Them)),
            ("1800;refresher=uac", "timer", interval(1_800, Refresher::Them)),
            ("1800 ;x=1;Refresher=UAS", "timer", interval(1_800, Refresher::Us)),
            ("90;refresher=uas", "timer", interval(90, Refresher::Us)),
            ("89", "timer", Asked::TooShort),
            ("89", "", Asked::Nothing),
            ("soon", "timer", Asked::Nothing),
            ("99999999999", "timer", interval(u32::MAX, Refresher::Them)),
        ] {
            assert_eq!(asked(&says(expires, supported)), expected, "{expires} {supported}");
        }
    }

    #[test]
    fn an_answer_without_a_refresher_leaves_it_to_us() {
        let granted = |expires| granted(&says(expires, ""));
        assert_eq!(granted("600"), Some(Interval { seconds: 600, refresher: Refresher::Us }));
        assert_eq!(granted("600;refresher=uas"), Some(Interval { seconds: 600, refresher: Refresher::Them }));
        assert_eq!(granted("1;refresher=uac"), Some(Interval { seconds: SHORTEST_S, refresher: Refresher::Us }));
        assert_eq!(granted(""), None);
    }

    #[test]
    fn a_least_interval_is_obeyed_within_reason() {
        let demands = |value: &str| {
            let text = Builder::request(Method::Invite, "sip:us@192.0.2.10").header(Name::MinSe, value).finish();
            least(&Message::parse(&text).unwrap())
        };
        assert_eq!((demands("3600"), demands("3600;lr"), demands("10")), (Some(3_600), Some(3_600), Some(LEAST_S)));
        assert_eq!((demands("86401"), demands("x"), demands("")), (None, None, None));
    }
}
