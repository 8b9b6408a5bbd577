//! `cargo xtask choice CLIP ALPHA …`: which network is worth its time. Writes a table into docs/cut.md: the built-in
//! networks, bare and refined, and RVM as an anchor, each with its figures on the clips and its time a frame.
//!
//! Times are of 1280x720 and stand as parts of one inference of the bare landscape network in the reference runtime on
//! one thread, taken in turns in the same run.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, ensure};

use crate::places::Places;
use crate::score::figures::{Figure, Tally};
use crate::score::media::{ffmpeg, read_grey};
use crate::score::ways::{self, Renderer, Role, STEPS, Way};
use crate::sheets::write_parts;
use crate::{daemon, golden};

/// The command line of `cargo xtask choice`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Rounds in which the times are taken
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Another network, as a row: an ONNX file that comes with a description, for example BodyPix
    #[arg(long = "model", value_name = "FILE")]
    models: Vec<PathBuf>,
    /// Only print the table
    #[arg(long)]
    no_page: bool,
    /// Clips, each followed by the video of its true alpha
    #[arg(required = true, num_args = 2.., value_names = ["CLIP", "ALPHA"])]
    clips: Vec<PathBuf>,
}

/// The columns for each clip.
const FIGURES: [Figure; 4] = [Figure::IouMean, Figure::Mad, Figure::EdgeMad, Figure::Dtssd];
/// What needs `cargo xtask assets --tests`.
const RVM: &str = "assets/tests/rvm_mobilenetv3_fp32.onnx";
/// Frames of the first clip that times are taken on: six seconds after the first, in which the large network is asked as
/// often as it ever is while somebody talks.
const FRAMES: usize = 181;
/// A frame whose refinement takes so many times the median's is one that the large network was asked about.
const ASKED: f64 = 10.0;

