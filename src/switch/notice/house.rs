//! The events that stand behind the house's facts, read back from the journal.

use crate::base::{Phone, Stamp};
use crate::incident::HouseFact;
use crate::switch::tell::{Event, What};

/// The event that those who watched were told of this fact; `None` where nobody was told. `history`: all of the
/// house's facts, of which some say no more than a number.
pub fn house_event_of(at: Stamp, fact: &HouseFact, history: &[(Stamp, HouseFact)]) -> Option<Event> {
    let what = what_of(fact, history)?;
    Some(Event { at, incident: None, attempt: None, call_id: None, contact: None, name: None, what })
}

/// The name of that event, for whoever wants to know before they read all of the history.
pub fn house_topic(fact: &HouseFact) -> Option<&'static str> {
    match fact {
        HouseFact::Suppressed { .. } => Some("suppression.set"),
        HouseFact::Lifted { .. } => Some("suppression.lifted"),
        HouseFact::DialRefused { .. } => Some("dial.refused"),
        HouseFact::Inquired { .. } => Some("hotline.inquiry"),
        HouseFact::InquiryAccepted { .. } => Some("hotline.accepted"),
        HouseFact::InquiryRefused { .. } => Some("hotline.refused"),
        HouseFact::MessageSent { .. } => Some("message.sent"),
        HouseFact::MessageFailed { .. } => Some("message.failed"),
        HouseFact::TokenCreated { .. }
        | HouseFact::TokenRevoked { .. }
        | HouseFact::MessageQueued { .. }
        | HouseFact::LineUp { .. }
        | HouseFact::LineRecords { .. }
        | HouseFact::LineRecorded { .. }
        | HouseFact::LineDown { .. }
        // Told as it happens.
        | HouseFact::RoomOrdered { .. }
        | HouseFact::Configured { .. }
        | HouseFact::Reloaded { .. }
        | HouseFact::DirectorySet { .. }
        | HouseFact::DirectoryRemoved { .. }
        | HouseFact::UserRegistered { .. }
        | HouseFact::UserUnregistered { .. }
        | HouseFact::Forgotten { .. } => None,
    }
}

fn what_of(fact: &HouseFact, history: &[(Stamp, HouseFact)]) -> Option<What> {
    let what = match fact {
        HouseFact::Suppressed { suppression } => What::Quiet { suppression: suppression.clone() },
        HouseFact::Lifted { suppression, by } => What::Lifted { suppression: *suppression, by: by.clone() },
        HouseFact::DialRefused { number, by, why } => {
            What::DialRefused { number: number.clone(), by: by.clone(), reason: why.clone() }
        }
        HouseFact::Inquired { inquiry, hotline, caller, callee, link } => {
            // The same inquiry stands there again when its link was made anew.
            if asked(*inquiry, history).is_some_and(|first| first.link != link) {
                return None;
            }
            let (hotline, caller, callee) = (hotline.clone(), caller.clone(), callee.clone());
            What::HotlineInquiry { hotline, inquiry: *inquiry, caller, callee }
        }
        HouseFact::InquiryAccepted { inquiry, late } => {
            What::HotlineAccepted { hotline: hotline(*inquiry, history), inquiry: *inquiry, late: *late }
        }
        HouseFact::InquiryRefused { inquiry } => {
            What::HotlineRefused { hotline: hotline(*inquiry, history), inquiry: *inquiry }
        }
        HouseFact::MessageSent { message } => What::MessageSent { message: *message, to: to(*message, history)? },
        HouseFact::MessageFailed { message, why } => {
            What::MessageFailed { message: *message, to: to(*message, history)?, reason: why.clone() }
        }
        // What has no topic: `house_topic` names every fact, so that no new one is forgotten.
        _ => return None,
    };
    Some(what)
}

struct Asked<'a> {
    hotline: &'a str,
    link: &'a str,
}

/// How an inquiry began.
fn asked(number: u32, history: &[(Stamp, HouseFact)]) -> Option<Asked<'_>> {
    history.iter().find_map(|(_, fact)| match fact {
        HouseFact::Inquired { inquiry, hotline, link, .. } if *inquiry == number => Some(Asked { hotline, link }),
        _ => None,
    })
}

fn hotline(number: u32, history: &[(Stamp, HouseFact)]) -> String {
    asked(number, history).map(|asked| asked.hotline.to_owned()).unwrap_or_default()
}

fn to(number: u32, history: &[(Stamp, HouseFact)]) -> Option<Phone> {
    history.iter().rev().find_map(|(_, fact)| match fact {
        HouseFact::MessageQueued { message, to, .. } if *message == number => Some(to.clone()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::ContactId;

    fn contact(id: &str) -> ContactId {
        ContactId::parse(id).unwrap()
    }

    fn inquired(link: &str) -> HouseFact {
        let (hotline, link) = ("family".to_owned(), link.to_owned());
        HouseFact::Inquired { inquiry: 1, hotline, caller: contact("a"), callee: contact("b"), link }
    }

    #[test]
    fn what_a_fact_leaves_out_is_found_in_the_facts_before_it() {
        let phone = Phone::parse("+819011112222").unwrap();
        let queued = HouseFact::MessageQueued { message: 7, to: phone.clone(), text: "x".into() };
        let history: Vec<(Stamp, HouseFact)> = [inquired("first"), queued].map(|fact| (Stamp::default(), fact)).into();
        let event = |fact| house_event_of(Stamp::default(), &fact, &history).map(|event| event.what);
        let sent = event(HouseFact::MessageSent { message: 7 });
        assert_eq!(sent, Some(What::MessageSent { message: 7, to: phone }));
        let accepted = event(HouseFact::InquiryAccepted { inquiry: 1, late: true });
        assert_eq!(accepted, Some(What::HotlineAccepted { hotline: "family".into(), inquiry: 1, late: true }));
        assert_eq!(event(HouseFact::MessageSent { message: 8 }), None, "a message nobody queued");
    }

    #[test]
    fn a_fact_s_topic_is_the_name_of_its_event() {
        let message =
            HouseFact::MessageQueued { message: 7, to: Phone::parse("+81312345678").unwrap(), text: "x".into() };
        let history: Vec<(Stamp, HouseFact)> =
            [inquired("x"), message.clone()].map(|fact| (Stamp::default(), fact)).into();
        let by = "x".to_owned();
        for fact in [
            HouseFact::Lifted { suppression: 1, by: by.clone() },
            HouseFact::DialRefused { number: "1".into(), by: by.clone(), why: by.clone() },
            inquired("x"),
            HouseFact::InquiryAccepted { inquiry: 1, late: false },
            HouseFact::InquiryRefused { inquiry: 1 },
            HouseFact::MessageSent { message: 7 },
            HouseFact::MessageFailed { message: 7, why: by },
            message,
        ] {
            let event = house_event_of(Stamp::default(), &fact, &history);
            let told = event.map(|event| serde_json::to_value(event.what).unwrap()["event"].clone());
            assert_eq!(told.as_ref().and_then(|name| name.as_str()), house_topic(&fact));
        }
    }

    #[test]
    fn an_inquiry_is_told_once_though_its_link_is_made_anew() {
        let history: Vec<(Stamp, HouseFact)> =
            [inquired("first"), inquired("second")].map(|fact| (Stamp::default(), fact)).into();
        let told: Vec<bool> = history.iter().map(|(at, fact)| house_event_of(*at, fact, &history).is_some()).collect();
        assert_eq!(told, [true, false]);
    }
}
