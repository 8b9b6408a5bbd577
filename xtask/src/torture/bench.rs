//! What all cases share: the program, the camera's clip, a clip as a background.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Result, ensure};
use greenroom_frame::Rgb8;

use super::fault::Fault;
use super::folder::{CaseFolder, open_to_all};
use super::frames::{BLUE, HEIGHT, RATE_FPS, ROOM, WIDTH};
use super::program::{End, PATIENCE, Program};

/// Frames of the camera's clip, which is played in a loop.
pub const CLIP_FRAMES: usize = 20;

/// See the module.
pub struct Bench {
    pub greenroom: PathBuf,
    pub folder: tempfile::TempDir,
}

impl Bench {
    pub fn new(greenroom: &Path) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        open_to_all(folder.path())?;
        // A program that another user may run, wherever it was built.
        let copy = folder.path().join("greenroom");
        std::fs::copy(greenroom, &copy)?;
        let bench = Self { greenroom: copy, folder };
        make_clip(&bench.room(), ROOM)?;
        make_clip(&bench.clip(), BLUE)?;
        Ok(bench)
    }

    /// The camera: nobody is there, and the room has a colour that must not be seen.
    pub fn room(&self) -> PathBuf {
        self.folder.path().join("room.mkv")
    }

    /// A background that is a clip.
    pub fn clip(&self) -> PathBuf {
        self.folder.path().join("blue.mkv")
    }

    /// Words for `greenroom run`.
    pub fn run_words(&self, folder: &CaseFolder, output: &str) -> Vec<OsString> {
        let mut words = vec!["run".into(), "--camera".into(), self.room().into()];
        words.extend(["--output", output, "--size"].map(Into::into));
        words.push(format!("{WIDTH}x{HEIGHT}").into());
        words.extend(["--config", "config.toml", "--socket"].map(Into::into));
        words.push(folder.place.path.clone().into());
        words.extend(SCENE.map(Into::into));
        words
    }

    /// Words for `greenroom render`.
    pub fn render_words(&self, output: &str) -> Vec<OsString> {
        let mut words = vec!["render".into(), self.room().into(), output.into()];
        words.extend(["--config", "config.toml"].map(Into::into));
        words.extend(SCENE.map(Into::into));
        words
    }

    /// Runs a client to its end. `None`: it hangs.
    pub fn ask(&self, folder: &CaseFolder, fault: &Fault, words: &[&str]) -> Result<Option<End>> {
        let mut args: Vec<OsString> = words.iter().map(Into::into).collect();
        args.push("--socket".into());
        args.push(folder.place.path.clone().into());
        let null = Stdio::null();
        Program::start(&self.greenroom, folder, fault, "client.log", &args, null)?.wait()
    }

    /// The same, again and again while there is no answer, or nobody can hear what there is instead.
    pub fn ask_patiently(
        &self,
        folder: &CaseFolder,
        fault: &Fault,
        words: &[&str],
    ) -> Result<Option<End>> {
        let may_wait = |end: &End| {
            let is_late = |said: &String| said.contains("does not answer");
            !end.is_success() && end.said.as_ref().is_none_or(is_late)
        };
        // A client gives up after some seconds of its own; the machine may be slower than that.
        let deadline = Instant::now() + PATIENCE;
        let mut answer = self.ask(folder, fault, words)?;
        while answer.as_ref().is_some_and(may_wait) && Instant::now() < deadline {
            answer = self.ask(folder, fault, words)?;
        }
        Ok(answer)
    }
}

/// The scene that every case begins with, and a network that costs little.
const SCENE: [&str; 4] = ["--background", "#00b140", "--model", "landscape"];

fn make_clip(path: &Path, Rgb8 { r, g, b }: Rgb8) -> Result<()> {
    let source = format!("color=c=0x{r:02x}{g:02x}{b:02x}:s={WIDTH}x{HEIGHT}:r={RATE_FPS}");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", &source]);
    ffmpeg.args(["-frames:v", &CLIP_FRAMES.to_string()]);
    let filter = "scale=out_color_matrix=bt601:out_range=tv,format=yuv420p";
    ffmpeg.args(["-vf", filter, "-c:v", "ffv1", "-colorspace", "smpte170m"]);
    ensure!(ffmpeg.arg(path).status()?.success(), "ffmpeg makes no clip");
    Ok(())
}
