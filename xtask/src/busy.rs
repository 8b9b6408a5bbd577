//! `cargo xtask busy`: greenroom beside a call that takes every core. A file plays as the camera, 30 times a second at 1280x720;
//! meanwhile as many encoders run as there are cores, at the same priority. Then it is judged whether frames stayed in time, and
//! shown beside the same run without the governor.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::daemon::{self, Daemon};
use crate::places::Places;
use crate::sheets::write_parts;

/// The command line of `cargo xtask busy`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Write the table into this page. Let nothing else run meanwhile
    #[arg(long, value_name = "PAGE")]
    table: Option<PathBuf>,
    /// How long the cores are busy
    #[arg(long, default_value_t = 300)]
    seconds: u64,
    /// How long they are not, before and after
    #[arg(long, default_value_t = 30)]
    calm: u64,
    /// Encoders, each of one thread [default: as many as cores]
    #[arg(long)]
    encoders: Option<usize>,
    /// Also with this budget, as `greenroom run --cpu-budget` takes it
    #[arg(long, value_name = "PERCENT")]
    budget: Option<String>,
    /// The clip that is the camera; the demo clip if none is named
    clip: Option<PathBuf>,
}

/// While what starts and is loaded takes its time, nothing is judged.
const WARM: Duration = Duration::from_secs(5);
/// Longest time between two pictures, and greatest age of a picture when it is written.
const LIMIT_S: f64 = 0.1;
/// Time of a frame. A picture is late if it is older than three quarters of that when it is written, or if one before it was passed
/// over.
const PERIOD_S: f64 = 1.0 / 30.0;
const LATE_S: f64 = 0.75 * PERIOD_S;

/// Runs greenroom with and without the governor, and judges the run with it.
///
/// # Errors
/// If a program is missing or fails.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let greenroom = daemon::build(places)?;
    let folder = tempfile::tempdir()?;
    let demo = places.repository.join("assets/footage/demo.mp4");
    let clip = folder.path().join("camera.mkv");
    make_clip(arguments.clip.as_deref().unwrap_or(&demo), &clip)?;
    let cores = thread::available_parallelism()?.get();
    let encoders = arguments.encoders.unwrap_or(cores);
    let bench = Bench { places, arguments, greenroom: &greenroom, folder: folder.path(), encoders };
    let mut runs = vec![bench.run("governor", &[])?, bench.run("without", &["--no-governor"])?];
    if let Some(budget) = &arguments.budget {
        runs.push(bench.run(&format!("budget {budget}"), &["--cpu-budget", budget])?);
    }
    let seconds = arguments.seconds;
    let mut text = format!(
        "{encoders} encoders on {cores} cores for {seconds} s.\n\n\
         | run | while | fps | age p50 | p95 | p99 | most | longest gap | placeholders | inferences a second | levels |\n\
         |---|---|---:|---:|---:|---:|---:|---:|---:|---:|---|\n"
    );
    for run in &runs {
        for phase in &run.phases {
            text += &phase.row(&run.name);
        }
    }
    println!("{text}");
    if let Some(page) = &arguments.table {
        write_parts(page, &[("busy", &text)])?;
    }
    if runs[0].phases.get(1).is_some_and(|busy| !busy.was_late()) {
        println!("the governor had nothing to do: pictures were in time");
    }
    let missed = runs[0].missed();
    missed.iter().for_each(|miss| println!("missed: {miss}"));
    Ok(if missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn make_clip(from: &Path, clip: &Path) -> Result<()> {
    // Every frame of the clip, 30 of them a second, whatever their rate was.
    let fill = "setpts=N/30/TB,scale=1280:720:force_original_aspect_ratio=increase,crop=1280:720";
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin", "-y", "-i"]).arg(from);
    ffmpeg.args(["-an", "-t", "20", "-r", "30", "-vf", fill, "-c:v", "libx264"]);
    // Hardly any work for who decodes it, which is not greenroom.
    ffmpeg.args(["-preset", "ultrafast", "-tune", "fastdecode", "-crf", "18"]).arg(clip);
    let status = ffmpeg.status().context("cannot start ffmpeg; is it installed?")?;
    ensure!(status.success(), "FFmpeg cannot read {}", from.display());
    Ok(())
}

struct Bench<'a> {
    places: &'a Places,
    arguments: &'a Arguments,
    greenroom: &'a Path,
    folder: &'a Path,
    encoders: usize,
}

/// One run of greenroom.
struct Run {
    name: String,
    /// Before, while and after the cores are busy.
    phases: Vec<Phase>,
}

/// A stretch of a run.
struct Phase {
    name: &'static str,
    time: Duration,
    /// When each picture was written, from the start of greenroom, and how old it was then; seconds.
    shown: Vec<[f64; 2]>,
    placeholders: u64,
    inferred: Option<u64>,
    /// What the governor had chosen, and how often that was so when it was asked, once a second.
    levels: BTreeMap<u64, u64>,
}

#[derive(Debug, Clone, Deserialize)]
struct Status {
    uptime_s: f64,
    frames: Frames,
    governor: Option<Governor>,
}

