//! The directory: contacts, rosters, call flows and guidances, those of the file and those made elsewhere.
//!
//! What the file declares is the file's: nobody changes it from outside, and where the file comes to declare an id that
//! was made elsewhere, the file's is used. What was made elsewhere and does not fit the file any more is left out, with
//! the reason, and comes back when it fits again. A change is made on a copy: nothing is in force before its fact is on disk.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;

use super::Settings;
use super::built_in::is_built_in;
use super::source::{Fault, Faults};
use crate::base::CallFlowId;
use crate::incident::{HouseFact, Kind};

/// What something of the directory is, and its id.
pub type ObjectKey = (Kind, String);

/// Everything that can be called, and what came from where.
#[derive(Clone, Debug)]
pub struct Directory {
    /// The file's alone.
    base: Arc<Settings>,
    settings: Arc<Settings>,
    /// What was made elsewhere, whether it is in force or not.
    objects: BTreeMap<ObjectKey, Value>,
    left_out: BTreeMap<ObjectKey, String>,
    version: u64,
}

/// Why a change is not made.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum NotSet {
    /// The file holds it.
    #[error("{what} is declared in {file}: change it there")]
    Declared {
        /// Its kind and its id.
        what: String,
        /// Which file.
        file: String,
    },
    /// Others would lose it.
    #[error("{what} is used by {users}")]
    InUse {
        /// Its kind and its id.
        what: String,
        /// The others.
        users: String,
    },
    /// It is not there.
    #[error("there is no {0}")]
    Unknown(String),
    /// It is not as it must be.
    #[error("{}", .0.iter().map(Fault::to_string).collect::<Vec<_>>().join("; "))]
    Wrong(Vec<Fault>),
}

/// Something of the directory, as it is shown.
#[derive(Clone, PartialEq, Debug)]
pub struct Listed {
    /// Its id.
    pub id: String,
    /// Does the file declare it?
    pub in_file: bool,
    /// As it was declared or asked for.
    pub object: Value,
    /// Why it is not in force.
    pub left_out: Option<String>,
}

impl Directory {
    /// The directory of a file, with what the house's facts say was made elsewhere.
    pub fn new<'a>(base: Settings, facts: impl Iterator<Item = &'a HouseFact>) -> Directory {
        let mut objects = BTreeMap::new();
        for fact in facts {
            match fact {
                HouseFact::DirectorySet { kind, id, object, .. } => {
                    objects.insert((*kind, id.clone()), object.clone());
                }
                HouseFact::DirectoryRemoved { kind, id, .. } => {
                    objects.remove(&(*kind, id.clone()));
                }
                _ => {}
            }
        }
        let base = Arc::new(base);
        let laid = lay_over(&base, objects.iter().collect());
        let left_out = laid.reasons();
        let settings = Arc::new(laid.settings);
        Directory { base, settings, objects, left_out, version: 0 }
    }

    /// What is in force.
    pub fn settings(&self) -> &Arc<Settings> {
        &self.settings
    }

    /// The file, without what was made elsewhere.
    pub fn base(&self) -> &Settings {
        &self.base
    }

    /// The same objects over another file.
    pub fn over(&self, base: Settings) -> Directory {
        let base = Arc::new(base);
        let mut order: Vec<(&ObjectKey, &Value)> = self.objects.iter().collect();
        order.sort_by_key(|(key, _)| self.left_out.contains_key(*key));
        let laid = lay_over(&base, order);
        let left_out = laid.reasons();
        let settings = Arc::new(laid.settings);
        Directory { base, settings, objects: self.objects.clone(), left_out, version: self.version + 1 }
    }

    /// Counts the changes of this life.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// What was made elsewhere and is not in force, and why.
    pub fn left_out(&self) -> impl Iterator<Item = (String, &str)> {
        self.left_out.iter().map(|(key, why)| (named(key), why.as_str()))
    }

    /// The same without those whose place the file took: nobody has to do anything about them.
    pub fn unfit(&self) -> impl Iterator<Item = (String, &str)> {
        let own = |key: &&ObjectKey| !self.base.source.declares(key.0, &key.1);
        self.left_out.iter().filter(move |(key, _)| own(key)).map(|(key, why)| (named(key), why.as_str()))
    }

    /// How many were made elsewhere.
    pub fn made(&self) -> usize {
        self.objects.len()
    }

    /// How many of a kind are in force: of the file, and made elsewhere.
    pub fn count(&self, kind: Kind) -> (usize, usize) {
        let of_file = match kind {
            Kind::Contact => self.base.contacts.len(),
            Kind::Roster => self.base.rosters.len(),
            Kind::CallFlow => self.base.call_flows.len(),
            Kind::Guidance => self.base.guidances.values().filter(|guidance| !is_built_in(guidance)).count(),
        };
        let made = self.objects.keys().filter(|key| key.0 == kind && !self.left_out.contains_key(*key));
        (of_file, made.count())
    }

    /// All of a kind: the file's in its order, then the others.
    pub fn list(&self, kind: Kind) -> Vec<Listed> {
        let blocks = self.base.source.blocks(kind).into_iter();
        let of_file = blocks.map(|(id, object)| Listed { id, in_file: true, object, left_out: None });
        let others = self.objects.iter().filter(|((of, id), _)| *of == kind && !self.base.source.declares(kind, id));
        let others = others.map(|(key, object)| Listed {
            id: key.1.clone(),
            in_file: false,
            object: object.clone(),
            left_out: self.left_out.get(key).cloned(),
        });
        of_file.chain(others).collect()
    }

    /// The directory with this object made or changed, to be in force when its fact is on disk.
    pub fn set(&self, kind: Kind, id: &str, object: Value) -> Result<Directory, NotSet> {
        let key = self.free(kind, id)?;
        let mut objects = self.objects.clone();
        objects.insert(key.clone(), object);
        let laid = self.relaid(&objects, Some(&key));
        if let Some(out) = laid.left_out.get(&key) {
            return Err(NotSet::Wrong(out.faults.clone()));
        }
        self.changed(objects, laid, &key)
    }

    /// The directory without this object.
    pub fn remove(&self, kind: Kind, id: &str) -> Result<Directory, NotSet> {
        let key = self.free(kind, id)?;
        let mut objects = self.objects.clone();
        if objects.remove(&key).is_none() {
            return Err(NotSet::Unknown(named(&key)));
        }
        let laid = self.relaid(&objects, None);
        self.changed(objects, laid, &key)
    }

    fn free(&self, kind: Kind, id: &str) -> Result<ObjectKey, NotSet> {
        let key = (kind, id.to_owned());
        let source = &self.base.source;
        if source.declares(kind, id) {
            let file =
                if source.file.as_os_str().is_empty() { "the file".into() } else { source.file.to_string_lossy() };
            return Err(NotSet::Declared { what: named(&key), file: file.into_owned() });
        }
        Ok(key)
    }

    /// What is in force stands before what is not, and `last` at the end, so that what does not fit beside others is
    /// put down to what is new.
    fn relaid(&self, objects: &BTreeMap<ObjectKey, Value>, last: Option<&ObjectKey>) -> Laid {
        let mut order: Vec<(&ObjectKey, &Value)> = objects.iter().collect();
        order.sort_by_key(|(key, _)| (last == Some(*key), self.left_out.contains_key(*key)));
        lay_over(&self.base, order)
    }

    fn changed(
        &self,
        objects: BTreeMap<ObjectKey, Value>,
        laid: Laid,
        changed: &ObjectKey,
    ) -> Result<Directory, NotSet> {
        let lost = |key: &&ObjectKey| !self.left_out.contains_key(*key) && *key != changed;
        let users = laid.left_out.iter().filter(|(_, out)| out.at_first).map(|(key, _)| key).filter(lost);
        let users: Vec<String> = users.map(named).collect();
        if !users.is_empty() {
            return Err(NotSet::InUse { what: named(changed), users: users.join(", ") });
        }
        let left_out = laid.reasons();
        let settings = Arc::new(laid.settings);
        Ok(Directory { base: self.base.clone(), settings, objects, left_out, version: self.version + 1 })
    }
}

