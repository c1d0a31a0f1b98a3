//! Writes the dictionary of the embedded voice: `voice-dictionary CSV_FOLDER NEW_FOLDER`.
//!
//! A program of this repository and not the library's own tool, because a dictionary is read only by the version that
//! wrote it: so both stand in one Cargo.lock. `tools/voice` runs it.

use std::path::PathBuf;
use std::process::ExitCode;

use jpreprocess_dictionary::dictionary::to_dict::JPreprocessDictionaryBuilder;

fn main() -> ExitCode {
    let folders: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [from, to] = folders.as_slice() else {
        eprintln!("voice-dictionary: two folders are wanted: that of the CSV files, and the one to be written");
        return ExitCode::from(2);
    };
    match JPreprocessDictionaryBuilder::default().build_dictionary(from, to) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("voice-dictionary: {}: {error}", from.display());
            ExitCode::FAILURE
        }
    }
}
