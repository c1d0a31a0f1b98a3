//! The reception meets calls, rooms, files and incidents: what the machine in [`reception`](super::reception) wants is
//! done here.
//!
//! Caller ID is no proof. A contact who is not on an open incident may leave a message, which wakes people and opens
//! nothing; a room opens for a PIN alone. Whoever may do neither is refused like everybody else, and whoever is asked
//! for a PIN hears the same question whether any room is open or not.
//!
//! Easy to get wrong: callers nobody knows must not take the ports that rosters need, so only a few are let in at once.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use super::batch::Act;
use super::desk::Switch;
use super::held::CutMessage;
use super::legs::{Leg, Purpose, Saying};
use super::pins::{WrongPins, is_pin};
use super::prompt_book::Clip;
use super::reception::{Door, Reception, Wish, Word};
use super::tell::What;
use crate::audio::tone::{Sine, sines};
use crate::base::{ContactId, Digit, Language, LegId, Outbox, Time, TrunkId, token};
use crate::incident::{HouseFact, Plan, RECORDING, Trigger};
use crate::media::{Command, Playlist, Prompt};

/// The id of somebody who rang us and is in no roster begins so.
pub const GUEST: &str = "guest.";
/// So many callers are talked to at once.
const CALLERS_MAX: usize = 8;
/// The random letters in the name of a recording: whoever does not know it cannot have it played.
const LETTERS: usize = 20;
/// The tone after which people speak.
const TONE: (Sine, Duration) = (Sine { hz: 1_000.0, dbm0: -16.0 }, Duration::from_millis(400));

/// How a message becomes an incident.
#[derive(Clone, Debug)]
pub struct CallInSettings {
    /// What is raised; its message and its recording are put in.
    pub trigger: Trigger,
    /// Whom it calls, and how.
    pub plan: Plan,
    /// What is played before the tone; the recorded words when absent.
    pub greeting: Option<Prompt>,
    /// The longest message.
    pub message_max: Duration,
}

/// Everybody who is being talked to, and the wrong PINs of late.
#[derive(Debug, Default)]
pub(super) struct Receptions {
    callers: BTreeMap<LegId, Caller>,
    pins: WrongPins,
}

#[derive(Debug)]
struct Caller {
    /// As the trunk shows it.
    number: String,
    door: Door,
    /// `None` until the call is acknowledged.
    reception: Option<Reception>,
    /// What is being recorded.
    recording: Option<Recording>,
}

/// A message under way.
#[derive(Debug)]
struct Recording {
    file: String,
    /// The number of its line in the journal.
    line: Option<u32>,
}

impl Receptions {
    pub(super) fn next_deadline(&self) -> Option<Time> {
        self.callers.values().filter_map(|caller| caller.reception.as_ref()?.next_deadline()).min()
    }
}

impl Switch {
    /// Takes a call of somebody who has no incident to join; false when they may do nothing here.
    pub(super) fn receive(&mut self, now: Time, id: LegId, trunk: &TrunkId, caller: &str) -> bool {
        let free = |who: &(ContactId, Language)| self.legs.of_contact(&who.0).next().is_none();
        let who = self.who_is(caller).filter(free);
        let pin_length = self.settings.rooms.iter().filter_map(|room| room.pin.as_ref().map(String::len)).max();
        let may_enter = pin_length.is_some() && self.receptions.pins.may_try(now, caller);
        let message_max = self.settings.call_in.as_ref().map(|call_in| call_in.message_max);
        let may_speak = message_max.is_some() && who.is_some();
        if !(may_enter || may_speak) || self.receptions.callers.len() >= CALLERS_MAX {
            return false;
        }
        let Some(port) = self.ports.take(id) else { return false };
        let guest = || ContactId::parse(&format!("{GUEST}{}", id.0)).ok();
        let Some((contact, language)) = who.or_else(|| Some((guest()?, self.settings.language))) else { return false };
        let (pin_length, message_max) = (pin_length.unwrap_or(0), message_max.unwrap_or_default());
        let door = Door { may_enter, may_speak, pin_length, message_max };
        self.receptions
            .callers
            .insert(id, Caller { number: caller.to_owned(), door, reception: None, recording: None });
        self.legs.insert(id, Leg::new(Purpose::Reception, contact.clone(), language));
        self.act(Act::OpenLeg { leg: id, port });
        self.agent.accept(now, id, port, &mut self.sip_out);
        self.line_taken(now, id);
        let (trunk, caller) = (trunk.clone(), caller.to_owned());
        self.tell(None, None, Some(contact), What::CallInReceived { trunk, caller });
        true
    }