impl Settings {
    /// The call flow of a trigger that names none and whose door names none: the only one of the file, so that one more
    /// that is made elsewhere takes nothing away; where the file has none, the only one there is.
    pub fn only_call_flow(&self) -> Option<&CallFlowId> {
        let of_file = |id: &&CallFlowId| self.source.declares(Kind::CallFlow, id.as_str());
        let mut own = self.call_flows.keys().filter(of_file);
        match (own.next(), own.next()) {
            (Some(only), None) => Some(only),
            (None, _) => self.call_flows.keys().next().filter(|_| self.call_flows.len() == 1),
            _ => None,
        }
    }
}

/// Settings, and what of the objects is not in them.
struct Laid {
    settings: Settings,
    left_out: BTreeMap<ObjectKey, Out>,
}

struct Out {
    faults: Vec<Fault>,
    /// By itself, and not because something else was left out.
    at_first: bool,
}

impl Laid {
    fn reasons(&self) -> BTreeMap<ObjectKey, String> {
        let why = |out: &Out| out.faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ");
        self.left_out.iter().map(|(key, out)| (key.clone(), why(out))).collect()
    }
}

/// Lays objects over the file, and leaves out those that do not fit until the rest does.
fn lay_over(base: &Settings, mut objects: Vec<(&ObjectKey, &Value)>) -> Laid {
    let mut left_out = BTreeMap::new();
    let mut leave_out = |objects: &mut Vec<(&ObjectKey, &Value)>, faults: Faults, at_first: bool| {
        let wrong: BTreeSet<ObjectKey> = faults.keys().cloned().collect();
        objects.retain(|(key, _)| !wrong.contains(*key));
        left_out.extend(faults.into_iter().map(|(key, faults)| (key, Out { faults, at_first })));
    };
    let of_file = objects.iter().filter(|((kind, id), _)| base.source.declares(*kind, id));
    let of_file: Faults = of_file
        .map(|(key, _)| {
            let found = format!("the file {} declares it", base.source.file.display());
            ((*key).clone(), vec![Fault { field: "id".to_owned(), found, accepted: "another id".to_owned() }])
        })
        .collect();
    leave_out(&mut objects, of_file, true);
    let mut at_first = true;
    while !objects.is_empty() {
        match base.source.lay_over(&objects) {
            Ok(settings) => return Laid { settings: Settings { source: base.source.clone(), ..settings }, left_out },
            Err(faults) if faults.is_empty() => break,
            Err(faults) => leave_out(&mut objects, faults, at_first),
        }
        at_first = false;
    }
    Laid { settings: base.clone(), left_out }
}

/// `contact `yamada``.
fn named((kind, id): &ObjectKey) -> String {
    format!("{} `{id}`", kind.word())
}

#[cfg(test)]
mod tests;
