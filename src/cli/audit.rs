//! `hansho audit`: what the journal says about who was called, who pressed what and who changed what, and whether
//! it is as it was written. The file is only read, also while the daemon writes it.

use std::path::Path;
use std::process::ExitCode;
use std::time::SystemTime;

use clap::{Args, Subcommand};
use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use serde_json::{Value, json};

use super::{BAD, ConfigFile, FAILED, print_line};
use crate::base::{IncidentId, Stamp};
use crate::config::{self, Settings};
use crate::incident::{Entry, Fact, HouseFact, RoomOrder};
use crate::shell::wav;
use crate::store::{Reader, StoreError, Verdict};

/// `hansho audit`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Check that the journal's audited facts are as they were written, and print the head of their chain
    Verify {
        #[command(flatten)]
        config: ConfigFile,
        /// A head that was noted before: say whether the chain still goes through it
        #[arg(long, value_name = "HASH")]
        head: Option<String>,
    },
    /// Show the audited facts in words
    List(List),
}

/// `hansho audit list`.
#[derive(Args, Debug)]
pub struct List {
    #[command(flatten)]
    config: ConfigFile,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// Nothing older: a day (2026-11-21), a moment (2026-11-21T03:00:00+09:00) or an age (36h, 7d)
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
}

/// Runs `hansho audit …`.
pub fn run(command: Command) -> ExitCode {
    match command {
        Command::Verify { config, head } => verify(&config, head.as_deref()),
        Command::List(options) => list(&options),
    }
}

fn verify(config: &ConfigFile, noted: Option<&str>) -> ExitCode {
    let noted = noted.map(str::trim);
    if noted.is_some_and(|noted| noted.len() != 64 || !noted.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        eprintln!("--head: a head has 64 hexadecimal digits, as `hansho audit verify` prints it");
        return ExitCode::from(BAD);
    }
    let (settings, reader) = match open(config) {
        Ok(opened) => opened,
        Err(code) => return code,
    };
    let verdict = match reader.verify(noted) {
        Ok(verdict) => verdict,
        Err(error) => return failed(&error),
    };
    for line in findings(&verdict, noted, &settings.node.time_zone) {
        print_line(&line);
    }
    let lost = noted.is_some() && verdict.noted_at.is_none();
    if verdict.fault_count == 0 && !lost { ExitCode::SUCCESS } else { ExitCode::from(FAILED) }
}

/// What `verify` prints, a line each.
fn findings(verdict: &Verdict, noted: Option<&str>, zone: &TimeZone) -> Vec<String> {
    let mut lines: Vec<String> = verdict.faults.iter().map(ToString::to_string).collect();
    let told = u64::try_from(verdict.faults.len()).unwrap_or(u64::MAX);
    if verdict.fault_count > told {
        lines.push(format!("… and {} more", verdict.fault_count - told));
    }
    match (noted, verdict.noted_at) {
        (Some(noted), Some(seq)) => lines.push(format!("the chain goes through {noted} at line {seq}")),
        (Some(noted), None) => {
            lines.push(format!("the chain does not go through {noted}: what lay before it was changed or cut off"));
        }
        (None, _) => {}
    }
    let gone = match verdict.gone {
        0 => String::new(),
        gone => format!(" ({gone} more were taken out because of their age)"),
    };
    let span = match (verdict.from, verdict.to) {
        (Some(from), Some(to)) => format!(" from {} to {}", shown(from, zone), shown(to, zone)),
        _ => String::new(),
    };
    let (facts, head) = (verdict.whole, verdict.head);
    lines.push(match verdict.fault_count {
        0 => format!("{facts} facts, chain whole{span}{gone}, head {head}"),
        faults => format!("{facts} facts are as they were written, chain BROKEN in {faults} places{span}, head {head}"),
    });
    lines
}

