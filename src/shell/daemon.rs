//! Puts the daemon together: journal, sockets, media, voices, and the core task between them.
//!
//! Everything that can be wrong at start is wrong here, before the first call, and says what it is.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;

use tokio::net::TcpSocket;
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::addresses;
use super::ask::Ask;
use super::calendar::Zones;
use super::clock::Clock;
use super::control;
use super::core::{Core, Inlets};
use super::directory::Shelf;
use super::events::Told;
use super::gate::Gate;
use super::history;
use super::http;
use super::inbox::Inbox;
use super::journal::{self, JournalThread};
use super::ladder;
use super::locate::{NameServers, Searches};
use super::media::{MediaHandle, MediaSettings};
use super::messages::Messages;
use super::notify::{self, NotifyError};
use super::open_files;
use super::reload::{sms_way, speaker_settings};
use super::tokens::Tokens;
use super::transport::{Streams, TlsError};
use super::trunks;
use super::voice::{self, Speaker, load_prompts_from, sweep};
use crate::base::{PerFamily, Stamp};
use crate::config::{Directory, Settings};
use crate::phrase::{Dictionary, ReadingFault};
use crate::sip::{Agent, House, Transport};
use crate::store::{Journal, Ladders, StoreError};
use crate::switch::{self, Input, LinkKey, PortRange, Switch};

/// Events a slow watcher may be behind before it misses some.
const EVENTS: usize = 4_096;
/// Requests and inputs that may wait for the core task.
const WAITING: usize = 1_024;
/// Connections over HTTP that may wait to be accepted.
const BURST: u32 = 4_096;
/// How far back the caps of `[dial]` reach, in microseconds, and the most calls that are counted from there.
const DAY_MICROS: i64 = 86_400_000_000;
const DIALLED_MAX: u32 = 100_000;
/// The most incidents whose keys are remembered as taken.
const TAKEN_MAX: u32 = 10_000;

