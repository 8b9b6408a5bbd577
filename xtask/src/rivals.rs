//! `cargo xtask rivals`: the processor time of other programs' ways at a camera's pace, beside greenroom's and in floors that are
//! measured in between. The programs are ours, written from descriptions (`xtask/rivals/`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::choice::median;
use crate::places::Places;
use crate::sheets::write_parts;
use crate::{daemon, golden, paced};

/// What the Python programs are made of. `onnx` writes the networks of the old program.
const PYTHON: [&str; 5] = [
    "ai-edge-litert==2.3.0",
    "numpy==2.4.6",
    "onnx==1.23.2",
    "opencv-python-headless==5.0.0.93",
    "requests==2.34.2",
];

/// What the mask server under Node is made of.
const NODE: [&str; 2] = ["onnxruntime-node@1.30.0", "sharp@0.35.5"];

/// Size of what BodyPix's network sees of a picture of 640x360, half of each side as a multiple of the stride and one.
const INPUT: [&str; 2] = ["321", "177"];

/// The ways of `xtask/rivals.py`, and what they are.
const WAYS: [(&str, &str); 4] = [
    ("greenroom", "greenroom, picture behind"),
    (
        "selfie",
        "in the manner of Linux-Fake-Background-Webcam: MediaPipe's landscape network, OpenCV, Python",
    ),
    (
        "mobilenet",
        "in the manner of the old program, with the smallest network of BodyPix (MobileNet, half of its channels)",
    ),
    ("resnet50", "the same with the network that it ran (ResNet-50)"),
];

/// The command line of `cargo xtask rivals`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Write the table into this page. Let nothing else run meanwhile
    #[arg(long, value_name = "PAGE")]
    table: Option<PathBuf>,
    /// How often to measure each program
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long each time
    #[arg(long, default_value_t = 12)]
    seconds: u32,
    /// The clip that is the camera; the demo clip if none is named
    clip: Option<PathBuf>,
}

/// What one run measured.
#[derive(Debug, Deserialize)]
struct Line {
    case: String,
    frames: u64,
    floor_ms: f64,
    /// Of each process, for one frame.
    ms: BTreeMap<String, f64>,
    fps: f64,
}

/// Measures.
///
/// # Errors
/// If a program is missing or fails.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let greenroom = daemon::build(places)?;
    let folder = places.target.join("rivals");
    let python = golden::environment(&folder.join("venv"), &PYTHON)?;
    let node_modules = install_node_packages(&folder.join("node"))?;
    let mut networks = Command::new(&python);
    networks.arg(places.repository.join("xtask/rivals/networks.py")).arg(&folder).args(INPUT);
    ensure!(networks.status()?.success(), "the networks of the old program cannot be written");
    let demo = places.repository.join("assets/footage/demo.mp4");
    let clip = folder.join("clip.mkv");
    paced::encode_as_webcam(arguments.clip.as_deref().unwrap_or(&demo), &clip)?;
    let mut command = Command::new(&python);
    command.arg(places.repository.join("xtask/rivals.py")).arg(greenroom);
    command.arg(places.repository.join("assets/models").join(golden::MODELS[0].1)).arg(clip);
    command.arg(places.repository.join("backgrounds/dusk.jpg"));
    command.args([arguments.seconds.to_string(), arguments.rounds.to_string()]);
    command.arg(node_modules).arg(&folder);
    let lines: Vec<Line> = paced::output_lines(command)?;
    let table = table(&lines);
    println!("{table}");
    if let Some(page) = &arguments.table {
        write_parts(page, &[("rivals", &table)])?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Where they lie then.
fn install_node_packages(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let mut npm = Command::new("npm");
    npm.args(["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]);
    npm.arg("--prefix").arg(folder).args(NODE).stdout(std::process::Stdio::null());
    let status = npm.status().context("cannot start npm; is it installed?")?;
    ensure!(status.success(), "npm cannot install {}", NODE.join(", "));
    Ok(folder.join("node_modules"))
}

fn table(lines: &[Line]) -> String {
    let mut rows = vec![
        "| program | ms a frame | × floor | × greenroom | frames a second reached |".to_owned(),
        "|---|---:|---:|---:|---:|".to_owned(),
    ];
    let middle = |case: &str, of: &dyn Fn(&Line) -> f64| {
        let of_case = lines.iter().filter(|line| line.case == case);
        let mut values: Vec<_> = of_case.map(of).collect();
        median(&mut values)
    };
    let whole = |line: &Line| line.ms.values().sum::<f64>();
    let floors = |case| middle(case, &|line| whole(line) / line.floor_ms);
    for (case, name) in WAYS {
        rows.push(format!(
            "| {name} | {:.1} | **{:.1}** | {:.1} | {:.0} |",
            middle(case, &whole),
            floors(case),
            floors(case) / floors(WAYS[0].0),
            middle(case, &|line| line.fps),
        ));
    }
    let frames: u64 = lines.iter().map(|line| line.frames).sum();
    let mut all: Vec<_> = lines.iter().map(|line| line.floor_ms).collect();
    rows.push(format!("| floor | {:.1} | 1 | | |\n\n{frames} frames in all.", median(&mut all)));
    rows.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_is_compared_with_the_floor_and_with_ours() {
        let line = |case: &str, ms: f64| Line {
            case: case.to_owned(),
            frames: 10,
            floor_ms: 2.0,
            ms: BTreeMap::from([("program".to_owned(), ms / 2.0), ("server".to_owned(), ms / 2.0)]),
            fps: 29.9,
        };
        let ms = [5.0, 15.0, 30.0, 300.0];
        let lines: Vec<_> = WAYS.iter().zip(ms).map(|((case, _), ms)| line(case, ms)).collect();
        let table = table(&lines);
        assert!(table.contains("| 5.0 | **2.5** | 1.0 | 30 |"), "{table}");
        assert!(table.contains("| 300.0 | **150.0** | 60.0 | 30 |"), "{table}");
    }
}
