//! Every path there is. The router and the OpenAPI description are both made of this one list.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, post, put};
use serde_json::json;

use super::reply::{json, no_such_method, no_such_path};
use super::{
    House, directory, events, hotline, incidents, intake, ladder, look, metrics, openapi, opsgenie, page, pigeon,
    quiet, rooms, slack,
};

/// One path and one way to ask for it.
pub(super) struct Route {
    /// In capitals.
    pub(super) method: &'static str,
    /// With `{names}` of its parts.
    pub(super) path: &'static str,
    /// The scope the token must have; empty: none is wanted.
    pub(super) scope: &'static str,
    /// What it does, in a line.
    pub(super) says: &'static str,
    serve: fn() -> MethodRouter<House>,
}

impl Route {
    /// A GET answers HEAD too, unless it raises an incident: who only looks whether a page is there rings nobody.
    fn served(&self) -> MethodRouter<House> {
        let served = (self.serve)();
        if self.method == "GET" && self.scope == "trigger" { served.head(no_such_method) } else { served }
    }
}

macro_rules! routes {
    ($($method:ident $path:literal $scope:literal $serve:expr, $says:literal;)*) => {
        [$(Route {
            method: stringify!($method),
            path: $path,
            scope: $scope,
            says: $says,
            serve: || routes!(@ $method $serve),
        }),*]
    };
    (@ GET $serve:expr) => { get($serve) };
    (@ POST $serve:expr) => { post($serve) };
    (@ PUT $serve:expr) => { put($serve) };
    (@ DELETE $serve:expr) => { delete($serve) };
}

