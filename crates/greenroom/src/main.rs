//! `greenroom`, the virtual camera.
#![forbid(unsafe_code)]

use std::io::IsTerminal;
use std::process::ExitCode;

use greenroom::cli::Cli;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::of_this_process();
    start_log(cli.verbose);
    match greenroom::command::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        // A reader of our output that has enough (`greenroom list | head`) is no error.
        Err(error) if greenroom::command::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("greenroom: {error:#}");
            greenroom::exit_code(&error)
        }
    }
}

/// Log lines go to standard error: standard output may carry pictures. `GREENROOM_LOG` (for example
/// `greenroom_device=debug`) overrides `-v`.
fn start_log(verbose: u8) {
    let level = match verbose {
        0 => "info",
        1 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::try_from_env("GREENROOM_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .without_time()
        .init();
}
