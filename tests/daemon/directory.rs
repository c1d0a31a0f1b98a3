//! The directory over HTTP: made, used at once, kept through a crash, and never against the file.

use serde_json::{Value, json};

use super::http::{house, token};
use super::support::web::{Reply, Web};
use super::support::{Daemon, Habit, Stage, World, hansho, until};

const NEW: &str = "+818000000099";

fn put(web: &Web, path: &str, object: &Value) -> Reply {
    web.send("PUT", path, &["Content-Type: application/json"], &object.to_string())
}

fn delete(web: &Web, path: &str) -> Reply {
    web.send("DELETE", path, &[], "")
}

fn made(reply: &Reply) {
    assert_eq!(reply.status, 201, "{reply:?}");
}

/// A person, a roster, a guidance and a call flow that the file knows nothing of.
fn fill(web: &Web) {
    made(&put(web, "/v1/contacts/sato", &json!({ "name": "佐藤", "phones": [NEW] })));
    made(&put(web, "/v1/rosters/night", &json!({ "contacts": ["sato"] })));
    made(&put(web, "/v1/guidances/short", &json!({ "keys": { "5": { "do": "take" } } })));
    made(&put(
        web,
        "/v1/call_flows/nightly",
        &json!({ "roster": "night", "guidance": "short", "ring_timeout": "60s" }),
    ));
}

fn invoke(web: &Web) -> String {
    let params = json!({ "params": { "callflowId": "nightly", "guidanceId": "short", "parameters": {} } });
    let told = web.post("/api/apps/pigeon/chain/invoke", &params).json();
    assert_eq!(told["status"], "requested", "{told}");
    told["resultId"].as_str().expect("an id").to_owned()
}

const ALL: [&str; 3] = ["trigger", "read", "directory"];

fn all_of_it(name: &str) -> (World, Daemon, Web) {
    let (world, daemon, web) = house(name);
    let web = web.with(&token(&daemon, &ALL));
    (world, daemon, web)
}

