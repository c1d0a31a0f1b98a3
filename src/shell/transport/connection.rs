//! One connection: bytes in, messages out, and the other way round.
//!
//! Easy to get wrong: a message that has begun must end soon, or its sender holds a place by a byte a minute; whoever
//! made the connection keeps it alive, with a double CRLF now and then, and the other end answers with a single one
//! (RFC 5626 §3.5.1, §4.4.1). Many never answer, so silence counts only where there was an answer before. Whoever sends a
//! message that says no length, or too much, is told so before the connection ends (RFC 4475 §3.1.2.3, §3.3.9).

use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::Told;
use crate::sip::Hop;
use crate::wire::sip::{Piece, Stream};

/// A message that has begun is whole within this.
const WHOLE_WITHIN: Duration = Duration::from_secs(10);
/// What is written is taken within this.
const TAKEN_WITHIN: Duration = Duration::from_secs(10);
/// So often we ask whether the far end is there.
const PING: Duration = Duration::from_secs(95);
/// An answer comes within this.
const PONG_WITHIN: Duration = Duration::from_secs(10);
/// A connection of theirs that brings nothing for so long is closed.
const IDLE: Duration = Duration::from_secs(900);
/// Bytes that were sent and that nobody acknowledges for so long end the connection.
const UNACKNOWLEDGED: Duration = Duration::from_secs(20);
/// Whoever sent what cannot be taken has so long to hear why.
const PARTING: Duration = Duration::from_secs(1);
const READ: usize = 4_096;

/// Why a connection is over.
struct Over {
    why: String,
    /// A request that cannot be taken was handed on: what is said to it is the last that goes out.
    owes: bool,
}

impl From<String> for Over {
    fn from(why: String) -> Over {
        Over { why, owes: false }
    }
}

/// What the kernel is to do with this connection.
pub(super) fn prepare(stream: &TcpStream) {
    let _ = stream.set_nodelay(true);
    let socket = SockRef::from(stream);
    let _ = socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED));
    let _ = socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(Duration::from_secs(60)));
}

/// Runs until it ends; why it did. `ours`: we made it, and keep it alive.
pub(super) async fn run(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    hop: Hop,
    mut out: mpsc::Receiver<Vec<u8>>,
    told: &mpsc::Sender<Told>,
    ours: bool,
) -> String {
    let mut pieces = Stream::default();
    let mut buffer = [0; READ];
    let mut clock = Clock::start(ours, Instant::now());
    loop {
        let room = pieces.room().min(READ);
        let into = buffer.get_mut(..room).unwrap_or_default();
        let done: Result<(), Over> = tokio::select! {
            read = stream.read(into) => match read {
                Ok(0) => Err("the far end closed the connection".to_owned().into()),
                Ok(count) => {
                    pieces.push(buffer.get(..count).unwrap_or_default());
                    take(&mut pieces, &mut clock, hop, told, &mut stream).await
                }
                Err(error) => Err(super::sentence::of_system(&error).into()),
            },
            message = out.recv() => match message {
                Some(bytes) => write(&mut stream, &bytes).await.map_err(Over::from),
                None => Err("nobody needs it any more".to_owned().into()),
            },
            () = tokio::time::sleep_until(clock.next()) => match clock.on_deadline(Instant::now()) {
                Due::Ping => write(&mut stream, b"\r\n\r\n").await.map_err(Over::from),
                Due::Over(why) => Err(why.to_owned().into()),
                Due::Nothing => Ok(()),
            },
        };
        if let Err(Over { why, owes }) = done {
            if owes {
                let _ = tokio::time::timeout(PARTING, part(&mut stream, &mut out)).await;
            }
            // Says goodbye where TLS wants it; whoever is gone does not hear it.
            let _ = tokio::time::timeout(Duration::from_secs(1), stream.shutdown()).await;
            return why;
        }
    }
}

async fn take(
    pieces: &mut Stream,
    clock: &mut Clock,
    hop: Hop,
    told: &mpsc::Sender<Told>,
    stream: &mut (impl AsyncWrite + Unpin),
) -> Result<(), Over> {
    clock.heard(Instant::now());
    loop {
        match pieces.next_piece() {
            Ok(None) => break,
            Ok(Some(Piece::Message(bytes))) => {
                clock.begun = None;
                let _ = told.send(Told::Message { from: hop, bytes }).await;
            }
            Ok(Some(Piece::Ping)) => write(stream, b"\r\n").await?,
            Ok(Some(Piece::Pong)) => clock.ponged(),
            Err(broken) => {
                let bytes = pieces.rest();
                let owes = !bytes.starts_with(b"SIP/");
                let _ = told.send(Told::Message { from: hop, bytes }).await;
                return Err(Over { why: broken.to_string(), owes });
            }
        }
    }
    clock.is_under_way(pieces.is_waiting(), Instant::now());
    Ok(())
}

