//! Errors of sockets and certificates as sentences that say what to do.
//!
//! They stand in the log, in `status` and in `trunk.failed`, and somebody reads them at night.

use std::io;

use tokio_rustls::rustls::{AlertDescription, CertificateError, Error};

use crate::base::Stamp;
use crate::shell::events::rfc3339;

/// What the system says of a connection.
pub fn of_system(error: &io::Error) -> String {
    // What a server of TLS 1.3 thinks of us comes when the handshake is over.
    if let Some(Error::AlertReceived(alert)) = inner(error) {
        return of_alert("the far end", *alert);
    }
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "nobody listens there".to_owned(),
        io::ErrorKind::ConnectionReset => "the far end broke the connection off".to_owned(),
        io::ErrorKind::UnexpectedEof => "the far end closed the connection".to_owned(),
        io::ErrorKind::TimedOut => "nothing answers there".to_owned(),
        _ => error.to_string(),
    }
}

/// Why a handshake failed with whoever should be `name`.
pub fn of_handshake(name: &str, error: &io::Error) -> String {
    match inner(error) {
        Some(Error::InvalidCertificate(fault)) => of_certificate(name, fault),
        Some(Error::AlertReceived(alert)) => of_alert(name, *alert),
        Some(Error::InvalidMessage(_)) => format!("{name} does not speak TLS at this port"),
        Some(other) => format!("the handshake of TLS with {name} failed: {other}"),
        None => format!("the handshake of TLS with {name} failed: {}", of_system(error)),
    }
}

fn inner(error: &io::Error) -> Option<&Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Error>())
}

fn of_alert(name: &str, alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired => format!("{name} demands a certificate of hansho's, which has none"),
        AlertDescription::CloseNotify => format!("{name} closed the connection"),
        other => format!("{name} breaks TLS off: {other:?}"),
    }
}

fn of_certificate(name: &str, fault: &CertificateError) -> String {
    let on = |time: &rustls_pki_types::UnixTime| {
        let micros = i64::try_from(time.as_secs().saturating_mul(1_000_000)).unwrap_or(i64::MAX);
        rfc3339(Stamp::from_unix_micros(micros)).split('T').next().unwrap_or_default().to_owned()
    };
    match fault {
        CertificateError::Expired => format!("the certificate of {name} has expired"),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("the certificate of {name} expired on {}", on(not_after))
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the certificate of {name} is not valid yet; does this machine's clock go right?")
        }
        CertificateError::UnknownIssuer => {
            format!("the certificate of {name} comes from an unknown authority; name its file with ca_file")
        }
        CertificateError::NotValidForName => format!("the certificate there is made out to somebody else than {name}"),
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!("the certificate there is made out to {} and not to {name}", listed(presented))
        }
        // The library has no word of its own for a certificate that is its own authority.
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            format!("the certificate of {name} signed itself; name its file with ca_file")
        }
        CertificateError::Other(other) => format!("the certificate of {name}: {other}"),
        other => format!("the certificate of {name} is not accepted: {other:?}"),
    }
}

/// `a, b`; of many the first few. What stands there is the far end's to choose.
fn listed(names: &[String]) -> String {
    let shown: Vec<String> = names
        .iter()
        .take(4)
        // Which kind of name it is stands around it: `DnsName("a")`, `IpAddress(192.0.2.1)`.
        .map(|name| name.split(['"', '(', ')']).filter(|part| !part.is_empty()).nth(1).unwrap_or(name))
        .map(|name| name.chars().filter(|c| c.is_ascii_graphic()).take(80).collect::<String>())
        .collect();
    if shown.is_empty() { "nobody".to_owned() } else { shown.join(", ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_of_a_certificate_are_shown_as_people_write_them() {
        let names = ["DnsName(\"pbx.example\")", "IpAddress(192.0.2.1)", "IpAddress(2001:db8::1)", "plain.example"];
        let shown = listed(&names.map(str::to_owned));
        assert_eq!(shown, "pbx.example, 192.0.2.1, 2001:db8::1, plain.example");
        assert_eq!(listed(&[]), "nobody");
    }
}
