//! `hansho speak`: what a call would say, heard by daylight.
//!
//! It speaks with the voices of the configuration, or without one with those that hansho brings or knows, and says which
//! voice spoke and why others did not. It needs no daemon and rings nobody; what it spoke is not kept.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Args;

use super::{BAD, ConfigFile, print_line};
use crate::base::{GuidanceId, Language};
use crate::config::{self, ALERT, LoadError, Settings, Speech, emergency};
use crate::incident::Guidance;
use crate::media::{Prompt, SAMPLE_RATE};
use crate::phrase::{Dictionary, Form, Listener, fill};
use crate::shell::Zones;
use crate::shell::voice::{Speaker, SpeakerSettings, Spoken, load_prompts_from};
use crate::shell::wav::write_wav;
use crate::switch::{Clip, PromptBook};

/// `hansho speak`.
#[derive(Args, Debug)]
pub(super) struct Options {
    /// What is to be said
    #[arg(value_name = "TEXT", required_unless_present = "incident_sample", conflicts_with = "incident_sample")]
    text: Option<String>,
    /// The language, ja or en [default: the configuration's; of a sample, both]
    #[arg(long, value_name = "LANGUAGE", value_parser = language)]
    lang: Option<Language>,
    /// This voice alone, named as in the configuration
    #[arg(long, value_name = "NAME")]
    voice: Option<String>,
    /// The sound file to write, WAV; of a sample, the folder to write into
    #[arg(long, value_name = "FILE.wav")]
    out: PathBuf,
    /// The call of each guidance instead of a text: who calls, what happened, the keys
    #[arg(long)]
    incident_sample: bool,
    /// This guidance alone: one of the configuration, or `default`, `alert` or `azure`, which hansho brings with it
    #[arg(long, value_name = "ID", requires = "incident_sample")]
    guidance: Option<String>,
    /// A parameter of the guidance's message, KEY=VALUE; the others stand as their own names, and `message` is a sentence
    /// such as a trigger brings
    #[arg(long = "param", value_name = "KEY=VALUE", requires = "incident_sample", value_parser = parameter)]
    parameters: Vec<(String, String)>,
    #[command(flatten)]
    config: ConfigFile,
}

fn language(text: &str) -> Result<Language, String> {
    Language::from_tag(text).ok_or_else(|| "ja or en".to_owned())
}

fn parameter(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

/// Why nothing was written, and the exit code that says so.
struct Failed(String, u8);

/// Speaks a text or a sample into a file.
pub(super) fn run(options: &Options) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = match runtime {
        Ok(runtime) => runtime.block_on(speak(options)),
        Err(error) => Err(Failed(error.to_string(), 1)),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(why, code)) => {
            eprintln!("hansho speak: {why}");
            ExitCode::from(code)
        }
    }
}

async fn speak(options: &Options) -> Result<(), Failed> {
    let settings = match config::load(options.config.path.as_deref()) {
        Ok((_, settings)) => Some(settings),
        Err(LoadError::NotFound) => None,
        Err(error) => return Err(Failed(error.to_string(), BAD)),
    };
    let speech = settings.as_ref().map(|settings| settings.speech.clone()).unwrap_or_default();
    let zone = settings.as_ref().and_then(|settings| settings.node.time_zone.iana_name()).unwrap_or_default();
    let mouth = Mouth::new(speech, options.voice.clone(), zone)?;
    mouth.speaker.loaded().await;
    if let Some(text) = &options.text {
        let usual = settings.map_or_else(|| of_text(text), |settings| settings.node.language);
        let prompt = mouth.say(options.lang.unwrap_or(usual), text).await?;
        return write(&options.out, &prompt);
    }
    let settings =
        settings.ok_or_else(|| Failed(format!("{}; a sample wants its guidances", LoadError::NotFound), BAD))?;
    samples(options, &settings, &mouth).await
}

/// Without a configuration: a text with a letter of Japanese in it is Japanese.
fn of_text(text: &str) -> Language {
    let japanese =
        |letter: char| ('\u{3040}'..='\u{30ff}').contains(&letter) || ('\u{4e00}'..='\u{9fff}').contains(&letter);
    if text.chars().any(japanese) { Language::Ja } else { Language::En }
}

/// The voices, and how words are said.
struct Mouth {
    speaker: Speaker,
    only: Option<String>,
    dictionary: Dictionary,
    /// The time zone of whoever listens; empty where nobody named one.
    zone: String,
}

impl Mouth {
    fn new(speech: Speech, only: Option<String>, zone: &str) -> Result<Mouth, Failed> {
        let names =
            |voices: &Vec<config::Voice>| voices.iter().map(|voice| voice.name().to_owned()).collect::<Vec<_>>();
        let known: Vec<String> = speech.voices.values().flat_map(names).collect();
        if let Some(unknown) = only.as_ref().filter(|only| !known.contains(only)) {
            return Err(Failed(format!("there is no voice `{unknown}`; there are {}", known.join(", ")), BAD));
        }
        let dictionary = Dictionary::new(&speech.readings).map_err(|fault| Failed(fault.to_string(), BAD))?;
        let speech = Speech { cache_bytes: 0, ..speech };
        let speaker = Speaker::start(SpeakerSettings { speech, ..SpeakerSettings::default() });
        Ok(Mouth { speaker, only, dictionary, zone: zone.to_owned() })
    }

