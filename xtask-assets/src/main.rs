//! Gets the third-party files that a build of greenroom needs; with `--tests` also those that only tests need.
//! `cargo xtask assets` does the same, and builds all of xtask for it.
#![forbid(unsafe_code)]

use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let tests = match &words[..] {
        [] => false,
        [word] if word == "--tests" => true,
        _ => {
            eprintln!("usage: xtask-assets [--tests]");
            return ExitCode::from(2);
        }
    };
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("/"));
    match xtask_assets::get(repository, tests) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
