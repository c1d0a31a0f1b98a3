//! One open incident as the corridor sees it: the machine, its record, and the prompts made for it.

use std::collections::BTreeMap;

use crate::base::{ContactId, Language, Phone, Stamp, Time};
use crate::incident::{Contact, Fact, Incident, Line, Plan, Record, Trigger};
use crate::media::Prompt;

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
    pub(super) plan: Plan,
    /// The Call-ID of every attempt that was dialled.
    pub(super) call_ids: BTreeMap<u32, String>,
    pub(super) voices: BTreeMap<(Language, String), Voice>,
    /// The deadline under which the case stands in the index.
    pub(super) deadline: Option<Time>,
    /// Set after a restart: do not dial before the former life's calls are gone.
    pub(super) resumes_at: Option<Time>,
}

impl Case {
    pub(super) fn new(incident: Incident, trigger: Trigger, plan: Plan) -> Case {
        Case {
            incident,
            record: Record::new(),
            trigger,
            plan,
            call_ids: BTreeMap::new(),
            voices: BTreeMap::new(),
            deadline: None,
            resumes_at: None,
        }
    }

    pub(super) fn contact(&self, id: &ContactId) -> Option<&Contact> {
        self.plan.contacts.iter().find(|contact| contact.id == *id)
    }

    pub(super) fn apply(&mut self, at: Stamp, fact: &Fact) {
        self.record.apply(at, fact);
    }

    /// What `line` says in words, where it is a text and no recorded prompt.
    pub(super) fn text_of(&self, line: &Line, language: Language) -> Option<String> {
        match line {
            Line::Message => self.message(language),
            Line::Text(text) => Some(filled(text, &self.trigger.parameters)),
            _ => None,
        }
    }

    /// Every text somebody may have to hear, a language each: spoken before anybody is rung.
    pub(super) fn texts(&self) -> Vec<(Language, String)> {
        let mut texts = Vec::new();
        for language in Language::ALL {
            if !self.plan.contacts.iter().any(|contact| contact.language == language) {
                continue;
            }
            let said = self.plan.guidance.keys.values().filter_map(|key| key.say.as_deref());
            let said = said.map(|text| filled(text, &self.trigger.parameters));
            for text in self.message(language).into_iter().chain(said) {
                if !texts.contains(&(language, text.clone())) {
                    texts.push((language, text));
                }
            }
        }
        texts
    }

    /// A phone of `contact`, for the record of a call that came from them.
    pub(super) fn phone_of(&self, contact: &ContactId) -> Option<Phone> {
        self.contact(contact)?.phones.first().cloned()
    }

    fn message(&self, language: Language) -> Option<String> {
        let template = self.plan.guidance.message.get(&language);
        let text = self.trigger.message.as_ref().or(template)?;
        Some(filled(text, &self.trigger.parameters))
    }
}

/// `text` with every `{{name}}` replaced by the parameter of that name; an unknown one is left out.
fn filled(text: &str, parameters: &BTreeMap<String, String>) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((name, behind)) = after.split_once("}}") else {
            filled.push_str("{{");
            rest = after;
            continue;
        };
        filled.push_str(parameters.get(name.trim()).map_or("", String::as_str));
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_put_where_their_names_stand() {
        let parameters = BTreeMap::from([("host".to_owned(), "db-01".to_owned())]);
        assert_eq!(filled("{{ host }} is down, {{host}}{{x}}.", &parameters), "db-01 is down, db-01.");
        assert_eq!(filled("{{host", &parameters), "{{host");
    }
}
