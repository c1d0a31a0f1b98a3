//! `[sms]`: by which way short messages leave, and which events those on call are sent.
//!
//! A gateway is a template of one HTTP request. A preset fills it in, and what the file says itself wins. Easy to get
//! wrong: a value must be escaped for the place it is put into, or a text with a quotation mark breaks the request;
//! so a placeholder is only ever replaced by [`filled`].

use core::time::Duration;
use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::notify::{self, TOKEN_ACCEPTED, URL_ACCEPTED, secret, token_text};
use super::reader::Section;
use super::topics::{self, Topics};
use super::value;
use super::{Origin, Secret};

const BODY: usize = 8_000;
/// What a template may ask for.
const PLACES: [&str; 7] = ["to", "to_digits", "text", "from", "id", "account", "token"];
const SECOND: Duration = Duration::from_secs(1);

/// `[sms]`.
#[derive(Clone, Debug)]
pub struct Sms {
    /// `None`: over the trunks, as SIP MESSAGE.
    pub gateway: Option<Gateway>,
    /// What the contacts of an incident are told who have an `sms`.
    pub topics: Topics,
    /// When a message that the gateway does not take is given up.
    pub give_up: Duration,
}

/// An HTTP gateway for short messages.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Gateway {
    /// Whose answers it understands beyond the status.
    pub preset: Option<Preset>,
    /// `GET`, `POST` or `PUT`.
    pub method: String,
    /// A template.
    pub url: Secret,
    /// Templates.
    pub headers: BTreeMap<String, Secret>,
    /// A template.
    pub body: Secret,
    /// The name the message comes from.
    pub from: String,
    /// The account at the gateway.
    pub account: String,
    /// What opens it.
    pub token: Secret,
}

/// A gateway whose request is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Preset {
    /// Twilio's `Messages` resource.
    Twilio,
    /// Vonage's SMS API.
    Vonage,
}

/// What a value is put into.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// A JSON string.
    Json,
    /// A form, or an address.
    Form,
    /// A line of text.
    Line,
}

pub(super) fn read(root: &mut Section<'_>, origin: &Origin<'_>) -> Sms {
    let mut sms = root.table("sms");
    let via = sms.text("via", "\"sip\" (over the trunks) or \"http\" (through a gateway)", |text| match text {
        "sip" => Some(false),
        "http" => Some(true),
        _ => None,
    });
    let topics = topics::read(&mut sms, "events", &[]);
    let give_up = value::duration(&mut sms, "give_up", SECOND..=SECOND * 86_400);
    let keys = ["preset", "url", "method", "headers", "body", "account", "token", "token_file", "from", "api_url"];
    let http = via == Some(true);
    if let Some(key) = keys.iter().find(|key| sms.has(key)).filter(|_| !http && (via.is_some() || !sms.has("via"))) {
        sms.complain(key, "there is no via = \"http\"", "a gateway with via = \"http\" only");
    }
    let gateway = gateway(&mut sms, origin, http);
    sms.finish();
    Sms { gateway: gateway.filter(|_| http), topics, give_up: give_up.unwrap_or(SECOND * 900) }
}

/// Reads every key in any case, so that each is known; complains about what is missing when it is `wanted`.
fn gateway(sms: &mut Section<'_>, origin: &Origin<'_>, wanted: bool) -> Option<Gateway> {
    let preset = sms.text("preset", "\"twilio\" or \"vonage\"", |text| match text {
        "twilio" => Some(Preset::Twilio),
        "vonage" => Some(Preset::Vonage),
        _ => None,
    });
    let account = sms.text("account", value::NAME_ACCEPTED, value::name);
    let token = secret(sms, origin, "token", "token_file", TOKEN_ACCEPTED, token_text);
    let from = sms.text("from", "a number or a name of at most 50 characters", |text| {
        value::name(text).filter(|text| text.chars().count() <= 50)
    });
    let api = sms.text("api_url", URL_ACCEPTED, notify::protected_url);
    let url =
        sms.read_secret("url", TEMPLATE, |text| template(text).filter(|text| notify::url(&dummy(text)).is_some()));
    let method = sms.text("method", "\"POST\", \"PUT\" or \"GET\"", |text| {
        ["POST", "PUT", "GET"].contains(&text).then(|| text.to_owned())
    });
    let own_headers = notify::headers(sms);
    let body =
        sms.read_secret("body", BODY_ACCEPTED, |text| template(text).filter(|text| is_sound(text, &own_headers)));
    if wanted && preset.is_none() && !sms.has("preset") && !sms.has("url") {
        sms.complain("preset", "missing", "preset = \"twilio\" or \"vonage\", or the url of a gateway of your own");
    }
    if wanted && preset.is_some() {
        for key in ["account", "from"].into_iter().filter(|key| !sms.has(key)) {
            sms.complain(key, "missing", "the account at the gateway, and the number or name that messages come from");
        }
        if !sms.has("token") && !sms.has("token_file") {
            sms.complain("token", "missing", "token or token_file");
        }
    }
    let known = preset.map(|preset| shape(preset, api.as_deref()));
    let (account, token) = (account.unwrap_or_default(), token.unwrap_or_else(|| Secret::new("")));
    let mut headers = own_headers;
    if let Some(known) = &known {
        let kind = if known.body.is_empty() { None } else { Some("application/x-www-form-urlencoded") };
        if let (Some(kind), None) = (kind, body.as_ref()) {
            headers.entry("Content-Type".to_owned()).or_insert_with(|| Secret::new(kind));
        }
        if preset == Some(Preset::Twilio) {
            let basic = STANDARD.encode(format!("{account}:{}", token.reveal()));
            headers.entry("Authorization".to_owned()).or_insert_with(|| Secret::new(format!("Basic {basic}")));
        }
    }
    let (usual_url, usual_body) = known.map_or((None, String::new()), |known| (Some(known.url), known.body));
    Some(Gateway {
        preset,
        method: method.unwrap_or_else(|| "POST".to_owned()),
        url: Secret::new(url.or(usual_url)?),
        headers,
        body: Secret::new(body.unwrap_or(usual_body)),
        from: from.unwrap_or_default(),
        account,
        token,
    })
}

