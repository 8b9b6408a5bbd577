//! What FFmpeg says on its standard error: kept short, without secrets, and searched for the reason
//! of a failure.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::process::ChildStderr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use crate::printable::printable;

/// Reads what a child says, always, so that it never blocks on a full pipe; keeps the end.
#[derive(Debug)]
pub(super) struct Log {
    tail: Arc<Mutex<Tail>>,
    thread: Option<JoinHandle<()>>,
}

impl Log {
    /// Follows `stderr` on a thread of its own.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn of(stderr: Option<ChildStderr>, secrets: Vec<Secret>) -> io::Result<Self> {
        let tail = Arc::new(Mutex::new(Tail::new(secrets)));
        let thread = stderr.map(|stderr| {
            let tail = Arc::clone(&tail);
            thread::Builder::new().name("ffmpeg log".into()).spawn(move || follow(stderr, &tail))
        });
        Ok(Self { tail, thread: thread.transpose()? })
    }

    /// What was said, once the child has ended.
    pub fn finish(&mut self) -> Said {
        if let Some(thread) = self.thread.take() {
            // It can only have ended by reaching the end of the pipe.
            let _ = thread.join();
        }
        let mut tail = self.tail.lock().unwrap_or_else(PoisonError::into_inner);
        tail.end();
        Said { reason: tail.reason(), lost_output: tail.lost_output }
    }
}

/// What a child said in all.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Said {
    /// Why it failed, if it said anything.
    pub reason: Option<String>,
    /// It could not write all of its output. FFmpeg 5 says so and ends with 0 all the same.
    pub lost_output: bool,
}

