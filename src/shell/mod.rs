//! To come.

pub mod wav;
