//! A greenroom that a chore runs and looks at.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use anyhow::{Context, Result, ensure};
use serde::de::DeserializeOwned;

use crate::places::Places;

/// Ends the daemon also when a check fails.
pub struct Daemon(pub Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Builds the release, and tells where it lies. `GREENROOM_PROGRAM` names one that is there already.
///
/// # Errors
/// If it does not build.
pub fn build(places: &Places) -> Result<PathBuf> {
    if let Some(program) = std::env::var_os("GREENROOM_PROGRAM") {
        return Ok(program.into());
    }
    let mut cargo = Command::new("cargo");
    let arguments = ["build", "--quiet", "--release", "-p", "greenroom"];
    cargo.current_dir(&places.repository).args(arguments);
    ensure!(cargo.status()?.success(), "greenroom does not build");
    Ok(places.target.join("release/greenroom"))
}

/// Builds the example `refine` of greenroom-matte, which times the steps, and tells where it lies.
///
/// # Errors
/// If it does not build.
pub fn build_refine(places: &Places) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    let arguments =
        ["build", "--quiet", "--release", "-p", "greenroom-matte", "--example", "refine"];
    cargo.current_dir(&places.repository).args(arguments);
    ensure!(cargo.status()?.success(), "the example refine does not build");
    Ok(places.target.join("release/examples/refine"))
}

/// What the greenroom at `socket` tells of itself, as far as `T` asks for it.
///
/// # Errors
/// If it does not answer.
pub fn status<T: DeserializeOwned>(greenroom: &Path, socket: &Path) -> Result<T> {
    let mut command = Command::new(greenroom);
    let answer = command.args(["status", "--json", "--socket"]).arg(socket).output()?;
    ensure!(
        answer.status.success(),
        "greenroom status failed: {}",
        String::from_utf8_lossy(&answer.stderr)
    );
    Ok(serde_json::from_slice(&answer.stdout)?)
}

/// Memory that a process holds.
///
/// # Errors
/// If it is not there.
pub fn memory_kib(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|text| text.trim().strip_suffix(" kB")?.trim().parse().ok()).context("no VmRSS")
}

/// Four seconds of the demo clip, decoded: a camera that costs next to nothing.
///
/// # Errors
/// If the demo clip is not there.
pub fn make_clip(places: &Places, size: &str, clip: &Path) -> Result<()> {
    let demo = places.repository.join("assets/footage/demo.mp4");
    let (width, height) = size.split_once('x').context("a size is WIDTHxHEIGHT")?;
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-y", "-t", "4", "-i"]).arg(demo);
    ffmpeg.args(["-vf", &format!("scale={width}:{height}"), "-pix_fmt", "yuv420p"]).arg(clip);
    ensure!(
        ffmpeg.status()?.success(),
        "ffmpeg cannot read the demo clip; run: cargo xtask assets"
    );
    Ok(())
}
