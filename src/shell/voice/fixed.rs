//! The sentences that are known before anything happens, spoken at start so that the first call finds them made.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::speaker::Speaker;
use crate::base::{GuidanceId, Language};
use crate::config::{Settings, is_built_in};
use crate::incident::Guidance;
use crate::phrase::Dictionary;

/// The texts of every guidance that hold no parameter, in words, in the languages somebody is spoken to in.
pub fn fixed_texts(settings: &Settings, dictionary: &Dictionary) -> BTreeSet<(Language, String)> {
    let languages: BTreeSet<Language> = settings.contacts.values().map(|contact| contact.language).collect();
    let mut texts = BTreeSet::new();
    let named: BTreeSet<&GuidanceId> = settings.call_flows.values().map(|flow| &flow.guidance).collect();
    // What is built in is there whether anybody wants it or not, and a voice that nobody needs is not begun.
    let meant = |guidance: &&Guidance| named.contains(&guidance.id) || !is_built_in(guidance);
    for guidance in settings.guidances.values().filter(meant) {
        let said = guidance.keys.values().filter_map(|key| key.say.as_ref());
        for (language, text) in languages.iter().flat_map(|language| said.clone().map(move |text| (*language, text))) {
            texts.insert((language, text.clone()));
        }
        for (language, text) in guidance.message.iter().filter(|(language, _)| languages.contains(language)) {
            texts.insert((*language, text.clone()));
        }
    }
    texts.retain(|(_, text)| !["{{", "{%", "{#"].iter().any(|mark| text.contains(mark)));
    texts.into_iter().map(|(language, text)| (language, dictionary.spoken(&text, language))).collect()
}

/// Speaks them one after another, so that a call that comes meanwhile has its turn.
pub async fn make(speaker: Arc<Speaker>, texts: BTreeSet<(Language, String)>) {
    for (language, text) in texts {
        if let Err(error) = speaker.speak(language, &text).await {
            tracing::warn!(%error, "a sentence of a guidance cannot be spoken");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Origin;
    use std::path::Path;

    #[test]
    fn what_holds_a_parameter_or_is_for_nobody_here_is_not_made() {
        let text = "[[trunk]]\nid = \"m\"\nproxy = \"192.0.2.1\"\n[[contact]]\nid = \"y\"\nlanguage = \"ja\"\nphones = \
                    [\"+818012345678\"]\n[[roster]]\nid = \"r\"\ncontacts = [\"y\"]\n[[call_flow]]\nid = \"o\"\nroster = \
                    \"r\"\nguidance = \"g\"\n[[guidance]]\nid = \"g\"\nmessage.ja = \"10.0.0.5が停電です。\"\nmessage.en = \"No \
                    power.\"\nkeys.1 = { do = \"take\", say = \"お願いします。\" }\nkeys.2 = { do = \"next\", say = \"{{who}}\" }\n";
        let read = |_: &Path| Err(String::new());
        let origin = Origin { folder: Path::new("/"), read: &read, opens: &|_| Ok(()) };
        let settings = Settings::read(text, &origin).unwrap();
        let ja = |text: &str| (Language::Ja, text.to_owned());
        let dictionary = Dictionary::new(&settings.speech.readings).unwrap();
        let made = fixed_texts(&settings, &dictionary);
        let message = dictionary.spoken("10.0.0.5が停電です。", Language::Ja);
        assert_ne!(message, "10.0.0.5が停電です。");
        assert_eq!(made, BTreeSet::from([ja(&message), ja("お願いします。")]));
    }
}