/// Why the daemon did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The journal.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A socket, a thread, a file.
    #[error("{what}: {why}")]
    System {
        /// What was being done.
        what: String,
        /// What the system said.
        why: io::Error,
    },
    /// The certificates of SIP over TLS.
    #[error("SIP over TLS: {0}")]
    Tls(#[from] TlsError),
    /// A notifier.
    #[error(transparent)]
    Notify(#[from] NotifyError),
    /// A word of the dictionary that cannot be one.
    #[error("[speech.readings]: {0}")]
    Readings(#[from] ReadingFault),
    /// A prompt or a piece of hold music.
    #[error("{0}")]
    Prompt(String),
}

fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> StartError {
    let what = what.into();
    move |why| StartError::System { what, why }
}

/// A running daemon.
#[derive(Debug)]
pub struct Daemon {
    /// Never empty.
    sip: Vec<SocketAddr>,
    stop: Option<oneshot::Sender<()>>,
    core: JoinHandle<Result<(), String>>,
    others: Vec<JoinHandle<()>>,
    http: Option<http::Server>,
    asks: mpsc::Sender<Ask>,
}

impl Daemon {
    /// Starts everything. Incidents that a former life left open go on.
    pub async fn start(settings: Settings) -> Result<Daemon, StartError> {
        let clock = Clock::start();
        let settings = Arc::new(settings);
        open_files::make_room(settings.media.max_legs, settings.media.address.iter().count());
        // Whoever holds the journal is the daemon; the rest is opened after it.
        let mut journal = Journal::open(&settings.journal)?;
        sweep(&settings.node.data_dir);
        let head = journal.head()?;
        tracing::info!(%head, seq = head.seq, "the journal is open; its chain ends here");
        if let Err(error) = journal::note_configuration(&mut journal, clock.calendar(), &settings.digest) {
            // A full disk is no reason to call nobody.
            tracing::error!(%error, "that the configuration is another one could not be written down");
        }
        let (reader, past) = (journal.reader()?, journal.reader()?);
        let (open, house) = (journal.open_ids()?, journal.house()?);
        let directory = Directory::new((*settings).clone(), house.iter().map(|(_, fact)| fact));
        for (what, why) in directory.left_out() {
            tracing::warn!(why, "{what}, which was made over HTTP, is left out");
        }
        let settings = directory.settings().clone();
        for warning in &settings.warnings {
            tracing::warn!("{warning}");
        }
        let shelf = Shelf::new(directory);
        let control = control::listen(&settings.control_socket).map_err(system("cannot start"))?;
        let web = web_port(settings.http.listen)?;
        let (sip, local) = sip_ports(settings.sip.listen)?;
        let from = settings.sip.own.filter_map(|_, ip| (!ip.is_unspecified()).then_some(ip));
        let streams = Streams::new(trunks::tls(&settings)?, from);
        let doors = sip_doors(&streams, &settings.sip.doors)?;
        let book = load_prompts_from(settings.speech.prompts.as_deref())
            .map_err(|error| StartError::Prompt(error.to_string()))?;
        let (media, media_events) =
            MediaHandle::start(media_settings(&settings)).map_err(system("cannot start the media thread"))?;
        let (thread, written) = JournalThread::start(journal).map_err(system("cannot start the journal's thread"))?;
        let history = history::start(reader).map_err(system("cannot start the history's thread"))?;

        let nowhere = || system("cannot start")(io::Error::other("[sip] listen names no address"));
        let identities = addresses::identities(&settings, local, &doors).ok_or_else(nowhere)?;
        let told = identities.to_string();
        let witness = ladder::start(&Ladders::beside(&settings.journal), identities.clone(), clock)
            .map_err(system("cannot start the thread of ladders"))?;
        let mut agent =
            Agent::new(identities, trunks::for_agent(&settings), rand::random()).with_key_seed(rand::random());
        if let Some(registrar) = &settings.registrar {
            // A public address is for the trunks: phones on the LAN do not get back in through the router.
            let address = registrar.address.or(addresses::at_home(&settings));
            agent.keep_house(House { address, ..registrar.sip() });
        }
        let rooms = super::rooms::load(&settings)?;
        let dictionary = Arc::new(Dictionary::new(&settings.speech.readings)?);
        let corridor = switch::Settings {
            contacts: settings.contacts.values().cloned().collect(),
            rooms,
            ports: PortRange { first: *settings.media.ports.start(), last: *settings.media.ports.end() },
            trunks: agent.trunks().map(|trunk| trunk.id).collect(),
            dial: settings.dial.rules.clone(),
            call_in: super::rooms::call_in(&settings)?,
            always_pin: settings.call_in.always_pin,
            language: settings.node.language,
            hotlines: settings.hotlines.clone(),
            dictionary: dictionary.clone(),
            public_url: settings.node.public_url.clone().unwrap_or_default(),
            link_key: LinkKey(rand::random()),
            sms: sms_way(&settings),
        };
        let mut switch = Switch::new(corridor, agent, Arc::new(book), clock.began(), rand::random());
        switch.keep_calendar(Box::new(Zones));
        switch.handle(clock.now(), Input::RestoreHouse(house.clone()));
        let yesterday = Stamp::from_unix_micros(clock.calendar().as_unix_micros() - DAY_MICROS);
        match past.dialled(yesterday, DIALLED_MAX) {
            Ok(dialled) => switch.recall_dialled(clock.now(), dialled),
            // A damaged line is no reason to call nobody.
            Err(error) => tracing::error!(%error, "what was dialled lately is not counted: the caps begin anew"),
        }
        for incident in open {
            let facts = past.facts(incident)?;
            switch.handle(clock.now(), Input::Restore { incident, facts });
            match switch.record(incident) {
                Some(_) => tracing::info!(%incident, "goes on after a restart"),
                None => tracing::error!(%incident, "cannot go on: what the journal holds of it makes no sense"),
            }
        }

        match past.taken(yesterday, TAKEN_MAX) {
            Ok(taken) => {
                for incident in taken.into_iter().filter(|id| switch.record(*id).is_none()).collect::<Vec<_>>() {
                    switch.recall_taken(clock.now(), incident, &past.facts(incident)?);
                }
            }
            Err(error) => tracing::error!(%error, "what was taken lately is not known: the same keys call again"),
        }

        let (asks, asked) = mpsc::channel(WAITING);
        let (inputs, inputs_in) = mpsc::channel(WAITING);
        let (events, _) = broadcast::channel::<Told>(EVENTS);
        let (stop, stopped) = oneshot::channel();
        let tokens = Tokens::new(house.iter().map(|(_, fact)| fact), &settings.node.data_dir);
        let needs = http::Needs {
            core: asks.clone(),
            events: events.clone(),
            shelf: shelf.reader(),
            tokens: tokens.clone(),
            clock,
            history: history.clone(),
        };
        let http = web.map(|web| http::Server::start(web, needs)).transpose().map_err(system("cannot serve HTTP"))?;
        let mut others = vec![tokio::spawn(control.serve(asks.clone(), events.clone()))];
        if let Some(keep) = settings.keep {
            others.push(tokio::spawn(journal::retain(thread.handle(), witness.handle(), clock, keep)));
        }
        let servers = settings.sip.resolver.map_or(NameServers::System, NameServers::At);
        let mut searches = Searches::new(servers);
        for (place, trunk) in trunks::ordered(&settings).into_iter().enumerate() {
            searches.begin(trunks::wanted(trunk, place, settings.sip.own));
        }
        let ground = notify::House {
            shelf: shelf.reader(),
            journal: thread.handle(),
            events: events.clone(),
            clock,
            inputs: inputs.clone(),
            asks: asks.clone(),
        };
        let (notifiers, waking) = notify::start(&ground, &settings)?;
        others.push(waking);
        let speaker = Arc::new(Speaker::start(speaker_settings(&settings)));
        others.push(tokio::spawn(voice::make(speaker.clone(), voice::fixed_texts(&settings, &dictionary))));
        let (local, own) = (local.iter().copied().collect::<Vec<_>>(), settings.sip.own);
        tracing::info!(sip = ?local, public = told, socket = %settings.control_socket.display(),
            trunks = settings.trunks.len(), http = http.as_ref().map(|http| http.address().to_string()), "hansho is up");
        let gate = Gate::new(thread);
        let messages = Messages::new(settings.media.record_dir.clone());
        let core = Core {
            switch,
            settings,
            shelf,
            clock,
            gate,
            sip,
            streams,
            witness,
            media,
            speaker,
            events,
            inputs,
            asks,
            history,
            tokens,
            messages,
            notifiers,
            ground,
            searches,
            own,
        };
        let door = core.asks.clone();
        let inlets = Inlets { asks: asked, inputs: inputs_in, media: media_events, written, stop: stopped };
        Ok(Daemon { sip: local, stop: Some(stop), core: tokio::spawn(core.run(inlets)), others, http, asks: door })
    }

    /// Where it speaks SIP over UDP: in one family of addresses, or in both.
    pub fn sip_addresses(&self) -> &[SocketAddr] {
        &self.sip
    }

    /// The first of them.
    pub fn sip_address(&self) -> SocketAddr {
        self.sip.first().copied().expect("no daemon starts that listens nowhere")
    }

    /// Where it speaks HTTP, if it does.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(http::Server::address)
    }

    /// Reads the configuration's file again, as `reload` on the control socket does; what came of it is logged.
    pub fn reload(&self, by: &'static str) {
        let asks = self.asks.clone();
        tokio::spawn(async move {
            if let Err(failure) = super::reload::ask(&asks, by).await {
                tracing::error!("{by}: {}", failure.message);
            }
        });
    }

    /// Waits until it ends by itself: `shutdown` on the control socket, or a reason why it cannot go on.
    pub async fn ended(&mut self) -> Result<(), String> {
        (&mut self.core).await.unwrap_or_else(|broken| Err(format!("the core task ended: {broken}")))
    }

    /// Hangs up, de-registers, and ends. Open incidents go on when the daemon runs again.
    pub async fn stop(mut self) {
        if let Some(http) = self.http.take() {
            http.stop().await;
        }
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if !self.core.is_finished() {
            let _ = (&mut self.core).await;
        }
        for task in &self.others {
            task.abort();
        }
    }
}

fn web_port(listen: Option<SocketAddr>) -> Result<Option<TcpListener>, StartError> {
    let Some(listen) = listen else { return Ok(None) };
    let opened = || {
        let socket = if listen.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
        socket.set_reuseaddr(true)?;
        socket.bind(listen)?;
        // A connection of a burst that finds the queue full comes again after a second, at the earliest.
        // It goes to a thread with a runtime of its own.
        socket.listen(BURST)?.into_std()
    };
    opened().map(Some).map_err(system(format!("cannot listen for HTTP on {listen}")))
}

fn sip_ports(listen: PerFamily<SocketAddr>) -> Result<(Inbox, PerFamily<SocketAddr>), StartError> {
    let say = |(at, why): (SocketAddr, io::Error)| {
        let taken = why.kind() == io::ErrorKind::AddrInUse;
        let hint = if taken { " (another hansho, or another SIP program)" } else { "" };
        StartError::System { what: format!("cannot listen for SIP on udp:{at}{hint}"), why }
    };
    let inbox = Inbox::bind(listen).map_err(say)?;
    let local = inbox.local_addr().map_err(system("cannot listen for SIP"))?;
    Ok((inbox, local))
}

/// Where we listen for connections, with the ports that were found where the file says 0.
fn sip_doors(streams: &Streams, doors: &[(Transport, SocketAddr)]) -> Result<Vec<(Transport, SocketAddr)>, StartError> {
    let open = |(transport, address): &(Transport, SocketAddr)| {
        let what = format!("cannot listen for SIP on {transport}:{address}");
        Ok((*transport, streams.listen(*transport, *address).map_err(system(what))?))
    };
    doors.iter().map(open).collect()
}

fn media_settings(settings: &Settings) -> MediaSettings {
    let legs = usize::try_from(settings.media.max_legs).unwrap_or(usize::MAX);
    let addresses = settings.media.address;
    MediaSettings { addresses, legs, rooms: legs, realtime: true, core: None, seed: rand::random() }
}
