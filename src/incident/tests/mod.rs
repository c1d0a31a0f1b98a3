//! Nights told to one incident in virtual time: what the corridor would do is done at once, people act when
//! the story says so.

mod night;
mod stories;
