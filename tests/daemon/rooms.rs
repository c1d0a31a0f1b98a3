//! Operators and rooms: the command line, the socket and HTTP, with telephones that come in by a key.

use serde_json::{Value, json};

use super::http::token;
use super::support::web::{Web, free_tcp_port};
use super::support::{Daemon, Habit, Stage, World, hansho, until};

const ANNA: &str = "+815000000001";
const BERT: &str = "+815000000002";
const WAR: &str = "/v1/rooms/war";

/// A daemon with a room, a voice that says the same whatever it is given, and HTTP.
fn house(name: &str) -> (World, Daemon, Web) {
    let port = free_tcp_port();
    let more = format!("[http]\nlisten = \"127.0.0.1:{port}\"\n[[room]]\nid = \"war\"\n");
    let world = World::new(name).person(ANNA, Habit::Answers).person(BERT, Habit::Answers).more(&more);
    let sound = concat!(env!("CARGO_MANIFEST_DIR"), "/prompts/en/alone.wav");
    let speaks = format!("command.en = [\"cp\", {sound:?}, \"{{out}}\"]");
    let text = world.text().replace("command.en = [\"/bin/false\", \"{out}\"]", &speaks);
    assert!(text.contains(&speaks), "{text}");
    std::fs::write(&world.config, text).expect("a configuration can be written");
    let daemon = Daemon::start(&world.config, &world.socket);
    until("the trunk to be found", || {
        (daemon.ask(&json!({ "op": "status" }))["trunks"][0]["registered"] == true).then_some(())
    });
    (world, daemon, Web::new(port))
}

fn members(world: &World) -> Vec<Value> {
    let listed = world.command(&["room", "list", "--json"]);
    assert_eq!(listed.status.code(), Some(0));
    let room: Value = serde_json::from_slice(&listed.stdout).unwrap_or_default();
    room["members"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_room_is_steered_from_the_command_line_the_socket_and_http() {
    let (world, daemon, web) = house("rooms");
    let mut watch = daemon.watch();
    let manager = web.with(&token(&daemon, &["manage", "read"]));
    assert_eq!(world.command(&["room", "say", "war", "hello"]).status.code(), Some(1), "nobody is in it");
    assert_eq!(manager.post("/v1/rooms/attic/lock", &json!({})).code(), "not_found");

    let dialled = world.command(&["room", "dial", "war", "p815000000001"]);
    assert_eq!(dialled.status.code(), Some(0), "{dialled:?}");
    world.phones.reaches(ANNA, 1, Stage::Up(true));
    assert!(members(&world).is_empty(), "a voicemail picks up as well");
    world.phones.press(ANNA, 1);
    watch.until("room.joined", &[("room", json!("war")), ("contact", json!("p815000000001"))]);

    assert_eq!(daemon.ask(&json!({ "op": "room.lock", "room": "war" }))["locked"], true);
    let locked = manager.post(&format!("{WAR}/dial"), &json!({ "to": BERT }));
    assert_eq!((locked.status, locked.code()), (409, "locked".to_owned()));
    assert_eq!(world.command(&["room", "lock", "war", "--off"]).status.code(), Some(0));
    let stranger = manager.post(&format!("{WAR}/dial"), &json!({ "to": "+815099999999" }));
    assert_eq!((stranger.status, stranger.code()), (403, "not_a_roster_number".to_owned()));
    assert_eq!(manager.post(&format!("{WAR}/dial"), &json!({ "to": BERT })).status, 200);
    world.phones.reaches(BERT, 1, Stage::Up(true));
    world.phones.press(BERT, 1);
    watch.until("room.joined", &[("people", json!(2))]);

    let said = daemon.ask(&json!({ "op": "room.say", "room": "war", "text": "We roll back now." }));
    assert_eq!((&said["ok"], &said["people"]), (&json!(true), &json!(2)), "{said}");
    watch.until("room.said", &[("text", json!("We roll back now.")), ("by", json!("control"))]);
    assert_eq!(manager.post(&format!("{WAR}/mute"), &json!({ "member": 2 })).status, 200);
    let muted: Vec<bool> = members(&world).iter().map(|member| member["muted"] == true).collect();
    assert_eq!(muted, [false, true]);
    let nobody = daemon.ask(&json!({ "op": "room.kick", "room": "war", "member": "yamada" }));
    assert!(nobody["error"]["message"].as_str().is_some_and(|why| why.contains("2 (p815000000002")), "{nobody}");
    assert_eq!(world.command(&["room", "kick", "war", "p815000000001"]).status.code(), Some(0));
    watch.until("room.kicked", &[("contact", json!("p815000000001"))]);
    until("the call to be ended", || world.phones.look(|state| (state.calls[0].stage == Stage::Ended).then_some(())));
    until("one to be left", || {
        (manager.get("/v1/rooms").json()["rooms"][0]["people"] == json!(["p815000000002"])).then_some(())
    });

    let config = world.config.to_str().expect("a path is text");
    let audit = hansho(&["audit", "list", "--config", config]);
    let audit = String::from_utf8_lossy(&audit.stdout).into_owned();
    for line in [
        "room war: p815000000001 dialled at +815000000001 by control",
        "room war: unlocked by control",
        "+815099999999 was not dialled for tool",
        "room war: said `We roll back now.` by control",
        "room war: p815000000002 muted by tool",
        "room war: p815000000001 taken out by control",
    ] {
        assert!(audit.contains(line), "{line}: {audit}");
    }
}

#[test]
fn a_reader_may_look_at_rooms_and_steers_none() {
    let (_world, daemon, web) = house("rooms-read");
    let reader = web.with(&token(&daemon, &["read", "trigger"]));
    assert_eq!(reader.get("/v1/rooms").json(), json!({ "rooms": [] }));
    for what in ["say", "mute", "kick", "lock", "dial"] {
        assert_eq!(reader.post(&format!("{WAR}/{what}"), &json!({})).status, 403, "{what}");
    }
}
