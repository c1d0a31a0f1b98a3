//! What `[speech]` takes, and what it refuses with which word.

use std::path::Path;

use super::*;
use crate::config::{Origin, Settings};

const SMALLEST: &str = "[[trunk]]\nid = \"main\"\nproxy = \"192.0.2.1\"\n[[contact]]\nid = \"y\"\nphones = \
                        [\"+818012345678\"]\n[[roster]]\nid = \"r\"\ncontacts = [\"y\"]\n[[call_flow]]\nid = \
                        \"o\"\nroster = \"r\"\n";

fn read(text: &str) -> Result<Speech, Vec<(String, String)>> {
    let key = |path: &Path| if path.ends_with("key") { Ok("s3cret\n".to_owned()) } else { Err("away".to_owned()) };
    let origin = Origin { folder: Path::new("/home/hansho"), read: &key, opens: &|_| Ok(()) };
    match Settings::read(&format!("{SMALLEST}{text}"), &origin) {
        Ok(settings) => Ok(settings.speech),
        Err(complaints) => Err(complaints.into_iter().map(|wrong| (wrong.key.clone(), wrong.to_string())).collect()),
    }
}

fn names(speech: &Speech, language: Language) -> Vec<&str> {
    speech.voices[&language].iter().map(Voice::name).collect()
}

fn voice(more: &str) -> String {
    format!("[[speech.voice]]\nid = \"v\"\nlanguage = \"ja\"\n{more}\n")
}

#[test]
fn without_a_word_each_language_has_the_voices_that_hansho_brings_or_knows() {
    let speech = read("").unwrap();
    assert_eq!(names(&speech, Language::Ja), ["embedded", "open_jtalk"]);
    assert_eq!(names(&speech, Language::En), ["flite", "espeak-ng"]);
    assert_eq!((speech.timeout.as_secs(), speech.cache_bytes), (10, 500 << 20));
}

#[test]
fn what_the_user_describes_goes_before_what_hansho_has_unless_an_order_is_given() {
    let blocks = voice("kind = \"voicevox\"\nurl = \"http://192.0.2.9:50021/\"");
    let own = read(&format!("[speech]\ncommand.ja = [\"say\", \"{{out}}\"]\n{blocks}")).unwrap();
    assert_eq!(names(&own, Language::Ja), ["command", "v", "embedded", "open_jtalk"]);
    assert_eq!(names(&own, Language::En), ["flite", "espeak-ng"]);
    let Voice::Http(service) = &own.voices[&Language::Ja][1] else { panic!("{own:?}") };
    assert_eq!((service.url.as_str(), &service.way), ("http://192.0.2.9:50021", &HttpWay::Voicevox { speaker: 0 }));
    let ordered = read(&format!("[speech]\nvoices.ja = [\"embedded\", \"v\"]\nvoices.en = []\n{blocks}")).unwrap();
    assert_eq!(names(&ordered, Language::Ja), ["embedded", "v"]);
    assert!(names(&ordered, Language::En).is_empty());
}

#[test]
fn readings_and_words_are_taken_as_they_are_written() {
    let text = "[speech.readings.ja]\n\"Kubernetes\" = \"クバネティス\"\n[speech.words]\n\"半鐘\" = \"ハンショウ/0\"\n\
                \"東京\" = \"トウキョウ\"\n\"神田\" = \"カンダ/1\"\n";
    let speech = read(text).unwrap();
    assert_eq!(speech.readings[&Language::Ja]["Kubernetes"], "クバネティス");
    assert!(speech.readings[&Language::En].is_empty());
    assert_eq!((speech.words["半鐘"].morae(), speech.words["東京"].morae()), (4, 4));
    assert_eq!(speech.words["神田"].accent, Accent(1));
}

