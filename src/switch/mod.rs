//! Floor 3: the corridor.

mod prompt_book;

pub use prompt_book::{Clip, PromptBook};