#[test]
fn what_was_made_is_called_at_once_and_is_there_after_a_power_cut() {
    let (world, daemon, web) = all_of_it("directory-made");
    world.phones.habit(NEW, Habit::Rings);
    assert_eq!(web.post("/v1/incidents", &json!({ "to": [NEW] })).status, 403, "nobody knows this number yet");
    fill(&web);
    let id = invoke(&web);
    world.phones.reaches(NEW, 1, Stage::Ringing);
    daemon.dies();
    let daemon = world.start();
    world.phones.reaches(NEW, 2, Stage::Ringing);
    let listed = web.get("/v1/contacts").json();
    let origins: Vec<(&str, &str)> = listed["contacts"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|contact| (contact["id"].as_str().unwrap_or_default(), contact["origin"].as_str().unwrap_or_default()))
        .collect();
    assert_eq!(origins, [("p818000000001", "file"), ("sato", "service")], "{listed}");
    assert_eq!(web.get("/v1/call_flows/nightly").json()["ring_timeout"], "60s");
    assert_eq!(web.get("/v1/guidances/short").json()["keys"]["5"]["do"], "take");
    assert_eq!(daemon.status(&id)["state"], "calling");
    let status = daemon.ask(&json!({ "op": "status" }));
    assert_eq!(status["directory"]["contacts"], json!({ "file": 1, "service": 1 }), "{status}");
    let shown = hansho(&["status", "--config", world.config.to_str().expect("a path")]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(shown.contains("1+1 contacts, 1+1 rosters, 1+1 call flows"), "{shown}");
    let audit = hansho(&["audit", "list", "--config", world.config.to_str().expect("a path")]);
    let audit = String::from_utf8_lossy(&audit.stdout).into_owned();
    assert!(audit.contains("contact sato set by tool") && audit.contains(NEW), "{audit}");
}

#[test]
fn an_incident_under_way_keeps_its_plan_when_its_people_are_deleted() {
    let (world, daemon, web) = all_of_it("directory-plan");
    world.phones.habit(NEW, Habit::Busy);
    fill(&web);
    put(&web, "/v1/call_flows/nightly", &json!({ "roster": "night", "rounds": 100, "between_rounds": "1s" }));
    let id = invoke(&web);
    world.phones.reaches(NEW, 1, Stage::Refused);
    for path in ["/v1/call_flows/nightly", "/v1/rosters/night", "/v1/contacts/sato"] {
        assert_eq!(delete(&web, path).status, 200, "{path}");
    }
    world.phones.habit(NEW, Habit::Rings);
    until("the next round to ring", || {
        let status = daemon.status(&id);
        status["attempts"].as_array()?.last().filter(|attempt| attempt["ringing_at"].is_string()).map(|_| ())
    });
    let gone = web.post("/v1/incidents", &json!({ "call_flow": "nightly" }));
    assert_eq!((gone.status, gone.code()), (422, "unknown_call_flow".to_owned()));
}

#[test]
fn what_is_wrong_is_told_by_field_and_what_is_the_files_or_used_stays() {
    let (_world, daemon, web) = all_of_it("directory-refused");
    let wrong = put(&web, "/v1/contacts/sato", &json!({ "phones": ["12", "+818000000001"], "nmae": "x" }));
    let error = wrong.json()["error"].clone();
    assert_eq!((wrong.status, &error["code"]), (422, &json!("wrong")), "{error}");
    let fields: Vec<&str> =
        error["fields"].as_array().expect("a list").iter().filter_map(|it| it["field"].as_str()).collect();
    assert_eq!(fields, ["nmae", "phones[1]", "phones[2]"]);
    let of_file = put(&web, "/v1/contacts/p818000000001", &json!({ "phones": [NEW] }));
    assert_eq!((of_file.status, of_file.code()), (409, "declared_in_file".to_owned()));
    assert!(of_file.body.contains("is declared in") && of_file.body.contains("sip-trunk.toml"), "{of_file:?}");
    assert_eq!(delete(&web, "/v1/rosters/everybody").code(), "declared_in_file");
    fill(&web);
    let used = delete(&web, "/v1/contacts/sato");
    assert_eq!((used.status, used.code()), (409, "in_use".to_owned()));
    assert!(used.body.contains("roster `night`"), "{used:?}");
    let answer = daemon.ask(&json!({ "op": "token.create", "name": "legacy", "call_flow": "nightly" }));
    assert_eq!(answer["ok"], true, "{answer}");
    let used = delete(&web, "/v1/call_flows/nightly");
    assert!(used.status == 409 && used.body.contains("token `legacy`"), "{used:?}");
    assert_eq!(delete(&web, "/v1/contacts/nobody").status, 404);
    assert_eq!(web.get("/v1/contacts/nobody").status, 404);
    assert_eq!(web.send("PUT", "/v1/contacts/x", &[], "nonsense").status, 400);
    assert_eq!(web.send("PUT", "/v1/contacts/x", &[], &format!("\"{}\"", "x".repeat(1 << 16))).status, 413);
    assert_eq!(web.send("PUT", "/v1/rosters/x", &[], r#"{"contacts_file":"/etc/passwd"}"#).status, 422);
    let others = web.with(&token(&daemon, &["trigger", "read", "manage", "dial:any"]));
    assert_eq!(put(&others, "/v1/contacts/x", &json!({ "phones": [NEW] })).code(), "forbidden");
    assert_eq!(others.get("/v1/rosters").status, 200);
    assert_eq!(web.with(&token(&daemon, &["directory"])).get("/v1/rosters").code(), "forbidden");
}

#[test]
fn a_file_that_comes_to_declare_the_same_wins_and_says_so() {
    let (world, daemon, web) = all_of_it("directory-file");
    fill(&web);
    daemon.dies();
    let text = std::fs::read_to_string(&world.config).expect("the configuration");
    let more = "[[contact]]\nid = \"sato\"\nname = \"the file's\"\nphones = [\"+818000000098\"]\n";
    std::fs::write(&world.config, format!("{text}\n{more}")).expect("it can be written");
    let daemon = Daemon::start(&world.config, &world.socket);
    let shown = web.get("/v1/contacts/sato").json();
    assert_eq!((&shown["origin"], &shown["name"]), (&json!("file"), &json!("the file's")));
    assert!(daemon.said().contains("contact `sato`, which was made over HTTP, is left out"), "{}", daemon.said());
    assert_eq!(web.get("/v1/rosters/night").json()["contacts"], json!(["sato"]), "the roster goes on with the file's");
    assert_eq!(daemon.ask(&json!({ "op": "status" }))["trouble"], json!([]), "nobody has to do anything about it");
}

#[test]
fn what_does_not_fit_the_file_any_more_is_told_as_trouble() {
    let (world, daemon, web) = all_of_it("directory-unfit");
    let text = std::fs::read_to_string(&world.config).expect("the configuration");
    let next_life = |daemon: Daemon, text: &str| {
        daemon.dies();
        std::fs::write(&world.config, text).expect("it can be written");
        Daemon::start(&world.config, &world.socket)
    };
    let daemon = next_life(daemon, &format!("{text}\n[[room]]\nid = \"late\"\n"));
    made(&put(&web, "/v1/guidances/g", &json!({ "keys": { "1": { "do": "take" } }, "room": "late" })));
    let status = |daemon: &Daemon| daemon.ask(&json!({ "op": "status" }));
    let counted = status(&daemon);
    assert_eq!((&counted["directory"]["guidances"]["service"], &counted["trouble"]), (&json!(1), &json!([])));
    let daemon = next_life(daemon, &text);
    let counted = status(&daemon);
    assert_eq!(counted["directory"]["guidances"]["service"], 0, "{counted}");
    let trouble = counted["trouble"].to_string();
    assert!(trouble.contains("guidance `g` is left out") && trouble.contains("late"), "{trouble}");
}

#[test]
fn changes_of_many_at_once_are_all_made_or_told_to_come_again() {
    let (world, daemon, web) = all_of_it("directory-many");
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let web = web.clone();
            std::thread::spawn(move || {
                let object = json!({ "phones": [format!("+8180000001{number:02}")] });
                put(&web, &format!("/v1/contacts/c{number}"), &object).status
            })
        })
        .collect();
    let statuses: Vec<u16> = threads.into_iter().map(|thread| thread.join().expect("no panic")).collect();
    assert_eq!(statuses, [201; 8]);
    daemon.dies();
    let _daemon = world.start();
    assert_eq!(web.get("/v1/contacts").json()["contacts"].as_array().map(Vec::len), Some(9));
}
