//! What is said to a callee: lines into prompts of their language.
//!
//! A call is never silent: where a text could not be spoken, a recorded prompt stands in for it.

use super::batch::Act;
use super::case::{Case, Voice};
use super::desk::Switch;
use super::legs::Saying;
use super::prompt_book::{Clip, PromptBook};
use crate::base::{IncidentId, Language, LegId, Time};
use crate::incident::{Behaviour, Line};
use crate::media::{Command, Playlist, Prompt};

impl Switch {
    /// Has every text of an incident spoken, before anybody is rung.
    pub(super) fn prepare_voices(&mut self, incident: IncidentId) {
        let Some(case) = self.cases.get_mut(&incident) else { return };
        for (language, text) in case.texts() {
            case.voices.insert((language, text.clone()), Voice::Asked);
            self.batch.acts.push(Act::Speak { incident, language, text });
        }
    }

    /// Plays lines on a leg, instead of whatever is playing.
    ///
    /// Where a text among them is still being spoken, what stands before it is played first; that is time
    /// enough for most voices.
    pub(super) fn say(&mut self, incident: IncidentId, id: LegId, mut lines: Vec<Line>) {
        let play = self.legs.next_play();
        let Some(case) = self.cases.get(&incident) else { return };
        let Some(leg) = self.legs.get_mut(id) else { return };
        let language = leg.language;
        let unready = lines.iter().position(|line| is_asked(case, line, language)).filter(|place| *place > 0);
        let rest = unready.map_or_else(Vec::new, |place| lines.split_off(place));
        let mut prompts: Vec<_> = lines.iter().flat_map(|line| prompts(case, &self.book, line, language)).collect();
        if lines.contains(&Line::Joining) && self.rooms.people(case.incident.room()).is_empty() {
            prompts.push(self.book.clip(language, Clip::Alone));
        }
        leg.saying = Some(Saying { play, rest });
        self.act(Act::Media(Command::Play(id, Box::new(Playlist { play, prompts, forever: false }))));
    }

    /// A playlist was heard out: what was left of the lines follows, or the incident is told.
    pub(super) fn heard_out(&mut self, now: Time, id: LegId, play: u32) {
        let Some(leg) = self.legs.get_mut(id) else { return };
        let Some(saying) = leg.saying.take_if(|saying| saying.play == play) else { return };
        let Some(attempt) = leg.attempt() else { return };
        if saying.rest.is_empty() {
            self.with_incident(attempt.incident, |incident, out| incident.on_said(now, attempt.number, out));
        } else {
            self.say(attempt.incident, id, saying.rest);
        }
    }
}

fn is_asked(case: &Case, line: &Line, language: Language) -> bool {
    let text = case.text_of(line, language);
    text.is_some_and(|text| matches!(case.voices.get(&(language, text)), Some(Voice::Asked)))
}

fn prompts(case: &Case, book: &PromptBook, line: &Line, language: Language) -> Vec<Prompt> {
    if let Some(text) = case.text_of(line, language)
        && let Some(Voice::Ready(prompt)) = case.voices.get(&(language, text))
    {
        return vec![prompt.clone()];
    }
    let clips = match line {
        Line::Intro => vec![Clip::Intro],
        Line::Message => vec![Clip::General],
        Line::Menu => menu(case),
        Line::NotAKey => vec![Clip::NotAKey],
        Line::Taken => vec![Clip::Taken],
        Line::Passed => vec![Clip::Passed],
        Line::Joining => vec![Clip::Joining],
        Line::TakenByAnother(_) => vec![Clip::TakenByAnother],
        Line::NoKey => vec![Clip::NoKey],
        Line::Over => vec![Clip::Over],
        Line::Text(text) => vec![stand_in(case, text)],
    };
    clips.into_iter().map(|clip| book.clip(language, clip)).collect()
}

/// "Press 1" "to take this incident", a pair a key.
fn menu(case: &Case) -> Vec<Clip> {
    let keys = case.plan.guidance.keys.iter();
    keys.flat_map(|(digit, key)| [Clip::Press(*digit), Clip::Do(key.behaviour)]).collect()
}

/// What is recorded for the key whose own text could not be spoken.
fn stand_in(case: &Case, text: &str) -> Clip {
    let key = case.plan.guidance.keys.values().find(|key| key.say.as_deref() == Some(text));
    match key.map(|key| key.behaviour) {
        Some(Behaviour::Next) => Clip::Passed,
        Some(Behaviour::Join) => Clip::Joining,
        Some(Behaviour::Take) => Clip::Taken,
        Some(Behaviour::Repeat) | None => Clip::General,
    }
}
