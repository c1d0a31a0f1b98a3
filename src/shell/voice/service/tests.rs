//! Services that behave, and services that do not: real sockets, a little server that does as it is told.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};

use super::*;
use crate::config::{Secret, Speech, Voice};
use crate::shell::voice::scratch::Scratch;
use crate::shell::voice::{Speaker, SpeakerSettings, reasons};
use crate::shell::wav::write_wav;

/// What a request looked like.
struct Asked {
    line: String,
    headers: String,
    body: String,
}

/// A server that gives these answers, a connection each, and tells what it was asked.
fn server(answers: Vec<Answer>) -> (String, Receiver<Asked>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, asked) = channel();
    std::thread::spawn(move || {
        for answer in answers {
            let (stream, _) = listener.accept().unwrap();
            let _ = tell.send(read(&stream));
            answer(stream);
        }
    });
    (url, asked)
}

type Answer = Box<dyn FnOnce(TcpStream) + Send>;

fn read(stream: &TcpStream) -> Asked {
    let mut lines = BufReader::new(stream);
    let (mut line, mut headers) = (String::new(), String::new());
    lines.read_line(&mut line).unwrap();
    while !headers.ends_with("\r\n\r\n") && headers != "\r\n" {
        lines.read_line(&mut headers).unwrap();
    }
    let length = headers
        .to_ascii_lowercase()
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ").and_then(|length| length.parse::<u64>().ok()));
    let mut body = String::new();
    lines.take(length.unwrap_or_default()).read_to_string(&mut body).unwrap();
    Asked { line: line.trim().to_owned(), headers, body }
}

/// One whole answer.
fn with(status: &str, body: &[u8]) -> Answer {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
    let whole = [head.as_bytes(), body].concat();
    Box::new(move |mut stream| {
        let _ = stream.write_all(&whole);
    })
}

fn tone(amplitude: f32) -> Vec<u8> {
    let folder = Scratch::new(&std::env::temp_dir()).unwrap();
    let path = folder.path().join("tone.wav");
    let tone: Vec<i16> = (0..12_000).map(|i| (amplitude * (i as f32 * 0.26).sin()) as i16).collect();
    write_wav(&path, 24_000, &tone).unwrap();
    std::fs::read(&path).unwrap()
}

fn service(url: &str, way: HttpWay, key: Option<Key>) -> HttpVoice {
    HttpVoice { name: "service".to_owned(), url: url.to_owned(), way, key, timeout: Duration::from_secs(60) }
}

fn generic(url: &str) -> HttpVoice {
    let way = HttpWay::Template {
        body: Some("{\"say\":\"{text_json}\"}".to_owned()),
        content_type: "application/json".to_owned(),
        headers: BTreeMap::from([("X-Api-Key".to_owned(), Secret::new("s3cret"))]),
    };
    service(url, way, None)
}

/// A speaker whose first voice is the service and whose second is a program that always speaks.
fn speaker(service: HttpVoice) -> (Scratch, Speaker) {
    let folder = Scratch::new(&std::env::temp_dir()).unwrap();
    std::fs::write(folder.path().join("good.wav"), tone(6_000.0)).unwrap();
    let good = folder.path().join("good.wav").to_string_lossy().into_owned();
    let copy = ["/bin/cp", &good, "{out}"].map(str::to_owned).to_vec();
    let voices = vec![Voice::Http(service), Voice::Command("program".to_owned(), copy)];
    let speech = Speech { voices: BTreeMap::from([(Language::Ja, voices)]), cache_bytes: 0, ..Speech::default() };
    let settings = SpeakerSettings { speech, scratch: folder.path().to_owned(), cache: folder.path().join("none") };
    (folder, Speaker::start(settings))
}

