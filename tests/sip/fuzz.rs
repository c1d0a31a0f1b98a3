//! The first rounds of the wild input of `fuzz/`, so that its targets stay true and its laws hold on every run.

#[path = "../../fuzz/src/agent.rs"]
mod agent;
#[path = "../../fuzz/src/mutate.rs"]
mod mutate;
#[path = "../../fuzz/src/rounds.rs"]
mod rounds;
#[path = "../../fuzz/src/targets.rs"]
mod targets;

use std::path::Path;

fn play(name: &str, count: u64) {
    let (_, target) = rounds::TARGETS.iter().find(|(known, _)| *known == name).expect("it is a target");
    let corpus = rounds::corpus(name, Path::new(env!("CARGO_MANIFEST_DIR")));
    for round in 1..=count {
        let input = rounds::input(name, &corpus, round);
        let played = std::panic::catch_unwind(|| target(&input));
        assert!(played.is_ok(), "round {round}: {:?}", String::from_utf8_lossy(&input));
    }
}

#[test]
fn wild_messages() {
    play("message", 500);
}

#[test]
fn wild_descriptions() {
    play("sdp", 500);
}

#[test]
fn wild_packets() {
    play("rtp", 500);
}

#[test]
fn wild_reports() {
    play("rtcp", 5_000);
}

#[test]
fn wild_protected_packets_and_keys() {
    play("srtp", 2_000);
}

#[test]
fn wild_questions() {
    play("stun", 5_000);
}

#[test]
fn wild_challenges() {
    play("digest", 500);
}

#[test]
fn an_agent_in_wild_orders() {
    play("agent", 60);
}
