//! Connections: how many, and how long one may keep us waiting.
//!
//! A request must have come whole some seconds after its first byte, and the next one must begin some seconds after
//! the last answer. What we write (events, say) starts the waiting anew; what trickles in does not, or a client
//! that sends a byte a minute would keep its place for ever. Whoever reads nothing of what is answered is not waited
//! for either, and one address cannot take all the places. Loopback can: a proxy in front comes from there alone.
//!
//! When all places are taken, whoever sat longest without a token that opened makes room, and what such a one sends is
//! read up to a limit of its own: strangers, however patient and however many, hold up nobody who has a token.

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep};

use super::seats::{Seat, Seats};
use crate::base::network;

const CONNECTIONS_MAX: usize = 512;
/// Of these, for one address (one /64 of IPv6) that is not loopback.
const SHARE: usize = 64;
/// Of one request, in bytes, from whom no token has opened yet: a long head, and a body that may hold the token.
const UNKNOWN_MAX: usize = 192 << 10;
/// For a whole request, and between two.
const PATIENCE: Duration = Duration::from_secs(30);
/// After this it is looked again whether a stranger can be sent away.
const TURN: Duration = Duration::from_millis(20);
/// After a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);

/// Who is on the other side.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// Accepts connections while there are places.
pub struct Door {
    listener: TcpListener,
    places: Arc<Semaphore>,
    taken: Taken,
    seats: Seats,
    patience: Duration,
}

impl Door {
    /// Stands before this listener; `seats` hears from others whose token opened.
    pub(super) fn new(listener: TcpListener, seats: Seats) -> Door {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        Door { listener, places, taken: Taken::default(), seats, patience: PATIENCE }
    }

    /// A place, once there is one. A burst waits in the kernel meanwhile, where it is not lost.
    async fn place(&self) -> OwnedSemaphorePermit {
        loop {
            if let Ok(place) = self.places.clone().try_acquire_owned() {
                return place;
            }
            self.seats.make_room(Instant::now());
            // The semaphore is never closed.
            if let Ok(Ok(place)) = tokio::time::timeout(TURN, self.places.clone().acquire_owned()).await {
                return place;
            }
        }
    }
}

impl Listener for Door {
    type Io = Visit;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Visit, SocketAddr) {
        loop {
            let Ok((stream, from)) = self.listener.accept().await else {
                // Too many files are open, say: that does not pass by asking at once.
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            // Closed at once: whoever has so many needs no more, and the others need the places.
            let Some(share) = self.taken.share(from.ip()) else { continue };
            let place = self.place().await;
            let _ = stream.set_nodelay(true);
            let (length, patience) = (self.patience, Box::pin(tokio::time::sleep(self.patience)));
            let seat = self.seats.take(Instant::now(), from);
            let visit =
                Visit { stream, length, patience, mid_request: false, read: 0, seat, _place: place, _share: share };
            return (visit, from);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, Door>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Door>) -> Peer {
        Peer(*stream.remote_addr())
    }
}

/// A connection with its place and its patience.
pub struct Visit {
    stream: TcpStream,
    length: Duration,
    patience: Pin<Box<Sleep>>,
    /// Something was read since we last wrote.
    mid_request: bool,
    /// Bytes of it.
    read: usize,
    seat: Seat,
    _place: OwnedSemaphorePermit,
    _share: Share,
}

/// How many places each address has.
#[derive(Clone, Debug, Default)]
struct Taken(Arc<Mutex<BTreeMap<IpAddr, usize>>>);

/// One of them, until it is dropped.
struct Share(Taken, IpAddr);

impl Taken {
    /// One more place for this address; nothing where it has its share.
    fn share(&self, from: IpAddr) -> Option<Share> {
        let (key, loopback) = (network(from), from.to_canonical().is_loopback());
        let mut taken = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let places = taken.entry(key).or_default();
        if *places >= SHARE && !loopback {
            return None;
        }
        *places += 1;
        Some(Share(self.clone(), key))
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        let mut taken = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = taken.get_mut(&self.1) {
            *places = places.saturating_sub(1);
            if *places == 0 {
                taken.remove(&self.1);
            }
        }
    }
}

impl Visit {
    fn wait_anew(&mut self) {
        let until = Instant::now() + self.length;
        self.patience.as_mut().reset(until);
    }

    fn wrote(&mut self, context: &mut Context<'_>, result: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if matches!(result, Poll::Ready(Ok(1..))) {
            self.mid_request = false;
            self.read = 0;
            self.wait_anew();
        }
        self.in_time(context, result)
    }

    /// What still waits when the patience is over has failed; until then the timer wakes it.
    fn in_time<T>(&mut self, context: &mut Context<'_>, result: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if result.is_pending() && self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        result
    }

    /// Is the patience over, or does somebody else need the place?
    fn is_over(&mut self, context: &mut Context<'_>) -> bool {
        self.seat.must_leave(context) || self.patience.as_mut().poll(context).is_ready()
    }
}

