//! hansho's user agent behind one UDP socket, as a caller: dials at a pace, hangs up whoever answers.

use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use hansho::base::{LegId, Outbox, Phone, Time, TrunkId};
use hansho::sip::{Agent, Event, Identity, Output, Trunk};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::{Result, free_address, heap};

/// INVITE, ACK, BYE.
const MESSAGES: u32 = 3;
/// An answered call's INVITE is remembered for 64 times T1 (RFC 6026 §7.2).
const SETTLED: Duration = Duration::from_secs(40);
/// No call of a pace that is held takes so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// Prints the outcome.
pub fn says(outcome: Result<String>) -> ExitCode {
    match outcome {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Sets `calls` calls up and down, `pace` a second: `clean`, or what was sent or heard twice.
pub fn call(to: &str, calls: &str, pace: &str) -> Result<String> {
    let (calls, pace) = (number(calls)?, number(pace)?);
    let mut caller = Caller::new(to)?;
    caller.hangs_up = true;
    while caller.ended < calls && caller.began.elapsed() < caller.due(calls, pace) + PATIENCE {
        caller.turn(calls, pace)?;
    }
    let (sent, copies) = (caller.sent, caller.agent.counts().copies);
    let clean = caller.answered == calls && caller.ended == calls && sent == MESSAGES * calls && copies == 0;
    let (answered, ended) = (caller.answered, caller.ended);
    Ok(if clean {
        "clean".to_owned()
    } else {
        format!("{answered} answered, {ended} ended, {sent} sent, {copies} copies")
    })
}

/// Sets `dialogs` calls up and tells how many bytes of the heap each takes when nothing is left to be waited for.
pub fn hold(to: &str, dialogs: &str) -> Result<String> {
    let dialogs = number(dialogs)?;
    let mut caller = Caller::new(to)?;
    let before = heap::in_use();
    while caller.answered < dialogs {
        if caller.began.elapsed() > PATIENCE {
            return Err(format!("{} of {dialogs} calls were answered", caller.answered));
        }
        caller.turn(dialogs, 1_000)?;
    }
    // Nobody is asked anything in that time, so it can pass at once.
    let later = Time::from_micros(caller.now().as_micros() + SETTLED.as_micros() as u64);
    caller.agent.on_deadline(later, &mut caller.out);
    caller.out = Outbox::new();
    Ok(((heap::in_use() - before) / dialogs as usize).to_string())
}

fn number(text: &str) -> Result<u32> {
    text.parse().map_err(|_| format!("{text:?} is no number"))
}

struct Caller {
    agent: Agent,
    socket: UdpSocket,
    trunk: TrunkId,
    number: Phone,
    out: Outbox<Output>,
    began: Instant,
    hangs_up: bool,
    dialled: u32,
    answered: u32,
    ended: u32,
    sent: u32,
}

impl Caller {
    fn new(to: &str) -> Result<Caller> {
        let proxy: SocketAddr = to.parse().map_err(|_| format!("{to:?} is no address"))?;
        let local = free_address()?;
        let socket = UdpSocket::bind(local).map_err(|error| format!("{local}: {error}"))?;
        socket.set_nonblocking(true).map_err(|error| error.to_string())?;
        let trunk = TrunkId::parse("callee").map_err(|error| error.to_string())?;
        let number = Phone::parse("+815011110001").map_err(|error| error.to_string())?;
        let (domain, username) = (proxy.ip().to_string(), "hansho".to_owned());
        let account = Trunk { proxy: Some(proxy.into()), domain, username, ..Trunk::new(trunk.clone()) };
        let identity =
            Identity { local, doors: Vec::new(), media_address: local.ip(), user_agent: "hansho bench".to_owned() };
        let agent = Agent::new(identity, vec![account], 1);
        let (out, began, hangs_up) = (Outbox::new(), Instant::now(), false);
        Ok(Caller { agent, socket, trunk, number, out, began, hangs_up, dialled: 0, answered: 0, ended: 0, sent: 0 })
    }

    fn now(&self) -> Time {
        Time::from_micros(self.began.elapsed().as_micros() as u64)
    }

    /// When the call of this number is dialled.
    fn due(&self, call: u32, pace: u32) -> Duration {
        Duration::from_micros(u64::from(call) * 1_000_000 / u64::from(pace))
    }

    /// Does what is due, and waits until there is something to do.
    fn turn(&mut self, calls: u32, pace: u32) -> Result<()> {
        while self.dialled < calls && self.began.elapsed() >= self.due(self.dialled, pace) {
            let (now, leg) = (self.now(), LegId(self.dialled));
            self.agent
                .dial(now, leg, &self.trunk, &self.number, 40_000, &mut self.out)
                .map_err(|error| error.to_string())?;
            self.dialled += 1;
            self.send()?;
        }
        let mut bytes = [0; 4_096];
        while let Ok((length, from)) = self.socket.recv_from(&mut bytes) {
            self.agent.on_datagram(self.now(), from, &bytes[..length], &mut self.out);
            self.send()?;
        }
        self.agent.on_deadline(self.now(), &mut self.out);
        self.send()?;
        self.wait(calls, pace)
    }

    fn send(&mut self) -> Result<()> {
        while let Some(output) = self.out.pop() {
            match output {
                Output::Send { to, bytes } => {
                    self.socket.send_to(&bytes, to.address).map_err(|error| error.to_string())?;
                    self.sent += 1;
                }
                Output::Event(Event::Answered { leg, .. }) => {
                    self.answered += 1;
                    if self.hangs_up {
                        self.agent.hang_up(self.now(), leg, &mut self.out);
                    }
                }
                Output::Event(Event::Ended { .. }) => self.ended += 1,
                Output::Event(_) => {}
            }
        }
        Ok(())
    }

    /// Until a message comes, or something is due.
    fn wait(&self, calls: u32, pace: u32) -> Result<()> {
        let dial = (self.dialled < calls).then(|| self.due(self.dialled, pace));
        let deadline = self.agent.next_deadline().map(|at| at.since(Time::ZERO));
        let due = dial.into_iter().chain(deadline).min().unwrap_or(PATIENCE);
        // Rounded up: whoever asks too early only asks again.
        let left = due.saturating_sub(self.began.elapsed()).as_micros().div_ceil(1_000).min(1_000) as u16;
        let mut ears = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
        poll(&mut ears, PollTimeout::from(left)).map_err(|error| error.to_string())?;
        Ok(())
    }
}
