//! HTTP on a real socket: tokens, incidents, events, limits.

use std::io::{BufRead, BufReader, Read, Write};

use serde_json::{Value, json};

use super::support::web::{Reply, Web, free_tcp_port};
use super::support::{Daemon, Habit, Stage, World, until};

const FIRST: &str = "+818000000001";

/// A daemon with HTTP, and the way to it.
pub fn house(name: &str) -> (World, Daemon, Web) {
    let port = free_tcp_port();
    let world = World::new(name).person(FIRST, Habit::Rings).more(&format!("[http]\nlisten = \"127.0.0.1:{port}\"\n"));
    let daemon = world.start();
    (world, daemon, Web::new(port))
}

/// A new token that opens these scopes.
pub fn token(daemon: &Daemon, scopes: &[&str]) -> String {
    let answer = daemon.ask(&json!({ "op": "token.create", "name": "tool", "scopes": scopes }));
    assert_eq!(answer["ok"], true, "{answer}");
    answer["secret"].as_str().expect("the token itself").to_owned()
}

fn incident(reply: &Reply) -> String {
    reply.json()["incident"].as_str().unwrap_or_else(|| panic!("no incident: {reply:?}")).to_owned()
}

#[test]
fn an_incident_is_raised_shown_joined_and_resolved_over_http() {
    let (world, daemon, web) = house("http-incident");
    let web = web.with(&token(&daemon, &["trigger", "read", "manage"]));
    let raised = web.post("/v1/incidents", &json!({ "message": "The disk is full.", "dedup": "disk" }));
    assert_eq!(raised.status, 201, "{raised:?}");
    let id = incident(&raised);
    assert!(!world.facts(&id).is_empty(), "it is on disk when it is answered");
    world.phones.reaches(FIRST, 1, Stage::Ringing);
    let joined = web.post("/v1/incidents", &json!({ "call_flow": "oncall", "dedup": "disk" }));
    assert_eq!((joined.status, incident(&joined), &joined.json()["joined"]), (200, id.clone(), &json!(true)));
    let shown = web.get(&format!("/v1/incidents/{id}")).json();
    assert_eq!((&shown["state"], &shown["attempts"][0]["phone"]), (&json!("calling"), &json!(FIRST)), "{shown}");
    assert_eq!(web.get("/v1/incidents").json()["incidents"][0]["incident"], json!(id));
    assert_eq!(web.post("/v1/resolve", &json!({ "dedup": "disk" })).status, 200);
    let over = daemon.comes_to(&id, "resolved");
    assert_eq!(over["ended_by"], "tool", "{over}");
    let again = web.post(&format!("/v1/incidents/{id}/cancel"), &json!({}));
    assert_eq!((again.status, again.code()), (409, "not_open".to_owned()));
    world.phones.fall_silent();
}

#[test]
fn nothing_is_opened_without_a_token_that_is_good_for_it() {
    let (_world, daemon, web) = house("http-tokens");
    assert_eq!(web.get("/healthz").status, 200);
    let refused = web.post("/v1/incidents", &json!({}));
    assert_eq!((refused.status, refused.code()), (401, "unauthorized".to_owned()));
    assert!(refused.body.contains("hansho token create") && refused.head.contains("www-authenticate"), "{refused:?}");
    let reader = token(&daemon, &["read"]);
    assert_eq!(web.with(&reader).post("/v1/incidents", &json!({})).code(), "forbidden");
    let everywhere: [(&str, String, String); 4] = [
        ("/v1/incidents", format!("X-Authorization: Token {reader}"), String::new()),
        ("/v1/incidents", format!("Authorization: GenieKey {reader}"), String::new()),
        ("/v1/incidents", format!("Authorization: Basic {}", base64(&format!("me:{reader}"))), String::new()),
        ("/v1/incidents", "X-Nothing: 1".to_owned(), format!("?token={reader}")),
    ];
    for (path, header, query) in &everywhere {
        assert_eq!(web.send("GET", &format!("{path}{query}"), &[header], "").status, 200, "{header} {query}");
    }
    let listed = daemon.ask(&json!({ "op": "token.list" }));
    assert!(listed["tokens"][0]["last_used"].is_string(), "{listed}");
    assert!(!listed.to_string().contains(&reader));
    assert_eq!(daemon.ask(&json!({ "op": "token.revoke", "token": 1 }))["ok"], true);
    let revoked = web.with(&reader).get("/v1/incidents");
    assert!(revoked.status == 401 && revoked.body.contains("revoked"), "{revoked:?}");
    assert!(!daemon.said().contains(&reader), "no token is ever logged");
}

