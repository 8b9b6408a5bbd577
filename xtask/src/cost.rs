//! `cargo xtask cost`: what all of refinement costs at 1280x720, in inferences of the landscape model by the reference
//! runtime (XNNPACK, one thread). They run in turns, a frame at a time, so that a slow moment slows both.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};

use crate::places::Places;
use crate::sheets::write_parts;
use crate::{daemon, golden};

/// The command line of `cargo xtask cost`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Write the table into this page. Let nothing else run meanwhile
    #[arg(long, value_name = "PAGE")]
    table: Option<PathBuf>,
    /// How often to measure
    #[arg(long, default_value_t = 6)]
    rounds: u32,
    /// Fail if the cost is above this share of an inference
    #[arg(long, value_name = "SHARE")]
    most: Option<f64>,
    /// The clip to refine; the demo clip if none is named
    clip: Option<PathBuf>,
}

const SIZE: (u32, u32) = (1280, 720);
/// Frames of the clip that are worked on: enough for the window on the person to settle and for a median.
const FRAMES: u32 = 90;

/// Measures.
///
/// # Errors
/// If a program is missing or fails, or the limit that was asked for is not kept.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let refine = daemon::build_refine(places)?;
    let demo = places.repository.join("assets/footage/demo.mp4");
    let clip = arguments.clip.as_ref().unwrap_or(&demo);
    let work = tempfile::tempdir()?;
    let raw = work.path().join("frames.yuv");
    let (width, height) = SIZE;
    // Cut to 16:9, not stretched.
    let filters = format!(
        "scale={width}:{height}:force_original_aspect_ratio=increase,crop={width}:{height}"
    );
    let decoded = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(clip)
        .args(["-vf", &filters, "-frames:v", &FRAMES.to_string()])
        .args(["-pix_fmt", "yuv420p", "-f", "rawvideo"])
        .arg(&raw)
        .status()
        .context("cannot start ffmpeg; is it installed?")?;
    ensure!(decoded.success(), "FFmpeg cannot read {}", clip.display());
    let model = golden::MODELS[0].1;
    let arguments_of_it: [OsString; 7] = [
        places.repository.join("xtask/cost.py").into(),
        refine.into(),
        places.repository.join("assets/models").join(model).into(),
        raw.into(),
        width.to_string().into(),
        height.to_string().into(),
        arguments.rounds.to_string().into(),
    ];
    let measured = Command::new(golden::python(places)?).args(arguments_of_it).output()?;
    ensure!(measured.status.success(), "{}", String::from_utf8_lossy(&measured.stderr).trim());
    let text = String::from_utf8(measured.stdout)?;
    let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let [inference, enlarge, refine, fit, compose, net, least, most, gross] = numbers[..] else {
        anyhow::bail!("xtask/cost.py printed {text:?}");
    };
    let table = format!(
        "| | |\n|---|---|\n\
         | one inference of the landscape model, XNNPACK, one thread | {inference:.2} ms |\n\
         | refining the mask | {refine:.2} ms |\n\
         | fitting it to {width}x{height} | {fit:.2} ms |\n\
         | plain enlargement, which that replaces | {enlarge:.2} ms |\n\
         | what composing takes longer: the old room taken out of the edge | {compose:.2} ms |\n\
         | **all of refinement, of one inference** | **{:.0} %** ({:.0} to {:.0} % in {} rounds) |\n\
         | with the enlargement | {:.0} % |",
        net * 100.0,
        least * 100.0,
        most * 100.0,
        arguments.rounds,
        gross * 100.0,
    );
    println!("{table}");
    if let Some(page) = &arguments.table {
        write_parts(page, &[("cost", &table)])?;
    }
    if arguments.most.is_some_and(|most| net > most) {
        println!("missed: refinement costs more than was allowed");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}
