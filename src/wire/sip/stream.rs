//! Messages out of a stream of bytes: the head ends with an empty line, the body is as long as Content-Length says
//! (RFC 3261 §18.3, §20.14).
//!
//! It keeps what came until a message is whole, and never more than one message may hold.
//!
//! Easy to get wrong: between messages a double CRLF is a ping that wants a CRLF back, and a single one is such an
//! answer (RFC 5626 §3.5.1), and either may come in pieces; a message without Content-Length has no body here, because
//! nothing else would say where the next one begins; two lengths that differ are two opinions of where it begins, and
//! that is how messages are smuggled.

use super::frame::{Cut, Lines, header_line, split_head, unfolded};
use super::name::Known;
use super::scan;

/// The longest message that is taken from a stream. Real ones are a tenth of this.
pub const MAX_IN_STREAM: usize = 16_384;

/// Something whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Piece {
    /// A message's bytes.
    Message(Vec<u8>),
    /// A double CRLF: are you there?
    Ping,
    /// A single CRLF: I am.
    Pong,
}

/// Why nothing more can be taken from this stream: where the next message begins is not known.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Broken {
    /// More than [`MAX_IN_STREAM`].
    #[error("a message is longer than {MAX_IN_STREAM} bytes")]
    TooLong,
    /// Content-Length is no number, or there are two of them.
    #[error("a message does not say how long it is")]
    Length,
}

/// Bytes on their way to being messages.
#[derive(Debug, Default)]
pub struct Stream {
    bytes: Vec<u8>,
    /// How much of them was searched for the end of the head, so that a slow sender costs no more than a fast one.
    searched: usize,
    /// Head and body of the message under way, once its head is whole.
    whole: Option<usize>,
    /// The last piece was a single CRLF, which may be the first half of a double one.
    half: bool,
}

impl Stream {
    /// Takes what came.
    pub fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// How much more is to be read at most before [`Stream::next_piece`] is asked again.
    pub fn room(&self) -> usize {
        (MAX_IN_STREAM + 1).saturating_sub(self.bytes.len())
    }

    /// What cannot be taken, from the beginning of its message on: its sender may be told what is wrong with it.
    pub fn rest(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.bytes)
    }

    /// A message is under way, and its rest is missing.
    pub fn is_waiting(&self) -> bool {
        !self.bytes.is_empty()
    }

    /// The next whole thing, if there is one.
    pub fn next_piece(&mut self) -> Result<Option<Piece>, Broken> {
        if let Some(piece) = self.blank() {
            return Ok(Some(piece));
        }
        if self.whole.is_none() {
            self.whole = self.find_end()?;
        }
        let Some(whole) = self.whole.filter(|whole| *whole <= self.bytes.len()) else {
            return if self.bytes.len() > MAX_IN_STREAM { Err(Broken::TooLong) } else { Ok(None) };
        };
        let rest = self.bytes.split_off(whole);
        let message = core::mem::replace(&mut self.bytes, rest);
        (self.whole, self.searched, self.half) = (None, 0, false);
        Ok(Some(Piece::Message(message)))
    }

    fn blank(&mut self) -> Option<Piece> {
        let (length, piece) = match self.bytes.as_slice() {
            [b'\r', b'\n', b'\r', b'\n', ..] => (4, Piece::Ping),
            [b'\r', b'\n', ..] if self.half => (2, Piece::Ping),
            [b'\r', b'\n', ..] => (2, Piece::Pong),
            _ => return None,
        };
        self.half = piece == Piece::Pong;
        self.bytes.drain(..length);
        Some(piece)
    }

    fn find_end(&mut self) -> Result<Option<usize>, Broken> {
        // The end of the head has at most four bytes, of which three may have been there before.
        let from = self.searched.saturating_sub(3);
        let fresh = self.bytes.get(from..).unwrap_or_default();
        let ends = fresh.windows(2).any(|pair| pair == b"\n\n") || fresh.windows(3).any(|three| three == b"\n\r\n");
        self.searched = self.bytes.len();
        if !ends {
            return Ok(None);
        }
        let Ok(cut) = split_head(&self.bytes) else { return Ok(None) };
        let before = self.bytes.len() - cut.body.len();
        let whole = before.saturating_add(length_in(&cut)?);
        if whole > MAX_IN_STREAM { Err(Broken::TooLong) } else { Ok(Some(whole)) }
    }
}

