//! The rules of the house, read from the source itself: floors, sizes, panics, citations, words.
//!
//! What Cargo cannot forbid is forbidden here. No dependency, and nothing clever: every rule reads lines.
//! A rule that fails names the file and the line.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which floor a folder of `src` stands on. A folder may import lower floors only, and itself.
const FLOORS: &[(&str, u8)] = &[
    ("base", 0),
    ("wire", 1),
    ("audio", 1),
    ("sip", 2),
    ("media", 2),
    ("incident", 2),
    ("intake", 2),
    ("phrase", 2),
    ("switch", 3),
    ("config", 4),
    ("store", 4),
    ("shell", 5),
    ("rig", 6),
    ("cli", 7),
];

/// The highest floor of the core, which touches nothing of the world.
const CORE: u8 = 3;

/// Words that have no place in the core, outside its tests.
const WORLDLY: &[&str] = &[
    "tokio",
    "tracing",
    "socket2",
    "rusqlite",
    "UdpSocket",
    "TcpStream",
    "TcpListener",
    "Instant",
    "SystemTime",
    "Mutex",
    "RwLock",
    "std::thread",
    "std::fs",
    "std::process",
    "std::env",
    "println!",
    "eprintln!",
];

/// No file is longer; when one grows past this, look for its second role.
const LINES_MAX: usize = 500;

#[test]
fn a_lower_floor_never_imports_an_upper_one_nor_a_neighbour() {
    let mut wrong = Vec::new();
    for file in sources("src") {
        let Some((folder, floor)) = home(&file) else { continue };
        for (number, line) in file.code() {
            for named in words_after(line, "crate::") {
                let at = format!("{}:{number}", file.name());
                match floor_of(&named) {
                    None if named.is_empty() => wrong.push(format!("{at}: one folder per `use crate::` line")),
                    None => wrong.push(format!("{at}: `crate::{named}` is no folder of the floor list")),
                    Some(theirs) if named != folder && theirs >= floor => {
                        wrong.push(format!("{at}: {folder} (floor {floor}) imports {named} (floor {theirs})"));
                    }
                    Some(_) => {}
                }
            }
        }
    }
    none(&wrong);
}

#[test]
fn every_folder_of_the_source_stands_on_a_floor() {
    let unknown: Vec<String> = fs::read_dir(root().join("src"))
        .expect("src can be read")
        .map(|entry| entry.expect("src can be read").path())
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("a folder has a name").to_string_lossy().into_owned())
        .filter(|folder| floor_of(folder).is_none())
        .collect();
    none(&unknown);
}

#[test]
fn nobody_climbs_two_modules_up() {
    let climbs = |line: &str| line.contains("super::super");
    none(&lines_where("src", |file, line, _| climbs(line) && file.code_line(line)));
}

#[test]
fn nothing_shipped_unwraps() {
    let tests = test_files();
    let unwraps = |line: &str| line.contains(".unwrap()") || line.contains(".unwrap_err()");
    none(&lines_where("src", |file, line, shipped| shipped && !tests.contains(&file.path) && unwraps(line)));
}

#[test]
fn the_core_touches_nothing_of_the_world() {
    let tests = test_files();
    let is_core = |file: &Source| home(file).is_some_and(|(_, floor)| floor <= CORE);
    let worldly = |line: &str| WORLDLY.iter().any(|word| says(line, word));
    let touches = |file: &Source, line: &str, shipped: bool| {
        shipped && worldly(line) && is_core(file) && !tests.contains(&file.path)
    };
    none(&lines_where("src", touches));
}

#[test]
fn no_file_is_longer_than_five_hundred_lines() {
    let long: Vec<String> = ["src", "tests", "benches"]
        .into_iter()
        .flat_map(sources)
        .map(|file| (file.text.lines().count(), file))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, file)| format!("{}: {lines} lines", file.name()))
        .collect();
    none(&long);
}

#[test]
fn every_module_starts_by_saying_what_it_is_for() {
    let tests = test_files();
    let silent: Vec<String> = sources("src")
        .into_iter()
        .filter(|file| !tests.contains(&file.path) && !file.text.starts_with("//!"))
        .map(|file| file.name())
        .collect();
    none(&silent);
}