/// Measures all rows, prints the table and writes it into docs/cut.md.
///
/// # Errors
/// If a clip cannot be read, or a program or file is missing.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let (pairs, rest) = arguments.clips.as_chunks::<2>();
    ensure!(rest.is_empty(), "each clip needs its alpha behind it");
    let renderer = Renderer { program: daemon::build(places)?, work: tempfile::tempdir()? };
    let ways = ways(places, &arguments.models, renderer.work.path())?;
    let times = Times::take(places, &renderer, &pairs[0][0], arguments.rounds, &ways)?;
    let mut text = String::from("| network and steps | time a frame |");
    for [clip, _] in pairs {
        let name = clip.file_stem().unwrap_or_default().to_string_lossy();
        write!(text, " {name}: IoU, MAD, edge MAD, dtSSD ×1000 |")?;
    }
    write!(text, "\n|---|---|{}", "---|".repeat(pairs.len()))?;
    let truths = pairs.iter().map(|[_, alpha]| read_grey(alpha)).collect::<Result<Vec<_>>>()?;
    for (way, time) in ways.iter().zip(&times.of_ways) {
        write!(text, "\n| {} | {time:.2} |", way.name)?;
        for ([clip, _], truth) in pairs.iter().zip(&truths) {
            let mattes = renderer.mattes(way, clip)?;
            let figures = Tally::against(&mattes, truth)?.figures();
            let cells = FIGURES.map(|figure| figure.print(figures.get(figure)));
            write!(text, " {} |", cells.join(", "))?;
        }
    }
    writeln!(
        text,
        "\n\nTimes: parts of the {:.2} ms that one inference of the landscape network took in the reference runtime \
         (XNNPACK, one thread) in the same run; medians of {} rounds in turns. What the large network takes is spread over \
         the frames of six seconds.",
        times.floor_ns / 1e6,
        arguments.rounds
    )?;
    println!("{text}");
    if !arguments.no_page {
        write_parts(&places.repository.join("docs/cut.md"), &[("choice", &text)])?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Begins the line of the configuration that says the quality.
const QUALITY: &str = "quality = ";

/// RVM with a description of our own beside it, in which its input is four times as large.
fn large_rvm(repository: &Path, work: &Path) -> Result<PathBuf> {
    let model = work.join("rvm-512x288.onnx");
    fs::copy(repository.join(RVM), &model).context("RVM cannot be copied")?;
    let description = fs::read_to_string(repository.join("models/rvm.toml"))?;
    let (small, large) = ("size = \"256x144\"", "size = \"512x288\"");
    ensure!(description.contains(small), "models/rvm.toml has another size");
    fs::write(model.with_extension("toml"), description.replace(small, large))?;
    Ok(model)
}

fn ways(places: &Places, models: &[PathBuf], work: &Path) -> Result<Vec<Way>> {
    let mut ways = Vec::new();
    let mut add = |name: String, model: String, config: String| {
        ways.push(Way { role: Role::Ours, name, short: String::new(), model, config });
    };
    for model in ["landscape", "general"] {
        add(format!("{model}, bare"), model.into(), ways::config(&[], ""));
    }
    add("landscape, all steps".into(), "landscape".into(), ways::config(&STEPS, ""));
    for quality in ["fast", "balanced", "best"] {
        let settings = format!("{QUALITY}\"{quality}\"\n");
        let config = ways::config(&STEPS, &settings);
        add(format!("general, all steps, quality {quality}"), "general".into(), config);
    }
    let rvm = places.repository.join(RVM);
    let libraries = fs::read_dir(places.repository.join("assets/tests"));
    let mut libraries = libraries.into_iter().flatten().flatten().map(|entry| entry.path());
    let is_runtime = |path: &PathBuf| path.to_string_lossy().contains("libonnxruntime.so");
    let library = libraries.find(is_runtime).filter(|_| rvm.exists());
    let library = library.context("RVM is not here; run: cargo xtask assets --tests")?;
    let onnx = format!("[onnx]\nlibrary = {library:?}\nthreads = 1\n");
    let large = large_rvm(&places.repository, work)?;
    for (rvm, size) in [(&rvm, "256x144"), (&large, "512x288")] {
        for (steps, words) in [(&[][..], "bare"), (&STEPS[..], "islands, guide")] {
            let name = format!("RVM at {size} (GPL-3.0, not shipped), {words}");
            add(name, rvm.display().to_string(), ways::config(steps, "") + &onnx);
        }
    }
    for model in models {
        let stem = model.file_stem().unwrap_or_default().to_string_lossy();
        let name = format!("{stem} (not shipped), bare");
        add(name, model.display().to_string(), ways::config(&[], "") + &onnx);
    }
    Ok(ways)
}

/// Time a frame.
struct Times {
    /// Median of one inference of the landscape network in the reference runtime.
    floor_ns: f64,
    /// Of each way, in floors.
    of_ways: Vec<f64>,
}

impl Times {
    fn take(
        places: &Places,
        renderer: &Renderer,
        clip: &Path,
        rounds: usize,
        ways: &[Way],
    ) -> Result<Self> {
        daemon::build_refine(places)?;
        let raw = renderer.work.path().join("frames.i420");
        let frames = FRAMES.to_string();
        let options = ["-vf", "scale=1280:720", "-pix_fmt", "yuv420p", "-frames:v", &frames];
        let options: Vec<_> = options.into_iter().chain(["-f", "rawvideo", "-"]).collect();
        File::create(&raw)?.write_all(&ffmpeg(clip, &options)?)?;
        let mut floors = Vec::new();
        let mut times = vec![Vec::new(); ways.len()];
        for _ in 0..rounds {
            let mut in_round = Vec::new();
            let before = floor(places)?;
            for way in ways {
                in_round.push(time_ns(places, renderer, way, &raw)?);
            }
            let floor = (before + floor(places)?) / 2.0;
            floors.push(floor);
            times.iter_mut().zip(in_round).for_each(|(times, time)| times.push(time / floor));
        }
        let of_ways = times.iter_mut().map(|times| median(times)).collect();
        Ok(Self { floor_ns: median(&mut floors), of_ways })
    }
}

fn floor(places: &Places) -> Result<f64> {
    let (_, file, ..) = golden::MODELS[0];
    let mut python = Command::new(golden::python(places)?);
    python.arg(places.repository.join("xtask/choice.py"));
    python.arg(places.repository.join("assets/models").join(file)).arg("60");
    let output = python.stderr(Stdio::null()).output().context("cannot start Python")?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().context("xtask/choice.py failed; run it by hand to see why")
}

/// Median time of a frame from picture to matte at full size.
fn time_ns(places: &Places, renderer: &Renderer, way: &Way, raw: &Path) -> Result<f64> {
    let built_in = golden::MODELS.iter().any(|model| model.0 == way.model);
    let is_on = |step: &&str| way.config.contains(&format!("{step} = true"));
    // A network that remembers does the others by itself.
    let is_taken = |step: &&str| built_in || ["islands", "guide"].contains(step);
    let mut steps: Vec<String> =
        STEPS.into_iter().filter(is_on).filter(is_taken).map(str::to_owned).collect();
    let quality = way.config.lines().find_map(|line| line.strip_prefix(QUALITY));
    steps.extend(quality.map(|quality| format!("quality={}", quality.trim_matches('"'))));
    let parts = stages(places, if built_in { &way.model } else { "general" }, &steps, raw)?;
    let all: f64 = parts.iter().sum();
    if built_in {
        return Ok(all);
    }
    // `greenroom model check` runs it in turns with the general network.
    let mut check = Command::new(&renderer.program);
    check.args(["model", "check", &way.model, "--config"]);
    let config = renderer.work.path().join("check.toml");
    fs::write(&config, &way.config)?;
    check.arg(&config);
    let output = check.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find(|line| line.starts_with("one inference takes"));
    let line = line.with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let words: Vec<&str> = line.split_whitespace().collect();
    let milliseconds = words.windows(2).filter(|pair| pair[1] == "ms");
    let times: Vec<f64> = milliseconds.filter_map(|pair| pair[0].parse().ok()).collect();
    let [its, general] = times[..] else { anyhow::bail!("greenroom model check says: {line}") };
    Ok(all - parts[1] + parts[1] * its / general)
}

/// Preparing, inference, refining and fitting of a frame, in nanoseconds; composing is not the matte's. Medians, and what
/// the large network takes is spread over all frames but the first.
fn stages(places: &Places, model: &str, steps: &[String], raw: &Path) -> Result<[f64; 4]> {
    let mut example = Command::new(places.target.join("release/examples/refine"));
    example.args(["1280", "720", model, "each"]).args(steps);
    let output = example.stdin(File::open(raw)?).stdout(Stdio::null()).output()?;
    let text = String::from_utf8_lossy(&output.stderr);
    of_frames(&text).with_context(|| format!("the example refine says: {text}"))
}

/// The same, of the lines that the example prints, in microseconds.
fn of_frames(text: &str) -> Option<[f64; 4]> {
    let mut stages = [const { Vec::new() }; 4];
    for line in text.lines().skip(1) {
        let mut words = line.split_whitespace();
        for stage in &mut stages {
            stage.push(words.next()?.parse::<f64>().ok()? * 1e3);
        }
    }
    let refining = stages[2].clone();
    if refining.is_empty() {
        return None;
    }
    let mut medians = stages.map(|mut stage| median(&mut stage));
    let asked = refining.iter().filter(|&&time| time > ASKED * medians[2]);
    medians[2] += asked.sum::<f64>() / refining.len() as f64;
    Some(medians)
}

/// # Panics
/// If there are no values.
pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_table_of_the_page_changes() {
        let folder = tempfile::tempdir().unwrap();
        let page = folder.path().join("cut.md");
        fs::write(&page, "# Mine\n<!-- choice -->\nold\n<!-- /choice -->\nend\n").unwrap();
        write_parts(&page, &[("choice", "| b |")]).unwrap();
        let text = fs::read_to_string(&page).unwrap();
        assert_eq!(text, "# Mine\n<!-- choice -->\n| b |\n<!-- /choice -->\nend\n");
        fs::write(&page, "no marks").unwrap();
        assert!(write_parts(&page, &[("choice", "| c |")]).is_err());
    }

    #[test]
    fn what_the_large_network_takes_is_spread() {
        let lines = "9 9 90 9 9\n1 2 3 4 0\n1 2 93 4 0\n1 2 3 4 0\n";
        assert_eq!(of_frames(lines), Some([1e3, 2e3, 34e3, 4e3]));
        assert_eq!(of_frames("panicked"), None);
        assert_eq!(of_frames("1 2 3 4 0\nno"), None);
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(&mut [3.0, 1.0, 2.0]), 2.0);
    }
}
