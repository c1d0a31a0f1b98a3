//! `/`: the page. Files that are part of the binary, for everybody who can reach the port; what they show needs a token.
//!
//! Nothing of it is made on the way: no text of a person or a trigger is ever put into these files. The policy that goes
//! with them lets a browser run no other script, reach no other host, and make no markup of texts.

use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;

use super::reply::{Answer, no_such_path, with_type};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'none'; base-uri 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

const INDEX: &str = include_str!("page/index.html");
const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// What the page is made of, beside itself.
const FILES: [(&str, &str, &str); 11] = [
    ("api.js", SCRIPT, include_str!("page/api.js")),
    ("bell.svg", "image/svg+xml", include_str!("page/bell.svg")),
    ("directory.js", SCRIPT, include_str!("page/directory.js")),
    ("dom.js", SCRIPT, include_str!("page/dom.js")),
    ("form.js", SCRIPT, include_str!("page/form.js")),
    ("ladder.js", SCRIPT, include_str!("page/ladder.js")),
    ("now.js", SCRIPT, include_str!("page/now.js")),
    ("page.css", "text/css; charset=utf-8", include_str!("page/page.css")),
    ("page.js", SCRIPT, include_str!("page/page.js")),
    ("past.js", SCRIPT, include_str!("page/past.js")),
    ("timeline.js", SCRIPT, include_str!("page/timeline.js")),
];
const WORDS: &str = include_str!("page/words.js");

/// `GET /`.
pub(super) async fn index() -> Response {
    guarded(HTML, INDEX)
}

/// `GET /page/{file}`.
pub(super) async fn file(Path(name): Path<String>) -> Answer {
    let words = ("words.js", SCRIPT, WORDS);
    let found = FILES.into_iter().chain([words]).find(|(known, ..)| *known == name);
    match found {
        Some((_, kind, text)) => Ok(guarded(kind, text)),
        None => Err(no_such_path().await),
    }
}

fn guarded(kind: &'static str, text: &'static str) -> Response {
    let mut response = with_type(StatusCode::OK, kind, text);
    let opener = HeaderName::from_static("cross-origin-opener-policy");
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (REFERRER_POLICY, "no-referrer"),
        // After an update the files of one version belong together.
        (CACHE_CONTROL, "no-cache"),
        (opener, "same-origin"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> impl Iterator<Item = (&'static str, &'static str)> {
        let own = FILES.into_iter().map(|(name, _, text)| (name, text));
        own.chain([("index.html", INDEX), ("words.js", WORDS)])
    }

    #[test]
    fn no_file_makes_markup_of_text_nor_reaches_out_nor_runs_inline() {
        let forbidden = [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "DOMParser",
            "eval(",
            "Function(",
            "srcdoc",
            "localStorage",
            "document.cookie",
            "javascript:",
            "onclick=\"",
            "onload=",
            "style=\"",
            "//cdn",
        ];
        for (name, text) in files() {
            for word in forbidden {
                assert!(!text.contains(word), "{name} has {word}");
            }
            let reaches = |line: &&str| line.contains("https://") || line.contains("http://");
            let out: Vec<&str> =
                text.lines().filter(reaches).filter(|line| !line.contains("www.w3.org/2000/svg")).collect();
            assert!(out.is_empty(), "{name} reaches out: {out:?}");
        }
        assert!(!INDEX.contains("<script>") && !INDEX.contains("<style"), "the policy would refuse it");
    }

    #[test]
    fn every_file_that_is_named_is_there_and_every_one_that_is_there_is_named() {
        let all: String = files().map(|(_, text)| text).collect();
        for (name, _) in files().filter(|(name, _)| *name != "index.html") {
            assert!(all.contains(&format!("/page/{name}")) || all.contains(&format!("\"./{name}\"")), "{name}");
        }
        for from in all.split("from \"./").skip(1) {
            let name = from.split('"').next().unwrap();
            assert!(files().any(|(known, _)| known == name), "{name} is missing");
        }
    }

    #[test]
    fn everything_that_is_said_is_said_in_both_languages() {
        let (english, japanese) = WORDS.split_once("const JA = {").unwrap();
        let keys = |text: &'static str| -> std::collections::BTreeSet<&'static str> {
            let words = text.lines().filter(|line| line.starts_with("  ")).flat_map(|line| line.split(", "));
            let key = |word: &'static str| word.trim().split_once(": \"").map(|(key, _)| key);
            words.filter_map(key).filter(|key| key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')).collect()
        };
        let (english, japanese) = (keys(english), keys(japanese.split("\n};").next().unwrap()));
        let missing: Vec<_> = english.symmetric_difference(&japanese).collect();
        assert!(english.len() > 100 && missing.is_empty(), "{missing:?}");
    }
}
