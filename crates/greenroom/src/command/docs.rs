use std::io::{self, Write};

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;

/// Prints the manual page: that of `greenroom` with its commands' pages behind it.
pub(super) fn man() -> anyhow::Result<()> {
    let mut page = Vec::new();
    let mut command = Cli::command();
    command.build();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        writeln!(page, ".SH GREENROOM {}", sub.get_name().to_uppercase())?;
        let sub = clap_mangen::Man::new(sub.clone());
        sub.render_description_section(&mut page)?;
        sub.render_options_section(&mut page)?;
    }
    io::stdout().write_all(&page).context("standard output")
}

/// Prints completions for `shell`.
pub(super) fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "greenroom", &mut script);
    io::stdout().write_all(&script).context("standard output")
}
