//! `cargo xtask score CLIP ALPHA …`: how well the matte covers the person, against a true alpha and against the
//! same network in the reference runtime.
//!
//! Ours goes through `greenroom render --matte`. The reference is the bare network: FFmpeg scales the frames to the
//! model's input, ai-edge-litert runs it, and its output is enlarged bilinearly, as ours is.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use crate::golden::{self, MODELS, Model};
use crate::places::Places;

/// The command line of `cargo xtask score`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The network: general or landscape
    #[arg(long, default_value = "general")]
    model: String,
    /// Do without the reference runtime (no Python needed)
    #[arg(long)]
    no_reference: bool,
    /// Fail if the median IoU of a clip is below this
    #[arg(long, value_name = "IOU")]
    least_median: Option<f64>,
    /// Fail if the median IoU of a clip is further than this from the reference's
    #[arg(long, value_name = "IOU")]
    most_apart: Option<f64>,
    /// Clips, each followed by the video of its true alpha
    #[arg(required = true, num_args = 2.., value_names = ["CLIP", "ALPHA"])]
    clips: Vec<PathBuf>,
}

/// A grey video, whole: frames of `width * height` samples, 0 = room, 255 = person.
struct Mattes {
    width: usize,
    height: usize,
    samples: Vec<u8>,
}

/// How well mattes fit the truth.
struct Score {
    /// IoU of each frame that has a person in it, at alpha 0.5, sorted.
    ious: Vec<f64>,
    /// Mean absolute difference of alpha, in thousandths.
    mad: f64,
    /// Share of the picture called person in frames with nobody.
    false_area: f64,
}

/// Scores every clip and prints a table.
///
/// # Errors
/// If a clip cannot be read, a program is missing, or a limit that was asked for is not kept.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let (pairs, rest) = arguments.clips.as_chunks::<2>();
    ensure!(rest.is_empty(), "each clip needs its alpha behind it");
    let model = MODELS.into_iter().find(|model| model.0 == arguments.model);
    let model = model.context("--model is general or landscape")?;
    let program = build_program(places)?;
    let mut missed = Vec::new();
    println!(
        "{:<28} {:>6} {:>10} {:>8} {:>9} {:>11}",
        "clip", "frames", "IoU median", "mean", "MAD/1000", "false area"
    );
    for [clip, alpha] in pairs {
        let name =
            clip.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let truth = read_grey(alpha)?;
        let ours = Score::new(&render_matte(places, &program, model, clip)?, &truth)?;
        ours.print(&name);
        if let Some(least) = arguments.least_median.filter(|&least| ours.median() < least) {
            missed.push(format!("{name}: median IoU {:.4} is below {least}", ours.median()));
        }
        if arguments.no_reference {
            continue;
        }
        let reference = Score::new(&reference_matte(places, model, clip, &truth)?, &truth)?;
        reference.print(&format!("{name} (reference)"));
        let apart = (ours.median() - reference.median()).abs();
        if let Some(most) = arguments.most_apart.filter(|&most| apart > most) {
            missed.push(format!("{name}: the medians are {apart:.4} apart, more than {most}"));
        }
    }
    for miss in &missed {
        println!("missed: {miss}");
    }
    Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl Score {
    fn new(mattes: &Mattes, truth: &Mattes) -> Result<Self> {
        ensure!(
            (mattes.width, mattes.height, mattes.samples.len())
                == (truth.width, truth.height, truth.samples.len()),
            "the matte has {} samples of {}x{}, the truth {} of {}x{}: they must have the same size and frame count",
            mattes.samples.len(),
            mattes.width,
            mattes.height,
            truth.samples.len(),
            truth.width,
            truth.height,
        );
        let area = truth.width * truth.height;
        let (mut ious, mut false_areas, mut difference) = (Vec::new(), Vec::new(), 0u64);
        for (ours, truth) in mattes.samples.chunks_exact(area).zip(truth.samples.chunks_exact(area))
        {
            let (mut both, mut either, mut true_area) = (0u32, 0u32, 0u32);
            for (&a, &b) in ours.iter().zip(truth) {
                difference += u64::from(a.abs_diff(b));
                both += u32::from(a >= 128 && b >= 128);
                either += u32::from(a >= 128 || b >= 128);
                true_area += u32::from(b >= 128);
            }
            if true_area == 0 {
                false_areas.push(f64::from(either) / area as f64);
            } else {
                ious.push(f64::from(both) / f64::from(either));
            }
        }
        ensure!(!ious.is_empty(), "the truth has nobody in any frame");
        ious.sort_by(f64::total_cmp);
        Ok(Self {
            ious,
            mad: difference as f64 / truth.samples.len() as f64 / 255.0 * 1000.0,
            // A fold from plus zero: the sum of nothing is minus zero.
            false_area: false_areas.iter().fold(0.0, |sum, area| sum + area)
                / false_areas.len().max(1) as f64,
        })
    }

    fn median(&self) -> f64 {
        self.ious[self.ious.len() / 2]
    }

    fn print(&self, name: &str) {
        let mean = self.ious.iter().sum::<f64>() / self.ious.len() as f64;
        println!(
            "{name:<28} {:>6} {:>10.4} {mean:>8.4} {:>9.2} {:>10.3}%",
            self.ious.len(),
            self.median(),
            self.mad,
            self.false_area * 100.0
        );
    }
}

