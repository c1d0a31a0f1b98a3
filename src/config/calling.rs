//! `[[call_flow]]`, `[[guidance]]` and `[[room]]`: how a roster is called, what people hear, where they meet.

use core::time::Duration;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::built_in::{self, DEFAULT_GUIDANCE, usual};
use super::people::{id, list};
use super::plan::{KEY, PARAMETERS};
use super::reader::{Placed, Section};
use super::value;
use super::{Declared, Elsewhere, Origin, Secret};
use crate::base::{CallFlowId, ContactId, Digit, GuidanceId, Language, RoomName, RosterId};
use crate::incident::{self, Answer, Behaviour, Guidance, Key, Strategy};

const FLOWS: usize = 1_000;
const GUIDANCES: usize = 1_000;
const ROOMS: usize = 1_000;
/// With a challenge, so many digits may be keys: among the others it is drawn.
const CHALLENGE_DIGITS: usize = 6;
const SECOND: Duration = Duration::from_secs(1);
/// No telephone waits longer for its message.
const VOICE_BEFORE_DIALLING: Duration = Duration::from_secs(60);

/// `[[call_flow]]`.
#[derive(Clone, Debug)]
pub struct CallFlow {
    /// How.
    pub flow: incident::CallFlow,
    /// Whom: a roster that exists.
    pub roster: RosterId,
    /// What they hear unless the trigger says otherwise: a guidance that exists.
    pub guidance: GuidanceId,
    /// What goes on when nobody took it: a call flow that exists, and none that leads back here.
    pub then: Option<CallFlowId>,
    /// What was chosen, and is not merely what is usual.
    pub chosen: Chosen,
}

/// What the block of a call flow says itself. Some doors have another default for the rest.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Chosen {
    /// `strategy`.
    pub strategy: bool,
    /// `rounds`.
    pub rounds: bool,
    /// `guidance`.
    pub guidance: bool,
}

/// `[[room]]`.
#[derive(Clone, Debug)]
pub struct Room {
    /// The name people know it by.
    pub name: RoomName,
    /// A WAV file played while somebody is alone in it; `None`: hansho's own.
    pub hold_music: Option<PathBuf>,
    /// Is what is said in it recorded?
    pub record: bool,
    /// What is said in it where nobody says in which language; `None`: the house's.
    pub language: Option<Language>,
    /// What lets somebody in who calls hansho's number and is not on its incident; `None`: nothing does.
    pub pin: Option<Secret>,
}

pub(super) fn call_flows(
    root: &mut Section<'_>,
    rosters: &Declared<RosterId, Vec<ContactId>>,
    guidances: &Declared<GuidanceId, Guidance>,
    Elsewhere(elsewhere): Elsewhere,
) -> BTreeMap<CallFlowId, CallFlow> {
    let blocks = root.blocks("call_flow", FLOWS);
    if !root.has("call_flow") && !elsewhere {
        root.complain("call_flow", "missing", "at least one [[call_flow]]: how a roster is called");
    }
    let (mut seen, mut thens) = (BTreeMap::new(), Vec::new());
    let read = |block| call_flow(block, rosters, guidances, &mut seen, &mut thens);
    let flows: Vec<CallFlow> = blocks.into_iter().filter_map(read).collect();
    let flows: BTreeMap<CallFlowId, CallFlow> = flows.into_iter().map(|flow| (flow.flow.id.clone(), flow)).collect();
    for (from, then) in thens {
        if !seen.contains_key(&then.value) {
            let found = format!("there is no call flow `{}`", then.value);
            root.report().complain(then.line, then.key, found, list("the id of a [[call_flow]]", seen.keys()));
        } else if leads_back(&flows, &from) {
            let found = format!("`{from}` would come to itself again");
            root.report().complain(then.line, then.key, found, "call flows that come to an end");
        }
    }
    flows
}

/// True when whoever follows `then` from here is here again.
fn leads_back(flows: &BTreeMap<CallFlowId, CallFlow>, here: &CallFlowId) -> bool {
    let next = |id: &&CallFlowId| flows.get(*id)?.then.as_ref();
    let way = core::iter::successors(Some(here), next).skip(1);
    way.take(flows.len()).any(|id| id == here)
}

