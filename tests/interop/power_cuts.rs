//! `kill -9` again and again during real incidents, with SIPp as the town.
//!
//! No incident may be lost and no dialog left up: SIPp ends by itself only when every call of its side is over.

use std::time::Duration;

use hansho::base::seeded;
use rand::RngExt;
use serde_json::{Value, json};

use crate::support::{Daemon, Scene, Settings, Sipp, until};

/// So many lives are cut off; `HANSHO_KILLS=200` makes it a long night, `HANSHO_SEED` makes it another one.
const KILLS: u64 = 6;
/// With more than that at once, people are mostly waited for.
const OPEN_MAX: usize = 3;

#[test]
fn no_incident_is_lost_and_no_dialog_left_up_however_often_the_power_goes() {
    let read = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let kills = read("HANSHO_KILLS").unwrap_or(KILLS);
    let seed = read("HANSHO_SEED").unwrap_or(1);
    eprintln!("HANSHO_SEED={seed} HANSHO_KILLS={kills}");
    let mut rng = seeded(seed);
    let scene = Scene::new("power_cuts");
    let sipp = Sipp::scenario("power_cuts").patient().for_ever().listens(&scene);
    let flow = "strategy = \"simultaneous\"\nring_timeout = \"1s\"\nbetween_rounds = \"0s\"";
    let settings =
        ["01", "02", "03", "03"].iter().enumerate().fold(Settings::trunk_at(sipp.port).flow(flow), |all, (n, end)| {
            all.person(&format!("p{n}"), &format!("+81501111{n}0{end}"))
        });
    let mut daemon = Daemon::start(&scene, &settings);
    let mut incidents = Vec::new();
    for kill in 0..kills {
        if open(&daemon) < OPEN_MAX && rng.random_bool(0.7) {
            incidents.push(daemon.trigger());
        }
        // In the first moments what was left up is ended; after a second people are called again.
        let life = if rng.random_bool(0.4) { 0..300 } else { 900..2_000 };
        daemon.lives(Duration::from_millis(rng.random_range(life)));
        eprintln!("power cut {kill}");
        daemon = daemon.power_cut(&scene);
    }
    for incident in &incidents {
        until(&format!("incident {incident} to end"), || {
            let answer = daemon.ask(&json!({ "op": "status", "incident": incident }));
            let record = answer["incidents"].get(0).unwrap_or_else(|| panic!("{incident} is lost: {answer}"));
            let mut attempts = record["attempts"].as_array().into_iter().flatten();
            (!is_open(record) && attempts.all(|attempt| !attempt["ended_at"].is_null())).then_some(())
        });
    }
    daemon.stops();
    let calls = sipp.drains();
    eprintln!("{kills} power cuts, {} incidents, {calls} calls, all ended", incidents.len());
}

fn open(daemon: &Daemon) -> usize {
    let answer = daemon.ask(&json!({ "op": "status" }));
    answer["incidents"].as_array().map_or(0, |all| all.iter().filter(|record| is_open(record)).count())
}

fn is_open(record: &Value) -> bool {
    ["queued", "calling"].iter().any(|state| record["state"] == *state)
}
