//! greenroom's service was stopped for a moment: a mark says so until it runs again, so that a run
//! that is killed in between is made good by the next one.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use greenroom_setup::Command;
use greenroom_setup::apply::Programs;

use super::system::System;

fn mark() -> Option<PathBuf> {
    let folder = std::env::var_os("XDG_RUNTIME_DIR").filter(|folder| !folder.is_empty())?;
    Some(PathBuf::from(folder).join("greenroom-setup-stopped-the-service"))
}

/// The service is stopped next.
pub(super) fn write_down() -> anyhow::Result<()> {
    let Some(mark) = mark() else { return Ok(()) };
    fs::write(&mark, "").with_context(|| format!("{} cannot be written", mark.display()))
}

/// Starts the service if this run or a killed one has stopped it, and it does not run yet.
pub(super) fn start_again(system: &mut System) -> anyhow::Result<()> {
    let Some(mark) = mark().filter(|mark| mark.exists()) else { return Ok(()) };
    let start = Command::words("systemctl --user start greenroom.service");
    let started = system.programs.run(&start);
    started.map_err(|why| anyhow::anyhow!("`{start}` failed: {why}"))?;
    fs::remove_file(&mark).with_context(|| format!("{} cannot be removed", mark.display()))
}
