//! `[[speech.voice]]`: voices of one's own, each of one language: services, programs, recorded files.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use super::Voice;
use crate::base::Language;
use crate::config::daemon::{language, path};
use crate::config::notify::{TOKEN_ACCEPTED, headers, protected_url, secret, token_text, url};
use crate::config::reader::Section;
use crate::config::{Origin, Secret, value};

/// Blocks in one file.
const BLOCKS: usize = 32;
/// How long a service may take, unless its block says otherwise: the next voice wants time too.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest template.
const TEMPLATE: usize = 10_000;
const OPENAI: &str = "https://api.openai.com/v1";
const TEMPLATE_ACCEPTED: &str = "a text of 1 to 10000 characters with {text}, or {text_json}, {text_xml}, {text_url} \
                                 where the text must not break out of JSON, XML or an address";
const KINDS: &str = "\"voicevox\", \"openai\", \"azure\", \"http\", \"command\" or \"file\"";
/// Names of voices that hansho has by itself.
const TAKEN: [&str; 5] = ["embedded", "open_jtalk", "flite", "espeak-ng", "command"];

/// A voice behind HTTP.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HttpVoice {
    /// Its name.
    pub name: String,
    /// Where it is, without a `/` at the end.
    pub url: String,
    /// How it is spoken to.
    pub way: HttpWay,
    /// What it wants to know us by.
    pub key: Option<Key>,
    /// How long it may take for one text.
    pub timeout: Duration,
}

/// How a voice behind HTTP is spoken to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum HttpWay {
    /// VOICEVOX and its kin: `/audio_query`, then `/synthesis`.
    Voicevox {
        /// The number of the style.
        speaker: u32,
    },
    /// OpenAI's `/audio/speech`, and all who understand the same.
    OpenAi {
        /// The model's name.
        model: String,
        /// The voice's name.
        voice: String,
    },
    /// Azure Speech: the whole address of its `/cognitiveservices/v1`.
    Azure {
        /// The voice's name, `ja-JP-NanamiNeural`.
        voice: String,
    },
    /// One request of one's own making.
    Template {
        /// The body of a POST, with `{text}` in it; `None`: a GET, and the text stands in the address.
        body: Option<String>,
        /// What the body is.
        content_type: String,
        /// Sent along.
        headers: BTreeMap<String, Secret>,
    },
}

/// A key for a service.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Key {
    /// From the file, or from a file of its own.
    Given(Secret),
    /// In an environment variable of the daemon.
    Environment(String),
}

/// The blocks, with the language each speaks.
pub(super) fn read(speech: &mut Section<'_>, origin: &Origin<'_>) -> Vec<(Language, Voice)> {
    let mut taken: BTreeSet<String> = TAKEN.iter().map(|name| (*name).to_owned()).collect();
    let blocks = speech.blocks("voice", BLOCKS);
    blocks.into_iter().filter_map(|block| read_block(block, origin, &mut taken)).collect()
}

fn read_block(mut block: Section<'_>, origin: &Origin<'_>, taken: &mut BTreeSet<String>) -> Option<(Language, Voice)> {
    let id = block.need("id", "a name of 1 to 64 letters, digits and -_.", name);
    let id = id.filter(|id| {
        let free = taken.insert(id.clone());
        if !free {
            block.complain("id", format!("`{id}` is the name of another voice"), "a name of its own");
        }
        free
    });
    if !block.has("language") {
        block.complain("language", "missing", "\"en\" or \"ja\"");
    }
    let language = language(&mut block);
    let kind = block.need("kind", KINDS, |kind| {
        ["voicevox", "openai", "azure", "http", "command", "file"].into_iter().find(|known| *known == kind)
    });
    let Some(kind) = kind else {
        // What else may stand there depends on the kind: one mistake is one complaint.
        return None;
    };
    let voice = match kind {
        "command" => {
            if !block.has("command") {
                block.complain("command", "missing", COMMAND);
            }
            command(&mut block, "command").map(|words| Voice::Command(id.clone().unwrap_or_default(), words))
        }
        "file" => {
            let folder = block.need("folder", "the path of a folder", path);
            folder.map(|folder| Voice::Recorded(id.clone().unwrap_or_default(), origin.folder.join(folder)))
        }
        kind => http(&mut block, origin, kind, id.clone().unwrap_or_default()).map(Voice::Http),
    };
    block.finish();
    id?;
    Some((language?, voice?))
}

