//! Nights told from outside: telephones ring, people press keys, time jumps.

mod all_at_once;
mod any_night;
mod bad_network;
mod call_in;
mod hotline;
mod incident_to_room;
mod keys;
mod laws_bite;
mod nobody_takes_it;
mod power_cut;
mod promises;
mod storm;
#[path = "../support/mod.rs"]
mod support;
mod systems;
