//! A request on its way to the core task, and the way back.

use serde_json::Value;
use tokio::sync::oneshot;

use super::control::{Failure, Request};

/// One question to the core task.
#[derive(Debug)]
pub struct Ask {
    /// What is wanted.
    pub request: Request,
    /// The display name of the token that asks; `None` on the control socket.
    pub by: Option<String>,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Result<Value, Failure>>,
}
