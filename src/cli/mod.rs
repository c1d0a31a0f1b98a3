//! Floor 7: the command line, one file a command.
//!
//! Exit codes: 0 done, 1 the incident was not taken (with `--wait`) or the operation failed, 2 bad usage or
//! bad configuration, 3 no daemon.

mod audit;
mod check;
mod control;
mod demo;
mod ladder;
mod loopback;
mod quiet;
mod room;
mod run;
mod selftest;
mod shown;
mod speak;
mod status;
mod timeline;
mod token;
mod tones;
mod trigger;
mod watch;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

/// hansho phones the on-call roster over your own SIP trunk until a person takes the incident.
#[derive(Parser, Debug)]
#[command(name = "hansho", version, about, disable_help_subcommand = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run the daemon
    Run(run::Options),
    /// Say everything that is wrong with a configuration file
    Check {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Play a whole night on this machine: trunk, four telephones, an incident; needs nothing else
    Demo(demo::Options),
    /// Raise an incident
    Trigger(trigger::Options),
    /// Show open and past incidents, trunks and rooms; or one incident
    Status(status::Options),
    /// Show what happens as it happens
    Watch(watch::Options),
    /// Take an incident without a call
    Acknowledge(control::Acknowledge),
    /// Call nobody about something for a while; show or take back such promises
    Quiet(quiet::Options),
    /// Stop calling for an incident
    Cancel(control::Cancel),
    /// Say that what an incident was about is over
    Resolve(control::Resolve),
    /// Show and steer the rooms: who is in, say something, mute, take out, lock, ask somebody in
    #[command(subcommand)]
    Room(room::Command),
    /// Have the daemon read its configuration again; what is wrong changes nothing
    Reload(control::Reload),
    /// Make, list and revoke the tokens that HTTP wants
    #[command(subcommand)]
    Token(token::Command),
    /// Check and show who was called, who pressed what and who changed what
    #[command(subcommand)]
    Audit(audit::Command),
    /// Check disk, ports, trunks, voices, notifiers and a call of its own on this machine; rings nobody
    Selftest(selftest::Options),
    /// Speak a text, or the call of a guidance, into a sound file
    Speak(speak::Options),
    /// List the keys that can be heard in a recording
    Tones(tones::Options),
}

/// Which configuration file.
#[derive(Args, Debug, Clone, Default)]
pub struct ConfigFile {
    /// The configuration file [default: sip-trunk.toml here, then /etc/hansho/sip-trunk.toml]
    #[arg(long = "config", value_name = "FILE")]
    path: Option<PathBuf>,
}

/// Which daemon.
#[derive(Args, Debug, Clone, Default)]
pub struct Daemon {
    #[command(flatten)]
    config: ConfigFile,
    /// The daemon's control socket [default: the one the configuration file names]
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
}

/// Runs the command line.
pub fn main() -> ExitCode {
    match Cli::parse().command {
        Command::Run(options) => run::run(&options),
        Command::Check { config } => check::run(config.path.as_deref()),
        Command::Demo(options) => demo::run(&options),
        Command::Trigger(options) => trigger::run(options),
        Command::Status(options) => status::run(&options),
        Command::Watch(options) => watch::run(&options),
        Command::Acknowledge(options) => control::acknowledge(&options),
        Command::Quiet(options) => quiet::run(options),
        Command::Cancel(options) => control::cancel(&options),
        Command::Resolve(options) => control::resolve(&options),
        Command::Room(command) => room::run(command),
        Command::Reload(options) => control::reload(&options),
        Command::Token(command) => token::run(command),
        Command::Audit(command) => audit::run(command),
        Command::Selftest(options) => selftest::run(&options),
        Command::Speak(options) => speak::run(&options),
        Command::Tones(options) => tones::run(&options),
    }
}

/// The incident was not taken, or the operation failed.
const FAILED: u8 = 1;
/// Bad usage or bad configuration.
const BAD: u8 = 2;
/// No daemon answers.
const NO_DAEMON: u8 = 3;

/// Prints a line on standard output; false when nobody reads it any more (`| head`), which is no failure.
fn print_line(line: &str) -> bool {
    print_to(&mut io::stdout().lock(), line)
}

fn print_to(out: &mut impl Write, line: &str) -> bool {
    writeln!(out, "{line}").and_then(|()| out.flush()).is_ok()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn every_command_stands_in_the_readme() {
        let told = include_str!("../../README.md");
        let commands = Cli::command();
        let names = commands.get_subcommands().map(|command| format!("`hansho {}", command.get_name()));
        let missing: Vec<String> = names.filter(|name| !told.contains(name.as_str())).collect();
        assert!(missing.is_empty(), "README.md does not show {missing:?}");
    }

    #[test]
    fn a_reader_who_left_is_noticed_and_is_no_panic() {
        let (reader, mut writer) = io::pipe().unwrap();
        assert!(print_to(&mut writer, "heard"));
        drop(reader);
        assert!(!print_to(&mut writer, "not heard"));
    }
}
