//! HTTP: the door for programs outside. A trigger is answered when it is on disk, as on the control socket; both
//! ask the core task the same questions.
//!
//! Nothing here decides about incidents. What is easy to get wrong: every route but `/healthz` wants a token, on
//! loopback too, because a web page in somebody's browser reaches loopback as well; and a query may hold the
//! token, so no query is ever logged. All of it runs on a thread of its own: what strangers send is read there, and
//! never between two datagrams of the core.

mod alert;
mod auth;
#[cfg(test)]
mod bench;
mod certificate;
mod directory;
mod door;
mod events;
mod hotline;
mod incidents;
mod intake;
mod ladder;
mod look;
mod metrics;
mod openapi;
mod opsgenie;
mod page;
mod pigeon;
mod quiet;
mod refusals;
mod reply;
mod rooms;
mod routes;
mod seats;
mod slack;
mod sns;
mod strangers;

use core::str::FromStr as _;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot, watch};

use super::ask::Ask;
use super::clock::Clock;
use super::control::{Failure, Request as Wanted};
use super::events::Told;
use super::history::HistoryHandle;
use super::tokens::Tokens;
use crate::base::{CallFlowId, IncidentId};
use crate::config::Directory;
use crate::incident::{Record, Token};
use crate::intake::Source;
use door::{Door, Peer};
use metrics::Counts;
use opsgenie::Requests;
use refusals::Refusals;
use reply::Refused;
use seats::Seats;
use sns::{Certificates, Delivered};
use strangers::Strangers;

/// The largest body.
const BODY_MAX: usize = 1 << 20;
/// How long an answer may take: the disk of a busy night is slow.
const PATIENCE: Duration = Duration::from_secs(20);
/// How many may watch at once.
const WATCHERS_MAX: usize = 64;
/// How often it is written down when tokens were used.
const SELDOM: Duration = Duration::from_secs(600);
/// How long answers under way may take when the daemon ends.
const GOODBYE: Duration = Duration::from_secs(2);

/// What every handler has.
#[derive(Clone)]
pub(super) struct House(Arc<Inside>);

/// The inside of a [`House`].
pub(super) struct Inside {
    pub(super) core: mpsc::Sender<Ask>,
    pub(super) events: broadcast::Sender<Told>,
    /// The directory, and with it the settings, that is in force.
    shelf: watch::Receiver<Arc<Directory>>,
    /// Whose turn it is to change the directory.
    turn: tokio::sync::Mutex<()>,
    pub(super) tokens: Tokens,
    pub(super) clock: Clock,
    history: HistoryHandle,
    counts: Counts,
    pub(super) strangers: Mutex<Strangers>,
    refusals: Mutex<Refusals>,
    /// Where those sit who are connected.
    seats: Seats,
    /// What SNS signs with.
    certificates: Certificates,
    /// What of SNS was done already.
    delivered: Delivered,
    /// What clients of Opsgenie asked for lately.
    requests: Requests,
    /// Places for those who watch.
    pub(super) watchers: Arc<Semaphore>,
    /// Turns true when the daemon ends.
    pub(super) ending: watch::Receiver<bool>,
}

impl core::ops::Deref for House {
    type Target = Inside;

    fn deref(&self) -> &Inside {
        &self.0
    }
}

impl House {
    /// Asks the core task something on behalf of `by`.
    pub(super) async fn ask(&self, request: Wanted, by: &str) -> Result<Value, Failure> {
        let answer = self.put(request, by).await?;
        answer.await.unwrap_or_else(|_| Err(stopping()))
    }

    /// Puts a question; the answer comes later, so that several can be under way.
    async fn put(&self, request: Wanted, by: &str) -> Result<oneshot::Receiver<Result<Value, Failure>>, Failure> {
        let (reply, answer) = oneshot::channel();
        let ask = Ask { request, by: Some(by.to_owned()), reply };
        self.core.send(ask).await.map_err(|_| stopping())?;
        Ok(answer)
    }

    /// What the journal holds of an incident, whether it is open or past.
    async fn record(&self, incident: IncidentId) -> Result<Option<Record>, Refused> {
        Ok(self.history.incident(incident).await?)
    }

    /// The reader behind `/in/NAME`.
    fn source(&self, name: &str) -> Result<Source, Refused> {
        if let Some(mapping) = self.settings().intake.get(name) {
            return Ok(Source::Generic(mapping.clone()));
        }
        Source::from_str(name).map_err(|error| Refused::from(Failure::new("not_found", error.to_string())))
    }

    /// The call flow of a trigger that names none: its token's, else the configuration's, else the only one of
    /// the file.
    fn call_flow_of(&self, token: &Token) -> Result<CallFlowId, Refused> {
        let settings = self.settings();
        let only = || settings.only_call_flow();
        token.call_flow.as_ref().or(settings.http.call_flow.as_ref()).or_else(only).cloned().ok_or_else(|| {
            let ids: Vec<&str> = settings.call_flows.keys().take(20).map(CallFlowId::as_str).collect();
            let why =
                format!("`call_flow`: which? {} (or give the token one, or set call_flow in [http])", ids.join(", "));
            Refused::from(Failure::new("unknown_call_flow", why))
        })
    }

