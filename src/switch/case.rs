//! One open incident as the corridor sees it: the machine, its record, and the prompts made for it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::reception_desk::is_recording;
use crate::base::{Calendar, ContactId, Language, Phone, Stamp, Time};
use crate::incident::{Contact, Fact, Incident, Plan, RECORDING, Record, Taker, Trigger};
use crate::media::Prompt;
use crate::phrase::{Dictionary, Filled, Form, Listener, fill};

/// Of the messages of a bundle, so many are spoken.
const MESSAGES_MAX: usize = 3;

/// How far a text is on its way to being heard.
#[derive(Debug)]
pub(super) enum Voice {
    /// A voice works on it.
    Asked,
    /// It can be played.
    Ready(Prompt),
    /// No voice could speak it: the recorded prompt stands in.
    Failed,
}

#[derive(Debug)]
pub(super) struct Case {
    pub(super) incident: Incident,
    pub(super) record: Record,
    pub(super) trigger: Trigger,
    /// What it began with; [`Incident::plan`] is what it has come to.
    pub(super) plan: Plan,
    /// The Call-ID of every attempt that was dialled.
    pub(super) call_ids: BTreeMap<u32, String>,
    pub(super) voices: BTreeMap<(Language, String), Voice>,
    /// Those who picked up so far, for what others may come to hear of them.
    pub(super) on_the_line: BTreeSet<ContactId>,
    /// How words are said.
    dictionary: Arc<Dictionary>,
    /// Names of parameters that a text wanted and nobody brought, once they were told.
    pub(super) told_missing: BTreeSet<String>,
    /// Why voices failed, once it was told.
    pub(super) told_failed: BTreeSet<String>,
    /// A call was dialled without its message, because no voice had made it in time: no other waits for it.
    pub(super) voice_was_late: bool,
    /// Who took it, while somebody on the line may have to hear so.
    pub(super) taker: Option<Taker>,
    /// The deadline under which the case stands in the index.
    pub(super) deadline: Option<Time>,
    /// Set after a restart: do not dial before the former life's calls are gone.
    pub(super) resumes_at: Option<Time>,
}

impl Case {
    pub(super) fn new(incident: Incident, trigger: Trigger, plan: Plan, dictionary: Arc<Dictionary>) -> Case {
        Case {
            incident,
            record: Record::new(),
            trigger,
            plan,
            call_ids: BTreeMap::new(),
            voices: BTreeMap::new(),
            on_the_line: BTreeSet::new(),
            dictionary,
            told_missing: BTreeSet::new(),
            told_failed: BTreeSet::new(),
            voice_was_late: false,
            taker: None,
            deadline: None,
            resumes_at: None,
        }
    }

    pub(super) fn contact(&self, id: &ContactId) -> Option<&Contact> {
        self.plan.contact(id)
    }

    pub(super) fn apply(&mut self, at: Stamp, fact: &Fact) {
        self.record.apply(at, fact);
    }

    /// Every text somebody may have to hear, in words, a language each.
    pub(super) fn texts(&self, calendar: &dyn Calendar) -> Vec<(Language, String)> {
        let mut texts = Vec::new();
        for listener in self.listeners(calendar) {
            let language = listener.language;
            let keys = self.plan.chain().flat_map(|plan| plan.guidance.keys.values());
            let said = keys.filter_map(|key| key.say.as_deref()).map(|text| self.words(text, &listener));
            let taker = self.taker.as_ref().and_then(|who| self.taken_by(who, language));
            let people = self.about_people(language);
            for text in self.messages(&listener).into_iter().chain(said).chain(taker).chain(people) {
                if !text.is_empty() && !texts.contains(&(language, text.clone())) {
                    texts.push((language, text));
                }
            }
        }
        texts
    }

    /// Everybody who may be called, once for each language and each clock.
    fn listeners<'a>(&'a self, calendar: &'a dyn Calendar) -> Vec<Listener<'a>> {
        let people = self.plan.chain().flat_map(|plan| &plan.contacts);
        let kinds: BTreeSet<(Language, &str)> =
            people.map(|contact| (contact.language, contact.hours.zone.as_str())).collect();
        kinds.into_iter().map(|(language, zone)| Listener { language, zone, calendar }).collect()
    }

