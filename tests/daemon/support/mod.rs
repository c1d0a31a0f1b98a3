//! What every test here is made of: a folder, telephones behind a trunk, the real binary, its control socket.

pub mod control;
pub mod daemon;
pub mod phones;
pub mod web;

pub use control::{Line, Watch};
pub use daemon::{Daemon, World, hansho};
pub use phones::{Habit, Phones, Stage};

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// How long anything may take that must happen. Long, because a busy machine is no failure.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Asks again and again until there is an answer; fails after [`LIMIT`] and says what was waited for.
pub fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + LIMIT;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "waited {} s for {what}", LIMIT.as_secs());
        std::thread::park_timeout(Duration::from_millis(5));
    }
}

/// A folder that goes away with its test, and stays when the test fails.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new(name: &str) -> Folder {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("hansho-{}-{number}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("a temporary folder can be made");
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("what was written stays in {}", self.0.display());
        } else {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}

/// A port nobody else has before this process ends, for a daemon that must come back to the same one.
pub fn free_port() -> u16 {
    free_ports(1)
}

/// The first of `count` neighbouring ports of that kind, an even one.
pub fn free_ports(count: u16) -> u16 {
    until("free ports", || hansho::rig::free_ports(count))
}
