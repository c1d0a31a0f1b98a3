//! Incidents from outside, by the public face alone: callouts as the five systems ran them, and the journal
//! that a callout leaves. Virtual time; a phone is a thing in the test.

mod callouts;
mod journal;
mod town;
