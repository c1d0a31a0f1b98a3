//! What is said to a callee: lines into prompts of their language.
//!
//! A call is never silent: where a text could not be spoken, a recorded prompt stands in for it.

use std::collections::btree_map::Entry;

use super::batch::Act;
use super::case::{Case, Voice};
use super::desk::Switch;
use super::legs::{Purpose, Saying};
use super::prompt_book::{Clip, PromptBook};
use super::tell::What;
use crate::base::{IncidentId, Language, LegId, Time};
use crate::incident::{Behaviour, Line, State};
use crate::media::{Command, Playlist, Prompt};
use crate::phrase::Listener;

/// A piece of a line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// Recorded.
    Clip(Clip),
    /// To be spoken; the clip stands in where it cannot be, and nothing does where the clip before has said enough.
    Text(String, Option<Clip>),
    /// Recorded, for when this text could not be spoken.
    Unless(String, Clip),
}

impl Switch {
    /// Has every text of an incident spoken that is not yet: before anybody is rung, and when more has to be said.
    pub(super) fn prepare_voices(&mut self, incident: IncidentId) {
        let Some(case) = self.cases.get_mut(&incident) else { return };
        let calendar = self.calendar.as_ref();
        for (language, text) in case.texts(calendar) {
            let recording = case.recording_of(&text, language, calendar);
            if let Entry::Vacant(place) = case.voices.entry((language, text.clone())) {
                place.insert(Voice::Asked);
                self.batch.acts.push(match recording {
                    Some(file) => Act::Replay { incident, language, text, file },
                    None => Act::Speak { incident, language, text },
                });
            }
        }
        let missing = case.missing();
        if !missing.is_empty() {
            self.tell(Some(incident), None, None, What::VoiceIncomplete { missing });
        }
    }

    /// Says lines on a leg, instead of whatever is playing.
    pub(super) fn say(&mut self, now: Time, incident: IncidentId, id: LegId, lines: &[Line]) {
        let Some(case) = self.cases.get(&incident) else { return };
        let Some(leg) = self.legs.get(id) else { return };
        let listener = case.listener(&leg.contact, leg.language, self.calendar.as_ref());
        let mut parts: Vec<Part> = lines.iter().flat_map(|line| parts(case, line, &listener)).collect();
        if lines.contains(&Line::Message)
            && let Some(text) = case.explains_keys(&listener)
        {
            parts = parts.into_iter().map(|part| unless(&text, part)).collect();
        }
        self.play(now, incident, id, parts);
    }

    /// A playlist was heard out: what was left of the lines follows, or the incident is told.
    pub(super) fn heard_out(&mut self, now: Time, id: LegId, play: u32) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let Some(saying) = leg.saying.take_if(|saying| saying.play == play) else { return };
        if self.shown_out(now, id) {
            return;
        }
        let Some(leg) = self.legs.get(id) else { return };
        match (leg.asking(), &leg.purpose) {
            (Some(attempt), _) => self.play(now, attempt.incident, id, saying.rest),
            (None, Purpose::Reception) => self.reception_said(now, id),
            // What is said to them is of no incident.
            (None, _) => {}
        }
    }

    /// Plays parts on a leg; tells the incident when nothing is left to play.
    ///
    /// Where a text among them is still being spoken, what stands before it is played first; that is time
    /// enough for most voices.
    pub(super) fn play(&mut self, now: Time, incident: IncidentId, id: LegId, mut parts: Vec<Part>) {
        let play = self.legs.next_play();
        let Some(case) = self.cases.get(&incident) else { return };
        let Some(leg) = self.legs.get_mut(id) else { return };
        let language = leg.language;
        let unready = parts.iter().position(|part| is_asked(case, part, language)).filter(|place| *place > 0);
        let rest = unready.map_or_else(Vec::new, |place| parts.split_off(place));
        let prompts: Vec<Prompt> = parts.iter().filter_map(|part| prompt(case, &self.book, part, language)).collect();
        if !prompts.is_empty() {
            leg.saying = Some(Saying { play, rest });
            return self.act(Act::Media(Command::Play(id, Box::new(Playlist { play, prompts, forever: false }))));
        }
        let attempt = leg.asking();
        if let Some(attempt) = attempt.filter(|_| !self.briefed(now, id)) {
            self.with_incident(incident, |incident, out| incident.on_said(now, attempt.number, out));
        }
    }
}

