//! This program once more, with root's rights.

use anyhow::{Context, bail};
use greenroom_setup::Wish;

use super::SetupRefused;
use super::system::System;

/// pkexec's exit code when the window was closed.
const DISMISSED: i32 = 126;
/// pkexec's exit code when the password was wrong, or nobody could ask for one.
const NOT_AUTHORIZED: i32 = 127;

/// sudo's exit code when it refused, and ours when a step failed.
const SUDO_FAILED: i32 = 1;

/// Has `tool` (pkexec or sudo) run root's part. It is told the wish, and nothing else.
pub(super) fn through(system: &System, tool: &'static str, wish: &Wish) -> anyhow::Result<()> {
    let wish = serde_json::to_string(wish).context("the wish as JSON")?;
    let mut command = system.programs.command(tool);
    if tool == "sudo" {
        command.arg("--");
    }
    command.arg(&system.session.program.path).args(["setup", "--as-root", &wish]);
    let status = command.status().map_err(|why| SetupRefused::NoTool { tool, why })?;
    match status.code() {
        Some(0) => Ok(()),
        Some(DISMISSED) if tool == "pkexec" => Err(SetupRefused::Dismissed.into()),
        Some(NOT_AUTHORIZED) if tool == "pkexec" => Err(SetupRefused::NotAuthorized.into()),
        Some(SUDO_FAILED) if tool == "sudo" => bail!(
            "root's part did not succeed, as told above; if sudo refused it, have an administrator run \
             `sudo greenroom setup`, or write to a file without a virtual camera: `greenroom run \
             --output FILE`"
        ),
        Some(_) => bail!("root's part did not succeed, as told above"),
        None => bail!(
            "root's part was ended in the middle; run `greenroom setup` again, which goes on, or \
             `greenroom setup --undo`"
        ),
    }
}
