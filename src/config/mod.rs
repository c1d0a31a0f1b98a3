//! Floor 4: the configuration. TOML becomes [`Settings`] that cannot be wrong, or every complaint at once.
//!
//! [`Settings::read`] is given text and asks for other files (a password, hold music) through [`Origin`]; [`load`] is the
//! same with a real file. Nothing re-checks later: references exist, ids and phones are unique, lists are not
//! empty, ranges are sane. Secrets are [`Secret`]s and never show in `Debug` or in a complaint.
//!
//! Where a relative path counts from: what hansho reads (a password, hold music) from the folder of the
//! configuration file; what it writes (journal, recordings, socket) from `node.data_dir`.
//!
//! Easy to get wrong: one mistake must give one complaint. A contact whose phone is wrong is still a contact,
//! or every roster that names it would complain as well.

mod built_in;
mod call_in;
mod calling;
mod complaint;
mod contacts_file;
mod countries;
mod daemon;
mod dial;
mod directory;
mod file;
mod hotline;
mod http;
mod intake;
mod notify;
mod people;
mod plan;
mod reader;
mod registrar;
mod reload;
mod sms;
mod source;
mod speech;
mod topics;
mod trunk;
mod value;

pub use built_in::{ALERT, ALERT_ROOM, AZURE, emergency, is_built_in};
pub use call_in::CallIn;
pub use calling::{CallFlow, Chosen, Room};
pub use complaint::Complaint;
pub use daemon::{Media, Node, Sip};
pub use dial::Dial;
pub use directory::{Directory, Listed, NotSet, ObjectKey};
pub use file::{LoadError, PLACES, load, load_with, locate};
pub use http::Http;
pub use notify::{Email, Notify, Patience, Slack, SlackBot, Tls, Webhook};
pub use plan::{KEY, Refusal};
pub use registrar::Registrar;
pub use reload::{NotReloaded, Reloaded, reload};
pub use sms::{Gateway, Place, Preset, Sms, body_place, filled};
pub use source::{Fault, Source};
pub use speech::{Accent, HttpVoice, HttpWay, Key, Known, Speech, UserWord, Voice};
pub use topics::Topics;
pub use trunk::Trunk;
pub use value::{Host, parse_duration};

use core::cell::RefCell;
use core::time::Duration;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest as _, Sha256};
use toml::de::DeTable;

use crate::base::{CallFlowId, ContactId, GuidanceId, Phone, RoomName, RosterId, hex};
use crate::incident::{Contact, Guidance, Hotline};
use crate::intake::Mapping;
use reader::{Report, Section};

/// The largest file that is read, in bytes.
pub const FILE_LIMIT: usize = 1 << 20;

/// Everything the configuration says, complete and consistent.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `[node]`.
    pub node: Node,
    /// `[control] socket`: absolute where the file's own path was.
    pub control_socket: PathBuf,
    /// `[http]`.
    pub http: Http,
    /// `[dial]`.
    pub dial: Dial,
    /// `[[intake]]`: how `/in/ID` reads JSON that hansho does not know by itself.
    pub intake: BTreeMap<String, Arc<Mapping>>,
    /// `[sip]`.
    pub sip: Sip,
    /// `[media]`.
    pub media: Media,
    /// The file behind `[store] url`.
    pub journal: PathBuf,
    /// `[store] keep`: how long the journal keeps what is over; `None`: for ever.
    pub keep: Option<Duration>,
    /// SHA-256 of the file, in hexadecimal.
    pub digest: String,
    /// The file as it was read, for what is laid over it.
    pub source: Arc<Source>,
    /// `[speech]`.
    pub speech: Speech,
    /// `[[trunk]]`: at least one, unless there is a registrar; the one to be tried first at the front.
    pub trunks: Vec<Trunk>,
    /// `[registrar]` and `[[user]]`.
    pub registrar: Option<Registrar>,
    /// `[[contact]]`: at least one, unless all are made over HTTP.
    pub contacts: BTreeMap<ContactId, Contact>,
    /// `[[roster]]`: every one has somebody in it, nobody twice.
    pub rosters: BTreeMap<RosterId, Vec<ContactId>>,
    /// `[[call_flow]]`: at least one, unless all are made over HTTP.
    pub call_flows: BTreeMap<CallFlowId, CallFlow>,
    /// `[[guidance]]`, and those that are built in.
    pub guidances: BTreeMap<GuidanceId, Guidance>,
    /// `[[hotline]]`.
    pub hotlines: Vec<Hotline>,
    /// `[call_in]`.
    pub call_in: CallIn,
    /// `[[room]]`.
    pub rooms: BTreeMap<RoomName, Room>,
    /// `[notify]`.
    pub notify: Notify,
    /// `[sms]`.
    pub sms: Sms,
    /// `[[contact]] sms`: where those are told by short message who want to be.
    pub sms_phones: BTreeMap<ContactId, Phone>,
    /// What is no mistake and may still not be meant; `accepted` says what would be surer.
    pub warnings: Vec<Complaint>,
}

/// Where a configuration comes from: what it needs beside its text.
pub struct Origin<'a> {
    /// The folder of the file.
    pub folder: &'a Path,
    /// Reads a small text file; the error is in words, without the path.
    pub read: &'a dyn Fn(&Path) -> Result<String, String>,
    /// Can this file be read at all? What is in it matters to somebody else.
    pub opens: &'a dyn Fn(&Path) -> Result<(), String>,
}

