//! Who is asking: the token, wherever the tool that sends it can put it, and what it is good for.
//!
//! | where | who sends it so |
//! | --- | --- |
//! | `Authorization: Bearer …` | most |
//! | `X-Authorization: Token …` | scripts for Kompira Pigeon |
//! | `Authorization: GenieKey …` | tools that speak Opsgenie |
//! | `routing_key` in the body | tools that speak PagerDuty's Events API |
//! | the password of HTTP basic | Alertmanager, SNS, Uptime Kuma |
//! | `?token=…` | whatever can only call a URL |

use core::marker::PhantomData;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::House;
use super::door::Peer;
use super::reply::Refused;
use crate::incident::Token;
use crate::shell::tokens::Denied;

/// Longer is no token of ours, and is not looked up.
const TOKEN_MAX: usize = 256;
/// So many are tried.
const PRESENTED_MAX: usize = 4;

/// Whoever asks, with a token that is good for `N`.
pub(super) struct May<N>(pub(super) Token, pub(super) PhantomData<N>);

/// A scope, as a type.
pub(super) trait Need: Send {
    /// The word of the scope.
    const SCOPE: &'static str;
}

/// Raising, acknowledging and resolving incidents.
pub(super) struct ToTrigger;
/// Looking.
pub(super) struct ToRead;
/// Cancelling, staying quiet.
pub(super) struct ToManage;

/// Changing whom hansho knows, and so: which numbers may be dialled.
pub(super) struct ToEdit;

impl Need for ToEdit {
    const SCOPE: &'static str = "directory";
}

impl Need for ToTrigger {
    const SCOPE: &'static str = "trigger";
}

impl Need for ToRead {
    const SCOPE: &'static str = "read";
}

impl Need for ToManage {
    const SCOPE: &'static str = "manage";
}

impl<N: Need> FromRequestParts<House> for May<N> {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, house: &House) -> Result<May<N>, Refused> {
        let ConnectInfo(from) = ConnectInfo::<Peer>::from_request_parts(parts, house)
            .await
            .map_err(|_| Refused::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "a connection without an end"))?;
        let secrets = presented(&parts.headers, parts.uri.query());
        let token = admit(house, from, &secrets, N::SCOPE)?;
        Ok(May(token, PhantomData))
    }
}

/// Looks at what was presented: the token, if one of them opens `scope`. Some may be meant for a proxy in front.
pub(super) fn admit(house: &House, from: Peer, secrets: &[String], scope: &str) -> Result<Token, Refused> {
    let now = house.clock.calendar();
    let tried = secrets.iter().filter(|secret| secret.len() <= TOKEN_MAX).map(|secret| house.tokens.open(secret, now));
    let known =
        tried.reduce(|one, other| if one.is_ok() { one } else { other }).map_or(Err(None), |it| it.map_err(Some));
    if known.is_ok() {
        house.welcome(from);
    }
    let why = match known {
        Ok(token) if token.scopes.contains(scope) => return Ok(token),
        Ok(token) => {
            let why = format!(
                "the token `{}` has not the scope `{scope}`: make one with `hansho token create --name NAME --scope {scope}`",
                token.name
            );
            return Err(Refused::new(StatusCode::FORBIDDEN, "forbidden", why));
        }
        Err(Some(Denied::Expired)) => "this token has expired",
        Err(Some(Denied::Unknown)) => "this token is unknown or was revoked",
        Err(None) if !secrets.is_empty() => "this is no token",
        Err(None) => "no token was given",
    };
    let too_many = house.strange(from);
    if !too_many {
        // A line a request would let strangers fill the disk that the journal lies on.
        tracing::info!(target: "hansho::http", from = %from.0.ip(), why, "refused");
    } else {
        let why = "too many requests without a token that opens; try again in a minute";
        return Err(Refused::new(StatusCode::TOO_MANY_REQUESTS, "too_many", why));
    }
    let how = format!(
        "{why}: make one with `hansho token create --name NAME --scope {scope}` and send it as \
         `Authorization: Bearer TOKEN`, or as `?token=TOKEN` behind the URL"
    );
    Err(Refused::new(StatusCode::UNAUTHORIZED, "unauthorized", how))
}

/// Is one of these a token that is good for anything?
pub(super) fn opens(house: &House, secrets: &[String]) -> bool {
    let now = house.clock.calendar();
    secrets.iter().any(|secret| secret.len() <= TOKEN_MAX && house.tokens.open(secret, now).is_ok())
}

/// What may be the token of a request, in its headers and its query.
pub(super) fn presented(headers: &HeaderMap, query: Option<&str>) -> Vec<String> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let headers = [header(AUTHORIZATION.as_str()), header("x-authorization")].into_iter().flatten();
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let in_query = pairs.filter(|(name, _)| name == "token").map(|(_, value)| value.trim().to_owned());
    headers.filter_map(credential).chain(in_query).take(PRESENTED_MAX).collect()
}

/// `Bearer X`, `Token X`, `Token token=X`, `GenieKey X`, or the password of `Basic`.
fn credential(header: &str) -> Option<String> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    let rest = rest.trim();
    match scheme.to_ascii_lowercase().as_str() {
        "bearer" | "geniekey" => Some(rest.to_owned()),
        "token" => Some(rest.strip_prefix("token=").unwrap_or(rest).trim_matches('"').to_owned()),
        "basic" => {
            let pair = String::from_utf8(STANDARD.decode(rest).ok()?).ok()?;
            // Some tools have one field only, and it becomes the name.
            let (name, password) = pair.split_once(':')?;
            Some(if password.is_empty() { name } else { password }.to_owned())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &'static str, value: &str, query: Option<&str>) -> Vec<String> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        presented(&headers, query)
    }

    #[test]
    fn a_token_is_found_wherever_a_tool_can_put_it() {
        for (name, value) in [
            ("authorization", "Bearer hansho_x"),
            ("authorization", "bearer  hansho_x"),
            ("authorization", "GenieKey hansho_x"),
            ("authorization", "Token token=hansho_x"),
            ("x-authorization", "Token hansho_x"),
            // me:hansho_x and hansho_x:
            ("authorization", "Basic bWU6aGFuc2hvX3g="),
            ("authorization", "Basic aGFuc2hvX3g6"),
        ] {
            assert_eq!(found(name, value, None), ["hansho_x"], "{name}: {value}");
        }
        let nothing = HeaderMap::new();
        assert_eq!(presented(&nothing, Some("a=b&token=hansho%5Fx")), ["hansho_x"]);
        assert!(presented(&nothing, Some("a=b")).is_empty());
        let many = "token=x&".repeat(100);
        assert_eq!(presented(&nothing, Some(&many)).len(), PRESENTED_MAX);
    }

    #[test]
    fn what_is_meant_for_a_proxy_in_front_does_not_hide_the_token() {
        assert_eq!(found("authorization", "Basic bWU6cHJveHk=", Some("token=hansho_x")), ["proxy", "hansho_x"]);
    }

    #[test]
    fn what_is_no_credential_is_none() {
        for value in ["", "Bearer", "Digest x", "Basic ???", "Basic aGFuc2hv"] {
            assert!(found("authorization", value, None).is_empty(), "{value}");
        }
    }
}
