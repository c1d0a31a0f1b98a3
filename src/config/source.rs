//! The configuration's file as it was read, and objects laid over it that were made elsewhere.
//!
//! An object is written as one more block of the file and everything is read again by the same readers, so that every key,
//! limit and complaint is the file's. Files that the configuration names are those of the start: what somebody changed
//! on the disk since then comes with the next start, as ever. Easy to get wrong: an object comes over the network, so it
//! may name no file of this machine.

use core::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use toml::de::{DeTable, DeValue};

use super::{Complaint, ObjectKey, Origin, Settings};
use crate::base::{ContactId, Phone};
use crate::incident::{Contact, Kind};

/// How deep an object may be nested; the deepest of ours has three floors.
const DEPTH: usize = 6;
/// What only the file may say, because it names a file.
const FILES: [&str; 1] = ["contacts_file"];

/// What the file said, and what was read beside it.
#[derive(Clone, Default)]
pub struct Source {
    /// The file, as it was named; empty where the text came from elsewhere.
    pub file: PathBuf,
    text: String,
    folder: PathBuf,
    files: BTreeMap<PathBuf, Result<String, String>>,
    opened: BTreeMap<PathBuf, Result<(), String>>,
    /// The blocks of the file, in its order.
    blocks: BTreeMap<Kind, Vec<(String, Value)>>,
    /// People from the lists that rosters name.
    listed: BTreeMap<ContactId, Contact>,
}

impl core::fmt::Debug for Source {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The text holds secrets.
        f.debug_struct("Source").field("file", &self.file).finish_non_exhaustive()
    }
}

/// One thing that is wrong with an object.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Fault {
    /// The key, from the object on: `phones[1]`. Empty where it is about the object as a whole.
    pub field: String,
    /// What was found.
    pub found: String,
    /// What would be accepted.
    pub accepted: String,
}

impl core::fmt::Display for Fault {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let complaint = Complaint {
            line: None,
            key: self.field.clone(),
            found: self.found.clone(),
            accepted: self.accepted.clone(),
        };
        complaint.fmt(f)
    }
}

/// What was wrong with some of the objects.
pub(super) type Faults = BTreeMap<ObjectKey, Vec<Fault>>;

impl Source {
    pub(super) fn new(
        text: &str,
        folder: &Path,
        files: BTreeMap<PathBuf, Result<String, String>>,
        opened: BTreeMap<PathBuf, Result<(), String>>,
        contacts: &BTreeMap<ContactId, Contact>,
    ) -> Source {
        let (document, _) = DeTable::parse_recoverable(text);
        let of = |kind: Kind| {
            let blocks = document.get_ref().get(kind.as_str()).and_then(|value| value.get_ref().as_array());
            let blocks = blocks.into_iter().flat_map(|blocks| blocks.iter()).map(|block| json_of(block.get_ref()));
            let named = blocks.map(|block| (block["id"].as_str().unwrap_or_default().to_owned(), block));
            (kind, named.collect::<Vec<_>>())
        };
        let blocks: BTreeMap<Kind, Vec<(String, Value)>> = Kind::ALL.into_iter().map(of).collect();
        let own: BTreeSet<&str> = blocks[&Kind::Contact].iter().map(|(id, _)| id.as_str()).collect();
        let listed = contacts.iter().filter(|(id, _)| !own.contains(id.as_str()));
        let listed = listed.map(|(id, contact)| (id.clone(), contact.clone())).collect();
        let (text, folder, file) = (text.to_owned(), folder.to_owned(), PathBuf::new());
        Source { file, text, folder, files, opened, blocks, listed }
    }

    /// The same, from this file.
    pub(super) fn named(&self, file: &Path) -> Source {
        Source { file: file.to_owned(), ..self.clone() }
    }

    /// The file as one table.
    pub(super) fn table(&self) -> toml::Table {
        self.text.parse().unwrap_or_default()
    }

    /// Where the file lies.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The blocks of a kind as JSON, in the file's order, with those people who stand in lists of their own:
    /// `in_list`, and no other roster can name them.
    pub fn blocks(&self, kind: Kind) -> Vec<(String, Value)> {
        let mut blocks = self.blocks.get(&kind).cloned().unwrap_or_default();
        if kind == Kind::Contact {
            blocks.extend(self.listed.values().map(|contact| {
                let shown = serde_json::json!({ "name": contact.name, "phones": contact.phones, "in_list": true });
                (contact.id.to_string(), shown)
            }));
        }
        blocks
    }

    /// Is this one of the file's?
    pub fn declares(&self, kind: Kind, id: &str) -> bool {
        let listed = kind == Kind::Contact && self.listed.keys().any(|known| known.as_str() == id);
        listed || self.blocks.get(&kind).into_iter().flatten().any(|(known, _)| known == id)
    }

