//! The log: a line a step, to standard error, for a person at night and for journald alike.
//!
//! Easy to get wrong: names, messages and reasons come from outside. Nothing of them may begin a line of its own or
//! turn the direction of writing, and no secret of a SIP message is written at any level.

use core::fmt::{self, Write as _};
use std::io::IsTerminal;

use tracing::field::Field;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::field::MakeExt;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::{Writer, debug_fn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// What begins a header line whose value proves who somebody is.
const CREDENTIALS: [&str; 2] = ["authorization", "proxy-authorization"];

/// What begins a line of SDP whose value is a key.
const KEYS: [&str; 2] = ["a=crypto:", "a=ice-pwd:"];

/// Starts logging to standard error. `verbose` adds the steps nobody cares about until something is wrong;
/// `RUST_LOG=hansho::sip=debug` adds every SIP message.
pub fn start(verbose: bool) {
    let usual = if verbose { LevelFilter::DEBUG } else { LevelFilter::INFO };
    let asked = std::env::var("RUST_LOG").ok().and_then(|text| text.parse::<Targets>().ok());
    let targets = asked.unwrap_or_else(|| Targets::new().with_target("hansho", usual));
    let colour = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let fields = debug_fn(field).delimited(" ");
    let lines = tracing_subscriber::fmt::layer().fmt_fields(fields);
    let lines = lines.with_writer(std::io::stderr).with_ansi(colour).with_target(false);
    // A second start (a test's) keeps the first one's settings.
    let _ = tracing_subscriber::registry().with(lines).with(targets).try_init();
}

/// A SIP message for the log: without proofs of who somebody is, and of a MESSAGE or an INFO without its body, in which
/// the link of a hotline or the digits of a PIN may stand.
pub(super) fn sip_text(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.trim_start().split('\n').map(|line| line.trim_end_matches('\r'));
    let mut shown = String::with_capacity(text.len());
    let mut hidden = false;
    for line in lines.by_ref().take_while(|line| !line.is_empty()) {
        // A value may go on in lines that begin with a space (RFC 3261 §7.3.1).
        if !line.starts_with([' ', '\t']) {
            let name = line.split(':').next().unwrap_or_default().trim();
            hidden = CREDENTIALS.iter().any(|secret| name.eq_ignore_ascii_case(secret));
            shown.push_str(if hidden { name } else { line });
            shown.push_str(if hidden { ": (hidden)\n" } else { "\n" });
        } else if !hidden {
            shown.push_str(line);
            shown.push('\n');
        }
    }
    let method = shown.split(' ').next().unwrap_or_default();
    if ["MESSAGE", "INFO"].iter().any(|it| method.eq_ignore_ascii_case(it)) {
        shown.push_str("(body hidden)");
    } else {
        lines.for_each(|line| {
            let is_key = |key: &&&str| line.get(..key.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(key));
            let key = KEYS.iter().find(is_key);
            shown.push_str(key.unwrap_or(&line));
            shown.push_str(if key.is_some() { "(hidden)\n" } else { "\n" });
        });
    }
    shown
}

fn field(writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug) -> fmt::Result {
    if field.name() != "message" {
        write!(writer, "{field}=")?;
    }
    write!(OneLine(writer), "{value:?}")
}

/// Writes what would begin another line, steer a terminal or turn the direction of writing as an escape.
struct OneLine<W>(W);

impl<W: fmt::Write> fmt::Write for OneLine<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                c if c.is_control() => write!(self.0, "{}", c.escape_default())?,
                '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                    write!(self.0, "{}", c.escape_unicode())?;
                }
                c => self.0.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_comes_from_outside_stays_on_its_line_and_in_its_direction() {
        let (paper, hostile) = (Paper::default(), "a\r\nINFO forged\u{202e}\u{1b}[2J山田");
        let writer = paper.clone();
        let lines = tracing_subscriber::fmt::layer().fmt_fields(debug_fn(field).delimited(" ")).with_ansi(false);
        let lines = lines.with_writer(move || writer.clone()).without_time();
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            tracing::info!(by = %hostile, text = hostile, number = 7, "it says: {hostile}");
        });
        let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(!text.contains(['\u{202e}', '\u{1b}', '\r']), "{text:?}");
        assert!(text.contains("it says: a\\r\\nINFO forged") && text.contains("山田"), "{text}");
        assert!(text.contains("number=7") && text.contains("by=a\\r\\n"), "{text}");
    }

    #[test]
    fn no_secret_of_a_sip_message_is_shown() {
        let message = "MESSAGE sip:a@b SIP/2.0\r\nproxy-authorization : Digest response=\"1234\",\r\n nonce=\"5\"\r\n\
                       To: <sip:a@b>\r\n\r\nhttps://x.example/hotline/SECRET";
        let shown = sip_text(message.as_bytes());
        assert_eq!(shown, "MESSAGE sip:a@b SIP/2.0\nproxy-authorization: (hidden)\nTo: <sip:a@b>\n(body hidden)");
        let invite = sip_text(
            b"INVITE sip:a@b SIP/2.0\r\nAuthorization: Digest response=1\r\n\r\nv=0\r\nA=crypto:1 x inline:k\r\n",
        );
        assert_eq!(invite, "INVITE sip:a@b SIP/2.0\nAuthorization: (hidden)\nv=0\na=crypto:(hidden)\n\n");
        let bare = sip_text(b"MESSAGE sip:a@b SIP/2.0\nTo: x\n\nSECRET");
        assert!(!bare.contains("SECRET"), "{bare}");
    }
}
