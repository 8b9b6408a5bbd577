//! A greenroom on air, for the tests that change what it shows.
#![allow(dead_code, clippy::unwrap_used)]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub mod bus;
pub mod preview;
pub mod socket;

/// Longest wait for something that comes soon on any machine, however slow or busy.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Y, U, V in the upper left corner of the newest frame, where nobody is.
pub type Corner = Arc<Mutex<Option<[u8; 3]>>>;
/// The corner of every frame so far.
type History = Arc<Mutex<Vec<[u8; 3]>>>;

/// A greenroom that plays a room with nobody in it, and its newest frame.
pub struct Air {
    pub folder: TempDir,
    pub daemon: Child,
    corner: Corner,
    history: History,
}

/// Where the log of a greenroom goes.
pub enum Stderr {
    /// Into the file `log`.
    Log,
    To(Stdio),
    /// Nowhere: the descriptor is closed.
    Closed,
}

pub const GREY: [u8; 3] = [126, 128, 128];
pub const RED: &str = "#c81e1e";
pub const BLUE: &str = "#1e3cc8";

const USUAL: [&str; 6] = ["--camera", "room.mkv", "--output", "-", "--model", "landscape"];

impl Air {
    /// With a configuration, from that camera to standard output.
    pub fn new(config: &str, args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("config.toml"), config).unwrap();
        let args = [&USUAL[..], &["--config", "config.toml"], args].concat();
        Self::start(folder, &args, &[])
    }

    /// With these arguments and variables, in `folder`, where that camera is put.
    pub fn start(folder: TempDir, args: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::start_heard_by(folder, args, variables, Stderr::Log)
    }

    /// The same, with another standard error.
    pub fn start_heard_by(
        folder: TempDir,
        args: &[&str],
        variables: &[(&str, &str)],
        stderr: Stderr,
    ) -> Self {
        let at = |name: &str| folder.path().join(name);
        let mut ffmpeg = Command::new("ffmpeg");
        let source = "color=c=gray:s=160x90:r=30:d=2";
        ffmpeg.args([
            "-v", "error", "-f", "lavfi", "-i", source, "-c:v", "ffv1", "-pix_fmt", "yuv420p",
        ]);
        assert!(ffmpeg.arg(at("room.mkv")).status().unwrap().success());
        picture(&at("red.png"), RED);
        picture(&at("blue.png"), BLUE);
        let (daemon, corner, history) = air(folder.path(), args, variables, stderr);
        Self { folder, daemon, corner, history }
    }

    /// Another greenroom in the place of one that has ended, with the usual arguments and these.
    pub fn start_again(&mut self, args: &[&str]) {
        let args = [&USUAL[..], args].concat();
        let begun = air(self.folder.path(), &args, &[], Stderr::Log);
        (self.daemon, self.corner, self.history) = begun;
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn ask(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_greenroom"));
        command.args(args).args(["--socket", "socket"]).current_dir(self.folder.path());
        command.env_remove("GREENROOM_LOG").output().unwrap()
    }

    pub fn tell(&self, args: &[&str]) {
        let answer = self.ask(args);
        assert!(answer.status.success(), "{args:?}: {answer:?}");
    }

    /// The one sentence that refuses.
    pub fn refusal(&self, args: &[&str]) -> String {
        let answer = self.ask(args);
        assert!(!answer.status.success(), "{args:?}");
        let said = String::from_utf8(answer.stderr).unwrap();
        assert_eq!(said.lines().count(), 1, "{said}");
        said
    }

    pub fn wait_for(&self, wanted: [u8; 3]) {
        let is_near = |seen: [u8; 3]| seen.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) <= 4);
        self.wait_until(&format!("{wanted:?}"), |air| air.corner().is_some_and(is_near));
    }

    /// Until the newest frame is the placeholder. (The pipe may hold some of before, whatever was answered.)
    pub fn wait_for_placeholder(&self) {
        self.wait_until("the placeholder", |air| air.corner().is_some_and(is_placeholder));
    }

    pub fn wait_until(&self, what: &str, is_true: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_true(self) {
            let log = fs::read_to_string(self.at("log")).unwrap();
            assert!(Instant::now() < deadline, "never {what}; {:?}\n{log}", self.corner());
            thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn corner(&self) -> Option<[u8; 3]> {
        *self.corner.lock().unwrap()
    }

    /// How many frames there were so far.
    pub fn frames(&self) -> usize {
        self.history.lock().unwrap().len()
    }

    /// The corners of the frames from number `first` on.
    pub fn corners_since(&self, first: usize) -> Vec<[u8; 3]> {
        self.history.lock().unwrap()[first..].to_vec()
    }

    pub fn log_has(&self, words: &str) -> usize {
        let log = fs::read_to_string(self.at("log")).unwrap();
        log.lines().filter(|line| line.contains(words)).count()
    }

    pub fn status(&self) -> serde_json::Value {
        let status = self.ask(&["status", "--json"]);
        assert!(status.status.success(), "{status:?}");
        serde_json::from_slice(&status.stdout).unwrap()
    }

    pub fn is_hidden_by(&self, reason: &str) -> bool {
        self.status()["hidden_by"].as_array().unwrap().iter().any(|hides| hides == reason)
    }

    /// Of the first output.
    pub fn scene(&self) -> serde_json::Value {
        self.status()["outputs"][0]["scene"].clone()
    }
}

impl Drop for Air {
    fn drop(&mut self) {
        let _ = self.daemon.kill();
        let _ = self.daemon.wait();
    }
}

/// A greenroom in `folder`, which has what it reads.
fn air(
    folder: &Path,
    args: &[&str],
    variables: &[(&str, &str)],
    stderr: Stderr,
) -> (Child, Corner, History) {
    let log = fs::File::create(folder.join("log")).unwrap();
    let mut command = greenroom_heard_by(match stderr {
        Stderr::Log => Stderr::To(log.into()),
        other => other,
    });
    command.args(["run", "--socket", "socket"]).args(args).envs(variables.iter().copied());
    command.current_dir(folder).env_remove("GREENROOM_LOG");
    // The configuration of whoever runs the tests is none of ours.
    command.env("XDG_CONFIG_HOME", folder);
    let mut daemon = command.stdout(Stdio::piped()).spawn().unwrap();
    let (corner, history) = (Corner::default(), History::default());
    let (pipe, ours) = (daemon.stdout.take().unwrap(), Arc::clone(&corner));
    let all = Arc::clone(&history);
    thread::spawn(move || read_corners(pipe, &ours, &all));
    (daemon, corner, history)
}

pub fn picture(path: &Path, colour: &str) {
    let [r, g, b] = [1, 3, 5].map(|at| u8::from_str_radix(&colour[at..at + 2], 16).unwrap());
    image::RgbImage::from_pixel(32, 18, image::Rgb([r, g, b])).save(path).unwrap();
}

/// Y, U, V of a colour as the output has it.
pub fn yuv(colour: &str) -> [u8; 3] {
    let yuv = greenroom_frame::Colour::WEBCAM.encode(colour.parse().unwrap());
    [yuv.y, yuv.u, yuv.v]
}

/// The binary, with that standard error.
pub fn greenroom_heard_by(stderr: Stderr) -> Command {
    let greenroom = env!("CARGO_BIN_EXE_greenroom");
    match stderr {
        Stderr::Log => unreachable!("the log of a folder"),
        Stderr::To(stderr) => {
            let mut command = Command::new(greenroom);
            command.stderr(stderr);
            command
        }
        Stderr::Closed => {
            let mut command = Command::new("sh");
            command.args(["-c", "exec \"$0\" \"$@\" 2>&-", greenroom]);
            command
        }
    }
}

/// Whether that is the corner of greenroom's placeholder, a dark green.
pub fn is_placeholder([y, u, v]: [u8; 3]) -> bool {
    y < 80 && u < 128 && v < 128
}

fn read_corners(pipe: impl Read, corner: &Corner, all: &Mutex<Vec<[u8; 3]>>) {
    let mut pipe = BufReader::new(pipe);
    let mut line = String::new();
    pipe.read_line(&mut line).unwrap();
    assert!(line.contains("W160 H90") && line.contains("C422"), "{line}");
    let mut frame = vec![0; 160 * 90 * 2];
    while pipe.read_line(&mut line).is_ok_and(|read| read > 0)
        && pipe.read_exact(&mut frame).is_ok()
    {
        // Sample 4, 4 of each plane.
        let seen = [4 * 160 + 4, 160 * 90 + 4 * 80 + 4, 160 * 90 * 3 / 2 + 4 * 80 + 4];
        let seen = seen.map(|at| frame[at]);
        all.lock().unwrap().push(seen);
        *corner.lock().unwrap() = Some(seen);
    }
}