#[tokio::test]
async fn a_service_that_misbehaves_is_passed_over_with_its_reason_and_the_next_voice_speaks() {
    let half = tone(6_000.0);
    let wanted: Vec<(&str, Answer, &str)> = vec![
        ("slow", Box::new(stall), "no voice within 1.5s"),
        ("drips", Box::new(drip), "no voice within 1.5s"),
        ("wrong", with("200 OK", b"<html>please log in</html>"), "no WAV, MP3, Ogg Vorbis or FLAC"),
        ("huge", Box::new(flood), "more than 33554432 bytes"),
        ("truncated", Box::new(move |stream| truncate(stream, &half)), "broke off"),
        ("500", with("500 Internal Server Error", b"out\n of memory"), "500 Internal Server Error (out of memory)"),
        ("redirect", with("302 Found", b""), "redirects are not followed"),
        ("silent", with("200 OK", &tone(0.0)), "nothing but silence"),
        ("empty", with("200 OK", b""), "no WAV"),
        ("closed", Box::new(drop), ""),
    ];
    for (name, answer, why) in wanted {
        let (url, _asked) = server(vec![answer]);
        let mut service = generic(&url);
        // However busy the machine is, only those that have to be late are.
        if why.contains("1.5s") {
            service.timeout = Duration::from_millis(1_500);
        }
        let (_folder, speaker) = speaker(service);
        let spoken = speaker.speak(Language::Ja, "障害です。").await.unwrap();
        let said = reasons(&spoken.passed);
        assert_eq!(spoken.voice, "program", "{name}: {said}");
        assert!(said.starts_with("service: ") && said.contains(why), "{name}: {said}");
        assert!(!said.contains("s3cret") && !said.contains('\n'), "{name}: {said}");
        let line = speaker.voices()[&Language::Ja][0].line();
        assert!(line.contains("passed over") && line.ends_with("failed 1"), "{name}: {line}");
    }
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_folder, speaker) = speaker(generic(&format!("http://{nobody}")));
    assert_eq!(speaker.speak(Language::Ja, "障害です。").await.unwrap().voice, "program");
}

/// Nothing, until the other side goes.
fn stall(stream: TcpStream) {
    let _ = BufReader::new(stream).read_to_end(&mut Vec::new());
}

