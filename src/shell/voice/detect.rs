//! Which voice programs this machine has.
//!
//! Looked at once, at start: a program installed later is found after a restart. A configured command may be
//! anything.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::maker::Program;
use crate::config::Known;

/// What open_jtalk reads of one line, less a little: it takes the first 1,023 bytes and drops the rest.
const OPEN_JTALK_BYTES: usize = 900;

/// Where to look.
pub(super) struct Places {
    /// As the variable `PATH`.
    pub path: OsString,
    /// Folders with `*.htsvoice` in them or in their own folders.
    pub voices: Vec<PathBuf>,
    /// Dictionaries of Open JTalk.
    pub dictionaries: Vec<PathBuf>,
}

impl Places {
    /// Where Linux systems keep these things, after the places given.
    pub(super) fn usual(mut voices: Vec<PathBuf>) -> Places {
        let shares = ["/usr/local/share/hts-voice", "/usr/share/hts-voice", "/usr/share/open-jtalk"];
        voices.extend(shares.map(PathBuf::from));
        let dictionaries = [
            "/var/lib/mecab/dic/open-jtalk/naist-jdic",
            "/usr/local/share/open_jtalk/dic",
            "/usr/share/open-jtalk/dic",
            "/usr/share/open_jtalk/dic",
        ];
        Places {
            path: std::env::var_os("PATH").unwrap_or_default(),
            voices,
            dictionaries: dictionaries.map(PathBuf::from).into(),
        }
    }

    /// The configured command, if it can be run.
    pub(super) fn configured(&self, command: &[String]) -> Result<Program, String> {
        let Some(name) = command.first() else {
            return Err("the configured command is empty".into());
        };
        self.program(name).ok_or_else(|| format!("the configured program `{name}` is not installed"))?;
        Ok(Program { about: name.clone(), command: command.to_vec(), piece_bytes: usize::MAX })
    }

    /// A program that hansho knows, or why it cannot speak here.
    pub(super) fn known(&self, known: Known) -> Result<Program, String> {
        match known {
            Known::Flite => self.flite(),
            Known::EspeakNg => self.espeak(),
            Known::OpenJtalk => self.open_jtalk(),
        }
    }

    fn flite(&self) -> Result<Program, String> {
        let program = self.program("flite").ok_or("flite is not installed (Debian: flite)")?;
        let arguments = ["-voice", "slt", "--setf", "duration_stretch=1.06", "-f", "{in}", "-o", "{out}"];
        Ok(voice("the voice slt", program, &arguments))
    }

    fn espeak(&self) -> Result<Program, String> {
        let program = self.program("espeak-ng").ok_or("espeak-ng is not installed (Debian: espeak-ng)")?;
        Ok(voice("en-us", program, &["-v", "en-us", "-s", "150", "-f", "{in}", "-w", "{out}"]))
    }

    fn open_jtalk(&self) -> Result<Program, String> {
        let program = self.program("open_jtalk").ok_or("open_jtalk is not installed (Debian: open-jtalk)")?;
        let dictionary = self
            .dictionaries
            .iter()
            .find(|folder| folder.join("sys.dic").is_file())
            .ok_or("open_jtalk has no dictionary (Debian: open-jtalk-mecab-naist-jdic)")?;
        let hts = self.hts_voice().ok_or_else(|| {
            let looked: Vec<String> = self.voices.iter().map(|folder| folder.display().to_string()).collect();
            format!("open_jtalk has no voice: no *.htsvoice in {}", looked.join(", "))
        })?;
        let name = format!("the voice {}", hts.file_stem().unwrap_or_default().display());
        let (dictionary, hts) = (dictionary.to_string_lossy(), hts.to_string_lossy());
        let arguments = ["-x", &dictionary, "-m", &hts, "-r", "0.97", "-ow", "{out}"];
        Ok(Program { piece_bytes: OPEN_JTALK_BYTES, ..voice(&name, program, &arguments) })
    }

    /// The voice of the recordings where it is installed, else the first by name.
    fn hts_voice(&self) -> Option<PathBuf> {
        let is_voice = |path: &PathBuf| path.extension().is_some_and(|end| end == "htsvoice") && path.is_file();
        let mut found: Vec<PathBuf> = Vec::new();
        for folder in &self.voices {
            let inside = list(folder);
            let deeper: Vec<PathBuf> = inside.iter().flat_map(|path| list(path)).collect();
            found.extend(inside.into_iter().chain(deeper).filter(is_voice));
        }
        let is_mei = |path: &&PathBuf| path.file_name().is_some_and(|name| name == "mei_normal.htsvoice");
        found.iter().find(is_mei).or_else(|| found.first()).cloned()
    }

