//! SIP over connections: TCP, and TLS on top of it. UDP is in `inbox`.
//!
//! One task a connection; the core hears of whole messages and of connections that are gone, and hands over what is to
//! be sent. A connection is named by its hop: where we connected to, or where they came from. It is made when something
//! is to be sent there, and kept for what comes next (RFC 3261 §18).
//!
//! It never decides who may connect: that is asked of the core, because the trunks' addresses are known there.
//!
//! Easy to get wrong: a response goes over the connection its request came on or nowhere, and never opens one; a
//! connection that is being replaced may still report its end, so each has a number; whoever reads slowly loses his
//! connection and holds up nobody else; and connections that nothing ever came over, left behind by a NAT or by somebody
//! who tries what it takes, must not keep out whoever has something to say: the oldest of them makes room.

mod connection;
mod sentence;
mod tls;

pub use tls::{Tls, TlsError, TlsSettings, TrunkTls};

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::mpsc;

use super::locate::route_to;
use super::sockets;
use crate::base::PerFamily;
use crate::sip::{Hop, Transport};

/// Messages that may wait to be written to one connection.
const WAITING: usize = 256;
/// Messages of all connections that may wait for the core. Whoever sends more is read more slowly.
const HEARD: usize = 256;
/// Connections that others made to us.
const THEIRS_MAX: usize = 512;
/// The same from one address: a trunk may make one a call, and a whole office may stand behind one address.
const SOURCE_MAX: usize = 256;
/// Of these, the ones over which no message came yet.
const SILENT_MAX: usize = 64;
/// Connections that we made.
const OURS_MAX: usize = 1_024;
/// Connections that may wait to be accepted.
const BACKLOG: i32 = 128;
/// How long connecting may take, and then the handshake of TLS.
const CONNECT: Duration = Duration::from_secs(5);
/// After an error of the system, say too many open files, nobody is accepted for so long.
const BREATH: Duration = Duration::from_millis(200);

/// What comes out of the connections.
#[derive(Debug)]
pub enum Arrived {
    /// A whole message.
    Message {
        /// Whose connection it came over.
        from: Hop,
        /// The message.
        bytes: Vec<u8>,
    },
    /// A connection broke, or could not be made; nothing that was to be sent over it is sent.
    Lost {
        /// Which.
        hop: Hop,
        /// In words.
        why: String,
    },
    /// Somebody connected to us: [`Streams::admit`] or drop him.
    Came(Newcomer),
}

/// A connection that nobody has looked at yet.
#[derive(Debug)]
pub struct Newcomer {
    hop: Hop,
    stream: TcpStream,
}

impl Newcomer {
    /// Where he comes from.
    pub fn ip(&self) -> IpAddr {
        self.hop.ip()
    }
}

/// Every connection.
#[derive(Debug)]
pub struct Streams {
    open: HashMap<Hop, Open>,
    last: u64,
    told: mpsc::Sender<Told>,
    heard: mpsc::Receiver<Told>,
    tls: Tls,
    /// Where our connections come from, in families in which we listen at one address.
    from: PerFamily<IpAddr>,
    back: Option<Arrived>,
    turned_away: u64,
}

#[derive(Debug)]
struct Open {
    number: u64,
    out: mpsc::Sender<Vec<u8>>,
    theirs: bool,
    /// Our end of it.
    local: Option<SocketAddr>,
    /// A message came over it.
    spoke: bool,
}

/// What the tasks tell.
#[derive(Debug)]
enum Told {
    Message { from: Hop, bytes: Vec<u8> },
    Gone { hop: Hop, number: u64, why: String },
    Came(Newcomer),
}

impl Streams {
    /// No connection yet. Those that are made come from the address `from` of their family, if one is given.
    pub fn new(tls: Tls, from: PerFamily<IpAddr>) -> Streams {
        let (told, heard) = mpsc::channel(HEARD);
        Streams { open: HashMap::new(), last: 0, told, heard, tls, from, back: None, turned_away: 0 }
    }

    /// Other certificates: ours of `next`, and those of its trunks at these places. Connections that stand go on.
    pub fn renew(&mut self, next: &Tls, places: &[usize]) {
        self.tls = self.tls.renewed(next, places);
    }

    /// Another trunk stands at this place: what was connected for the former one is not used for it.
    pub fn leave(&mut self, place: usize) {
        self.open.retain(|hop, _| hop.line.map(usize::from) != Some(place));
    }

