//! The recorded sentences a call is made of, by name.
//!
//! The corridor says *what* is to be heard, a [`Clip`] in a [`Language`]; the book answers with samples that
//! were decoded at start. It reads no file and makes no voice: the shell hands the samples in.
//!
//! Easy to get wrong: the menu is spoken as [`Clip::Press`] and then [`Clip::Do`], and that order is right
//! in both languages ("Press 1" "to take this incident"; 「1番で」「対応開始、」).

use std::collections::BTreeMap;

use crate::base::{Digit, Language};
use crate::incident::Behaviour;
use crate::media::Prompt;

/// One recorded sentence or half-sentence.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Clip {
    /// Who is calling.
    Intro,
    /// An incident was raised, and its own words cannot be spoken.
    General,
    /// "Press 1"; the first half of one line of the menu.
    Press(Digit),
    /// "to take this incident"; the second half of one line of the menu.
    Do(Behaviour),
    /// This key does nothing here.
    NotAKey,
    /// You have taken it.
    Taken,
    /// It goes to the next person.
    Passed,
    /// You are being put into the room.
    Joining,
    /// Somebody else has it already.
    TakenByAnother,
    /// You are not called again about it.
    Left,
    /// For how many hours?
    HowManyHours,
    /// A number from 1 to 99 is needed.
    NotHours,
    /// A number of hours from 1 to 19, or "hours" alone for 0, behind a [`Clip::Tens`].
    Hours(u8),
    /// "Twenty" (2) to "ninety" (9), in front of a [`Clip::Hours`] below 10.
    Tens(u8),
    /// For that long nobody is called about it.
    Quieted,
    /// Somebody has stopped the calls about it.
    Silenced,
    /// How many alerts there are: 2 to 9, and 10 for all beyond.
    Alerts(u8),
    /// Which PIN does the room have?
    Pin,
    /// No room has this PIN.
    WrongPin,
    /// How to leave a message.
    LeaveMessage,
    /// The message is on its way.
    MessageTaken,
    /// There was nothing to be recorded.
    NoMessage,
    /// No key was pressed; this call ends.
    NoKey,
    /// The incident is over.
    Over,
    /// What was broken works again.
    Resolved,
    /// You are the first in the room.
    Alone,
    /// Somebody came into the room.
    SomebodyJoined,
    /// Somebody wants you in a room.
    Invited,
    /// The room takes nobody in.
    RoomLocked,
    /// You are taken out of the room.
    ShownOut,
    /// The others do not hear you.
    Muted,
    /// The others hear you again.
    Unmuted,
}

/// Every clip that is not one of a key, of a behaviour or of a number.
const PLAIN: [Clip; 27] = [
    Clip::Intro,
    Clip::General,
    Clip::NotAKey,
    Clip::Taken,
    Clip::Passed,
    Clip::Joining,
    Clip::TakenByAnother,
    Clip::Left,
    Clip::HowManyHours,
    Clip::NotHours,
    Clip::Quieted,
    Clip::Silenced,
    Clip::Pin,
    Clip::WrongPin,
    Clip::LeaveMessage,
    Clip::MessageTaken,
    Clip::NoMessage,
    Clip::NoKey,
    Clip::Over,
    Clip::Resolved,
    Clip::Alone,
    Clip::SomebodyJoined,
    Clip::Invited,
    Clip::RoomLocked,
    Clip::ShownOut,
    Clip::Muted,
    Clip::Unmuted,
];

/// File names of [`Clip::Press`], by the number of the digit.
const PRESS: [&str; 16] = [
    "press-0",
    "press-1",
    "press-2",
    "press-3",
    "press-4",
    "press-5",
    "press-6",
    "press-7",
    "press-8",
    "press-9",
    "press-star",
    "press-pound",
    "press-a",
    "press-b",
    "press-c",
    "press-d",
];

/// File names of [`Clip::Hours`], from 0.
const HOURS: [&str; 20] = [
    "hours-0", "hours-1", "hours-2", "hours-3", "hours-4", "hours-5", "hours-6", "hours-7", "hours-8", "hours-9",
    "hours-10", "hours-11", "hours-12", "hours-13", "hours-14", "hours-15", "hours-16", "hours-17", "hours-18",
    "hours-19",
];

/// File names of [`Clip::Tens`], from 2.
const TENS: [&str; 8] = ["tens-2", "tens-3", "tens-4", "tens-5", "tens-6", "tens-7", "tens-8", "tens-9"];

/// File names of [`Clip::Alerts`], from 2.
const ALERTS: [&str; 9] =
    ["alerts-2", "alerts-3", "alerts-4", "alerts-5", "alerts-6", "alerts-7", "alerts-8", "alerts-9", "alerts-many"];

impl Clip {
    /// Every clip.
    pub fn all() -> impl Iterator<Item = Clip> {
        let presses = (0..16).filter_map(Digit::from_event).map(Clip::Press);
        let numbers = (0..20).map(Clip::Hours).chain((2..10).map(Clip::Tens)).chain((2..11).map(Clip::Alerts));
        PLAIN.into_iter().chain(presses).chain(Behaviour::ALL.into_iter().map(Clip::Do)).chain(numbers)
    }

