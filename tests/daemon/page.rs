//! The page and what it is made of, as a browser gets them.

use super::http::{house, token};

#[test]
fn the_page_needs_no_token_runs_no_strangers_script_and_what_it_shows_needs_one() {
    let (_world, daemon, web) = house("page");
    let page = web.get("/");
    assert_eq!((page.status, page.body.starts_with("<!doctype html>")), (200, true), "{page:?}");
    for guard in
        ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "trusted-types 'none'", "nosniff"]
    {
        assert!(page.head.contains(guard), "{guard}: {}", page.head);
    }
    let parts: Vec<&str> = page.body.split("=\"/page/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(parts.contains(&"page.js") && parts.contains(&"page.css"), "{parts:?}");
    for part in parts {
        let reply = web.get(&format!("/page/{part}"));
        assert_eq!(reply.status, 200, "{part}");
        assert!(reply.head.contains("default-src 'none'"), "{part}");
    }
    for path in ["/page/", "/page/nothing.js", "/page/..%2f..%2fmod.rs"] {
        assert_eq!(web.get(path).status, 404, "{path}");
    }
    for path in ["/v1/status", "/v1/contacts", "/v1/rosters", "/v1/call_flows", "/v1/guidances"] {
        assert_eq!(web.get(path).code(), "unauthorized", "{path}");
    }
    let status = web.with(&token(&daemon, &["read"])).get("/v1/status").json();
    assert!(status["trunks"].is_array() && status["incidents"].is_array(), "{status}");
}
