//! To come.

pub mod voice;
pub mod wav;
