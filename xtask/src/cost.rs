//! `cargo xtask cost`: what all of refinement and all inference cost at 1280x720, in inferences of the landscape model by the
//! reference runtime (XNNPACK, one thread). They run in turns on one core, a frame at a time, so that a slow moment slows both.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::paced::output_lines;
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
    /// Fail if refinement costs more than this share of an inference
    #[arg(long, value_name = "SHARE")]
    most: Option<f64>,
    /// Fail if all inference takes more inferences a frame
    #[arg(long, value_name = "INFERENCES")]
    most_inference: Option<f64>,
    /// The clips to refine; the demo clip if none is named
    clips: Vec<PathBuf>,
}

const SIZE: (u32, u32) = (1280, 720);
/// Frames of a clip that are worked on, as if 30 came in a second: six seconds after the first.
const FRAMES: u32 = 181;

/// What `xtask/cost.py` measured of a clip: milliseconds, then shares of an inference.
#[derive(Debug, Deserialize)]
struct Cost {
    inference_ms: f64,
    enlarge_ms: f64,
    refine_ms: f64,
    fit_ms: f64,
    compose_ms: f64,
    /// All of refinement without the enlargement that it replaces, and the least and the most of the rounds.
    net: f64,
    least: f64,
    most: f64,
    gross: f64,
    /// All looks, spread over all frames.
    looks: f64,
    /// The second opinion, spread over all frames, and how often it was asked.
    opinion: f64,
    questions: f64,
}

impl Cost {
    /// All inference for a frame.
    fn inference(&self) -> f64 {
        self.looks + self.opinion
    }
}

/// A row of the table: what it says of a clip.
type Row = (&'static str, fn(&Cost) -> String);

const ROWS: [Row; 11] = [
    ("one inference of the landscape model, XNNPACK, one thread", |it| ms(it.inference_ms)),
    ("all looks, spread over all frames, in inferences", |it| times(it.looks)),
    ("the second opinion, spread over all frames, in inferences", |it| times(it.opinion)),
    ("how often it was asked in these six seconds", |it| format!("{:.1}", it.questions)),
    ("**all inference, in inferences**", |it| format!("**{}**", times(it.inference()))),
    ("refining the mask", |it| ms(it.refine_ms)),
    ("fitting it to 1280x720", |it| ms(it.fit_ms)),
    ("plain enlargement, which that replaces", |it| ms(it.enlarge_ms)),
    ("what composing takes longer: the old room taken out of the edge", |it| ms(it.compose_ms)),
    ("**all of refinement, of one inference** (least and most of the rounds)", |it| {
        let [net, least, most] = [it.net, it.least, it.most].map(|share| share * 100.0);
        format!("**{net:.0} %** ({least:.0} to {most:.0} %)")
    }),
    ("with the enlargement", |it| format!("{:.0} %", it.gross * 100.0)),
];

fn ms(milliseconds: f64) -> String {
    format!("{milliseconds:.2} ms")
}

fn times(inferences: f64) -> String {
    format!("{inferences:.2}")
}

/// Measures.
///
/// # Errors
/// If a program is missing or fails.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let refine = daemon::build_refine(places)?;
    let demo = [places.repository.join("assets/footage/demo.mp4")];
    let clips = if arguments.clips.is_empty() { &demo[..] } else { &arguments.clips };
    let costs: Vec<Cost> = clips
        .iter()
        .map(|clip| measure(places, &refine, clip, arguments.rounds))
        .collect::<Result<_>>()?;
    let mut table = String::from("| |");
    for clip in clips {
        write!(table, " {} |", clip.file_stem().unwrap_or_default().to_string_lossy())?;
    }
    write!(table, "\n|---|{}", "---|".repeat(clips.len()))?;
    for (name, cell) in ROWS {
        let cells: Vec<_> = costs.iter().map(cell).collect();
        write!(table, "\n| {name} | {} |", cells.join(" | "))?;
    }
    println!("{table}");
    if let Some(page) = &arguments.table {
        write_parts(page, &[("cost", &table)])?;
    }
    let is_over = |most: Option<f64>, of: fn(&Cost) -> f64| {
        most.is_some_and(|most| costs.iter().any(|cost| of(cost) > most))
    };
    let mut exit_code = ExitCode::SUCCESS;
    for (what, is_over) in [
        ("refinement", is_over(arguments.most, |cost| cost.net)),
        ("inference", is_over(arguments.most_inference, Cost::inference)),
    ] {
        if is_over {
            println!("missed: {what} costs more than was allowed");
            exit_code = ExitCode::FAILURE;
        }
    }
    Ok(exit_code)
}

fn measure(places: &Places, refine: &Path, clip: &Path, rounds: u32) -> Result<Cost> {
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
    let frame_bytes = u64::from(width * height * 3 / 2);
    let frames = raw.metadata()?.len() / frame_bytes;
    let needed = u64::from(FRAMES);
    ensure!(frames == needed, "{} has {frames} frames; give one of {needed}", clip.display());
    let model = golden::MODELS[0].1;
    let mut python = Command::new(golden::python(places)?);
    python.arg(places.repository.join("xtask/cost.py")).arg(refine);
    python.arg(places.repository.join("assets/models").join(model)).arg(raw);
    python.args([width, height, rounds].map(|number| number.to_string()));
    output_lines(python)?.pop().context("xtask/cost.py printed nothing")
}