fn length_in(cut: &Cut<'_>) -> Result<usize, Broken> {
    let head = unfolded(cut);
    let mut found = None;
    for line in Lines::of(&head).skip(1) {
        // What is no header line is for whoever reads the message.
        let Some(header) = header_line(line).ok().filter(|header| header.known == Some(Known::ContentLength)) else {
            continue;
        };
        let length = scan::number::<usize>(header.value).ok_or(Broken::Length)?;
        if found.replace(length).is_some_and(|other| other != length) {
            return Err(Broken::Length);
        }
    }
    Ok(found.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &[u8] = b"OPTIONS sip:a SIP/2.0\r\nl: 4\r\n\r\nbody";
    const SECOND: &[u8] = b"SIP/2.0 200 OK\r\nContent-Length:0\r\n\r\n";

    fn all(stream: &mut Stream) -> Vec<Piece> {
        core::iter::from_fn(|| stream.next_piece().unwrap()).collect()
    }

    #[test]
    fn messages_and_keep_alives_come_out_as_they_went_in_however_the_bytes_are_cut() {
        let bytes = [FIRST, b"\r\n\r\n", SECOND, b"\r\n", FIRST].concat();
        let message = |bytes: &[u8]| Piece::Message(bytes.to_vec());
        for size in 1..bytes.len() {
            let mut stream = Stream::default();
            let mut pieces = Vec::new();
            for chunk in bytes.chunks(size) {
                stream.push(chunk);
                pieces.extend(all(&mut stream));
            }
            // A ping in two pieces looks like an answer first.
            pieces.dedup_by(|next, before| {
                *before == Piece::Pong && *next == Piece::Ping && {
                    *before = Piece::Ping;
                    true
                }
            });
            let expected = [message(FIRST), Piece::Ping, message(SECOND), Piece::Pong, message(FIRST)];
            assert_eq!(pieces, expected, "in pieces of {size}");
            assert!(!stream.is_waiting());
        }
    }

    #[test]
    fn a_stream_that_hides_where_its_next_message_begins_is_given_up() {
        for (bytes, broken) in [
            (&b"A sip:a SIP/2.0\r\nl: 4\r\nContent-Length: 5\r\n\r\n"[..], Broken::Length),
            (b"A sip:a SIP/2.0\r\nl: four\r\n\r\n", Broken::Length),
            (b"A sip:a SIP/2.0\r\nl: -1\r\n\r\n", Broken::Length),
            (b"A sip:a SIP/2.0\r\nl: 99999999999999999999999\r\n\r\n", Broken::Length),
            (b"A sip:a SIP/2.0\r\nl: 16384\r\n\r\n", Broken::TooLong),
            (&[b'x'; MAX_IN_STREAM + 1], Broken::TooLong),
        ] {
            let mut stream = Stream::default();
            stream.push(bytes);
            assert_eq!(stream.next_piece(), Err(broken));
            assert_eq!((stream.rest().as_slice(), stream.is_waiting()), (bytes, false));
        }
    }

    #[test]
    fn the_longest_message_is_taken_and_one_byte_more_is_too_long_as_soon_as_it_is_said() {
        let said = |length: usize| format!("A sip:a SIP/2.0\r\nl: {length}\r\n\r\n").into_bytes();
        let longest = [said(MAX_IN_STREAM - 29), vec![b'x'; MAX_IN_STREAM - 29]].concat();
        let mut stream = Stream::default();
        for byte in &longest {
            assert_eq!(stream.next_piece(), Ok(None));
            stream.push(&[*byte]);
        }
        assert_eq!(stream.next_piece(), Ok(Some(Piece::Message(longest))));
        stream.push(&said(MAX_IN_STREAM - 28));
        assert_eq!(stream.next_piece(), Err(Broken::TooLong));
    }

    #[test]
    fn the_length_may_be_folded_and_said_twice_alike() {
        let mut stream = Stream::default();
        stream.push(b"A sip:a SIP/2.0\nContent-Length :\n 2\nl: 2\n\nhi");
        assert!(matches!(all(&mut stream).as_slice(), [Piece::Message(bytes)] if bytes.ends_with(b"hi")));
    }
}
