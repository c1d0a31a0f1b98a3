//! Voice makers: the recorded prompts, and the voices that speak a message's own words.
//!
//! Everything here ends as a [`Prompt`](crate::media::Prompt) of the same loudness, made before a number is
//! dialled. The voices of a language stand in an order; where one fails or takes too long the next one speaks, and
//! the failure is seen in `status`, in the events and in `/metrics`. Where all fail the caller plays
//! [`Clip::General`](crate::switch::Clip::General): a call is never silent.
//!
//! Easy to get wrong: a message is outside text. It reaches a program in a file or on its standard input and
//! never on a command line, no shell is in between, and it is escaped for the JSON, XML or address it goes into. A
//! voice that hangs, floods or dies takes nothing with it.

mod cache;
mod decode;
mod detect;
mod embedded;
mod fault;
mod fixed;
mod level;
mod maker;
mod program;
mod prompts;
mod recorded;
mod scratch;
mod service;
mod speaker;
mod tally;
mod text;

pub(crate) use scratch::Scratch;
pub(in crate::shell) use scratch::sweep;

pub use fault::{Fault, Passed, SpeakError, reasons};
pub use fixed::{fixed_texts, make};
pub use level::{active_dbm0, finish};
pub use prompts::{load_prompts, load_prompts_from};
pub use speaker::{Speaker, SpeakerSettings, Spoken, voice_lines};
pub use tally::{Counted, VoiceState};
