//! What a person feels: how soon somebody speaks after they picked up, and how soon a key does something.

use crate::clock::{MS, Nanos, now};
use crate::daemon::{ANNA, BERT, Daemon, LIMIT, is_end};
use crate::phone::{Phones, Pressed, Way};
use crate::stats::Sorted;
use crate::table::Row;
use crate::trunk::{Heard, Town, Voice};
use crate::voice::{has_sound, is_confirmation, silent_frames_of_the_greeting};
use crate::witness::Witness;
use crate::{Effort, Result};

/// The phone rings that long, so that every voice is ready before anybody picks up.
const RINGS: Nanos = 250 * MS;
/// A key is pressed that long after the answer, in the middle of the greeting.
const LISTENS: Nanos = 400 * MS;

/// What one call showed.
#[derive(Clone, Copy)]
struct Seen {
    way: Way,
    /// When the ACK came.
    acked: Nanos,
    /// From the ACK to the first packet of the greeting, and to the first that can be heard.
    prompt: Nanos,
    sound: Nanos,
    /// From the begin and from the end of the key to the first packet of the confirmation.
    from_begin: Nanos,
    from_end: Nanos,
    /// From the end of the key `next` to the INVITE to the next person.
    invite: Option<Nanos>,
}

pub fn measure(effort: &Effort, daemon: &mut Daemon, town: &mut Town) -> Result<Vec<Row>> {
    let phones = Phones::new(town.mouth()?);
    let head = silent_frames_of_the_greeting(hansho::base::Language::En)?;
    let mut seen = Vec::new();
    let witness = Witness::start();
    for count in 0..effort.calls {
        for (way, key) in [(Way::Event, '1'), (Way::Event, '2'), (Way::Tone, '1'), (Way::Tone, '2')] {
            // Where in hansho's 20 ms the key falls is spread evenly.
            let spread = (count as Nanos * 7 % 20) * MS;
            seen.push(one(daemon, town, &phones, head, (way, key, LISTENS + spread))?);
        }
    }
    let stalls = witness.stop();
    let all = |what: fn(&Seen) -> Nanos| Sorted::new(seen.iter().map(what).collect());
    let by = |way: Way, what: fn(&Seen) -> Nanos| {
        Sorted::new(seen.iter().filter(|seen| seen.way == way).map(what).collect())
    };
    let prompt = all(|seen| seen.prompt)?;
    // A greeting that waited while a core stood still, less that time.
    let awake = |seen: &Seen| seen.prompt - stalls.longest_within(seen.acked, seen.acked + seen.prompt);
    let awake = Sorted::new(seen.iter().map(awake).collect())?;
    let mut rows = vec![
        Row::new("ACK to the first prompt packet", prompt.whole()).bar("< 40 ms", prompt.max() < 40 * MS),
        Row::new("… less what the machine stood still", awake.whole())
            .beside(format!("a core stood still {}", stalls.summary()))
            .bar("< 40 ms", awake.max() < 40 * MS),
        Row::new("ACK to the first sound in it", all(|seen| seen.sound)?.whole())
            .beside(format!("the recording begins with {} ms of silence", head * 20)),
    ];
    for (way, name) in [(Way::Event, "RFC 4733"), (Way::Tone, "in-band")] {
        let end = by(way, |seen| seen.from_end)?;
        rows.push(
            Row::new(format!("key end ({name}) to the next prompt"), end.whole())
                .beside(format!("from its begin: {}", by(way, |seen| seen.from_begin)?.middle_and_tail()))
                .bar("< 60 ms", end.max() < 60 * MS),
        );
    }
    let invite = Sorted::new(seen.iter().filter_map(|seen| seen.invite).collect())?;
    rows.push(
        Row::new("key `next` end to the next INVITE", invite.whole())
            .beside("who pressed it hears the confirmation meanwhile")
            .bar("< 60 ms", invite.max() < 60 * MS),
    );
    Ok(rows)
}

/// One incident: Anna is called, listens, and presses the key; after `next` Bert is called and is busy.
fn one(
    daemon: &mut Daemon,
    town: &mut Town,
    phones: &Phones,
    head: usize,
    (way, key, listens): (Way, char, Nanos),
) -> Result<Seen> {
    let raised = daemon.trigger("pair")?;
    let anna = town.is_called(ANNA)?;
    town.reply(anna, 180)?;
    town.rest(RINGS)?;
    let (media, event_type) = (town.call(anna).media, town.call(anna).event_type);
    town.answer(anna)?;
    phones.speak(media, event_type)?;

    let mut voices: Vec<Box<Voice>> = Vec::with_capacity(256);
    let (mut acked, mut press_at, mut pressed): (_, _, Option<Pressed>) = (None, None, None);
    let (mut invite, mut gone, mut over) = (None, false, false);
    let until = now() + LIMIT;
    while !(gone && over && pressed.is_some()) {
        if now() > until {
            return Err(format!(
                "a call with key {key} ({way:?}) did not end (ACK: {}, key: {}, BYE: {gone}, incident: {over})",
                acked.is_some(),
                pressed.is_some()
            ));
        }
        match town.next(now() + 2 * MS)? {
            Some(Heard::Ack(call, at)) if call == anna && acked.is_none() => {
                acked = Some(at);
                press_at = Some(at + listens);
            }
            Some(Heard::Voice(voice)) if voice.port == media.port() => voices.push(voice),
            Some(Heard::Invite(call)) if town.call(call).number == BERT => {
                invite = Some(town.call(call).invited_at);
                town.reply(call, 486)?;
            }
            Some(Heard::Ended(call)) if call == anna => gone = true,
            _ => {}
        }
        if press_at.is_some_and(|at| at <= now()) {
            press_at = None;
            phones.press(media, key, way)?;
        }
        pressed = pressed.or_else(|| phones.pressed());
        while let Some(event) = daemon.event() {
            over |= is_end(&event, &raised.incident);
        }
    }
    phones.hush(media)?;
    let (acked, pressed) = acked.zip(pressed).ok_or("a call without an answer or a key")?;
    let sound = voices.iter().find(|voice| has_sound(&voice.frame)).ok_or("the greeting was never heard")?;
    let begins = sound.header.timestamp.wrapping_sub(head as u32 * 160);
    // At or behind it: a tick that came late was skipped, and its packet with it.
    let prompt = voices.iter().find(|voice| voice.header.timestamp.wrapping_sub(begins).cast_signed() >= 0);
    let prompt = prompt.ok_or("the greeting has no beginning")?;
    let confirmed = voices.iter().find(|voice| voice.at > pressed.begin && is_confirmation(&voice.frame));
    let confirmed = confirmed.ok_or("the confirmation was never heard")?.at;
    Ok(Seen {
        way,
        acked,
        prompt: prompt.at - acked,
        sound: sound.at - acked,
        from_begin: confirmed - pressed.begin,
        from_end: confirmed - pressed.end,
        invite: invite.map(|at| at - pressed.end),
    })
}
