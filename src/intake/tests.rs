//! What holds for every reader: nothing a stranger sends makes one panic, exceed its limits or show a secret, and every
//! `curl` in docs/intake.md does what the line under it says.

mod documented;
mod strangers;

use super::{Method, Request};

/// A POST of JSON, as most tools send it.
pub(super) fn json(body: &str) -> Request<'_> {
    let content_type = Some("application/json");
    Request { method: Method::Post, path: "", query: &[], headers: &[], content_type, body: body.as_bytes() }
}
