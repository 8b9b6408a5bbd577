//! A greenroom on air: every frame is judged, what is asked is done or refused, and it ends when it is told to.

use std::process::Stdio;

use anyhow::Result;

use super::bench::Bench;
use super::case::Verdict;
use super::fault::{Effect, Fault};
use super::folder::CaseFolder;
use super::frames::{BLUE, Frames, GREEN, RED, ROOM, Seen};
use super::operation::Operation;
use super::program::{End, Program};
use super::socket_fault::SocketFault;

/// Frames that are waited for to see that something goes on.
const SOME_FRAMES: usize = 3;
/// Frames that may have been on their way when an answer came: in the pipe, and in the reader's hand.
const FRAMES_ON_THE_WAY: usize = 3;
/// Where the camera may be out of order, greenroom is on air after so many placeholders.
const PLACEHOLDERS: usize = 25;

/// A greenroom that writes into a pipe.
struct Air<'a> {
    bench: &'a Bench,
    folder: &'a CaseFolder,
    effect: Effect,
    program: Program,
    frames: Frames,
    /// Whether a composed frame came at the beginning.
    is_composed: bool,
    faults: Vec<String>,
    written: Vec<&'static str>,
}

/// Runs the case.
pub fn run(bench: &Bench, fault: &Fault, operation: Operation) -> Result<Verdict> {
    let folder = CaseFolder::new(bench.folder.path(), fault)?;
    let healthy = Fault::default();
    let holder = match fault.socket {
        SocketFault::Taken => Some(Air::start(bench, &folder, &healthy, "holder.log")?),
        _ => None,
    };
    let mut air = match operation {
        Operation::Clients => Air::start(bench, &folder, &healthy, "log")?,
        Operation::SetClip => {
            let fault = Fault { is_late: true, effect: Effect::MayRefuse, ..fault.clone() };
            Air::start(bench, &folder, &fault, "log")?
        }
        _ => Air::start(bench, &folder, fault, "log")?,
    };
    if air.is_on_air() {
        air.program.strike()?;
        air.wait_for_more(SOME_FRAMES, "the fault");
        match operation {
            Operation::Clients => air.ask_with(fault)?,
            Operation::SetClip => air.set_clip()?,
            _ if !air.has_control() => {}
            _ => air.ask_all()?,
        }
    }
    let mut verdict = air.end()?;
    if let Some(holder) = holder {
        let faults = holder.end()?.faults.into_iter();
        verdict.faults.extend(faults.map(|fault| format!("the first one: {fault}")));
    }
    Ok(verdict)
}

impl<'a> Air<'a> {
    fn start(bench: &'a Bench, folder: &'a CaseFolder, fault: &Fault, log: &str) -> Result<Self> {
        let words = bench.run_words(folder, "-");
        let pipe = Stdio::piped();
        let mut program = Program::start(&bench.greenroom, folder, fault, log, &words, pipe)?;
        let frames = Frames::read(program.take_stdout()?)?;
        let (effect, faults, written) = (fault.effect, Vec::new(), Vec::new());
        let mut air =
            Self { bench, folder, effect, program, frames, is_composed: false, faults, written };
        let is_composed = |frames: &[Seen]| frames.iter().any(|seen| seen.is_before(GREEN));
        let enough = if effect == Effect::None { usize::MAX } else { PLACEHOLDERS };
        let frames = &air.frames;
        let came = air.program.wait_until(|| {
            let frames = frames.since(0);
            is_composed(&frames) || frames.len() > enough
        });
        air.is_composed = is_composed(&air.frames.since(0));
        if came.is_none() {
            air.faults.push("start: no picture comes".to_owned());
        }
        Ok(air)
    }

    fn is_on_air(&mut self) -> bool {
        self.frames.count() > 0 && !self.program.has_ended()
    }

    /// Whether it listens, as far as it said.
    fn has_control(&self) -> bool {
        let said = self.program.said().unwrap_or_default();
        let warned = |line: &str| {
            line.contains("WARN") && (line.contains("socket") || line.contains("XDG_RUNTIME_DIR"))
        };
        !said.lines().any(warned)
    }

    fn wait_for_more(&mut self, count: usize, after: &str) {
        let from = self.frames.count();
        let frames = &self.frames;
        if self.program.wait_until(|| frames.count() >= from + count).is_none() {
            self.faults.push(format!("after {after}: no more pictures come"));
        }
    }

    /// Runs a client that no fault hits.
    fn ask(&self, words: &[&str]) -> Result<Option<End>> {
        self.bench.ask_patiently(self.folder, &Fault::default(), words)
    }

    /// Asks for everything that changes what is shown.
    fn ask_all(&mut self) -> Result<()> {
        self.set_background("#c81e1e", RED)?;
        let end = self.ask(&["snapshot", "new.png"])?;
        if self.was_done("snapshot", end.as_ref()) {
            self.written.push("new.png");
            self.judge_snapshot("new.png");
        }
        let end = self.ask(&["snapshot", "old.png"])?;
        if self.was_done("snapshot of old.png", end.as_ref()) {
            self.written.push("old.png");
            self.judge_snapshot("old.png");
        }
        self.pause()?;
        self.resume()
    }

