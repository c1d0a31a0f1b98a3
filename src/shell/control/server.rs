//! Accepts connections, reads requests, writes answers.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, Interest};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};

use super::request::{self, Failure, Request};
use crate::base::IncidentId;
use crate::shell::ask::Ask;
use crate::shell::events::{Told, line};

const LINE_MAX: u64 = 64 * 1024;
const CONNECTIONS_MAX: usize = 64;
/// After a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);
/// How often it is looked whether a client that says no more still listens.
const LISTENS: Duration = Duration::from_secs(1);

/// A bound control socket; the file is removed when it is dropped.
#[derive(Debug)]
pub struct Server {
    listener: UnixListener,
    path: PathBuf,
}

/// Binds the socket, readable and writable for its owner alone.
///
/// A socket file that nobody listens on is a crash's; it is replaced. One that somebody listens on is another
/// daemon's.
pub fn listen(path: &Path) -> io::Result<Server> {
    let say = |error: io::Error| io::Error::new(error.kind(), format!("control socket {}: {error}", path.display()));
    if BlockingStream::connect(path).is_ok() {
        return Err(say(io::Error::new(io::ErrorKind::AddrInUse, "another hansho runs on it")));
    }
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(say)?;
    }
    // Bound under another name and moved, so that nobody can connect before the mode is right.
    let mut private = path.as_os_str().to_owned();
    private.push(".new");
    let private = PathBuf::from(private);
    match fs::remove_file(&private) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(say(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&private).map_err(say)?;
    fs::set_permissions(&private, fs::Permissions::from_mode(0o600)).map_err(say)?;
    fs::rename(&private, path).map_err(say)?;
    Ok(Server { listener, path: path.to_owned() })
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

impl Server {
    /// Serves until the core is gone.
    pub async fn serve(self, core: mpsc::Sender<Ask>, events: broadcast::Sender<Told>) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        while !core.is_closed() {
            let Ok((stream, _)) = self.listener.accept().await else {
                // Too many files are open, say: that does not pass by asking at once.
                tokio::time::sleep(PAUSE).await;
                continue;
            };
            let Ok(place) = places.clone().try_acquire_owned() else {
                turn_away(&stream);
                continue;
            };
            let (core, events) = (core.clone(), events.clone());
            tokio::spawn(async move {
                // A client that goes away in the middle is its own affair.
                let _ = converse(stream, &core, &events).await;
                drop(place);
            });
        }
    }
}

/// Says that no place is free; whoever reads nothing is not waited for.
fn turn_away(stream: &UnixStream) {
    let why = format!("{CONNECTIONS_MAX} connections are open already: end some that watch");
    let line = json!({ "ok": false, "error": Failure::new("too_many", why) });
    // A new connection has room for a line.
    let _ = stream.try_write(format!("{line}\n").as_bytes());
}

