use std::process::ExitCode;

use clap::error::ContextValue;
use clap::{Command, CommandFactory, Error, FromArgMatches};
use greenroom_device::printable;

use super::Cli;
use crate::log;
use crate::terminal::Lines;

impl Cli {
    /// What the command line and the environment of this process say.
    ///
    /// # Errors
    /// What to exit with when there is nothing more to do: help was asked for, which is printed now, or
    /// the words make no sense, which is said now.
    pub fn of_this_process() -> Result<Self, ExitCode> {
        let matches = without_empty(Self::command()).try_get_matches();
        matches.and_then(|matches| Self::from_arg_matches(&matches)).map_err(tell)
    }
}

/// Prints what clap says, without what arguments hold that is not printable.
fn tell(mut error: Error) -> ExitCode {
    if !error.use_stderr() {
        // Help, which holds nothing foreign; a reader that has enough of it is no error.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let foreign = error.context().filter_map(|(kind, value)| {
        let value = match value {
            ContextValue::String(value) => ContextValue::String(printable(value)),
            ContextValue::Strings(values) => {
                ContextValue::Strings(values.iter().map(|value| printable(value)).collect())
            }
            _ => return None,
        };
        Some((kind, value))
    });
    // Its texts are borrowed until here.
    for (kind, value) in foreign.collect::<Vec<_>>() {
        error.insert(kind, value);
    }
    let shown = error.render().to_string();
    let mut lines = Lines::default();
    lines.push_all(shown.trim_end());
    log::say_lines(lines.text());
    ExitCode::from(2)
}

/// A variable that is empty says nothing: `NAME: "${NAME:-}"` of a compose file sets it to that.
fn without_empty(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let value = arg.get_env().and_then(std::env::var_os);
        if value.is_some_and(|value| value.is_empty()) { arg.env(None::<&str>) } else { arg }
    });
    command.mut_subcommands(without_empty)
}
