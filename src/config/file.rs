//! The configuration's file: where it lies, and reading it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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

/// Finds, reads and checks the configuration; gives its path with it. That the files of sounds are there is
/// checked, not what is in them.
pub fn load(config: Option<&Path>) -> Result<(PathBuf, Settings), LoadError> {
    load_with(config, &opens)
}

/// As [`load`], where `sound` says what is wrong with a file of sound.
pub fn load_with(
    config: Option<&Path>,
    sound: &dyn Fn(&Path) -> Result<(), String>,
) -> Result<(PathBuf, Settings), LoadError> {
    let file = locate(config)?;
    let unreadable = |problem| LoadError::Unreadable { file: file.clone(), problem };
    // Absolute, so that no path in the settings depends on where somebody stands later.
    let absolute = std::path::absolute(&file).map_err(|error| unreadable(error.to_string()))?;
    let text = read_small(&absolute).map_err(unreadable)?;
    let folder = absolute.parent().unwrap_or(Path::new("/"));
    match Settings::read(&text, &Origin { folder, read: &read_small, opens: sound }) {
        Ok(settings) => {
            let source = Arc::new(settings.source.named(&file));
            Ok((file, Settings { source, ..settings }))
        }
        Err(complaints) => Err(LoadError::Wrong { file, complaints }),
    }
}

/// A text file that is not longer than a configuration may be (a pipe or a device never ends).
pub(super) fn read_small(path: &Path) -> Result<String, String> {
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

fn opens(path: &Path) -> Result<(), String> {
    let about = File::open(path).and_then(|file| file.metadata()).map_err(|error| error.to_string())?;
    if about.is_file() { Ok(()) } else { Err("it is no file".to_owned()) }
}

fn lines(file: &Path, complaints: &[Complaint]) -> String {
    let lines: Vec<String> = complaints.iter().map(|complaint| complaint.in_file(file)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file that goes away with the test, in a folder of its own.
    struct Written(PathBuf);

    impl Written {
        fn new(name: &str, bytes: &[u8]) -> Written {
            let folder = std::env::temp_dir().join(format!("hansho-config-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(folder.join("sip-trunk.toml"), bytes).unwrap();
            Written(folder)
        }

        fn load(&self) -> Result<(PathBuf, Settings), LoadError> {
            load(Some(&self.0.join("sip-trunk.toml")))
        }
    }

    impl Drop for Written {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    const EXAMPLE: &[u8] = include_bytes!("../../sip-trunk.example.toml");

    #[test]
    fn the_example_loads_and_its_data_lies_beside_it() {
        let written = Written::new("example", EXAMPLE);
        let (_, settings) = written.load().unwrap();
        assert_eq!(settings.journal, written.0.join("hansho-data/hansho.db"));
    }

    #[test]
    fn files_it_names_are_read_from_its_own_folder() {
        let mut text = String::from_utf8(EXAMPLE.to_vec()).unwrap();
        text = text.replace("password = \"change me\"", "password_file = \"secret\"");
        text.push_str("[[room]]\nid = \"war\"\nhold_music = \"music.wav\"\n");
        let written = Written::new("beside", text.as_bytes());
        let error = written.load().unwrap_err().to_string();
        let lines: Vec<&str> = error.lines().collect();
        assert_eq!(lines.len(), 2, "{error}");
        assert!(lines[0].contains("sip-trunk.toml:") && lines[0].contains("/secret: No such file"), "{error}");
        assert!(lines[1].contains("room[1].hold_music") && lines[1].contains("/music.wav: No such file"), "{error}");
        std::fs::write(written.0.join("secret"), "tiger\n").unwrap();
        std::fs::write(written.0.join("music.wav"), "RIFF").unwrap();
        let (_, settings) = written.load().unwrap();
        assert_eq!(settings.trunks[0].password.reveal(), "tiger");
    }

    #[test]
    fn a_file_that_is_absent_is_a_folder_or_is_no_text_is_named() {
        let absent = load(Some(Path::new("/nonexistent/sip-trunk.toml"))).unwrap_err().to_string();
        assert!(absent.starts_with("cannot read /nonexistent/sip-trunk.toml: No such file"), "{absent}");
        let folder = load(Some(&std::env::temp_dir())).unwrap_err();
        assert!(matches!(folder, LoadError::Unreadable { .. }), "{folder}");
        let latin = Written::new("latin", b"[node]\nname = \"caf\xe9\"\n").load().unwrap_err().to_string();
        assert!(latin.ends_with("line 2 is not UTF-8"), "{latin}");
    }

    #[test]
    fn a_file_without_end_is_not_read_to_its_end() {
        let endless = load(Some(Path::new("/dev/zero"))).unwrap_err().to_string();
        assert!(endless.contains("longer than"), "{endless}");
    }
}