pub(crate) fn follow(mut stderr: impl Read, tail: &Mutex<Tail>) {
    let mut piece = [0; 4096];
    loop {
        match stderr.read(&mut piece) {
            Ok(0) => break,
            Ok(bytes) => {
                tail.lock().unwrap_or_else(PoisonError::into_inner).feed(&piece[..bytes]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
}

/// A text that must not be told, and what is told instead.
#[derive(Debug, Clone)]
pub(super) struct Secret {
    pub text: String,
    pub instead: String,
}

/// Longest part of a line that is kept; the rest is dropped.
const LINE_MAX_BYTES: usize = 1024;
const LINES_KEPT: usize = 8;

/// The last lines of what FFmpeg says.
#[derive(Debug, Default)]
pub(crate) struct Tail {
    lines: VecDeque<String>,
    /// The line that is coming in.
    line: Vec<u8>,
    is_cut: bool,
    secrets: Vec<Secret>,
    lost_output: bool,
}

impl Tail {
    pub(super) fn new(secrets: Vec<Secret>) -> Self {
        Self { secrets, ..Self::default() }
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            let text = piece.strip_suffix(b"\n").unwrap_or(piece);
            let room = LINE_MAX_BYTES.saturating_sub(self.line.len());
            self.is_cut |= text.len() > room;
            self.line.extend_from_slice(&text[..text.len().min(room)]);
            if piece.ends_with(b"\n") {
                self.end();
            }
        }
    }

    /// No more comes of this line.
    pub fn end(&mut self) {
        let line = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&line);
        // A word that was cut may be the beginning of a secret.
        let text = match std::mem::take(&mut self.is_cut) {
            true => text.rsplit_once(' ').map_or("", |(whole_words, _)| whole_words),
            false => &text,
        };
        self.push(text);
    }

    fn push(&mut self, line: &str) {
        let mut line = line.trim().to_owned();
        for Secret { text, instead } in &self.secrets {
            line = line.replace(text, instead);
        }
        let line = printable(&line);
        if line.is_empty() {
            return;
        }
        tracing::trace!(ffmpeg = %line);
        self.lost_output |= LOST_OUTPUT.iter().any(|text| strip(&line).starts_with(text));
        if self.lines.len() == LINES_KEPT {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// The last line that says why, without FFmpeg's addresses and the file's name.
    pub fn reason(&self) -> Option<String> {
        if let Some(kind) = self.lines.iter().rev().find_map(|line| refused_kind(line)) {
            return Some(refusal(kind));
        }
        let reasons = self.lines.iter().rev().map(|line| strip(line));
        let reasons = reasons.filter(|line| !line.is_empty());
        let says_why = |reason: &&str| !CONSEQUENCES.iter().any(|text| reason.contains(text));
        let last = reasons.clone().next();
        reasons.clone().find(says_why).or(last).map(str::to_owned)
    }
}

/// How FFmpeg begins to say that its output is not whole.
const LOST_OUTPUT: [&str; 5] = [
    "Error closing file",
    "Error writing trailer",
    "av_interleaved_write_frame()",
    "Error submitting a packet to the muxer",
    "Error muxing a packet",
];

/// What FFmpeg adds to any reason.
const CONSEQUENCES: [&str; 9] = [
    "Cannot determine format of input stream",
    "Error marking filters as finished",
    "Invalid data found when processing input",
    "Error while decoding stream",
    "Conversion failed",
    "Error writing trailer",
    "Invalid argument",
    "Impossible to open",
    "Error opening input file",
];

/// The kind of file that FFmpeg took it for and that is not opened: `[hls @ 0x5e] Format not on
/// whitelist '...'`.
fn refused_kind(line: &str) -> Option<&str> {
    let (kind, rest) = line.strip_prefix('[')?.split_once(" @ ")?;
    rest.contains("] Format not on whitelist").then_some(kind)
}

/// Kinds of files that name other files.
const LISTS: [&str; 6] = ["hls", "dash", "concat", "sdp", "webm_dash_manifest", "imf"];

fn refusal(kind: &str) -> String {
    // FFmpeg prints several names of one kind as `hls,applehttp`.
    if kind.split(',').any(|kind| LISTS.contains(&kind)) {
        PLAYLIST.to_owned()
    } else {
        format!("it is no video and no picture; FFmpeg calls its kind {kind}")
    }
}

/// Why a list of other files is not opened.
pub(super) const PLAYLIST: &str =
    "it is a playlist, which names other files, and no video itself; name the video";

fn strip(line: &str) -> &str {
    let line = match line.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        Some((_, text)) => text,
        None => line,
    };
    match line.strip_prefix("file:").or(line.strip_prefix("pipe:")) {
        Some(rest) => rest.rsplit_once(": ").map_or(rest, |(_, reason)| reason),
        None => line.strip_prefix("Error opening input files: ").unwrap_or(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tail(lines: &[&str]) -> Tail {
        let mut tail = Tail::default();
        lines.iter().for_each(|line| tail.feed(format!("{line}\n").as_bytes()));
        tail
    }

    fn reason(lines: &[&str]) -> Option<String> {
        tail(lines).reason()
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
        let refused =
            ["[concat @ 0x1] Impossible to open 'http://a'", "pipe:5: Connection refused"];
        assert_eq!(reason(&refused).as_deref(), Some("Connection refused"));
    }

    #[test]
    fn a_playlist_is_called_one() {
        let refused = |kind: &str| {
            let line = format!("[{kind} @ 0x55] Format not on whitelist 'mov,matroska'");
            reason(&[&line, "file:/proc/self/fd/5: Invalid argument"]).unwrap()
        };
        for kind in ["hls", "dash", "concat", "hls,applehttp"] {
            assert!(refused(kind).contains("playlist"), "{kind}");
        }
        for kind in ["tty", "lrc", "srt"] {
            assert!(refused(kind).contains("no video"), "{kind}");
        }
    }

    #[test]
    fn lost_output_is_noticed() {
        assert!(tail(&["Error closing file file:a.part: No space left on device"]).lost_output);
        assert!(tail(&["[out#0/mp4 @ 0x1] Error writing trailer: No space left"]).lost_output);
        assert!(!tail(&["[h264 @ 0x1] error while decoding MB 3 4"]).lost_output);
    }

    #[test]
    fn only_the_last_lines_are_kept() {
        let mut tail = Tail::default();
        (0..1000).for_each(|line| tail.feed(format!("line {line}\n").as_bytes()));
        assert_eq!((tail.lines.len(), tail.reason().as_deref()), (LINES_KEPT, Some("line 999")));
        (0..1000).for_each(|_| tail.feed(&[b'x'; 5000]));
        assert!(tail.line.len() <= LINE_MAX_BYTES);
    }

    #[test]
    fn secrets_are_told_neither_whole_nor_in_part() {
        let (url, shown) = ("http://me:secret@cam/x?token=t0k", "http://cam/x");
        let secret =
            |text: &str, instead: &str| Secret { text: text.into(), instead: instead.into() };
        let mut tail = Tail::new(vec![secret(url, shown), secret("me:secret@", "")]);
        for line in [&format!("'{url}': refused"), "http://me:secret@cam/other", &"x ".repeat(2000)]
        {
            tail.feed(line.as_bytes());
            tail.feed(b"\n");
        }
        // Where a line is cut, a secret may be.
        tail.feed(format!("{} {url}\n", "y".repeat(LINE_MAX_BYTES - 15)).as_bytes());
        let told = format!("{:?}", tail.lines);
        assert!(!told.contains("secret") && !told.contains("t0k"), "{told}");
        assert!(!told.contains("http://me"), "{told}");
    }
}
