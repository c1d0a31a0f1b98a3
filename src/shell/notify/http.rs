//! One HTTP request with everything a stranger's server may do kept in bounds.
//!
//! A time limit for the whole of it, no proxy of the environment, no redirect followed (a request may carry secrets),
//! and only so much of an answer read as somebody will look at. Easy to get wrong: an error of the HTTP library may
//! name the address, and an address may be a secret.

use std::io::Read;
use std::time::Duration;

use ureq::http::{Request, StatusCode, header};
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, parse_pem};
use ureq::{Agent, Error};

use super::parcel::Trouble;
use crate::config::Patience;

/// The longest answer that is read.
const ANSWER: u64 = 64 << 10;
/// How much of it is shown.
const SHOWN: usize = 200;
const CONNECT: Duration = Duration::from_secs(5);

/// A client for one notifier.
pub(super) struct Http(Agent);

/// What came back.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) retry_after: Option<Duration>,
    /// Its beginning; empty after a success nobody asked the words of.
    pub(super) body: String,
}

impl Http {
    /// `ca`: PEM of the authorities that are trusted instead of the public ones.
    pub(super) fn new(patience: &Patience, ca: Option<&str>) -> Http {
        let mut tls = TlsConfig::builder();
        if let Some(pem) = ca {
            let certificates: Vec<Certificate<'static>> = parse_pem(pem.as_bytes())
                .filter_map(|item| if let Ok(PemItem::Certificate(found)) = item { Some(found) } else { None })
                .collect();
            tls = tls.root_certs(RootCerts::from(certificates));
        }
        let config = Agent::config_builder()
            .tls_config(tls.build())
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .timeout_global(Some(patience.timeout))
            .timeout_connect(Some(patience.timeout.min(CONNECT)))
            .user_agent(concat!("hansho/", env!("CARGO_PKG_VERSION")))
            .build();
        Http(config.new_agent())
    }

    /// Sends it. `reads`: the words of a success matter too.
    pub(super) fn send(&self, request: Request<Vec<u8>>, reads: bool) -> Result<Answer, Trouble> {
        let mut response = self.0.run(request).map_err(|error| Trouble::later(words(&error)))?;
        let status = response.status();
        let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = retry_after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let mut body = Vec::new();
        if reads || !status.is_success() {
            // What cannot be read is not there; the status has said what matters.
            let _ = response.body_mut().as_reader().take(ANSWER).read_to_end(&mut body);
        }
        Ok(Answer { status, retry_after, body: String::from_utf8_lossy(&body).into_owned() })
    }
}

impl Answer {
    /// Success, or what became of it by the status alone: too busy and broken receivers are tried again, a refusal is
    /// one.
    pub(super) fn judge(&self) -> Result<(), Trouble> {
        let code = self.status.as_u16();
        let why = || format!("answered {}{}", self.status, self.shown());
        match code {
            200..=299 => Ok(()),
            300..=399 => {
                Err(Trouble::never(format!("{}: redirects are not followed, configure the new address", why())))
            }
            408 | 425 | 429 | 500..=599 => Err(Trouble::Later { why: why(), after: self.retry_after }),
            _ => Err(Trouble::never(why())),
        }
    }

    /// The beginning of the body as it may stand in a log line.
    fn shown(&self) -> String {
        let plain = |c: char| if c.is_control() { ' ' } else { c };
        let text: String = self.body.trim().chars().take(SHOWN).map(plain).collect();
        if text.is_empty() { text } else { format!(" ({text})") }
    }
}

/// The error without the address.
fn words(error: &Error) -> String {
    match error {
        Error::BadUri(_) | Error::RequireHttpsOnly(_) => "the address cannot be used".to_owned(),
        Error::Timeout(what) => format!("no answer in time ({what})"),
        Error::Io(why) => why.to_string(),
        Error::HostNotFound => "the host's name cannot be looked up".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Result<(), Trouble> {
        let status = StatusCode::from_u16(status).unwrap();
        Answer { status, retry_after: Some(Duration::from_secs(7)), body: body.to_owned() }.judge()
    }

    #[test]
    fn a_busy_or_broken_receiver_is_tried_again_and_a_refusal_is_not() {
        assert_eq!(judged(204, ""), Ok(()));
        for status in [408, 425, 429, 500, 502, 503, 599] {
            let trouble = judged(status, "").unwrap_err();
            assert!(matches!(trouble, Trouble::Later { after: Some(after), .. } if after.as_secs() == 7), "{status}");
        }
        for status in [301, 302, 307, 400, 401, 403, 404, 410, 422] {
            assert!(matches!(judged(status, ""), Err(Trouble::Never { .. })), "{status}");
        }
    }

    #[test]
    fn what_a_receiver_says_is_shown_on_one_line_and_cut_short() {
        let Err(Trouble::Never { why }) = judged(403, &format!("invalid\n\ttoken {}", "x".repeat(500))) else {
            panic!("403 is a refusal");
        };
        assert!(why.starts_with("answered 403 Forbidden (invalid  token x") && why.len() < 300, "{why}");
        assert!(!why.contains('\n'));
    }
}
