//! The guidances that are there in any case. A `[[guidance]]` of the same name takes the place of one.
//!
//! | id | for | keys |
//! | --- | --- | --- |
//! | `default` | where neither the trigger nor the call flow names one | 1 takes, 2 next, 3 again |
//! | `alert` | `/alert?tels=`: everybody is wanted in one room | 1 joins, 2 next, 3 again |
//! | `azure` | tools that can only call a URL | 1 takes, 2 next; its message says so |

use core::time::Duration;
use std::collections::BTreeMap;

use crate::base::{Digit, GuidanceId, Language, RoomName};
use crate::incident::{Behaviour, Guidance, Key};

/// The guidance used where neither the trigger nor the call flow names one.
pub const DEFAULT_GUIDANCE: &str = "default";
/// The guidance, and the call flow, of numbers that are called all at once.
pub const ALERT: &str = "alert";
/// Where those who answer an alert meet.
pub const ALERT_ROOM: &str = "AlertRoom";
/// The guidance, and the call flow, of tools that can only call a URL.
pub const AZURE: &str = "azure";

const SECOND: Duration = Duration::from_secs(1);

/// All of them.
pub fn guidances() -> impl Iterator<Item = Guidance> {
    [(DEFAULT_GUIDANCE, Behaviour::Take), (ALERT, Behaviour::Join), (AZURE, Behaviour::Take)]
        .into_iter()
        .filter_map(|(id, first)| Some(like(GuidanceId::parse(id).ok()?, first)))
        .map(|guidance| match guidance.id.as_str() {
            ALERT => Guidance { room: RoomName::parse(ALERT_ROOM).ok(), ..guidance },
            AZURE => azure(guidance),
            _ => guidance,
        })
}

/// What is said where everybody is called at once.
pub fn emergency(language: Language, message: &str) -> String {
    match language {
        Language::En => format!("Emergency, emergency, {message}"),
        Language::Ja => format!("エマージェンシー、エマージェンシー、{message}"),
    }
}

/// Is this one of them, as it is without a word of the file?
pub fn is_built_in(guidance: &Guidance) -> bool {
    guidances().any(|own| own == *guidance)
}

/// What a guidance is where the file says nothing.
pub(super) fn usual(id: GuidanceId) -> Guidance {
    like(id, Behaviour::Take)
}

fn like(id: GuidanceId, first: Behaviour) -> Guidance {
    Guidance { keys: menu([('1', first), ('2', Behaviour::Next), ('3', Behaviour::Repeat)]), ..Guidance::usual(id) }
}

fn azure(guidance: Guidance) -> Guidance {
    let message = [
        (Language::Ja, "障害通知システムです。1番で対応開始、2番で次の担当者に転送します。"),
        (Language::En, "This is the incident notification system. Press 1 to take it, or 2 for the next person."),
    ];
    Guidance {
        message: message.map(|(language, text)| (language, text.to_owned())).into(),
        explains_keys: true,
        // The recorded words for 2, in each language, say that it is passed on.
        keys: menu([('1', Behaviour::Take), ('2', Behaviour::Next)]),
        first_key_timeout: SECOND * 120,
        // Two minutes were long enough to listen.
        readings: 1,
        repeats: 1,
        // Its users knew calls that rang and said nothing.
        voice_before_dialling: SECOND * 10,
        ..guidance
    }
}

/// A key menu without words of its own.
fn menu<const N: usize>(menu: [(char, Behaviour); N]) -> BTreeMap<Digit, Key> {
    let key = |(key, behaviour)| Some((Digit::from_char(key)?, Key { behaviour, say: None }));
    menu.into_iter().filter_map(key).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_three_are_there_and_each_has_a_key_that_takes_it() {
        let ids: Vec<String> = guidances().map(|guidance| guidance.id.to_string()).collect();
        assert_eq!(ids, ["default", "alert", "azure"]);
        for guidance in guidances() {
            let takes = |key: &Key| matches!(key.behaviour, Behaviour::Take | Behaviour::Join);
            assert!(guidance.keys.values().any(takes) && is_built_in(&guidance), "{guidance:?}");
            assert!(!is_built_in(&Guidance { repeats: 9, ..guidance }));
        }
    }
}