    fn set_clip(&mut self) -> Result<()> {
        let clip = self.bench.clip();
        self.set_background(&clip.display().to_string(), BLUE)?;
        self.pause()?;
        self.resume()
    }

    fn set_background(&mut self, words: &str, colour: greenroom_frame::Rgb8) -> Result<()> {
        let end = self.ask(&["set", "background", words])?;
        if self.was_done("set", end.as_ref()) && self.is_composed {
            let from = self.frames.count();
            let frames = &self.frames;
            let is_shown = || frames.since(from).iter().any(|seen| seen.is_before(colour));
            if self.program.wait_until(is_shown).is_none() {
                self.faults.push("set: what was set never comes".to_owned());
            }
        }
        Ok(())
    }

    /// Whether a client got what it asked for; what is wrong if not.
    fn was_done(&mut self, what: &str, end: Option<&End>) -> bool {
        let Some(end) = end else {
            self.faults.push(format!("{what}: the client hangs"));
            return false;
        };
        let is_gone = self.program.has_ended();
        let effect = if is_gone { Effect::MayRefuse } else { self.effect };
        self.faults.extend(end.faults(what, effect));
        end.is_success()
    }

    /// A pause is answered and hides, or greenroom is gone.
    fn pause(&mut self) -> Result<()> {
        let end = self.ask(&["pause"])?;
        if self.was_done("pause", end.as_ref()) {
            self.judge_pause();
            return Ok(());
        }
        let from = self.frames.count() + FRAMES_ON_THE_WAY;
        self.wait_for_more(FRAMES_ON_THE_WAY + SOME_FRAMES, "pause");
        if self.frames.since(from).iter().any(|seen| *seen != Seen::Placeholder) {
            let said = end.and_then(|end| end.said).unwrap_or_default();
            self.faults
                .push(format!("pause: LIVE PICTURES GO ON; the client: {}", said.trim_end()));
        }
        Ok(())
    }

    /// After an answered pause.
    fn judge_pause(&mut self) {
        let from = self.frames.count() + FRAMES_ON_THE_WAY;
        self.wait_for_more(FRAMES_ON_THE_WAY + SOME_FRAMES, "pause");
        let frames = self.frames.since(from);
        let live = frames.iter().filter(|seen| **seen != Seen::Placeholder).count();
        if live > 0 {
            let count = frames.len();
            self.faults.push(format!("pause was answered, and {live} of {count} frames are LIVE"));
        }
    }

    fn resume(&mut self) -> Result<()> {
        let end = self.ask(&["resume"])?;
        let was_done = self.was_done("resume", end.as_ref());
        let from = self.frames.count();
        let frames = &self.frames;
        let is_live = || frames.since(from).iter().any(|seen| matches!(seen, Seen::Composed(_)));
        if was_done
            && self.is_composed
            && self.effect == Effect::None
            && self.program.wait_until(is_live).is_none()
        {
            self.faults.push("resume: no composed picture comes".to_owned());
        }
        Ok(())
    }

    /// Clients that the fault hits.
    fn ask_with(&mut self, fault: &Fault) -> Result<()> {
        for words in [
            &["set", "background", "#c81e1e"][..],
            &["snapshot", "new.png"],
            &["status"],
            &["pause"],
        ] {
            let Some(end) = self.bench.ask_patiently(self.folder, fault, words)? else {
                self.faults.push(format!("{}: the client hangs", words[0]));
                continue;
            };
            self.faults.extend(end.faults(words[0], fault.effect));
            match words[0] {
                "snapshot" if end.is_success() => {
                    self.written.push("new.png");
                    self.judge_snapshot("new.png");
                }
                "pause" => {
                    // It goes on in the next greenroom: a file keeps it.
                    self.written.push("socket.paused");
                    if end.is_success() {
                        self.judge_pause();
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn judge_snapshot(&mut self, name: &str) {
        let room = [ROOM.r, ROOM.g, ROOM.b];
        let is_room = |pixel: &image::Rgb<u8>| {
            pixel.0.iter().zip(room).all(|(seen, room)| seen.abs_diff(room) < 40)
        };
        match image::open(self.folder.work().join(name)) {
            Ok(picture) if picture.to_rgb8().pixels().any(is_room) => {
                self.faults.push(format!("snapshot: {name} shows THE ROOM"));
            }
            Ok(_) => {}
            Err(error) => self.faults.push(format!("snapshot: {name} is no picture: {error}")),
        }
    }

    /// Ends it, and judges all that came and is left.
    fn end(mut self) -> Result<Verdict> {
        self.program.stop();
        let Some(end) = self.program.wait()? else {
            self.faults.push("SIGTERM does not end it".to_owned());
            return Ok(Verdict { faults: self.faults, ..Verdict::default() });
        };
        let pictures = if self.is_composed { "on air" } else { "never on air" };
        let note = format!("{pictures}, {}", end.summary());
        self.faults.extend(end.faults("run", self.effect));
        let frames = &self.frames;
        self.program.wait_until(|| frames.have_ended());
        self.faults.extend(self.frames.fault());
        if self.program.leaves_children() {
            self.faults.push("FFmpeg goes on when greenroom has ended".to_owned());
        }
        self.faults.extend(self.folder.faults(&self.written, &end.said.unwrap_or_default())?);
        Ok(Verdict { faults: self.faults, note })
    }
}
