//! Answers: JSON, and errors in one shape with fitting statuses.

use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::base::Phone;
use crate::shell::control::Failure;

/// What a handler gives.
pub(super) type Answer = Result<Response, Refused>;

/// An error on its way out: `{"error":{"code","message"}}`.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Refused {
    /// The status line.
    pub(super) status: StatusCode,
    /// What is said.
    pub(super) failure: Failure,
    /// The number that may not be dialled, where that is why.
    pub(super) number: Option<String>,
}

impl Refused {
    /// An error with its status.
    pub(super) fn new(status: StatusCode, code: &str, message: impl Into<String>) -> Refused {
        Refused { status, failure: Failure::new(code, message), number: None }
    }

    /// The same, with the number that it is about.
    pub(super) fn about(self, phone: &Phone) -> Refused {
        Refused { number: Some(phone.to_string()), ..self }
    }

    /// The request cannot be read.
    pub(super) fn bad(message: impl Into<String>) -> Refused {
        Refused::from(Failure::new("bad_request", message))
    }
}

impl From<Failure> for Refused {
    fn from(failure: Failure) -> Refused {
        Refused { status: status_of(&failure.code), failure, number: None }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let mut response = json(self.status, &json!({ "error": self.failure }));
        let headers = response.headers_mut();
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"hansho\""));
            }
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
            }
            _ => {}
        }
        response
    }
}

/// The status that says the same as a failure's code.
fn status_of(code: &str) -> StatusCode {
    match code {
        "unauthorized" => StatusCode::UNAUTHORIZED,
        "forbidden" | "not_a_roster_number" | "dial_refused" => StatusCode::FORBIDDEN,
        "not_found" => StatusCode::NOT_FOUND,
        "not_open" | "locked" | "busy" | "ambiguous" => StatusCode::CONFLICT,
        "too_long" => StatusCode::PAYLOAD_TOO_LARGE,
        "unknown_call_flow" | "unknown_guidance" | "too_much" => StatusCode::UNPROCESSABLE_ENTITY,
        "too_many" => StatusCode::TOO_MANY_REQUESTS,
        "not_stored" | "stopping" | "no_voice" | "not_dialled" => StatusCode::SERVICE_UNAVAILABLE,
        "timeout" => StatusCode::GATEWAY_TIMEOUT,
        "journal" | "ladder" | "internal" => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// A JSON body.
pub(super) fn json(status: StatusCode, body: &Value) -> Response {
    with_type(status, "application/json", body.to_string())
}

/// A body of some type. Nothing of ours is to be kept by a cache.
pub(super) fn with_type(status: StatusCode, kind: &'static str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Refusals that the framework makes itself (too long a body, a query that cannot be read) are texts: they become errors
/// like all others.
pub(super) fn in_our_shape(answer: Response, path: &str) -> Response {
    let text = answer.headers().get(CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    match answer.status() {
        StatusCode::PAYLOAD_TOO_LARGE if text => {
            Refused::from(Failure::new("too_long", "the body is longer than 1 MiB")).into_response()
        }
        StatusCode::BAD_REQUEST if text && path.starts_with("/v1/") => {
            Refused::bad("the query or the body cannot be read: docs/http.md shows what is accepted").into_response()
        }
        _ => answer,
    }
}

/// No such path.
pub(super) async fn no_such_path() -> Refused {
    Refused::new(StatusCode::NOT_FOUND, "not_found", "no such path: GET /v1/openapi.json lists them")
}

/// A path of ours, asked for in another way.
pub(super) async fn no_such_method(method: Method) -> Response {
    let why = format!("this path does not take {method}: GET /v1/openapi.json lists what it takes");
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, "bad_method", why).into_response()
}
