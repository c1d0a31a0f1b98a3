//! `hansho check`: everything that is wrong with a configuration at once, or what it amounts to.

use std::path::Path;
use std::process::ExitCode;

use super::{BAD, print_line};
use crate::config::{self, Settings, Speech, is_built_in};
use crate::shell::voice::{Speaker, SpeakerSettings, voice_lines};
use crate::shell::wav;

/// Prints a summary and gives 0, or prints every complaint and gives 2.
pub fn run(config: Option<&Path>) -> ExitCode {
    match config::load_with(config, &wav::is_wav) {
        Ok((file, settings)) => {
            print_line(&format!("{}: {}", file.display(), summary(&settings)));
            for warning in &settings.warnings {
                print_line(&format!("warning: {}", warning.in_file(&file)));
            }
            for line in voices(&settings) {
                print_line(&line);
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(BAD)
        }
    }
}

/// The voices of each language in the order they are asked, and which of them cannot speak on this machine.
fn voices(settings: &Settings) -> Vec<String> {
    let speech = Speech { cache_bytes: 0, ..settings.speech.clone() };
    let speaker = Speaker::start(SpeakerSettings { speech, ..SpeakerSettings::default() });
    // Without a runtime the voice that is still being read is shown as such.
    if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().build() {
        runtime.block_on(speaker.loaded());
    }
    speaker.voices().iter().flat_map(|(language, voices)| voice_lines(*language, voices)).collect()
}

/// One paragraph for a person who wants to know what this file will do.
fn summary(settings: &Settings) -> String {
    let flows: Vec<String> = settings.call_flows.values().map(|f| format!("{} → {}", f.flow.id, f.roster)).collect();
    let phones: usize = settings.contacts.values().map(|contact| contact.phones.len()).sum();
    let own_guidances = settings.guidances.values().filter(|guidance| !is_built_in(guidance)).count();
    format!(
        "good. {}; {} with {}; {}; {} and {}. Listens on {}, RTP on {} ports {}-{} for {}. The journal is \
         {}, the control socket {}.",
        ways(settings),
        count(settings.contacts.len(), "contact"),
        count(phones, "phone"),
        if flows.is_empty() {
            "no call flow: people are managed over HTTP".to_owned()
        } else {
            count(flows.len(), "call flow") + ": " + &flows.join(", ")
        },
        count(own_guidances, "guidance"),
        count(settings.rooms.len(), "room"),
        listens(settings).join(", "),
        settings.media.address.iter().map(ToString::to_string).collect::<Vec<_>>().join(" and "),
        settings.media.ports.start(),
        settings.media.ports.end(),
        count(usize::try_from(settings.media.max_legs).unwrap_or(usize::MAX), "leg"),
        settings.journal.display(),
        settings.control_socket.display(),
    )
}

/// How people are reached.
fn ways(settings: &Settings) -> String {
    let trunks: Vec<String> = settings.trunks.iter().map(|t| format!("{} ({})", t.id, t.proxy)).collect();
    let over = format!("{}: calls go over {}", count(trunks.len(), "trunk"), trunks.join(", then "));
    let home = settings.registrar.as_ref().map(|registrar| {
        let users = count(registrar.users.len(), "user");
        format!("the phones of {users} register here, at {}", registrar.realm)
    });
    Some(over).filter(|_| !trunks.is_empty()).into_iter().chain(home).collect::<Vec<_>>().join("; ")
}

/// Where SIP arrives.
fn listens(settings: &Settings) -> Vec<String> {
    let udp = settings.sip.listen.iter().filter(|address| address.port() != 0).map(|address| format!("udp {address}"));
    let doors = settings.sip.doors.iter().map(|(transport, address)| format!("{transport} {address}"));
    udp.chain(doors).collect()
}

fn count(number: usize, what: &str) -> String {
    let many = if number == 1 { "" } else { "s" };
    format!("{number} {what}{many}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Origin;

    #[test]
    fn the_summary_says_whom_it_calls_over_what_and_where_it_listens() {
        let example = include_str!("../../sip-trunk.example.toml");
        let read = |_: &Path| Err(String::new());
        let origin = Origin { folder: Path::new("/etc/hansho"), read: &read, opens: &|_| Ok(()) };
        let summary = summary(&Settings::read(example, &origin).unwrap());
        assert_eq!(
            summary,
            "good. 1 trunk: calls go over main (sip.example.com:5060); 1 contact with 1 phone; 1 call flow: oncall → \
             first-line; 0 guidances and 0 rooms. Listens on udp 0.0.0.0:5060, RTP on 0.0.0.0 ports 20000-29999 for 500 \
             legs. The journal is /var/lib/hansho/hansho.db, the control socket /var/lib/hansho/control.sock."
        );
    }

    #[test]
    fn where_phones_register_here_the_summary_says_so() {
        let text = include_str!("../../sip-trunk.example.toml");
        let people = text.split_once("[[contact]]").unwrap().1;
        let home = "[registrar]\nrealm = \"house.test\"\n[[user]]\nname = \"sato\"\npassword = \"long enough\"\n";
        let read = |_: &Path| Err(String::new());
        let origin = Origin { folder: Path::new("/etc/hansho"), read: &read, opens: &|_| Ok(()) };
        let settings = Settings::read(&format!("{home}[[contact]]{people}"), &origin).unwrap();
        assert!(summary(&settings).starts_with("good. the phones of 1 user register here, at house.test; 1 contact"));
    }

    #[test]
    fn a_file_that_is_wrong_ends_with_2() {
        assert_eq!(run(Some(Path::new("/nonexistent/sip-trunk.toml"))), ExitCode::from(2));
    }
}
