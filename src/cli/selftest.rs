//! `hansho selftest`: what an operator runs after installing, before a night depends on it.
//!
//! One line a check: ok, a warning, or failed, with what to do. Nobody is called, and nobody is told anything but with
//! `--notify`, which does nothing else. Where a
//! daemon runs, it is asked how its trunks stand; where none runs, one is started for a moment with the same configuration
//! and a throw-away journal, which opens the same ports and registers at the same trunks. The call over loopback is made by
//! the machines of the hot path themselves, with a software trunk and a telephone that presses a key in its voice.

mod call;
mod house;
mod line;
mod notifiers;
mod told;
mod voices;

use std::process::ExitCode;

use clap::Args;
use serde_json::json;

use super::{BAD, ConfigFile, FAILED, print_line};
use crate::base::Phone;
use crate::config;
use crate::shell::voice::Scratch;
use crate::shell::wav;

/// `hansho selftest`.
#[derive(Args, Debug)]
pub struct Options {
    #[command(flatten)]
    config: ConfigFile,
    /// One JSON object a check
    #[arg(long)]
    json: bool,
    /// Tells everybody who is told of a night that this is a test, and checks nothing else
    #[arg(long)]
    notify: bool,
    /// With --notify: the number that gets a short message through the gateway
    #[arg(long, value_name = "NUMBER", requires = "notify", value_parser = phone)]
    sms: Option<Phone>,
}

/// How a check came out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Verdict {
    Ok,
    Warning,
    Failed,
}

/// One line.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Finding {
    check: String,
    verdict: Verdict,
    /// What was found.
    found: String,
    /// What to do about it.
    remedy: String,
}

impl Finding {
    fn ok(check: impl Into<String>, found: impl Into<String>) -> Finding {
        Finding { check: check.into(), verdict: Verdict::Ok, found: found.into(), remedy: String::new() }
    }

    fn warning(check: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Warning, remedy: remedy.into(), ..Finding::ok(check, found) }
    }

    fn failed(check: impl Into<String>, found: impl Into<String>, remedy: impl Into<String>) -> Finding {
        Finding { verdict: Verdict::Failed, remedy: remedy.into(), ..Finding::ok(check, found) }
    }

    fn line(&self, json: bool) -> String {
        let Finding { check, verdict, found, remedy } = self;
        let (word, shown) = match verdict {
            Verdict::Ok => ("ok", "ok     "),
            Verdict::Warning => ("warning", "WARNING"),
            Verdict::Failed => ("failed", "FAILED "),
        };
        if json {
            return json!({ "check": check, "result": word, "found": found, "remedy": remedy }).to_string();
        }
        let line = format!("{shown}  {check:14} {found}");
        let line = if remedy.is_empty() { line } else { format!("{line}: {remedy}") };
        // What a far end said must not drive the terminal.
        line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}

/// Checks everything; 0 when nothing failed, 1 when something did, 2 when the configuration is wrong.
pub fn run(options: &Options) -> ExitCode {
    let (file, settings) = match config::load_with(options.config.path.as_deref(), &wav::is_wav) {
        Ok(loaded) => loaded,
        Err(error) => {
            eprintln!("{error}");
            let found = Finding::failed("configuration", "it is wrong", "mend what the lines above name");
            print_line(&found.line(options.json));
            return ExitCode::from(BAD);
        }
    };
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("hansho: {error}");
            return ExitCode::from(FAILED);
        }
    };
    let mut worst = Verdict::Ok;
    let mut tell = |findings: Vec<Finding>| {
        for finding in findings {
            worst = worst.max(finding.verdict);
            print_line(&finding.line(options.json));
        }
    };
    tell(vec![Finding::ok("configuration", format!("{} is good", file.display()))]);
    if options.notify {
        tell(told::check(&settings, options.sms.as_ref()));
        return if worst == Verdict::Failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS };
    }
    tell(house::check(&settings));
    let scratch = match Scratch::new(&std::env::temp_dir()) {
        Ok(scratch) => scratch,
        Err(error) => {
            let found = format!("no folder can be made in {}: {error}", std::env::temp_dir().display());
            tell(vec![Finding::failed("scratch", found, "make room there, or set TMPDIR to another folder")]);
            return ExitCode::from(FAILED);
        }
    };
    runtime.block_on(async {
        tell(line::check(&settings, scratch.path()).await);
        tell(voices::check(&settings).await);
        tell(vec![call::check(scratch.path()).await]);
        tell(notifiers::check(&settings).await);
    });
    // A look-up that hangs holds up no end.
    runtime.shutdown_background();
    if worst == Verdict::Failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS }
}

fn phone(text: &str) -> Result<Phone, String> {
    Phone::parse(text).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_a_line_for_people_and_an_object_for_programs() {
        let finding = Finding::failed("trunk pbx", "403 Forb\u{1b}idden", "check username and password");
        assert_eq!(finding.line(false), "FAILED   trunk pbx      403 Forb idden: check username and password");
        let object: serde_json::Value = serde_json::from_str(&finding.line(true)).unwrap();
        assert_eq!((&object["check"], &object["result"]), (&json!("trunk pbx"), &json!("failed")));
        assert_eq!(Finding::ok("disk", "fine").line(false), "ok       disk           fine");
    }
}
