//! `hansho demo`: a whole night on this machine, in half a minute.
//!
//! The daemon, a trunk that asks for a password and four telephones run in this process and talk over
//! loopback. An incident is raised through the control socket, as `hansho trigger` does it. Nothing is
//! configured, nothing leaves the machine, and the journal is thrown away; only the recordings stay.
//!
//! Every step is checked, in the end also with the ear: what each telephone heard is measured. A step that
//! fails is named, and the exit code is 1.

mod night;
mod report;
mod stage;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;

use super::print_line;
use super::timeline::colour_wanted;
use night::Night;
use stage::Stage;

/// The whole demo takes no longer, whatever happens.
const WATCHDOG: Duration = Duration::from_secs(55);
/// How long saying goodbye may take after that.
const GOODBYE: Duration = Duration::from_secs(4);

/// `hansho demo`.
#[derive(Args, Debug)]
pub struct Options {
    /// Where the recordings go
    #[arg(long, value_name = "FOLDER", default_value = "demo-recordings")]
    recordings: PathBuf,
}

/// Plays the night.
pub fn run(options: &Options) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("hansho: the demo cannot start: {error}");
            return ExitCode::FAILURE;
        }
    };
    let done = runtime.block_on(play(options));
    // A thread that still waits for an event must not keep us.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            print_line("");
            eprintln!("hansho demo FAILED: {failed}");
            ExitCode::FAILURE
        }
    }
}

async fn play(options: &Options) -> Result<(), String> {
    let colour = colour_wanted();
    let stage = Stage::set(&options.recordings).await?;
    print_line("hansho demo: one night on this machine. Nothing leaves it.\n");
    print_line(&stage.describe());
    let mut night = Night::new(stage, colour);
    let played = tokio::select! {
        played = night.play() => played,
        () = tokio::time::sleep(WATCHDOG) => Err("the whole demo must not take so long".to_owned()),
        _ = tokio::signal::ctrl_c() => Err("interrupted".to_owned()),
    };
    let played = played.map_err(|why| format!("{}: {why}", night.step()));
    let told = tokio::time::timeout(GOODBYE, night.end()).await;
    let (stage, heard) = told.map_err(|_| "hansho did not say goodbye in time".to_owned())?;
    let verdict = report::show(&stage, &heard, colour);
    played.and(verdict)
}