    /// A program by name, or by path where there is a slash in it.
    fn program(&self, name: &str) -> Option<PathBuf> {
        let may_run = |path: &PathBuf| {
            path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        };
        if name.contains('/') {
            return Some(PathBuf::from(name)).filter(may_run);
        }
        std::env::split_paths(&self.path).map(|folder| folder.join(name)).find(may_run)
    }
}

fn voice(about: &str, program: PathBuf, arguments: &[&str]) -> Program {
    let mut command = vec![program.to_string_lossy().into_owned()];
    command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    Program { about: about.to_owned(), command, piece_bytes: usize::MAX }
}

/// What a folder holds, by name; nothing where it is none.
fn list(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::voice::scratch::Scratch;

    /// A machine with these programs and voices, and with a dictionary.
    fn machine(programs: &[&str], voices: &[&str]) -> (Scratch, Places) {
        let root = Scratch::new(&std::env::temp_dir()).unwrap();
        for folder in ["bin", "voices/some", "dictionary"] {
            std::fs::create_dir_all(root.path().join(folder)).unwrap();
        }
        for program in programs {
            let path = root.path().join("bin").join(program);
            std::fs::write(&path, "").unwrap();
            std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        }
        for voice in voices {
            std::fs::write(root.path().join("voices/some").join(voice), "").unwrap();
        }
        std::fs::write(root.path().join("dictionary/sys.dic"), "").unwrap();
        let places = Places {
            path: root.path().join("bin").into(),
            voices: vec![root.path().join("nowhere"), root.path().join("voices")],
            dictionaries: vec![root.path().join("nowhere"), root.path().join("dictionary")],
        };
        (root, places)
    }

    #[test]
    fn each_english_program_is_found_or_named_with_its_package() {
        let (_root, both) = machine(&["flite", "espeak-ng"], &[]);
        assert_eq!(both.known(Known::Flite).unwrap().about, "the voice slt");
        assert!(both.known(Known::EspeakNg).unwrap().command[0].ends_with("/espeak-ng"));
        let (_root, none) = machine(&[], &[]);
        assert!(none.known(Known::Flite).unwrap_err().contains("Debian: flite"));
        assert!(none.known(Known::EspeakNg).unwrap_err().contains("Debian: espeak-ng"));
    }

    #[test]
    fn japanese_needs_open_jtalk_its_dictionary_and_a_voice_and_says_which_is_missing() {
        let (_root, none) = machine(&["espeak-ng"], &["a.htsvoice"]);
        assert!(none.known(Known::OpenJtalk).unwrap_err().contains("open_jtalk is not installed"));
        let (_root, mut places) = machine(&["open_jtalk"], &["a.htsvoice"]);
        assert!(places.known(Known::OpenJtalk).unwrap().about.ends_with("the voice a"));
        places.dictionaries.pop();
        assert!(places.known(Known::OpenJtalk).unwrap_err().contains("no dictionary"));
        let (_root, mute) = machine(&["open_jtalk"], &["readme.txt"]);
        assert!(mute.known(Known::OpenJtalk).unwrap_err().contains("no *.htsvoice in"));
    }

    #[test]
    fn the_voice_of_the_recordings_is_preferred() {
        let (_root, places) = machine(&["open_jtalk"], &["a.htsvoice", "mei_normal.htsvoice"]);
        assert!(places.known(Known::OpenJtalk).unwrap().about.ends_with("the voice mei_normal"));
    }

    #[test]
    fn a_configured_command_must_exist() {
        let (_root, places) = machine(&["talk"], &[]);
        let configured =
            |words: &[&str]| places.configured(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>());
        assert_eq!(configured(&["talk", "-o", "{out}"]).unwrap().about, "talk");
        assert!(configured(&["sing", "{out}"]).unwrap_err().contains("`sing` is not installed"));
        assert!(configured(&["/nowhere/talk", "{out}"]).unwrap_err().contains("not installed"));
        assert!(configured(&[]).unwrap_err().contains("empty"));
    }

    #[test]
    fn a_file_that_may_not_be_run_is_no_program() {
        let (root, places) = machine(&["flite"], &[]);
        std::fs::set_permissions(root.path().join("bin/flite"), PermissionsExt::from_mode(0o644)).unwrap();
        assert!(places.known(Known::Flite).is_err());
    }
}