    /// The call is acknowledged: the caller is spoken to.
    pub(super) fn reception_answered(&mut self, now: Time, id: LegId) {
        let quiet = self.cases.values().all(|case| case.record.state.is_final());
        self.with_reception(now, id, |caller, out| {
            caller.reception = Some(Reception::start(caller.door, quiet, out));
        });
    }

    /// A key of somebody at the reception.
    pub(super) fn reception_key(&mut self, now: Time, id: LegId, digit: Digit) {
        let pins: Vec<String> = self.settings.rooms.iter().filter_map(|room| room.pin.clone()).collect();
        // Every PIN is compared, so that the time tells nothing.
        // Whoever has guessed too often meanwhile, in other calls perhaps, has no PIN that is right.
        let caller = self.receptions.callers.get(&id).map(|caller| caller.number.clone());
        let may_try = caller.is_some_and(|caller| self.receptions.pins.may_try(now, &caller));
        let known = |digits: &str| pins.iter().filter(|pin| is_pin(pin, digits)).count() > 0 && may_try;
        self.with_reception(now, id, |caller, out| {
            if let Some(reception) = &mut caller.reception {
                reception.on_key(now, digit, known, out);
            }
        });
    }

    /// Everything was said to somebody at the reception.
    pub(super) fn reception_said(&mut self, now: Time, id: LegId) {
        self.with_reception(now, id, |caller, out| {
            if let Some(reception) = &mut caller.reception {
                reception.on_said(now, out);
            }
        });
    }

    /// Somebody at the reception is gone; their leg is, too.
    pub(super) fn reception_ended(&mut self, now: Time, id: LegId, leg: &Leg) {
        let Some(mut caller) = self.receptions.callers.remove(&id) else { return };
        let mut out = Outbox::new();
        if let Some(reception) = &mut caller.reception {
            reception.on_ended(now, &mut out);
        }
        for wish in out.drain() {
            self.keep_or_drop(now, id, (&leg.contact, leg.language), &mut caller, wish == Wish::Raise);
        }
    }

    /// No key came, or a message is as long as may be.
    pub(super) fn receptions_wake(&mut self, now: Time) {
        let ids: BTreeSet<LegId> = self.receptions.callers.keys().copied().collect();
        for id in ids {
            self.with_reception(now, id, |caller, out| {
                if let Some(reception) = &mut caller.reception {
                    reception.on_deadline(now, out);
                }
            });
        }
    }

    fn with_reception(&mut self, now: Time, id: LegId, tell: impl FnOnce(&mut Caller, &mut Outbox<Wish>)) {
        let Some(mut caller) = self.receptions.callers.remove(&id) else { return };
        let mut out = Outbox::new();
        tell(&mut caller, &mut out);
        let mut stays = true;
        for wish in out.drain() {
            stays &= self.reception_does(now, id, &mut caller, wish);
        }
        if stays {
            self.receptions.callers.insert(id, caller);
        }
    }

    /// False when the caller leaves the reception for a room.
    fn reception_does(&mut self, now: Time, id: LegId, caller: &mut Caller, wish: Wish) -> bool {
        let Some(leg) = self.legs.get(id) else { return true };
        let (contact, language) = (leg.contact.clone(), leg.language);
        match wish {
            Wish::Say(words) => self.reception_says(id, language, &words),
            Wish::Hush => self.act(Act::Media(Command::Hush(id))),
            Wish::Wrong => {
                self.receptions.pins.note(now, &caller.number);
                self.tell(None, None, Some(contact), What::CallInWrongPin { caller: caller.number.clone() });
            }
            Wish::Join(pin) => {
                let mut rooms = self.settings.rooms.iter();
                let room = rooms.find(|room| room.pin.as_ref().is_some_and(|known| is_pin(known, &pin)));
                let room = room.map(|room| room.name.clone());
                if let Some(leg) = self.legs.get_mut(id) {
                    leg.purpose = Purpose::Guest;
                }
                if let Some(room) = room {
                    self.act(Act::Media(Command::Hush(id)));
                    self.enter_room(now, id, &room, false);
                }
                return false;
            }
            Wish::Record => {
                let file = format!("message-{}.wav", token(&mut self.rng, LETTERS));
                let line = self.line_records(now, id, &contact, &file);
                caller.recording = Some(Recording { file: file.clone(), line });
                self.act(Act::RecordLeg { leg: id, file });
            }
            Wish::Raise => self.keep_or_drop(now, id, (&contact, language), caller, true),
            Wish::Forget => self.keep_or_drop(now, id, (&contact, language), caller, false),
            Wish::HangUp => self.agent.hang_up(now, id, &mut self.sip_out),
        }
        true
    }

