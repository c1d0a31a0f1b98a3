//! `[[hotline]]`: two people who may ask each other for a call.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use super::people::{id, list};
use super::reader::Section;
use super::value;
use crate::base::{ContactId, Language};
use crate::incident::{Contact, Hotline};

const HOTLINES: usize = 1_000;
const SECOND: Duration = Duration::from_secs(1);
const NUMBER: &str = "the number people call, as the trunk shows it (\"+815012345678\"), or the user part of a SIP URI";
const PEOPLE: &str = "two different contacts: [\"yamada\", \"sato\"]";
/// The longest address that fits into a short message together with a text and a link.
const URL_MAX: usize = 120;

/// Every hotline. `public_url` and `http` say whether its links lead anywhere.
pub(super) fn hotlines(
    root: &mut Section<'_>,
    contacts: &BTreeMap<ContactId, Contact>,
    known: &BTreeSet<ContactId>,
    public_url: Option<&str>,
    http: bool,
) -> Vec<Hotline> {
    let mut seen = BTreeMap::new();
    let blocks = root.blocks("hotline", HOTLINES);
    if !blocks.is_empty() && public_url.is_none() {
        let accepted = "the address under which people's browsers reach hansho: the links of a [[hotline]] lead there";
        root.report().complain(None, "node.public_url", "missing", accepted);
    }
    if !blocks.is_empty() && !http {
        root.report().complain(None, "http.listen", "missing", "an address: the links of a [[hotline]] lead to HTTP");
    }
    blocks.into_iter().filter_map(|block| hotline(block, contacts, known, &mut seen)).collect()
}

/// Where the world finds hansho's pages: `https://host` and perhaps a path, no slash at the end.
pub(super) fn public_url(text: &str) -> Option<String> {
    let text = text.trim().trim_end_matches('/');
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"))?;
    let fits = text.len() <= URL_MAX && rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[');
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&b);
    (fits && rest.bytes().all(plain)).then(|| text.to_owned())
}

fn hotline(
    mut block: Section<'_>,
    contacts: &BTreeMap<ContactId, Contact>,
    known: &BTreeSet<ContactId>,
    seen: &mut BTreeMap<String, Option<usize>>,
) -> Option<Hotline> {
    let id = id(&mut block, seen, |text| ContactId::parse(text).ok().map(|id| id.to_string()));
    let number = block.need("number", NUMBER, number);
    let people = people(&mut block, known);
    let timeout = value::duration(&mut block, "timeout", SECOND * 10..=SECOND * 3_600);
    let bridge = value::flag(&mut block, "bridge").unwrap_or(false);
    let language = block.text("language", "\"en\" or \"ja\"", Language::from_tag);
    block.finish();
    let [one, two] = people?;
    Some(Hotline {
        id: id?,
        number: number?,
        // Whoever is known and not here had a complaint of their own.
        people: [contacts.get(&one)?.clone(), contacts.get(&two)?.clone()],
        timeout: timeout.unwrap_or(SECOND * 120),
        bridge,
        language,
    })
}

fn people(block: &mut Section<'_>, known: &BTreeSet<ContactId>) -> Option<[ContactId; 2]> {
    if !block.has("people") {
        block.complain("people", "missing", PEOPLE);
    }
    let found = block.list("people", 1_000, "the id of a [[contact]]", |text| ContactId::parse(text).ok())?;
    let mut people = Vec::new();
    for person in found {
        if !known.contains(&person.value) {
            let found = format!("there is no contact `{}`", person.value);
            block.report().complain(person.line, person.key, found, list("the id of a [[contact]]", known));
            return None;
        }
        people.push(person.value);
    }
    match <[ContactId; 2]>::try_from(people) {
        Ok([one, two]) if one != two => Some([one, two]),
        Ok(_) => {
            block.complain("people", "found the same person twice", PEOPLE);
            None
        }
        Err(people) => {
            block.complain("people", format!("found {}", people.len()), PEOPLE);
            None
        }
    }
}

/// A number or a user part.
fn number(text: &str) -> Option<String> {
    let text = text.trim();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"+-_.".contains(&b);
    ((1..=64).contains(&text.len()) && text.bytes().all(plain)).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_pages_is_one_without_a_query_and_loses_its_slash() {
        assert_eq!(public_url("https://h.example/").as_deref(), Some("https://h.example"));
        assert_eq!(public_url("http://[::1]:8080/x").as_deref(), Some("http://[::1]:8080/x"));
        for text in ["h.example", "ftp://h.example", "https://", "https://h.example/?x=1", "https://h e", "https:///x"]
        {
            assert_eq!(public_url(text), None, "{text}");
        }
        assert_eq!(public_url(&format!("https://{}", "x".repeat(URL_MAX))), None);
    }
}
