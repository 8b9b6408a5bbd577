//! `cargo xtask soak`: a file as the camera, nothing as the output, everything between at full speed; memory,
//! descriptors and the account of frames are looked at all the time, through `greenroom status` and `/proc`.

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde::Deserialize;

use crate::daemon::{Daemon, build, make_clip, memory_kib, status};
use crate::places::Places;

/// The command line of `cargo xtask soak`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Composed frames after which it is enough
    #[arg(long, default_value_t = 200_000)]
    frames: u64,
    /// Size of the frames
    #[arg(long, default_value = "320x180")]
    size: String,
    /// What to stand before
    #[arg(long, default_value = "blur")]
    background: String,
}

/// Frames after which memory must stay level.
const WARM: u64 = 1000;
/// Growth that is no leak: the allocator's own rounding, a page of a thread's stack touched late.
const LEVEL_KIB: u64 = 1024;
/// A frame in each slot, one in each of the two threads behind the camera.
const UNDER_WAY: u64 = 4;

#[derive(Deserialize)]
struct Status {
    frames: Frames,
}

#[derive(Debug, Deserialize)]
struct Frames {
    taken: u64,
    composed: u64,
    dropped: Dropped,
    failed: u64,
}

#[derive(Debug, Deserialize)]
struct Dropped {
    before_matte: u64,
    before_output: u64,
    unwatched: u64,
}

#[derive(Debug, Clone, Copy)]
struct Footprint {
    memory_kib: u64,
    descriptors: usize,
}

/// Runs until enough frames have passed.
///
/// # Errors
/// If memory or descriptors grow, or frames are unaccounted for.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let clip = folder.path().join("camera.y4m");
    make_clip(places, &arguments.size, &clip)?;
    let greenroom = build(places)?;
    let socket = folder.path().join("socket");
    let mut command = Command::new(&greenroom);
    command.args(["run", "--unpaced", "--output", "null", "--background", &arguments.background]);
    command.arg("--camera").arg(&clip).arg("--socket").arg(&socket);
    let daemon = Daemon(command.stdout(Stdio::null()).spawn()?);
    let pid = daemon.0.id();
    let started = Instant::now();
    let ask = || status(&greenroom, &socket);
    let mut warm: Option<Footprint> = None;
    let mut next_line = WARM;
    loop {
        thread::sleep(Duration::from_millis(500));
        ensure!(Path::new(&format!("/proc/{pid}/fd")).exists(), "greenroom has ended");
        // The socket is there a moment after the start.
        let Ok(Status { frames }) = ask() else {
            ensure!(started.elapsed() < Duration::from_secs(20), "greenroom does not answer");
            continue;
        };
        let footprint = footprint(pid)?;
        check_account(&frames)?;
        if frames.composed < WARM {
            continue;
        }
        let warm = *warm.get_or_insert(footprint);
        if frames.composed >= next_line {
            let rate = frames.composed as f64 / started.elapsed().as_secs_f64();
            println!(
                "{:>8} composed, {:>8} taken, {rate:>5.0} a second, {} KiB, {} descriptors",
                frames.composed, frames.taken, footprint.memory_kib, footprint.descriptors
            );
            next_line += arguments.frames / 20;
        }
        ensure!(
            footprint.memory_kib <= warm.memory_kib + LEVEL_KIB,
            "memory grew from {} KiB to {} KiB",
            warm.memory_kib,
            footprint.memory_kib
        );
        // A question that is being answered holds one more.
        ensure!(
            footprint.descriptors <= warm.descriptors + 1,
            "descriptors grew from {} to {}",
            warm.descriptors,
            footprint.descriptors
        );
        if frames.composed >= arguments.frames {
            println!("level after {WARM} frames: {warm:?} then, {footprint:?} now; {frames:?}");
            return Ok(ExitCode::SUCCESS);
        }
    }
}

/// Every frame that came in went out, was dropped and counted, failed and counted, or is under way.
fn check_account(frames: &Frames) -> Result<()> {
    let Dropped { before_matte, before_output, unwatched } = frames.dropped;
    let accounted = frames.composed + frames.failed + before_matte + before_output + unwatched;
    // The counters are read one by one while frames go by.
    ensure!(
        frames.taken.abs_diff(accounted) <= UNDER_WAY + 60,
        "{} frames taken and {accounted} accounted for: {frames:?}",
        frames.taken
    );
    Ok(())
}

fn footprint(pid: u32) -> Result<Footprint> {
    let descriptors = fs::read_dir(format!("/proc/{pid}/fd"))?.count();
    Ok(Footprint { memory_kib: memory_kib(pid)?, descriptors })
}
