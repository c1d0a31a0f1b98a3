//! What holds for every reader: nothing a stranger sends makes one panic, exceed its limits or show a secret, and every
//! `curl` in docs/intake.md does what the line under it says.

mod documented;
mod strangers;
