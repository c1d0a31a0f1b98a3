//! The recordings inside the binary, decoded once at start.

use rust_embed::RustEmbed;
use std::io;
use std::path::Path;

use crate::media::Prompt;
use crate::shell::wav::{WavError, WavFault, WavLimits, decode_wav, read_wav};
use crate::switch::PromptBook;

/// The folder `prompts/` as it was when hansho was built.
#[derive(RustEmbed)]
#[folder = "prompts/"]
struct Recordings;

/// Every recorded prompt and the hold music. An error names the file; it can only come from a build with
/// recordings of one's own that are missing or no WAV files.
pub fn load_prompts() -> Result<PromptBook, WavError> {
    load_prompts_from(None)
}

/// The same, where a file in the operator's own folder takes the place of hansho's of the same name.
pub fn load_prompts_from(own: Option<&Path>) -> Result<PromptBook, WavError> {
    let read = |name: &str| match own.map(|folder| folder.join(name)).filter(|path| path.exists()) {
        Some(path) => read_wav(&path, WavLimits::FILE).map(Prompt::from),
        None => decode(name),
    };
    let hold_music = read("hold-music.wav")?;
    PromptBook::gather(|language, clip| read(&format!("{language}/{}.wav", clip.name())), hold_music)
}

fn decode(name: &str) -> Result<Prompt, WavError> {
    let missing = || WavFault::Io(io::ErrorKind::NotFound.into());
    Recordings::get(name)
        .ok_or_else(missing)
        .and_then(|file| decode_wav(&file.data, WavLimits::FILE))
        .map(Prompt::from)
        .map_err(|fault| WavError { path: Path::new("prompts").join(name), fault })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Language;
    use crate::media::SAMPLE_RATE;
    use crate::shell::voice::active_dbm0;
    use crate::switch::Clip;

    fn seconds(prompt: &Prompt) -> f32 {
        prompt.len() as f32 / SAMPLE_RATE as f32
    }

    #[test]
    fn every_clip_is_recorded_in_every_language_and_as_loud_as_the_others() {
        let book = load_prompts().unwrap();
        for language in Language::ALL {
            for clip in Clip::all() {
                let prompt = book.clip(language, clip);
                let (length, level) = (seconds(&prompt), active_dbm0(&prompt));
                assert!((0.25..=8.0).contains(&length), "{language} {clip:?} lasts {length} s");
                assert!((-23.0..=-14.0).contains(&level), "{language} {clip:?} stands at {level} dBm0");
                assert!(prompt.iter().all(|s| s.abs() < 30_000), "{language} {clip:?} clips");
            }
        }
    }

    #[test]
    fn a_file_of_ones_own_takes_the_place_of_the_one_of_its_name() {
        let folder = crate::shell::voice::scratch::Scratch::new(&std::env::temp_dir()).unwrap();
        std::fs::create_dir(folder.path().join("ja")).unwrap();
        let own = folder.path().join("ja/taken.wav");
        crate::shell::wav::write_wav(&own, 8_000, &[1_000; 4_000]).unwrap();
        let (book, usual) = (load_prompts_from(Some(folder.path())).unwrap(), load_prompts().unwrap());
        assert_eq!(*book.clip(Language::Ja, Clip::Taken), [1_000; 4_000]);
        assert_eq!(book.clip(Language::En, Clip::Taken), usual.clip(Language::En, Clip::Taken));
        std::fs::write(&own, "no sound").unwrap();
        assert!(load_prompts_from(Some(folder.path())).unwrap_err().to_string().contains("ja/taken.wav"));
    }

    #[test]
    fn a_sentence_begins_soon_and_ends_with_a_pause() {
        let book = load_prompts().unwrap();
        for language in Language::ALL {
            let prompt = book.clip(language, Clip::Taken);
            let first = prompt.iter().position(|s| s.abs() > 300).unwrap();
            let last = prompt.iter().rposition(|s| s.abs() > 300).unwrap();
            assert!(first < 1_200, "{language}: the first sound is {first} samples in");
            assert!((2_000..5_000).contains(&(prompt.len() - last)), "{language}: {} samples", prompt.len() - last);
        }
    }

    #[test]
    fn the_hold_music_lasts_and_its_end_meets_its_beginning() {
        let music = load_prompts().unwrap().hold_music();
        assert!((20.0..=30.0).contains(&seconds(&music)));
        let widest = music.windows(2).map(|w| i32::from(w[1]).abs_diff(i32::from(w[0]))).max().unwrap();
        let seam = i32::from(music[0]).abs_diff(i32::from(music[music.len() - 1]));
        assert!(seam <= widest, "the seam jumps by {seam}, the music by {widest} at most");
    }
}
