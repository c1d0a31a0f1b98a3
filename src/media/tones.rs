//! Keys in the voice itself: the in-band DTMF detector (ITU-T Q.23, Q.24).
//!
//! Every 5 ms the last 20 ms are looked at. They are a hit when one low and one high tone carry nearly all the
//! energy, are about equally loud, and both stand within 2 % of their frequency. Four hits in a row of one
//! key are a press (25 to 30 ms of tone: 40 ms is always heard, 23 ms never), and seven misses in a row
//! are its end (a lost packet of 20 ms does not split a press, a pause of 40 ms does).
//!
//! A voice now and then holds two such tones, but not alone, and not steadily: that is why nearly all of the
//! energy must be in them, and why their frequency and level must stand still from one window to the next.
//!
//! Silence is not looked at: below the gate a hop costs its energy and nothing else.

use crate::audio::goertzel::{Bank, HOP, HOPS, Spectrum, TONES, WINDOW, nominal_hz};
use crate::audio::level;
use crate::base::Digit;

/// Each tone must be this loud, in dBm0 (Q.24: -24 to -29 must be heard, -55 must not).
const TONE_DBM0_MIN: f32 = -38.0;
/// How much louder the high tone may be, in decibels (Q.24 asks for 4).
const TWIST_DB_MAX: f32 = 8.0;
/// How much quieter the high tone may be, in decibels (Q.24 asks for 8).
const TWIST_DB_MIN: f32 = -10.5;
/// What part of the energy must be in the two tones.
const SHARE_MIN: f32 = 0.76;
/// The same while a press already lasts.
const SHARE_MIN_HELD: f32 = 0.55;
/// How far off a tone may be, as a part of its frequency (Q.24: 1.5 % must be heard, 3.5 % must not).
const OFFSET_MAX: f32 = 0.015;
/// What comes on top of it: how well 5 ms tell a frequency, in hertz.
const OFFSET_HZ_MAX: f32 = 5.0;
/// By how much the level may change between two hits of one press, in decibels.
const UNSTEADY_DB_MAX: f32 = 4.0;
/// Hits that make a press.
const HITS: u32 = 4;
/// Misses that end it.
const MISSES: u32 = 7;
/// How much of the window a tone fills when it is first, and last, seen: 15 ms.
const SEEN: i64 = 120;

/// What the detector heard.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Tone {
    /// A key went down.
    Began {
        /// Which.
        digit: Digit,
        /// Where the tone began.
        at: i64,
    },
    /// The key went up.
    Ended(Press),
}

/// One press, when it is over.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Press {
    /// Which key.
    pub digit: Digit,
    /// Where the tone began, in samples.
    pub at: i64,
    /// How many samples it lasted.
    pub length: i64,
    /// The level of both tones together.
    pub level_dbm0: f32,
    /// How much louder the high tone is than the low one.
    pub twist_db: f32,
}

/// Every press in a recording of 8,000 samples a second. This allocates; a leg has a [`Detector`].
pub fn presses(samples: &[i16]) -> Vec<Press> {
    let (bank, mut detector) = (Bank::new(), Detector::new());
    let (hops, rest) = samples.as_chunks::<HOP>();
    let mut last = [0; HOP];
    last[..rest.len()].copy_from_slice(rest);
    // Silence behind it, so that a press in its last moment ends as well.
    let behind = [[0; HOP]; MISSES as usize];
    let hops = hops.iter().chain([&last]).chain(&behind);
    let ended = |(place, hop)| match detector.on_voice(place, hop, &bank) {
        Some(Tone::Ended(press)) => Some(press),
        _ => None,
    };
    (0..).step_by(HOP).zip(hops).filter_map(ended).collect()
}

/// The detector of one leg.
#[derive(Clone, Debug)]
pub struct Detector {
    hops: [Spectrum; HOPS],
    energies: [f32; HOPS],
    /// The window before this one.
    before: Spectrum,
    /// Hops in a row that were below the gate.
    quiet: u32,
    state: State,
}

/// Where the detector stands.
#[derive(Clone, Copy, Debug)]
enum State {
    Idle,
    /// Hits, but not yet enough of them.
    Rising {
        hit: Hit,
        hits: u32,
        at: i64,
    },
    /// A key is down.
    Down {
        best: Hit,
        at: i64,
        last: i64,
        misses: u32,
    },
}

/// One window that holds a key.
#[derive(Clone, Copy, Debug)]
struct Hit {
    digit: Digit,
    low: f32,
    high: f32,
}

impl Detector {
    /// A detector that has heard nothing yet.
    pub fn new() -> Detector {
        Detector {
            hops: [Spectrum::default(); HOPS],
            energies: [0.0; HOPS],
            before: Spectrum::default(),
            quiet: HOPS as u32,
            state: State::Idle,
        }
    }

    /// Is a key down, or about to be?
    pub fn hears_a_key(&self) -> bool {
        !matches!(self.state, State::Idle)
    }

    /// The next 5 ms, which begin at `place`.
    pub fn on_voice(&mut self, place: i64, samples: &[i16; HOP], bank: &Bank) -> Option<Tone> {
        let energy = level::energy(samples);
        // Half the quietest tone a hop: the edge of a press must not fall below the gate.
        if energy < gate() {
            return self.on_silence(place);
        }
        self.quiet = 0;
        self.push(bank.hop(samples), energy);
        let window = bank.window([&self.hops[0], &self.hops[1], &self.hops[2], &self.hops[3]]);
        let hit = self.judge(&window, bank);
        self.before = window;
        self.on_window(place, hit)
    }

