//! What the telephone network behind a trunk says (ITU-T Q.850), where the SIP status leaves it open.
//!
//! A gateway into the telephone network often answers 480, 500 or 503 whatever happened there, and says it in Reason
//! alone: `Reason: Q.850;cause=17` (RFC 6432 §3). It decides two things here: what is told as the outcome, and whether
//! another trunk is worth a try.
//!
//! It never overrules a status that says something by itself: a 486 is busy and a 404 leads nowhere, whatever else is said.
//! Easy to get wrong: 408 and 403 are the trunk's own where nothing else is said, so that a telephone that nobody picks up
//! (18, 19) and a callee who declines (21) become a 480 and a 603 here, and not what RFC 3398 §7.2.4.1 has for gateways;
//! and many gateways write 16 or 31, "normal", which says nothing.

use crate::wire::sip::{Message, Name, Params};

/// The status that says what happened in the telephone network; `None` where the response's own status does, or where the
/// network says nothing about it.
pub fn status(response: &Message) -> Option<u16> {
    let code = response.code().filter(|code| matches!(code, 403 | 408 | 480 | 500..600))?;
    let said = response.list(&Name::Reason).find_map(|value| {
        let (protocol, params) = value.split_once(';')?;
        let cause = || Params::of(params).get("cause")?.trim().parse::<u8>().ok();
        protocol.trim().eq_ignore_ascii_case("Q.850").then(cause)?
    })?;
    of_cause(said).filter(|status| *status != code)
}

fn of_cause(cause: u8) -> Option<u16> {
    Some(match cause {
        // No such number, moved away, out of order, a number that is none.
        1 | 22 | 26 | 27 => 404,
        28 => 484,
        17 => 486,
        // Nobody picks up; the telephone is switched off.
        18..=20 => 480,
        21 => 603,
        // No way there from here, no line free, out of order, congested, not allowed on this line, time ran out in between.
        2 | 3 | 25 | 34 | 38 | 41..=44 | 46 | 47 | 49 | 50 | 57 | 58 | 63 | 102 | 111 | 127 => 503,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::sip::Builder;

    fn said(code: u16, reasons: &[&str]) -> Option<u16> {
        let invite = crate::sip::tests::bench::asks(crate::wire::sip::Method::Invite, 1, "a", "", "");
        let response = Builder::response(&invite, code);
        let response = reasons.iter().fold(response, |response, reason| response.header(Name::Reason, *reason));
        status(&Message::parse(&response.finish()).unwrap())
    }

    #[test]
    fn a_status_that_leaves_it_open_is_read_by_the_cause_and_one_that_says_it_is_not() {
        for (code, reason, expected) in [
            (480, "Q.850;cause=17;text=\"User busy\"", Some(486)),
            (500, "q.850 ; cause=34", Some(503)),
            (480, "Q.850;cause=38", Some(503)),
            (503, "Q.850;cause=17", Some(486)),
            (408, "Q.850;cause=18", Some(480)),
            (403, "Q.850;cause=21", Some(603)),
            (500, "Q.850;cause=1", Some(404)),
            (480, "Q.850;cause=19", None),
            (480, "Q.850;cause=16", None),
            (480, "Q.850;cause=4711", None),
            (480, "Q.850", None),
            (480, "SIP;cause=486", None),
            (486, "Q.850;cause=34", None),
            (404, "Q.850;cause=17", None),
            (603, "Q.850;cause=34", None),
        ] {
            assert_eq!(said(code, &[reason]), expected, "{code}, {reason}");
        }
        assert_eq!(said(480, &[]), None);
    }

    #[test]
    fn the_network_s_cause_is_found_behind_other_reasons() {
        assert_eq!(said(480, &["SIP;cause=480;text=\"a, b\", Q.850;cause=17"]), Some(486));
        assert_eq!(said(480, &["SIP;cause=480", "Q.850;cause=17"]), Some(486));
    }
}
