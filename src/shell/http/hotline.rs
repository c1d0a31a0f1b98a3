//! The page behind a hotline's link: a question and a button.
//!
//! It is for people without a token: the secret in the path is what opens it. Easy to get wrong: whoever previews a
//! link fetches it, so GET changes nothing and only the button's POST accepts; and the path is a secret, so it is
//! logged nowhere, sent to nobody as a referrer and kept by no cache.

use axum::extract::{ConnectInfo, Path, State};
use axum::http::header::{
    CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use serde_json::Value;

use super::House;
use super::door::Peer;
use super::reply::with_type;
use crate::shell::control::{Failure, Request};
use crate::shell::markup::escaped;

/// No script, no picture, no frame, nothing from anywhere else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// `GET /hotline/LINK`.
pub(super) async fn page(State(house): State<House>, from: ConnectInfo<Peer>, Path(link): Path<String>) -> Response {
    let answer = house.ask(Request::HotlinePage { link }, "hotline").await;
    answer_of(&house, from, answer)
}

/// `POST /hotline/LINK`.
pub(super) async fn accept(State(house): State<House>, from: ConnectInfo<Peer>, Path(link): Path<String>) -> Response {
    let answer = house.ask(Request::HotlineAccept { link }, "hotline").await;
    answer_of(&house, from, answer)
}

/// `/hotline` without a link.
pub(super) async fn missing() -> Response {
    let text = "リンクが足りません。メッセージのリンクをもう一度開いてください。\nThe link is incomplete. Please open the \
                link of the message again.";
    html(StatusCode::BAD_REQUEST, "ja", text, None)
}

fn answer_of(house: &House, ConnectInfo(from): ConnectInfo<Peer>, answer: Result<Value, Failure>) -> Response {
    match answer {
        Ok(page) => {
            let text = |name: &str| page.get(name).and_then(Value::as_str);
            html(StatusCode::OK, text("language").unwrap_or("en"), text("text").unwrap_or_default(), text("button"))
        }
        Err(failure) if failure.code == "not_found" => {
            let (status, text) = if house.strange(from) {
                (StatusCode::TOO_MANY_REQUESTS, "しばらく待ってください。\nPlease wait a while.")
            } else {
                (StatusCode::NOT_FOUND, "このリンクは使えません。\nThis link does not work.")
            };
            html(status, "ja", text, None)
        }
        Err(_) => {
            let text =
                "今は受け付けられません。もう一度お試しください。\nThis does not work right now. Please try again.";
            html(StatusCode::SERVICE_UNAVAILABLE, "ja", text, None)
        }
    }
}

fn html(status: StatusCode, language: &str, text: &str, button: Option<&str>) -> Response {
    let lines: String = text.lines().map(|line| format!("<p>{}</p>", escaped(line))).collect();
    let form = button.map(|button| format!("<form method=\"post\"><button>{}</button></form>", escaped(button)));
    let body = format!(
        "<!doctype html><html lang=\"{}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\"><meta name=\"robots\" content=\"noindex\">\
         <title>hansho</title><style>body{{font:1.25rem/1.6 sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem}}\
         button{{font:inherit;width:100%;padding:1rem;border:0;border-radius:.5rem;background:#b3261e;color:#fff}}</style>\
         </head><body>{lines}{}</body></html>",
        escaped(language),
        form.unwrap_or_default(),
    );
    let mut response = with_type(status, "text/html; charset=utf-8", body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    if status == StatusCode::TOO_MANY_REQUESTS || status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_tells_nobody_where_it_was() {
        let response = html(StatusCode::OK, "ja", "山田さん", Some("通話できます"));
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!((header("cache-control"), header("referrer-policy")), ("no-store".into(), "no-referrer".into()));
        assert!(header("content-security-policy").starts_with("default-src 'none'"));
    }
}
