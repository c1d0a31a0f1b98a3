//! Whatever a voice is made of, it comes out at one level, trimmed, with its peaks limited and in the telephone's band.
//!
//! Each voice gives the same sound, half a second of tones at 50 Hz, 1 kHz and 6 kHz between two silences, at 24 kHz; 6
//! kHz would come back at 2 kHz if it were only thinned out. The embedded voice is measured in `tests/interop/voice.rs`,
//! because its files are none of this repository.

use std::f64::consts::TAU;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use super::*;
use crate::config::{HttpVoice, HttpWay};

const SOURCE_HZ: u32 = 24_000;

/// The sound, this loud; with a click in it that is far louder than the rest, where one is wanted.
fn source(amplitude: f64, click: bool) -> Vec<i16> {
    let silence = vec![0i16; SOURCE_HZ as usize / 2];
    let mut tones: Vec<i16> = (0..SOURCE_HZ / 2)
        .map(|n| {
            let at = |hz: f64| (TAU * hz * f64::from(n) / f64::from(SOURCE_HZ)).sin();
            ((at(50.0) + at(1_000.0) + at(6_000.0)) / 3.0 * amplitude) as i16
        })
        .collect();
    if click {
        // A millisecond and a half, so that it lies within the band.
        tones[6_000..6_036].fill((amplitude * 12.0) as i16);
    }
    [silence.clone(), tones, silence].concat()
}

/// The amplitude of a sine of this frequency, full scale being 1.
fn amplitude(hz: f64, samples: &[i16]) -> f64 {
    let turn = TAU * hz / f64::from(SAMPLE_RATE);
    let sum = samples.iter().enumerate().fold((0.0, 0.0), |(cosine, sine), (n, sample)| {
        let (sample, angle) = (f64::from(*sample), turn * n as f64);
        (cosine + sample * angle.cos(), sine + sample * angle.sin())
    });
    sum.0.hypot(sum.1) * 2.0 / samples.len() as f64 / 32_768.0
}

/// One voice of each kind that gives this sound.
fn voices(folder: &Path, wav: &[u8]) -> Vec<Voice> {
    fs::write(folder.join("sound.wav"), wav).unwrap();
    fs::write(folder.join("texts.toml"), "\"sound.wav\" = \"words\"\n").unwrap();
    let path = folder.join("sound.wav").to_string_lossy().into_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", wav.len());
    let answer = [head.as_bytes(), wav].concat();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut line = String::new();
        let mut lines = BufReader::new(stream.try_clone().unwrap());
        while lines.read_line(&mut line).unwrap() > 2 {
            line.clear();
        }
        stream.write_all(&answer).unwrap();
    });
    let way = HttpWay::Template { body: None, content_type: String::new(), headers: BTreeMap::new() };
    vec![
        Voice::Command("command".to_owned(), ["/bin/cp", &path, "{out}"].map(str::to_owned).to_vec()),
        Voice::Http(HttpVoice { name: "http".to_owned(), url, way, key: None, timeout: Duration::from_secs(20) }),
        Voice::Recorded("file".to_owned(), folder.to_owned()),
    ]
}

#[tokio::test]
async fn every_kind_of_voice_comes_out_at_one_level_trimmed_limited_and_in_the_telephone_band() {
    for (loud, click) in [(300.0, false), (6_000.0, false), (32_000.0, false), (2_000.0, true)] {
        let folder = Scratch::new(&std::env::temp_dir()).unwrap();
        let wav = folder.path().join("source.wav");
        write_wav(&wav, SOURCE_HZ, &source(loud, click)).unwrap();
        let voices = voices(folder.path(), &fs::read(&wav).unwrap());
        let names: Vec<String> = voices.iter().map(|voice| voice.name().to_owned()).collect();
        let speech = Speech { voices: BTreeMap::from([(Language::En, voices)]), cache_bytes: 0, ..Speech::default() };
        let cache = folder.path().join("none");
        let speaker = Speaker::start(SpeakerSettings { speech, scratch: folder.path().to_owned(), cache });
        for name in names {
            let prompt = speaker.speak_as(&name, Language::En, "words").await.unwrap().prompt;
            let of = format!("{name} at {loud}{}", if click { " with a click" } else { "" });
            let peak = prompt.iter().map(|sample| sample.unsigned_abs()).max().unwrap();
            assert!(peak <= 23_200, "{of}: a peak of {peak} is above -3 dBFS");
            let level = active_dbm0(&prompt);
            if click {
                assert!(peak > 23_000 && level < -19.5, "{of}: the peak of {peak} keeps it down, {level} dBm0");
            } else {
                assert!((level + 19.0).abs() < 0.3, "{of}: {level} dBm0");
            }
            // 40 ms before, half a second, 80 ms and a quarter of a second behind; the filters ring for a frame or two.
            let milliseconds = prompt.len() * 1_000 / SAMPLE_RATE as usize;
            assert!((860..=920).contains(&milliseconds), "{of}: {milliseconds} ms of the second and a half");
            if !click {
                let tones = &prompt[800..4_000];
                let decibels = |hz: f64| 20.0 * (amplitude(hz, tones) / amplitude(1_000.0, tones)).log10();
                assert!(decibels(50.0) < -18.0, "{of}: {} dB at 50 Hz", decibels(50.0));
                assert!(decibels(2_000.0) < -45.0, "{of}: {} dB of 6 kHz folded to 2 kHz", decibels(2_000.0));
                let voice = 10f64.powf((-19.0 - 6.15 + 3.01) / 20.0);
                let kept = 20.0 * (amplitude(1_000.0, tones) / voice).log10();
                assert!(kept.abs() < 0.5, "{of}: 1 kHz is {kept} dB off");
            }
        }
    }
}
