use anyhow::bail;

use crate::cli::ModelArgs;

/// `greenroom model`.
pub(super) fn model(_args: &ModelArgs) -> anyhow::Result<()> {
    bail!("this command is still to be written")
}
