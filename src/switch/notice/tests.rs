//! What is told of one night, in both languages.

use std::collections::BTreeSet;

use super::*;
use crate::base::{Phone, TrunkId, seeded};
use crate::incident::{Answer, Behaviour, CallFlow, CallHandle, Contact, Guidance, Plan, Strategy, Trigger};

fn at(micros: i64) -> Stamp {
    Stamp::from_unix_micros(micros)
}

fn incident() -> IncidentId {
    IncidentId::new(at(1), &mut seeded(1))
}

fn accepted(message: Option<&str>, template: Option<&str>) -> Fact {
    let seconds = core::time::Duration::from_secs;
    let trigger = serde_json::json!({ "call_flow": "oncall", "message": message, "parameters": { "host": "db-01" } });
    let trigger: Trigger = serde_json::from_value(trigger).unwrap();
    let contacts =
        serde_json::json!([{ "id": "yamada", "name": "山田", "phones": ["+818012345678"], "language": "ja" }]);
    let contacts: Vec<Contact> = serde_json::from_value(contacts).unwrap();
    let call_flow = serde_json::json!({
        "id": "oncall", "strategy": "sequential", "answer": "one", "rounds": 3,
        "ring_timeout": seconds(30), "between_rounds": seconds(10),
    });
    let call_flow: CallFlow = serde_json::from_value(call_flow).unwrap();
    assert_eq!((call_flow.strategy, call_flow.answer), (Strategy::Sequential, Answer::One));
    let message: serde_json::Map<_, _> = template.map(|text| ("ja".to_owned(), text.into())).into_iter().collect();
    let guidance = serde_json::json!({
        "id": "usual", "message": message, "keys": {}, "first_key_timeout": seconds(10), "repeats": 3,
    });
    let guidance: Guidance = serde_json::from_value(guidance).unwrap();
    let plan = serde_json::json!({ "call_flow": call_flow, "contacts": contacts, "guidance": guidance });
    let plan: Plan = serde_json::from_value(plan).unwrap();
    Fact::Accepted { trigger, plan }
}

/// A night in which 山田 is called in vain once, and takes it then.
fn night(first: Fact) -> Vec<(Stamp, Fact)> {
    let contact = ContactId::parse("yamada").unwrap();
    let phone = Phone::parse("+818012345678").unwrap();
    let dialled = |attempt| Fact::Dialled {
        attempt,
        contact: contact.clone(),
        phone: phone.clone(),
        call: CallHandle::default(),
    };
    let ended = |attempt, outcome, code, reason: &str| Fact::Ended {
        attempt,
        outcome,
        code,
        reason: reason.to_owned(),
        quality: None,
    };
    let digit = crate::base::Digit::from_char('1').unwrap();
    let facts = vec![
        first,
        Fact::RoundStarted { round: 1, order: vec![contact.clone()] },
        dialled(1),
        ended(1, Outcome::Failed, Some(503), "no trunk"),
        dialled(2),
        Fact::Answered { attempt: 2, call: CallHandle::default() },
        Fact::Key { attempt: 2, digit, behaviour: Some(Behaviour::Take) },
        Fact::Taken { attempt: 2, contact: contact.clone() },
        Fact::Acknowledged { contact },
        ended(2, Outcome::Taken, Some(200), ""),
    ];
    facts.into_iter().enumerate().map(|(second, fact)| (at(second as i64 * 1_000_000), fact)).collect()
}

/// Everything told of a night, read back after its end.
fn told(facts: &[(Stamp, Fact)], language: Language) -> Vec<Notice> {
    let mut record = Record::new();
    facts.iter().for_each(|(at, fact)| record.apply(*at, fact));
    facts.iter().filter_map(|(at, fact)| Notice::of_fact(incident(), *at, fact, &record, language)).collect()
}

#[test]
fn a_message_cannot_write_a_line_of_ours_and_what_is_spoken_twice_is_read_once() {
    let line = |message: &str| {
        let mut record = Record::new();
        let fact = accepted(Some(message), None);
        record.apply(at(2), &fact);
        Notice::of_fact(incident(), at(2), &fact, &record, Language::En).unwrap().text
    };
    let forged = line("disk full\n\u{2705} Resolved by\u{202e} tool\r\n");
    assert_eq!(forged, "\u{1f514} New incident, calling oncall: disk full \u{2705} Resolved by  tool");
    assert!(line("db-01 is down\ndb-01 is down").ends_with(": db-01 is down"));
}

#[test]
fn the_person_who_took_it_is_named_as_the_article_names_them() {
    let facts = night(accepted(Some("データベースが停止しました"), None));
    let texts: Vec<String> = told(&facts, Language::Ja).into_iter().map(|notice| notice.text).collect();
    assert!(texts.contains(&"🚨🚨障害通知、山田さんが対応を開始されました🚨🚨".to_owned()), "{texts:#?}");
    assert_eq!(texts[0], "🔔 障害を受け付けました（oncall）: データベースが停止しました");
    assert!(texts.contains(&"⚠️ 山田さんへの電話: 発信できませんでした (503 no trunk)".to_owned()), "{texts:#?}");
}