/// The list.
pub(super) fn all() -> impl Iterator<Item = Route> {
    let routes = routes! {
        GET "/healthz" "" healthz, "Is the daemon there?";
        GET "/" "" page::index, "The page, for people; what it shows needs a token";
        GET "/page/{file}" "" page::file, "What the page is made of";
        GET "/hotline" "" hotline::missing, "A hotline's link that lost its end: 400";
        GET "/hotline/" "" hotline::missing, "The same";
        GET "/hotline/{link}" "" hotline::page, "The page behind a hotline's link; the link is its token";
        POST "/hotline/{link}" "" hotline::accept, "The page's button: the call is welcome";
        POST "/v1/incidents" "trigger" incidents::raise, "Raise an incident; answered when it is on disk";
        GET "/v1/incidents" "read" incidents::all, "The open and the latest incidents";
        GET "/v1/incidents/{id}" "read" incidents::one, "One incident with every attempt";
        GET "/v1/incidents/{id}/ladder" "read" ladder::shown, "The SIP messages of its calls; `attempt` asks for one";
        GET "/v1/incidents/{id}/ladder.pcap" "read" ladder::captured, "The same as a capture file";
        POST "/v1/incidents/{id}/cancel" "manage" incidents::cancel, "Stop calling for an incident";
        GET "/v1/status" "read" look::status, "What is going on: open and latest incidents, trunks, rooms, troubles";
        GET "/v1/ladder" "read" ladder::outside, "The SIP messages of one `call`, by its Call-ID; without it those outside of calls, and which calls there were";
        GET "/v1/ladder.pcap" "read" ladder::outside_captured, "The same as a capture file";
        GET "/v1/calls" "read" look::calls, "Calls, those that began last first; `before` and `limit` page";
        GET "/v1/rooms" "read" rooms::all, "Rooms with somebody inside";
        POST "/v1/rooms/{id}/say" "manage" rooms::say, "Have something said to everybody in a room";
        POST "/v1/rooms/{id}/mute" "manage" rooms::mute, "Have nobody hear somebody; with `off`, have them heard again";
        POST "/v1/rooms/{id}/kick" "manage" rooms::kick, "Take somebody out of a room";
        POST "/v1/rooms/{id}/lock" "manage" rooms::lock, "Let nobody come in; with `off`, let them come in again";
        POST "/v1/rooms/{id}/dial" "manage" rooms::dial, "Ring somebody and ask them into a room";
        GET "/metrics" "read" metrics::metrics, "Numbers for Prometheus";
        GET "/v1/events" "read" events::watch, "What happens, as it happens (server-sent events)";
        GET "/alert" "trigger" intake::receive, "Raise an incident by a URL alone; `tels` calls all of them at once";
        POST "/alert" "trigger" intake::receive, "The same, with a form or JSON";
        POST "/alertinfo" "trigger" intake::receive, "The array `alertinfo` of unattended monitoring";
        POST "/in/slack" "" slack::take, "The button of a Slack message; Slack's signature is its token";
        GET "/in/{source}" "trigger" intake::receive, "What an alert tool sends, by its name";
        POST "/in/{source}" "trigger" intake::receive, "What an alert tool sends, by its name";
        PUT "/in/{source}" "trigger" intake::receive, "The same, where the tool puts instead of posting";
        POST "/in/{source}/{*rest}" "trigger" intake::receive, "The same, where the tool adds to the path";
        POST "/v2/enqueue" "trigger" intake::receive, "PagerDuty's Events API v2";
        POST "/v2/change/enqueue" "trigger" intake::receive, "PagerDuty's change events: taken, and nobody is called";
        POST "/v2/alerts" "trigger" intake::receive, "Opsgenie: create an alert";
        POST "/v2/alerts/" "trigger" intake::receive, "The same: some clients put a slash behind every path";
        GET "/v2/alerts/requests/{id}" "trigger" opsgenie::processed, "Opsgenie: was a request done?";
        GET "/v2/alerts" "read" opsgenie::alerts, "Opsgenie: the latest alerts; `limit` pages";
        GET "/v2/alerts/" "read" opsgenie::alerts, "The same";
        GET "/v2/alerts/{*rest}" "read" opsgenie::alert, "Opsgenie: one alert by its alias";
        DELETE "/v2/alerts/{*rest}" "trigger" intake::receive, "Opsgenie: delete an alert, which ends what it raised";
        POST "/v2/alerts/{*rest}" "trigger" intake::receive, "Opsgenie: close or acknowledge an alert";
        PUT "/v2/alerts/{*rest}" "trigger" intake::receive, "Opsgenie: what else is said of an alert; it changes nothing";
        POST "/api/v2/generic/incoming" "trigger" intake::receive, "GoAlert's generic API";
        GET "/api/v2/generic/incoming" "trigger" intake::receive, "GoAlert's generic API";
        POST "/api/apps/pigeon/chain/invoke" "trigger" pigeon::invoke, "Kompira Pigeon: begin a callout";
        POST "/api/apps/pigeon/chain/abort" "trigger" pigeon::abort, "Kompira Pigeon: stop a callout";
        GET "/api/apps/pigeon/results/{id}" "read" pigeon::results, "Kompira Pigeon: how a callout stands";
        GET "/v1/openapi.json" "" openapi::openapi, "This list";
        POST "/v1/incidents/{id}/acknowledge" "trigger" incidents::acknowledge, "Somebody who is not on the phone takes it";
        GET "/v1/suppressions" "read" quiet::all, "What is kept quiet about";
        POST "/v1/suppressions" "manage" quiet::suppress, "Stay quiet about something until a moment";
        DELETE "/v1/suppressions/{number}" "manage" quiet::lift, "Take a promise to stay quiet back";
        GET "/v1/contacts" "read" directory::all, "The people: those of the file, and those made here";
        GET "/v1/contacts/{id}" "read" directory::one, "One person";
        PUT "/v1/contacts/{id}" "directory" directory::change, "Make or change a person";
        DELETE "/v1/contacts/{id}" "directory" directory::change, "Delete a person whom no roster names";
        GET "/v1/rosters" "read" directory::all, "The lists of people";
        GET "/v1/rosters/{id}" "read" directory::one, "One list";
        PUT "/v1/rosters/{id}" "directory" directory::change, "Make or change a list";
        DELETE "/v1/rosters/{id}" "directory" directory::change, "Delete a list that no call flow names";
        GET "/v1/call_flows" "read" directory::all, "How people are called";
        GET "/v1/call_flows/{id}" "read" directory::one, "One call flow";
        PUT "/v1/call_flows/{id}" "directory" directory::change, "Make or change a call flow";
        DELETE "/v1/call_flows/{id}" "directory" directory::change, "Delete a call flow that nothing names";
        GET "/v1/guidances" "read" directory::all, "What people hear, and what their keys do";
        GET "/v1/guidances/{id}" "read" directory::one, "One guidance";
        PUT "/v1/guidances/{id}" "directory" directory::change, "Make or change a guidance";
        DELETE "/v1/guidances/{id}" "directory" directory::change, "Delete a guidance that no call flow names";
        POST "/v1/resolve" "trigger" incidents::resolve, "What it was about is over";
    };
    routes.into_iter()
}

/// The router of all of it.
pub(super) fn router(house: House) -> Router {
    let router = all().fold(Router::new(), |router, route| router.route(route.path, route.served()));
    router.fallback(no_such_path).method_not_allowed_fallback(no_such_method).with_state(house)
}

async fn healthz() -> Response {
    json(StatusCode::OK, &json!({ "ok": true }))
}