#[test]
fn tokens_are_made_by_the_command_line_and_outlive_the_daemon() {
    let (world, daemon, web) = house("http-restart");
    let made = world.command(&["token", "create", "--name", "night", "--scope", "read", "--expires", "90d"]);
    assert!(made.status.success(), "{made:?}");
    let secret = String::from_utf8_lossy(&made.stdout).trim().to_owned();
    assert!(secret.starts_with("hansho_"), "{made:?}");
    daemon.dies();
    let _daemon = world.start();
    assert_eq!(web.with(&secret).get("/v1/incidents").status, 200);
    assert!(world.command(&["token", "revoke", "1"]).status.success());
    assert_eq!(web.with(&secret).get("/v1/incidents").status, 401);
    let listed = world.command(&["token", "list"]);
    assert!(listed.status.success() && listed.stdout.is_empty(), "{listed:?}");
    assert_eq!(world.command(&["token", "revoke", "1"]).status.code(), Some(1));
}

#[test]
fn what_cannot_be_is_refused_with_the_field_and_a_fitting_status() {
    let (_world, daemon, web) = house("http-refused");
    let web = web.with(&token(&daemon, &[]));
    for (body, status, says) in [
        ("nonsense", 400, "line 1"),
        ("[]", 400, "a JSON object"),
        ("{\"dedup\":7}", 400, "`dedup`"),
        ("{\"mesage\":\"x\"}", 400, "mesage"),
        ("{\"call_flow\":\"nobody\"}", 422, "nobody"),
        ("{\"to\":[\"+15550000000\"]}", 403, "roster"),
    ] {
        let reply = web.send("POST", "/v1/incidents", &[], body);
        assert!(reply.status == status && reply.body.contains(says), "{body}: {reply:?}");
    }
    assert_eq!(web.get("/v1/incidents/0123456789ab").status, 404);
    assert_eq!(web.get("/v1/incidents/no").status, 400);
    assert_eq!(web.get("/nothing").code(), "not_found");
    assert_eq!(web.send("PUT", "/v1/incidents", &[], "").status, 405);
    let large = "x".repeat((1 << 20) + 1);
    let refused = web.send("POST", "/v1/incidents", &[], &large);
    assert_eq!((refused.status, refused.code()), (413, "too_long".to_owned()));
    assert_eq!(web.get("/v1/incidents?limit=many").code(), "bad_request");
    assert_eq!(web.get("/v1/openapi.json").json()["openapi"], "3.1.0");
}

#[test]
fn a_body_is_read_for_its_token_only_where_it_may_hold_one_and_only_if_it_is_small() {
    let (_world, daemon, web) = house("http-body-token");
    let nested = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let refused = web.send("POST", "/v2/enqueue", &[], &nested);
    assert_eq!((refused.status, &refused.json()["status"]), (413, &json!("invalid event")), "{refused:?}");
    assert!(refused.body.contains("64 KiB"), "{refused:?}");
    let refused = web.send("POST", "/in/alertmanager", &[], &nested);
    assert_eq!((refused.status, refused.code()), (401, "unauthorized".to_owned()), "{refused:?}");
    let wrong = json!({ "routing_key": "hansho_wrong", "event_action": "trigger" });
    let refused = web.post("/v2/enqueue", &wrong);
    assert_eq!((refused.status, &refused.json()["status"]), (401, &json!("invalid event")), "{refused:?}");
    assert!(refused.head.contains("www-authenticate"), "{refused:?}");
    let right = json!({ "routing_key": token(&daemon, &["trigger"]), "event_action": "trigger", "dedup_key": "k",
        "payload": { "summary": "Disk full", "source": "db-01", "severity": "critical" } });
    assert_eq!(web.post("/v2/enqueue", &right).status, 202);
    let secret = token(&daemon, &["trigger"]);
    let done = web.with(&secret).get("/v2/alerts/requests/43a29c5c").json();
    assert_eq!((&done["data"]["isSuccess"], &done["requestId"]), (&json!(true), &json!("43a29c5c")));
    let long = format!("{{\"message\":\"{}\"}}", "x".repeat(200_000));
    assert_ne!(web.with(&secret).send("POST", "/in/alertmanager", &[], &long).status, 413, "whoever is known is read");
}

