//! What was spoken once and is kept: some of it in memory, more of it on the disk.
//!
//! A file is named after the SHA-256 of all that its sound depends on, and holds a checksum of its samples: a file that
//! is cut short, changed or somebody else's is a miss and is written anew. What was not heard for longest goes first.
//! A disk that is full or away costs synthesis and nothing else.
//!
//! Easy to get wrong: a file is written beside its place and then renamed, or a crash would leave half a sentence.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use sha2::{Digest as _, Sha256};

use crate::base::hex;
use crate::media::Prompt;

/// Raised when the same text would come out differently: filter, level, format of the file.
const VERSION: &str = "1";
/// What stands in front of the checksum and the samples.
const MAGIC: &[u8; 8] = b"hansho\x01\n";
const HEAD: usize = MAGIC.len() + 32;
/// In memory: five minutes of speech where a disk holds more, half an hour where none does; in samples.
const BESIDE_DISK: usize = 5 * 60 * crate::media::SAMPLE_RATE as usize;
const ALONE: usize = 30 * 60 * crate::media::SAMPLE_RATE as usize;
/// No file is read that is larger: ten minutes of speech.
const LARGEST: u64 = 16 << 20;

/// The name of one spoken text: SHA-256 in hexadecimal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Key(String);

impl Key {
    /// `voice`: everything that makes the voice itself.
    pub(super) fn new(voice: &str, language: &str, text: &str) -> Key {
        let mut hash = Sha256::new();
        for part in [VERSION, voice, language, text] {
            hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            hash.update(part);
        }
        Key(hex(&hash.finalize()))
    }
}

/// Spoken texts by key.
#[derive(Debug)]
pub(super) struct Cache {
    memory: Mutex<Memory>,
    disk: Option<Disk>,
}

#[derive(Debug, Default)]
struct Memory {
    /// With when they were last heard, counted in hearings.
    prompts: BTreeMap<Key, (u64, Prompt)>,
    samples: usize,
    most: usize,
    heard: u64,
}

#[derive(Debug)]
struct Disk {
    folder: PathBuf,
    most: u64,
    /// How many bytes lie there.
    bytes: Mutex<u64>,
}

impl Cache {
    /// `folder` with at most so many bytes; 0: in memory only.
    pub(super) fn open(folder: &Path, most: u64) -> Cache {
        let disk = (most > 0).then(|| {
            let bytes = files(folder).iter().map(|file| file.bytes).sum();
            Disk { folder: folder.to_owned(), most, bytes: Mutex::new(bytes) }
        });
        let most = if disk.is_some() { BESIDE_DISK } else { ALONE };
        Cache { memory: Mutex::new(Memory { most, ..Memory::default() }), disk }
    }

    /// From memory alone: at once.
    pub(super) fn remembered(&self, key: &Key) -> Option<Prompt> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).get(key)
    }

    /// From the disk, into memory as well. Blocks.
    pub(super) fn find(&self, key: &Key) -> Option<Prompt> {
        let prompt = self.disk.as_ref()?.read(key)?;
        self.remember(key, &prompt);
        Some(prompt)
    }

    /// Keeps it in memory.
    pub(super) fn remember(&self, key: &Key, prompt: &Prompt) {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).put(key.clone(), prompt.clone());
    }

    /// Keeps it on the disk. Blocks.
    pub(super) fn keep(&self, key: &Key, prompt: &Prompt) -> std::io::Result<()> {
        self.disk.as_ref().map_or(Ok(()), |disk| disk.write(key, prompt))
    }
}

impl Memory {
    fn get(&mut self, key: &Key) -> Option<Prompt> {
        self.heard += 1;
        let (heard, prompt) = self.prompts.get_mut(key)?;
        *heard = self.heard;
        Some(prompt.clone())
    }

