use anyhow::bail;
use greenroom_setup::Wish;

use super::SetupRefused;
use crate::terminal::{Consent, consent};

/// Asks on the terminal whether the plan is to be carried out.
///
/// # Errors
/// When the answer is not yes, or there is nobody to answer.
pub(super) fn ask(wish: &Wish) -> anyhow::Result<()> {
    match consent()? {
        Consent::Yes => Ok(()),
        Consent::No => bail!("nothing was done, as you did not say yes"),
        Consent::NobodyThere => {
            let undo = if wish.is_undo() { "--undo " } else { "" };
            Err(SetupRefused::NobodyToAsk(undo).into())
        }
    }
}
