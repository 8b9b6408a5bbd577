//! `greenroom`, the virtual camera.
#![deny(unsafe_code)]
#![deny(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout)]

#[allow(unsafe_code)]
mod memory;

use std::panic::catch_unwind;
use std::process::ExitCode;

use greenroom::cli::Cli;
use greenroom::log;
use memory::Memory;

#[global_allocator]
static MEMORY: Memory = Memory;

fn main() -> ExitCode {
    memory::prepare();
    greenroom::command::outlive_file_size_limit();
    log::catch_panics();
    // 101 is what the standard library gives a program whose main thread panicked.
    let code = catch_unwind(run).unwrap_or(ExitCode::from(101));
    log::flush();
    memory::end_in_order();
    code
}

fn run() -> ExitCode {
    let cli = match Cli::of_this_process() {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    log::start(cli.verbose);
    match greenroom::command::run(cli) {
        Ok(code) => code,
        // A reader of our output that has enough (`greenroom list | head`) is no error.
        Err(error) if greenroom::command::is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            log::say(&format!("greenroom: {error:#}"));
            greenroom::exit_code(&error)
        }
    }
}