fn call_flow(
    mut block: Section<'_>,
    rosters: &Declared<RosterId, Vec<ContactId>>,
    guidances: &Declared<GuidanceId, Guidance>,
    seen: &mut BTreeMap<CallFlowId, Option<usize>>,
    thens: &mut Vec<(CallFlowId, Placed<CallFlowId>)>,
) -> Option<CallFlow> {
    let id = id(&mut block, seen, |text| CallFlowId::parse(text).ok());
    let accepted = list("the id of a [[roster]]", rosters.keys());
    let roster =
        block.need("roster", &accepted, |text| RosterId::parse(text).ok().filter(|id| rosters.contains_key(id)));
    let strategy = block.text("strategy", "\"sequential\", \"shuffled\" or \"simultaneous\"", |text| match text {
        "sequential" => Some(Strategy::Sequential),
        "shuffled" => Some(Strategy::Shuffled),
        "simultaneous" => Some(Strategy::Simultaneous),
        _ => None,
    });
    let answer = block.text("answer", "\"one\" or \"all\"", |text| match text {
        "one" => Some(Answer::One),
        "all" => Some(Answer::All),
        _ => None,
    });
    let rounds = value::number(&mut block, "rounds", 1..=100);
    let ring_timeout = value::duration(&mut block, "ring_timeout", SECOND..=SECOND * 300);
    let between_rounds = value::duration(&mut block, "between_rounds", Duration::ZERO..=SECOND * 3_600);
    let bundle = value::duration(&mut block, "bundle", Duration::ZERO..=SECOND * 3_600);
    let taken_for = value::duration(&mut block, "taken_for", Duration::ZERO..=SECOND * 86_400);
    let accepted = list("the id of a [[guidance]]", guidances.keys());
    let named = |text: &str| GuidanceId::parse(text).ok().filter(|id| guidances.contains_key(id));
    let guidance = block.text("guidance", &accepted, named);
    let then = block.text("then", "the id of a [[call_flow]]", |text| CallFlowId::parse(text).ok());
    let (key, line) = (block.path("then"), block.line_of("then"));
    thens.extend(id.clone().zip(then.clone().map(|value| Placed { key, line, value })));
    let chosen = Chosen { strategy: strategy.is_some(), rounds: rounds.is_some(), guidance: guidance.is_some() };
    block.finish();
    Some(CallFlow {
        flow: incident::CallFlow {
            id: id?,
            strategy: strategy.unwrap_or(Strategy::Sequential),
            answer: answer.unwrap_or(Answer::One),
            rounds: rounds.unwrap_or(3),
            ring_timeout: ring_timeout.unwrap_or(SECOND * 30),
            between_rounds: between_rounds.unwrap_or(SECOND * 10),
            bundle: bundle.unwrap_or_default(),
            taken_for: taken_for.unwrap_or(SECOND * 3_600),
        },
        roster: roster?,
        guidance: guidance.or_else(|| named(DEFAULT_GUIDANCE))?,
        then,
        chosen,
    })
}

/// Every guidance, those that are built in among them in any case.
pub(super) fn guidances(root: &mut Section<'_>, rooms: &Declared<RoomName, Room>) -> Declared<GuidanceId, Guidance> {
    let (mut seen, mut guidances) = (BTreeMap::new(), BTreeMap::new());
    for mut block in root.blocks("guidance", GUIDANCES) {
        let id = id(&mut block, &mut seen, |text| GuidanceId::parse(text).ok());
        let read = guidance(block, rooms);
        guidances.extend(id.map(|id| (id.clone(), read.map(|guidance| Guidance { id, ..guidance }))));
    }
    for own in built_in::guidances() {
        guidances.entry(own.id.clone()).or_insert(Some(own));
    }
    guidances
}

