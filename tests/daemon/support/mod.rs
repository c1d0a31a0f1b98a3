//! What every test here is made of: a folder, telephones behind a trunk, the real binary, its control socket.

pub mod control;
pub mod daemon;
pub mod phones;
#[path = "../../support/wait.rs"]
mod wait;
pub mod web;

pub use control::{Line, Watch};
pub use daemon::{Daemon, World, hansho};
pub use phones::{Habit, Phones, Stage};
pub use wait::{LIMIT, free_ports, until};

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

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

/// A port of its own, for a daemon that must come back to the same one.
pub fn free_port() -> u16 {
    free_ports(1)
}