    /// Listens there; where that is.
    pub fn listen(&self, transport: Transport, address: SocketAddr) -> io::Result<SocketAddr> {
        let listener = TcpListener::from_std(sockets::listener(address, BACKLOG)?)?;
        let local = listener.local_addr()?;
        tokio::spawn(accept(transport, listener, self.told.clone()));
        Ok(local)
    }

    /// Our end of the connection there, which stands or is being made.
    pub fn local_of(&self, hop: Hop) -> Option<SocketAddr> {
        let of_connections = hop.transport != Transport::Udp;
        of_connections.then(|| self.open.get(&hop).and_then(|open| open.local)).flatten()
    }

    /// Gives back what there was no time for.
    pub fn put_back(&mut self, arrived: Arrived) {
        self.back = Some(arrived);
    }

    /// Waits until there is something to take. Nothing is lost when the waiting is given up.
    pub async fn arrived(&mut self) -> Arrived {
        loop {
            if let Some(arrived) = self.back.take() {
                return arrived;
            }
            let told = self.heard.recv().await;
            if let Some(arrived) = told.and_then(|told| self.sort(told)) {
                return arrived;
            }
        }
    }

    /// What is there to take at this moment.
    pub fn pop(&mut self) -> Option<Arrived> {
        loop {
            let told = self.heard.try_recv().ok()?;
            if let Some(arrived) = self.sort(told) {
                return Some(arrived);
            }
        }
    }

    /// Somebody connected who has nothing to say here: he is gone without a word, and counted.
    pub fn turn_away(&mut self, newcomer: Newcomer) {
        tracing::debug!(from = %newcomer.ip(), "a stranger connected");
        self.turned_away += 1;
    }

    /// How many were turned away so far.
    pub fn turned_away(&self) -> u64 {
        self.turned_away
    }

    /// Takes somebody in who connected.
    pub fn admit(&mut self, newcomer: Newcomer) {
        let Newcomer { hop, stream } = newcomer;
        if !self.make_room(hop.ip()) {
            tracing::debug!(%hop, "a connection too many");
            return;
        }
        connection::prepare(&stream);
        let (out, rest) = mpsc::channel(WAITING);
        let number =
            self.put(hop, Open { number: 0, out, theirs: true, local: stream.local_addr().ok(), spoke: false });
        let (told, tls) = (self.told.clone(), self.tls.clone());
        tokio::spawn(async move {
            let why = match hop.transport {
                Transport::Tls => match tokio::time::timeout(CONNECT, tls.accept(stream)).await {
                    Ok(Ok(stream)) => connection::run(stream, hop, rest, &told, false).await,
                    Ok(Err(why)) => why,
                    Err(_) => "no handshake".to_owned(),
                },
                _ => connection::run(stream, hop, rest, &told, false).await,
            };
            let _ = told.send(Told::Gone { hop, number, why }).await;
        });
    }

    /// Is there room for one more from this address? Where there is not, the oldest that never said anything goes.
    fn make_room(&mut self, ip: IpAddr) -> bool {
        let theirs = || self.open.iter().filter(|(_, open)| open.theirs);
        let own = || theirs().filter(|(hop, _)| hop.ip() == ip);
        let (is_full, silent) = (theirs().count() >= THEIRS_MAX, own().filter(|(_, open)| !open.spoke).count());
        if !is_full && silent < SILENT_MAX && own().count() < SOURCE_MAX {
            return true;
        }
        let may_go = theirs().filter(|(hop, open)| !open.spoke && (is_full || hop.ip() == ip));
        let oldest = may_go.min_by_key(|(_, open)| open.number).map(|(hop, _)| *hop);
        // Without its queue a connection ends.
        oldest.is_some_and(|hop| self.open.remove(&hop).is_some())
    }

    /// Sends a message there, over the connection that stands or over a new one. What cannot be sent is reported as
    /// [`Arrived::Lost`], unless it is a response.
    pub fn send(&mut self, to: Hop, bytes: Vec<u8>) {
        let sent = match self.open.get(&to) {
            Some(open) => open.out.try_send(bytes),
            None => Err(mpsc::error::TrySendError::Closed(bytes)),
        };
        let bytes = match sent {
            Ok(()) => return,
            Err(mpsc::error::TrySendError::Full(_)) => {
                // Dropping our end of it ends its task.
                let number = self.open.remove(&to).map_or(0, |open| open.number);
                return self.tell_later(Told::Gone { hop: to, number, why: "the far end reads nothing".to_owned() });
            }
            Err(mpsc::error::TrySendError::Closed(bytes)) => bytes,
        };
        self.open.remove(&to);
        if bytes.starts_with(b"SIP/") {
            tracing::debug!(%to, "the connection that a response belongs to is gone");
            return;
        }
        self.connect(to, bytes);
    }

