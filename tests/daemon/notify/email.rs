//! A mail server by hand: busy, refusing, and taking mail at last.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use serde_json::json;

use crate::support::{Habit, LIMIT, World};

const ANNA: &str = "+815000000001";

/// A server in a thread; each mail that it is given comes out, with the answer to it.
struct MailServer {
    address: SocketAddr,
    mails: Receiver<String>,
}

impl MailServer {
    /// Answers the first mails with these lines, and takes the others.
    fn that_answers(first: &'static [&'static str]) -> MailServer {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has ports");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (told, mails) = channel();
        std::thread::spawn(move || {
            let mut answers = first.iter().copied();
            for stream in listener.incoming().flatten() {
                let answer = |mail: String| {
                    let answer = answers.next().unwrap_or("250 2.0.0 taken");
                    told.send(mail).ok().map(|()| answer)
                };
                let _ = serve(&stream, answer);
            }
        });
        MailServer { address, mails }
    }

    fn mail(&self) -> String {
        self.mails.recv_timeout(LIMIT).expect("a mail came")
    }

    fn table(&self, more: &str) -> String {
        let port = self.address.port();
        format!(
            "[notify]\nretry_first = \"20ms\"\nretry_most = \"100ms\"\n[notify.email]\nserver = \"127.0.0.1\"\n\
             port = {port}\ntls = \"off\"\nfrom = \"hansho <hansho@example.com>\"\nto = [\"oncall@example.com\"]\n{more}"
        )
    }
}

/// One session; a mail is what stands between DATA and the full stop.
fn serve(stream: &TcpStream, mut answer: impl FnMut(String) -> Option<&'static str>) -> std::io::Result<()> {
    stream.set_read_timeout(Some(LIMIT))?;
    let (mut out, mut lines) = (stream, BufReader::new(stream).lines());
    out.write_all(b"220 mail.example.com ESMTP\r\n")?;
    while let Some(line) = lines.next().transpose()? {
        let verb = line.split(' ').next().unwrap_or_default().to_ascii_uppercase();
        match verb.as_str() {
            "EHLO" => out.write_all(b"250-mail.example.com\r\n250 SMTPUTF8\r\n")?,
            "DATA" => {
                out.write_all(b"354 go on\r\n")?;
                let mut mail = String::new();
                while let Some(line) = lines.next().transpose()?.filter(|line| line != ".") {
                    mail.push_str(&line);
                    mail.push('\n');
                }
                let Some(answer) = answer(mail) else { return Ok(()) };
                out.write_all(format!("{answer}\r\n").as_bytes())?;
            }
            "QUIT" => return out.write_all(b"221 bye\r\n"),
            _ => out.write_all(b"250 ok\r\n")?,
        }
    }
    Ok(())
}

fn header<'m>(mail: &'m str, name: &str) -> &'m str {
    let found = mail.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    found.unwrap_or_else(|| panic!("no {name} in {mail}"))
}

#[test]
fn a_busy_server_is_tried_again_with_the_same_message_id_and_mails_of_an_incident_stand_together() {
    let server = MailServer::that_answers(&["451 4.3.0 try again later"]);
    let events = "events = [\"incident.accepted\", \"incident.exhausted\"]\n";
    let world = World::new("mail").flow("rounds = 1").person(ANNA, Habit::Busy).more(&server.table(events));
    let daemon = world.start();
    let incident = daemon.trigger();
    let (busy, first, last) = (server.mail(), server.mail(), server.mail());
    assert_eq!(header(&busy, "Message-ID"), header(&first, "Message-ID"));
    assert_ne!(header(&first, "Message-ID"), header(&last, "Message-ID"));
    let thread = format!("<incident-{incident}@example.com>");
    assert_eq!((header(&first, "References"), header(&last, "In-Reply-To")), (thread.as_str(), thread.as_str()));
    assert!(first.contains("To: oncall@example.com") && first.contains("Auto-Submitted: auto-generated"), "{first}");
}

#[test]
fn a_mail_that_is_refused_is_given_up_and_said_so() {
    let server = MailServer::that_answers(&["550 5.1.1 no such user"]);
    let events = "events = [\"incident.accepted\", \"incident.exhausted\"]\n";
    let world = World::new("mail-refused").flow("rounds = 1").person(ANNA, Habit::Busy).more(&server.table(events));
    let daemon = world.start();
    let mut watch = daemon.watch();
    daemon.trigger();
    let failed = watch.until("notify.failed", &[("notifier", json!("email"))]);
    assert!(failed["reason"].as_str().is_some_and(|why| why.contains("no such user")), "{failed}");
    let (refused, taken) = (server.mail(), server.mail());
    assert_ne!(header(&refused, "Message-ID"), header(&taken, "Message-ID"));
}