async fn converse(stream: UnixStream, core: &mpsc::Sender<Ask>, events: &broadcast::Sender<Told>) -> io::Result<()> {
    let (read, mut write) = stream.into_split();
    let mut read = BufReader::new(read);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = (&mut read).take(LINE_MAX).read_until(b'\n', &mut line).await?;
        if length == 0 {
            return Ok(());
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == LINE_MAX {
            let failure = Failure::new("too_long", format!("a line of more than {LINE_MAX} bytes"));
            return answer(&mut write, Err(failure)).await;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match request::read(&line) {
            Err(failure) => answer(&mut write, Err(failure)).await?,
            Ok(Request::Watch { incident }) => {
                let incident = match incident.map(|text| text.parse::<IncidentId>()).transpose() {
                    Ok(incident) => incident,
                    Err(error) => {
                        answer(&mut write, Err(Failure::new("bad_request", error.to_string()))).await?;
                        continue;
                    }
                };
                let events = events.subscribe();
                // Who watches says no more: all that can still come is the end. Without looking for it, those who
                // leave in a quiet night would keep their places.
                return tokio::select! {
                    watched = watch(&mut write, events, incident) => watched,
                    gone = until_gone(&mut read) => gone,
                };
            }
            Ok(request) => {
                let result = ask(core, request).await;
                answer(&mut write, result).await?;
            }
        }
    }
}

/// Waits for the end of a connection; what still comes is not read for anything.
async fn until_gone(read: &mut BufReader<OwnedReadHalf>) -> io::Result<()> {
    let mut unread = [0; 512];
    while read.read(&mut unread).await? > 0 {}
    // One that only ended its own side (`printf … | nc -N`) still listens.
    while !read.get_ref().as_ref().ready(Interest::WRITABLE).await?.is_write_closed() {
        tokio::time::sleep(LISTENS).await;
    }
    Ok(())
}

async fn ask(core: &mpsc::Sender<Ask>, request: Request) -> Result<Value, Failure> {
    let (reply, answer) = oneshot::channel();
    let gone = |_| Failure::new("stopping", "the daemon is stopping");
    core.send(Ask { request, by: None, reply })
        .await
        .map_err(|_| Failure::new("stopping", "the daemon is stopping"))?;
    answer.await.map_err(gone)?
}

async fn answer(write: &mut OwnedWriteHalf, result: Result<Value, Failure>) -> io::Result<()> {
    let answer = match result {
        Ok(mut value) => {
            value["ok"] = true.into();
            value
        }
        Err(failure) => json!({ "ok": false, "error": failure }),
    };
    write.write_all(format!("{answer}\n").as_bytes()).await
}

async fn watch(
    write: &mut OwnedWriteHalf,
    mut events: broadcast::Receiver<Told>,
    incident: Option<IncidentId>,
) -> io::Result<()> {
    answer(write, Ok(json!({}))).await?;
    loop {
        match events.recv().await {
            Ok(event) => {
                if incident.is_none() || incident == event.incident {
                    write.write_all(format!("{}\n", line(&event)).as_bytes()).await?;
                }
            }
            Err(broadcast::error::RecvError::Lagged(missed)) => {
                let line = json!({ "event": "watch.lagged", "missed": missed });
                write.write_all(format!("{line}\n").as_bytes()).await?;
            }
            Err(broadcast::error::RecvError::Closed) => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Stamp;
    use crate::switch::{Event, What};
    use tokio::time::timeout;

    const ID: &str = "d1xsb63t14gg";
    const LIMIT: Duration = Duration::from_secs(60);

    fn event(incident: &str) -> Told {
        let incident = Some(incident.parse().unwrap());
        let (at, what) = (Stamp::default(), What::Acknowledged { by: None, missing: Vec::new() });
        Arc::new(Event { at, incident, attempt: None, call_id: None, contact: None, name: None, what })
    }

    /// A connection, and the task that serves it.
    fn connect(events: &broadcast::Sender<Told>) -> (BufReader<UnixStream>, tokio::task::JoinHandle<()>) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        let (core, _asked) = mpsc::channel(1);
        let events = events.clone();
        let served = tokio::spawn(async move {
            let _ = converse(theirs, &core, &events).await;
        });
        (BufReader::new(ours), served)
    }

    async fn says(client: &mut BufReader<UnixStream>, line: &str) -> Value {
        client.get_mut().write_all(format!("{line}\n").as_bytes()).await.unwrap();
        hears(client).await
    }

    async fn hears(client: &mut BufReader<UnixStream>) -> Value {
        let mut line = String::new();
        timeout(LIMIT, client.read_line(&mut line)).await.expect("an answer in time").unwrap();
        serde_json::from_str(&line).unwrap()
    }

    #[tokio::test]
    async fn a_watcher_who_ended_only_their_own_side_goes_on_watching_until_they_leave() {
        let (events, _) = broadcast::channel(8);
        let (mut client, mut served) = connect(&events);
        says(&mut client, "{\"op\":\"watch\"}").await;
        client.get_mut().shutdown().await.unwrap();
        assert!(timeout(Duration::from_millis(100), &mut served).await.is_err(), "still served");
        events.send(event(ID)).unwrap();
        assert_eq!(hears(&mut client).await["event"], "incident.acknowledged");
        drop(client);
        timeout(LIMIT, served).await.expect("the connection ends").unwrap();
    }

    #[tokio::test]
    async fn what_is_watched_is_an_incident_in_capitals_too_and_nothing_else() {
        let (events, _) = broadcast::channel(8);
        let (mut client, _served) = connect(&events);
        let refused = says(&mut client, "{\"op\":\"watch\",\"incident\":\"no\"}").await;
        assert_eq!(refused["error"]["code"], "bad_request");
        says(&mut client, &format!("{{\"op\":\"watch\",\"incident\":\"{}\"}}", ID.to_uppercase())).await;
        events.send(event("d1xsb63t14gh")).unwrap();
        events.send(event(ID)).unwrap();
        assert_eq!(hears(&mut client).await["incident"], ID);
    }
}
