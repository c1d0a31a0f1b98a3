//! The other side of the control socket, for the commands. Blocking: a command does one thing at a time.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::request::{Failure, Request};

/// Why a request got no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no daemon answers on {}: {why} (start it with `hansho run`)", path.display())]
    NoDaemon {
        /// The socket that was tried.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// It said no.
    #[error("{}", .0.message)]
    Refused(Failure),
    /// The connection broke, or what came is no answer.
    #[error("the daemon's answer cannot be read: {0}")]
    Broken(String),
}

/// Asks a daemon one thing over a connection of its own, from where nothing may block.
pub async fn ask(path: PathBuf, request: Request) -> Result<Value, ClientError> {
    let asked = tokio::task::spawn_blocking(move || Client::connect(&path)?.ask(&request));
    asked.await.unwrap_or_else(|error| Err(ClientError::Broken(error.to_string())))
}

/// One connection.
#[derive(Debug)]
pub struct Client {
    lines: BufReader<UnixStream>,
}

impl Client {
    /// Connects to a daemon.
    pub fn connect(path: &Path) -> Result<Client, ClientError> {
        let stream = UnixStream::connect(path).map_err(|why| ClientError::NoDaemon { path: path.to_owned(), why })?;
        Ok(Client { lines: BufReader::new(stream) })
    }

    /// Asks, and waits for the answer (30 s at most).
    pub fn ask(&mut self, request: &Request) -> Result<Value, ClientError> {
        self.limit(Some(Duration::from_secs(30)))?;
        let mut line = serde_json::to_vec(request).map_err(|error| ClientError::Broken(error.to_string()))?;
        line.push(b'\n');
        self.lines.get_mut().write_all(&line).map_err(|error| ClientError::Broken(error.to_string()))?;
        let answer = self.read()?.ok_or_else(|| ClientError::Broken("the connection was closed".into()))?;
        self.limit(None)?;
        if answer["ok"] == true {
            return Ok(answer);
        }
        let failure = serde_json::from_value(answer["error"].clone());
        Err(failure.map_or_else(|error| ClientError::Broken(error.to_string()), ClientError::Refused))
    }

    /// The next line, for as long as it takes; `None` at the end.
    pub fn read(&mut self) -> Result<Option<Value>, ClientError> {
        let mut line = String::new();
        let length = self.lines.read_line(&mut line).map_err(|error| ClientError::Broken(error.to_string()))?;
        if length == 0 {
            return Ok(None);
        }
        serde_json::from_str(&line).map(Some).map_err(|error| ClientError::Broken(error.to_string()))
    }

    fn limit(&self, time: Option<Duration>) -> Result<(), ClientError> {
        self.lines.get_ref().set_read_timeout(time).map_err(|error| ClientError::Broken(error.to_string()))
    }
}
