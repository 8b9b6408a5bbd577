//! FFmpeg's programs as children that cannot outlive, block or surprise greenroom.

mod guard;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

pub(crate) use self::guard::Guard;
use crate::DeviceError;
use crate::printable::printable;

/// A running `ffmpeg`. Dropping it kills and reaps it.
///
/// If greenroom is killed itself, the pipe between them breaks: a reader's child dies of it, a
/// writer's child completes what it has and ends. A child that is [tied](Guard::tied) is killed
/// with its parent.
#[derive(Debug)]
pub(crate) struct Ffmpeg {
    child: Child,
    log: Log,
}

/// How bytes pass between greenroom and the child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flow {
    /// From the child's standard output.
    Out,
    /// Into the child's standard input.
    In,
}

impl Ffmpeg {
    /// Starts `ffmpeg` with these arguments.
    ///
    /// # Errors
    /// [`DeviceError::MissingProgram`].
    pub fn start(
        args: impl IntoIterator<Item = OsString>,
        flow: Flow,
        guard: Guard,
    ) -> Result<Self, DeviceError> {
        let (input, output) = match flow {
            Flow::Out => (Stdio::null(), Stdio::piped()),
            Flow::In => (Stdio::piped(), Stdio::null()),
        };
        let mut command = command("ffmpeg");
        command
            .args(["-hide_banner", "-nostdin", "-loglevel", "error"])
            .args(args)
            .stdin(input)
            .stdout(output);
        guard.put_on(&mut command);
        let mut child = command.spawn().map_err(|error| not_started("ffmpeg", error))?;
        guard.calm(child.id());
        let log = Log::of(child.stderr.take());
        Ok(Self { child, log })
    }

    /// The end that frames are read from ([`Flow::Out`]).
    pub fn take_output(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// The end that frames are written to ([`Flow::In`]).
    pub fn take_input(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Waits until it has ended by itself: how, and what it said last if anything.
    pub fn wait(&mut self) -> io::Result<(ExitStatus, Option<String>)> {
        let status = self.child.wait()?;
        Ok((status, self.log.finish()))
    }
}

impl Drop for Ffmpeg {
    fn drop(&mut self) {
        // Fails only for a child that has ended and been reaped.
        if self.child.kill().is_ok() {
            let _ = self.child.wait();
        }
        self.log.finish();
    }
}

/// Longest that asking about a file or an address may take.
const PROBE_PATIENCE: Duration = Duration::from_secs(10);
/// A description is some hundred bytes; what is longer is none.
const PROBE_MAX_BYTES: u64 = 1 << 20;

/// What `ffprobe` prints with these arguments, within [`PROBE_PATIENCE`].
///
/// # Errors
/// [`DeviceError::MissingProgram`]; `Ok(Err(reason))` when it cannot read the file.
pub(crate) fn ffprobe(
    args: impl IntoIterator<Item = OsString>,
) -> Result<Result<Vec<u8>, String>, DeviceError> {
    let mut command = command("ffprobe");
    command
        .args(["-hide_banner", "-loglevel", "error"])
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let guard = Guard::tied();
    guard.put_on(&mut command);
    let mut child = command.spawn().map_err(|error| not_started("ffprobe", error))?;
    guard.calm(child.id());
    let log = Log::of(child.stderr.take());
    let output = child.stdout.take().expect("the output was asked for as a pipe");
    let mut probe = Ffmpeg { child, log };
    let io = |source| DeviceError::Io { what: "ffprobe".to_owned(), doing: "reading", source };
    let Some(answer) = read_until(output, Instant::now() + PROBE_PATIENCE).map_err(io)? else {
        // Dropped, it is killed.
        return Ok(Err(format!("it told nothing in {} seconds", PROBE_PATIENCE.as_secs())));
    };
    let (status, reason) = probe.wait().map_err(io)?;
    if status.success() {
        return Ok(Ok(answer));
    }
    Ok(Err(reason.unwrap_or_else(|| status.to_string())))
}

/// All that comes out of a pipe until `deadline`; `None` if it is not all by then, or too much.
fn read_until(mut pipe: ChildStdout, deadline: Instant) -> io::Result<Option<Vec<u8>>> {
    let mut answer = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() || answer.len() as u64 > PROBE_MAX_BYTES {
            return Ok(None);
        }
        if crate::wait_readable(&[pipe.as_fd()], Some(left)) == 0 {
            continue;
        }
        let mut piece = [0; 4096];
        match pipe.read(&mut piece)? {
            0 => return Ok(Some(answer)),
            bytes => answer.extend_from_slice(&piece[..bytes]),
        }
    }
}

/// What `ffmpeg -encoders` lists.
pub(crate) fn encoders() -> Result<String, DeviceError> {
    let output = command("ffmpeg")
        .args(["-hide_banner", "-loglevel", "error", "-encoders"])
        .stdin(Stdio::null())
        .output()
        .map_err(|error| not_started("ffmpeg", error))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A file as FFmpeg is told of it: never an option (`-x.mp4`), never another protocol
/// (`concat:a`, `http://...`).
pub(crate) fn file_url(path: &Path) -> OsString {
    let mut url = OsString::from("file:");
    url.push(path);
    url
}

fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    // Ctrl-C goes to the terminal's whole group; only greenroom is to hear it, and ends its
    // children in order.
    command.process_group(0).stderr(Stdio::piped());
    command
}

fn not_started(program: &str, error: io::Error) -> DeviceError {
    if error.kind() == io::ErrorKind::NotFound {
        return DeviceError::MissingProgram {
            program: program.to_owned(),
            purpose: "video files".to_owned(),
            command: "sudo apt install ffmpeg".to_owned(),
        };
    }
    DeviceError::Io { what: program.to_owned(), doing: "starting it", source: error }
}

/// Reads what a child says, always, so that it never blocks on a full pipe; keeps the end.
#[derive(Debug)]
struct Log {
    tail: Arc<Mutex<Tail>>,
    thread: Option<JoinHandle<()>>,
}

impl Log {
    fn of(stderr: Option<ChildStderr>) -> Self {
        let tail = Arc::new(Mutex::new(Tail::default()));
        let thread = stderr.and_then(|stderr| {
            let tail = Arc::clone(&tail);
            let builder = thread::Builder::new().name("ffmpeg log".into());
            // Without a thread the pipe is closed, so that the child does not wait at it; its reason is lost.
            builder.spawn(move || follow(stderr, &tail)).ok()
        });
        Self { tail, thread }
    }