#[test]
fn every_cited_rfc_is_listed_and_every_claim_is_cited() {
    let claims = claims();
    let mut cited: BTreeMap<u32, String> = BTreeMap::new();
    let mut places: BTreeSet<(u32, String)> = BTreeSet::new();
    for file in sources("src") {
        for (number, line) in file.text.lines().enumerate() {
            for rfc in rfcs(line) {
                cited.entry(rfc).or_insert_with(|| format!("{}:{}", file.name(), number + 1));
                places.insert((rfc, file.name()));
            }
        }
    }
    let unlisted = cited
        .iter()
        .filter(|(rfc, _)| !claims.contains_key(rfc))
        .map(|(rfc, at)| format!("{at} cites RFC {rfc}, which docs/rfc.md does not list"));
    let empty = claims
        .iter()
        .filter(|(rfc, claim)| claim.done != "no" && !places.contains(&(**rfc, claim.place.clone())))
        .map(|(rfc, claim)| format!("docs/rfc.md: `{}` does not cite RFC {rfc}", claim.place));
    none(&unlisted.chain(empty).collect::<Vec<_>>());
}

#[test]
fn every_word_that_events_and_tables_use_is_in_the_glossary() {
    let glossary = read("docs/words.md");
    let facts = read("src/incident/fact.rs");
    let words: Vec<&str> = facts.lines().filter_map(|line| line.split_once("=> \"")?.1.split('"').next()).collect();
    assert!(words.contains(&"no_answer"), "the outcomes are read from src/incident/fact.rs");
    let missing: Vec<String> = words
        .into_iter()
        .filter(|word| !glossary.contains(&format!("`{word}`")))
        .map(|word| format!("docs/words.md does not explain `{word}`"))
        .collect();
    none(&missing);
}

#[test]
fn every_error_code_of_the_control_socket_is_in_its_document() {
    let told = read("docs/control.md");
    let mut codes = BTreeSet::new();
    // What HTTP alone answers stands in its own document.
    for file in sources("src/shell").iter().filter(|file| !file.name().starts_with("src/shell/http/")) {
        let code = |(_, line): (usize, &str)| Some(line.split_once("Failure::new(\"")?.1.split('"').next()?.to_owned());
        codes.extend(file.code().filter_map(code));
    }
    assert!(codes.contains("not_stored"), "the codes are read from src/shell");
    let missing = codes.iter().filter(|code| !told.contains(&format!("`{code}`")));
    none(&missing.map(|code| format!("docs/control.md does not list `{code}`")).collect::<Vec<_>>());
}

/// A source file, with what the rules ask of it.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    /// The path as a person writes it.
    fn name(&self) -> String {
        self.path.strip_prefix(root()).unwrap_or(&self.path).display().to_string()
    }

    /// Lines that are not comments, numbered from 1.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text.lines().enumerate().map(|(n, line)| (n + 1, line)).filter(|(_, line)| self.code_line(line))
    }

    fn code_line(&self, line: &str) -> bool {
        !line.trim_start().starts_with("//")
    }

    /// The number of the line where the tests at the foot begin; past the end when there are none.
    fn shipped_lines(&self) -> usize {
        let lines: Vec<&str> = self.text.lines().collect();
        let inline = |pair: &[&str]| pair[0].trim() == "#[cfg(test)]" && pair[1].starts_with("mod ");
        lines.windows(2).position(|pair| inline(pair) && pair[1].ends_with('{')).map_or(usize::MAX, |at| at + 1)
    }
}

