//! The file and what is laid over it.

use std::path::Path;

use serde_json::json;

use super::*;
use crate::config::Origin;

const FILE: &str = r#"[[trunk]]
id = "main"
proxy = "192.0.2.1"
[[contact]]
id = "yamada"
name = "山田"
phones = ["+818012345678"]
[[roster]]
id = "first"
contacts = ["yamada"]
[[call_flow]]
id = "oncall"
roster = "first"
"#;

fn directory(text: &str, facts: &[HouseFact]) -> Directory {
    let list = |_: &Path| Ok(r#"[{"phone_number": "+818011110001", "name": "佐藤"}]"#.to_owned());
    let origin = Origin { folder: Path::new("/etc"), read: &list, opens: &|_| Ok(()) };
    Directory::new(Settings::read(text, &origin).unwrap(), facts.iter())
}

fn set(kind: Kind, id: &str, object: Value) -> HouseFact {
    HouseFact::DirectorySet { kind, id: id.to_owned(), object, by: "page".to_owned() }
}

fn wrong(result: Result<Directory, NotSet>) -> Vec<(String, String)> {
    match result {
        Err(NotSet::Wrong(faults)) => faults.into_iter().map(|it| (it.field, it.found)).collect(),
        other => panic!("{other:?}"),
    }
}

fn trigger(call_flow: &str, guidance: Option<&str>) -> crate::base::Trigger {
    serde_json::from_value(json!({ "call_flow": call_flow, "guidance": guidance })).unwrap()
}

#[test]
fn what_is_made_is_called_at_once_and_what_is_deleted_is_not() {
    let all = directory(FILE, &[]);
    let all = all.set(Kind::Contact, "sato", json!({ "name": "佐藤", "phones": ["+818012345679"] }));
    let all = all.unwrap().set(Kind::Roster, "night", json!({ "contacts": ["sato", "yamada"] })).unwrap();
    let guidance = json!({ "message": { "ja": "{{server}}で障害です" }, "keys": { "1": { "do": "take" }, "#": { "do": "next" } } });
    let all = all.set(Kind::Guidance, "short", guidance.clone()).unwrap();
    let all = all.set(
        Kind::CallFlow,
        "nightly",
        json!({ "roster": "night", "rounds": 2, "then": "oncall", "guidance": null }),
    );
    let all = all.unwrap();
    let plan = all.settings().plan(&trigger("nightly", Some("short"))).unwrap();
    let names: Vec<&str> = plan.contacts.iter().map(|contact| contact.name.as_str()).collect();
    assert_eq!((names, plan.call_flow.rounds, plan.guidance.keys.len()), (vec!["佐藤", "山田"], 2, 2));
    assert!(plan.then.is_some(), "the file's call flow goes on");
    let shown = all.list(Kind::Guidance);
    assert_eq!((shown.len(), shown[0].in_file, &shown[0].object), (1, false, &guidance));
    assert_eq!(all.settings().only_call_flow().map(CallFlowId::as_str), Some("oncall"), "one more takes nothing away");
    let without = all.remove(Kind::CallFlow, "nightly").unwrap();
    assert!(without.settings().plan(&trigger("nightly", None)).is_err());
    assert_eq!((without.version(), without.made()), (5, 3));
}

#[test]
fn every_fault_is_the_files_with_the_field_counted_from_the_object() {
    let all = directory(FILE, &[]);
    let all = all.set(Kind::Contact, "a", json!({ "phones": ["+818012345670"] })).unwrap();
    let found =
        wrong(all.set(Kind::Contact, "b", json!({ "phones": ["12", "+818012345678", "+818012345670"], "nmae": "x" })));
    let fields: Vec<&str> = found.iter().map(|(field, _)| field.as_str()).collect();
    assert_eq!(fields, ["nmae", "phones[1]", "phones[2]", "phones[3]"]);
    assert_eq!(found[2].1, "+818012345678 stands at contact `yamada` already");
    assert_eq!(found[3].1, "+818012345670 stands at contact `a` already");
    assert!(found[0].1.contains("did you mean `name`"), "{found:?}");
    for (kind, object, field) in [
        (Kind::Contact, json!({}), "phones"),
        (Kind::Contact, json!([]), ""),
        (Kind::Contact, json!({ "phones": [null] }), ""),
        (Kind::Contact, json!({ "phones": 7 }), "phones"),
        (Kind::Contact, json!({ "id": "other", "phones": ["+818012345671"] }), "id"),
        (Kind::Roster, json!({ "contacts": ["nobody"] }), "contacts[1]"),
        (Kind::Roster, json!({ "contacts": [] }), "contacts"),
        (Kind::Roster, json!({ "contacts_file": "/etc/passwd" }), "contacts_file"),
        (Kind::CallFlow, json!({ "roster": "none" }), "roster"),
        (Kind::CallFlow, json!({ "roster": "first", "rounds": 1e300 }), "rounds"),
        (Kind::CallFlow, json!({ "roster": "first", "rounds": u64::MAX }), "rounds"),
        (Kind::CallFlow, json!({ "roster": "first", "then": "b" }), "then"),
        (Kind::Guidance, json!({ "keys": { "1": { "do": "dance" } } }), "keys.1.do"),
        (Kind::Guidance, json!({ "keys": { "2": { "do": "next" } } }), "keys"),
        (Kind::Guidance, json!({ "message": { "ja": { "a": { "b": { "c": { "d": { "e": { "f": {} } } } } } } } }), ""),
        (Kind::Guidance, json!({ "": 1 }), ""),
    ] {
        let found = wrong(all.set(kind, "b", object.clone()));
        assert!(found.len() == 1 && found[0].0 == field, "{object}: {found:?}");
    }
    assert_eq!(wrong(all.set(Kind::Contact, "a b", json!({ "phones": ["+818012345671"] })))[0].0, "id");
    assert_eq!(wrong(all.set(Kind::Contact, "any.1", json!({ "phones": ["+818012345671"] })))[0].0, "id");
}

#[test]
fn what_the_file_declares_and_what_others_name_stays_as_it_is() {
    let all = directory(FILE, &[]);
    let changed = all.set(Kind::Contact, "yamada", json!({ "phones": ["+818012345679"] }));
    assert!(matches!(&changed, Err(NotSet::Declared { what, .. }) if what == "contact `yamada`"), "{changed:?}");
    assert!(matches!(all.remove(Kind::Roster, "first"), Err(NotSet::Declared { .. })));
    assert!(matches!(all.remove(Kind::Roster, "none"), Err(NotSet::Unknown(_))));
    let all = all.set(Kind::Contact, "sato", json!({ "phones": ["+818012345679"] })).unwrap();
    let all = all.set(Kind::Roster, "night", json!({ "contacts": ["sato"] })).unwrap();
    let all = all.set(Kind::CallFlow, "nightly", json!({ "roster": "night" })).unwrap();
    let used = all.remove(Kind::Contact, "sato").unwrap_err().to_string();
    assert_eq!(used, "contact `sato` is used by roster `night`");
    let used = all.remove(Kind::Roster, "night").unwrap_err().to_string();
    assert_eq!(used, "roster `night` is used by call flow `nightly`");
    assert!(all.remove(Kind::CallFlow, "nightly").is_ok());
    let round = all.set(Kind::CallFlow, "more", json!({ "roster": "night", "then": "nightly" })).unwrap();
    let back = wrong(round.set(Kind::CallFlow, "nightly", json!({ "roster": "night", "then": "more" })));
    assert_eq!(back[0].0, "then");
}

#[test]
fn a_file_that_changed_wins_and_what_does_not_fit_it_is_left_out_until_it_does() {
    let facts = [
        set(Kind::Contact, "yamada", json!({ "name": "another", "phones": ["+818099999999"] })),
        set(Kind::Contact, "sato", json!({ "phones": ["+818012345679"] })),
        set(Kind::Roster, "night", json!({ "contacts": ["sato", "gone"] })),
        set(Kind::CallFlow, "nightly", json!({ "roster": "night" })),
        set(Kind::CallFlow, "other", json!({ "roster": "first" })),
        set(Kind::Contact, "deleted", json!({ "phones": ["+818012345670"] })),
        HouseFact::DirectoryRemoved { kind: Kind::Contact, id: "deleted".to_owned(), by: "page".to_owned() },
    ];
    let all = directory(FILE, &facts);
    let out: Vec<(String, &str)> = all.left_out().collect();
    assert_eq!(out.len(), 3, "{out:?}");
    assert!(out[0].0 == "contact `yamada`" && out[0].1.contains("declares it"), "{out:?}");
    assert!(out[1].0 == "roster `night`" && out[1].1.contains("there is no contact `gone`"), "{out:?}");
    assert_eq!(out[2].0, "call flow `nightly`");
    assert!(all.settings().contacts.len() == 2 && all.settings().call_flows.len() == 2);
    assert!(all.list(Kind::Roster).iter().any(|it| it.id == "night" && it.left_out.is_some()));
    let mended = all.set(Kind::Contact, "gone", json!({ "phones": ["+818012345671"] })).unwrap();
    assert_eq!(mended.left_out().count(), 1, "what fits again is in force again");
    assert!(mended.settings().plan(&trigger("nightly", None)).is_ok());
    // Whatever is left out may be deleted.
    assert!(all.remove(Kind::Roster, "night").is_ok());
}

#[test]
fn people_of_a_list_are_the_files_and_a_number_of_theirs_is_nobody_elses() {
    let text = format!("{FILE}[[roster]]\nid = \"list\"\ncontacts_file = \"list.json\"\n");
    let all = directory(&text, &[]);
    let shown: Vec<(String, bool)> = all.list(Kind::Contact).into_iter().map(|it| (it.id, it.in_file)).collect();
    assert_eq!(shown, [("yamada".to_owned(), true), ("list-1".to_owned(), true)]);
    assert!(matches!(all.set(Kind::Contact, "list-1", json!({})), Err(NotSet::Declared { .. })));
    let taken = wrong(all.set(Kind::Contact, "sato", json!({ "phones": ["+818012345670", "+81 80 1111 0001"] })));
    assert_eq!(taken, [("phones[2]".to_owned(), "+818011110001 stands at contact `list-1` already".to_owned())]);
    // As in the file itself: its own roster alone names them.
    assert_eq!(wrong(all.set(Kind::Roster, "night", json!({ "contacts": ["list-1"] })))[0].0, "contacts[1]");
}

#[test]
fn a_file_may_leave_all_people_to_http_where_it_opens_it() {
    let bare = "[[trunk]]\nid = \"main\"\nproxy = \"192.0.2.1\"\n[http]\nlisten = \"127.0.0.1:8080\"\n";
    let all = directory(bare, &[]);
    assert_eq!(all.settings().only_call_flow(), None);
    let all = all.set(Kind::Contact, "sato", json!({ "phones": ["+818012345679"] })).unwrap();
    let all = all.set(Kind::Roster, "night", json!({ "contacts": ["sato"] })).unwrap();
    let all = all.set(Kind::CallFlow, "nightly", json!({ "roster": "night" })).unwrap();
    assert_eq!(all.settings().only_call_flow().map(CallFlowId::as_str), Some("nightly"));
    assert_eq!(all.settings().plan(&trigger("nightly", None)).unwrap().contacts.len(), 1);
    let origin = Origin { folder: Path::new("/etc"), read: &|_| Err(String::new()), opens: &|_| Ok(()) };
    for half in [format!("{bare}[[contact]]\nid = \"a\"\nphones = [\"+818012345678\"]\n"), bare.replace("listen", "#")]
    {
        assert!(Settings::read(&half, &origin).is_err(), "{half}");
    }
}

#[test]
fn text_of_every_kind_is_kept_as_it_came() {
    let all = directory(FILE, &[]);
    for name in ["<img src=x onerror=alert(1)>", "a\"b\\c", "'''", "\u{202e}x", "]}\u{2028}#", "名前"] {
        let made = all.set(Kind::Contact, "x", json!({ "name": name, "phones": ["+818012345679"] })).unwrap();
        assert!(made.settings().contacts.values().any(|contact| contact.name == name), "{name}");
    }
    assert_eq!(
        wrong(all.set(Kind::Contact, "x", json!({ "name": "a\u{7f}\nb", "phones": ["+818012345679"] })))[0].0,
        "name"
    );
    assert!(!format!("{:?}", all.settings().source).contains("192.0.2.1"), "the text holds secrets");
}
