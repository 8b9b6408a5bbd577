use clap::{Command, CommandFactory, FromArgMatches};

use super::Cli;

impl Cli {
    /// What the command line and the environment of this process say. What makes no sense ends it.
    pub fn of_this_process() -> Self {
        let matches = without_empty(Self::command()).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// A variable that is empty says nothing: `NAME: "${NAME:-}"` of a compose file sets it to that.
fn without_empty(command: Command) -> Command {
    let command = command.mut_args(|arg| {
        let value = arg.get_env().and_then(std::env::var_os);
        if value.is_some_and(|value| value.is_empty()) { arg.env(None::<&str>) } else { arg }
    });
    command.mut_subcommands(without_empty)
}