    fn listener(&self, language: Language) -> Listener<'_> {
        Listener { language, zone: &self.zone, calendar: &Zones }
    }

    /// Speaks a text as a call would, and says who did and who did not.
    #[allow(clippy::disallowed_methods, reason = "how long it took is told to whoever waits for it")]
    async fn say(&self, language: Language, text: &str) -> Result<Prompt, Failed> {
        let words = self.dictionary.spoken_to(text, &self.listener(language));
        let began = Instant::now();
        let made = match &self.only {
            Some(voice) => self.speaker.speak_as(voice, language, &words).await,
            None => self.speaker.speak(language, &words).await,
        };
        let Spoken { prompt, voice, passed, .. } = made.map_err(|error| Failed(error.to_string(), 1))?;
        for it in &passed {
            eprintln!("hansho speak: {language}: {} did not speak: {}", it.voice, it.fault);
        }
        let took = began.elapsed().as_secs_f64();
        print_line(&format!("{language}: {voice} spoke {:.1} s in {took:.2} s: {words}", seconds(&prompt)));
        Ok(prompt)
    }
}

/// What is heard of each guidance, a file each.
async fn samples(options: &Options, settings: &Settings, mouth: &Mouth) -> Result<(), Failed> {
    let guidances = guidances(settings, options.guidance.as_deref())?;
    let book = load_prompts_from(settings.speech.prompts.as_deref()).map_err(|error| Failed(error.to_string(), 1))?;
    let folder = &options.out;
    let made = std::fs::create_dir_all(folder);
    made.map_err(|error| Failed(format!("{}: {error}", folder.display()), 1))?;
    for guidance in guidances {
        for language in Language::ALL.into_iter().filter(|language| options.lang.is_none_or(|only| only == *language)) {
            let prompts = sample(guidance, language, &options.parameters, &book, mouth).await?;
            write(&folder.join(format!("{}.{language}.wav", guidance.id)), &prompts.concat())?;
        }
    }
    Ok(())
}

/// Those of the configuration, and those that hansho brings with it; or the one that is wanted.
fn guidances<'a>(settings: &'a Settings, wanted: Option<&str>) -> Result<Vec<&'a Guidance>, Failed> {
    let all = &settings.guidances;
    if let Some(wanted) = wanted.filter(|wanted| !all.keys().any(|id| id.as_str() == *wanted)) {
        let known: Vec<&str> = all.keys().map(GuidanceId::as_str).collect();
        return Err(Failed(format!("there is no guidance `{wanted}`; there are {}", known.join(", ")), BAD));
    }
    Ok(all.values().filter(|guidance| wanted.is_none_or(|wanted| guidance.id.as_str() == wanted)).collect())
}

/// Who calls, what happened as often as it is read, what each key does, and what is said when it is pressed.
async fn sample(
    guidance: &Guidance,
    language: Language,
    parameters: &[(String, String)],
    book: &PromptBook,
    mouth: &Mouth,
) -> Result<Vec<Prompt>, Failed> {
    let parameters: BTreeMap<String, String> = parameters.iter().cloned().collect();
    let mut parameters = mouth.listener(language).parameters(&parameters);
    parameters.entry("message".to_owned()).or_insert_with(|| match guidance.id.as_str() {
        ALERT => emergency(language, of_a_trigger(language)),
        _ => of_a_trigger(language).to_owned(),
    });
    let filled = |template: &str| {
        let mut parameters = parameters.clone();
        for name in fill(template, Form::Spoken, language, &parameters).missing {
            parameters.insert(name.clone(), name);
        }
        fill(template, Form::Spoken, language, &parameters).text
    };
    let message = guidance.message.get(&language).map_or("{{message}}", String::as_str);
    let message = mouth.say(language, &filled(message)).await?;
    let mut prompts = vec![book.clip(language, Clip::Intro)];
    prompts.extend((0..guidance.readings).map(|_| message.clone()));
    let explained = guidance.explains_keys && guidance.message.contains_key(&language);
    for (digit, key) in guidance.keys.iter().filter(|_| !explained) {
        prompts.extend([Clip::Press(*digit), Clip::Do(key.behaviour)].map(|clip| book.clip(language, clip)));
    }
    for say in guidance.keys.values().filter_map(|key| key.say.as_deref()) {
        prompts.push(mouth.say(language, &filled(say)).await?);
    }
    Ok(prompts)
}

/// What a trigger may say where the guidance has no message of its own.
const fn of_a_trigger(language: Language) -> &'static str {
    match language {
        Language::Ja => "サーバーdb-01のディスク使用率が95%です。",
        Language::En => "The disk of the server db-01 is 95% full.",
    }
}

fn write(path: &Path, prompt: &[i16]) -> Result<(), Failed> {
    write_wav(path, SAMPLE_RATE, prompt).map_err(|error| Failed(error.to_string(), 1))?;
    print_line(&format!("{}: {:.1} s", path.display(), seconds(prompt)));
    Ok(())
}

fn seconds(prompt: &[i16]) -> f64 {
    prompt.len() as f64 / f64::from(SAMPLE_RATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_a_configuration_is_in_the_language_of_its_letters() {
        assert_eq!(of_text("db-01 が停止"), Language::Ja);
        assert_eq!(of_text("db-01 is down"), Language::En);
    }

    #[test]
    fn a_voice_nobody_knows_is_bad_usage_and_those_that_are_there_are_named() {
        let Err(Failed(why, code)) = Mouth::new(Speech::default(), Some("siri".to_owned()), "") else {
            panic!("it is there")
        };
        assert_eq!(code, BAD);
        assert!(why.contains("`siri`") && why.contains("embedded"), "{why}");
    }
}