    fn connect(&mut self, to: Hop, first: Vec<u8>) {
        if self.open.len() >= OURS_MAX + THEIRS_MAX {
            return self.tell_later(Told::Gone { hop: to, number: 0, why: "too many connections".to_owned() });
        }
        let (out, rest) = mpsc::channel(WAITING);
        // An empty queue has room.
        let _ = out.try_send(first);
        let socket = bound(to, self.from.like(to.ip()).copied());
        let local = socket.as_ref().ok().and_then(|socket| end_of(socket, to));
        let number = self.put(to, Open { number: 0, out, theirs: false, local, spoke: false });
        let (told, tls) = (self.told.clone(), self.tls.clone());
        tokio::spawn(async move {
            let why = match open(to, socket).await {
                Err(why) => why,
                Ok(stream) => match to.transport {
                    Transport::Tls => match tokio::time::timeout(CONNECT, tls.connect(to, stream)).await {
                        Ok(Ok(stream)) => connection::run(stream, to, rest, &told, true).await,
                        Ok(Err(why)) => why,
                        Err(_) => "the far end does not answer the handshake of TLS".to_owned(),
                    },
                    _ => connection::run(stream, to, rest, &told, true).await,
                },
            };
            let _ = told.send(Told::Gone { hop: to, number, why }).await;
        });
    }

    /// Keeps it under the next number.
    fn put(&mut self, hop: Hop, open: Open) -> u64 {
        self.last += 1;
        self.open.insert(hop, Open { number: self.last, ..open });
        self.last
    }

    /// The core itself is the one who reads, so it cannot wait for room.
    fn tell_later(&self, told: Told) {
        let to = self.told.clone();
        tokio::spawn(async move {
            let _ = to.send(told).await;
        });
    }

    fn sort(&mut self, told: Told) -> Option<Arrived> {
        match told {
            Told::Message { from, bytes } => {
                self.open.get_mut(&from).into_iter().for_each(|open| open.spoke = true);
                Some(Arrived::Message { from, bytes })
            }
            Told::Came(newcomer) => Some(Arrived::Came(newcomer)),
            Told::Gone { hop, number, why } => {
                let other = self.open.get(&hop).is_some_and(|open| open.number != number);
                if other {
                    return None;
                }
                self.open.remove(&hop);
                tracing::debug!(%hop, why, "a connection is gone");
                Some(Arrived::Lost { hop, why })
            }
        }
    }
}

/// A socket that has a port already: what is sent first is shown with it, before anybody has answered.
fn bound(to: Hop, from: Option<IpAddr>) -> io::Result<TcpSocket> {
    let (socket, any): (_, IpAddr) = match to.address {
        SocketAddr::V4(_) => (TcpSocket::new_v4()?, Ipv4Addr::UNSPECIFIED.into()),
        SocketAddr::V6(_) => (TcpSocket::new_v6()?, Ipv6Addr::UNSPECIFIED.into()),
    };
    socket.bind(SocketAddr::new(from.unwrap_or(any), 0))?;
    Ok(socket)
}

/// Our end of a connection there.
fn end_of(socket: &TcpSocket, to: Hop) -> Option<SocketAddr> {
    let bound = socket.local_addr().ok()?;
    let ip = if bound.ip().is_unspecified() { route_to(to.address)? } else { bound.ip() };
    Some(SocketAddr::new(ip, bound.port()))
}

async fn open(to: Hop, socket: io::Result<TcpSocket>) -> Result<TcpStream, String> {
    let connecting = async { socket?.connect(to.address).await };
    match tokio::time::timeout(CONNECT, connecting).await {
        Ok(Ok(stream)) => {
            connection::prepare(&stream);
            Ok(stream)
        }
        Ok(Err(error)) => Err(format!("{to} cannot be reached: {}", sentence::of_system(&error))),
        Err(_) => Err(format!("{to} cannot be reached: nothing answers there")),
    }
}

async fn accept(transport: Transport, listener: TcpListener, told: mpsc::Sender<Told>) {
    while !told.is_closed() {
        match listener.accept().await {
            Ok((stream, from)) => {
                let hop = Hop { transport, address: from, line: None };
                let _ = told.send(Told::Came(Newcomer { hop, stream })).await;
            }
            Err(error) => {
                tracing::debug!(%error, "nobody is accepted for a moment");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
