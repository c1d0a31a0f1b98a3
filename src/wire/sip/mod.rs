//! SIP messages: read as they came, viewed lazily, written without surprises (RFC 3261 §7, §18.3, §19, §20, §25).
//!
//! A [`Message`] keeps the bytes it was read from and an index of its header lines; a value is only looked
//! into when somebody asks ([`Message::via`], [`Message::from`], …). A [`Builder`] writes new messages, an
//! [`Edit`] passes a received one on with changes. A [`Stream`] takes messages out of the bytes of a connection.
//!
//! Lenient: folded lines, compact names, any case of names, LF alone as line end, white space where RFC 3261
//! allows it and in a few places where it does not, unknown methods, headers and URI schemes, text that is
//! not UTF-8. Strict: a start line or header line that is none, a Content-Length that lies, a bare CR, more
//! than [`MAX_MESSAGE`] bytes or [`MAX_HEADERS`] header lines.
//!
//! Easy to get wrong: commas and semicolons inside quotes and `<>` separate nothing; `sip:a@b;tag=x` without
//! `<>` has a header parameter and no URI parameter (§20); `Via` lines may hold several values, and so may
//! every other list.

mod build;
mod edit;
mod frame;
mod message;
mod method;
mod name;
mod scan;
mod status;
mod stream;
mod uri;
mod values;

#[cfg(test)]
mod tests;

pub use build::Builder;
pub use edit::Edit;
pub use message::{Message, Start};
pub use method::Method;
pub use name::Name;
pub use scan::{List, Params, quote, unquote};
pub use status::reason_phrase;
pub use stream::{Broken, MAX_IN_STREAM, Piece, Stream};
pub use uri::Uri;
pub use values::{CSeq, MAGIC_COOKIE, NameAddr, Via};

/// The longest message that is read, in bytes: what a UDP datagram can hold (RFC 3261 §18.1.1).
pub const MAX_MESSAGE: usize = 65_535;

/// The most header lines that are read. Busy carriers send about forty.
pub const MAX_HEADERS: usize = 256;

/// What is wrong with bytes that ought to be SIP. The text of it is fit for a 400's reason phrase.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Malformed {
    /// No message at all but an empty or blank datagram, sent to keep a NAT binding open (RFC 5626 §3.5.1).
    #[error("Keep-alive")]
    KeepAlive,
    /// More than [`MAX_MESSAGE`] bytes.
    #[error("Message of {0} bytes is too long")]
    TooLong(usize),
    /// More than [`MAX_HEADERS`] header lines.
    #[error("Too many header fields")]
    TooManyHeaders,
    /// The first line is neither a request line nor a status line.
    #[error("Bad start line: {0}")]
    StartLine(&'static str),
    /// Another version than SIP/2.0; a request is answered with 505.
    #[error("SIP version not supported")]
    Version,
    /// A header line that is none; the first header line is number 1.
    #[error("Bad header line {line}: {why}")]
    HeaderLine {
        /// Which, counting unfolded lines.
        line: usize,
        /// What it lacks.
        why: &'static str,
    },
    /// No empty line ends the header fields.
    #[error("Header fields without an end")]
    NoEnd,
    /// Content-Length promises more than the datagram holds (RFC 3261 §18.3).
    #[error("Content-Length {declared} but {found} bytes of body")]
    Truncated {
        /// What Content-Length says.
        declared: usize,
        /// What came.
        found: usize,
    },
    /// A header that must be there is not.
    #[error("Missing {0} header field")]
    Missing(Name),
    /// A header that may stand once stands several times.
    #[error("Repeated {0} header field")]
    Repeated(Name),
    /// A header value that cannot be read.
    #[error("Bad {name} header field: {why}")]
    Value {
        /// Which header.
        name: Name,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A URI that cannot be read.
    #[error("Bad URI: {0}")]
    Uri(&'static str),
}

impl Malformed {
    /// The status that answers a request with this fault; `None` where silence is the answer.
    pub fn status(&self) -> Option<u16> {
        match self {
            Malformed::KeepAlive => None,
            Malformed::TooLong(_) => Some(513),
            Malformed::Version => Some(505),
            _ => Some(400),
        }
    }
}
