//! `[[contact]]` and `[[roster]]`: who there is, and who is on call.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use super::daemon::Node;
use super::reader::Section;
use super::value::{self, NAME_ACCEPTED};
use super::{Declared, Elsewhere, Origin, contacts_file};
use crate::base::{ContactId, Holidays, Hours, Phone, RosterId, SPAN_ACCEPTED};
use crate::incident::Contact;
use crate::switch::{GUEST, STRANGER};

const CONTACTS: usize = 10_000;
const ROSTERS: usize = 1_000;
const PHONES: usize = 10;
const SPANS: usize = 50;
/// Time zones in which Japan's holidays are usual.
const JAPAN: [&str; 2] = ["Asia/Tokyo", "Japan"];
/// What is accepted where [`is_ours`] is true.
pub(super) const OTHER_ID: &str =
    "an id that begins otherwise: hansho names people of no configuration `any.…` and `guest.…`";
const ON_CALL: usize = 1_000;
const PHONE: &str = "a number with its country code (\"+818012345678\") or a SIP URI (\"sip:user@host\")";

/// Every contact, every contact's name that was declared, right or wrong, and the phones for short messages.
pub(super) fn contacts(
    root: &mut Section<'_>,
    node: &Node,
    Elsewhere(elsewhere): Elsewhere,
) -> (BTreeMap<ContactId, Contact>, BTreeSet<ContactId>, BTreeMap<ContactId, Phone>) {
    let blocks = root.blocks("contact", CONTACTS);
    let listed = root.blocks("roster", ROSTERS).iter().any(|roster| roster.has("contacts_file"));
    if !root.has("contact") && !listed && !elsewhere {
        root.complain("contact", "missing", "at least one [[contact]], a person to call");
    }
    let (mut seen, mut phones, mut sms) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let contacts = blocks.into_iter().filter_map(|mut block| {
        let phone = block.text("sms", PHONE, |text| Phone::parse(text).ok());
        let contact = contact(block, node, &mut seen, &mut phones)?;
        sms.extend(phone.map(|phone| (contact.id.clone(), phone)));
        Some(contact)
    });
    let contacts = contacts.map(|contact| (contact.id.clone(), contact)).collect();
    (contacts, seen.into_keys().collect(), sms)
}

fn contact(
    mut block: Section<'_>,
    node: &Node,
    seen: &mut BTreeMap<ContactId, Option<usize>>,
    owners: &mut BTreeMap<Phone, String>,
) -> Option<Contact> {
    let id = id(&mut block, seen, |text| ContactId::parse(text).ok());
    if let Some(id) = id.as_ref().filter(|id| is_ours(id)) {
        block.complain("id", format!("`{id}`"), OTHER_ID);
    }
    let name = block.text("name", NAME_ACCEPTED, value::name);
    if !block.has("phones") {
        block.complain("phones", "missing", format!("a list of at least one: {PHONE}"));
    }
    let found = block.list("phones", PHONES, PHONE, |text| Phone::parse(text).ok());
    if block.empty_list("phones") {
        block.complain("phones", "found an empty list", format!("at least one: {PHONE}"));
    }
    let mut phones = Vec::new();
    for phone in found.into_iter().flatten() {
        match owners.get(&phone.value) {
            Some(owner) => {
                let found = format!("{} stands at {owner} already", phone.value);
                block.report().complain(phone.line, phone.key, found, "each phone once, for one person");
            }
            None => {
                owners.insert(phone.value.clone(), phone.key);
                phones.push(phone.value);
            }
        }
    }
    let language = super::daemon::language(&mut block).unwrap_or(node.language);
    let hours = hours(&mut block, node);
    block.finish();
    let id = id?;
    Some(Contact { name: name.unwrap_or_else(|| id.to_string()), id, phones, language, hours })
}

/// True for an id that could be that of somebody who stands in no configuration.
pub(super) fn is_ours(id: &ContactId) -> bool {
    id.as_str().starts_with(STRANGER) || id.as_str().starts_with(GUEST)
}

