//! A disk that is full after so many bytes: a small tmpfs of its own.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::case::Case;
use super::fault::Fault;
use super::operation::Operation;

/// A Y4M of the clip takes about 2 MB: it is cut at all of these, and not at the last.
const OFFSETS: u64 = 20;
const STEP_BYTES: u64 = 120 << 10;
const PAGE_BYTES: u64 = 4096;

/// A file that does not get whole does not take the old one's place.
pub fn cases(short: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    let fault = |bytes: u64| Fault {
        disk_bytes: Some(bytes),
        ..Fault::may_refuse(format!("disk/{}-KiB", bytes >> 10))
    };
    for number in (0..OFFSETS).filter(|number| !short || number % 9 == 0) {
        // The first ones page by page: FFmpeg 5.1 exits with 0 when only what it keeps back to the end finds no space.
        let bytes = if number < 4 { number * PAGE_BYTES } else { (number - 3) * STEP_BYTES };
        cases.extend(Case::of_each(
            &fault(bytes),
            &[Operation::Record("y4m"), Operation::Render("y4m")],
        ));
        if number < 4 {
            cases.extend(Case::of_each(
                &fault(bytes),
                &[Operation::Record("mkv"), Operation::Render("mkv"), Operation::Render("mp4")],
            ));
        }
    }
    cases.extend(Case::of_each(&fault(0), &[Operation::OnAir]));
    cases
}

/// Puts an empty disk of `bytes` onto `folder`. It goes with the mount namespace, or with [`unmount`].
pub fn mount(folder: &Path, bytes: u64) -> Result<()> {
    let mut command = Command::new("mount");
    command.args(["-t", "tmpfs", "-o", &format!("size={bytes},mode=777"), "tmpfs"]).arg(folder);
    ensure!(command.status().context("mount")?.success(), "a disk cannot be mounted");
    Ok(())
}

pub fn unmount(folder: &Path) {
    let _ = Command::new("umount").arg("-l").arg(folder).status();
}
