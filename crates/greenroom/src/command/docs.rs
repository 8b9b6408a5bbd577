use std::io::{self, Write};

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::cli::Cli;
use crate::settings::OLD_VARIABLES;

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
    environment(&mut page)?;
    io::stdout().write_all(&page).context("standard output")
}

/// The variables that stand beside no option.
fn environment(page: &mut Vec<u8>) -> io::Result<()> {
    writeln!(
        page,
        ".SH ENVIRONMENT\nEach option that has a variable GREENROOM_… names it. \
         GREENROOM_LOG says which lines are logged, for example greenroom_device=debug.\n.PP\n\
         The variables of the program that greenroom supersedes are understood by `greenroom run`. \
         They say more than the configuration and less than options and their variables. As soon \
         as one is set, their defaults count for what nothing else speaks of; devices and the \
         background only if they are there."
    )?;
    for (name, usual, text) in OLD_VARIABLES {
        let usual = if usual.is_empty() { String::new() } else { format!(" [default: {usual}]") };
        writeln!(page, ".TP\n\\fB{name}\\fR{usual}\n{text}")?;
    }
    Ok(())
}

/// Prints completions for `shell`.
pub(super) fn completions(shell: Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "greenroom", &mut script);
    io::stdout().write_all(&script).context("standard output")
}
