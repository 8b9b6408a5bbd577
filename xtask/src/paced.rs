//! `cargo xtask paced`: the processor time and the delay of a whole greenroom at a camera's pace, in floors that are measured in
//! between, at the same pace. A floor is one inference of the landscape model by the reference runtime (XNNPACK, one thread) and
//! three copies of a 1280x720 picture.

mod cases;
mod clips;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::places::Places;
use crate::sheets::write_parts;
use crate::{daemon, golden};
use cases::Group;
use clips::Clips;

pub(crate) use clips::encode_as_webcam;

/// The command line of `cargo xtask paced`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Write the tables into this page. Let nothing else run meanwhile
    #[arg(long, value_name = "PAGE")]
    table: Option<PathBuf>,
    /// How often to measure each case
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    rounds: u32,
    /// How long each time
    #[arg(long, default_value_t = 12)]
    seconds: u32,
    /// Only the cases whose names contain this
    #[arg(long, default_value = "", conflicts_with = "table")]
    only: String,
    /// What to measure, each a table of its own; may be given several times
    #[arg(long, value_enum, default_values_t = [Group::Program])]
    group: Vec<Group>,
    /// The clip that is the camera of the whole program; the demo clip if none is named
    clip: Option<PathBuf>,
}

/// What one run of `xtask/paced.py` measured.
#[derive(Debug, Deserialize)]
struct Line {
    case: String,
    frames: u64,
    floor_ms: f64,
    /// Of each thread, for one frame.
    ms: BTreeMap<String, f64>,
    /// Of the time, in all threads.
    core_share: f64,
    /// From a picture to its being written: `p50`, `p99`, and perhaps `p95`.
    latency_ms: Option<BTreeMap<String, f64>>,
    /// Sum of the medians of the stages of a frame's way.
    compute_ms: f64,
    dropped: u64,
}

/// Measures.
///
/// # Errors
/// If a program is missing or fails.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let greenroom = daemon::build(places)?;
    let folder = tempfile::tempdir()?;
    let is_of_program = arguments.group.contains(&Group::Program);
    let clip = arguments.clip.as_deref();
    let clips = is_of_program.then(|| Clips::make(places, clip, folder.path())).transpose()?;
    for group in &arguments.group {
        let cases = group.cases(places, clips.as_ref());
        let cases: Vec<_> =
            cases.into_iter().filter(|(name, _)| name.contains(&arguments.only)).collect();
        ensure!(!cases.is_empty(), "no case has \"{}\" in its name", arguments.only);
        let mut command = Command::new(golden::python(places)?);
        command.arg(places.repository.join("xtask/paced.py")).arg(&greenroom);
        command.arg(places.repository.join("assets/models").join(golden::MODELS[0].1));
        command.args([arguments.seconds.to_string(), arguments.rounds.to_string()]);
        for (name, of_run) in &cases {
            command.arg(name).arg(serde_json::to_string(of_run)?);
        }
        let lines: Vec<Line> = output_lines(command)?;
        let names: Vec<_> = cases.iter().map(|(name, _)| name.as_str()).collect();
        let table = table::table(*group, &names, &lines);
        println!("{table}\n");
        if let Some(page) = &arguments.table {
            write_parts(page, &[(group.mark(), &table)])?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// What a script of ours prints, a JSON object a line.
///
/// # Errors
/// If it cannot be started or fails, with what it said.
pub(crate) fn output_lines<T: serde::de::DeserializeOwned>(mut python: Command) -> Result<Vec<T>> {
    // It imports from the repository, where nothing is to be left.
    python.env("PYTHONDONTWRITEBYTECODE", "1");
    let measured = python.output().context("cannot start Python")?;
    ensure!(measured.status.success(), "{}", String::from_utf8_lossy(&measured.stderr).trim());
    let text = String::from_utf8(measured.stdout)?;
    Ok(text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?)
}
