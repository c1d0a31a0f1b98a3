//! Chromium, driven over WebDriver: what a person at the page sees and does.

use std::process::Command;
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

use super::{LIMIT, Process, Scene, until};

/// The name of an element's id in WebDriver.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One window.
pub struct Browser {
    session: Session,
    pictures: std::path::PathBuf,
    _driver: Process,
}

/// What chromedriver knows the window by.
struct Session {
    agent: ureq::Agent,
    url: String,
}

impl Browser {
    /// A window as wide as a telephone, whose language is this.
    pub fn open(scene: &Scene, language: &str) -> Browser {
        let port = scene.port();
        let mut command = Command::new("chromedriver");
        command.arg(format!("--port={port}")).env("LANGUAGE", language);
        let name = format!("chromedriver-{language}");
        let mut driver = Process::start(scene, &name, &mut command);
        let config = ureq::Agent::config_builder().http_status_as_error(false).proxy(None);
        let agent = ureq::Agent::new_with_config(config.build());
        let base = format!("http://127.0.0.1:{port}");
        until("chromedriver to be ready", || {
            driver.is_up();
            let mut ready = agent.get(format!("{base}/status")).call().ok()?;
            let ready: Value = serde_json::from_str(&ready.body_mut().read_to_string().ok()?).ok()?;
            (ready["value"]["ready"] == true).then_some(())
        });
        let profile = scene.path(&format!("chromium-{language}"));
        let arguments = json!([
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-proxy-server",
            "--window-size=430,930",
            format!("--lang={language}"),
            format!("--accept-lang={language}"),
            format!("--user-data-dir={}", profile.display()),
        ]);
        let options = json!({ "args": arguments, "prefs": { "intl.accept_languages": language } });
        let wanted =
            json!({ "capabilities": { "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": options } } });
        let mut session = Session { agent, url: format!("{base}/session") };
        let made = session.post("", &wanted).unwrap_or_else(|why| panic!("a window: {why}"));
        let id = made["sessionId"].as_str().unwrap_or_else(|| panic!("a session: {made}"));
        session.url = format!("{base}/session/{id}");
        Browser { session, pictures: scene.path(""), _driver: driver }
    }

    /// Opens an address.
    pub fn goes(&self, url: &str) {
        self.session.post("/url", &json!({ "url": url })).unwrap_or_else(|why| panic!("{url}: {why}"));
    }

    /// Waits until something that fits the selector is shown with this text in it.
    pub fn shows(&self, selector: &str, text: &str) {
        self.until(&format!("{selector} to show `{text}`"), || {
            self.texts(selector).iter().any(|shown| shown.contains(text))
        });
    }

    /// How many elements fit the selector.
    pub fn count(&self, selector: &str) -> usize {
        self.elements(selector).len()
    }

    /// What is shown in all that fit.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let text =
            |element: &String| self.session.get(&format!("/element/{element}/text")).ok()?.as_str().map(str::to_owned);
        self.elements(selector).iter().filter_map(text).collect()
    }

    /// Clicks on the first that fits, as soon as it can be clicked on.
    pub fn clicks(&self, selector: &str) {
        self.once_it_is_there(selector, |element| {
            self.session.post(&format!("/element/{element}/click"), &json!({})).is_ok()
        });
    }

    /// Puts a text in the place of what stands in a field.
    pub fn types(&self, selector: &str, text: &str) {
        self.once_it_is_there(selector, |element| {
            let typed = json!({ "text": text });
            self.session.post(&format!("/element/{element}/clear"), &json!({})).is_ok()
                && self.session.post(&format!("/element/{element}/value"), &typed).is_ok()
        });
    }

    /// Chooses an option of a list by its value.
    pub fn chooses(&self, selector: &str, value: &str) {
        self.clicks(&format!("{selector} option[value={value:?}]"));
    }

    /// True while a box of the browser asks something: a script of a stranger ran.
    pub fn is_asked(&self) -> bool {
        self.session.get("/alert/text").is_ok()
    }

    /// Keeps a picture of what is seen, for people.
    pub fn keeps_picture(&self, name: &str) {
        let Ok(Value::String(picture)) = self.session.get("/screenshot") else { return };
        let picture = base64::engine::general_purpose::STANDARD.decode(picture).unwrap_or_default();
        let _ = std::fs::write(self.pictures.join(format!("{name}.png")), picture);
    }

    fn once_it_is_there(&self, selector: &str, act: impl Fn(&str) -> bool) {
        self.until(&format!("{selector} to take what is done"), || {
            self.elements(selector).first().is_some_and(|element| act(element))
        });
    }

    fn until(&self, what: &str, mut look: impl FnMut() -> bool) {
        let end = Instant::now() + LIMIT;
        while !look() {
            if Instant::now() > end {
                self.keeps_picture("failed");
                panic!("waited {LIMIT:?} in vain for {what}; the page shows {:?}", self.texts("body"));
            }
            std::thread::park_timeout(Duration::from_millis(5));
        }
    }

    fn elements(&self, selector: &str) -> Vec<String> {
        let wanted = json!({ "using": "css selector", "value": selector });
        let found = self.session.post("/elements", &wanted).unwrap_or_default();
        let id = |element: &Value| element[ELEMENT].as_str().map(str::to_owned);
        found.as_array().into_iter().flatten().filter_map(id).collect()
    }
}

impl Session {
    fn get(&self, path: &str) -> Result<Value, String> {
        value(self.agent.get(format!("{}{path}", self.url)).call())
    }

    fn post(&self, path: &str, body: &Value) -> Result<Value, String> {
        let request = self.agent.post(format!("{}{path}", self.url)).header("Content-Type", "application/json");
        value(request.send(body.to_string()))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its windows go with it.
        let _ = self.session.agent.delete(&self.session.url).call();
    }
}

fn value(response: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> Result<Value, String> {
    let mut response = response.map_err(|error| error.to_string())?;
    let good = response.status().is_success();
    let text = response.body_mut().read_to_string().map_err(|error| error.to_string())?;
    let mut value: Value = serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))?;
    let value = value["value"].take();
    if good { Ok(value) } else { Err(value.to_string()) }
}