struct Shape {
    url: String,
    body: String,
}

/// The request of a known gateway, in forms: <https://www.twilio.com/docs/messaging/api/message-resource> and
/// <https://developer.vonage.com/en/api/sms>.
fn shape(preset: Preset, api: Option<&str>) -> Shape {
    let api = |usual: &str| api.unwrap_or(usual).trim_end_matches('/').to_owned();
    match preset {
        Preset::Twilio => Shape {
            url: format!("{}/2010-04-01/Accounts/{{{{account}}}}/Messages.json", api("https://api.twilio.com")),
            body: "To={{to}}&From={{from}}&Body={{text}}".to_owned(),
        },
        Preset::Vonage => Shape {
            url: format!("{}/sms/json", api("https://rest.nexmo.com")),
            body: "api_key={{account}}&api_secret={{token}}&to={{to_digits}}&from={{from}}&text={{text}}&type=unicode\
                   &client-ref={{id}}"
                .to_owned(),
        },
    }
}

const TEMPLATE: &str =
    "a web address in which {{to}}, {{to_digits}}, {{text}}, {{from}}, {{id}}, {{account}} and {{token}} may stand";
const BODY_ACCEPTED: &str = "a body with the same placeholders; JSON, unless the header Content-Type says otherwise";

/// What is put into the body: by the header Content-Type, else by what the body looks like.
pub fn body_place(body: &str, headers: &BTreeMap<String, Secret>) -> Place {
    let kind = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
    match kind.map(|(_, kind)| kind.reveal()) {
        Some(kind) if kind.contains("json") => Place::Json,
        Some(kind) if kind.contains("form") => Place::Form,
        Some(_) => Place::Line,
        None if body.trim_start().starts_with(['{', '[']) => Place::Json,
        None => Place::Form,
    }
}

/// `template` with every `{{name}}` replaced by what `value` has for it, escaped for its place.
pub fn filled(template: &str, place: Place, value: impl Fn(&str) -> String) -> String {
    let mut filled = String::with_capacity(template.len());
    let mut rest = template;
    while let Some((before, (name, behind))) = rest.split_once("{{").and_then(|(a, b)| Some((a, b.split_once("}}")?))) {
        filled.push_str(before);
        filled.push_str(&escaped(&value(name.trim()), place));
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

fn escaped(value: &str, place: Place) -> String {
    match place {
        Place::Json => {
            let quoted = serde_json::Value::from(value).to_string();
            quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
        }
        // A space as `%20` is understood in forms and in paths alike.
        Place::Form => form_urlencoded::byte_serialize(value.as_bytes()).collect::<String>().replace('+', "%20"),
        Place::Line => value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect(),
    }
}

/// A template whose placeholders are all known.
fn template(text: &str) -> Option<String> {
    let known = text
        .split("{{")
        .skip(1)
        .all(|rest| rest.split_once("}}").is_some_and(|(name, _)| PLACES.contains(&name.trim())));
    (known && !text.is_empty() && text.len() <= BODY).then(|| text.to_owned())
}

fn dummy(template: &str) -> String {
    filled(template, Place::Form, |_| "1".to_owned())
}

/// A body that is JSON, where JSON goes.
fn is_sound(body: &str, headers: &BTreeMap<String, Secret>) -> bool {
    let place = body_place(body, headers);
    let nasty = || filled(body, place, |_| "a \"quoted\" \\ text\n".to_owned());
    place != Place::Json || serde_json::from_str::<serde_json::Value>(&nasty()).is_ok()
}

#[cfg(test)]
mod tests;
