//! The configuration's file: where it lies, and reading it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::{Complaint, FILE_LIMIT, Origin, Settings};

/// Where hansho looks for its configuration, in this order, when it is not told.
pub const PLACES: [&str; 2] = ["sip-trunk.toml", "/etc/hansho/sip-trunk.toml"];

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No file was named and none lies where hansho looks.
    #[error("there is no configuration: looked for {}; copy sip-trunk.example.toml or name one with --config", PLACES.join(" and "))]
    NotFound,
    /// The file cannot be read.
    #[error("cannot read {}: {problem}", .file.display())]
    Unreadable {
        /// Which.
        file: PathBuf,
        /// In the operating system's words.
        problem: String,
    },
    /// The file says something that cannot be; all of it.
    #[error("{}", lines(.file, .complaints))]
    Wrong {
        /// Which.
        file: PathBuf,
        /// From its top to its end; never empty.
        complaints: Vec<Complaint>,
    },
}

/// The file that `hansho` with `--config` (or without) means.
pub fn locate(config: Option<&Path>) -> Result<PathBuf, LoadError> {
    let found = || PLACES.iter().map(PathBuf::from).find(|place| place.exists());
    config.map(Path::to_owned).or_else(found).ok_or(LoadError::NotFound)
}

/// Finds, reads and checks the configuration; gives its path with it.
pub fn load(config: Option<&Path>) -> Result<(PathBuf, Settings), LoadError> {
    let file = locate(config)?;
    let unreadable = |problem| LoadError::Unreadable { file: file.clone(), problem };
    // Absolute, so that no path in the settings depends on where somebody stands later.
    let absolute = std::path::absolute(&file).map_err(|error| unreadable(error.to_string()))?;
    let text = read_small(&absolute).map_err(unreadable)?;
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    match Settings::read(&text, &Origin { folder, read: &read_small }) {
        Ok(settings) => Ok((file, settings)),
        Err(complaints) => Err(LoadError::Wrong { file, complaints }),
    }
}

/// A text file that is not longer than a configuration may be (a pipe or a device never ends).
fn read_small(path: &Path) -> Result<String, String> {
    let mut text = Vec::new();
    let most = FILE_LIMIT as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut text));
    read.map_err(|error| error.to_string())?;
    if text.len() > FILE_LIMIT {
        return Err(format!("it is longer than {FILE_LIMIT} bytes"));
    }
    String::from_utf8(text).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("line {line} is not UTF-8")
    })
}

fn lines(file: &Path, complaints: &[Complaint]) -> String {
    let lines: Vec<String> = complaints.iter().map(|complaint| complaint.in_file(file)).collect();
    lines.join("\n")
}
