//! Voice makers: the recorded prompts, and programs that speak a message's own words.
//!
//! Everything here ends as a [`Prompt`](crate::media::Prompt) of the same loudness, made before a number is
//! dialled. A message that cannot be spoken is an error with a reason, and the caller plays
//! [`Clip::General`](crate::switch::Clip::General) instead: a call is never silent.
//!
//! Easy to get wrong: a message is outside text. It reaches a program in a file or on its standard input and
//! never on a command line, no shell is in between, and a program that hangs, floods or dies takes nothing
//! with it.

mod detect;
mod level;
mod program;
mod prompts;
mod scratch;
mod speaker;
mod text;

pub(in crate::shell) use scratch::sweep;

pub use level::{active_dbm0, finish};
pub use prompts::load_prompts;
pub use speaker::{SpeakError, Speaker, SpeakerSettings};
