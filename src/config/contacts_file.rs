//! A roster's people from a file of JSON: `[{"phone_number": "+818012345678", "name": "山田"}]`.
//!
//! For lists that another system keeps. A number that stands at a `[[contact]]` is that person; every other becomes a
//! person named after the roster, with the numbers of the places in the list. An empty list is a complaint: it would
//! call nobody, in silence.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Origin;
use super::daemon::Node;
use super::people::{OTHER_ID, is_ours};
use super::reader::Section;
use super::value;
use crate::base::{ContactId, Hours, Phone, RosterId};
use crate::incident::Contact;

/// The name of a person whose name is not known.
const UNKNOWN: &str = "不明";
/// The most people of one file.
const PEOPLE: usize = 1_000;
const ACCEPTED: &str = "the path of a JSON file: [{\"phone_number\": \"+818012345678\", \"name\": \"山田\"}, …]";

/// One person of the file; what else stands there is ignored.
#[derive(Deserialize)]
struct Entry {
    phone_number: String,
    #[serde(default)]
    name: Option<String>,
}

/// The people of the file, in its order, where the block names one. Those who are new are added to `contacts`.
pub(super) fn read(
    block: &mut Section<'_>,
    roster: Option<&RosterId>,
    node: &Node,
    contacts: &mut BTreeMap<ContactId, Contact>,
    origin: &Origin<'_>,
) -> Option<Vec<ContactId>> {
    let named = block.text("contacts_file", ACCEPTED, super::daemon::path);
    if !block.has("contacts_file") {
        return None;
    }
    // A name that is none has complained already.
    let Some(file) = named.map(|named| origin.folder.join(named)) else { return Some(Vec::new()) };
    let people =
        (origin.read)(&file).and_then(|text| people(&text, roster.map_or("roster", RosterId::as_str), node, contacts));
    match people {
        Ok(people) => {
            let ids = people.iter().map(|contact| contact.id.clone()).collect();
            contacts.extend(people.into_iter().map(|contact| (contact.id.clone(), contact)));
            Some(ids)
        }
        Err(problem) => {
            block.complain("contacts_file", format!("{}: {problem}", file.display()), ACCEPTED);
            Some(Vec::new())
        }
    }
}

fn people(text: &str, roster: &str, node: &Node, known: &BTreeMap<ContactId, Contact>) -> Result<Vec<Contact>, String> {
    let entries: Vec<Entry> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if entries.is_empty() {
        return Err("the list is empty: it would call nobody".to_owned());
    }
    if entries.len() > PEOPLE {
        return Err(format!("the list has {} people; at most {PEOPLE}", entries.len()));
    }
    let mut people: Vec<Contact> = Vec::with_capacity(entries.len());
    for (place, entry) in entries.into_iter().enumerate() {
        let place = place + 1;
        let phone = Phone::parse(&entry.phone_number).map_err(|error| format!("person {place}: {error}"))?;
        if people.iter().any(|person| person.phones.contains(&phone)) {
            return Err(format!("person {place}: {phone} stands in the list twice"));
        }
        if let Some(contact) = known.values().find(|contact| contact.phones.contains(&phone)) {
            if people.iter().any(|person| person.id == contact.id) {
                return Err(format!("person {place}: {phone} is a phone of {}, who stands in the list", contact.id));
            }
            people.push(contact.clone());
            continue;
        }
        let id = ContactId::parse(&format!("{roster}-{place}")).map_err(|error| error.to_string())?;
        if is_ours(&id) {
            return Err(format!("person {place}: the name `{id}`, from the roster's; accepted: {OTHER_ID}"));
        }
        if known.contains_key(&id) {
            return Err(format!("person {place}: the name `{id}` is a [[contact]]'s"));
        }
        let name = entry.name.as_deref().and_then(value::name).unwrap_or_else(|| UNKNOWN.to_owned());
        let hours = Hours { zone: node.time_zone.iana_name().unwrap_or_default().to_owned(), ..Hours::default() };
        people.push(Contact { id, name, phones: vec![phone], language: node.language, hours });
    }
    Ok(people)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(list: &str, more: &str) -> Result<crate::config::Settings, Vec<String>> {
        let text = format!(
            "[[trunk]]\nid = \"main\"\nproxy = \"192.0.2.1\"\n[[roster]]\nid = \"night\"\ncontacts_file = \"list.json\"\n\
             [[call_flow]]\nid = \"oncall\"\nroster = \"night\"\n{more}"
        );
        let list = |_: &std::path::Path| Ok(list.to_owned());
        let origin = Origin { folder: std::path::Path::new("/etc"), read: &list, opens: &|_| Ok(()) };
        let read = crate::config::Settings::read(&text, &origin);
        read.map_err(|complaints| complaints.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn people_of_a_list_are_called_in_its_order_and_a_nameless_one_is_unknown() {
        let list =
            r#"[{"phone_number": "+818012345678", "name": "山田"}, {"phone_number": "+818012345679", "note": 1}]"#;
        let settings = settings(list, "").unwrap();
        let trigger = serde_json::from_value(serde_json::json!({ "call_flow": "oncall" })).unwrap();
        let people = settings.plan(&trigger).unwrap().contacts;
        let shown: Vec<_> = people.iter().map(|it| (it.id.as_str(), it.name.as_str(), it.phones[0].as_str())).collect();
        assert_eq!(shown, [("night-1", "山田", "+818012345678"), ("night-2", "不明", "+818012345679")]);
    }

    #[test]
    fn a_number_of_a_contact_is_that_contact() {
        let contact = "[[contact]]\nid = \"sato\"\nphones = [\"+818012345670\", \"+818012345678\"]\n";
        let settings = settings(r#"[{"phone_number": "+818012345678", "name": "x"}]"#, contact).unwrap();
        assert_eq!(settings.rosters.values().next().unwrap()[0].as_str(), "sato");
    }

    #[test]
    fn a_list_that_would_call_nobody_is_one_complaint_that_says_so() {
        for (list, says) in [
            ("[]", "empty"),
            ("{}", "invalid type"),
            ("[{}]", "phone_number"),
            (r#"[{"phone_number": "12"}]"#, "person 1"),
            (r#"[{"phone_number": "+818012345678"}, {"phone_number": "+81 80 1234 5678"}]"#, "twice"),
        ] {
            let complaints = settings(list, "").unwrap_err();
            assert!(complaints.len() == 1 && complaints[0].contains(says), "{list}: {complaints:?}");
        }
    }
}
