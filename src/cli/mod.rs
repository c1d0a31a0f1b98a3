//! Floor 7: one file a command.

pub mod check;
pub mod timeline;

/// Runs the command line.
pub fn main() -> std::process::ExitCode {
    std::process::ExitCode::SUCCESS
}
