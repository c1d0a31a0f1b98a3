//! Who stands at the door of a room: those who are being shown out, and those who are asked in and have not come yet; and
//! what waits to be said inside.
//!
//! | state | event | next | does |
//! | --- | --- | --- | --- |
//! | | taken out, or the room is locked | ShownOut | says why |
//! | ShownOut | heard out, or it takes too long | Over | hangs up, with the cause |
//! | | dialled into a room | Ringing | rings |
//! | Ringing | picks up | Asked | asks for a key |
//! | Asked | presses 1 | | into the room |
//! | Ringing, Asked | time | Over | hangs up |
//!
//! Easy to get wrong: a voicemail picks up too, so only a key lets anybody in; and a call whose far end takes no voice
//! hears nothing out, so nobody is waited for for ever.

use core::time::Duration;
use std::collections::BTreeMap;

use super::batch::Act;
use super::desk::Switch;
use super::legs::{Leg, Saying};
use super::prompt_book::Clip;
use super::tell::What;
use crate::base::{Digit, LegId, RoomName, Time};
use crate::incident::Behaviour;
use crate::media::{Command, Playlist, Prompt};
use crate::sip::{Cause, End};

/// So long somebody who is dialled into a room has to pick up and press the key.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);
/// The last words to somebody take no longer.
const LAST_WORDS: Duration = Duration::from_secs(15);
/// The key that lets in.
const KEY: char = '1';

/// Those at the doors.
#[derive(Debug, Default)]
pub(super) struct Doorman {
    leaving: BTreeMap<LegId, Leaving>,
    asked: BTreeMap<LegId, Asked>,
    /// What is to be said in rooms, and when; in the order in which it was asked for.
    to_say: Vec<(Time, RoomName, Prompt)>,
}

/// Somebody to whom the last words are being said.
#[derive(Debug)]
struct Leaving {
    until: Time,
    cause: Cause,
}

/// Somebody who is wanted in a room.
#[derive(Debug)]
struct Asked {
    room: RoomName,
    /// Until when they may come; `None`: it was too late, and their call is being ended.
    until: Option<Time>,
}

impl Doorman {
    pub(super) fn next_deadline(&self) -> Option<Time> {
        let leaving = self.leaving.values().map(|leaving| leaving.until);
        let asked = self.asked.values().filter_map(|asked| asked.until);
        leaving.chain(asked).chain(self.to_say.iter().map(|(at, ..)| *at)).min()
    }

    /// This is to be said in a room then.
    pub(super) fn says(&mut self, at: Time, room: RoomName, prompt: Prompt) {
        self.to_say.push((at, room, prompt));
    }
}

impl Switch {
    /// Says the last words on a leg that is in no room any more, and ends it.
    pub(super) fn show_out(&mut self, now: Time, id: LegId, clip: Clip, cause: Cause) {
        let Some(language) = self.legs.get(id).map(|leg| leg.language) else { return };
        let prompts = vec![self.book.clip(language, clip)];
        self.doorman.leaving.insert(id, Leaving { until: now + LAST_WORDS, cause });
        self.play_at_the_door(id, prompts, false);
    }

    /// The room takes nobody in: whoever comes hears so.
    pub(super) fn turn_away(&mut self, now: Time, id: LegId, room: &RoomName) {
        self.tell_leg(id, What::RoomTurnedAway { room: room.clone(), reason: "the room is locked".to_owned() });
        self.show_out(now, id, Clip::RoomLocked, Cause::Locked);
    }

    /// The last words were heard: the call ends. False when none were being said.
    pub(super) fn shown_out(&mut self, now: Time, id: LegId) -> bool {
        let Some(Leaving { cause, .. }) = self.doorman.leaving.remove(&id) else { return false };
        self.agent.hang_up_because(now, id, cause, &mut self.sip_out);
        true
    }

    /// Are the last words being said to them?
    pub(super) fn is_being_shown_out(&self, id: LegId) -> bool {
        self.doorman.leaving.contains_key(&id)
    }

    /// A leg is over: nobody waits for it at a door.
    pub(super) fn left_the_door(&mut self, id: LegId) {
        self.doorman.leaving.remove(&id);
    }

    /// Somebody is being rung who is wanted in a room.
    pub(super) fn ask_in(&mut self, now: Time, id: LegId, room: RoomName) {
        self.doorman.asked.insert(id, Asked { room, until: Some(now + PATIENCE) });
    }

    /// They picked up, or their voicemail did.
    pub(super) fn invited_answered(&mut self, id: LegId) {
        let Some(language) = self.legs.get(id).map(|leg| leg.language) else { return };
        let key = Digit::from_char(KEY).map(Clip::Press);
        let clips = [Some(Clip::Invited), key, Some(Clip::Do(Behaviour::Join))];
        let prompts = clips.into_iter().flatten().map(|clip| self.book.clip(language, clip)).collect();
        // Until the key comes, or nobody waits for it any more.
        self.play_at_the_door(id, prompts, true);
    }

    /// They pressed a key.
    pub(super) fn invited_pressed(&mut self, now: Time, id: LegId, digit: Digit) {
        if digit.as_char() != KEY || self.doorman.asked.get(&id).is_none_or(|asked| asked.until.is_none()) {
            return;
        }
        if let Some(Asked { room, .. }) = self.doorman.asked.remove(&id) {
            // The question would go on for ever.
            self.act(Act::Media(Command::Hush(id)));
            self.enter_room(now, id, &room, false);
        }
    }

    /// Their call is over; whether they came in or not.
    pub(super) fn invited_ended(&mut self, id: LegId, leg: &Leg, end: &End) {
        let Some(Asked { room, until }) = self.doorman.asked.remove(&id) else { return };
        let late = until.is_none().then(|| "no key was pressed in time".to_owned());
        let reason = leg.fault.clone().or(late).unwrap_or_else(|| end.reason.clone());
        let what = What::RoomMissed { room, code: end.code, reason };
        self.tell(None, None, Some(leg.contact.clone()), what);
    }

    /// Nobody is waited for any longer; and what is to be said is said.
    pub(super) fn doorman_wakes(&mut self, now: Time) {
        let leaving = self.doorman.leaving.iter().filter(|(_, leaving)| leaving.until <= now).map(|(id, _)| *id);
        for id in leaving.collect::<Vec<_>>() {
            self.shown_out(now, id);
        }
        let mut late = Vec::new();
        for (id, asked) in &mut self.doorman.asked {
            late.extend(asked.until.take_if(|until| *until <= now).map(|_| *id));
        }
        late.into_iter().for_each(|id| self.agent.hang_up(now, id, &mut self.sip_out));
        for (_, room, prompt) in self.doorman.to_say.extract_if(.., |(at, ..)| *at <= now).collect::<Vec<_>>() {
            for leg in self.rooms.people(&room).collect::<Vec<_>>() {
                self.play_over(leg, prompt.clone());
            }
        }
    }

    fn play_at_the_door(&mut self, id: LegId, prompts: Vec<Prompt>, forever: bool) {
        let play = self.legs.next_play();
        if let Some(leg) = self.legs.get_mut(id) {
            leg.saying = Some(Saying { play, rest: Vec::new() });
        }
        self.act(Act::Media(Command::Play(id, Box::new(Playlist { play, prompts, forever }))));
    }
}