    /// The last reason, after the child has ended.
    fn finish(&mut self) -> Option<String> {
        if let Some(thread) = self.thread.take() {
            // It can only have ended by reaching the end of the pipe.
            let _ = thread.join();
        }
        self.tail.lock().unwrap_or_else(PoisonError::into_inner).reason()
    }
}

pub(crate) fn follow(stderr: impl Read, tail: &Mutex<Tail>) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    // A line without an end is taken in pieces: memory stays bounded.
    while let Ok(1..) = reader.by_ref().take(LINE_MAX_BYTES).read_until(b'\n', &mut line) {
        let text = String::from_utf8_lossy(&line);
        tracing::trace!(ffmpeg = %text.trim_end());
        tail.lock().unwrap_or_else(PoisonError::into_inner).push(&text);
        line.clear();
    }
}

const LINE_MAX_BYTES: u64 = 1024;
const LINES_KEPT: usize = 8;

/// The last lines of what FFmpeg says.
#[derive(Debug, Default)]
pub(crate) struct Tail(VecDeque<String>);

impl Tail {
    fn push(&mut self, line: &str) {
        let line = printable(line.trim());
        if line.is_empty() {
            return;
        }
        if self.0.len() == LINES_KEPT {
            self.0.pop_front();
        }
        self.0.push_back(line);
    }

    /// The last line that says why, without FFmpeg's addresses and the file's name.
    pub fn reason(&self) -> Option<String> {
        let reasons = self.0.iter().rev().map(|line| strip(line)).filter(|line| !line.is_empty());
        let says_why = |reason: &&str| !CONSEQUENCES.iter().any(|text| reason.contains(text));
        let last = reasons.clone().next();
        reasons.clone().find(says_why).or(last).map(str::to_owned)
    }
}

/// What FFmpeg adds to any reason.
const CONSEQUENCES: [&str; 7] = [
    "Cannot determine format of input stream",
    "Error marking filters as finished",
    "Invalid data found when processing input",
    "Error while decoding stream",
    "Conversion failed",
    "Error writing trailer",
    "Invalid argument",
];

fn strip(line: &str) -> &str {
    let line = match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((_, text)) => text,
        None => line,
    };
    match line.strip_prefix("file:") {
        Some(rest) => rest.rsplit_once(": ").map_or(rest, |(_, reason)| reason),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reason(lines: &[&str]) -> Option<String> {
        let mut tail = Tail::default();
        lines.iter().for_each(|line| tail.push(line));
        tail.reason()
    }

    #[test]
    fn the_reason_is_the_last_line_that_says_why() {
        let cut = [
            "[mov,mp4,m4a,3gp,3g2,mj2 @ 0x55d0c8] moov atom not found",
            "file:/tmp/a: b.mp4: Invalid data found when processing input",
        ];
        assert_eq!(reason(&cut).as_deref(), Some("moov atom not found"));
        assert_eq!(reason(&cut[1..]).as_deref(), Some("Invalid data found when processing input"));
        assert_eq!(reason(&["file:a: Is a directory", ""]).as_deref(), Some("Is a directory"));
        assert_eq!(reason(&["[a] why", "file:"]).as_deref(), Some("why"));
        assert_eq!(reason(&["file:"]), None);
        assert_eq!(reason(&["\x1b[31mbad\0"]).as_deref(), Some("\\u{1b}[31mbad\\u{0}"));
        assert_eq!(reason(&[]), None);
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut tail = Tail::default();
        (0..1000).for_each(|line| tail.push(&format!("line {line}")));
        assert_eq!((tail.0.len(), tail.reason().as_deref()), (LINES_KEPT, Some("line 999")));
    }
}