    /// The clips of a number of hours, 1 to 99.
    pub fn of_hours(hours: u32) -> Vec<Clip> {
        match u8::try_from(hours.clamp(1, 99)).unwrap_or(99) {
            hours @ ..20 => vec![Clip::Hours(hours)],
            hours => vec![Clip::Tens(hours / 10), Clip::Hours(hours % 10)],
        }
    }

    /// The name of its recording: `prompts/LANGUAGE/NAME.wav`.
    pub fn name(self) -> &'static str {
        match self {
            Clip::Intro => "intro",
            Clip::General => "general",
            Clip::Press(digit) => PRESS[usize::from(digit.event() & 15)],
            Clip::Do(Behaviour::Take) => "do-take",
            Clip::Do(Behaviour::Next) => "do-next",
            Clip::Do(Behaviour::Join) => "do-join",
            Clip::Do(Behaviour::Repeat) => "do-repeat",
            Clip::Do(Behaviour::Leave) => "do-leave",
            Clip::Do(Behaviour::Quiet) => "do-quiet",
            Clip::Left => "left",
            Clip::HowManyHours => "how-many-hours",
            Clip::NotHours => "not-hours",
            Clip::Hours(hours) => HOURS[usize::from(hours.min(19))],
            Clip::Tens(tens) => TENS[usize::from(tens.clamp(2, 9) - 2)],
            Clip::Quieted => "quieted",
            Clip::Silenced => "silenced",
            Clip::Alerts(alerts) => ALERTS[usize::from(alerts.clamp(2, 10) - 2)],
            Clip::NotAKey => "not-a-key",
            Clip::Taken => "taken",
            Clip::Passed => "passed",
            Clip::Joining => "joining",
            Clip::TakenByAnother => "taken-by-another",
            Clip::Pin => "pin",
            Clip::WrongPin => "wrong-pin",
            Clip::LeaveMessage => "leave-message",
            Clip::MessageTaken => "message-taken",
            Clip::NoMessage => "no-message",
            Clip::NoKey => "no-key",
            Clip::Over => "over",
            Clip::Resolved => "resolved",
            Clip::Alone => "alone",
            Clip::SomebodyJoined => "somebody-joined",
            Clip::Invited => "invited",
            Clip::RoomLocked => "room-locked",
            Clip::ShownOut => "shown-out",
            Clip::Muted => "muted",
            Clip::Unmuted => "unmuted",
        }
    }
}

/// Every clip in every language, and the hold music. Cheap to clone pieces of: a prompt is a shared pointer.
#[derive(Clone, Debug)]
pub struct PromptBook {
    clips: BTreeMap<(Language, Clip), Prompt>,
    hold_music: Prompt,
}

impl PromptBook {
    /// Asks `read` once for every clip in every language; the first error ends it, so that a book that
    /// exists is complete.
    pub fn gather<E>(
        mut read: impl FnMut(Language, Clip) -> Result<Prompt, E>,
        hold_music: Prompt,
    ) -> Result<PromptBook, E> {
        let mut clips = BTreeMap::new();
        for language in Language::ALL {
            for clip in Clip::all() {
                clips.insert((language, clip), read(language, clip)?);
            }
        }
        Ok(PromptBook { clips, hold_music })
    }

    /// The samples of a clip.
    pub fn clip(&self, language: Language, clip: Clip) -> Prompt {
        self.clips.get(&(language, clip)).expect("a book is gathered over every language and every clip").clone()
    }

    /// What the first person in a room hears; it is made to be played round and round.
    pub fn hold_music(&self) -> Prompt {
        self.hold_music.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn numbered() -> PromptBook {
        let mut next = 0;
        let read = |_, _| {
            next += 1;
            Ok::<_, String>(Prompt::from([next]))
        };
        PromptBook::gather(read, Prompt::from([0])).unwrap()
    }

    #[test]
    fn no_two_clips_share_a_recording() {
        let names: BTreeSet<&str> = Clip::all().map(Clip::name).collect();
        assert_eq!(names.len(), Clip::all().count());
        assert_eq!(names.len(), PLAIN.len() + 16 + Behaviour::ALL.len() + 20 + 8 + 9);
    }

    #[test]
    fn a_number_of_hours_is_one_clip_or_two() {
        let names = |hours| Clip::of_hours(hours).into_iter().map(Clip::name).collect::<Vec<_>>();
        assert_eq!(names(1), ["hours-1"]);
        assert_eq!(names(12), ["hours-12"]);
        assert_eq!(names(20), ["tens-2", "hours-0"]);
        assert_eq!(names(99), ["tens-9", "hours-9"]);
        let known: BTreeSet<Clip> = Clip::all().collect();
        assert!((1..100).flat_map(Clip::of_hours).all(|clip| known.contains(&clip)));
    }

    #[test]
    fn every_clip_of_every_language_can_be_looked_up_and_is_its_own() {
        let book = numbered();
        let mut heard = BTreeSet::new();
        for language in Language::ALL {
            for clip in Clip::all() {
                assert!(heard.insert(book.clip(language, clip)[0]), "{language} {clip:?} was heard before");
            }
        }
        assert!(heard.insert(book.hold_music()[0]));
    }

    #[test]
    fn a_book_with_a_missing_clip_is_not_made() {
        let read = |language, clip| match (language, clip) {
            (Language::Ja, Clip::Over) => Err("no recording"),
            _ => Ok(Prompt::from([1])),
        };
        assert_eq!(PromptBook::gather(read, Prompt::from([0])).err(), Some("no recording"));
    }
}