/// When somebody accepts calls, in their own time zone, with the holidays of their country.
fn hours(block: &mut Section<'_>, node: &Node) -> Hours {
    let known = |text: &str| TimeZone::get(text).is_ok().then(|| text.to_owned());
    let zone = block.text("time_zone", super::daemon::zones(), known);
    let zone = zone.or_else(|| node.time_zone.iana_name().map(str::to_owned)).unwrap_or_default();
    let holidays = block.text("holidays", "\"japan\" or \"none\"", |text| match text {
        "japan" => Some(Holidays::Japan),
        "none" => Some(Holidays::None),
        _ => None,
    });
    let usual = if JAPAN.contains(&zone.as_str()) { Holidays::Japan } else { Holidays::None };
    let spans = if block.is_text("hours") {
        block.text("hours", "\"always\", or a list of spans", |text| (text == "always").then(Vec::new))
    } else {
        let spans = block.list("hours", SPANS, SPAN_ACCEPTED, |text| text.parse().ok());
        if block.empty_list("hours") {
            block.complain("hours", "found an empty list", "\"always\", or at least one span of days and times");
        }
        spans.map(|spans| spans.into_iter().map(|span| span.value).collect())
    };
    Hours { zone, holidays: holidays.unwrap_or(usual), spans: spans.unwrap_or_default() }
}

/// The rosters. Those whose people stand in a file of their own add them to `contacts`.
pub(super) fn rosters(
    root: &mut Section<'_>,
    known: &BTreeSet<ContactId>,
    node: &Node,
    contacts: &mut BTreeMap<ContactId, Contact>,
    origin: &Origin<'_>,
    Elsewhere(elsewhere): Elsewhere,
) -> Declared<RosterId, Vec<ContactId>> {
    let blocks = root.blocks("roster", ROSTERS);
    if !root.has("roster") && !elsewhere {
        root.complain("roster", "missing", "at least one [[roster]], the list of who is on call");
    }
    let (mut seen, mut rosters) = (BTreeMap::new(), BTreeMap::new());
    for mut block in blocks {
        let id = id(&mut block, &mut seen, |text| RosterId::parse(text).ok());
        let people = contacts_file::read(&mut block, id.as_ref(), node, contacts, origin);
        if people.is_some() && block.has("contacts") {
            block.complain("contacts", "stands beside `contacts_file`", "one of the two");
        }
        let people = people.unwrap_or_else(|| on_call(&mut block, known));
        block.finish();
        rosters.extend(id.map(|id| (id, Some(people))));
    }
    rosters
}

fn on_call(block: &mut Section<'_>, known: &BTreeSet<ContactId>) -> Vec<ContactId> {
    let accepted = "the id of a [[contact]]";
    if !block.has("contacts") {
        block.complain("contacts", "missing", "a list of at least one contact's id");
    }
    let found = block.list("contacts", ON_CALL, accepted, |text| ContactId::parse(text).ok());
    if block.empty_list("contacts") {
        block.complain("contacts", "found an empty list", "at least one contact's id: an empty roster calls nobody");
    }
    let mut contacts = Vec::new();
    for contact in found.into_iter().flatten() {
        if !known.contains(&contact.value) {
            let found = format!("there is no contact `{}`", contact.value);
            block.report().complain(contact.line, contact.key, found, list(accepted, known));
        } else if contacts.contains(&contact.value) {
            let found = format!("`{}` stands here twice", contact.value);
            block.report().complain(contact.line, contact.key, found, "each contact once in a roster");
        } else {
            contacts.push(contact.value);
        }
    }
    contacts
}

/// The `id` of a block, unique among its kind.
pub(super) fn id<T: Ord + Clone + core::fmt::Display>(
    block: &mut Section<'_>,
    seen: &mut BTreeMap<T, Option<usize>>,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Option<T> {
    let id = block.need("id", "1 to 64 letters, digits, `_`, `-` or `.`", parse)?;
    if let Some(first) = seen.insert(id.clone(), block.line()) {
        let line = first.map(|line| format!(" in the block of line {line}")).unwrap_or_default();
        block.complain("id", format!("`{id}` is taken{line}"), "an id of its own for each block of a kind");
    }
    Some(id)
}

/// What is accepted, with the names there are as long as they can be read at a glance.
pub(super) fn list<T: core::fmt::Display>(accepted: &str, names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<String> = names.into_iter().take(21).map(|name| name.to_string()).collect();
    match names.len() {
        0 => format!("{accepted}; there is none yet"),
        1..=20 => format!("{accepted}: {}", names.join(", ")),
        _ => accepted.to_owned(),
    }
}
