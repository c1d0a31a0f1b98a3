//! Nights told from outside: telephones ring, people press keys, time jumps.

mod incident_to_room;
#[path = "../support/mod.rs"]
mod support;
