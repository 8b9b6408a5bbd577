use anyhow::bail;

use crate::cli::ServeMasksArgs;

/// `greenroom serve-masks`.
pub(super) fn serve_masks(_args: &ServeMasksArgs) -> anyhow::Result<()> {
    bail!("this command is still to be written")
}