    /// The next 5 ms, which begin at `place`, hold nothing.
    pub fn on_silence(&mut self, place: i64) -> Option<Tone> {
        self.quiet = self.quiet.saturating_add(1);
        if self.quiet <= HOPS as u32 {
            self.push(Spectrum::default(), 0.0);
            self.before = Spectrum::default();
        }
        self.on_window(place, None)
    }

    fn push(&mut self, hop: Spectrum, energy: f32) {
        self.hops.rotate_left(1);
        self.energies.rotate_left(1);
        self.hops[HOPS - 1] = hop;
        self.energies[HOPS - 1] = energy;
    }

    fn judge(&self, window: &Spectrum, bank: &Bank) -> Option<Hit> {
        let total = self.energies.iter().sum::<f32>() / WINDOW as f32;
        let (low, high) = (loudest(window, 0), loudest(window, TONES / 2));
        // Cheap and usually decisive: even a tone at the edge of its band is seen at a third of its power.
        let seen = window.magnitude(low) + window.magnitude(high);
        if seen * (2.0 / (WINDOW * WINDOW) as f32) < total * SHARE_MIN_HELD * 0.33 {
            return None;
        }
        let offsets = (bank.offset_hz(low, &self.before, window), bank.offset_hz(high, &self.before, window));
        if !in_band(low, offsets.0) || !in_band(high, offsets.1) {
            return None;
        }
        let powers = (window.power(low, offsets.0), window.power(high, offsets.1));
        let held = matches!(self.state, State::Down { .. });
        let share = if held { SHARE_MIN_HELD } else { SHARE_MIN };
        let quietest = level::from_dbm0(TONE_DBM0_MIN);
        let twist_db = 10.0 * (powers.1 / powers.0.max(1.0)).max(1e-6).log10();
        let fits = powers.0 + powers.1 >= share * total
            && powers.0.min(powers.1) >= quietest
            && (TWIST_DB_MIN..=TWIST_DB_MAX).contains(&twist_db);
        fits.then(|| Hit { digit: key_of(low, high), low: powers.0, high: powers.1 })
    }

    fn on_window(&mut self, place: i64, hit: Option<Hit>) -> Option<Tone> {
        let end = place + HOP as i64;
        match (self.state, hit) {
            (State::Idle, None) => None,
            (State::Rising { .. }, None) => {
                self.state = State::Idle;
                None
            }
            (State::Idle, Some(hit)) => {
                self.state = State::Rising { hit, hits: 1, at: end - SEEN };
                None
            }
            (State::Rising { hit: before, hits, at }, Some(hit)) => {
                if before.digit != hit.digit || unsteady(&before, &hit, hits) {
                    self.state = State::Rising { hit, hits: 1, at: end - SEEN };
                    return None;
                }
                if hits + 1 < HITS {
                    self.state = State::Rising { hit, hits: hits + 1, at };
                    return None;
                }
                self.state = State::Down { best: hit, at, last: end, misses: 0 };
                Some(Tone::Began { digit: hit.digit, at })
            }
            (State::Down { best, at, .. }, Some(hit)) if hit.digit == best.digit => {
                let best = if hit.low + hit.high > best.low + best.high { hit } else { best };
                self.state = State::Down { best, at, last: end, misses: 0 };
                None
            }
            // Another key is a miss of this one, and the beginning of its own press.
            (State::Down { best, at, last, misses }, other) => {
                if misses + 1 < MISSES {
                    self.state = State::Down { best, at, last, misses: misses + 1 };
                    return None;
                }
                self.state = match other {
                    Some(hit) => State::Rising { hit, hits: HITS - 1, at: end - SEEN - (HITS as i64 - 2) * HOP as i64 },
                    None => State::Idle,
                };
                Some(Tone::Ended(press(&best, at, last)))
            }
        }
    }
}

impl Default for Detector {
    fn default() -> Self {
        Detector::new()
    }
}

fn press(best: &Hit, at: i64, last: i64) -> Press {
    let length = (last - WINDOW as i64 + SEEN - at).max(HOP as i64);
    let level_dbm0 = level::dbm0(best.low + best.high);
    let twist_db = level::dbm0(best.high) - level::dbm0(best.low);
    Press { digit: best.digit, at, length, level_dbm0, twist_db }
}

/// The energy below which a hop is silence: a quarter of the two quietest tones.
fn gate() -> f32 {
    // from_dbm0(-38 dBm0) is about 41,600 in mean square units of 16-bit samples.
    const QUIETEST: f32 = 41_000.0;
    QUIETEST * HOP as f32 / 2.0
}

fn loudest(window: &Spectrum, first: usize) -> usize {
    (first..first + TONES / 2)
        .fold(first, |best, t| if window.magnitude(t) > window.magnitude(best) { t } else { best })
}

fn in_band(tone: usize, offset_hz: f32) -> bool {
    offset_hz.abs() <= nominal_hz(tone) as f32 * OFFSET_MAX + OFFSET_HZ_MAX
}

/// The first hits still see the tone come in and are not held to it.
fn unsteady(before: &Hit, now: &Hit, hits: u32) -> bool {
    let change = |a: f32, b: f32| (10.0 * (a / b.max(1.0)).max(1e-6).log10()).abs();
    hits > 1 && (change(before.low, now.low) > UNSTEADY_DB_MAX || change(before.high, now.high) > UNSTEADY_DB_MAX)
}

fn key_of(low: usize, high: usize) -> Digit {
    const EVENTS: [[u8; 4]; 4] = [[1, 2, 3, 12], [4, 5, 6, 13], [7, 8, 9, 14], [10, 0, 11, 15]];
    Digit::from_event(EVENTS[low % 4][high % 4]).expect("every event in the table is below 16")
}

#[cfg(test)]
mod tests;
