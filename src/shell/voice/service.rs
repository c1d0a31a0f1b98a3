//! Voices behind HTTP: what is asked, and what is taken of the answer.
//!
//! A service is a stranger: one time limit for all its requests together, no redirect followed (a key would go along), no
//! proxy of the environment, and only so many bytes read as a prompt may have. Easy to get wrong: a text is data; it goes
//! into JSON, into XML and into an address escaped for each.

use std::io::Read;
use std::time::Duration;

use serde_json::json;
use ureq::http::{Method, Request, StatusCode, header};
use ureq::{Agent, Error};

use super::fault::Fault;
use crate::base::Language;
use crate::config::{HttpVoice, HttpWay, Key};
use crate::shell::markup::escaped;

/// How much of a refusal is shown, in characters.
const SHOWN: usize = 200;
/// The longest plan of an utterance that is taken from VOICEVOX.
const QUERY: u64 = 1 << 20;
/// The format Azure is asked for: WAV at twice the plane's rate.
const AZURE_FORMAT: &str = "riff-16khz-16bit-mono-pcm";

/// A voice behind HTTP, ready to be asked.
#[derive(Debug)]
pub(super) struct Service {
    voice: HttpVoice,
    language: Language,
    key: Option<String>,
    agent: Agent,
}

type Bytes = Vec<u8>;

