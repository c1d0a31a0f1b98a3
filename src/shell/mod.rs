//! To come.

pub mod media;
pub mod voice;
pub mod wav;
