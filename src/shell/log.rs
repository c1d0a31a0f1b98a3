//! The log: a line a step, to standard error, for a person at night and for journald alike.

use std::io::IsTerminal;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging to standard error. `verbose` adds the steps nobody cares about until something is wrong;
/// `RUST_LOG=hansho::sip=debug` adds every SIP message.
pub fn start(verbose: bool) {
    let usual = if verbose { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let asked = std::env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let targets = asked.unwrap_or_else(|| Targets::new().with_target("hansho", usual));
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(colour).with_target(false);
    // A second start (a test's) keeps the first one's settings.
    let _ = tracing_subscriber::registry().with(lines).with(targets).try_init();
}
