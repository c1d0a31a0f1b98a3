//! Every `curl` of docs/intake.md is run through the readers and does what the page says.

use crate::intake::pigeon::{Abort, Invoke};
use crate::intake::{Method, Request, Signal, Source, read, refusal, sns, token};

const PAGE: &str = include_str!("../../../docs/intake.md");

/// A `curl` of the page, taken apart.
#[derive(Default, Debug)]
pub(super) struct Curl {
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    is_post: bool,
    expected: String,
}

impl Curl {
    pub(super) fn request(&self) -> Request<'_> {
        let method = if self.is_post { Method::Post } else { Method::Get };
        let kind = self.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
        let (path, query, headers) = (self.source().1, &self.query, &self.headers);
        Request { method, path, query, headers, content_type: kind, body: self.body.as_bytes() }
    }

    /// Whose reader the path names, and what stands behind it; nothing for the Pigeon API.
    pub(super) fn source(&self) -> (Option<Source>, &str) {
        let path = self.path.as_str();
        let own = [
            ("/alertinfo", Source::AlertInfo),
            ("/alert", Source::Plain),
            ("/v2/enqueue", Source::PagerDuty),
            ("/v2/alerts", Source::Opsgenie),
            ("/api/v2/generic/incoming", Source::GoAlert),
        ];
        if let Some((prefix, source)) = own.into_iter().find(|(prefix, _)| path.starts_with(prefix)) {
            return (Some(source), path[prefix.len()..].trim_start_matches('/'));
        }
        match path.strip_prefix("/in/") {
            Some(rest) => {
                let (name, tail) = rest.split_once('/').unwrap_or((rest, ""));
                (Some(name.parse().unwrap_or_else(|error| panic!("{path}: {error}"))), tail)
            }
            None => (None, ""),
        }
    }

    fn of(block: &str) -> Curl {
        let (command, comment) = block.split_once("\n# ").unwrap_or_else(|| panic!("what comes of it? {block}"));
        let mut curl = Curl { expected: comment.trim().to_owned(), ..Curl::default() };
        let mut words = words(command).into_iter();
        assert_eq!(words.next().as_deref(), Some("curl"), "{block}");
        let mut data = Vec::new();
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_else(|| panic!("{word} needs a value: {block}"));
            match word.as_str() {
                "-X" => curl.is_post = value() == "POST",
                "-H" => {
                    let header = value();
                    let (name, text) = header.split_once(": ").expect("a header has a colon");
                    curl.headers.push((name.to_lowercase(), text.to_owned()));
                }
                "-d" => data.push(value()),
                "--data-urlencode" => {
                    let field = value();
                    let (name, text) = field.split_once('=').expect("a field has a value");
                    data.push(form_urlencoded::Serializer::new(String::new()).append_pair(name, text).finish());
                }
                "-F" => {
                    let field = value();
                    let (name, text) = field.split_once('=').expect("a field has a value");
                    let head = format!("Content-Disposition: form-data; name=\"{name}\"");
                    data.push(format!("--x\r\n{head}\r\n\r\n{text}\r\n--x--\r\n"));
                    curl.headers.push(("content-type".to_owned(), "multipart/form-data; boundary=x".to_owned()));
                }
                url => {
                    let rest = url.strip_prefix("https://hansho.example").unwrap_or_else(|| panic!("what is {url}?"));
                    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
                    curl.path = path.to_owned();
                    curl.query = crate::intake::charset::query(query).unwrap();
                }
            }
        }
        if !data.is_empty() {
            (curl.is_post, curl.body) = (true, data.join("&"));
            if !curl.headers.iter().any(|(name, _)| name == "content-type") {
                let kind = "application/x-www-form-urlencoded";
                curl.headers.push(("content-type".to_owned(), kind.to_owned()));
            }
        }
        curl
    }
}

