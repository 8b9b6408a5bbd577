//! `cargo xtask paced`: the processor time of a whole greenroom at a camera's pace, in floors that are measured in between, at
//! the same pace. A floor is one inference of the landscape model by the reference runtime (XNNPACK, one thread) and three
//! copies of a 1280x720 picture.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::choice::median;
use crate::places::Places;
use crate::sheets::write_parts;
use crate::{daemon, golden};

/// The command line of `cargo xtask paced`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Write the table into this page. Let nothing else run meanwhile
    #[arg(long, value_name = "PAGE")]
    table: Option<PathBuf>,
    /// How often to measure each case
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long each time
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Only the cases whose names contain this
    #[arg(long, default_value = "")]
    only: String,
    /// The clip that is the camera; the demo clip if none is named
    clip: Option<PathBuf>,
}

/// The threads of a greenroom that work on every frame; the others are told together.
const THREADS: [&str; 4] = ["camera", "matte", "output", "second opinion"];

/// What one run of `xtask/paced.py` measured.
#[derive(Debug, Deserialize)]
struct Line {
    case: String,
    frames: u64,
    floor_ms: f64,
    /// Of each thread, for one frame.
    ms: BTreeMap<String, f64>,
}

/// Measures.
///
/// # Errors
/// If a program is missing or fails.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let greenroom = daemon::build(places)?;
    let folder = tempfile::tempdir()?;
    let clips = Clips::make(places, arguments.clip.as_deref(), folder.path())?;
    let cases =
        cases(places, &clips).into_iter().filter(|(name, _)| name.contains(&arguments.only));
    let cases: Vec<_> = cases.collect();
    ensure!(!cases.is_empty(), "no case has \"{}\" in its name", arguments.only);
    let mut command = Command::new(golden::python(places)?);
    command.arg(places.repository.join("xtask/paced.py")).arg(greenroom);
    command.arg(places.repository.join("assets/models").join(golden::MODELS[0].1));
    command.args([arguments.seconds.to_string(), arguments.rounds.to_string()]);
    for (name, of_run) in &cases {
        command.arg(name).arg(serde_json::to_string(of_run)?);
    }
    let measured = command.output().context("cannot start Python")?;
    ensure!(measured.status.success(), "{}", String::from_utf8_lossy(&measured.stderr).trim());
    let text = String::from_utf8(measured.stdout)?;
    let lines = text.lines().map(serde_json::from_str).collect::<Result<Vec<Line>, _>>()?;
    let table = table(&cases, &lines);
    println!("{table}");
    if let Some(page) = &arguments.table {
        write_parts(page, &[("paced", &table)])?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What greenroom is given: clips that stand for the camera, all of 1280x720, and a configuration.
struct Clips {
    /// A file as most are: limited range, BT.709.
    moving: PathBuf,
    /// Full range and BT.601, as a webcam's MJPEG.
    full_range: PathBuf,
    /// One frame of it, again and again.
    still: PathBuf,
    /// A configuration with the least quality.
    fast: PathBuf,
}

impl Clips {
    fn make(places: &Places, clip: Option<&Path>, folder: &Path) -> Result<Self> {
        let demo = places.repository.join("assets/footage/demo.mp4");
        let clip = clip.unwrap_or(&demo);
        let [moving, full_range, still] =
            ["moving", "full-range", "still"].map(|name| folder.join(name).with_extension("mkv"));
        let fill = "scale=1280:720:force_original_aspect_ratio=increase,crop=1280:720";
        let encode = |filters: &str, options: &[&str], into: &Path| -> Result<()> {
            let mut ffmpeg = Command::new("ffmpeg");
            ffmpeg.args(["-v", "error", "-nostdin", "-y", "-i"]).arg(clip);
            ffmpeg.args(["-an", "-t", "10", "-r", "30", "-vf", filters]).args(options).arg(into);
            let status = ffmpeg.status().context("cannot start ffmpeg; is it installed?")?;
            ensure!(status.success(), "FFmpeg cannot read {}", clip.display());
            Ok(())
        };
        let x264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "16"];
        encode(&format!("{fill},setparams=colorspace=bt709:range=limited"), &x264, &moving)?;
        let mjpeg = ["-c:v", "mjpeg", "-q:v", "4"];
        let full = "out_range=full:out_color_matrix=bt601,format=yuvj422p";
        encode(&format!("{fill},scale={full}"), &mjpeg, &full_range)?;
        encode(&format!("{fill},trim=end_frame=1,loop=299:1"), &x264, &still)?;
        let fast = folder.join("fast.toml");
        fs::write(&fast, "[cut]\nquality = \"fast\"\n")?;
        Ok(Self { moving, full_range, still, fast })
    }
}

/// The name of each case, and the arguments of its `greenroom run`.
fn cases(places: &Places, clips: &Clips) -> Vec<(String, Vec<String>)> {
    let picture = places.repository.join("backgrounds/dusk.jpg");
    let picture = picture.to_string_lossy();
    let case = |name: &str, clip: &Path, background: &str, more: &[&str]| {
        let mut of_run: Vec<String> = vec!["--camera".into(), clip.to_string_lossy().into()];
        of_run.extend(["--background", background].iter().chain(more).map(ToString::to_string));
        (name.to_owned(), of_run)
    };
    let fast = clips.fast.to_string_lossy();
    vec![
        case("picture", &clips.moving, &picture, &[]),
        case("picture, `quality = \"fast\"`", &clips.moving, &picture, &["--config", &fast]),
        case("blur", &clips.moving, "blur", &[]),
        case("one colour", &clips.moving, "#00b140", &[]),
        case("picture, MJPEG of full range", &clips.full_range, &picture, &[]),
        case("picture, still scene", &clips.still, &picture, &[]),
    ]
}

fn table(cases: &[(String, Vec<String>)], lines: &[Line]) -> String {
    let mut rows = vec![
        format!("| case | ms a frame | of it: {} | × floor |", THREADS.join(", ")),
        "|---|---:|---|---:|".to_owned(),
    ];
    for (name, _) in cases {
        let of_case: Vec<_> = lines.iter().filter(|line| line.case == *name).collect();
        let middle = |of: &dyn Fn(&Line) -> f64| {
            let mut values: Vec<_> = of_case.iter().map(|line| of(line)).collect();
            median(&mut values)
        };
        let whole = |line: &Line| line.ms.values().sum::<f64>();
        let threads = THREADS.map(|thread| {
            format!("{:.2}", middle(&|line| line.ms.get(thread).copied().unwrap_or(0.0)))
        });
        rows.push(format!(
            "| {name} | {:.2} | {} | **{:.2}** |",
            middle(&whole),
            threads.join(", "),
            middle(&|line| whole(line) / line.floor_ms),
        ));
    }
    let frames: u64 = lines.iter().map(|line| line.frames).sum();
    let mut floors: Vec<_> = lines.iter().map(|line| line.floor_ms).collect();
    let floor = median(&mut floors);
    rows.push(format!("| floor | {floor:.2} | | 1 |\n\n{frames} frames in all."));
    rows.join("\n")
}
