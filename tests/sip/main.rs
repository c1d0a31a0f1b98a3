//! The codecs seen from outside: torture messages, other people's crates as witnesses, hostile bytes.

mod fuzz;
mod hostile;
mod rsip_oracle;
mod rtp_oracle;
mod sdp_oracle;
mod torture;
mod torture_fields;
mod torture_files;
mod torture_refused;
mod torture_registrar;

use hansho::wire::sip::Message;

/// A message written with plain line ends, as bytes with those of the wire.
fn wire(text: &str) -> Vec<u8> {
    text.replace('\n', "\r\n").into_bytes()
}

/// The message in `text`, which must be readable.
fn read(text: &str) -> Message {
    Message::parse(&wire(text)).unwrap_or_else(|why| panic!("{why}: {text}"))
}
