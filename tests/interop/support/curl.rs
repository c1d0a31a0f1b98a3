//! curl, as the alert tool.

use std::process::Command;

use serde_json::Value;

/// Where it posts to, and with which token.
pub struct Curl {
    /// hansho's token.
    pub token: String,
    port: u16,
    header: &'static str,
}

impl Curl {
    pub fn new(port: u16, token: String) -> Curl {
        Curl { token, port, header: "Authorization: Bearer" }
    }

    /// Shows the token behind this instead.
    pub fn with_header(self, header: &'static str) -> Curl {
        Curl { header, ..self }
    }

    /// What a GET without any header but curl's own is answered.
    pub fn get(&self, path: &str) -> String {
        self.run(&[&self.url(path)])
    }

    /// What a POST without a body and without a token is answered.
    pub fn press(&self, path: &str) -> String {
        self.run(&["-X", "POST", &self.url(path)])
    }

    /// The status of a GET without a token.
    pub fn status(&self, path: &str) -> String {
        self.run(&["-o", "/dev/null", "-w", "%{http_code}", &self.url(path)])
    }

    /// The JSON that a GET with the token is answered.
    pub fn json(&self, path: &str) -> Value {
        read(&self.run(&["-H", &format!("{} {}", self.header, self.token), &self.url(path)]))
    }

    /// The JSON that a POST of JSON with the token is answered.
    pub fn post(&self, path: &str, body: &Value) -> Value {
        let (token, body) = (format!("{} {}", self.header, self.token), body.to_string());
        read(&self.run(&["-H", &token, "-H", "Content-Type: application/json", "-d", &body, &self.url(path)]))
    }

    /// The JSON that a PUT of JSON with the token is answered.
    pub fn put(&self, path: &str, body: &Value) -> Value {
        let (token, body) = (format!("{} {}", self.header, self.token), body.to_string());
        read(&self.run(&["-X", "PUT", "-H", &token, "-d", &body, &self.url(path)]))
    }

    fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    fn run(&self, arguments: &[&str]) -> String {
        let done = Command::new("curl").args(["-sS", "--noproxy", "*", "-m", "120"]).args(arguments).output();
        let done = done.unwrap_or_else(|error| panic!("curl does not start ({error}): tools/test installs it"));
        assert!(done.status.success(), "curl: {}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8_lossy(&done.stdout).into_owned()
    }
}

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
