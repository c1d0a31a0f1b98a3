//! Runs a trunk and its telephones over real UDP sockets on loopback.
//!
//! One task owns all the machines; a task a socket hands it what came. Ports are chosen by the system. Whoever
//! wants to do something with a telephone, or look at it, sends a closure to where it lives.

use core::net::{Ipv4Addr, SocketAddr};
use core::time::Duration;
use std::io;
use std::sync::Arc;

use tokio::net::UdpSocket;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::phone::{Phone, Script, Socket};
use super::trunk::{Settings, SoftTrunk};
use super::{Datagram, Output};
use crate::base::{Outbox, Time};

/// Messages that may wait for the machines.
const WAITING: usize = 4_096;
/// The longest datagram that is taken.
const DATAGRAM_MAX: usize = 16_384;

/// A trunk with its telephones, running.
#[derive(Debug)]
pub struct Exchange {
    trunk: SocketAddr,
    wishes: mpsc::Sender<Came>,
    tasks: Vec<JoinHandle<()>>,
}

/// Done where the machines live.
type Wish = Box<dyn FnOnce(&mut Machines) + Send>;

/// What comes to the machines.
enum Came {
    Trunk(SocketAddr, Vec<u8>),
    Sip(usize, SocketAddr, Vec<u8>),
    Rtp(usize, SocketAddr, Vec<u8>),
    Wish(Wish),
}

/// The machines and their sockets.
struct Machines {
    began: Instant,
    trunk: SoftTrunk,
    trunk_socket: Arc<UdpSocket>,
    phones: Vec<Plugged>,
}

struct Plugged {
    phone: Phone,
    sip: Arc<UdpSocket>,
    rtp: Arc<UdpSocket>,
}

impl Exchange {
    /// Starts a trunk (on a port of the system's choice) and telephones with these numbers. Needs tokio's
    /// runtime.
    pub async fn start(mut settings: Settings, phones: Vec<(String, Script)>) -> io::Result<Exchange> {
        let trunk_socket = bind().await?;
        settings.local = trunk_socket.local_addr()?;
        let (local, realm, seed) = (settings.local, settings.realm.clone(), settings.seed);
        let mut trunk = SoftTrunk::new(settings);
        let (wishes, came) = mpsc::channel(WAITING);
        let mut tasks = vec![listen(trunk_socket.clone(), wishes.clone(), Came::Trunk)];
        let mut plugged = Vec::new();
        for (place, (number, script)) in phones.into_iter().enumerate() {
            let (sip, rtp) = (bind().await?, bind().await?);
            trunk.connect(&number, sip.local_addr()?);
            tasks.push(listen(sip.clone(), wishes.clone(), move |from, bytes| Came::Sip(place, from, bytes)));
            tasks.push(listen(rtp.clone(), wishes.clone(), move |from, bytes| Came::Rtp(place, from, bytes)));
            let (address, media_port) = (sip.local_addr()?, rtp.local_addr()?.port());
            let socket = Socket { number, sip: address, media_port, trunk: local, realm: realm.clone() };
            plugged.push(Plugged { phone: Phone::new(socket, script, seed.wrapping_add(place as u64)), sip, rtp });
        }
        let machines = Machines { began: Instant::now(), trunk, trunk_socket, phones: plugged };
        tasks.push(tokio::spawn(machines.run(came)));
        Ok(Exchange { trunk: local, wishes, tasks })
    }

    /// Where the trunk listens.
    pub fn trunk(&self) -> SocketAddr {
        self.trunk
    }

