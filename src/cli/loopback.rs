//! A carrier and a daemon on loopback, as the demo and the self-test want them: nothing leaves the machine, and nothing is
//! left but the folder they were given.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config;
use crate::rig::{Account, Exchange, Script, Settings, free_ports};
use crate::shell::Daemon;
use crate::sip::digest::Hash;

/// The number that people call to reach hansho.
pub const HANSHO: &str = "+815000000000";

/// The telephones and their carrier, which asks for a password.
pub async fn exchange(telephones: Vec<(String, Script)>) -> Result<Exchange, String> {
    let exchange = Exchange::start(carrier(), telephones).await;
    exchange.map_err(|error| format!("the software trunk cannot start: {error}"))
}

/// What a user would write into `[[trunk]]` to reach that carrier.
pub fn trunk(exchange: &Exchange) -> String {
    let Settings { realm, account: Account { username, password, .. }, .. } = carrier();
    let proxy = exchange.trunk();
    format!(
        r#"[[trunk]]
id = "carrier"
proxy = "{proxy}"
registrar = "{realm}"
username = "{username}"
password = "{password}"
"#
    )
}

/// So many ports for voice, as they are written into `[media]`.
pub fn voice_ports(count: u16) -> Result<String, String> {
    let first = free_ports(count).ok_or("no free UDP ports for voice")?;
    Ok(format!("{first}-{}", first + count - 1))
}

/// The daemon with this configuration, which is put into `folder`; and its control socket.
pub async fn daemon(folder: &Path, configuration: &str) -> Result<(Daemon, PathBuf), String> {
    let file = folder.join("sip-trunk.toml");
    fs::write(&file, configuration).map_err(|error| format!("cannot write {}: {error}", file.display()))?;
    let (_, settings) = config::load(Some(&file)).map_err(|error| error.to_string())?;
    let control = settings.control_socket.clone();
    let daemon = Daemon::start(settings).await.map_err(|error| format!("the daemon cannot start: {error}"))?;
    Ok((daemon, control))
}

fn carrier() -> Settings {
    Settings {
        local: ([127, 0, 0, 1], 0).into(),
        realm: "carrier.example".to_owned(),
        account: Account {
            username: "hansho".to_owned(),
            password: "the fire bell".to_owned(),
            number: HANSHO.to_owned(),
        },
        hash: Hash::Sha256,
        nonce_life: Duration::from_secs(300),
        expires_min_s: 60,
        expires_max_s: 600,
        seed: u64::from(std::process::id()),
    }
}