/// Every `.rs` file under a folder of the repository; none when the folder is not there.
fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(next) = open.pop() {
        let Ok(entries) = fs::read_dir(&next) else { continue };
        for path in entries.map(|entry| entry.expect("a folder can be listed").path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") {
                let text = fs::read_to_string(&path).expect("a source file is UTF-8");
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// Files that are only compiled for tests: those named by `#[cfg(test)] mod name;`, and all below them.
fn test_files() -> BTreeSet<PathBuf> {
    let files = sources("src");
    let mut tests = BTreeSet::new();
    for file in &files {
        let lines: Vec<&str> = file.text.lines().collect();
        for pair in lines.windows(2).filter(|pair| pair[0].trim() == "#[cfg(test)]") {
            let declared = pair[1].trim().rsplit_once("mod ").map(|(_, rest)| rest);
            let Some(module) = declared.and_then(|rest| rest.strip_suffix(';')) else { continue };
            let folder = match file.path.file_stem() {
                Some(stem) if stem == "mod" || stem == "lib" => file.path.with_file_name(""),
                _ => file.path.with_extension(""),
            };
            let below = folder.join(module);
            let belongs = |path: &Path| path == below.with_extension("rs") || path.starts_with(&below);
            tests.extend(files.iter().map(|file| file.path.clone()).filter(|path| belongs(path)));
        }
    }
    tests
}

/// The folder of `src` a file lives in, and its floor.
fn home(file: &Source) -> Option<(String, u8)> {
    let inside = file.path.strip_prefix(root().join("src")).ok()?;
    let folder = inside.components().next()?.as_os_str().to_string_lossy().into_owned();
    floor_of(&folder).map(|floor| (folder, floor))
}

fn floor_of(folder: &str) -> Option<u8> {
    FLOORS.iter().find(|(name, _)| *name == folder).map(|(_, floor)| *floor)
}

/// `path:line` of every line for which the rule holds; it is told whether the line is above the tests.
fn lines_where(folder: &str, rule: impl Fn(&Source, &str, bool) -> bool) -> Vec<String> {
    let mut found = Vec::new();
    for file in sources(folder) {
        let shipped = file.shipped_lines();
        for (number, line) in file.code() {
            if rule(&file, line, number < shipped) {
                found.push(format!("{}:{number}: {}", file.name(), line.trim()));
            }
        }
    }
    found
}

/// The identifier behind each `mark` of the line; empty where none follows.
fn words_after(line: &str, mark: &str) -> Vec<String> {
    let starts = line.match_indices(mark).filter(|(at, _)| !line[..*at].ends_with(is_word));
    starts.map(|(at, _)| line[at + mark.len()..].chars().take_while(|c| is_word(*c)).collect()).collect()
}

/// Does the line say this word as a whole word?
fn says(line: &str, word: &str) -> bool {
    line.match_indices(word)
        .any(|(at, _)| !line[..at].ends_with(is_word) && !line[at + word.len()..].starts_with(is_word))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The numbers behind each `RFC ` of the line, and those joined to it: `RFC 7616, 8760`.
fn rfcs(line: &str) -> Vec<u32> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("RFC ") {
        let list = line[at + 4..].split(", ").map(|item| item.split(|c: char| !c.is_ascii_digit()).next());
        let numbers = list.map_while(|digits| digits.filter(|d| d.len() == 4).and_then(|d| d.parse::<u32>().ok()));
        found.extend(numbers);
    }
    found
}

/// A row of docs/rfc.md.
struct Claim {
    /// `yes`, `partly` or `no`.
    done: String,
    /// The source file to begin reading at.
    place: String,
}

/// The table of docs/rfc.md, by number.
fn claims() -> BTreeMap<u32, Claim> {
    let mut claims = BTreeMap::new();
    for line in read("docs/rfc.md").lines().filter(|line| line.starts_with("| ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Some(rfc) = cells[0].parse().ok() else { continue };
        assert!(cells.len() == 5, "docs/rfc.md: five cells a row: {line}");
        assert!(["yes", "partly", "no"].contains(&cells[2]), "docs/rfc.md: yes, partly or no: {line}");
        assert!(cells[2] != "partly" || !cells[4].is_empty(), "docs/rfc.md: partly says what is missing: {line}");
        let claim = Claim { done: cells[2].to_owned(), place: cells[3].to_owned() };
        assert!(claims.insert(rfc, claim).is_none(), "docs/rfc.md: RFC {rfc} is listed once");
    }
    assert!(!claims.is_empty(), "docs/rfc.md holds a table");
    claims
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn none(wrong: &[String]) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_readers_of_this_file_read_what_they_should() {
    assert_eq!(rfcs("RFC 7616, 8760 and RFC 3261 §17.1, 2"), [7616, 8760, 3261]);
    assert_eq!(words_after("use crate::base::Time; x(crate::wire::sip)", "crate::"), ["base", "wire"]);
    assert_eq!(words_after("use crate::{a, b};", "crate::"), [""]);
    assert!(says("let at = Instant::now();", "Instant") && !says("InstantNoodle", "Instant"));
    let source = |text: &str| Source { path: PathBuf::new(), text: text.to_owned() };
    assert_eq!(source("a\n#[cfg(test)]\nmod tests {\n}\n").shipped_lines(), 2);
    assert_eq!(source("a\n#[cfg(test)]\nmod tests;\nb\n").shipped_lines(), usize::MAX);
}
