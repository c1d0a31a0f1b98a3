//! A second daemon where one runs: a sentence and exit code 1, and the first one does not notice.

use std::fs;

use crate::support::phones::Stage;
use crate::support::{Habit, World, free_port, hansho};

const ANNA: &str = "+815000000001";

/// Starts a second daemon with a changed configuration; gives what it complained.
fn refused(world: &World, change: &[(String, String)]) -> String {
    let text = change.iter().fold(world.text(), |text, (from, to)| {
        assert!(text.contains(from), "{from} is in the configuration");
        text.replace(from, to)
    });
    let config = world.folder.path().join("second.toml");
    fs::write(&config, text).expect("a configuration can be written");
    let output = hansho(&["run", "--config", config.to_str().expect("a path is text")]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    said
}

#[test]
fn a_second_daemon_says_what_the_first_one_holds_and_the_first_is_unharmed() {
    let world = World::new("second").person(ANNA, Habit::Rings);
    let mut daemon = world.start();
    let incident = daemon.trigger();
    world.phones.reaches(ANNA, 1, Stage::Ringing);
    let other = |what: &str| (format!("{what:?}"), format!("{:?}", format!("{what}2")));
    let data = other(world.data.to_str().expect("a path is text"));
    let socket = other(world.socket.to_str().expect("a path is text"));
    let sip = (format!("127.0.0.1:{}\"]", world.sip), format!("127.0.0.1:{}\"]", free_port()));

    let said = refused(&world, &[]);
    assert!(said.contains("another hansho is using the journal"), "{said}");
    let said = refused(&world, &[sip.clone(), socket.clone()]);
    assert!(said.contains("another hansho is using the journal"), "{said}");
    let said = refused(&world, &[data.clone(), sip]);
    assert!(said.contains("control.sock") && said.contains("another hansho runs on it"), "{said}");
    let said = refused(&world, &[data, socket]);
    assert!(said.contains(&format!("udp:127.0.0.1:{}", world.sip)) && said.contains("another hansho, or"), "{said}");

    assert!(daemon.is_well(), "{}", daemon.said());
    assert_eq!(daemon.status(&incident)["state"], "calling");
    assert_eq!(world.phones.look(|state| (state.calls.len(), state.calls[0].stage)), (1, Stage::Ringing));
    daemon.signal(nix::sys::signal::Signal::SIGTERM);
    assert_eq!(daemon.ends().code(), Some(0));
}

#[test]
fn what_stands_where_the_socket_should_be_is_said() {
    let world = World::new("occupied").person(ANNA, Habit::Rings);
    fs::create_dir_all(world.socket.join("folder")).expect("a folder can be made");
    world.write_config();
    let output = hansho(&["run", "--config", world.config.to_str().expect("a path is text")]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("control.sock"), "{said}");
}
