//! `[call_in]` and the PINs of rooms: what people may do who call hansho's number.

use core::time::Duration;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::people::list;
use super::reader::Section;
use super::{CallFlow, Declared, Origin, Secret, value};
use crate::base::{CallFlowId, GuidanceId};
use crate::incident::Guidance;

const SECOND: Duration = Duration::from_secs(1);
const PIN: &str = "a PIN of 4 to 12 digits, in quotes";

/// `[call_in]`.
#[derive(Clone, Debug)]
pub struct CallIn {
    /// A contact who calls while nothing is open may raise an incident of this call flow by leaving a message; `None`:
    /// nobody may.
    pub call_flow: Option<CallFlowId>,
    /// What the people of that call flow hear; the call flow's own guidance when absent.
    pub guidance: Option<GuidanceId>,
    /// A WAV file that is played before the tone; `None`: hansho's own.
    pub greeting: Option<PathBuf>,
    /// The longest message.
    pub max_length: Duration,
    /// Everybody who calls over a trunk is asked for a room's PIN, the people of an open incident as well.
    pub always_pin: bool,
}

pub(super) fn call_in(
    root: &mut Section<'_>,
    call_flows: &BTreeMap<CallFlowId, CallFlow>,
    guidances: &Declared<GuidanceId, Guidance>,
    pins: bool,
    origin: &Origin<'_>,
) -> CallIn {
    const WAV: &str = "the path of a WAV file";
    let mut call_in = root.table("call_in");
    let accepted = list("the id of a [[call_flow]]", call_flows.keys());
    let call_flow =
        call_in.text("call_flow", &accepted, |text| text.parse().ok().filter(|id| call_flows.contains_key(id)));
    let accepted = list("the id of a [[guidance]]", guidances.keys());
    let guidance =
        call_in.text("guidance", &accepted, |text| text.parse().ok().filter(|id| guidances.contains_key(id)));
    let greeting = call_in.text("greeting", WAV, super::daemon::path).map(|path| origin.folder.join(path));
    if let Some(path) = &greeting
        && let Err(problem) = (origin.opens)(path)
    {
        call_in.complain("greeting", format!("{}: {problem}", path.display()), WAV);
    }
    let max_length = value::duration(&mut call_in, "max_length", SECOND * 5..=SECOND * 300);
    let always_pin = value::flag(&mut call_in, "always_pin").unwrap_or(false);
    if always_pin && !pins {
        call_in.complain(
            "always_pin",
            "no room has a PIN, so nobody could ever enter one",
            "`pin` in a [[room]] as well",
        );
    }
    call_in.finish();
    CallIn { call_flow, guidance, greeting, max_length: max_length.unwrap_or(SECOND * 60), always_pin }
}

/// The PIN of a room; no two rooms have the same.
pub(super) fn pin(block: &mut Section<'_>, taken: &mut Vec<Secret>) -> Option<Secret> {
    let digits = |text: &str| (4..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let pin = block.read_secret("pin", PIN, |text| digits(text).then(|| Secret::new(text)))?;
    if taken.contains(&pin) {
        block.complain("pin", "found the PIN of another room", "a PIN of its own for each room");
    }
    taken.push(pin.clone());
    Some(pin)
}