fn list(options: &List) -> ExitCode {
    let (settings, reader) = match open(&options.config) {
        Ok(opened) => opened,
        Err(code) => return code,
    };
    let zone = &settings.node.time_zone;
    let since = match options.since.as_deref().map(|text| moment(text, zone, now())) {
        Some(None) => {
            eprintln!("--since: a day (2026-11-21), a moment (2026-11-21T03:00:00+09:00) or an age (36h, 7d)");
            return ExitCode::from(BAD);
        }
        Some(Some(since)) => since,
        None => Stamp::from_unix_micros(i64::MIN),
    };
    let listed = reader.audited(since, |seq, entry| {
        let line = if options.json { as_json(seq, &entry).to_string() } else { in_words(seq, &entry, zone) };
        print_line(&line)
    });
    listed.map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

fn open(config: &ConfigFile) -> Result<(Settings, Reader), ExitCode> {
    let (_, settings) = config::load_with(config.path.as_deref(), &wav::is_wav).map_err(|error| {
        eprintln!("{error}");
        ExitCode::from(BAD)
    })?;
    let reader = Reader::open(Path::new(&settings.journal)).map_err(|error| failed(&error))?;
    Ok((settings, reader))
}

fn failed(error: &StoreError) -> ExitCode {
    eprintln!("hansho: {error}");
    ExitCode::from(FAILED)
}

#[allow(clippy::disallowed_methods, reason = "an age is counted from now")]
fn now() -> Stamp {
    let since_epoch = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Stamp::from_unix_micros(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
}

/// A day, a moment or an age, in words of the command line.
fn moment(text: &str, zone: &TimeZone, now: Stamp) -> Option<Stamp> {
    if let Some(age) = config::parse_duration(text) {
        let age = i64::try_from(age.as_micros()).ok()?;
        return Some(Stamp::from_unix_micros(now.as_unix_micros().saturating_sub(age)));
    }
    let at = match text.parse::<Timestamp>() {
        Ok(at) => at,
        Err(_) => text.parse::<civil::Date>().ok()?.to_zoned(zone.clone()).ok()?.timestamp(),
    };
    Some(Stamp::from_unix_micros(at.as_microsecond()))
}

fn shown(at: Stamp, zone: &TimeZone) -> String {
    match Timestamp::from_microsecond(at.as_unix_micros()) {
        Ok(at) => at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => "(no time)".to_owned(),
    }
}

fn as_json(seq: i64, entry: &Entry) -> Value {
    let fact = match entry {
        Entry::Incident(.., fact) => serde_json::to_value(fact),
        Entry::House(_, fact) => serde_json::to_value(fact),
    };
    json!({
        "seq": seq,
        "at": crate::shell::events::rfc3339(entry.at()),
        "incident": entry.incident(),
        "fact": fact.unwrap_or_default(),
    })
}

fn in_words(seq: i64, entry: &Entry, zone: &TimeZone) -> String {
    let (whose, what) = match entry {
        Entry::Incident(incident, _, fact) => (incident_words(*incident), about_incident(fact)),
        Entry::House(_, fact) => ("house".to_owned(), about_house(fact, zone)),
    };
    // A name from outside must not drive the terminal.
    let what: String = what.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("{seq:>8}  {}  {whose:12}  {what}", shown(entry.at(), zone))
}

fn incident_words(incident: IncidentId) -> String {
    incident.to_string()
}

fn about_incident(fact: &Fact) -> String {
    match fact {
        Fact::Accepted { trigger, plan } => {
            let by = trigger.by.as_deref().map_or(String::new(), |by| format!(" from {by}"));
            let about = trigger.message.as_deref().map_or(String::new(), |text| format!(": {text}"));
            format!("accepted{by}, call flow {}{about}", plan.call_flow.id)
        }
        Fact::Dialled { attempt, contact, phone, call } if call.0.is_empty() => {
            format!("call {attempt} to {contact} at {phone} could not be made")
        }
        Fact::Dialled { attempt, contact, phone, .. } => format!("call {attempt}: dialled {contact} at {phone}"),
        Fact::CalledIn { attempt, contact, phone, .. } => format!("call {attempt}: {contact} called in from {phone}"),
        Fact::Key { attempt, digit, behaviour } => {
            let means = behaviour.map_or("no key of this guidance", |behaviour| behaviour.as_str());
            format!("call {attempt}: key {} pressed: {means}", digit.as_char())
        }
        Fact::Taken { attempt, contact } => format!("call {attempt}: {contact} took it"),
        Fact::Cancelled { by } => format!("cancelled by {by}"),
        Fact::Resolved { by } => format!("resolved by {by}"),
        other => as_it_is(&serde_json::to_value(other).unwrap_or_default()),
    }
}

fn about_house(fact: &HouseFact, zone: &TimeZone) -> String {
    match fact {
        HouseFact::Configured { digest } => format!("runs with the configuration {digest}"),
        HouseFact::Reloaded { digest, waiting, by } => {
            let waiting = if waiting.is_empty() { String::new() } else { format!(" but for {}", waiting.join(", ")) };
            format!("runs with the configuration {digest}{waiting}, read again for {by}")
        }
        HouseFact::DirectorySet { kind, id, object, by } => {
            format!("{} {id} set by {by}: {object}", kind.word())
        }
        HouseFact::DirectoryRemoved { kind, id, by } => format!("{} {id} deleted by {by}", kind.word()),
        HouseFact::DialRefused { number, by, why } => format!("{number} was not dialled for {by}: {why}"),
        HouseFact::TokenCreated { token, by } => {
            let scopes: Vec<&str> = token.scopes.iter().map(String::as_str).collect();
            let until = token.expires.map_or("for ever".to_owned(), |at| format!("until {}", shown(at, zone)));
            format!(
                "token {} `{}` ({}…) made by {by}: opens {} {until}",
                token.id,
                token.name,
                token.prefix,
                scopes.join(", ")
            )
        }
        HouseFact::TokenRevoked { token, by } => format!("token {token} revoked by {by}"),
        HouseFact::Suppressed { suppression } => {
            let scope = as_it_is(&serde_json::to_value(&suppression.scope).unwrap_or_default());
            let until = shown(suppression.until, zone);
            format!("quiet {} until {until}, promised by {}: {scope}", suppression.id, suppression.by)
        }
        HouseFact::Lifted { suppression, by } => format!("quiet {suppression} lifted by {by}"),
        HouseFact::Forgotten { before, incidents, chained } => {
            let before = shown(*before, zone);
            format!("{incidents} incidents older than {before} were taken out, and with them {chained} of these lines")
        }
        HouseFact::RoomOrdered { room, order, by } => format!("room {room}: {} by {by}", about_room(order)),
        other => as_it_is(&serde_json::to_value(other).unwrap_or_default()),
    }
}

fn about_room(order: &RoomOrder) -> String {
    match order {
        RoomOrder::Say { text } => format!("said `{text}`"),
        RoomOrder::Mute { contact, muted: true } => format!("{contact} muted"),
        RoomOrder::Mute { contact, muted: false } => format!("{contact} heard again"),
        RoomOrder::Kick { contact } => format!("{contact} taken out"),
        RoomOrder::Lock { locked: true } => "locked".to_owned(),
        RoomOrder::Lock { locked: false } => "unlocked".to_owned(),
        RoomOrder::Dial { contact, phone } => format!("{contact} dialled at {phone}"),
    }
}

/// A fact without words of its own: its fields as they are.
fn as_it_is(fact: &Value) -> String {
    let Some(fields) = fact.as_object() else { return fact.to_string() };
    let name = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let fields = fields.iter().map(|(key, value)| match key.as_str() {
        "fact" | "house" => name(value),
        key => format!("{key}={}", name(value)),
    });
    fields.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ContactId, Digit, Phone};
    use crate::incident::{Behaviour, CallHandle};
    use crate::store::{Fault, Head};

    const NIGHT: Stamp = Stamp::from_unix_micros(1_795_287_600_000_000);

    fn verdict() -> Verdict {
        let head = Head { seq: 7, digest: [0xab; 32] };
        Verdict { whole: 6, from: Some(NIGHT), to: Some(NIGHT), head, ..Verdict::default() }
    }

    #[test]
    fn a_whole_chain_is_one_line_with_its_span_and_its_head() {
        let lines = findings(&verdict(), None, &TimeZone::UTC);
        let head = "ab".repeat(32);
        let span = "from 2026-11-21 19:00:00 to 2026-11-21 19:00:00";
        assert_eq!(lines, [format!("6 facts, chain whole {span}, head {head}")]);
        let old = Verdict { gone: 3, ..verdict() };
        assert!(findings(&old, None, &TimeZone::UTC)[0].contains("(3 more were taken out because of their age)"));
    }

    #[test]
    fn each_fault_is_a_line_and_the_rest_is_counted() {
        let faults = vec![Fault::Changed(4), Fault::Missing(5)];
        let lines = findings(&Verdict { faults, fault_count: 9, ..verdict() }, None, &TimeZone::UTC);
        assert_eq!(lines[..3], ["line 4 was changed", "line 5 is missing", "… and 7 more"]);
        assert!(lines[3].contains("chain BROKEN in 9 places"), "{lines:?}");
    }

    #[test]
    fn a_head_that_was_noted_is_found_or_not() {
        let with = |noted_at| findings(&Verdict { noted_at, ..verdict() }, Some("cd"), &TimeZone::UTC)[0].clone();
        assert_eq!(with(Some(3)), "the chain goes through cd at line 3");
        assert!(with(None).contains("does not go through cd"));
    }

    #[test]
    fn since_is_a_day_a_moment_or_an_age() {
        let zone = TimeZone::fixed(jiff::tz::offset(9));
        let read = |text| moment(text, &zone, NIGHT).map(|at| shown(at, &TimeZone::UTC));
        assert_eq!(read("2026-11-21").as_deref(), Some("2026-11-20 15:00:00"));
        assert_eq!(read("2026-11-21T03:00:00+09:00").as_deref(), Some("2026-11-20 18:00:00"));
        assert_eq!(read("36h").as_deref(), Some("2026-11-20 07:00:00"));
        assert_eq!(read("yesterday"), None);
    }

    #[test]
    fn facts_are_listed_in_words() {
        let id = "d1xsb63t14gh".parse::<IncidentId>().unwrap();
        let contact = ContactId::parse("yamada").unwrap();
        let phone = Phone::parse("+818012345678").unwrap();
        let line = |fact| in_words(12, &Entry::Incident(id, NIGHT, fact), &TimeZone::UTC);
        let dialled = |call: &str| Fact::Dialled {
            attempt: 1,
            contact: contact.clone(),
            phone: phone.clone(),
            call: CallHandle(call.into()),
        };
        assert_eq!(
            line(dialled("x")),
            "      12  2026-11-21 19:00:00  d1xsb63t14gh  call 1: dialled yamada at +818012345678"
        );
        assert!(line(dialled("")).ends_with("could not be made"));
        let digit = Digit::from_char('1').unwrap();
        let key = Fact::Key { attempt: 1, digit, behaviour: Some(Behaviour::Take) };
        assert!(line(key).ends_with("call 1: key 1 pressed: take"));
        let house = Entry::House(NIGHT, HouseFact::Lifted { suppression: 3, by: "a\u{1b}[2Jb".into() });
        let line = in_words(1, &house, &TimeZone::UTC);
        assert!(line.ends_with("house         quiet 3 lifted by a [2Jb"), "{line}");
        // Without words of its own: the fields as they are.
        let sent = Entry::House(NIGHT, HouseFact::MessageSent { message: 4 });
        assert!(in_words(1, &sent, &TimeZone::UTC).contains("message_sent"));
    }
}
