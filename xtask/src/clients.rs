//! `cargo xtask clients`: a Python client that does what the old program's does, against `greenroom serve-masks`.
//!
//! Its masks are compared with our own matte of the same frames (`greenroom render --matte`, at half), without the steps
//! of `[cut]`: the server takes none.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::daemon::{self, Daemon};
use crate::golden;
use crate::places::Places;
use crate::score::ways;

/// What the old program's client is made of.
const PACKAGES: [&str; 3] =
    ["numpy==2.4.6", "opencv-python-headless==5.0.0.93", "requests==2.34.2"];

/// The command line of `cargo xtask clients`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The network
    #[arg(long, default_value = "general")]
    model: String,
    /// Frames of the demo clip, evenly spread
    #[arg(long, default_value_t = 60)]
    frames: u32,
    /// Clients at once
    #[arg(long, default_value_t = 10)]
    clients: u32,
    /// Answers that they get together
    #[arg(long, default_value_t = 400)]
    answers: u32,
    /// Fail if the IoU of a frame is below this
    #[arg(long, default_value_t = 0.95)]
    least: f64,
}

/// What the client prints.
#[derive(Deserialize)]
struct Report {
    ious: Vec<f64>,
    people: Vec<f64>,
    counts: Vec<u32>,
    wrong: u32,
}

/// Runs server and client, and prints how well the masks fit.
///
/// # Errors
/// If a program is missing or fails, or a mask is not as it must be.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let program = daemon::build(places)?;
    let folder = places.target.join("clients");
    let python = golden::environment(&folder.join("venv"), &PACKAGES)?;
    let (clip, mattes) = (folder.join("clip.mkv"), folder.join("mattes.gray"));
    make_clip(places, arguments.frames, &clip)?;
    let (width, height) = SIZE;
    let matte = folder.join("matte.y4m");
    // The server gives what the network says of each picture by itself; the steps that make more of it
    // (a window, the frame before, islands that are dropped) are for whoever shows the picture.
    // And it runs a built-in network at the size that its file says.
    let built_in = golden::MODELS.iter().find(|model| model.0 == arguments.model);
    let model = built_in.map_or(arguments.model.clone(), |(_, file, ..)| {
        places.repository.join("assets/models").join(file).display().to_string()
    });
    let bare = folder.join("bare.toml");
    fs::write(&bare, ways::config(&[], ""))?;
    call(
        Command::new(&program)
            .arg("render")
            .arg(&clip)
            .arg(folder.join("picture.y4m"))
            .args(["--matte"])
            .arg(&matte)
            .args(["--model", &model, "--background", "#808080", "--config"])
            .arg(&bare),
    )?;
    call(ffmpeg(&matte, &["-pix_fmt", "gray", "-f", "rawvideo"]).arg(&mattes))?;

    let mut server = Command::new(&program);
    server.args(["serve-masks", "--listen", "127.0.0.1:0", "--model", &arguments.model]);
    let mut server =
        Daemon(server.stderr(Stdio::piped()).spawn().context("cannot start greenroom")?);
    let mut log =
        BufReader::new(server.0.stderr.take().context("greenroom has no standard error")?);
    let mut line = String::new();
    while !line.contains("listening at ") {
        line.clear();
        ensure!(log.read_line(&mut line)? > 0, "greenroom ended before it listened");
    }
    let address = line
        .split("listening at ")
        .nth(1)
        .and_then(|rest| rest.split(',').next())
        .unwrap_or_default();

    let frames = ffmpeg(&clip, &["-pix_fmt", "bgr24", "-f", "rawvideo"])
        .arg("-")
        .stdout(Stdio::piped())
        .spawn()?;
    let output = Command::new(&python)
        .arg(places.repository.join("tests/clients/old_client.py"))
        .args([format!("http://{address}/"), width.to_string(), height.to_string()])
        .args([arguments.clients.to_string(), arguments.answers.to_string()])
        .arg(&mattes)
        .stdin(frames.stdout.context("ffmpeg has no standard output")?)
        .stderr(Stdio::inherit())
        .output()?;
    ensure!(output.status.success(), "the client failed; its words are above");
    judge(arguments, &serde_json::from_slice(&output.stdout).context("the client's report")?)
}

fn judge(arguments: &Arguments, report: &Report) -> Result<ExitCode> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
    let least = report.ious.iter().copied().fold(f64::INFINITY, f64::min);
    println!(
        "{} frames, model {}: IoU with our own matte mean {:.4}, minimum {least:.4}; person {:.0}% of the picture",
        report.ious.len(),
        arguments.model,
        mean(&report.ious),
        mean(&report.people) * 100.0
    );
    let (fewest, most) = (report.counts.iter().min(), report.counts.iter().max());
    let (fewest, most) = (fewest.copied().unwrap_or(0), most.copied().unwrap_or(0));
    println!(
        "{} clients at once: {fewest} to {most} answers each, {} in all, {} wrong",
        report.counts.len(),
        report.counts.iter().sum::<u32>(),
        report.wrong
    );
    // So that an empty mask, which fits an empty matte, cannot pass.
    ensure!(mean(&report.people) > 0.05, "the masks have hardly anybody in them");
    ensure!(
        least >= arguments.least,
        "the IoU of a frame is {least:.4}, below {}",
        arguments.least
    );
    ensure!(
        report.wrong == 0,
        "{} masks differ from those that one client alone gets",
        report.wrong
    );
    ensure!(fewest > 0 && most <= 2 * fewest + 3, "the shares are not fair: {:?}", report.counts);
    Ok(ExitCode::SUCCESS)
}

/// The old program's usual size.
const SIZE: (u32, u32) = (1280, 720);

/// Frames of the demo clip, lossless.
fn make_clip(places: &Places, frames: u32, to: &Path) -> Result<()> {
    let demo = places.repository.join("assets/footage/demo.mp4");
    ensure!(demo.exists(), "the demo clip is not there; run: cargo xtask assets");
    // The clip has 1337 frames.
    let every = (1337 / frames.max(1)).max(1);
    // As it is (400x300), half of it has fewer pixels than the networks' input, and what is lost there is not the
    // server's. It has four columns to three rows. The chosen frames follow each other without a gap: greenroom would
    // repeat a frame for as long as it lasts.
    let (width, height) = SIZE;
    let filter = format!(
        "select=not(mod(n\\,{every})),setpts=round(N/FRAME_RATE/TB),scale={width}:{},crop={width}:{height}",
        width * 3 / 4
    );
    call(ffmpeg(&demo, &["-vf", &filter, "-c:v", "ffv1"]).arg(to))?;
    Ok(())
}

fn ffmpeg(input: &Path, options: &[&str]) -> Command {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y", "-i"]).arg(input);
    // Frames as they are: FFmpeg would fill the gaps between chosen ones.
    command.args(["-fps_mode", "passthrough"]).args(options);
    command
}

fn call(command: &mut Command) -> Result<()> {
    let output = command.output().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(())
}
