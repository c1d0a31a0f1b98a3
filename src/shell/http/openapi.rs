//! `/v1/openapi.json`: the routes as OpenAPI 3.1, made of the same list as the router, and made once: anybody may ask.

use std::sync::LazyLock;

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::reply::with_type;
use super::routes::{self, Route};

/// `GET /v1/openapi.json`.
pub(super) async fn openapi() -> Response {
    static WRITTEN: LazyLock<Bytes> = LazyLock::new(|| document().to_string().into());
    with_type(StatusCode::OK, "application/json", WRITTEN.clone())
}

/// The document.
fn document() -> Value {
    let mut paths = Map::new();
    for route in routes::all() {
        let path = paths.entry(route.path.replace("{*", "{")).or_insert_with(|| json!({}));
        path[route.method.to_ascii_lowercase()] = operation(&route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "hansho",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "hansho phones the on-call roster until a person takes the incident. docs/http.md shows every path with curl.",
        },
        "components": {
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer" },
                "basic": { "type": "http", "scheme": "basic", "description": "the token is the password" },
                "query": { "type": "apiKey", "in": "query", "name": "token" },
                "x_authorization": { "type": "apiKey", "in": "header", "name": "X-Authorization", "description": "Token TOKEN" },
            },
            "schemas": { "Error": {
                "type": "object",
                "properties": { "error": {
                    "type": "object",
                    "required": ["code", "message"],
                    "properties": { "code": { "type": "string" }, "message": { "type": "string" } },
                } },
            } },
        },
        "paths": paths,
    })
}

fn operation(route: &Route) -> Value {
    let parameters: Vec<Value> = route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| name.trim_start_matches('*'))
        .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
        .collect();
    let error = json!({
        "description": "what is wrong",
        "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Error" } } },
    });
    let mut operation = json!({
        "summary": route.says,
        "parameters": parameters,
        "responses": { "2XX": { "description": "done" }, "4XX": error, "5XX": error },
    });
    if ["POST", "PUT"].contains(&route.method) {
        operation["requestBody"] = json!({ "content": { "application/json": {} } });
    }
    if !route.scope.is_empty() {
        let schemes = ["bearer", "basic", "query", "x_authorization"];
        operation["security"] = schemes.map(|scheme| json!({ scheme: [] })).to_vec().into();
        operation["x-scope"] = route.scope.into();
    }
    operation
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_is_described_once_with_its_scope_and_its_parts() {
        let document = document();
        let mut operations = 0;
        for route in routes::all() {
            let operation = &document["paths"][route.path.replace("{*", "{")][route.method.to_ascii_lowercase()];
            assert_eq!(operation["summary"], route.says, "{} {}", route.method, route.path);
            assert_eq!(operation["security"].is_array(), !route.scope.is_empty(), "{}", route.path);
            let parts = route.path.matches('{').count();
            assert_eq!(operation["parameters"].as_array().unwrap().len(), parts, "{}", route.path);
            operations += 1;
        }
        let described: usize =
            document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len()).sum();
        assert_eq!(described, operations, "no route stands in the list twice");
    }

    #[test]
    fn docs_http_md_shows_every_route() {
        let told = include_str!("../../../docs/http.md");
        let missing: Vec<&str> = routes::all().map(|route| route.path).filter(|path| !told.contains(path)).collect();
        assert!(missing.is_empty(), "docs/http.md does not show {missing:?}");
    }
}
