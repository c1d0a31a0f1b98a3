//! Many nights, each thrown from its seed: random rosters and rules, people who do as they like, a network that
//! loses, a carrier that goes away, a disk that fills and a process that dies. Laws judge every step.
//!
//! `HANSHO_NIGHTS=n` plays n of them, `HANSHO_SEED=n` just that one.

mod disk;
mod house;
mod laws;
mod media;
mod night;
mod phone;
mod plan;
#[path = "../support/mod.rs"]
mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use night::Night;

/// One night in so many is played with voices.
const VOICE_ONE_IN: u64 = 16;
const NIGHTS: u64 = 300;

#[test]
fn every_night_keeps_the_laws() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seeds = match number("HANSHO_SEED") {
        Some(seed) => vec![seed],
        None => (0..number("HANSHO_NIGHTS").unwrap_or(NIGHTS)).collect(),
    };
    let broken: Vec<u64> = seeds.into_iter().filter(|seed| !keeps_the_laws(*seed)).collect();
    assert!(broken.is_empty(), "laws were broken; play it again with HANSHO_SEED= one of {broken:?}");
}

fn keeps_the_laws(seed: u64) -> bool {
    let play = || Night::new(seed, seed.is_multiple_of(VOICE_ONE_IN)).pass();
    catch_unwind(AssertUnwindSafe(play)).is_ok()
}
