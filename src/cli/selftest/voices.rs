//! Does a voice speak each language that somebody is spoken to in, and soon enough?

use std::collections::BTreeSet;
use std::time::Instant;

use super::Finding;
use crate::base::Language;
use crate::config::{Settings, Speech};
use crate::media::SAMPLE_RATE;
use crate::shell::voice::{Speaker, SpeakerSettings};

/// Has each language speak a sentence as a night would bring one.
pub(super) async fn check(settings: &Settings) -> Vec<Finding> {
    let speech = Speech { cache_bytes: 0, ..settings.speech.clone() };
    let speaker = Speaker::start(SpeakerSettings { speech, ..SpeakerSettings::default() });
    speaker.loaded().await;
    let people = settings.contacts.values().map(|contact| contact.language);
    let languages: BTreeSet<Language> = people.chain([settings.node.language]).collect();
    let mut findings = Vec::new();
    for language in languages {
        findings.push(one(&speaker, language).await);
    }
    findings
}

async fn one(speaker: &Speaker, language: Language) -> Finding {
    let check = format!("voice {language}");
    let text = match language {
        Language::Ja => "2026年11月21日に、サーバーdb-01でディスク使用率のアラートが発生しました。",
        Language::En => "On November 21st, the disk of server db-01 is almost full.",
    };
    let began = now();
    match speaker.speak(language, text).await {
        Ok(spoken) => {
            let took = began.elapsed().as_secs_f64();
            let length = spoken.prompt.len() as f64 / f64::from(SAMPLE_RATE);
            let found = format!("{} spoke {length:.1} s in {took:.1} s", spoken.voice);
            let failed = spoken.passed.iter().filter(|passed| passed.fault.is_failure()).count();
            if failed > 0 {
                return Finding::warning(check, found, "voices before it failed: see `hansho check`");
            }
            Finding::ok(check, found)
        }
        Err(why) => Finding::warning(
            check,
            format!("none speaks, so calls say recorded sentences alone: {why}"),
            "install one (docs/voice.md)",
        ),
    }
}

#[allow(clippy::disallowed_methods, reason = "how long a voice takes is measured")]
fn now() -> Instant {
    Instant::now()
}
