//! Speaks a Japanese sentence with the embedded voice and says where each of its sounds lies:
//! `voice-sounds VOICE_FOLDER SPEED NEW_FILE.wav < TEXT`.
//!
//! A line a sound on the standard output, its name and its beginning and its end in seconds. `tools/make-prompts` runs it,
//! because recordings are cut at their sounds and not by loudness.

use std::error::Error;
use std::io::Read as _;
use std::path::Path;
use std::process::ExitCode;

use jbonsai::duration::DurationEstimator;
use jbonsai::engine::Engine;
use jbonsai::model::Models;
use jpreprocess::{JPreprocess, SystemDictionaryConfig};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, speed, wav] = words.as_slice() else {
        eprintln!("voice-sounds: wanted are the voice's folder, a speed, and the file to be written");
        return ExitCode::from(2);
    };
    match speak(Path::new(folder), speed, Path::new(wav)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("voice-sounds: {error}");
            ExitCode::FAILURE
        }
    }
}

fn speak(folder: &Path, speed: &str, wav: &Path) -> Result<(), Box<dyn Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let words = JPreprocess::with_dictionaries(SystemDictionaryConfig::File(folder.join("dictionary")).load()?, None);
    let mut engine = Engine::load([folder.join("mei_normal.htsvoice")])?;
    engine.condition.set_speed(speed.parse()?);
    let labels = words.extract_fullcontext(text.trim())?;

    let rate = engine.condition.get_sampling_frequency();
    let models = Models::new(&labels, &engine.voices, engine.condition.get_interporation_weight());
    let states = DurationEstimator::new(models.duration(), models.nstate()).create(engine.condition.get_speed());
    let frame = engine.condition.get_fperiod() as f64 / rate as f64;
    let mut end = 0.0;
    for (label, states) in labels.iter().zip(states.chunks(models.nstate())) {
        let begin = end;
        end += states.iter().sum::<usize>() as f64 * frame;
        // A full-context label says `before^left-SOUND+right=behind/...`.
        let label = label.to_string();
        let sound =
            label.split_once('-').and_then(|(_, behind)| behind.split_once('+')).ok_or("a label without a sound")?;
        println!("{} {begin:.3} {end:.3}", sound.0);
    }

    let (channels, sample_rate, bits_per_sample) = (1, u32::try_from(rate)?, 16);
    let spec = hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format: hound::SampleFormat::Int };
    let mut file = hound::WavWriter::create(wav, spec)?;
    for sample in engine.synthesize(labels)? {
        file.write_sample(sample.clamp(-32_768.0, 32_767.0).round() as i16)?;
    }
    Ok(file.finalize()?)
}