    /// How this person is spoken to.
    pub(super) fn listener<'a>(
        &'a self,
        contact: &ContactId,
        language: Language,
        calendar: &'a dyn Calendar,
    ) -> Listener<'a> {
        let zone = self.contact(contact).map_or("", |contact| contact.hours.zone.as_str());
        Listener { language, zone, calendar }
    }

    /// What happened, in words: of each alert that is not over, the first few that differ.
    pub(super) fn messages(&self, listener: &Listener<'_>) -> Vec<String> {
        let template = self.incident.plan().guidance.message.get(&listener.language);
        let mut messages = Vec::new();
        // Its words are made before it is accepted.
        let new = self.record.trigger.is_none().then_some(&self.trigger);
        for trigger in self.record.alerts().chain(new) {
            let text = trigger.message.as_ref().or(template).map(|text| self.message(trigger, text, listener));
            messages.extend(text.filter(|text| !text.is_empty() && !messages.contains(text)));
            if messages.len() == MESSAGES_MAX {
                break;
            }
        }
        messages
    }

    /// The words of a message that says itself what the keys do, where one is said.
    pub(super) fn explains_keys(&self, listener: &Listener<'_>) -> Option<String> {
        let guidance = &self.incident.plan().guidance;
        let template =
            guidance.message.get(&listener.language).filter(|_| guidance.explains_keys && !guidance.challenge)?;
        let mut alerts = self.record.alerts();
        let text = self.message(alerts.find(|trigger| trigger.message.is_none())?, template, listener);
        self.messages(listener).contains(&text).then_some(text)
    }

    /// The recording that is played where these words would be spoken, if there is one.
    pub(super) fn recording_of(&self, words: &str, language: Language, calendar: &dyn Calendar) -> Option<String> {
        let mut listeners = self.listeners(calendar);
        listeners.retain(|listener| listener.language == language);
        let new = self.record.trigger.is_none().then_some(&self.trigger);
        let says = |trigger: &&Trigger| {
            let recorded = trigger.parameters.contains_key(RECORDING);
            let message = trigger.message.as_ref().filter(|_| recorded);
            message.is_some_and(|message| listeners.iter().any(|who| self.message(trigger, message, who) == words))
        };
        let file = self.record.alerts().chain(new).filter(says).find_map(|trigger| trigger.parameters.get(RECORDING));
        file.filter(|file| is_recording(file)).cloned()
    }

    /// A text with the parameters of the trigger, in words.
    pub(super) fn words(&self, text: &str, listener: &Listener<'_>) -> String {
        self.message(&self.trigger, text, listener)
    }

    /// A sentence of ours, in words.
    pub(super) fn said(&self, sentence: &str, language: Language) -> String {
        self.dictionary.spoken(sentence, language)
    }

    fn message(&self, trigger: &Trigger, text: &str, listener: &Listener<'_>) -> String {
        let parameters = listener.parameters(&trigger.parameters);
        let Filled { text, .. } = fill(text, Form::Spoken, listener.language, &parameters);
        self.dictionary.spoken_to(&text, listener)
    }

    /// Parameters that the texts want and the trigger does not bring, of which nobody was told.
    pub(super) fn missing(&mut self) -> Vec<String> {
        let guidances = self.plan.chain().map(|plan| &plan.guidance);
        let written = self.trigger.message.is_none();
        let speaks = |language: &Language| {
            self.plan.chain().flat_map(|plan| &plan.contacts).any(|contact| contact.language == *language)
        };
        let texts = guidances.flat_map(|guidance| {
            let heard = guidance.message.iter().filter(|(language, _)| written && speaks(language));
            let messages = heard.map(|(language, text)| (*language, text));
            let says = guidance.keys.values().filter_map(|key| Some((Language::default(), key.say.as_ref()?)));
            messages.chain(says)
        });
        let own = self.trigger.message.iter().map(|text| (Language::default(), text));
        let fills =
            texts.chain(own).map(|(language, text)| fill(text, Form::Spoken, language, &self.trigger.parameters));
        let missing: Vec<String> = fills.flat_map(|filled| filled.missing).collect();
        missing.into_iter().filter(|name| self.told_missing.insert(name.clone())).collect()
    }

    /// Who took it, in words; `None` for somebody without a name.
    pub(super) fn taken_by(&self, who: &Taker, language: Language) -> Option<String> {
        let sentence = match (who, language) {
            (Taker::Contact(id), _) => return self.taken_by_contact(id, language),
            (Taker::Outside(by), _) if by == "control" => return None,
            // The name may be a person's or a tool's.
            (Taker::Outside(by), Language::Ja) => format!("電話以外で、{by}から連絡がありました。"),
            (Taker::Outside(by), Language::En) => format!("It was taken without a call, by {by}."),
        };
        Some(self.said(&sentence, language))
    }

    /// A phone of `contact`, for the record of a call that came from them.
    pub(super) fn phone_of(&self, contact: &ContactId) -> Option<Phone> {
        self.contact(contact)?.phones.first().cloned()
    }
}
