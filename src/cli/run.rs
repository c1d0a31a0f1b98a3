//! `hansho run`: the daemon.

use std::process::ExitCode;

use clap::Args;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{BAD, ConfigFile, FAILED};
use crate::config;
use crate::shell::{self, Daemon};

/// `hansho run`.
#[derive(Args, Debug)]
pub struct Options {
    #[command(flatten)]
    config: ConfigFile,
    /// Log more: prompts, who talks, what voices do
    #[arg(long, short)]
    verbose: bool,
}

/// Runs the daemon until SIGTERM, SIGINT or `shutdown` on the control socket. SIGHUP has it read its configuration again.
pub fn run(options: &Options) -> ExitCode {
    let settings = match config::load_with(options.config.path.as_deref(), &shell::wav::is_wav) {
        Ok((_, settings)) => settings,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(BAD);
        }
    };
    shell::start_log(options.verbose);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let served = runtime.map_err(|error| error.to_string()).and_then(|runtime| {
        let served = runtime.block_on(async {
            // Heard from before anybody can know that the daemon is there: a SIGHUP would end it.
            let [mut term, mut int, mut hup] = signals().map_err(|error| error.to_string())?;
            let started = tokio::select! {
                biased;
                started = Daemon::start(settings) => started,
                _ = term.recv() => return Ok(()),
                _ = int.recv() => return Ok(()),
            };
            let mut daemon = started.map_err(|error| error.to_string())?;
            let ended = loop {
                tokio::select! {
                    _ = term.recv() => {
                        tracing::info!("SIGTERM: stopping");
                        break Ok(());
                    }
                    _ = int.recv() => {
                        tracing::info!("SIGINT: stopping");
                        break Ok(());
                    }
                    _ = hup.recv() => daemon.reload("SIGHUP"),
                    ended = daemon.ended() => break ended,
                }
            };
            daemon.stop().await;
            ended
        });
        // A look-up that hangs because the name server is away holds up no end.
        runtime.shutdown_background();
        served
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hansho: {error}");
            ExitCode::from(FAILED)
        }
    }
}

fn signals() -> std::io::Result<[Signal; 3]> {
    let [term, int, hup] = [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()].map(signal);
    Ok([term?, int?, hup?])
}
