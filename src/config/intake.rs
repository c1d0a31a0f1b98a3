//! `[[intake]]`: doors for senders whose JSON hansho does not know by itself.
//!
//! Paths and templates are read here, once; `/in/ID` then only walks them (`src/intake/generic.rs`).

use std::collections::BTreeMap;
use std::sync::Arc;

use super::people::id;
use super::reader::Section;
use crate::intake::{Condition, Mapping, Path, Source, Template};

/// The most doors, parameters of one, and words of one condition.
const DOORS: usize = 100;
const PARAMETERS: usize = 100;
const WORDS: usize = 100;

const PATH: &str = "a path into the JSON: \"alert.host\", \"alerts[0].name\" or \"/alerts/0/name\"";
const TEMPLATE: &str = "a text with at least one letter, in which every path is written {{path}}";
const PARAMETER: &str = "a name and a path: \"load = values[0]\"";

/// Every mapping, by the name in its URL.
pub(super) fn intake(root: &mut Section<'_>) -> BTreeMap<String, Arc<Mapping>> {
    let (mut seen, mut doors) = (BTreeMap::new(), BTreeMap::new());
    for mut block in root.blocks("intake", DOORS) {
        let id = id(&mut block, &mut seen, name);
        if let Some(taken) = id.as_ref().filter(|id| id.parse::<Source>().is_ok()) {
            let known = Source::names().collect::<Vec<_>>().join(", ");
            block.complain(
                "id",
                format!("hansho reads `{taken}` by itself"),
                format!("a name that is none of {known}"),
            );
        }
        let mapping = mapping(block);
        doors.extend(id.map(|id| (id, Arc::new(mapping))));
    }
    doors
}

/// A name that stands in a URL.
fn name(text: &str) -> Option<String> {
    let plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
    (plain && (1..=64).contains(&text.len())).then(|| text.to_owned())
}

fn mapping(mut block: Section<'_>) -> Mapping {
    let path = |block: &mut Section<'_>, key| block.text(key, PATH, |text| text.parse::<Path>().ok());
    let template = |block: &mut Section<'_>, key| block.text(key, TEMPLATE, |text| text.parse::<Template>().ok());
    let parameters = block.list("parameters", PARAMETERS, PARAMETER, parameter);
    let mapping = Mapping {
        each: path(&mut block, "each"),
        message: template(&mut block, "message"),
        dedup: template(&mut block, "dedup"),
        host: path(&mut block, "host"),
        service: path(&mut block, "service"),
        call_flow: path(&mut block, "call_flow_at"),
        guidance: path(&mut block, "guidance_at"),
        parameters: parameters.into_iter().flatten().map(|parameter| parameter.value).collect(),
        resolve_when: condition(&mut block, "resolve_when"),
        acknowledge_when: condition(&mut block, "acknowledge_when"),
        ignore_when: condition(&mut block, "ignore_when"),
    };
    let settles = mapping.resolve_when.is_some() || mapping.acknowledge_when.is_some();
    if settles && !block.has("dedup") {
        block.complain("dedup", "missing", "what tells one alert from another: resolving and acknowledging need it");
    }
    block.finish();
    mapping
}

fn parameter(text: &str) -> Option<(String, Path)> {
    let (name, path) = text.split_once('=')?;
    let name = name.trim();
    let fits =
        (1..=200).contains(&name.chars().count()) && !name.contains(['{', '}']) && !name.contains(char::is_control);
    fits.then(|| Some((name.to_owned(), path.trim().parse().ok()?)))?
}

fn condition(block: &mut Section<'_>, key: &'static str) -> Option<Condition> {
    let mut table = block.table(key);
    if !table.exists() {
        return None;
    }
    let at = table.need("at", PATH, |text| text.parse::<Path>().ok());
    let words = table.list("is", WORDS, "a word that may stand there", |word| Some(word.trim().to_owned()));
    if table.empty_list("is") {
        table.complain("is", "found an empty list", "at least one word, or no `is` for whatever stands there");
    }
    table.finish();
    Some(Condition { at: at?, is: words.into_iter().flatten().map(|word| word.value).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::reader::Report;
    use crate::intake::{Method, Request, Signal, read};
    use toml::de::DeTable;

    fn doors(text: &str) -> (BTreeMap<String, Arc<Mapping>>, Vec<String>) {
        let report = Report::new(text);
        let document = DeTable::parse(text).unwrap();
        let doors = intake(&mut Section::root(&report, document.get_ref()));
        (doors, report.into_complaints().iter().map(ToString::to_string).collect())
    }

    const CHECKS: &str = r#"
[[intake]]
id = "checks"
each = "events"
message = "{{check.name}} on {{host.name}} is {{state}}"
dedup = "{{host.name}}/{{check.name}}"
host = "host.name"
parameters = ["load = values[0]"]
resolve_when = { at = "state", is = ["ok", "up"] }
ignore_when = { at = "test" }
"#;

    #[test]
    fn a_mapping_of_the_file_reads_a_body() {
        let (doors, complaints) = doors(CHECKS);
        assert_eq!(complaints, Vec::<String>::new());
        let body = br#"{"events": [
            {"state": "down", "host": {"name": "db-01"}, "check": {"name": "disk"}, "values": [97]},
            {"state": "UP", "host": {"name": "db-02"}, "check": {"name": "disk"}},
            {"state": "down", "test": true}]}"#;
        let (query, headers, content_type) = (&[][..], &[][..], None);
        let request = Request { method: Method::Post, path: "", query, headers, content_type, body };
        let signals = read(&Source::Generic(doors["checks"].clone()), &request).unwrap().signals;
        let [Signal::Raise(draft), Signal::Resolve { dedup }] = &signals[..] else { panic!("{signals:?}") };
        assert_eq!(draft.message.as_deref(), Some("disk on db-01 is down"));
        assert_eq!((draft.parameters["load"].as_str(), dedup.as_str()), ("97", "db-02/disk"));
    }

    #[test]
    fn what_is_wrong_is_complained_about_by_its_key() {
        for (from, to, key) in [
            ("\"checks\"", "\"zabbix\"", "intake[1].id"),
            ("\"checks\"", "\"a/b\"", "intake[1].id"),
            ("\"events\"", "\"a..b\"", "intake[1].each"),
            ("is {{state}}", "is {{state", "intake[1].message"),
            ("load = values[0]", "load", "intake[1].parameters[1]"),
            ("at = \"state\", ", "", "intake[1].resolve_when.at"),
            ("is = [\"ok\", \"up\"]", "is = []", "intake[1].resolve_when.is"),
            ("dedup =", "service =", "intake[1].dedup"),
        ] {
            let (_, complaints) = doors(&CHECKS.replace(from, to));
            assert!(complaints.iter().any(|told| told.contains(key)), "{key}: {complaints:?}");
        }
    }
}