fn http(block: &mut Section<'_>, origin: &Origin<'_>, kind: &str, name: String) -> Option<HttpVoice> {
    let timeout = value::duration(block, "timeout", Duration::from_millis(100)..=Duration::from_secs(60));
    let key = if kind == "voicevox" || kind == "http" { None } else { key(block, origin) };
    let way = match kind {
        "voicevox" => HttpWay::Voicevox { speaker: value::number(block, "speaker", 0..=u32::MAX).unwrap_or_default() },
        "openai" => HttpWay::OpenAi {
            model: block.text("model", PLAIN, plain).unwrap_or_else(|| "gpt-4o-mini-tts".to_owned()),
            voice: block.text("voice", PLAIN, plain).unwrap_or_else(|| "alloy".to_owned()),
        },
        "azure" => {
            if key.is_none() && !["key", "key_file", "key_env"].iter().any(|key| block.has(key)) {
                block.complain("key_file", "missing", "the key of the Speech resource: key_file, key_env or key");
            }
            HttpWay::Azure { voice: block.need("voice", PLAIN, plain).unwrap_or_default() }
        }
        _ => HttpWay::Template {
            body: block.text("body", TEMPLATE_ACCEPTED, template),
            content_type: block.text("content_type", "one line of text", plain).unwrap_or("application/json".into()),
            headers: headers(block),
        },
    };
    let url = address(block, &way, key.is_some())?;
    Some(HttpVoice { name, url, way, key, timeout: timeout.unwrap_or(TIMEOUT) })
}

/// `url`. What carries a secret goes over TLS, or stays on this machine.
fn address(block: &mut Section<'_>, way: &HttpWay, has_key: bool) -> Option<String> {
    let secret = has_key || matches!(way, HttpWay::Template { headers, .. } if !headers.is_empty());
    let in_address = matches!(way, HttpWay::Template { body: None, .. });
    let accepted = match (secret, in_address) {
        (_, true) => "a web address with {text_url} in it, since there is no body; https:// where headers are sent",
        (true, false) => "a web address that begins with https:// (http:// on this machine only), for there is a key",
        (false, false) => "a web address that begins with https:// or http://",
    };
    let parse = |text: &str| {
        // Braces are no part of an address: it is looked at with a word in their place.
        let filled = text.replace("{text_url}", "text");
        if in_address != text.contains("{text_url}") {
            return None;
        }
        let fits = if secret { protected_url(&filled) } else { url(&filled) };
        fits.map(|_| text.trim_end_matches('/').to_owned())
    };
    match way {
        HttpWay::OpenAi { .. } if !block.has("url") => Some(OPENAI.to_owned()),
        _ => block.need("url", accepted, parse),
    }
}

/// `key`, `key_file` or `key_env`.
fn key(block: &mut Section<'_>, origin: &Origin<'_>) -> Option<Key> {
    let given = secret(block, origin, "key", "key_file", TOKEN_ACCEPTED, token_text);
    let environment = block.text("key_env", "the name of an environment variable", |text| {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        ((1..=128).contains(&text.len()) && text.bytes().all(fits)).then(|| text.to_owned())
    });
    if block.has("key_env") && (block.has("key") || block.has("key_file")) {
        block.complain("key_env", "there is another key as well", "one of key, key_file and key_env");
    }
    given.map(Key::Given).or(environment.map(Key::Environment))
}

const COMMAND: &str = "a program and its arguments, each a text";

/// A program and its arguments, one of which holds `{out}`.
pub(super) fn command(block: &mut Section<'_>, key: &'static str) -> Option<Vec<String>> {
    let words = block.list(key, 64, COMMAND, |text| {
        (!text.is_empty() && text.len() <= 1_000 && !text.contains('\0')).then(|| text.to_owned())
    })?;
    let words: Vec<String> = words.into_iter().map(|word| word.value).collect();
    if !words.iter().skip(1).any(|word| word.contains("{out}")) {
        let accepted = "a program that reads the text from its input and writes a sound file to `{out}`, which must \
                        stand in one of its arguments: [\"open_jtalk\", …, \"-ow\", \"{out}\"]";
        block.complain(key, "no argument holds {out}", accepted);
        return None;
    }
    Some(words)
}

fn name(text: &str) -> Option<String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    ((1..=64).contains(&text.len()) && text.bytes().all(plain)).then(|| text.to_owned())
}

const PLAIN: &str = "one line of 1 to 200 characters";

fn plain(text: &str) -> Option<String> {
    let fits = !text.trim().is_empty() && text.chars().count() <= 200 && !text.chars().any(char::is_control);
    fits.then(|| text.to_owned())
}

fn template(text: &str) -> Option<String> {
    let has = ["{text}", "{text_json}", "{text_xml}", "{text_url}"].iter().any(|place| text.contains(place));
    (has && text.chars().count() <= TEMPLATE).then(|| text.to_owned())
}