fn is_asked(case: &Case, part: &Part, language: Language) -> bool {
    let (Part::Text(text, _) | Part::Unless(text, _)) = part else { return false };
    matches!(case.voices.get(&(language, text.clone())), Some(Voice::Asked))
}

fn prompt(case: &Case, book: &PromptBook, part: &Part, language: Language) -> Option<Prompt> {
    match part {
        Part::Clip(clip) => Some(book.clip(language, *clip)),
        Part::Text(text, stand_in) => match case.voices.get(&(language, text.clone())) {
            Some(Voice::Ready(prompt)) => Some(prompt.clone()),
            _ => stand_in.map(|clip| book.clip(language, clip)),
        },
        Part::Unless(text, clip) => case.ready(text, language).is_none().then(|| book.clip(language, *clip)),
    }
}

fn parts(case: &Case, line: &Line, listener: &Listener<'_>) -> Vec<Part> {
    let language = listener.language;
    let clip = |clip| vec![Part::Clip(clip)];
    match line {
        Line::Intro => clip(Clip::Intro),
        Line::Message => messages(case, listener),
        // "Press 1" "to take this incident", a pair a key.
        Line::Menu(keys) => {
            let clips = keys.iter().flat_map(|(digit, behaviour)| [Clip::Press(*digit), Clip::Do(*behaviour)]);
            clips.map(Part::Clip).collect()
        }
        Line::NotAKey => clip(Clip::NotAKey),
        Line::Taken => clip(Clip::Taken),
        Line::Passed => clip(Clip::Passed),
        Line::Left => clip(Clip::Left),
        Line::Joining => clip(Clip::Joining),
        Line::HowManyHours => clip(Clip::HowManyHours),
        Line::NotHours => clip(Clip::NotHours),
        Line::Hours(hours) => Clip::of_hours(*hours).into_iter().map(Part::Clip).collect(),
        Line::Quieted => clip(Clip::Quieted),
        Line::TakenByAnother(who) => {
            let named = case.taken_by(who, language);
            match named.as_ref().and_then(|text| case.ready(text, language)) {
                Some(_) => named.into_iter().map(|text| Part::Text(text, Some(Clip::TakenByAnother))).collect(),
                // The recorded words are time enough for most voices.
                None => {
                    let named = named.map(|text| Part::Text(text, None));
                    [Part::Clip(Clip::TakenByAnother)].into_iter().chain(named).collect()
                }
            }
        }
        Line::Silenced => clip(Clip::Silenced),
        Line::NoKey => clip(Clip::NoKey),
        Line::Over if case.record.state == State::Resolved => clip(Clip::Resolved),
        Line::Over => clip(Clip::Over),
        Line::Text(text) => vec![Part::Text(case.words(text, listener), Some(stand_in(case, text)))],
    }
}

/// A piece of the menu, where the message has said it already.
fn unless(text: &str, part: Part) -> Part {
    match part {
        Part::Clip(clip @ (Clip::Press(_) | Clip::Do(_))) => Part::Unless(text.to_owned(), clip),
        part => part,
    }
}

/// What happened; of several alerts how many there are, and the first messages.
pub(super) fn messages(case: &Case, listener: &Listener<'_>) -> Vec<Part> {
    let texts = case.messages(listener);
    let alerts = u8::try_from(case.record.alerts().count()).unwrap_or(u8::MAX);
    let count = (alerts > 1).then_some(Part::Clip(Clip::Alerts(alerts.min(10))));
    let general = texts.is_empty().then_some(Part::Clip(Clip::General));
    // Where there is no voice, it is said once that there is none.
    let stand_in = |place| (place == 0).then_some(Clip::General);
    let spoken = texts.into_iter().enumerate().map(|(place, text)| Part::Text(text, stand_in(place)));
    count.into_iter().chain(spoken).chain(general).collect()
}

/// What is recorded for the key whose own text could not be spoken.
fn stand_in(case: &Case, text: &str) -> Clip {
    let mut keys = case.plan.chain().flat_map(|plan| plan.guidance.keys.values());
    match keys.find(|key| key.say.as_deref() == Some(text)).map(|key| key.behaviour) {
        Some(Behaviour::Next) => Clip::Passed,
        Some(Behaviour::Join) => Clip::Joining,
        Some(Behaviour::Take) => Clip::Taken,
        Some(Behaviour::Leave) => Clip::Left,
        Some(Behaviour::Quiet) => Clip::Quieted,
        Some(Behaviour::Repeat) | None => Clip::General,
    }
}