/// A password: shown only where it is needed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps `text` from being shown.
    pub fn new(text: impl Into<String>) -> Secret {
        Secret(text.into())
    }

    /// The secret itself, for whoever computes with it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("(secret)")
    }
}

impl Settings {
    /// Reads a configuration, or says everything that is wrong with it, from its top to its end.
    pub fn read(text: &str, origin: &Origin<'_>) -> Result<Settings, Vec<Complaint>> {
        let (files, opened) = (RefCell::default(), RefCell::default());
        let read = |path: &Path| source::noted(path, (origin.read)(path), &files);
        let opens = |path: &Path| source::noted(path, (origin.opens)(path), &opened);
        let settings = Settings::read_over(text, "", &Origin { folder: origin.folder, read: &read, opens: &opens })?;
        let source = Source::new(text, origin.folder, files.take(), opened.take(), &settings.contacts);
        Ok(Settings { source: Arc::new(source), ..settings })
    }

    /// The same, where the blocks of `more`, which is TOML in any case, stand behind those of the file.
    fn read_over(text: &str, more: &str, origin: &Origin<'_>) -> Result<Settings, Vec<Complaint>> {
        let report = Report::new(text);
        if text.len() > FILE_LIMIT {
            report.complain(None, "", format!("the file has {} bytes", text.len()), format!("at most {FILE_LIMIT}"));
            return Err(report.into_complaints());
        }
        let (mut document, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            for error in errors {
                let line = error.span().map(|span| report.line(span.start));
                report.complain(line, "", format!("this is not TOML: {}", error.message()), "");
            }
            return Err(report.into_complaints());
        }
        let elsewhere = Elsewhere(is_managed_elsewhere(document.get_ref()));
        source::append(document.get_mut(), DeTable::parse_recoverable(more).0.into_inner());
        let settings = read_document(&report, text, document.get_ref(), origin, elsewhere);
        let complaints = report.into_complaints();
        match settings {
            Some(settings) if complaints.is_empty() => Ok(settings),
            _ => Err(complaints),
        }
    }
}

/// `None` only after a complaint.
fn read_document<'a>(
    report: &'a Report,
    text: &str,
    document: &'a DeTable<'a>,
    origin: &Origin<'_>,
    elsewhere: Elsewhere,
) -> Option<Settings> {
    let mut root = Section::root(report, document);
    let node = daemon::node(&mut root, origin);
    let control_socket = daemon::control(&mut root, &node.data_dir);
    let sip = daemon::sip(&mut root, origin);
    let media = daemon::media(&mut root, &node.data_dir, &sip);
    let (journal, keep) = daemon::store(&mut root, &node.data_dir);
    let speech = speech::read(&mut root, origin);
    let trunks = trunk::read(&mut root, origin, &sip);
    let registrar = registrar::read(&mut root, origin, &sip);
    let (mut contacts, known, sms_phones) = people::contacts(&mut root, &node, elsewhere);
    let rosters = people::rosters(&mut root, &known, &node, &mut contacts, origin, elsewhere);
    if let Some(registrar) = &registrar {
        registrar::check(report, registrar, &contacts, &trunks);
    }
    let rooms = calling::rooms(&mut root, origin);
    let guidances = calling::guidances(&mut root, &rooms);
    let call_flows = calling::call_flows(&mut root, &rosters, &guidances, elsewhere);
    let dial = dial::dial(&mut root);
    let http = http::http(&mut root, &call_flows);
    let notify = notify::read(&mut root, origin);
    let public_url = node.public_url.as_deref();
    let hotlines = hotline::hotlines(&mut root, &contacts, &known, public_url, http.listen.is_some());
    let pins = rooms.values().flatten().any(|room| room.pin.is_some());
    let call_in = call_in::call_in(&mut root, &call_flows, &guidances, pins, origin);
    let sms = sms::read(&mut root, origin);
    let intake = intake::intake(&mut root);
    root.finish();
    Some(Settings {
        node,
        control_socket,
        http,
        dial,
        hotlines,
        call_in,
        intake,
        sip,
        media,
        journal: journal?,
        keep,
        source: Arc::default(),
        digest: hex(&Sha256::digest(text)),
        speech,
        trunks,
        registrar,
        contacts,
        rosters: complete(rosters)?,
        call_flows,
        guidances: complete(guidances)?,
        rooms: complete(rooms)?,
        notify,
        sms,
        sms_phones,
        warnings: report.warnings(),
    })
}

/// Whether people are managed elsewhere, so that a file may hold none.
#[derive(Clone, Copy)]
struct Elsewhere(bool);

/// True for a file that opens HTTP and says nothing of people: they are made over it.
fn is_managed_elsewhere(document: &DeTable<'_>) -> bool {
    let listens = document.get("http").and_then(|http| http.get_ref().get("listen")).is_some();
    listens && ["contact", "roster", "call_flow"].iter().all(|kind| document.get(*kind).is_none())
}

/// What was declared, each with its value unless that had a complaint: references are checked against the
/// names, so that one mistake gives one complaint.
type Declared<K, V> = BTreeMap<K, Option<V>>;

fn complete<K: Ord, V>(declared: Declared<K, V>) -> Option<BTreeMap<K, V>> {
    declared.into_iter().map(|(key, value)| Some((key, value?))).collect()
}

#[cfg(test)]
mod tests;
