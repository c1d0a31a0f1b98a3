//! A request on its way to the core task, and the way back.

use serde_json::Value;
use tokio::sync::oneshot;

use super::control::{Failure, Request};

/// One question to the core task.
#[derive(Debug)]
pub struct Ask {
    /// What is wanted.
    pub request: Request,
    /// Where the answer goes.
    pub reply: oneshot::Sender<Result<Value, Failure>>,
}