    fn put(&mut self, key: Key, prompt: Prompt) {
        self.heard += 1;
        self.samples += prompt.len();
        if let Some((_, old)) = self.prompts.insert(key, (self.heard, prompt)) {
            self.samples -= old.len();
        }
        while self.samples > self.most {
            let oldest = self.prompts.iter().min_by_key(|(_, (heard, _))| *heard).map(|(key, _)| key.clone());
            let Some((_, gone)) = oldest.and_then(|key| self.prompts.remove(&key)) else { break };
            self.samples -= gone.len();
        }
    }
}

impl Disk {
    fn path(&self, key: &Key) -> PathBuf {
        self.folder.join(&key.0)
    }

    fn read(&self, key: &Key) -> Option<Prompt> {
        let path = self.path(key);
        let mut bytes = Vec::new();
        let mut file = File::open(&path).ok()?;
        (&mut file).take(LARGEST).read_to_end(&mut bytes).ok()?;
        let (head, samples) = bytes.split_at_checked(HEAD)?;
        let (magic, sum) = head.split_at_checked(MAGIC.len())?;
        let (pairs, odd) = samples.as_chunks::<2>();
        if magic != MAGIC || sum != Sha256::digest(samples).as_slice() || pairs.is_empty() || !odd.is_empty() {
            return None;
        }
        // When it was last heard; without it, it goes a little earlier.
        let _ = file.set_modified(SystemTime::now());
        Some(pairs.iter().map(|pair| i16::from_le_bytes(*pair)).collect())
    }

    fn write(&self, key: &Key, prompt: &Prompt) -> std::io::Result<()> {
        let samples: Vec<u8> = prompt.iter().flat_map(|sample| sample.to_le_bytes()).collect();
        fs::create_dir_all(&self.folder)?;
        let path = self.path(key);
        let beside = self.folder.join(format!("{}.{}.new", key.0, std::process::id()));
        let written = File::create(&beside).and_then(|mut file| {
            file.write_all(MAGIC)?;
            file.write_all(Sha256::digest(&samples).as_slice())?;
            file.write_all(&samples)
        });
        let before = path.metadata().map(|about| about.len()).unwrap_or_default();
        if let Err(error) = written.and_then(|()| fs::rename(&beside, &path)) {
            // What cannot be written can perhaps not be removed either; the next start counts it.
            let _ = fs::remove_file(&beside);
            return Err(error);
        }
        let length = u64::try_from(HEAD + samples.len()).unwrap_or(u64::MAX);
        let mut bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        *bytes = bytes.saturating_add(length).saturating_sub(before);
        if *bytes > self.most {
            *bytes = self.shrink();
        }
        Ok(())
    }

    /// Removes what was not heard for longest until a tenth is free; gives what is left.
    fn shrink(&self) -> u64 {
        let mut files = files(&self.folder);
        files.sort_by_key(|file| file.heard);
        let mut left: u64 = files.iter().map(|file| file.bytes).sum();
        for file in files {
            if left <= self.most / 10 * 9 {
                break;
            }
            if fs::remove_file(&file.path).is_ok() {
                left = left.saturating_sub(file.bytes);
            }
        }
        left
    }
}

struct Kept {
    path: PathBuf,
    bytes: u64,
    heard: SystemTime,
}

