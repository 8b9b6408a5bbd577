//! `cargo xtask score CLIP ALPHA …`: how well the matte covers the person, against a true alpha: the bare network,
//! ours with all that is done about its mask, and the same bare network in the reference runtime.
//!
//! Ours goes through `greenroom render --matte`. The reference is the bare network: FFmpeg scales the frames to the
//! model's input, ai-edge-litert runs it, and its output is enlarged bilinearly, as ours is.

mod figures;

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use figures::Score;

use crate::daemon;
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
    /// Also a row without each of the steps of refinement
    #[arg(long)]
    ablation: bool,
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

/// The steps of refinement, as `[cut]` of the configuration has them.
const STEPS: [&str; 3] = ["crop", "smooth", "guide"];
/// A median that is lower by this is no worse.
const WORSE: f64 = 0.002;

/// A grey video, whole: frames of `width * height` samples, 0 = room, 255 = person.
struct Mattes {
    width: usize,
    height: usize,
    samples: Vec<u8>,
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
    let program = daemon::build(places)?;
    let mut missed = Vec::new();
    Score::print_head();
    for [clip, alpha] in pairs {
        let name =
            clip.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let truth = read_grey(alpha)?;
        let score = |cut: &str, words: &str| -> Result<Score> {
            let score = Score::new(&render_matte(places, &program, model, clip, cut)?, &truth)?;
            score.print(&name, words);
            Ok(score)
        };
        let bare = score(&cut(&[]), "bare network")?;
        if arguments.ablation {
            for left_out in STEPS {
                let others: Vec<_> = STEPS.into_iter().filter(|step| *step != left_out).collect();
                score(&cut(&others), &format!("without {left_out}"))?;
            }
        }
        let ours = score(&cut(&STEPS), "ours")?;
        if let Some(least) = arguments.least_median.filter(|&least| ours.median() < least) {
            missed.push(format!("{name}: median IoU {:.4} is below {least}", ours.median()));
        }
        if ours.median() + WORSE < bare.median() {
            missed.push(format!("{name}: the refined matte is worse than the bare one"));
        }
        if arguments.no_reference {
            continue;
        }
        let reference = Score::new(&reference_matte(places, model, clip, &truth)?, &truth)?;
        reference.print(&name, "bare network, reference runtime");
        let apart = (bare.median() - reference.median()).abs();
        if let Some(most) = arguments.most_apart.filter(|&most| apart > most) {
            missed.push(format!("{name}: the medians are {apart:.4} apart, more than {most}"));
        }
    }
    for miss in &missed {
        println!("missed: {miss}");
    }
    Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The configuration that takes these steps of refinement and no others.
fn cut(steps: &[&str]) -> String {
    let keys = STEPS.map(|step| format!("{step} = {}\n", steps.contains(&step)));
    format!("[cut]\n{}", keys.concat())
}

fn render_matte(
    places: &Places,
    program: &Path,
    model: Model,
    clip: &Path,
    cut: &str,
) -> Result<Mattes> {
    let folder = places.target.join("score");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let (picture, matte) = (folder.join("picture.y4m"), folder.join("matte.y4m"));
    let config = folder.join("config.toml");
    fs::write(&config, cut).with_context(|| format!("cannot write {}", config.display()))?;
    let output = Command::new(program)
        .arg("render")
        .arg(clip)
        .arg(&picture)
        .args(["--background", "#808080", "--model", model.0, "--matte"])
        .arg(&matte)
        .arg("--config")
        .arg(&config)
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