/// Builds greenroom as users run it.
fn build_program(places: &Places) -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--release", "--quiet", "--package", "greenroom"])
        .current_dir(&places.repository)
        .status()
        .context("cannot start cargo")?;
    ensure!(status.success(), "greenroom does not build");
    Ok(places.target.join("release/greenroom"))
}

fn render_matte(places: &Places, program: &Path, model: Model, clip: &Path) -> Result<Mattes> {
    let folder = places.target.join("score");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let (picture, matte) = (folder.join("picture.y4m"), folder.join("matte.y4m"));
    // The bare network, as the reference is: no refinement.
    let config = folder.join("bare.toml");
    fs::write(&config, "[cut]\ncrop = false\nsmooth = false\nguide = false\n")
        .with_context(|| format!("cannot write {}", config.display()))?;
    let output = Command::new(program)
        .arg("render")
        .arg("--config")
        .arg(&config)
        .arg(clip)
        .arg(&picture)
        .args(["--background", "#808080", "--model", model.0, "--matte"])
        .arg(&matte)
        .output()
        .with_context(|| format!("cannot start {}", program.display()))?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
    fs::remove_file(&picture).context("greenroom wrote no picture")?;
    let mattes = read_grey(&matte)?;
    fs::remove_file(&matte).context("greenroom wrote no matte")?;
    Ok(mattes)
}

fn reference_matte(places: &Places, model: Model, clip: &Path, truth: &Mattes) -> Result<Mattes> {
    let (_, model, width, height) = model;
    let scale = format!("scale={width}:{height}:flags=area,format=rgb24");
    let rgb = ffmpeg(clip, &["-vf", &scale, "-f", "rawvideo"])?;
    let mut child = Command::new(golden::python(places)?)
        .arg(places.repository.join("xtask/score.py"))
        .arg(places.repository.join("assets/models").join(model))
        .args([width.to_string(), height.to_string()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context("cannot start Python")?;
    let mut input = child.stdin.take().context("Python has no standard input")?;
    let feeder = thread::spawn(move || input.write_all(&rgb));
    let mut probabilities = Vec::new();
    child
        .stdout
        .take()
        .context("Python has no standard output")?
        .read_to_end(&mut probabilities)?;
    let fed = feeder.join().ok().context("feeding Python panicked")?;
    ensure!(
        child.wait()?.success() && fed.is_ok(),
        "xtask/score.py failed; run it by hand to see why"
    );
    let small: Vec<f32> =
        probabilities.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    let samples = small
        .chunks_exact(width * height)
        .flat_map(|alpha| enlarge(alpha, (width, height), (truth.width, truth.height)))
        .collect();
    Ok(Mattes { width: truth.width, height: truth.height, samples })
}

/// Plain bilinear with half-pixel centres, in floating point; 0..=255 out.
fn enlarge(alpha: &[f32], from: (usize, usize), to: (usize, usize)) -> Vec<u8> {
    let places = |from: usize, to: usize| -> Vec<(usize, usize, f32)> {
        let place = |i: usize| {
            let centre = (i as f32 + 0.5) * from as f32 / to as f32 - 0.5;
            let centre = centre.clamp(0.0, (from - 1) as f32);
            (centre as usize, (centre as usize + 1).min(from - 1), centre.fract())
        };
        (0..to).map(place).collect()
    };
    let columns = places(from.0, to.0);
    let mut out = Vec::with_capacity(to.0 * to.1);
    for (above, below, down) in places(from.1, to.1) {
        for &(left, right, across) in &columns {
            let row = |y: usize| {
                alpha[y * from.0 + left] * (1.0 - across) + alpha[y * from.0 + right] * across
            };
            out.push(((row(above) * (1.0 - down) + row(below) * down) * 255.0).round() as u8);
        }
    }
    out
}

fn read_grey(path: &Path) -> Result<Mattes> {
    let output = Command::new("ffprobe")
        .args([
            "-v",
            "error",
            "-select_streams",
            "v:0",
            "-show_entries",
            "stream=width,height",
            "-of",
            "csv=p=0",
        ])
        .arg(path)
        .output()
        .context("cannot start ffprobe; is ffmpeg installed?")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some((width, height)) = text.trim().split_once(',') else {
        bail!("{} is no video: {}", path.display(), String::from_utf8_lossy(&output.stderr).trim());
    };
    let (width, height) = (width.parse()?, height.parse()?);
    // Alphas are full-range grey already; only the layout is asked for.
    let samples = ffmpeg(path, &["-pix_fmt", "gray", "-f", "rawvideo"])?;
    Ok(Mattes { width, height, samples })
}

fn ffmpeg(input: &Path, options: &[&str]) -> Result<Vec<u8>> {
    let output = Command::new("ffmpeg")
        .args(["-v", "error", "-nostdin", "-i"])
        .arg(input)
        .args(options)
        .arg("-")
        .output()
        .context("cannot start ffmpeg; is it installed?")?;
    ensure!(
        output.status.success(),
        "cannot read {}: {}",
        input.display(),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(output.stdout)
}
