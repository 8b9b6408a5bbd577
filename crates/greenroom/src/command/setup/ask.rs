use std::io::{self, IsTerminal, Write};

use anyhow::{Context, bail};
use greenroom_setup::Wish;

use super::SetupRefused;
use crate::terminal::print;

/// Asks on the terminal whether the plan is to be carried out.
///
/// # Errors
/// When the answer is not yes, or there is nobody to answer.
pub(super) fn ask(wish: &Wish) -> anyhow::Result<()> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        let undo = if wish.is_undo() { "--undo " } else { "" };
        return Err(SetupRefused::NobodyToAsk(undo).into());
    }
    print("\nDo this? [y/N] ")?;
    io::stdout().flush().context("standard output")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("standard input")?;
    match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => bail!("nothing was done, as you did not say yes"),
    }
}