    /// Notes that somebody came without a token that opens; true when they come too often.
    pub(super) fn strange(&self, from: Peer) -> bool {
        self.counts.count("hansho_http_refused_total", String::new());
        let mut strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        strangers.came(from.0.ip(), self.clock.now())
    }

    /// Notes that somebody has shown what opens: their connection keeps its place.
    pub(super) fn welcome(&self, from: Peer) {
        self.seats.opened(from.0);
    }

    /// True when they came in vain too often to be read.
    pub(super) fn crowded(&self, from: Peer) -> bool {
        let strangers = self.strangers.lock().unwrap_or_else(PoisonError::into_inner);
        strangers.crowded(from.0.ip(), self.clock.now())
    }
}

fn stopping() -> Failure {
    Failure::new("stopping", "the daemon is ending")
}

/// What the server is made of.
pub(super) struct Needs {
    pub(super) core: mpsc::Sender<Ask>,
    pub(super) events: broadcast::Sender<Told>,
    pub(super) shelf: watch::Receiver<Arc<Directory>>,
    pub(super) tokens: Tokens,
    pub(super) clock: Clock,
    pub(super) history: HistoryHandle,
}

/// A running server.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    end: watch::Sender<bool>,
    /// Answers when the thread has ended.
    done: oneshot::Receiver<()>,
}

impl Server {
    /// Begins to serve, on a thread of its own. The listener must not block.
    pub(super) fn start(listener: TcpListener, needs: Needs) -> std::io::Result<Server> {
        let address = listener.local_addr()?;
        let (end, ending) = watch::channel(false);
        let Needs { core, events, shelf, tokens, clock, history } = needs;
        let strangers = Mutex::new(Strangers::default());
        let house = House(Arc::new(Inside {
            core,
            events,
            shelf,
            turn: tokio::sync::Mutex::default(),
            tokens,
            clock,
            history,
            counts: Counts::default(),
            strangers,
            refusals: Mutex::default(),
            seats: Seats::default(),
            certificates: Certificates::default(),
            delivered: Delivered::default(),
            requests: Requests::default(),
            watchers: Arc::new(Semaphore::new(WATCHERS_MAX)),
            ending: ending.clone(),
        }));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let listener = {
            let _inside = runtime.enter();
            tokio::net::TcpListener::from_std(listener)?
        };
        let (told, done) = oneshot::channel();
        std::thread::Builder::new().name("http".to_owned()).spawn(move || {
            runtime.block_on(serve(listener, house, ending));
            // A certificate that is fetched just now holds up no end.
            runtime.shutdown_background();
            let _ = told.send(());
        })?;
        Ok(Server { address, end, done })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more connections, and gives the answers under way a moment.
    pub(super) async fn stop(mut self) {
        let _ = self.end.send(true);
        // The thread ends by itself after that time; a handler that hangs is not waited for longer.
        let _ = tokio::time::timeout(2 * GOODBYE, &mut self.done).await;
    }
}

/// The whole life of the server.
async fn serve(listener: tokio::net::TcpListener, house: House, ending: watch::Receiver<bool>) {
    let door = Door::new(listener, house.seats.clone());
    let router = routes::router(house.clone())
        .layer(middleware::from_fn_with_state(house.clone(), within_reason))
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .into_make_service_with_connect_info::<Peer>();
    tokio::spawn(write_down(house.tokens.clone(), ending.clone()));
    tokio::spawn(metrics::follow(house));
    // The sender gone means the same as its word.
    let ended = |mut ending: watch::Receiver<bool>| async move { drop(ending.wait_for(|end| *end).await) };
    let served = axum::serve(door, router).with_graceful_shutdown(ended(ending.clone()));
    let late = async {
        ended(ending).await;
        tokio::time::sleep(GOODBYE).await;
    };
    tokio::select! {
        _ = async { served.await } => {}
        () = late => {}
    }
}

/// Writes down now and then when tokens were used; at the end the core does it once more.
async fn write_down(tokens: Tokens, mut ending: watch::Receiver<bool>) {
    while tokio::time::timeout(SELDOM, ending.wait_for(|end| *end)).await.is_err() {
        let tokens = tokens.clone();
        let _ = tokio::task::spawn_blocking(move || tokens.write_down()).await;
    }
}

/// A path without the secret that some hold.
fn loggable(path: &str) -> String {
    if path.starts_with("/hotline/") { "/hotline/…".to_owned() } else { path.to_owned() }
}

/// Nothing takes for ever. The path is logged and never the query: it may hold a token.
async fn within_reason(State(house): State<House>, request: Request, next: Next) -> Response {
    let (method, path) = (request.method().clone(), loggable(request.uri().path()));
    let answer = tokio::time::timeout(PATIENCE, next.run(request)).await;
    let answer = answer.unwrap_or_else(|_| {
        let why = "it took too long; whether it was done, `GET /v1/incidents` says";
        Refused::from(Failure::new("timeout", why)).into_response()
    });
    let answer = reply::in_our_shape(answer, &path);
    let status = answer.status().as_u16();
    house.counts.count("hansho_http_requests_total", format!("status=\"{status}\""));
    tracing::debug!(target: "hansho::http", %method, path, status, "answered");
    answer
}