    /// Does something with the telephone at `place` (in the order they were given), and gives what came of it;
    /// `None` when there is no such telephone.
    pub async fn with<R: Send + 'static>(
        &self,
        place: usize,
        act: impl FnOnce(&mut Phone, Time, &mut Outbox<Output>) -> R + Send + 'static,
    ) -> Option<R> {
        let (tell, told) = oneshot::channel();
        let wish: Wish = Box::new(move |machines| {
            let now = machines.now();
            let Some(plugged) = machines.phones.get_mut(place) else { return };
            let mut out = Outbox::new();
            let result = act(&mut plugged.phone, now, &mut out);
            plugged.send(&mut out);
            // Who asked may have gone.
            let _ = tell.send(result);
        });
        self.wishes.send(Came::Wish(wish)).await.ok()?;
        told.await.ok()
    }

    /// Is the account registered at the trunk?
    pub async fn is_registered(&self) -> bool {
        let (tell, told) = oneshot::channel();
        let wish: Wish = Box::new(move |machines| {
            // Who asked may have gone.
            let _ = tell.send(machines.trunk.is_registered(machines.now()));
        });
        self.wishes.send(Came::Wish(wish)).await.is_ok() && told.await.unwrap_or(false)
    }

    /// Pulls every plug.
    pub fn stop(self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl Machines {
    async fn run(mut self, mut came: mpsc::Receiver<Came>) {
        loop {
            let next = self.phones.iter().filter_map(|plugged| plugged.phone.next_deadline());
            let next = next.chain(self.trunk.next_deadline()).min();
            let wake = next.map_or(self.began + Duration::from_secs(86_400), |at| {
                self.began + Duration::from_micros(at.as_micros())
            });
            tokio::select! {
                message = came.recv() => match message {
                    Some(message) => self.take(message),
                    None => return,
                },
                () = tokio::time::sleep_until(wake) => self.wake(),
            }
        }
    }

    fn now(&self) -> Time {
        Time::ZERO + self.began.elapsed()
    }

    fn take(&mut self, message: Came) {
        let now = self.now();
        match message {
            Came::Trunk(from, bytes) => {
                let mut out = Outbox::new();
                self.trunk.on_datagram(now, from, &bytes, &mut out);
                out.drain().for_each(|datagram| send(&self.trunk_socket, &datagram));
            }
            Came::Sip(place, from, bytes) => {
                let Some(plugged) = self.phones.get_mut(place) else { return };
                let mut out = Outbox::new();
                plugged.phone.on_sip(now, from, &bytes, &mut out);
                plugged.send(&mut out);
            }
            Came::Rtp(place, from, bytes) => {
                if let Some(plugged) = self.phones.get_mut(place) {
                    plugged.phone.on_rtp(now, from, &bytes);
                }
            }
            Came::Wish(wish) => wish(self),
        }
    }

    fn wake(&mut self) {
        let now = self.now();
        self.trunk.on_deadline(now, &mut Outbox::new());
        for plugged in &mut self.phones {
            if plugged.phone.next_deadline().is_some_and(|at| at <= now) {
                let mut out = Outbox::new();
                plugged.phone.on_deadline(now, &mut out);
                plugged.send(&mut out);
            }
        }
    }
}

impl Plugged {
    fn send(&self, out: &mut Outbox<Output>) {
        for output in out.drain() {
            match output {
                Output::Sip(datagram) => send(&self.sip, &datagram),
                Output::Rtp(datagram) => send(&self.rtp, &datagram),
            }
        }
    }
}

async fn bind() -> io::Result<Arc<UdpSocket>> {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.map(Arc::new)
}

fn send(socket: &UdpSocket, datagram: &Datagram) {
    // What the kernel does not take is a lost datagram; SIP sends it again, RTP conceals it.
    let _ = socket.try_send_to(&datagram.bytes, datagram.to);
}

fn listen(
    socket: Arc<UdpSocket>,
    machines: mpsc::Sender<Came>,
    as_what: impl Fn(SocketAddr, Vec<u8>) -> Came + Send + 'static,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut buffer = vec![0; DATAGRAM_MAX];
        loop {
            // An ICMP error of an earlier datagram shows up here; the next one may be fine.
            let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
            let bytes = buffer.get(..length).unwrap_or_default().to_vec();
            if machines.send(as_what(from, bytes)).await.is_err() {
                return;
            }
        }
    })
}
