//! The one binary.

#![forbid(unsafe_code)]

fn main() -> std::process::ExitCode {
    hansho::cli::main()
}