#[derive(Debug, Clone, Deserialize)]
struct Frames {
    placeholders: u64,
}

#[derive(Debug, Clone, Deserialize)]
struct Governor {
    level: u64,
    inferred: u64,
}

impl Bench<'_> {
    fn run(&self, name: &str, more: &[&str]) -> Result<Run> {
        let log = self.folder.join(format!("{}.log", name.replace(' ', "-")));
        let socket = self.folder.join("socket");
        let mut command = Command::new(self.greenroom);
        command.args(["run", "--output", "null", "--always-on", "--background"]);
        command.arg(self.places.repository.join("backgrounds/dusk.jpg"));
        command
            .arg("--camera")
            .arg(self.folder.join("camera.mkv"))
            .arg("--socket")
            .arg(&socket)
            .args(more);
        command.env(
            "GREENROOM_LOG",
            "info,greenroom::pipeline::output::frame=trace,greenroom::pipeline::governing=debug",
        );
        command.env("XDG_CONFIG_HOME", self.folder).env("XDG_RUNTIME_DIR", self.folder);
        let daemon = Daemon(command.stdout(Stdio::null()).stderr(File::create(&log)?).spawn()?);
        thread::sleep(WARM);
        let calm = Duration::from_secs(self.arguments.calm);
        let busy = Duration::from_secs(self.arguments.seconds);
        let mut stretches = Vec::new();
        for (name, time, encoders) in
            [("before", calm, 0), ("busy", busy, self.encoders), ("after", calm, 0)]
        {
            let children = (0..encoders).map(|_| encoder()).collect::<Result<Vec<_>>>()?;
            stretches.push((name, self.watch(&socket, time)?));
            drop(children);
        }
        drop(daemon);
        let shown = shown(&fs::read_to_string(&log)?);
        ensure!(!shown.is_empty(), "greenroom has shown nothing: {}", fs::read_to_string(&log)?);
        let phases =
            stretches.into_iter().map(|(name, statuses)| Phase::new(name, &statuses, &shown));
        Ok(Run { name: name.to_owned(), phases: phases.collect::<Result<_>>()? })
    }

    /// The status, once a second.
    fn watch(&self, socket: &Path, time: Duration) -> Result<Vec<Status>> {
        let end = Instant::now() + time;
        let mut statuses = vec![daemon::status(self.greenroom, socket)?];
        while Instant::now() < end {
            thread::sleep(Duration::from_secs(1));
            statuses.push(daemon::status(self.greenroom, socket)?);
        }
        Ok(statuses)
    }
}

/// A program that takes a core as a call's encoder does, at the usual priority.
fn encoder() -> Result<Daemon> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30"]);
    ffmpeg.args(["-c:v", "libx264", "-threads", "1", "-f", "null", "-"]);
    Ok(Daemon(ffmpeg.stdout(Stdio::null()).spawn().context("cannot start ffmpeg")?))
}

/// When each picture was written, and how old it was: from the log.
fn shown(log: &str) -> Vec<[f64; 2]> {
    let of_line = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["TRACE", "shown", at, "s", "after", "the", "start,", age, "s", "after", "capture"] => {
                Some([at.parse().ok()?, age.parse().ok()?])
            }
            _ => None,
        }
    };
    log.lines().filter_map(of_line).collect()
}

impl Phase {
    fn new(name: &'static str, statuses: &[Status], shown: &[[f64; 2]]) -> Result<Self> {
        let (Some(first), Some(last)) = (statuses.first(), statuses.last()) else {
            anyhow::bail!("greenroom has told nothing");
        };
        let during = first.uptime_s..last.uptime_s;
        let mut levels = BTreeMap::new();
        for governor in statuses.iter().filter_map(|status| status.governor.as_ref()) {
            *levels.entry(governor.level).or_default() += 1;
        }
        let inferred = |status: &Status| Some(status.governor.as_ref()?.inferred);
        Ok(Self {
            name,
            time: Duration::try_from_secs_f64(last.uptime_s - first.uptime_s)?,
            shown: shown.iter().filter(|[at, _]| during.contains(at)).copied().collect(),
            placeholders: last.frames.placeholders - first.frames.placeholders,
            inferred: inferred(first).zip(inferred(last)).map(|(first, last)| last - first),
            levels,
        })
    }

    fn ages(&self) -> Vec<f64> {
        let mut ages: Vec<f64> = self.shown.iter().map(|[_, age]| *age).collect();
        ages.sort_by(f64::total_cmp);
        ages
    }

    /// Whether so many pictures were late that the governor was to have less done: three of eight, where one that is very late
    /// counts twice, as `greenroom/src/governor/punctuality.rs` has it.
    fn was_late(&self) -> bool {
        let mut late = 0_u8;
        self.shown.windows(2).any(|pair| {
            let [[before_at, _], [at, age]] = [pair[0], pair[1]];
            let passed_over = ((at - before_at) / PERIOD_S).round() - 1.0;
            late = late << 1 | u8::from(age > LATE_S || passed_over > 0.0);
            if age > 2.0 * LATE_S || passed_over > 1.0 {
                late = late << 1 | 1;
            }
            late.count_ones() >= 3
        })
    }

