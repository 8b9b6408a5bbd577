//! Videos in and out: FFmpeg reads and writes them.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

/// A grey video, whole: frames of `width * height` samples. As a matte 0 = room, 255 = person.
pub struct Mattes {
    pub width: usize,
    pub height: usize,
    pub samples: Vec<u8>,
}

impl Mattes {
    pub fn frames(&self) -> impl Iterator<Item = &[u8]> {
        self.samples.chunks_exact(self.width * self.height)
    }

    /// The last frame only.
    pub fn last(mut self) -> Self {
        let start = self.samples.len().saturating_sub(self.width * self.height);
        self.samples.drain(..start);
        self
    }
}

/// What a clip or a picture is called: its file's name without the ending.
pub fn name(clip: &Path) -> String {
    clip.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Reads a video as grey, full range: an alpha as it is, of a picture its luma.
pub fn read_grey(path: &Path) -> Result<Mattes> {
    let [width, height] = size(path)?;
    let samples = ffmpeg(path, &GREY)?;
    Ok(Mattes { width, height, samples })
}

/// As [`read_grey`], brought to another size: each sample is the mean of those that it covers.
pub fn read_grey_at(path: &Path, [width, height]: [usize; 2]) -> Result<Mattes> {
    let scale = format!("scale={width}:{height}:flags=area");
    let samples = ffmpeg(path, &[&["-vf", &scale], &GREY[..]].concat())?;
    Ok(Mattes { width, height, samples })
}

/// Each frame once: where one comes late FFmpeg would write the one before again.
const GREY: [&str; 7] = ["-fps_mode", "passthrough", "-pix_fmt", "gray", "-f", "rawvideo", "-"];

fn size(path: &Path) -> Result<[usize; 2]> {
    let entries = "stream=width,height";
    let output = Command::new("ffprobe")
        .args(["-v", "error", "-select_streams", "v:0", "-show_entries", entries, "-of", "csv=p=0"])
        .arg(path)
        .output()
        .context("cannot start ffprobe; is ffmpeg installed?")?;
    let text = String::from_utf8_lossy(&output.stdout);
    let Some((width, height)) = text.trim().split_once(',') else {
        bail!("{} is no video: {}", path.display(), String::from_utf8_lossy(&output.stderr).trim());
    };
    Ok([width.parse()?, height.parse()?])
}

/// What FFmpeg writes to its standard output when it reads `input`.
pub fn ffmpeg(input: &Path, options: &[&str]) -> Result<Vec<u8>> {
    ffmpeg_of(&[input], options)
}

/// As [`ffmpeg`], of several inputs.
pub fn ffmpeg_of(inputs: &[&Path], options: &[impl AsRef<OsStr>]) -> Result<Vec<u8>> {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-nostdin", "-y"]);
    for input in inputs {
        command.arg("-i").arg(input);
    }
    let output = command.args(options).output().context("cannot start ffmpeg; is it installed?")?;
    let names: Vec<_> = inputs.iter().map(|input| input.display().to_string()).collect();
    ensure!(
        output.status.success(),
        "FFmpeg fails on {}: {}",
        names.join(", "),
        String::from_utf8_lossy(&output.stderr).trim()
    );
    Ok(output.stdout)
}
