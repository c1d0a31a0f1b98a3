//! Runs one voice program: text in, a WAV file out, within time and size.
//!
//! Everything goes through files in a private folder, so no pipe can fill up and no child can hold us by one.
//! The program leads a process group of its own: what it started dies with it.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};
use tokio::time::{Instant, interval, sleep_until};

use super::fault::Fault;
use super::scratch::Scratch;

/// How often the size of what a program writes is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// As much of a program's complaint is repeated, in bytes.
const COMPLAINT: u64 = 2_000;

/// What a program wrote, until it is dropped.
pub(super) struct Output {
    /// The WAV file.
    pub path: PathBuf,
    _folder: Scratch,
}

/// Runs `command` with `{in}` and `{out}` replaced by files, the text also on its standard input. `within` is what is
/// said of the time until `deadline`.
pub(super) async fn run(
    command: &[String],
    text: &str,
    scratch: &Path,
    (deadline, within): (Instant, Duration),
    bytes: u64,
) -> Result<Output, Fault> {
    let folder = Scratch::new(scratch).map_err(no_room)?;
    let files = Files::in_folder(folder.path());
    let does_not_run = |error: io::Error| Fault::Failed(format!("it does not run: {error}"));
    let mut child = spawn(command, text, &files).map_err(|(scratch, error)| match scratch {
        true => no_room(error),
        false => does_not_run(error),
    })?;
    let group = Group::of(&child);
    let mut look = interval(LOOK_EVERY);
    let status = loop {
        tokio::select! {
            status = child.wait() => break status.map_err(does_not_run)?,
            () = sleep_until(deadline) => {
                end(group, child).await;
                return Err(Fault::TimedOut(within));
            }
            _ = look.tick() => if files.written() > bytes {
                end(group, child).await;
                return Err(Fault::TooMuch(bytes));
            }
        }
    };
    group.forget();
    if files.written() > bytes {
        return Err(Fault::TooMuch(bytes));
    }
    if !status.success() || !files.output.is_file() {
        return Err(Fault::Failed(complaint(status, &files.complaint)));
    }
    Ok(Output { path: files.output, _folder: folder })
}

fn no_room(error: io::Error) -> Fault {
    Fault::Failed(format!("no room for a voice file: {error}"))
}

/// The files of one run.
struct Files {
    text: PathBuf,
    output: PathBuf,
    complaint: PathBuf,
}

impl Files {
    fn in_folder(folder: &Path) -> Files {
        Files { text: folder.join("text"), output: folder.join("voice.wav"), complaint: folder.join("stderr") }
    }

    /// Bytes the program has written so far.
    fn written(&self) -> u64 {
        [&self.output, &self.complaint].iter().filter_map(|path| path.metadata().ok()).map(|found| found.len()).sum()
    }
}

/// Starts the program. An error comes with whether it was our own folder that failed.
fn spawn(command: &[String], text: &str, files: &Files) -> Result<Child, (bool, io::Error)> {
    let ours = |error| (true, error);
    std::fs::write(&files.text, format!("{text}\n")).map_err(ours)?;
    let stdin = File::open(&files.text).map_err(ours)?;
    let stderr = File::create(&files.complaint).map_err(ours)?;
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let fill = |word: &String| word.replace("{in}", &path(&files.text)).replace("{out}", &path(&files.output));
    let mut words = command.iter();
    let program = words.next().map_or("", String::as_str);
    Command::new(program)
        .args(words.map(fill))
        .stdin(Stdio::from(stdin))
        .stdout(Stdio::null())
        .stderr(Stdio::from(stderr))
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| (false, error))
}

/// The process group of a child that has not been waited for: killed when dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Group {
        Group(child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw))
    }

    /// The child was waited for: its number may belong to somebody else now.
    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It fails only when everybody in it is gone, which is what we want.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

/// Kills the whole group and collects the child.
async fn end(group: Group, mut child: Child) {
    drop(group);
    // A child that cannot be collected now is collected by tokio later.
    let _ = child.wait().await;
}

/// Why a program failed, in its own last words where it has some.
fn complaint(status: ExitStatus, stderr: &Path) -> String {
    let mut said = Vec::new();
    // Without the file there are no last words, and the status must do.
    let _ = File::open(stderr).and_then(|file| file.take(COMPLAINT).read_to_end(&mut said));
    let said = super::text::clean(&String::from_utf8_lossy(&said));
    let how = if status.success() { "it wrote no file".to_owned() } else { status.to_string() };
    if said.is_empty() { how } else { format!("{how}: {said}") }
}