/// What lies in the folder and is ours: names of hexadecimal digits, and what a crash left beside them.
fn files(folder: &Path) -> Vec<Kept> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let ours = |name: &str| name.len() >= 64 && name.bytes().take(64).all(|byte| byte.is_ascii_hexdigit());
    let read = |entry: fs::DirEntry| {
        let about = entry.metadata().ok().filter(|about| about.is_file())?;
        ours(&entry.file_name().to_string_lossy()).then_some(())?;
        let heard = about.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        Some(Kept { path: entry.path(), bytes: about.len(), heard })
    };
    entries.flatten().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::voice::scratch::Scratch;
    use std::time::Duration;

    fn prompt(first: i16) -> Prompt {
        (0..1_000).map(|i| first + i).collect()
    }

    fn key(text: &str) -> Key {
        Key::new("v", "ja", text)
    }

    #[test]
    fn what_was_kept_is_found_again_by_another_life() {
        let root = Scratch::new(&std::env::temp_dir()).unwrap();
        let cache = Cache::open(root.path(), 1 << 20);
        cache.keep(&key("a"), &prompt(1)).unwrap();
        cache.remember(&key("a"), &prompt(1));
        assert_eq!(cache.remembered(&key("a")), Some(prompt(1)));
        let next = Cache::open(root.path(), 1 << 20);
        assert_eq!(next.remembered(&key("a")), None);
        assert_eq!(next.find(&key("a")), Some(prompt(1)));
        assert_eq!(next.remembered(&key("a")), Some(prompt(1)));
        assert_eq!(next.find(&key("b")), None);
    }

    #[test]
    fn the_key_holds_the_voice_the_language_and_the_text_apart() {
        let keys = [("v", "ja", "a"), ("w", "ja", "a"), ("v", "en", "a"), ("v", "ja", "b"), ("vja", "", "a")];
        let keys: std::collections::BTreeSet<Key> =
            keys.into_iter().map(|(voice, language, text)| Key::new(voice, language, text)).collect();
        assert_eq!(keys.len(), 5);
    }

    #[test]
    fn a_damaged_file_is_a_miss_and_is_written_anew() {
        let root = Scratch::new(&std::env::temp_dir()).unwrap();
        let (cache, name) = (Cache::open(root.path(), 1 << 20), root.path().join(&key("a").0));
        cache.keep(&key("a"), &prompt(1)).unwrap();
        let whole = fs::read(&name).unwrap();
        for length in [0, 7, HEAD - 1, HEAD, HEAD + 1, whole.len() - 2] {
            fs::write(&name, &whole[..length]).unwrap();
            assert_eq!(cache.find(&key("a")), None, "{length} bytes");
        }
        let mut changed = whole.clone();
        changed[500] ^= 1;
        fs::write(&name, changed).unwrap();
        assert_eq!(cache.find(&key("a")), None);
        cache.keep(&key("a"), &prompt(1)).unwrap();
        assert_eq!(Cache::open(root.path(), 1 << 20).find(&key("a")), Some(prompt(1)));
    }

    #[test]
    fn what_was_not_heard_for_longest_goes_first_and_nothing_foreign_goes() {
        let root = Scratch::new(&std::env::temp_dir()).unwrap();
        fs::write(root.path().join("notes.txt"), vec![0; 30_000]).unwrap();
        let cache = Cache::open(root.path(), 7_000);
        for (age, text) in [(300, "a"), (200, "b"), (100, "c")] {
            cache.keep(&key(text), &prompt(1)).unwrap();
            let file = File::options().write(true).open(root.path().join(&key(text).0)).unwrap();
            file.set_modified(SystemTime::now() - Duration::from_secs(age)).unwrap();
        }
        assert!(cache.find(&key("a")).is_some(), "heard again: it is the youngest now");
        cache.keep(&key("d"), &prompt(1)).unwrap();
        let left = |text: &str| root.path().join(&key(text).0).exists();
        assert_eq!((left("a"), left("b"), left("c"), left("d")), (true, false, true, true));
        assert!(root.path().join("notes.txt").exists());
    }

    #[test]
    fn memory_is_bounded_too() {
        let mut memory = Memory { most: ALONE, ..Memory::default() };
        let long: Prompt = vec![0; ALONE / 2].into();
        for text in ["a", "b"] {
            memory.put(key(text), long.clone());
        }
        assert!(memory.get(&key("a")).is_some());
        memory.put(key("c"), long);
        assert!(memory.get(&key("a")).is_some() && memory.get(&key("b")).is_none());
        assert!(memory.samples <= ALONE);
    }

    #[test]
    fn a_disk_that_takes_nothing_costs_only_the_disk() {
        let root = Scratch::new(&std::env::temp_dir()).unwrap();
        fs::write(root.path().join("file"), "").unwrap();
        let cache = Cache::open(&root.path().join("file/folder"), 1 << 20);
        cache.remember(&key("a"), &prompt(1));
        assert!(cache.keep(&key("a"), &prompt(1)).is_err());
        assert_eq!(cache.remembered(&key("a")), Some(prompt(1)));
    }
}