    fn reception_says(&mut self, id: LegId, language: Language, words: &[Word]) {
        let clip = |switch: &Switch, clip| switch.book.clip(language, clip);
        let greeting = self.settings.call_in.as_ref().and_then(|call_in| call_in.greeting.clone());
        let prompt = |word: &Word| match word {
            Word::Pin => clip(self, Clip::Pin),
            Word::WrongPin => clip(self, Clip::WrongPin),
            Word::LeaveMessage => greeting.clone().unwrap_or_else(|| clip(self, Clip::LeaveMessage)),
            Word::Tone => Prompt::from(sines(&[TONE.0], TONE.1)),
            Word::MessageTaken => clip(self, Clip::MessageTaken),
            Word::NoMessage => clip(self, Clip::NoMessage),
            Word::NoKey => clip(self, Clip::NoKey),
        };
        let prompts: Vec<Prompt> = words.iter().map(prompt).collect();
        let play = self.legs.next_play();
        if let Some(leg) = self.legs.get_mut(id) {
            leg.saying = Some(Saying { play, rest: Vec::new() });
        }
        self.act(Act::Media(Command::Play(id, Box::new(Playlist { play, prompts, forever: false }))));
    }

    /// A recording is over: it becomes an incident, or it was nothing.
    fn keep_or_drop(
        &mut self,
        now: Time,
        id: LegId,
        (contact, language): (&ContactId, Language),
        caller: &mut Caller,
        keep: bool,
    ) {
        let Some(Recording { file, line }) = caller.recording.take() else { return };
        self.act(Act::StopRecord { leg: id, file: file.clone(), keep });
        if keep {
            self.raise_message(now, (contact, language), file, Heard::Whole);
        }
        if let Some(line) = line {
            self.keep_fact(now, HouseFact::LineRecorded { line });
        }
    }

    /// A message that a former life was recording when it ended.
    pub(super) fn raise_cut_message(&mut self, now: Time, CutMessage { contact, file }: CutMessage) {
        let known = self.settings.contacts.iter().find(|known| known.id == contact);
        let language = known.map_or(self.settings.language, |known| known.language);
        self.raise_message(now, (&contact, language), file, Heard::Cut);
    }

    fn raise_message(&mut self, now: Time, (contact, language): (&ContactId, Language), file: String, heard: Heard) {
        // The configuration is another one by now: the message is there, and calls nobody.
        let Some(call_in) = &self.settings.call_in else {
            return self.tell(None, None, Some(contact.clone()), What::CallInMessage { file });
        };
        let (mut trigger, plan) = (call_in.trigger.clone(), call_in.plan.clone());
        let known = self.settings.contacts.iter().find(|known| known.id == *contact);
        let name = known.map_or_else(|| contact.to_string(), |known| known.name.clone()).replace('{', "(");
        trigger.message = Some(match (language, heard) {
            (Language::Ja, Heard::Whole) => format!("{name}さんからの、録音メッセージです。"),
            (Language::Ja, Heard::Cut) => format!("{name}さんからの、途中で切れた録音メッセージです。"),
            (Language::En, Heard::Whole) => format!("A recorded message from {name}."),
            (Language::En, Heard::Cut) => format!("A recorded message from {name}, which was cut off."),
        });
        trigger.parameters.insert(RECORDING.to_owned(), file.clone());
        trigger.parameters.insert("caller".to_owned(), name);
        let raised = self.raise(now, trigger, plan).incident();
        self.tell(Some(raised), None, Some(contact.clone()), What::CallInMessage { file });
    }
}

/// How much of a message there is.
#[derive(Clone, Copy)]
enum Heard {
    Whole,
    /// hansho ended while it was being said.
    Cut,
}

/// Is it the name of a recording of ours? Nothing else is ever opened.
pub(super) fn is_recording(file: &str) -> bool {
    let letters = file.strip_prefix("message-").and_then(|rest| rest.strip_suffix(".wav")).unwrap_or_default();
    letters.len() == LETTERS && letters.bytes().all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
}
