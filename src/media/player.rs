//! Plays a playlist on a leg or in a room: prompts one after another without a gap.
//!
//! A playlist is over only when it has been heard: the ending is told [`TAIL_FRAMES`] after the last sample was
//! given out, because the far end holds that much back, and whoever hears of the ending may hang up.
//! What is replaced or hushed is handed back and never freed here.

use crate::audio::Frame;
use crate::media::Playlist;

/// Frames between the last sample and the telling: 100 ms.
const TAIL_FRAMES: u32 = 5;

/// The player of one leg or room.
#[derive(Debug, Default)]
pub struct Player {
    state: State,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Idle,
    Playing {
        list: Box<Playlist>,
        /// Which prompt is next, and from where.
        prompt: usize,
        sample: usize,
        begun: bool,
    },
    /// All of it was given out, not all of it heard.
    Tail { list: Box<Playlist>, frames: u32 },
}

/// What a frame of the player is.
#[derive(Debug, PartialEq)]
pub enum Played {
    /// Nothing is played; the frame was not touched.
    Nothing,
    /// A frame of voice.
    Voice,
    /// The first frame of this playlist.
    First(u32),
    /// Nothing is played any more, and what was has been heard.
    Ended(Box<Playlist>),
}

impl Player {
    /// Plays `list`; what was playing comes back.
    pub fn play(&mut self, list: Box<Playlist>) -> Option<Box<Playlist>> {
        let before = self.hush();
        self.state = State::Playing { list, prompt: 0, sample: 0, begun: false };
        before
    }

    /// Stops; what was playing comes back.
    pub fn hush(&mut self) -> Option<Box<Playlist>> {
        match core::mem::take(&mut self.state) {
            State::Idle => None,
            State::Playing { list, .. } | State::Tail { list, .. } => Some(list),
        }
    }

    /// The next frame.
    pub fn frame(&mut self, out: &mut Frame) -> Played {
        match core::mem::take(&mut self.state) {
            State::Idle => Played::Nothing,
            State::Tail { list, frames: 0 } => Played::Ended(list),
            State::Tail { list, frames } => {
                self.state = State::Tail { list, frames: frames - 1 };
                Played::Nothing
            }
            State::Playing { list, prompt, sample, begun } => {
                let play = list.play;
                let empty = list.prompts.iter().all(|prompt| prompt.is_empty());
                self.state = if empty {
                    out.fill(0);
                    State::Tail { list, frames: 0 }
                } else {
                    fill(list, prompt, sample, out)
                };
                if begun { Played::Voice } else { Played::First(play) }
            }
        }
    }
}

/// Fills a frame from a playlist that has at least one sample.
fn fill(list: Box<Playlist>, mut prompt: usize, mut sample: usize, out: &mut Frame) -> State {
    let mut rest = &mut out[..];
    while !rest.is_empty() {
        let Some(samples) = list.prompts.get(prompt) else {
            if !list.forever {
                rest.fill(0);
                return State::Tail { list, frames: TAIL_FRAMES };
            }
            (prompt, sample) = (0, 0);
            continue;
        };
        let left = samples.get(sample..).unwrap_or_default();
        let count = left.len().min(rest.len());
        let (now, later) = rest.split_at_mut(count);
        now.copy_from_slice(&left[..count]);
        rest = later;
        sample += count;
        if sample >= samples.len() {
            (prompt, sample) = (prompt + 1, 0);
        }
    }
    // The end is known now rather than a frame later.
    if prompt >= list.prompts.len() && !list.forever {
        return State::Tail { list, frames: TAIL_FRAMES };
    }
    State::Playing { list, prompt, sample, begun: true }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audio::FRAME;

    fn list(prompts: &[&[i16]], forever: bool) -> Box<Playlist> {
        Box::new(Playlist { play: 7, prompts: prompts.iter().map(|&p| p.into()).collect(), forever })
    }

    #[test]
    fn prompts_follow_each_other_without_a_gap_and_the_end_is_told_when_it_was_heard() {
        let mut player = Player::default();
        let mut frame = [0; FRAME];
        player.play(list(&[&[1; 100], &[], &[2; 130]], false));
        assert_eq!(player.frame(&mut frame), Played::First(7));
        assert_eq!((frame[99], frame[100], frame[159]), (1, 2, 2));
        assert_eq!(player.frame(&mut frame), Played::Voice);
        assert_eq!((frame[69], frame[70]), (2, 0));
        for _ in 0..TAIL_FRAMES {
            assert_eq!(player.frame(&mut frame), Played::Nothing);
        }
        assert!(matches!(player.frame(&mut frame), Played::Ended(list) if list.play == 7));
        assert_eq!(player.frame(&mut frame), Played::Nothing);
    }

    #[test]
    fn a_playlist_without_end_begins_again_within_the_frame_and_is_started_once() {
        let mut player = Player::default();
        let mut frame = [0; FRAME];
        player.play(list(&[&[3; 80], &[4; 40]], true));
        assert_eq!(player.frame(&mut frame), Played::First(7));
        assert_eq!((frame[80], frame[119], frame[120], frame[159]), (4, 4, 3, 3));
        for _ in 0..20 {
            assert_eq!(player.frame(&mut frame), Played::Voice);
        }
    }

    #[test]
    fn nothing_to_say_ends_at_once_even_when_it_should_last_for_ever() {
        let mut player = Player::default();
        let mut frame = [9; FRAME];
        player.play(list(&[&[], &[]], true));
        assert_eq!(player.frame(&mut frame), Played::First(7));
        assert_eq!(frame, [0; FRAME]);
        assert!(matches!(player.frame(&mut frame), Played::Ended(_)));
    }

    #[test]
    fn what_is_replaced_or_hushed_comes_back_and_is_never_said_to_have_ended() {
        let mut player = Player::default();
        assert!(player.play(list(&[&[1; 10]], false)).is_none());
        assert!(player.play(list(&[&[1; 10]], false)).is_some());
        player.frame(&mut [0; FRAME]);
        assert!(player.hush().is_some() && player.hush().is_none());
        assert_eq!(player.frame(&mut [0; FRAME]), Played::Nothing);
    }
}
