//! Files that greenroom writes in place of old ones, and clients that nobody answers.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

use super::bench::{Bench, CLIP_FRAMES};
use super::case::Verdict;
use super::fault::{Effect, Fault};
use super::folder::CaseFolder;
use super::frames::{CODED, EXACT, Frames, Judge, Seen, judge_stream, wrong_frames};
use super::operation::Operation;
use super::program::Program;
use super::socket_fault::SocketFault;

/// Runs the case.
pub fn write(bench: &Bench, fault: &Fault, operation: Operation) -> Result<Verdict> {
    let folder = CaseFolder::new(bench.folder.path(), fault)?;
    let _holder = match fault.socket {
        SocketFault::Taken => Some(hold(bench, &folder)?),
        _ => None,
    };
    let (name, words, fewest) = match operation {
        Operation::Render(ending) => {
            let name = file_name(ending);
            (name, bench.render_words(name), CLIP_FRAMES)
        }
        Operation::Record(ending) => {
            let name = file_name(ending);
            let mut words = bench.run_words(&folder, name);
            words.extend(["--stop-after", "2"].map(Into::into));
            (name, words, 1)
        }
        _ => unreachable!("only these write files"),
    };
    let null = Stdio::null();
    let mut program = Program::start(&bench.greenroom, &folder, fault, "log", &words, null)?;
    program.strike()?;
    let Some(end) = program.wait()? else {
        return Ok(Verdict { faults: vec!["it hangs".to_owned()], ..Verdict::default() });
    };
    let note = end.summary();
    let mut faults = end.faults("it", fault.effect);
    let mut written = Vec::new();
    if end.is_success() {
        written.push(name);
        faults.extend(judge_file(&folder.work().join(name), fewest)?);
    }
    if program.leaves_children() {
        faults.push("FFmpeg goes on when greenroom has ended".to_owned());
    }
    faults.extend(folder.faults(&written, &end.said.unwrap_or_default())?);
    Ok(Verdict { faults, note })
}

fn file_name(ending: &str) -> &'static str {
    match ending {
        "y4m" => "old.y4m",
        "mp4" => "old.mp4",
        _ => "old.mkv",
    }
}

/// Another greenroom that is on air at the same socket.
fn hold(bench: &Bench, folder: &CaseFolder) -> Result<(Program, Frames)> {
    let (words, healthy) = (bench.run_words(folder, "-"), Fault::default());
    let pipe = Stdio::piped();
    let mut holder =
        Program::start(&bench.greenroom, folder, &healthy, "holder.log", &words, pipe)?;
    let frames = Frames::read(holder.take_stdout()?)?;
    holder.wait_until(|| frames.since(0).iter().any(|seen| matches!(seen, Seen::Composed(_))));
    Ok((holder, frames))
}

/// A line for what is wrong with a file that is said to be whole.
fn judge_file(path: &Path, fewest: usize) -> Result<Vec<String>> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin", "-i"]).arg(path);
    ffmpeg.args(["-pix_fmt", "yuv422p", "-f", "yuv4mpegpipe", "-strict", "-1", "-"]);
    let mut decoder = ffmpeg.stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let pipe = decoder.stdout.take().context("no pipe")?;
    let is_exact = path.extension().is_some_and(|ending| ending == "y4m");
    let judge = Judge::new(if is_exact { EXACT } else { CODED })?;
    let mut frames = Vec::new();
    judge_stream(pipe, &judge, |seen| frames.push(seen))?;
    decoder.wait()?;
    let mut faults: Vec<String> = wrong_frames(&frames).into_iter().collect();
    if frames.len() < fewest {
        let count = frames.len();
        faults.push(format!("exit code 0, and {count} frames in the file in place of {fewest}"));
    }
    Ok(faults)
}

/// Clients where nobody answers as greenroom does.
pub fn ask_nobody(bench: &Bench, fault: &Fault) -> Result<Verdict> {
    let folder = CaseFolder::new(bench.folder.path(), fault)?;
    let mut faults = Vec::new();
    for words in [&["status"][..], &["pause"], &["snapshot", "old.png"]] {
        match bench.ask(&folder, &Fault { effect: Effect::None, ..fault.clone() }, words)? {
            Some(end) => faults.extend(end.faults(words[0], fault.effect)),
            None => faults.push(format!("{}: the client hangs", words[0])),
        }
    }
    faults.extend(folder.faults(&[], "")?);
    Ok(Verdict { faults, ..Verdict::default() })
}
