//! Trunks that come, go and change while somebody is on the phone.

use serde_json::{Value, json};

use super::{ANNA, BERT, reload, rewrite};
use crate::support::{Daemon, Habit, Phones, Stage, World, until};

/// The block of a trunk with an account behind these telephones.
fn block(name: &str, phones: &Phones, password: &str) -> String {
    let at = phones.address();
    format!(
        "[[trunk]]\nid = \"{name}\"\nproxy = \"{at}\"\nregistrar = \"{at}\"\nusername = \"bell\"\npassword = \"{password}\"\n"
    )
}

/// The block that the world's own file has.
fn own(world: &World) -> String {
    format!("[[trunk]]\nid = \"outside\"\nproxy = \"{}\"\n", world.phones.address())
}

fn trunks(daemon: &Daemon) -> Vec<Value> {
    daemon.ask(&json!({ "op": "status" }))["trunks"].as_array().expect("a list of trunks").clone()
}

fn registers(phones: &Phones, long: impl Fn(u32) -> bool) {
    phones.until("REGISTER", |state| state.registered_s.filter(|seconds| long(*seconds)));
}

#[test]
fn calls_that_are_up_go_on_over_a_trunk_that_is_gone_and_the_next_ones_go_over_the_new_one() {
    let world = World::new("reload-trunks").person(ANNA, Habit::Answers).person(BERT, Habit::Rings).flow("rounds = 1");
    let spare = Phones::plug_in();
    spare.habit(BERT, Habit::Rings);
    let daemon = world.start();
    let first = daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Up(true));
    rewrite(&world, &own(&world), &block("spare", &spare, "tiger"));
    rewrite(&world, "contacts = [\"p815000000001\", \"p815000000002\"]", "contacts = [\"p815000000002\"]");
    let answer = reload(&daemon);
    let changed = ["trunk outside: removed: calls that are up go on to their end", "trunk spare: added"];
    assert_eq!((&answer["changed"], &answer["needs_restart"]), (&json!(changed), &json!([])), "{answer}");
    registers(&spare, |seconds| seconds > 0);
    until("the new trunk alone", || {
        let trunks = trunks(&daemon);
        (trunks.len() == 1 && trunks[0]["id"] == "spare" && trunks[0]["registered"] == true).then_some(())
    });
    let second = daemon.trigger();
    spare.reaches(BERT, 1, Stage::Ringing);
    assert_eq!(world.phones.calls_to(BERT), 0);
    // The call over the trunk that is gone is a call like any other.
    world.phones.press(ANNA, 1);
    daemon.comes_to(&first, "acknowledged");
    daemon.ask(&json!({ "op": "cancel", "incident": second }));
    world.phones.fall_silent();
    assert!(!daemon.said().contains("tiger"));
}

#[test]
fn another_password_is_registered_with_and_a_trunk_that_is_removed_is_taken_leave_of() {
    let world = World::new("reload-account").person(ANNA, Habit::Answers);
    let spare = Phones::plug_in();
    world.write_config();
    rewrite(&world, &own(&world), &format!("{}{}", own(&world), block("spare", &spare, "tiger")));
    let daemon = Daemon::start(&world.config, &world.socket);
    registers(&spare, |seconds| seconds > 0);
    until("the registration", || (trunks(&daemon)[1]["registered"] == true).then_some(()));
    let asked = || spare.look(|state| state.heard.iter().filter(|line| line.starts_with("REGISTER")).count());
    let before = asked();
    daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Up(true));

    rewrite(&world, "password = \"tiger\"", "password = \"lion\"");
    assert_eq!(reload(&daemon)["changed"], json!(["trunk spare: changed"]));
    until("another REGISTER", || (asked() > before).then_some(()));
    assert_eq!(reload(&daemon)["changed"], json!([]), "the same file again");

    rewrite(&world, &block("spare", &spare, "lion"), "");
    let answer = reload(&daemon);
    assert_eq!(answer["changed"], json!(["trunk spare: removed: calls that are up go on to their end"]), "{answer}");
    registers(&spare, |seconds| seconds == 0);
    let trunks = trunks(&daemon);
    assert_eq!((trunks.len(), &trunks[0]["calls"]), (1, &json!(1)), "the other one has its call all the while");
}

#[test]
fn nothing_of_a_file_with_one_mistake_is_in_force() {
    let world = World::new("reload-half").person(ANNA, Habit::Answers);
    let spare = Phones::plug_in();
    let daemon = world.start();
    let before = until("the trunk", || Some(trunks(&daemon)).filter(|trunks| trunks[0]["registered"] == true));
    let hook = "[[notify.webhook]]\nid = \"new\"\nurl = \"http://127.0.0.1:9/x\"\n";
    rewrite(
        &world,
        &own(&world),
        &format!("{}{hook}[speech.readings.en]\n\"\" = \"x\"\n", block("spare", &spare, "x")),
    );
    assert_eq!(reload(&daemon)["error"]["code"], "bad_configuration");
    assert_eq!(trunks(&daemon), before);
    assert_eq!(daemon.ask(&json!({ "op": "status" }))["notifiers"], json!([]));
    assert!(spare.look(|state| state.heard.is_empty()));
}