    /// The settings of the file with these objects behind its blocks, in this order; or what is wrong, by object. What
    /// is wrong with none of them in particular is put down to all of the kind it is about.
    pub(super) fn lay_over(&self, objects: &[(&ObjectKey, &Value)]) -> Result<Settings, Faults> {
        let (more, faults) = self.written(objects);
        if !faults.is_empty() {
            return Err(faults);
        }
        let absent = |_: &Path| "no other file than those of the start is read".to_owned();
        let read = |path: &Path| self.files.get(path).cloned().unwrap_or_else(|| Err(absent(path)));
        let opens = |path: &Path| self.opened.get(path).cloned().unwrap_or_else(|| Err(absent(path)));
        let origin = Origin { folder: &self.folder, read: &read, opens: &opens };
        Settings::read_over(&self.text, &more, &origin).map_err(|complaints| self.faults(objects, complaints))
    }

    /// The objects as TOML, and what cannot be written so.
    fn written(&self, objects: &[(&ObjectKey, &Value)]) -> (String, Faults) {
        let (mut text, mut faults) = (String::new(), Faults::new());
        for kind in Kind::ALL {
            let _ = writeln!(text, "{} = [", kind.as_str());
            for (key, object) in objects.iter().filter(|(key, _)| key.0 == kind) {
                let block = block(&key.1, object).and_then(|block| self.beside_lists(kind, object).map(|()| block));
                match block {
                    Ok(block) => text.extend([block.as_str(), ",\n"]),
                    Err(fault) => faults.entry((*key).clone()).or_default().push(fault),
                }
            }
            text.push_str("]\n");
        }
        (text, faults)
    }

    /// A number of somebody in a list of the file is theirs.
    fn beside_lists(&self, kind: Kind, object: &Value) -> Result<(), Fault> {
        let phones = object["phones"].as_array().filter(|_| kind == Kind::Contact).into_iter().flatten();
        for (place, phone) in phones.enumerate() {
            let phone = phone.as_str().and_then(|text| Phone::parse(text).ok());
            let owner = |phone: &Phone| self.listed.values().find(|contact| contact.phones.contains(phone)).cloned();
            if let Some((phone, owner)) = phone.and_then(|phone| owner(&phone).map(|owner| (phone, owner))) {
                let found = format!("{phone} stands at contact `{}` already", owner.id);
                let accepted = "each phone once, for one person".to_owned();
                return Err(Fault { field: format!("phones[{}]", place + 1), found, accepted });
            }
        }
        Ok(())
    }

    fn faults(&self, objects: &[(&ObjectKey, &Value)], complaints: Vec<Complaint>) -> Faults {
        let mut faults = Faults::new();
        for complaint in complaints {
            let Complaint { key, found, accepted, .. } = complaint;
            let found = self.with_names(objects, found);
            match self.object_at(objects, &key) {
                Some((object, field)) => {
                    let fault = Fault { field: field.to_owned(), found, accepted };
                    faults.entry(object.clone()).or_default().push(fault);
                }
                None => {
                    let fault = Fault { field: String::new(), found: format!("{key}: {found}"), accepted };
                    let about = |kind: Kind| key.starts_with(kind.as_str());
                    let any = objects.iter().any(|(object, _)| about(object.0));
                    for (object, _) in objects.iter().filter(|(object, _)| !any || about(object.0)) {
                        faults.entry((*object).clone()).or_default().push(fault.clone());
                    }
                }
            }
        }
        faults
    }

    /// The object that a key such as `contact[7].phones[1]` is about, and the rest of it; none for a block of the file.
    fn object_at<'k>(&self, objects: &[(&'k ObjectKey, &Value)], key: &'k str) -> Option<(&'k ObjectKey, &'k str)> {
        let (kind, place, rest) = Kind::ALL.into_iter().find_map(|kind| {
            let (place, rest) = key.strip_prefix(kind.as_str())?.strip_prefix('[')?.split_once(']')?;
            Some((kind, place.parse::<usize>().ok()?, rest))
        })?;
        let own = self.blocks.get(&kind).map_or(0, Vec::len);
        let mut of_kind = objects.iter().filter(|(object, _)| object.0 == kind);
        let (object, _) = of_kind.nth(place.checked_sub(own + 1)?)?;
        Some((object, rest.strip_prefix('.').unwrap_or(rest)))
    }

    /// What a person calls `contact[7]`, whose place nobody sees.
    fn with_names(&self, objects: &[(&ObjectKey, &Value)], text: String) -> String {
        let name = |word: &str| {
            let key = word.split_inclusive(']').next().filter(|_| word.contains('['))?;
            let of_file = || {
                let (kind, place) = key.strip_suffix(']')?.split_once('[')?;
                let kind = Kind::ALL.into_iter().find(|it| it.as_str() == kind)?;
                let (id, _) = self.blocks.get(&kind)?.get(place.parse::<usize>().ok()?.checked_sub(1)?)?;
                Some(format!("{} `{id}`", kind.word()))
            };
            let of_objects = || {
                let ((kind, id), _) = self.object_at(objects, key)?;
                Some(format!("{} `{id}`", kind.word()))
            };
            of_objects().or_else(of_file)
        };
        text.split(' ').map(|word| name(word).unwrap_or_else(|| word.to_owned())).collect::<Vec<_>>().join(" ")
    }
}

