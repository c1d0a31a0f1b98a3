//! Whose turn it is: accepting hours, call flows that lead to others, challenges, PINs.

use super::{SMALLEST, complaints, read, trigger};
use crate::base::Holidays;

#[test]
fn a_person_accepts_calls_in_their_own_time_zone_with_the_holidays_of_their_country() {
    let hours = |more: &str| {
        let text = SMALLEST.replace("id = \"yamada\"\n", &format!("id = \"yamada\"\n{more}"));
        read(&text).map(|settings| settings.contacts.into_values().next().unwrap().hours)
    };
    assert!(hours("").unwrap().is_always() && hours("hours = \"always\"\n").unwrap().is_always());
    let tokyo =
        hours("hours = [\"business-days 09:00-18:00\", \"sat 10:00-12:00\"]\ntime_zone = \"Asia/Tokyo\"\n").unwrap();
    assert_eq!(tokyo.to_string(), "business-days 09:00-18:00, sat 10:00-12:00 (Asia/Tokyo)");
    assert_eq!(tokyo.holidays, Holidays::Japan);
    let berlin = hours("hours = [\"holidays\"]\ntime_zone = \"Europe/Berlin\"\n").unwrap();
    assert_eq!(berlin.holidays, Holidays::None);
    let wrong = hours("hours = [\"someday\"]\ntime_zone = \"Moon\"\nholidays = \"mars\"\n").unwrap_err();
    let keys: Vec<&str> = wrong.iter().map(|complaint| complaint.key.as_str()).collect();
    assert_eq!(keys, ["contact[1].hours[1]", "contact[1].time_zone", "contact[1].holidays"]);
    assert_eq!(hours("hours = []\n").unwrap_err().len(), 1);
    assert_eq!(hours("hours = \"never\"\n").unwrap_err().len(), 1);
}

#[test]
fn call_flows_lead_to_others_and_never_back() {
    let flow = |id: &str, then: &str| format!("[[call_flow]]\nid = \"{id}\"\nroster = \"first\"\nthen = \"{then}\"\n");
    let settings = read(&format!("{SMALLEST}{}{}", flow("second", "third"), flow("third", "oncall"))).unwrap();
    let plan = settings.plan(&trigger(serde_json::json!({ "call_flow": "second" }))).unwrap();
    let ids: Vec<&str> = plan.chain().map(|plan| plan.call_flow.id.as_str()).collect();
    assert_eq!(ids, ["second", "third", "oncall"]);
    let to = serde_json::json!({ "call_flow": "second", "to": ["+818012345678"] });
    assert_eq!(settings.plan(&trigger(to)).unwrap().then, None);
    let round = complaints(&[flow("a", "b"), flow("b", "c"), flow("c", "a"), flow("d", "a")].concat());
    assert_eq!(round.len(), 3, "{round:?}");
    assert!(round.iter().all(|line| line.contains("come to itself again")), "{round:?}");
    let stranger = complaints(&flow("a", "nowhere"));
    assert!(stranger.len() == 1 && stranger[0].contains("no call flow `nowhere`"), "{stranger:?}");
}

#[test]
fn what_is_built_in_is_named_like_what_the_file_declares_until_the_file_declares_it() {
    let flow = "[[call_flow]]\nid = \"urls\"\nroster = \"first\"\nguidance = \"azure\"\n";
    let named = |more: &str, json| read(&format!("{SMALLEST}{more}")).unwrap().plan(&trigger(json)).unwrap().guidance;
    let own = named(flow, serde_json::json!({ "call_flow": "urls" }));
    assert!(own.explains_keys && own.first_key_timeout.as_secs() == 120, "{own:?}");
    assert_eq!(own, named("", serde_json::json!({ "call_flow": "oncall", "guidance": "azure" })));
    let alert = named("", serde_json::json!({ "call_flow": "oncall", "guidance": "alert" }));
    assert_eq!(alert.room.as_ref().map(|room| room.as_str()), Some("AlertRoom"));
    let declared = "[[guidance]]\nid = \"azure\"\nkeys.5 = { do = \"take\" }\n";
    let own = named(&format!("{flow}{declared}"), serde_json::json!({ "call_flow": "urls" }));
    assert_eq!((own.keys.len(), own.explains_keys), (1, false));
}

#[test]
fn a_challenge_needs_digits_that_are_no_keys() {
    let guidance = |keys: u32| {
        let keys: String = (1..=keys).map(|key| format!("keys.{key} = {{ do = \"take\" }}\n")).collect();
        format!("[[guidance]]\nid = \"drawn\"\nchallenge = true\n{keys}")
    };
    let settings = read(&format!("{SMALLEST}{}", guidance(6))).unwrap();
    assert!(settings.guidances.values().any(|guidance| guidance.challenge));
    let complaints = complaints(&guidance(7));
    assert!(complaints.len() == 1 && complaints[0].contains("challenge"), "{complaints:?}");
}

#[test]
fn the_pin_is_asked_of_everybody_only_where_a_room_has_one() {
    let always = "[call_in]\nalways_pin = true\n";
    let complaints = complaints(always);
    assert!(complaints.len() == 1 && complaints[0].contains("always_pin"), "{complaints:?}");
    let room = "[[room]]\nid = \"a\"\npin = \"24681\"\n";
    assert!(read(&format!("{SMALLEST}{always}{room}")).unwrap().call_in.always_pin);
}