#[test]
fn numbers_are_read_as_at_home_and_what_is_refused_at_the_door_is_written_down() {
    let port = free_tcp_port();
    let more = format!("[http]\nlisten = \"127.0.0.1:{port}\"\n[dial]\ncountry = \"JP\"\ncountries = [\"JP\"]\n");
    let world = World::new("http-dial").person(FIRST, Habit::Rings).more(&more);
    let daemon = world.start();
    let web = Web::new(port);
    let any = web.with(&token(&daemon, &["trigger", "dial:any"]));
    let raised = any.get("/alert?tels=090-1111-2222&message=x");
    assert_eq!(raised.status, 200, "{raised:?}");
    assert_eq!(any.post("/v1/incidents", &json!({ "to": ["０９０-1111-3333"] })).status, 201);
    let listed = any.post("/in/azure", &json!([{ "phone_number": "090-1111-4444" }]));
    assert!(listed.status == 200 && listed.body.contains("不明"), "{listed:?}");
    assert_eq!(any.get("/alert?tels=&message=x").status, 400);
    assert_eq!(any.post("/v1/incidents", &json!({ "to": [] })).status, 400);
    let small = web.with(&token(&daemon, &["trigger"]));
    let mut watch = daemon.watch();
    assert_eq!(small.post("/v1/incidents", &json!({ "to": ["+819011112222"] })).status, 403);
    let told = watch.until("dial.refused", &[("number", json!("+819011112222")), ("by", json!("tool"))]);
    assert!(told["at"].as_str().is_some_and(|at| !at.starts_with("1970")), "{told}");
}

#[test]
fn a_stream_of_events_ends_when_its_token_is_revoked() {
    let (_world, daemon, web) = house("http-revoked");
    let secret = token(&daemon, &["read"]);
    let mut stream = web.connect();
    let request = format!("GET /v1/events?token={secret} HTTP/1.1\r\nHost: hansho\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the daemon reads");
    let mut lines = BufReader::new(stream);
    let mut line = String::new();
    while !line.starts_with(": watching") {
        line.clear();
        assert!(lines.read_line(&mut line).expect("a line in time") > 0, "closed too early");
    }
    assert_eq!(daemon.ask(&json!({ "op": "token.revoke", "token": 1 }))["ok"], true);
    line.clear();
    // The last chunk has no length; whatever was told before is read.
    while line.trim_end() != "0" {
        line.clear();
        assert!(lines.read_line(&mut line).expect("the end in time") > 0, "{line}");
        assert!(!line.contains("still here"), "it goes on");
    }
}

#[test]
fn whoever_comes_in_vain_too_often_is_told_to_wait_and_a_right_token_is_not_held_up() {
    let (_world, daemon, web) = house("http-strangers");
    let stranger = web.with("hansho_wrong");
    (0..30).for_each(|_| assert!(matches!(stranger.get("/v1/incidents").status, 401 | 429)));
    assert_eq!(stranger.get("/v1/incidents").code(), "too_many");
    assert_eq!(web.with(&token(&daemon, &["read"])).get("/v1/incidents").status, 200);
    until("the last line about them", || daemon.said().contains("no more is logged of it").then_some(()));
    assert_eq!(daemon.said().matches("refused from=").count(), 20, "a line a request would fill the disk");
}

#[test]
fn strangers_who_hold_every_place_make_room_for_whoever_has_a_token() {
    let (_world, daemon, web) = house("http-places");
    let strangers: Vec<_> = (0..520)
        .map(|_| {
            let mut stranger = web.connect();
            // A whole request: the connection is kept for the next one.
            let _ = stranger.write_all(b"GET /healthz HTTP/1.1\r\nHost: hansho\r\n\r\n");
            stranger
        })
        .collect();
    let mut last = strangers.last().expect("520 of them");
    assert!(last.read(&mut [0; 8]).is_ok_and(|length| length > 0), "all have their place or had it");
    let raised = web.with(&token(&daemon, &["trigger"])).post("/v1/incidents", &json!({ "message": "x" }));
    assert_eq!(raised.status, 201, "{raised:?}");
}