/// Notes what was read.
pub(super) fn noted<T: Clone>(
    path: &Path,
    found: Result<T, String>,
    notes: &RefCell<BTreeMap<PathBuf, Result<T, String>>>,
) -> Result<T, String> {
    notes.borrow_mut().insert(path.to_owned(), found.clone());
    found
}

/// Puts blocks behind those of a document; what is no list there has been complained about.
pub(super) fn append<'a>(document: &mut DeTable<'a>, more: DeTable<'a>) {
    for (name, blocks) in more {
        let any = blocks.get_ref().as_array().is_some_and(|blocks| !blocks.is_empty());
        match document.get_mut(name.get_ref().as_ref()) {
            Some(known) => {
                if let (DeValue::Array(known), DeValue::Array(new)) = (known.get_mut(), blocks.into_inner()) {
                    new.into_iter().for_each(|block| known.push(block));
                }
            }
            None if any => {
                document.insert(name, blocks);
            }
            None => {}
        }
    }
}

/// An object as an inline table that is TOML for certain.
fn block(id: &str, object: &Value) -> Result<String, Fault> {
    let fault = |field: &str, found: &str, accepted: &str| Fault {
        field: field.to_owned(),
        found: found.to_owned(),
        accepted: accepted.to_owned(),
    };
    let Some(fields) = object.as_object() else {
        return Err(fault("", "found no object", "an object of JSON: { … }"));
    };
    if let Some(name) = FILES.into_iter().find(|name| fields.contains_key(*name)) {
        return Err(fault(
            name,
            "names a file of the machine",
            "`contacts`; only the configuration's file names others",
        ));
    }
    if fields.get("id").is_some_and(|own| own.as_str() != Some(id)) {
        return Err(fault("id", "found another id than that of the path", "the same, or none"));
    }
    let mut fields = fields.clone();
    fields.insert("id".to_owned(), id.into());
    let mut text = String::new();
    table(&fields, 0, &mut text).map_err(|why| fault("", why, "what a block of the configuration's file may hold"))?;
    let alone = format!("it = {text}");
    match DeTable::parse_recoverable(&alone).1.first() {
        None => Ok(text),
        Some(error) => Err(fault("", error.message(), "what a block of the configuration's file may hold")),
    }
}

fn table(fields: &Map<String, Value>, depth: usize, text: &mut String) -> Result<(), &'static str> {
    text.push_str("{ ");
    // Nothing is said by what is null.
    for (place, (name, value)) in fields.iter().filter(|(_, value)| !value.is_null()).enumerate() {
        text.push_str(if place > 0 { ", " } else { "" });
        string(name, text);
        text.push_str(" = ");
        written(value, depth + 1, text)?;
    }
    text.push_str(" }");
    Ok(())
}

fn written(value: &Value, depth: usize, text: &mut String) -> Result<(), &'static str> {
    if depth > DEPTH {
        return Err("found something that is nested too deep");
    }
    match value {
        Value::Null => return Err("found null in a list"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => text.push_str(&number.to_string()),
        Value::String(value) => string(value, text),
        Value::Array(values) => {
            text.push('[');
            for (place, value) in values.iter().enumerate() {
                text.push_str(if place > 0 { ", " } else { "" });
                written(value, depth + 1, text)?;
            }
            text.push(']');
        }
        Value::Object(fields) => table(fields, depth, text)?,
    }
    Ok(())
}

/// A basic string of TOML.
fn string(value: &str, text: &mut String) {
    text.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => text.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(text, "\\u{:04X}", u32::from(c));
            }
            c => text.push(c),
        }
    }
    text.push('"');
}

/// A value of the file as JSON.
fn json_of(value: &DeValue<'_>) -> Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or_else(|_| number.to_string().into(), Value::from)
        }
        DeValue::Float(number) => number.as_str().parse::<f64>().map_or(Value::Null, Value::from),
        DeValue::Boolean(value) => (*value).into(),
        DeValue::Datetime(value) => value.to_string().into(),
        DeValue::Array(values) => values.iter().map(|value| json_of(value.get_ref())).collect(),
        DeValue::Table(fields) => {
            let field = |(name, value): (&toml::Spanned<_>, &toml::Spanned<DeValue<'_>>)| {
                let name: &std::borrow::Cow<'_, str> = name.get_ref();
                (name.to_string(), json_of(value.get_ref()))
            };
            Value::Object(fields.iter().map(field).collect())
        }
    }
}
