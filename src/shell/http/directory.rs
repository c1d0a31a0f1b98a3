//! `/v1/contacts`, `/v1/rosters`, `/v1/call_flows`, `/v1/guidances`: the directory, shown and changed.
//!
//! What is asked for is checked by the readers of the configuration's file, so an object here is a block there and a complaint
//! says the same. A change is answered when it is on disk and in force.

use axum::body::Bytes;
use axum::extract::{Path, Request, State};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::House;
use super::auth::{May, ToEdit, ToRead};
use super::incidents::parsed;
use super::reply::{Answer, Refused, json};
use crate::config::{Directory, Listed, NotSet};
use crate::incident::{HouseFact, Kind};
use crate::shell::control::{Failure, Request as Wanted};
use crate::shell::directory::Change;

/// The largest object.
const OBJECT_MAX: usize = 64 << 10;
/// The paths, and what they are about.
const PATHS: [(&str, Kind); 4] = [
    ("contacts", Kind::Contact),
    ("rosters", Kind::Roster),
    ("call_flows", Kind::CallFlow),
    ("guidances", Kind::Guidance),
];

/// `GET /v1/contacts` and the like.
pub(super) async fn all(State(house): State<House>, _: May<ToRead>, request: Request) -> Answer {
    let (path, kind) = about(request.uri().path())?;
    let listed: Vec<Value> = house.directory().list(kind).into_iter().map(shown).collect();
    Ok(json(StatusCode::OK, &json!({ path: listed })))
}

/// `GET /v1/contacts/ID` and the like.
pub(super) async fn one(
    State(house): State<House>,
    _: May<ToRead>,
    Path(id): Path<String>,
    request: Request,
) -> Answer {
    let (_, kind) = about(request.uri().path())?;
    let found = house.directory().list(kind).into_iter().find(|listed| listed.id == id);
    let listed = found.ok_or_else(|| Refused::from(NotSet::Unknown(format!("{} `{id}`", kind.word()))))?;
    Ok(json(StatusCode::OK, &shown(listed)))
}

/// `PUT` and `DELETE /v1/contacts/ID` and the like.
pub(super) async fn change(
    State(house): State<House>,
    May(token, _): May<ToEdit>,
    Path(id): Path<String>,
    request: Request,
) -> Answer {
    let (_, kind) = about(request.uri().path())?;
    let object = if request.method() == Method::PUT { Some(object(&house, request).await?) } else { None };
    // Held to the end: two that begin from the same directory cannot both become the next one.
    let _turn = house.turn.lock().await;
    let now = house.directory();
    let known = now.list(kind).into_iter().any(|listed| listed.id == id);
    let by = token.name.clone();
    let fact = match &object {
        Some(object) => HouseFact::DirectorySet { kind, id: id.clone(), object: object.clone(), by },
        None => HouseFact::DirectoryRemoved { kind, id: id.clone(), by },
    };
    if object.is_none()
        && kind == Kind::CallFlow
        && let Some(name) = house.tokens.with_call_flow(&id)
    {
        let used = NotSet::InUse { what: format!("call flow `{id}`"), users: format!("token `{name}`") };
        return Err(used.into());
    }
    let wanted = object.clone();
    let made = move || match wanted {
        Some(object) => now.set(kind, &id, object).map(|next| (next, id)),
        None => now.remove(kind, &id).map(|next| (next, id)),
    };
    let made = tokio::task::spawn_blocking(made).await.map_err(|_| Refused::from(super::stopping()))?;
    let (next, id) = match made {
        Ok(made) => made,
        Err(NotSet::Wrong(faults)) => return Ok(wrong(&NotSet::Wrong(faults.clone()), &faults)),
        Err(why) => return Err(why.into()),
    };
    let change = Change { fact, directory: next.into(), renewed: None };
    house.ask(Wanted::Directory(Box::new(change)), &token.name).await?;
    Ok(match object {
        Some(object) => {
            let status = if known { StatusCode::OK } else { StatusCode::CREATED };
            json(status, &shown(Listed { id, in_file: false, object, left_out: None }))
        }
        None => json(StatusCode::OK, &json!({})),
    })
}

impl House {
    /// The directory that is in force.
    pub(super) fn directory(&self) -> std::sync::Arc<Directory> {
        self.shelf.borrow().clone()
    }

    /// What is in force: the configuration's file, and what was made elsewhere.
    pub(super) fn settings(&self) -> std::sync::Arc<crate::config::Settings> {
        self.shelf.borrow().settings().clone()
    }
}

impl From<NotSet> for Refused {
    fn from(why: NotSet) -> Refused {
        let (status, code) = match &why {
            NotSet::Declared { .. } => (StatusCode::CONFLICT, "declared_in_file"),
            NotSet::InUse { .. } => (StatusCode::CONFLICT, "in_use"),
            NotSet::Unknown(_) => (StatusCode::NOT_FOUND, "not_found"),
            NotSet::Wrong(_) => (StatusCode::UNPROCESSABLE_ENTITY, "wrong"),
        };
        Refused::new(status, code, why.to_string())
    }
}

/// The same, with every field by itself.
fn wrong(why: &NotSet, faults: &[crate::config::Fault]) -> axum::response::Response {
    let error = json!({ "code": "wrong", "message": why.to_string(), "fields": faults });
    json(StatusCode::UNPROCESSABLE_ENTITY, &json!({ "error": error }))
}

async fn object(house: &House, request: Request) -> Result<Value, Refused> {
    use axum::extract::FromRequest as _;
    let told = || Refused::from(Failure::new("too_long", "the object is longer than 64 KiB"));
    let body = Bytes::from_request(request, house).await.map_err(|_| told())?;
    if body.len() > OBJECT_MAX {
        return Err(told());
    }
    let mut object = parsed(&body)?;
    // What the lists show beside it may come back.
    if let Some(fields) = object.as_object_mut() {
        ["origin", "left_out"].iter().for_each(|name| drop(fields.remove(*name)));
    }
    Ok(object)
}

fn shown(listed: Listed) -> Value {
    let mut object = listed.object;
    object["id"] = listed.id.into();
    object["origin"] = if listed.in_file { "file" } else { "service" }.into();
    if let Some(why) = listed.left_out {
        object["left_out"] = why.into();
    }
    object
}

fn about(path: &str) -> Result<(&'static str, Kind), Refused> {
    let part = path.split('/').nth(2).unwrap_or_default();
    let known = PATHS.into_iter().find(|(name, _)| *name == part);
    known.ok_or_else(|| Refused::from(Failure::new("not_found", "no such path")))
}
