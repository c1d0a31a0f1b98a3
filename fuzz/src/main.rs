//! `cargo run --release --manifest-path fuzz/Cargo.toml -- TARGET [SECONDS] [SEED]`; README.md says more.

#![allow(clippy::disallowed_methods, reason = "it runs by the clock")]

mod agent;
mod mutate;
mod rounds;
mod targets;

use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use rounds::{TARGETS, Target, corpus, input};

/// Ten minutes.
const SECONDS: u64 = 600;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let name = words.first().map_or("all", String::as_str);
    let number = |place: usize, otherwise| words.get(place).map_or(Ok(otherwise), |word| word.parse::<u64>());
    let chosen: Vec<&Target> = TARGETS.iter().filter(|(target, _)| name == "all" || *target == name).collect();
    let (Ok(seconds), Ok(seed)) = (number(1, SECONDS), number(2, 1)) else {
        eprintln!("SECONDS and SEED are numbers");
        return ExitCode::FAILURE;
    };
    if chosen.is_empty() {
        eprintln!("there is no target {name}");
        return ExitCode::FAILURE;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("it stands in hansho's folder");
    let share = Duration::from_secs(seconds) / u32::try_from(chosen.len()).expect("they are few");
    let clean = chosen.into_iter().map(|target| run(target, root, share, seed)).fold(true, |all, one| all && one);
    if clean { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays rounds for so long, at least one; true when all were clean.
fn run((name, target): &Target, root: &Path, long: Duration, seed: u64) -> bool {
    let (corpus, began) = (corpus(name, root), Instant::now());
    let mut rounds = 0;
    loop {
        let round = seed.wrapping_add(rounds);
        let bytes = input(name, &corpus, round);
        let played = std::panic::catch_unwind(|| target(&bytes));
        rounds += 1;
        if played.is_err() {
            let found = root.join("fuzz/found");
            let file = found.join(format!("{name}-{round}"));
            let kept = std::fs::create_dir_all(&found).and_then(|()| std::fs::write(&file, &bytes));
            eprintln!("{name}: round {round} broke a law ({kept:?}: {})", file.display());
            return false;
        }
        if began.elapsed() >= long {
            println!("{name}: {rounds} rounds from {seed} on, clean");
            return true;
        }
    }
}
