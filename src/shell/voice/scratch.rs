//! A folder of one's own that goes away with its owner.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// What the folders' names begin with; the process's id and a number follow.
const NAME: &str = "hansho-voice-";

/// Removes the folders of processes that were killed: what was to be spoken lies in them, or what a selftest tried.
pub(in crate::shell) fn sweep(parent: &Path) {
    let Ok(entries) = std::fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| name.strip_prefix(NAME)?.split('-').next()?.parse::<u32>().ok());
        if owner.is_some_and(|owner| !Path::new("/proc").join(owner.to_string()).exists()) {
            // One that stays is found again at the next start.
            let _ = std::fs::remove_dir_all(entry.path());
        }
    }
}

/// A private folder (mode 0700), removed with everything in it when dropped.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    /// Makes a new folder in `parent`. A name that is taken, by us or by a stranger, is never reused.
    pub(crate) fn new(parent: &Path) -> io::Result<Scratch> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        loop {
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = parent.join(format!("{NAME}{}-{count}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Scratch(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => (),
                Err(error) => return Err(error),
            }
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is left to the system's cleaner of temporary files.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_process_left_is_swept_and_what_is_in_use_stays() {
        let parent = Scratch::new(&std::env::temp_dir()).unwrap();
        let own = Scratch::new(parent.path()).unwrap();
        // No process has this number: it is above the kernel's limit.
        let left = parent.path().join(format!("{NAME}4194305-7"));
        let foreign = parent.path().join("recordings");
        for folder in [&left, &foreign] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("message.txt"), "the disk is full").unwrap();
        }
        sweep(parent.path());
        assert_eq!((left.exists(), foreign.exists(), own.path().exists()), (false, true, true));
    }
}
