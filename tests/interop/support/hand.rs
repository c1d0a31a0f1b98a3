//! SIP written by hand, for answers that no program would give.

use std::io::Read;
use std::net::TcpStream;

/// The answer to a request: its first line, more header lines, each with its line end, and a body.
pub fn answer(request: &str, line: &[u8], fields: &[u8], body: &str) -> Vec<u8> {
    let mut said = [b"SIP/2.0 ", line, b"\r\n"].concat();
    for copied in head_lines(request).filter(|line| ["via", "from", "call-id", "cseq"].contains(&name(line).as_str())) {
        said.extend(format!("{copied}\r\n").into_bytes());
    }
    let to = field(request, "To");
    let tag = if to.contains(";tag=") { "" } else { ";tag=hand" };
    said.extend(format!("To: {to}{tag}\r\n").into_bytes());
    said.extend_from_slice(fields);
    said.extend(format!("Content-Length: {}\r\n\r\n{body}", body.len()).into_bytes());
    said
}

/// The first value of this name.
pub fn field<'a>(message: &'a str, wanted: &str) -> &'a str {
    let found = head_lines(message).find(|line| name(line) == wanted.to_lowercase());
    let line = found.unwrap_or_else(|| panic!("no {wanted} in {message}"));
    line.split_once(':').expect("it has a name").1.trim()
}

/// The next message of a connection; `None` when the far end closes it.
pub fn take(stream: &mut TcpStream) -> Option<String> {
    let mut message = String::new();
    let mut byte = [0];
    while !message.ends_with("\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        message.push(char::from(byte[0]));
    }
    let mut body = vec![0; field(&message, "Content-Length").parse().expect("a length is a number")];
    stream.read_exact(&mut body).ok()?;
    Some(message + &String::from_utf8_lossy(&body))
}

fn head_lines(message: &str) -> impl Iterator<Item = &str> {
    message.split("\r\n").skip(1).take_while(|line| !line.is_empty())
}

fn name(line: &str) -> String {
    line.split_once(':').map_or("", |(name, _)| name).trim().to_lowercase()
}