/// A guidance under the default's name; its caller gives it its own.
fn guidance(mut block: Section<'_>, rooms: &Declared<RoomName, Room>) -> Option<Guidance> {
    let usual = usual(GuidanceId::parse(DEFAULT_GUIDANCE).ok()?);
    let mut message = BTreeMap::new();
    let parameters = parameters(&mut block);
    let parameters = parameters.as_deref();
    let mut texts = block.table("message");
    for language in Language::ALL {
        message.extend(value::template(&mut texts, language.tag(), parameters).map(|text| (language, text)));
    }
    texts.finish();
    let accepted = list("the id of a [[room]]", rooms.keys());
    let room = block.text("room", &accepted, |text| RoomName::parse(text).ok().filter(|id| rooms.contains_key(id)));
    let first_key_timeout = value::duration(&mut block, "first_key_timeout", SECOND..=SECOND * 300);
    let inter_key_timeout = value::duration(&mut block, "inter_key_timeout", SECOND..=SECOND * 60);
    let challenge = value::flag(&mut block, "challenge").unwrap_or(false);
    let explains_keys = value::flag(&mut block, "explains_keys").unwrap_or(false);
    let readings = value::number(&mut block, "readings", 1..=5);
    let repeats = value::number(&mut block, "repeats", 1..=10);
    let before = value::duration(&mut block, "voice_before_dialling", Duration::ZERO..=VOICE_BEFORE_DIALLING);
    let menu = block.table("keys");
    let keys = if block.has("keys") { keys(&block, menu, parameters) } else { Some(usual.keys.clone()) };
    let digits = |keys: &BTreeMap<Digit, Key>| keys.keys().filter(|key| key.as_char().is_ascii_digit()).count();
    if let Some(digits) = keys.as_ref().map(digits).filter(|digits| challenge && *digits > CHALLENGE_DIGITS) {
        block.complain(
            "challenge",
            format!("{digits} of ten digits are keys already, and the challenge is drawn among the others"),
            format!("at most {CHALLENGE_DIGITS} digits as keys"),
        );
    }
    block.finish();
    Some(Guidance {
        message,
        explains_keys,
        keys: keys?,
        first_key_timeout: first_key_timeout.unwrap_or(usual.first_key_timeout),
        inter_key_timeout: inter_key_timeout.unwrap_or(usual.inter_key_timeout),
        challenge,
        readings: readings.unwrap_or(usual.readings),
        repeats: repeats.unwrap_or(usual.repeats),
        voice_before_dialling: before.unwrap_or(usual.voice_before_dialling),
        room,
        ..usual
    })
}

/// The parameters that its templates may use; `None`: whatever a trigger brings.
fn parameters(block: &mut Section<'_>) -> Option<Vec<String>> {
    const ACCEPTED: &str = "names of parameters, 1 to 200 characters each";
    let name = |text: &str| {
        let fits = (1..=KEY).contains(&text.chars().count()) && !text.contains(['{', '}', '|', '\n']);
        fits.then(|| text.trim().to_owned())
    };
    Some(block.list("parameters", PARAMETERS, ACCEPTED, name)?.into_iter().map(|name| name.value).collect())
}

const DO_ACCEPTED: &str = "\"take\", \"next\", \"join\", \"repeat\", \"leave\" or \"quiet\"";

/// The key menu. `None` after a complaint.
fn keys(block: &Section<'_>, menu: Section<'_>, parameters: Option<&[String]>) -> Option<BTreeMap<Digit, Key>> {
    let mut keys = BTreeMap::new();
    let mut right = menu.exists();
    for (name, section) in menu.named() {
        let Some(mut section) = section else {
            right = false;
            continue;
        };
        let behaviour = section
            .need("do", DO_ACCEPTED, |text| Behaviour::ALL.into_iter().find(|behaviour| behaviour.as_str() == text));
        let say = value::template(&mut section, "say", parameters);
        let mut letters = name.chars();
        let digit = letters.next().and_then(Digit::from_char).filter(|_| letters.next().is_none());
        if digit.is_none() {
            let accepted = "a telephone key: 0 to 9, *, #, A to D (quote * and #)";
            section.complain_here("this is no key", accepted);
        }
        section.finish();
        right &= digit.is_some() && behaviour.is_some();
        keys.extend(digit.zip(behaviour).map(|(digit, behaviour)| (digit, Key { behaviour, say })));
    }
    let proof = keys.values().any(|key| matches!(key.behaviour, Behaviour::Take | Behaviour::Join));
    if right && !proof {
        block.complain("keys", "no key takes the incident", "at least one key with do = \"take\" or do = \"join\"");
    }
    (right && proof).then_some(keys)
}

pub(super) fn rooms(root: &mut Section<'_>, origin: &Origin<'_>) -> Declared<RoomName, Room> {
    let (mut seen, mut rooms, mut pins) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for mut block in root.blocks("room", ROOMS) {
        let name = id(&mut block, &mut seen, |text| RoomName::parse(text).ok());
        let hold_music = hold_music(&mut block, origin);
        let record = value::flag(&mut block, "record").unwrap_or(false);
        let language = super::daemon::language(&mut block);
        let pin = super::call_in::pin(&mut block, &mut pins);
        block.finish();
        rooms.extend(name.map(|name| (name.clone(), Some(Room { name, hold_music, record, language, pin }))));
    }
    rooms
}

fn hold_music(block: &mut Section<'_>, origin: &Origin<'_>) -> Option<PathBuf> {
    const ACCEPTED: &str = "the path of a WAV file";
    let path = origin.folder.join(block.text("hold_music", ACCEPTED, super::daemon::path)?);
    if let Err(problem) = (origin.opens)(&path) {
        block.complain("hold_music", format!("{}: {problem}", path.display()), ACCEPTED);
    }
    Some(path)
}