impl Service {
    /// The error: why it cannot be asked at all.
    pub(super) fn new(voice: HttpVoice, language: Language) -> Result<Service, String> {
        let key = match &voice.key {
            None => None,
            Some(Key::Given(secret)) => Some(secret.reveal().to_owned()),
            Some(Key::Environment(name)) => {
                let key = std::env::var(name).ok().filter(|key| !key.is_empty() && !key.chars().any(char::is_control));
                Some(key.ok_or_else(|| format!("the environment variable {name} holds no key"))?)
            }
        };
        let config = Agent::config_builder()
            .proxy(None)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .http_status_as_error(false)
            .user_agent(concat!("hansho/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Service { voice, language, key, agent: config.new_agent() })
    }

    /// What makes it itself: everything that changes its sound, and no secret.
    pub(super) fn identity(&self) -> String {
        let HttpVoice { url, way, .. } = &self.voice;
        match way {
            HttpWay::Voicevox { speaker } => format!("voicevox {url} {speaker}"),
            HttpWay::OpenAi { model, voice } => format!("openai {url} {model} {voice}"),
            HttpWay::Azure { voice } => format!("azure {url} {voice}"),
            HttpWay::Template { body, content_type, .. } => format!("http {url} {content_type} {body:?}"),
        }
    }

    pub(super) fn timeout(&self) -> Duration {
        self.voice.timeout
    }

    /// Asks for a text; gives a file of sound. Blocks.
    pub(super) fn fetch(&self, text: &str, left: Duration, most: u64) -> Result<Bytes, Fault> {
        let url = &self.voice.url;
        match &self.voice.way {
            HttpWay::Voicevox { speaker } => {
                let began = std::time::Instant::now();
                let query = format!("{url}/audio_query?speaker={speaker}&text={}", in_url(text));
                let plan = self.send(Request::post(query), Vec::new(), left, QUERY)?;
                if !serde_json::from_slice::<serde_json::Value>(&plan).is_ok_and(|plan| plan.is_object()) {
                    return Err(Fault::Failed("its answer to audio_query is no JSON object".to_owned()));
                }
                let request = Request::post(format!("{url}/synthesis?speaker={speaker}"));
                let left = left.saturating_sub(began.elapsed());
                self.send(request.header(header::CONTENT_TYPE, "application/json"), plan, left, most)
            }
            HttpWay::OpenAi { model, voice } => {
                let mut request = Request::post(format!("{url}/audio/speech"));
                if let Some(key) = &self.key {
                    request = request.header(header::AUTHORIZATION, format!("Bearer {key}"));
                }
                let body = json!({ "model": model, "voice": voice, "input": text, "response_format": "wav" });
                let request = request.header(header::CONTENT_TYPE, "application/json");
                self.send(request, body.to_string().into_bytes(), left, most)
            }
            HttpWay::Azure { voice } => {
                let request = Request::post(url)
                    .header(header::CONTENT_TYPE, "application/ssml+xml")
                    .header("X-Microsoft-OutputFormat", AZURE_FORMAT)
                    .header("Ocp-Apim-Subscription-Key", self.key.as_deref().unwrap_or_default());
                self.send(request, ssml(self.language, voice, text).into_bytes(), left, most)
            }
            HttpWay::Template { body, content_type, headers } => {
                let method = if body.is_some() { Method::POST } else { Method::GET };
                let mut request = Request::builder().method(method).uri(url.replace("{text_url}", &in_url(text)));
                for (name, value) in headers {
                    request = request.header(name, value.reveal());
                }
                if body.is_some() {
                    request = request.header(header::CONTENT_TYPE, content_type);
                }
                let body = body.as_deref().map(|body| filled(body, text)).unwrap_or_default();
                self.send(request, body.into_bytes(), left, most)
            }
        }
    }

    fn send(
        &self,
        request: ureq::http::request::Builder,
        body: Bytes,
        left: Duration,
        most: u64,
    ) -> Result<Bytes, Fault> {
        if left.is_zero() {
            return Err(Fault::TimedOut(self.voice.timeout));
        }
        // The library's own words may hold the address, and the address a key.
        let request = request.body(body).map_err(|_| Fault::Failed("the request cannot be built".to_owned()))?;
        let request = self.agent.configure_request(request).timeout_global(Some(left)).build();
        let mut response = self.agent.run(request).map_err(|error| self.fault(&error))?;
        let status = response.status();
        let limit = if status.is_success() { most } else { 4 * SHOWN as u64 };
        let mut answer = Vec::new();
        let read = response.body_mut().as_reader().take(limit.saturating_add(1)).read_to_end(&mut answer);
        if !status.is_success() {
            return Err(Fault::Failed(refusal(status, &answer)));
        }
        // The client's own errors come wrapped in those of a reader.
        read.map_err(|error| match Error::from(error) {
            Error::Timeout(_) => Fault::TimedOut(self.voice.timeout),
            Error::Io(why) if why.kind() == std::io::ErrorKind::TimedOut => Fault::TimedOut(self.voice.timeout),
            why => Fault::Failed(format!("its answer broke off: {why}")),
        })?;
        if u64::try_from(answer.len()).is_ok_and(|length| length > most) {
            return Err(Fault::TooMuch(most));
        }
        Ok(answer)
    }

    fn fault(&self, error: &Error) -> Fault {
        match error {
            Error::Timeout(_) => Fault::TimedOut(self.voice.timeout),
            Error::BadUri(_) => Fault::Failed("its address cannot be used".to_owned()),
            Error::Io(why) if why.kind() == std::io::ErrorKind::TimedOut => Fault::TimedOut(self.voice.timeout),
            Error::Io(why) => Fault::Failed(why.to_string()),
            Error::HostNotFound => Fault::Failed("its host's name cannot be looked up".to_owned()),
            other => Fault::Failed(other.to_string()),
        }
    }
}

/// A refusal on one line, cut short.
fn refusal(status: StatusCode, answer: &[u8]) -> String {
    let said = super::text::clean(&String::from_utf8_lossy(answer));
    let said: String = said.chars().take(SHOWN).collect();
    let hint = if status.is_redirection() { "; redirects are not followed, configure the new address" } else { "" };
    if said.is_empty() { format!("it answered {status}{hint}") } else { format!("it answered {status} ({said}){hint}") }
}

/// Azure's speech markup.
fn ssml(language: Language, voice: &str, text: &str) -> String {
    let locale = match language {
        Language::En => "en-US",
        Language::Ja => "ja-JP",
    };
    let (voice, text) = (escaped(voice), escaped(text));
    format!(
        "<speak version=\"1.0\" xmlns=\"http://www.w3.org/2001/10/synthesis\" xml:lang=\"{locale}\"><voice \
         name=\"{voice}\">{text}</voice></speak>"
    )
}

/// A place of a template, and what the text becomes there.
type Place = (&'static str, fn(&str) -> String);
const PLACES: [Place; 4] =
    [("{text}", str::to_owned), ("{text_json}", in_json), ("{text_xml}", escaped), ("{text_url}", in_url)];

/// A template with the text in its places. One pass: what stands in the text is never a place.
fn filled(template: &str, text: &str) -> String {
    let mut out = String::with_capacity(template.len() + text.len());
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        let (before, after) = rest.split_at(at);
        out.push_str(before);
        match PLACES.into_iter().find(|(place, _)| after.starts_with(place)) {
            Some((place, escape)) => {
                out.push_str(&escape(text));
                rest = after.get(place.len()..).unwrap_or_default();
            }
            None => {
                out.push('{');
                rest = after.get(1..).unwrap_or_default();
            }
        }
    }
    out.push_str(rest);
    out
}

/// For between the quotes of a JSON string.
fn in_json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

fn in_url(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

#[cfg(test)]
mod tests;