#[test]
fn a_storm_of_more_connections_than_there_are_places_is_taken_whole() {
    let (_world, daemon, web) = house("http-storm");
    let secret = token(&daemon, &["trigger"]);
    let body = json!({ "message": "x", "dedup": "storm" }).to_string();
    let request = format!(
        "POST /v1/incidents HTTP/1.1\r\nHost: hansho\r\nAuthorization: Bearer {secret}\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    // Each says at once what it wants: whoever holds a place for a second and says nothing makes room for the others.
    let asks = |_| {
        let mut line = web.connect();
        line.write_all(request.as_bytes()).expect("the daemon reads");
        line
    };
    let mut storm: Vec<_> = (0..700).map(asks).collect();
    for (place, line) in storm.iter_mut().enumerate() {
        let mut answer = String::new();
        line.read_to_string(&mut answer).unwrap_or_else(|error| panic!("{place}: {error}"));
        assert!(answer.starts_with("HTTP/1.1 20"), "{place}: {answer}");
    }
}

#[test]
fn whoever_only_looks_whether_a_page_is_there_rings_nobody() {
    let (world, daemon, web) = house("http-head");
    let secret = token(&daemon, &["trigger", "read"]);
    for path in ["/alert?message=x", "/in/azure", "/api/v2/generic/incoming?summary=x"] {
        assert_eq!(web.with(&secret).send("HEAD", path, &[], "").status, 405, "{path}");
    }
    assert_eq!(web.with(&secret).send("HEAD", "/v1/incidents", &[], "").status, 200);
    assert_eq!(web.with(&secret).get("/v1/incidents").json()["incidents"], json!([]));
    assert_eq!(world.phones.calls_to(FIRST), 0);
}

#[test]
fn events_are_told_as_they_happen_and_the_stream_ends_with_the_daemon() {
    let (_world, mut daemon, web) = house("http-events");
    let secret = token(&daemon, &["trigger", "read"]);
    let mut stream = web.connect();
    let request = format!("GET /v1/events?token={secret} HTTP/1.1\r\nHost: hansho\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("the daemon reads");
    let mut lines = BufReader::new(stream);
    let until = |lines: &mut BufReader<std::net::TcpStream>, mark: &str| loop {
        let mut line = String::new();
        assert!(lines.read_line(&mut line).expect("a line in time") > 0, "closed before {mark}");
        if let Some(rest) = line.strip_prefix(mark) {
            return rest.trim().to_owned();
        }
    };
    until(&mut lines, ": watching");
    let id = incident(&web.with(&secret).post("/v1/incidents", &json!({})));
    assert_eq!(until(&mut lines, "event: "), "incident.accepted");
    let event: Value = serde_json::from_str(&until(&mut lines, "data: ")).expect("an object");
    assert_eq!(event["incident"], json!(id));
    assert_eq!(daemon.ask(&json!({ "op": "shutdown" }))["ok"], true);
    assert!(daemon.ends().success());
    let mut rest = Vec::new();
    let _ = lines.read_to_end(&mut rest);
}

#[test]
fn an_incident_is_taken_from_outside_and_the_same_thing_is_kept_quiet_about() {
    let (world, daemon, web) = house("http-quiet");
    let web = web.with(&token(&daemon, &["trigger", "read", "manage"]));
    let raise = || web.post("/v1/incidents", &json!({ "host": "db-01", "service": "disk" }));
    let id = incident(&raise());
    world.phones.reaches(FIRST, 1, Stage::Ringing);
    let taken = web.post(&format!("/v1/incidents/{id}/acknowledge"), &json!({ "by": "Yamada" }));
    assert_eq!(taken.status, 200, "{taken:?}");
    daemon.comes_to(&id, "acknowledged");
    world.phones.fall_silent();
    let promised = web.post("/v1/suppressions", &json!({ "host": "db-01", "for": "2h" }));
    assert_eq!((promised.status, &promised.json()["suppression"]), (201, &json!(1)), "{promised:?}");
    let quiet = raise();
    assert_eq!((quiet.status, &quiet.json()["suppressed"]), (200, &json!(true)), "{quiet:?}");
    let listed = web.get("/v1/suppressions").json();
    assert_eq!(
        (&listed["suppressions"][0]["host"], &listed["suppressions"][0]["by"]),
        (&json!("db-01"), &json!("tool"))
    );
    assert_eq!(web.send("DELETE", "/v1/suppressions/1", &[], "").status, 200);
    assert_eq!(web.send("DELETE", "/v1/suppressions/1", &[], "").code(), "not_found");
    assert_eq!(web.send("DELETE", "/v1/suppressions/x", &[], "").status, 400);
    assert_eq!(web.post("/v1/suppressions", &json!({ "for": "2h" })).status, 400);
    assert_eq!(raise().status, 201);
    world.phones.reaches(FIRST, 2, Stage::Ringing);
}

/// RFC 4648 §4, for a test.
fn base64(text: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let groups = text.as_bytes().chunks(3).map(|group| {
        let bits = group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        let letter = |place: usize| char::from(LETTERS[(bits >> (18 - 6 * place)) as usize & 63]);
        (0..4).map(|place| if place <= group.len() { letter(place) } else { '=' }).collect::<String>()
    });
    groups.collect()
}
