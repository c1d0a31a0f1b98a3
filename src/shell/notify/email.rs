//! `[notify.email]`: a mail a notice, by SMTP.
//!
//! The Message-ID is made of the key, so that a mail that was sent twice is one to whoever sorts them; all mails of an
//! incident refer to one id, so that they stand together.

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, CertificateStore, Tls as Protection, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};

use super::parcel::{Deliver, Parcel, Trouble};
use crate::base::IncidentId;
use crate::config::{Email, Patience, Tls};
use crate::shell::events::rfc3339;

/// The longest subject, in characters.
const SUBJECT: usize = 200;

/// The mailbox of those who are told.
pub(super) struct EmailPost {
    smtp: SmtpTransport,
    email: Email,
    node: String,
}

impl EmailPost {
    /// The error: the certificates cannot be used.
    pub(super) fn new(email: Email, node: String, patience: &Patience, ca: Option<&str>) -> Result<EmailPost, String> {
        let protection = protection(&email, ca).map_err(|error| format!("notify.email: {error}"))?;
        let mut smtp = SmtpTransport::builder_dangerous(email.server.name.as_str())
            .port(email.server.port)
            .tls(protection)
            .timeout(Some(patience.timeout));
        if let Some((name, password)) = &email.account {
            smtp = smtp.credentials(Credentials::new(name.clone(), password.reveal().to_owned()));
        }
        Ok(EmailPost { smtp: smtp.build(), email, node })
    }

    fn mail(&self, parcel: &Parcel) -> Result<Message, lettre::error::Error> {
        let notice = &parcel.notice;
        let domain = self.email.from.email.domain();
        let mut mail = Message::builder()
            .from(self.email.from.clone())
            .subject(subject(&self.node, &notice.text))
            .message_id(Some(format!("<{}@{domain}>", parcel.key)))
            .date_now()
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .header(ContentType::TEXT_PLAIN);
        for reader in &self.email.to {
            mail = mail.to(reader.clone());
        }
        if let Some(incident) = notice.event.incident {
            let thread = thread_id(incident, domain);
            mail = mail.in_reply_to(thread.clone()).references(thread);
        }
        mail.body(text(parcel))
    }
}

impl Deliver for EmailPost {
    fn deliver(&mut self, parcel: &Parcel) -> Result<(), Trouble> {
        let mail = self.mail(parcel).map_err(|error| Trouble::never(format!("the mail cannot be written: {error}")))?;
        match self.smtp.send(&mail) {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(Trouble::never(words(&error))),
            Err(error) => Err(Trouble::later(words(&error))),
        }
    }
}

fn protection(email: &Email, ca: Option<&str>) -> Result<Protection, lettre::transport::smtp::Error> {
    if email.tls == Tls::Off {
        return Ok(Protection::None);
    }
    let mut parameters = TlsParameters::builder(email.server.name.clone());
    if let Some(pem) = ca {
        parameters = parameters.certificate_store(CertificateStore::None);
        for certificate in Certificate::from_pem(pem.as_bytes()).into_iter() {
            parameters = parameters.add_root_certificate(certificate);
        }
    }
    let parameters = parameters.build()?;
    Ok(if email.tls == Tls::Implicit { Protection::Wrapper(parameters) } else { Protection::Required(parameters) })
}

/// What happened, what it is about, and when.
fn text(parcel: &Parcel) -> String {
    let notice = &parcel.notice;
    let mut text = format!("{}\n\n", notice.text);
    if let Some(subject) = notice.subject.as_ref().filter(|subject| !notice.text.contains(subject.as_str())) {
        text.push_str(&format!("{subject}\n"));
    }
    text.push_str(&format!("{}\n", rfc3339(parcel.at)));
    if let Some(incident) = notice.event.incident {
        text.push_str(&format!("hansho status {incident}\n"));
    }
    text
}

/// One line; lettre encodes what is not ASCII.
fn subject(node: &str, text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    format!("[{node}] {text}").chars().map(plain).take(SUBJECT).collect()
}

fn thread_id(incident: IncidentId, domain: &str) -> String {
    format!("<incident-{incident}@{domain}>")
}

/// The error, which names its cause, on one line.
fn words(error: &lettre::transport::smtp::Error) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    error.to_string().chars().map(plain).take(300).collect()
}