    fn longest_gap(&self) -> f64 {
        self.shown.windows(2).map(|pair| pair[1][0] - pair[0][0]).fold(0.0, f64::max)
    }

    fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.time.as_secs_f64().max(1e-3)
    }

    fn row(&self, run: &str) -> String {
        let ages = self.ages();
        let age = |quantile: f64| {
            let at = (ages.len() as f64 * quantile) as usize;
            format!(
                "{:.0} ms",
                ages.get(at.min(ages.len().saturating_sub(1))).copied().unwrap_or_default() * 1e3
            )
        };
        let inferred = self.inferred.map(|count| format!("{:.1}", self.per_second(count)));
        let all: u64 = self.levels.values().sum();
        let level = |(level, count): (&u64, &u64)| {
            format!("{level}: {:.0} %", *count as f64 / all as f64 * 100.0)
        };
        let levels: Vec<String> = self.levels.iter().map(level).collect();
        format!(
            "| {run} | {} | {:.1} | {} | {} | {} | {} | {:.0} ms | {} | {} | {} |\n",
            self.name,
            self.per_second(self.shown.len() as u64),
            age(0.5),
            age(0.95),
            age(0.99),
            age(1.0),
            self.longest_gap() * 1e3,
            self.placeholders,
            inferred.unwrap_or_else(|| "–".to_owned()),
            levels.join(", "),
        )
    }
}

impl Run {
    /// What was to be kept and was not.
    fn missed(&self) -> Vec<String> {
        let mut missed = Vec::new();
        let [before, busy, after] = &self.phases[..] else { return missed };
        if busy.placeholders > 0 {
            missed.push(format!("{} placeholders", busy.placeholders));
        }
        let oldest = busy.ages().last().copied().unwrap_or(f64::INFINITY);
        for (what, seconds) in [("between two pictures", busy.longest_gap()), ("of age", oldest)] {
            if seconds > LIMIT_S {
                missed.push(format!("{:.0} ms {what}", seconds * 1e3));
            }
        }
        let rates =
            [before, busy, after].map(|phase| phase.per_second(phase.inferred.unwrap_or_default()));
        if busy.was_late() && rates[1] >= rates[0] {
            let rate = rates[1];
            missed.push(format!(
                "{rate:.1} inferences a second, as many as before, with late pictures"
            ));
        }
        if after.levels.keys().next().is_none_or(|&level| level != 0) {
            missed.push("level 0 does not come back".to_owned());
        }
        missed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(shown: &[[f64; 2]], inferred: u64, level: u64) -> Phase {
        Phase {
            name: "",
            time: Duration::from_secs(10),
            shown: shown.to_vec(),
            placeholders: 0,
            inferred: Some(inferred),
            levels: BTreeMap::from([(level, 10)]),
        }
    }

    #[test]
    fn lines_of_other_kinds_are_passed_over() {
        let log = " INFO camera: a\nTRACE shown 1.500000 s after the start, 0.012000 s after capture\nTRACE shown\n";
        assert_eq!(shown(log), [[1.5, 0.012]]);
    }

    #[test]
    fn gaps_ages_and_rates_are_judged() {
        let good = [[1.0, 0.02], [1.05, 0.02], [1.1, 0.03]];
        let run = |busy: &[[f64; 2]], inferred, level_after| Run {
            name: String::new(),
            phases: vec![
                phase(&good, 300, 0),
                phase(busy, inferred, 2),
                phase(&good, 300, level_after),
            ],
        };
        assert_eq!(run(&good, 150, 0).missed(), [""; 0]);
        assert_eq!(
            run(&[[1.0, 0.02], [1.2, 0.02]], 150, 0).missed(),
            ["200 ms between two pictures"]
        );
        assert_eq!(run(&[[1.0, 0.2], [1.05, 0.02]], 150, 0).missed(), ["200 ms of age"]);
        // As many inferences as before are too many only if pictures were late.
        assert_eq!(run(&good, 300, 0).missed(), [""; 0]);
        let of_ages = |ages: [f64; 6]| -> Vec<[f64; 2]> {
            (0..).zip(ages).map(|(at, age)| [f64::from(at) * PERIOD_S, age]).collect()
        };
        for (ages, misses) in [
            ([0.01, 0.03, 0.03, 0.01, 0.01, 0.01], 0),
            ([0.01, 0.03, 0.03, 0.01, 0.03, 0.01], 1),
            ([0.01, 0.06, 0.01, 0.06, 0.01, 0.01], 1),
        ] {
            assert_eq!(run(&of_ages(ages), 300, 0).missed().len(), misses, "{ages:?}");
            assert_eq!(run(&of_ages(ages), 150, 0).missed(), [""; 0]);
        }
        assert_eq!(run(&good, 150, 3).missed(), ["level 0 does not come back"]);
    }
}