/// All of them, in the order of the page.
pub(super) fn all() -> Vec<Curl> {
    let blocks = PAGE.split("```sh\n").skip(1).map(|rest| rest.split("\n```").next().unwrap_or_default());
    blocks.map(Curl::of).collect()
}

/// What a shell makes of a command: blanks part words, single quotes join them, a backslash ends a line.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in command.replace("\\\n", " ").chars() {
        match c {
            '\'' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(String::new()),
            c => words.last_mut().expect("there is a word").push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn told(signal: &Signal) -> String {
    match signal {
        Signal::Raise(draft) => match &draft.message {
            Some(message) => format!("raises: {message}"),
            None => "raises".to_owned(),
        },
        Signal::Resolve { dedup } => format!("resolves: {dedup}"),
        Signal::Acknowledge { dedup } => format!("acknowledges: {dedup}"),
    }
}

#[test]
fn every_documented_request_does_what_the_page_says() {
    let curls = all();
    assert!(curls.len() >= 30, "{} are read", curls.len());
    for curl in curls {
        let body = curl.body.as_bytes();
        let done = match curl.source().0 {
            Some(source) => {
                let read = read(&source, &curl.request()).unwrap_or_else(|error| panic!("{}: {error}", curl.path));
                let confirmed = read.confirm.map(|confirm| format!("confirms: {}", confirm.topic));
                read.signals.iter().map(told).chain(confirmed).collect::<Vec<_>>().join("\n")
            }
            None if curl.path.ends_with("/abort") => format!("aborts: {}", Abort::read(body).unwrap().result_id),
            None => Invoke::read(body).map(|_| "invokes".to_owned()).unwrap(),
        };
        assert_eq!(done, curl.expected, "{}", curl.path);
    }
}

#[test]
fn every_reader_has_its_request_on_the_page() {
    let shown: Vec<&str> = all().iter().filter_map(|curl| Some(curl.source().0?.name())).collect();
    let missing: Vec<&str> = Source::names().filter(|name| *name != "icinga" && !shown.contains(name)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[test]
fn every_documented_url_or_body_names_the_call_flow_or_leaves_it_to_the_token() {
    for curl in all().iter().filter(|curl| curl.query.iter().any(|(name, _)| name == "call_flow")) {
        let source = curl.source().0.expect("a reader");
        for signal in read(&source, &curl.request()).unwrap().signals {
            if let Signal::Raise(draft) = signal {
                assert_eq!(draft.call_flow.expect("the URL's").as_str(), "night", "{}", curl.path);
            }
        }
    }
}

#[test]
fn every_documented_token_is_in_a_header_in_the_query_or_found_in_the_body() {
    for curl in all() {
        let in_header = curl.headers.iter().any(|(_, value)| value.ends_with("TOKEN"));
        let in_query = curl.query.iter().any(|(name, value)| name == "token" && value == "TOKEN");
        let in_body = || curl.source().0.and_then(|source| token(&source, &curl.request())).as_deref() == Some("TOKEN");
        assert!(in_header || in_query || in_body(), "{}", curl.path);
    }
}

#[test]
fn the_documented_messages_of_sns_say_what_their_signature_covers() {
    for curl in all().iter().filter(|curl| curl.path == "/in/sns") {
        let signed = sns::signed(curl.body.as_bytes()).unwrap();
        assert_eq!((signed.signature.as_slice(), signed.version), (&b"signature"[..], sns::Version::V2));
    }
}

#[test]
fn an_answer_to_a_wrong_request_is_a_400_of_the_tools_own_kind() {
    for curl in all() {
        let Some(source) = curl.source().0 else { continue };
        let request = Request { method: Method::Post, body: b"{\"a\": ", content_type: None, ..curl.request() };
        if let Err(error) = read(&source, &request) {
            assert_eq!((refusal(&source, &error).status, error.code()), (400, "not_json"), "{}", curl.path);
        } else {
            assert!(curl.path.contains("/close"), "{}", curl.path);
        }
    }
}