/// A byte now and then: each of them in time, the whole of them never.
fn drip(mut stream: TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
    while stream.write_all(b"R").is_ok() {
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn flood(mut stream: TcpStream) {
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\nRIFF");
    let block = vec![0u8; 1 << 20];
    // Until nobody takes any more.
    while stream.write_all(&block).is_ok() {}
}

fn truncate(mut stream: TcpStream, whole: &[u8]) {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", whole.len());
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(&whole[..whole.len() / 2]);
}

#[tokio::test]
async fn a_service_that_behaves_speaks_and_is_asked_as_configured() {
    let (url, asked) = server(vec![with("200 OK", &tone(2_000.0))]);
    let (_folder, speaker) = speaker(generic(&url));
    let spoken = speaker.speak(Language::Ja, "\"障害\"です。").await.unwrap();
    assert_eq!((spoken.voice.as_str(), spoken.passed.len()), ("service", 0));
    let request = asked.recv().unwrap();
    assert_eq!((request.line.as_str(), request.body.as_str()), ("POST / HTTP/1.1", "{\"say\":\"\\\"障害\\\"です。\"}"));
    assert!(request.headers.to_ascii_lowercase().contains("x-api-key: s3cret"), "{}", request.headers);
}

#[tokio::test]
async fn voicevox_is_asked_for_a_plan_and_then_for_its_sound() {
    let plan = b"{\"accent_phrases\": [], \"speedScale\": 1.0}";
    let (url, asked) = server(vec![with("200 OK", plan), with("200 OK", &tone(9_000.0))]);
    let (_folder, speaker) = speaker(service(&url, HttpWay::Voicevox { speaker: 3 }, None));
    assert_eq!(speaker.speak(Language::Ja, "障害 A&B").await.unwrap().voice, "service");
    let (query, synthesis) = (asked.recv().unwrap(), asked.recv().unwrap());
    assert_eq!(query.line, "POST /audio_query?speaker=3&text=%E9%9A%9C%E5%AE%B3%20A%26B HTTP/1.1");
    assert_eq!(synthesis.line, "POST /synthesis?speaker=3 HTTP/1.1");
    assert_eq!(synthesis.body.as_bytes(), plan);
    let (url, _asked) = server(vec![with("200 OK", b"[]")]);
    let (_folder, other) = self::speaker(service(&url, HttpWay::Voicevox { speaker: 3 }, None));
    let spoken = other.speak(Language::Ja, "障害").await.unwrap();
    assert!(reasons(&spoken.passed).contains("no JSON object"));
}

#[tokio::test]
async fn openai_and_azure_get_their_key_their_voice_and_the_text() {
    let key = || Some(Key::Given(Secret::new("k3y")));
    let (url, asked) = server(vec![with("200 OK", &tone(9_000.0))]);
    let way = HttpWay::OpenAi { model: "m".to_owned(), voice: "alloy".to_owned() };
    let (_folder, openai) = speaker(service(&url, way, key()));
    assert_eq!(openai.speak(Language::Ja, "障害").await.unwrap().voice, "service");
    let request = asked.recv().unwrap();
    let body: serde_json::Value = serde_json::from_str(&request.body).unwrap();
    assert_eq!(request.line, "POST /audio/speech HTTP/1.1");
    assert_eq!((&body["input"], &body["voice"], &body["model"]), (&json!("障害"), &json!("alloy"), &json!("m")));
    assert!(request.headers.to_ascii_lowercase().contains("authorization: bearer k3y"), "{}", request.headers);

    let (url, asked) = server(vec![with("200 OK", &tone(9_000.0))]);
    let way = HttpWay::Azure { voice: "ja-JP-NanamiNeural".to_owned() };
    let (_folder, azure) = speaker(service(&url, way, key()));
    assert_eq!(azure.speak(Language::Ja, "<b>障害</b>").await.unwrap().voice, "service");
    let request = asked.recv().unwrap();
    assert!(request.body.contains("xml:lang=\"ja-JP\"") && request.body.contains(">&lt;b&gt;障害&lt;/b&gt;<"));
    let headers = request.headers.to_ascii_lowercase();
    assert!(headers.contains("ocp-apim-subscription-key: k3y") && headers.contains("ssml+xml"), "{headers}");
}

#[tokio::test]
async fn a_key_that_is_not_there_is_said_and_nothing_is_asked() {
    let way = HttpWay::OpenAi { model: "m".to_owned(), voice: "v".to_owned() };
    let key = Some(Key::Environment("HANSHO_NO_SUCH_KEY".to_owned()));
    let (_folder, speaker) = speaker(service("http://127.0.0.1:9", way, key));
    let spoken = speaker.speak(Language::Ja, "障害").await.unwrap();
    assert_eq!(reasons(&spoken.passed), "service: the environment variable HANSHO_NO_SUCH_KEY holds no key");
}

#[test]
fn a_text_never_breaks_out_of_its_place() {
    let nasty = "a\"b\\c\n<voice name='x'>&{text}\u{0}障害";
    let json: serde_json::Value = serde_json::from_str(&filled("{\"say\": \"{text_json}\"}", nasty)).unwrap();
    assert_eq!(json["say"], nasty);
    let xml = ssml(Language::Ja, "ja-JP-NanamiNeural", nasty);
    assert_eq!(xml.matches('<').count(), 4, "{xml}");
    assert!(xml.contains("&lt;voice name=&#39;x&#39;&gt;&amp;{text} 障害"), "{xml}");
    assert_eq!(filled("t={text_url}&n=1", "a b&c=障"), "t=a%20b%26c%3D%E9%9A%9C&n=1");
    assert_eq!(filled("{{text}} {other}", "{text}"), "{{text}} {other}");
}

#[test]
fn a_refusal_is_one_short_line() {
    let said = refusal(StatusCode::FORBIDDEN, format!("no\n\t{}", "x".repeat(900)).as_bytes());
    assert!(said.starts_with("it answered 403 Forbidden (no x") && said.len() < 260 && !said.contains('\n'), "{said}");
    assert_eq!(refusal(StatusCode::BAD_GATEWAY, b""), "it answered 502 Bad Gateway");
    assert!(refusal(StatusCode::FOUND, b"").contains("configure the new address"));
}
