//! What people hear of one another: who took it, who came into the room, how many are there.
//!
//! Sentences with a name are made when their person picks up, so that they are ready when a key is pressed. Where no
//! voice made one, the recorded sentence without a name stands in; nobody waits for a voice, and nobody is
//! interrupted who is being told something else. Easy to get wrong: in a room everybody hears their own language, also
//! of an incident that is not theirs.

use std::collections::BTreeSet;
use std::collections::btree_map::Entry;

use super::batch::Act;
use super::case::{Case, Voice};
use super::desk::Switch;
use super::legs::{Leg, Purpose};
use super::prompt_book::Clip;
use crate::base::{ContactId, IncidentId, Language, LegId, RoomName};
use crate::incident::Behaviour;
use crate::media::{Command, Playlist, Prompt};

/// Of so many people on the line the names are made beforehand: two sentences each, kept while the incident is open.
const NAMES_MAX: usize = 10;
/// So many are told who came in.
const TOLD_MAX: usize = 50;
/// Beyond so many it is said that there are more: every other number would be one more sentence to be made and kept.
const COUNTED_MAX: usize = 10;

impl Switch {
    /// Somebody picked up: what the others may have to hear of them is made now.
    pub(super) fn names_are_made(&mut self, incident: IncidentId) {
        let legs = self.legs.of_incident(incident);
        let up = legs.iter().filter_map(|id| self.legs.get(*id)).filter(|leg| leg.up);
        let people: Vec<ContactId> = up.map(|leg| leg.contact.clone()).take(NAMES_MAX).collect();
        if let Some(case) = self.cases.get_mut(&incident) {
            case.on_the_line.extend(people);
            self.prepare_voices(incident);
        }
    }

    /// Somebody came into a room with others in it: those hear who, and the one who came hears how many there are.
    pub(super) fn announce(&mut self, joined: LegId, room: &RoomName, was_told: bool) {
        let people: Vec<LegId> = self.rooms.people(room).collect();
        if people.len() < 2 {
            return;
        }
        // The two of a hotline know whom they asked for.
        let known = |leg: &&Leg| !matches!(leg.purpose, Purpose::Bridge(_));
        let Some(leg) = self.legs.get(joined).filter(known) else { return };
        let (contact, incident) = (leg.contact.clone(), leg.attempt().map(|attempt| attempt.incident));
        for other in people.iter().copied().filter(|other| *other != joined).take(TOLD_MAX) {
            let Some(leg) = self.legs.get(other).filter(|leg| leg.saying.is_none()) else { continue };
            let case = incident.and_then(|incident| self.cases.get(&incident));
            let named = case.and_then(|case| case.ready(&case.joined_by(&contact, leg.language)?, leg.language));
            let prompt = named.unwrap_or_else(|| self.book.clip(leg.language, Clip::SomebodyJoined));
            self.play_over(other, prompt);
        }
        if let Some(incident) = incident.filter(|_| !was_told) {
            self.tell_how_many(incident, joined, people.len());
        }
    }

    /// How many are in the room, to the one who came; as soon as a voice has said it.
    fn tell_how_many(&mut self, incident: IncidentId, joined: LegId, people: usize) {
        let Some(leg) = self.legs.get_mut(joined) else { return };
        let Some(case) = self.cases.get_mut(&incident) else { return };
        let language = leg.language;
        let text = case.said(&how_many(people, language), language);
        if let Some(prompt) = case.ready(&text, language) {
            return self.play_over(joined, prompt);
        }
        leg.awaits = Some(text.clone());
        if let Entry::Vacant(place) = case.voices.entry((language, text.clone())) {
            place.insert(Voice::Asked);
            self.act(Act::Speak { incident, language, text });
        }
    }

    /// A text was made, or not: whoever waits for it in a room hears it.
    pub(super) fn awaited(&mut self, incident: IncidentId, text: &str, prompt: Option<&Prompt>) {
        for id in self.legs.of_incident(incident) {
            let Some(leg) = self.legs.get_mut(id) else { continue };
            if leg.awaits.take_if(|awaited| awaited == text).is_some()
                && leg.room.is_some()
                && leg.saying.is_none()
                && let Some(prompt) = prompt
            {
                self.play_over(id, prompt.clone());
            }
        }
    }

    /// Plays something over what is heard in the room; nobody is told when it ends.
    pub(super) fn play_over(&mut self, leg: LegId, prompt: Prompt) {
        let play = self.legs.next_play();
        let playlist = Playlist { play, prompts: vec![prompt], forever: false };
        self.act(Act::Media(Command::Play(leg, Box::new(playlist))));
    }
}

impl Case {
    /// Sentences about those on the line that others may come to hear.
    pub(super) fn about_people(&self, language: Language) -> Vec<String> {
        let several = self.on_the_line.len() > 1;
        let takers = self.on_the_line.iter().filter(|_| several);
        let took = takers.filter_map(|contact| self.taken_by_contact(contact, language));
        let may_meet = self.may_meet();
        let came = self.on_the_line.iter().filter(|_| may_meet);
        took.chain(came.filter_map(|contact| self.joined_by(contact, language))).collect()
    }

    /// Who has it, in words.
    pub(super) fn taken_by_contact(&self, contact: &ContactId, language: Language) -> Option<String> {
        let name = self.sayable(contact, language)?;
        let sentence = match language {
            Language::Ja => format!("{name}さんが対応中です。ありがとうございました。"),
            Language::En => format!("{name} has taken it. Thank you."),
        };
        Some(self.said(&sentence, language))
    }

    /// Who came into the room, in words.
    fn joined_by(&self, contact: &ContactId, language: Language) -> Option<String> {
        let name = self.sayable(contact, language)?;
        let sentence = match language {
            Language::Ja => format!("{name}さんが参加しました。"),
            Language::En => format!("{name} has joined."),
        };
        Some(self.said(&sentence, language))
    }

    /// A name that the language can say: an English voice has nothing to say for kanji.
    fn sayable(&self, contact: &ContactId, language: Language) -> Option<&str> {
        let name = self.contact(contact)?.name.as_str();
        (!self.said(name, language).is_empty()).then_some(name)
    }

    /// What was made of these words, if it was.
    pub(super) fn ready(&self, words: &str, language: Language) -> Option<Prompt> {
        match self.voices.get(&(language, words.to_owned())) {
            Some(Voice::Ready(prompt)) => Some(prompt.clone()),
            _ => None,
        }
    }

    /// True where a key or the guidance leads several people into a room.
    fn may_meet(&self) -> bool {
        let people: BTreeSet<&ContactId> =
            self.plan.chain().flat_map(|plan| &plan.contacts).map(|contact| &contact.id).collect();
        if people.len() < 2 {
            return false;
        }
        let mut guidances = self.plan.chain().map(|plan| &plan.guidance);
        guidances.any(|guidance| {
            guidance.room.is_some() || guidance.keys.values().any(|key| key.behaviour == Behaviour::Join)
        })
    }
}

fn how_many(people: usize, language: Language) -> String {
    match language {
        Language::Ja if people > COUNTED_MAX => format!("会議室には、{COUNTED_MAX}人より多くの人がいます。"),
        Language::En if people > COUNTED_MAX => format!("There are more than {COUNTED_MAX} people in the room."),
        Language::Ja => format!("会議室には、あなたを含めて{people}人います。"),
        Language::En => format!("There are {people} people in the room, you among them."),
    }
}