impl AsyncRead for Visit {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.is_over(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let (was, before) = (self.mid_request, into.filled().len());
        let read = Pin::new(&mut self.stream).poll_read(context, into);
        let came = into.filled().len().saturating_sub(before);
        self.read = self.read.saturating_add(came);
        if self.read > UNKNOWN_MAX && !self.seat.is_known() {
            return Poll::Ready(Err(io::ErrorKind::InvalidData.into()));
        }
        if came > 0 && !self.mid_request {
            self.mid_request = true;
            self.wait_anew();
        }
        if self.mid_request != was {
            // The timer was set anew, and has to wake us from here on.
            let _ = self.patience.as_mut().poll(context);
        }
        read
    }
}

impl AsyncWrite for Visit {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.wrote(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.wrote(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        self.in_time(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.stream).poll_shutdown(context);
        self.in_time(context, shut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    const LIMIT: Duration = Duration::from_secs(30);

    /// Sooner over than [`LIMIT`].
    const LITTLE: Duration = Duration::from_millis(200);

    /// A door of more patience than a test has, and a client at it.
    async fn visited(places: usize) -> (Door, TcpStream, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (places, patience) = (Arc::new(Semaphore::new(places)), 2 * LIMIT);
        let (taken, seats) = (Taken::default(), Seats::default());
        (Door { listener, places, taken, seats, patience }, TcpStream::connect(address).await.unwrap(), address)
    }

    #[tokio::test]
    async fn a_client_that_trickles_is_not_waited_for() {
        let (mut door, mut client, _) = visited(1).await;
        let (mut visit, _) = door.accept().await;
        let mut first = [0; 1];
        // Begins with the first byte.
        visit.length = LITTLE;
        client.write_all(b"G").await.unwrap();
        visit.read_exact(&mut first).await.unwrap();
        let begun = Instant::now();
        // A byte now and then does not begin the waiting anew.
        let trickle = tokio::spawn(async move {
            while client.write_all(b"E").await.is_ok() {
                tokio::task::yield_now().await
            }
        });
        let error = tokio::time::timeout(LIMIT, async {
            loop {
                match visit.read(&mut first).await {
                    Ok(_) if begun.elapsed() > LIMIT => panic!("waited for ever"),
                    Ok(_) => {}
                    Err(error) => break error,
                }
            }
        });
        trickle.abort();
        let error = error.await.unwrap();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_client_that_reads_nothing_of_what_is_answered_is_not_waited_for() {
        let (mut door, _client, _) = visited(1).await;
        door.patience = LITTLE;
        let (mut visit, _) = door.accept().await;
        let answer = vec![b'x'; 1 << 20];
        let error = tokio::time::timeout(LIMIT, async {
            loop {
                if let Err(error) = visit.write_all(&answer).await {
                    break error;
                }
            }
        });
        assert_eq!(error.await.expect("not for ever").kind(), io::ErrorKind::TimedOut);
    }

    #[test]
    fn one_address_has_its_share_of_the_places_and_loopback_may_have_all() {
        let taken = Taken::default();
        let of = |text: &str| taken.share(text.parse().unwrap());
        let mut shares: Vec<Share> = (0..SHARE).filter_map(|_| of("192.0.2.7")).collect();
        assert!(shares.len() == SHARE && of("192.0.2.7").is_none() && of("::ffff:192.0.2.7").is_none());
        assert!(of("192.0.2.8").is_some(), "somebody else");
        shares.pop();
        assert!(of("192.0.2.7").is_some(), "one has left");
        let _proxy: Vec<Share> = (0..CONNECTIONS_MAX).map(|_| of("127.0.0.1").expect("a proxy in front")).collect();
        drop((shares, _proxy));
        assert!(taken.0.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_client_waits_for_a_place_until_one_of_those_who_showed_a_token_leaves() {
        let (mut door, _first, address) = visited(1).await;
        let (visit, from) = door.accept().await;
        door.seats.opened(from);
        let _second = TcpStream::connect(address).await.unwrap();
        assert!(tokio::time::timeout(Duration::from_millis(50), door.accept()).await.is_err(), "no place is free");
        drop(visit);
        let _third = TcpStream::connect(address).await.unwrap();
        tokio::time::timeout(LIMIT, door.accept()).await.expect("a place is free");
    }

    #[tokio::test]
    async fn whoever_shows_no_token_leaves_when_somebody_needs_the_place() {
        let (mut door, _first, address) = visited(1).await;
        let (mut visit, _) = door.accept().await;
        let waits = tokio::spawn(async move { visit.read(&mut [0; 1]).await });
        let _second = TcpStream::connect(address).await.unwrap();
        tokio::time::timeout(LIMIT, door.accept()).await.expect("the stranger made room");
        assert_eq!(waits.await.unwrap().unwrap_err().kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn what_a_stranger_sends_without_end_is_not_read_to_its_end() {
        for known in [false, true] {
            let (mut door, mut client, _) = visited(1).await;
            let (mut visit, from) = door.accept().await;
            if known {
                door.seats.opened(from);
            }
            let sends = tokio::spawn(async move { client.write_all(&vec![b'x'; 1 << 20]).await.map(|()| client) });
            let mut body = vec![0; 1 << 20];
            let read = tokio::time::timeout(LIMIT, visit.read_exact(&mut body)).await.expect("not for ever");
            assert_eq!(read.map_err(|error| error.kind()).err(), (!known).then_some(io::ErrorKind::InvalidData));
            drop(visit);
            let _ = sends.await.unwrap();
        }
    }
}
