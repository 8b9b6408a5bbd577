//! `cargo xtask switch`: 200 random changes on air, at 30 frames a second, and every frame looked at: does it show a
//! scene that it may show, and is it on time? Backgrounds are flat colours, so that a corner of the picture tells
//! which one is there, or which two are being cross-faded.

mod changes;
mod watch;

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use greenroom_scene::Random;

use crate::daemon::{Daemon, build, memory_kib};
use crate::places::Places;
use changes::{Hall, Shown};
use watch::{Frames, Watcher};

/// The command line of `cargo xtask switch`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Changes to make
    #[arg(long, default_value_t = 200)]
    changes: usize,
    /// What chance is made of
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A camera's node instead of the demo clip
    #[arg(long)]
    camera: Option<String>,
    /// A v4l2loopback node that ffmpeg reads, instead of a pipe
    #[arg(long)]
    node: Option<PathBuf>,
    /// Size of the frames
    #[arg(long, default_value = "640x360")]
    size: String,
    /// Frames a second
    #[arg(long, default_value_t = 30)]
    fps: u32,
    /// The greenroom to use, instead of building one
    #[arg(long)]
    greenroom: Option<PathBuf>,
    /// Where time means nothing (an emulated machine): the times of frames are printed and not judged, and changes
    /// come so many times more slowly
    #[arg(long)]
    slow: Option<u32>,
}

/// Time without changes whose latest frame is the measure.
const CALM: Duration = Duration::from_secs(20);
/// Longest wait for a scene to be shown, of a greenroom that is well on the slowest machine.
const PATIENCE: Duration = Duration::from_secs(600);
/// Growth of memory that is no leak: a scene that fades in beside another, a cache of a decoder.
const LEVEL_KIB: u64 = 24 << 10;

/// Makes the changes and judges the frames.
///
/// # Errors
/// If a frame shows what it may not, comes late, or memory grows.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let folder = tempfile::tempdir()?;
    let greenroom = match &arguments.greenroom {
        Some(path) => path.clone(),
        None => build(places)?,
    };
    let hall = Hall::new(folder.path(), greenroom.clone())?;
    let camera = match &arguments.camera {
        Some(node) => node.clone(),
        None => make_camera(places, arguments, &hall)?,
    };
    let mut command = Command::new(&greenroom);
    command.args(["run", "--camera", &camera, "--size", &arguments.size, "--model", "landscape"]);
    command.args(["--fps", &arguments.fps.to_string(), "--config"]).arg(hall.config());
    command.arg("--socket").arg(hall.socket());
    command.stderr(std::fs::File::create(hall.log())?);
    match &arguments.node {
        Some(node) => command.arg("--output").arg(node).stdout(Stdio::null()),
        None => command.args(["--output", "-"]).stdout(Stdio::piped()),
    };
    let mut daemon = Daemon(command.spawn().context("starting greenroom")?);
    let pid = daemon.0.id();
    let watcher = match &arguments.node {
        Some(node) => Watcher::of_node(node, &arguments.size, arguments.fps, &hall)?,
        None => Watcher::of_pipe(daemon.0.stdout.take().context("no pipe")?)?,
    };
    let slow = arguments.slow.unwrap_or(1);
    watcher.wait_for_colour(hall.shown().colour, PATIENCE)?;

    // A run without changes, for comparison.
    let calm_from = Instant::now();
    thread::sleep(if arguments.slow.is_some() { CALM / 4 } else { CALM });
    let calm_until = Instant::now();

    let (mut random, mut history) = (Random::new(arguments.seed), vec![hall.shown()]);
    let mut memory = Vec::new();
    for number in 0..arguments.changes {
        let shown = hall.change(&mut random, number).with_context(|| format!("change {number}"))?;
        history.push(shown);
        let pause = Duration::from_millis(100 + random.next() % 500) * slow.min(3);
        thread::sleep(pause);
        if number % 20 == 19 {
            memory.push(memory_kib(pid)?);
        }
    }
    let last = history.last().context("no scene")?.colour;
    watcher.wait_for_colour(last, PATIENCE).context("the last scene is not shown at the end")?;
    // What may come after it that should not.
    thread::sleep(Duration::from_secs(2));
    watcher.wait_for_colour(last, PATIENCE).context("the last scene does not stay")?;
    let frames = watcher.frames();
    let status = hall.status()?;
    drop(daemon);
    let log = std::fs::read_to_string(hall.log())?;
    report(arguments, &frames, &history, (calm_from, calm_until), &memory, &status, &log)
}

fn report(
    arguments: &Arguments,
    frames: &Frames,
    history: &[Shown],
    calm: (Instant, Instant),
    memory: &[u64],
    status: &str,
    log: &str,
) -> Result<ExitCode> {
    let changed_from = history.get(1).map_or(calm.1, |shown| shown.asked_at);
    let before = frames.intervals(calm.0, calm.1);
    let during = frames.intervals(changed_from, frames.last());
    println!(
        "{} frames, {} of them the placeholder, {} changes; intervals in ms:",
        frames.count(),
        frames.placeholders(),
        history.len() - 1
    );
    println!("  without changes  {before}");
    println!("  with changes     {during}");
    println!("  memory in KiB at every 20th change: {memory:?}");
    println!("  status at the end: {status}");
    let kinds = changes::count_by_kind(history);
    println!("  {kinds}");
    let complaints = log.lines().filter(|line| line.contains("WARN")).count();
    let errors: Vec<&str> = log.lines().filter(|line| line.contains("ERROR")).collect();
    println!("  {complaints} lines of warning; {} of error", errors.len());
    let wrong = frames.judge(history);
    for line in wrong.iter().take(10) {
        println!("  wrong: {line}");
    }
    if !wrong.is_empty() || !errors.is_empty() {
        println!("the log:\n{log}");
    }
    ensure!(errors.is_empty(), "greenroom told of errors of its own");
    ensure!(wrong.is_empty(), "{} frames show what they may not", wrong.len());
    let (first, most) = (memory.first().copied(), memory.iter().max().copied());
    if let (Some(first), Some(most)) = (first, most) {
        ensure!(most <= first + LEVEL_KIB, "memory grew from {first} KiB to {most} KiB");
    }
    let frame_ms = 1000.0 / f64::from(arguments.fps);
    if arguments.slow.is_none() {
        ensure!(
            during.longest_ms <= before.longest_ms + frame_ms,
            "a frame came {:.1} ms after the one before; without changes {:.1} at the most",
            during.longest_ms,
            before.longest_ms
        );
    }
    println!("ok");
    Ok(ExitCode::SUCCESS)
}

/// The demo clip at the wanted size and rate, cheap to decode.
fn make_camera(places: &Places, arguments: &Arguments, hall: &Hall) -> Result<String> {
    let demo = places.repository.join("assets/footage/demo.mp4");
    let (width, height) = arguments.size.split_once('x').context("a size is WIDTHxHEIGHT")?;
    let clip = hall.path("camera.mkv");
    let filters = format!("fps={},scale={width}:{height}", arguments.fps);
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-y", "-t", "8", "-i"]).arg(demo);
    ffmpeg.args(["-vf", &filters, "-pix_fmt", "yuv420p", "-c:v", "mpeg4", "-q:v", "3"]).arg(&clip);
    ensure!(
        ffmpeg.status()?.success(),
        "ffmpeg cannot read the demo clip; run: cargo xtask assets"
    );
    Ok(clip.display().to_string())
}
