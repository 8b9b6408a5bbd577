//! `cargo xtask effort CLIP ALPHA …`: what each way of doing less, which the governor may choose, gains and costs. Writes a table
//! into docs/speed.md.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, ensure};

use crate::daemon;
use crate::places::Places;
use crate::score::Measured;
use crate::score::figures::{Figure, Tally};
use crate::score::media::{Mattes, ffmpeg, name, read_grey};
use crate::sheets::write_parts;

/// The command line of `cargo xtask effort`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Write the table into this page
    #[arg(long, value_name = "PAGE")]
    table: Option<PathBuf>,
    /// Clips, each followed by the video of its true alpha
    #[arg(required = true, num_args = 2.., value_names = ["CLIP", "ALPHA"])]
    clips: Vec<PathBuf>,
}

/// The name of each way, and the words for the example `refine`.
const WAYS: [(&str, &[&str]); 6] = [
    ("everything", &[]),
    ("network on every 2nd frame", &["frames_per_inference=2"]),
    ("network on every 3rd frame", &["frames_per_inference=3"]),
    ("small input of the network", &["small"]),
    ("both: every 2nd, small", &["frames_per_inference=2", "small"]),
    ("both: every 3rd, small", &["frames_per_inference=3", "small"]),
];

/// Measures all ways on all clips.
///
/// # Errors
/// If a clip cannot be read, or the example fails.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let (pairs, rest) = arguments.clips.as_chunks::<2>();
    ensure!(rest.is_empty(), "each clip needs its alpha behind it");
    let refine = daemon::build_refine(places)?;
    let mut rows = vec![
        "| clip | way | inferred | IoU mean | 5th pct. | MAD ×1000 | dtSSD | room shown % | worst second |"
            .to_owned(),
        "|---|---|---:|---:|---:|---:|---:|---:|---:|".to_owned(),
    ];
    for [clip, alpha] in pairs {
        let (picture, truth) = (read_grey(clip)?, read_grey(alpha)?);
        let frames = ffmpeg(
            clip,
            &["-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"],
        )?;
        for (way, words) in WAYS {
            let done = refined(&refine, &picture, &frames, words)?;
            let measured = Measured::of_clip(&done.mattes, &truth, &picture, 30.0)?;
            let figures = Tally::against(&done.mattes, &truth)?.figures();
            let print = |figure: Figure| figure.print(figures.get(figure));
            let figures = [Figure::IouMean, Figure::IouLow, Figure::Mad, Figure::Dtssd].map(print);
            let row = format!(
                "| {} | {way} | {:.0} % | {} | {:.3} | {:.2} |",
                name(clip),
                done.inferred * 100.0,
                figures.join(" | "),
                measured.shown * 100.0,
                measured.shown_second * 100.0,
            );
            println!("{row}");
            rows.push(row);
        }
    }
    if let Some(page) = &arguments.table {
        write_parts(page, &[("effort", &(rows.join("\n") + "\n"))])?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the example made of a clip.
struct Refined {
    mattes: Mattes,
    /// Share of the frames that the network was asked about.
    inferred: f64,
}

fn refined(refine: &Path, picture: &Mattes, frames: &[u8], words: &[&str]) -> Result<Refined> {
    use std::io::Write as _;

    let (width, height) = (picture.width, picture.height);
    let mut command = Command::new(refine);
    command.args([width.to_string(), height.to_string()]).args([
        "general",
        "all",
        "second_opinion",
        "each",
    ]);
    command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("cannot start the example refine")?;
    let mut input = child.stdin.take().context("the example has no input")?;
    let output = std::thread::scope(|scope| {
        scope.spawn(move || input.write_all(frames));
        child.wait_with_output()
    })?;
    let text = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "the example refine says: {text}");
    let is_inferred = |line: &str| line.split_whitespace().last() == Some("Inferred");
    let (count, inferred) =
        (text.lines().count(), text.lines().filter(|line| is_inferred(line)).count());
    ensure!(count > 0, "the example refine says: {text}");
    let mattes = Mattes { width, height, samples: output.stdout };
    Ok(Refined { mattes, inferred: inferred as f64 / count as f64 })
}