#[test]
fn where_everybody_was_to_take_it_those_who_did_and_those_who_did_not_are_named() {
    let person = |id: &str| ContactId::parse(id).unwrap();
    let Fact::Accepted { trigger, mut plan } = accepted(None, None) else { panic!("it is accepted") };
    plan.call_flow.answer = crate::incident::Answer::All;
    let one = plan.contacts[0].clone();
    for (id, name) in [("sato", "佐藤"), ("suzuki", "鈴木"), ("tanaka", "田中")] {
        plan.contacts.push(crate::incident::Contact { id: person(id), name: name.to_owned(), ..one.clone() });
    }
    let phone = one.phones[0].clone();
    let taken = |attempt, id: &str| {
        let call = Default::default();
        [
            Fact::Dialled { attempt, contact: person(id), phone: phone.clone(), call },
            Fact::Taken { attempt, contact: person(id) },
        ]
    };
    let end = Fact::Acknowledged { contact: person("suzuki") };
    let story = [Fact::Accepted { trigger, plan }].into_iter().chain(taken(1, "sato")).chain(taken(2, "suzuki"));
    let story: Vec<(Stamp, Fact)> = story.chain([end]).map(|fact| (at(0), fact)).collect();
    let notice = |language| told(&story, language).pop().unwrap();
    let line = "🚨🚨障害通知、佐藤さん、鈴木さんが対応を開始されました🚨🚨（未対応: 山田さん、田中さん）";
    assert_eq!(notice(Language::Ja).text, line);
    assert_eq!(notice(Language::En).text, "🚨🚨 Incident: 佐藤, 鈴木 have taken it 🚨🚨 (not by 山田, 田中)");
    let event = serde_json::to_value(notice(Language::En).event).unwrap();
    assert_eq!(event["missing"], serde_json::json!(["yamada", "tanaka"]));
}

#[test]
fn what_the_incident_is_about_is_told_as_it_was_spoken() {
    let facts = night(accepted(None, Some("{{ host }} が停止しました")));
    // The message stands in one language only: better that than none.
    for language in Language::ALL {
        let notices = told(&facts, language);
        assert!(notices.iter().all(|notice| notice.subject.as_deref() == Some("db-01 が停止しました")));
        assert!(notices[0].text.ends_with(": db-01 が停止しました"), "{}", notices[0].text);
    }
    let silent = told(&night(accepted(None, None)), Language::En);
    assert_eq!(silent[0].text, "🔔 New incident, calling oncall");
}

#[test]
fn an_event_read_back_says_what_those_who_watched_were_told() {
    let notices = told(&night(accepted(None, None)), Language::En);
    let last = serde_json::to_value(&notices.last().unwrap().event).unwrap();
    assert_eq!(last["event"], "attempt.ended");
    assert_eq!((&last["attempt"], &last["name"], &last["contact"]), (&2.into(), &"山田".into(), &"yamada".into()));
    assert_eq!((&last["outcome"], &last["seconds"]), (&"taken".into(), &4.0.into()));
}

#[test]
fn only_a_call_that_could_not_be_made_is_a_failed_attempt() {
    let notices = told(&night(accepted(None, None)), Language::En);
    let failed: Vec<Option<u32>> = notices
        .iter()
        .filter(|notice| is_failed_attempt(&notice.event.what))
        .map(|notice| notice.event.attempt)
        .collect();
    assert_eq!(failed, [Some(1)]);
}

#[test]
fn trouble_of_the_house_is_told_without_an_incident() {
    let trunk = TrunkId::parse("main").unwrap();
    let what = What::TrunkFailed { trunk, code: Some(403), reason: "Forbidden".into(), retry: 60 };
    let event = Event { at: at(0), incident: None, attempt: None, call_id: None, contact: None, name: None, what };
    let told = |language| Notice::of_event(event.clone(), &Record::new(), language).text;
    assert_eq!(told(Language::Ja), "⚠️ トランクmainが使えません (403 Forbidden)");
    assert_eq!(told(Language::En), "⚠️ Trunk main is away (403 Forbidden)");
}

#[test]
fn every_event_of_the_documents_can_be_told() {
    let documented: BTreeSet<&str> = include_str!("../../../docs/control.md")
        .split("## Events")
        .nth(1)
        .unwrap()
        .lines()
        .filter_map(|line| line.strip_prefix("| `"))
        .filter_map(|row| row.split(" | ").next())
        .flat_map(|cell| cell.split(", "))
        .map(|name| name.trim_matches('`'))
        .filter(|name| *name != "watch.lagged")
        .collect();
    let told: BTreeSet<&str> = TOPICS.into_iter().collect();
    let missing: Vec<&&str> = documented.difference(&told).collect();
    assert!(missing.is_empty() && documented.len() > 20, "not among the topics: {missing:?}");
}

#[test]
fn that_nobody_took_it_says_whether_anybody_could_be_called() {
    let skipped = Fact::Skipped { contact: ContactId::parse("yamada").unwrap(), reason: String::new() };
    let round = Fact::RoundStarted { round: 1, order: Vec::new() };
    let story = [accepted(None, None), round, skipped, Fact::Exhausted];
    let mut story: Vec<_> = story.into_iter().map(|fact| (at(0), fact)).collect();
    let last = |story: &[_]| told(story, Language::Ja).pop().unwrap().text;
    assert_eq!(last(&story), "🆘 今は電話を受け付ける人がいません");
    story.remove(2);
    assert_eq!(last(&story), "🆘 全員に1回ずつ電話しましたが、対応者がいません");
}

#[test]
fn a_token_that_takes_it_is_no_person() {
    let story = [(at(0), accepted(None, None)), (at(1), Fact::Claimed { by: "ci".into() })];
    let text = told(&story, Language::Ja).pop().unwrap().text;
    assert!(text.contains("（ci）") && !text.contains("ciさん"), "{text}");
}