/// Says the last words. What still comes is read and forgotten: closed with something unread in it, a socket takes back what
/// the far end has not read yet.
async fn part(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), out: &mut mpsc::Receiver<Vec<u8>>) {
    let Some(bytes) = out.recv().await else { return };
    if write(stream, &bytes).await.is_ok() && stream.shutdown().await.is_ok() {
        let mut forgotten = [0; READ];
        while stream.read(&mut forgotten).await.is_ok_and(|count| count > 0) {}
    }
}

async fn write(stream: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> Result<(), String> {
    let writing = async {
        stream.write_all(bytes).await?;
        stream.flush().await
    };
    match tokio::time::timeout(TAKEN_WITHIN, writing).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(super::sentence::of_system(&error)),
        Err(_) => Err("the far end reads nothing".to_owned()),
    }
}

/// What is due when.
struct Clock {
    ours: bool,
    heard: Instant,
    ping: Instant,
    /// We asked, and whoever answered before owes an answer until then.
    pong: Option<Instant>,
    answers: bool,
    /// When the message under way began to come.
    begun: Option<Instant>,
}

#[derive(PartialEq, Debug)]
enum Due {
    Nothing,
    Ping,
    Over(&'static str),
}

impl Clock {
    fn start(ours: bool, now: Instant) -> Clock {
        Clock { ours, heard: now, ping: now + PING, pong: None, answers: false, begun: None }
    }

    fn heard(&mut self, now: Instant) {
        self.heard = now;
    }

    fn ponged(&mut self) {
        self.answers = true;
        self.pong = None;
    }

    fn is_under_way(&mut self, under_way: bool, now: Instant) {
        self.begun = if under_way { self.begun.or(Some(now)) } else { None };
    }

    fn next(&self) -> Instant {
        let life = if self.ours { self.ping } else { self.heard + IDLE };
        let others = self.begun.map(|begun| begun + WHOLE_WITHIN).into_iter().chain(self.pong);
        others.fold(life, Instant::min)
    }

    fn on_deadline(&mut self, now: Instant) -> Due {
        if self.begun.is_some_and(|begun| begun + WHOLE_WITHIN <= now) {
            return Due::Over("a message began and did not end");
        }
        if self.pong.is_some_and(|until| until <= now) {
            return Due::Over("the far end does not answer any more");
        }
        if !self.ours && self.heard + IDLE <= now {
            return Due::Over("nothing came for a long time");
        }
        if self.ours && self.ping <= now {
            self.ping = now + PING;
            self.pong = self.answers.then_some(now + PONG_WITHIN);
            return Due::Ping;
        }
        Due::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_of_ours_is_asked_and_only_who_answered_before_owes_an_answer() {
        let begin = Instant::now();
        let mut clock = Clock::start(true, begin);
        assert_eq!((clock.next(), clock.on_deadline(begin)), (begin + PING, Due::Nothing));
        assert_eq!(clock.on_deadline(begin + PING), Due::Ping);
        assert_eq!(clock.on_deadline(begin + PING + PONG_WITHIN), Due::Nothing, "many never answer");
        assert_eq!(clock.on_deadline(begin + PING * 2), Due::Ping);
        clock.ponged();
        assert_eq!(clock.on_deadline(begin + PING * 3), Due::Ping);
        assert_eq!(clock.next(), begin + PING * 3 + PONG_WITHIN);
        let over = Due::Over("the far end does not answer any more");
        assert_eq!(clock.on_deadline(begin + PING * 3 + PONG_WITHIN), over);
    }

    #[test]
    fn a_connection_of_theirs_is_never_asked_and_ends_when_it_brings_nothing_or_half_a_message() {
        let begin = Instant::now();
        let mut clock = Clock::start(false, begin);
        clock.heard(begin + PING);
        assert_eq!((clock.next(), clock.on_deadline(begin + IDLE)), (begin + PING + IDLE, Due::Nothing));
        assert_eq!(clock.on_deadline(begin + PING + IDLE), Due::Over("nothing came for a long time"));
        clock.is_under_way(true, begin);
        clock.is_under_way(true, begin + PONG_WITHIN);
        assert_eq!(clock.on_deadline(begin + WHOLE_WITHIN), Due::Over("a message began and did not end"));
    }
}