#[test]
fn each_mistake_has_its_place_and_its_word() {
    let azure = "kind = \"azure\"\nurl = \"https://a.example/v1\"\nvoice = \"x\"";
    for (text, key, says) in [
        ("[speech]\nvoices.ja = [\"embeded\"]".to_owned(), "speech.voices.ja[1]", "embedded, open_jtalk"),
        ("[speech]\nvoices.ja = [\"embedded\", \"embedded\"]".to_owned(), "speech.voices.ja[2]", "twice"),
        ("[speech]\nvoices.en = [\"embedded\"]".to_owned(), "speech.voices.en[1]", "flite"),
        ("[speech]\nvoices = \"embedded\"".to_owned(), "speech.voices", "[speech.voices]"),
        ("[speech]\ncache_mb = -1".to_owned(), "speech.cache_mb", "from 0"),
        ("[speech.words]\n\"半鐘\" = \"hansho\"".to_owned(), "speech.words.半鐘", "katakana"),
        ("[speech.words]\n\"半鐘\" = \"ハンショウ/5\"".to_owned(), "speech.words.半鐘", "mora"),
        ("[speech.readings.ja]\n\"a\" = \"\"".to_owned(), "speech.readings.ja.a", "how it is said"),
        (voice("kind = \"siri\""), "speech.voice[1].kind", "\"voicevox\""),
        (voice("kind = \"voicevox\"").replace("\"v\"", "\"embedded\""), "speech.voice[1].id", "another voice"),
        (voice("kind = \"voicevox\"\nurl = \"ftp://x\""), "speech.voice[1].url", "http://"),
        (voice("kind = \"voicevox\"\nurl = \"http://x\"\nkey = \"a\""), "speech.voice[1].key", "unknown key"),
        (voice("kind = \"openai\"\nurl = \"http://tts.example\"\nkey = \"a\""), "speech.voice[1].url", "https://"),
        (voice("kind = \"openai\"\nkey_file = \"nowhere\""), "speech.voice[1].key_file", "/home/hansho/nowhere"),
        (voice("kind = \"openai\"\nkey = \"a\"\nkey_env = \"B\""), "speech.voice[1].key_env", "one of"),
        (voice(azure), "speech.voice[1].key_file", "missing"),
        (voice("kind = \"http\"\nurl = \"http://x/y\""), "speech.voice[1].url", "{text_url}"),
        (voice("kind = \"http\"\nurl = \"http://x/y\"\nbody = \"{}\""), "speech.voice[1].body", "{text}"),
        (voice("kind = \"command\"\ncommand = [\"say\"]"), "speech.voice[1].command", "{out}"),
        (voice("kind = \"file\""), "speech.voice[1].folder", "missing"),
    ] {
        let wrong = read(&text).unwrap_err();
        assert!(wrong.iter().any(|(at, words)| at == key && words.contains(says)), "{text}\n{wrong:?}");
    }
}

#[test]
fn a_key_comes_from_a_file_or_a_variable_and_is_never_shown() {
    let speech = read(&voice("kind = \"openai\"\nkey_file = \"key\"")).unwrap();
    let Voice::Http(service) = &speech.voices[&Language::Ja][0] else { panic!("{speech:?}") };
    assert_eq!(service.key, Some(Key::Given(crate::config::Secret::new("s3cret"))));
    assert_eq!(service.url, "https://api.openai.com/v1");
    assert!(!format!("{speech:?}").contains("s3cret"));
    let speech = read(&voice("kind = \"openai\"\nkey_env = \"SPEECH_KEY\"")).unwrap();
    let Voice::Http(service) = &speech.voices[&Language::Ja][0] else { panic!("{speech:?}") };
    assert_eq!(service.key, Some(Key::Environment("SPEECH_KEY".to_owned())));
}

#[test]
fn a_service_without_a_body_is_asked_by_its_address() {
    let speech = read(&voice("kind = \"http\"\nurl = \"http://127.0.0.1:9/say?t={text_url}\"")).unwrap();
    let Voice::Http(service) = &speech.voices[&Language::Ja][0] else { panic!("{speech:?}") };
    assert!(matches!(&service.way, HttpWay::Template { body: None, .. }));
}
