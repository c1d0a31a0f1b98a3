//! Sets the stage: a folder that is thrown away, the trunk and the telephones, the daemon with a
//! configuration as anybody would write it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::report;
use crate::base::Digit;
use crate::cli::loopback;
use crate::media::Way;
use crate::rig::{Exchange, PickUp, Script, Step};
use crate::shell::Daemon;

/// The people of the night, in the order they are called.
pub const PEOPLE: [(&str, &str); 4] =
    [("Sato", "+819000000001"), ("Suzuki", "+819000000002"), ("Tanaka", "+819000000003"), ("Yamada", "+819000000004")];
/// Where those who take it meet.
pub const ROOM: &str = "war-room";
/// Who answers and passes, and later calls in.
pub const TANAKA: usize = 2;
/// Who takes it.
pub const YAMADA: usize = 3;

/// How long a telephone rings before it is picked up.
const RINGING: Duration = Duration::from_millis(800);
/// What Tanaka hears before the key: who calls.
const TANAKA_HEARS: Duration = Duration::from_millis(3_200);
/// What Yamada hears before the key: all of it, up to what key 1 does.
const YAMADA_HEARS: Duration = Duration::from_millis(11_200);
/// Ports for voice: more than the night needs.
const PORTS: u16 = 16;

/// Everything that runs.
pub struct Stage {
    /// Trunk and telephones.
    pub exchange: Exchange,
    /// hansho; none any more once it was stopped.
    pub daemon: Option<Daemon>,
    /// Where it is talked to.
    pub control: PathBuf,
    /// Where the recordings go.
    pub recordings: PathBuf,
    /// What lay there before.
    pub older: BTreeSet<String>,
    folder: Folder,
    sip: String,
}

/// A folder that is gone when the demo is.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed lies in the system's folder for such things.
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Stage {
    /// Starts trunk, telephones and daemon. The error says what could not be started.
    pub async fn set(recordings: &Path) -> Result<Stage, String> {
        let folder = Folder(std::env::temp_dir().join(format!("hansho-demo-{}", std::process::id())));
        fs::create_dir_all(&folder.0).map_err(|error| format!("cannot make {}: {error}", folder.0.display()))?;
        let recordings = writable(recordings, &folder)?;
        let older = report::recordings(&recordings).into_iter().map(|(name, _)| name).collect();
        let exchange = loopback::exchange(telephones()).await?;
        let text = configuration(&exchange, &recordings, &loopback::voice_ports(PORTS)?);
        let (daemon, control) = loopback::daemon(&folder.0, &text).await?;
        let sip = daemon.sip_address().to_string();
        Ok(Stage { exchange, daemon: Some(daemon), control, recordings, older, folder, sip })
    }

    /// Who listens where.
    pub fn describe(&self) -> String {
        let people: Vec<&str> = PEOPLE.iter().map(|(name, _)| *name).collect();
        format!(
            "  daemon      SIP {}, journal and control socket in {}\n  trunk       SIP {}, digest SHA-256\n  telephones  {}\n",
            self.sip,
            self.folder.0.display(),
            self.exchange.trunk(),
            people.join(", "),
        )
    }
}

/// The folder for the recordings, or one that can be written where that one cannot.
fn writable(wanted: &Path, folder: &Folder) -> Result<PathBuf, String> {
    let usable = |path: &Path| {
        fs::create_dir_all(path)?;
        let probe = path.join(".hansho-demo");
        fs::write(&probe, [])?;
        fs::remove_file(&probe)?;
        std::path::absolute(path)
    };
    let instead = folder.0.with_extension("recordings");
    usable(wanted).or_else(|_| usable(&instead)).map_err(|error| {
        format!("recordings can be written neither to {} nor to {}: {error}", wanted.display(), instead.display())
    })
}

fn telephones() -> Vec<(String, Script)> {
    let key = |key: char| Digit::from_char(key).expect("1 and 2 are telephone keys");
    let scripts = [
        Script { pick_up: PickUp::Never, then: vec![] },
        Script { pick_up: PickUp::Busy, then: vec![] },
        Script {
            pick_up: PickUp::After(RINGING),
            then: vec![Step::Hear(TANAKA_HEARS), Step::Press(key('2'), Way::Tone)],
        },
        Script {
            pick_up: PickUp::After(RINGING),
            then: vec![Step::Hear(YAMADA_HEARS), Step::Press(key('1'), Way::Event)],
        },
    ];
    PEOPLE.iter().map(|(_, number)| (*number).to_owned()).zip(scripts).collect()
}

/// What a user would write into sip-trunk.toml.
fn configuration(exchange: &Exchange, recordings: &Path, ports: &str) -> String {
    let trunk = loopback::trunk(exchange);
    // A JSON text in quotes is a TOML text in quotes as well.
    let recordings = serde_json::Value::from(recordings.to_string_lossy().into_owned());
    let contacts = PEOPLE.map(|(name, number)| {
        format!("[[contact]]\nid = \"{}\"\nname = \"{name}\"\nphones = [\"{number}\"]\n", name.to_lowercase())
    });
    let ids = PEOPLE.map(|(name, _)| format!("\"{}\"", name.to_lowercase()));
    format!(
        r#"[node]
name = "demo"
data_dir = "."
language = "en"
[sip]
listen = ["udp:127.0.0.1:0"]
[media]
ports = "{ports}"
record_dir = {recordings}
{trunk}
{contacts}
[[roster]]
id = "first-line"
contacts = [{ids}]
[[call_flow]]
id = "oncall"
roster = "first-line"
rounds = 1
ring_timeout = "3s"
guidance = "with-room"
[[guidance]]
id = "with-room"
keys.1 = {{ do = "join" }}
keys.2 = {{ do = "next" }}
keys.3 = {{ do = "repeat" }}
room = "{ROOM}"
[[room]]
id = "{ROOM}"
record = true
"#,
        contacts = contacts.join(""),
        ids = ids.join(", "),
    )
}
