//! What the whole program is given: clips that stand for the camera, all of 1280x720 and 30 frames a second, and a
//! configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::places::Places;

/// 1280x720 without borders, every frame shown for a 30th of a second: no frame comes twice, which would cost nothing.
const FILL: &str =
    "setpts=N/30/TB,scale=1280:720:force_original_aspect_ratio=increase,crop=1280:720";
/// As a webcam's MJPEG is.
const WEBCAM: &str = "scale=out_range=full:out_color_matrix=bt601,format=yuvj422p";
const MJPEG: [&str; 4] = ["-c:v", "mjpeg", "-q:v", "4"];

/// Clips, and a configuration.
pub(super) struct Clips {
    /// A file as most are: limited range, BT.709.
    pub(super) moving: PathBuf,
    /// Full range and BT.601, as a webcam's MJPEG.
    pub(super) full_range: PathBuf,
    /// One frame of it, again and again.
    pub(super) still: PathBuf,
    /// A configuration with the least quality.
    pub(super) fast: PathBuf,
}

impl Clips {
    pub(super) fn make(places: &Places, clip: Option<&Path>, folder: &Path) -> Result<Self> {
        let demo = places.repository.join("assets/footage/demo.mp4");
        let clip = clip.unwrap_or(&demo);
        let [moving, full_range, still] =
            ["moving", "full-range", "still"].map(|name| folder.join(name).with_extension("mkv"));
        let x264 = ["-c:v", "libx264", "-preset", "veryfast", "-crf", "16"];
        let limited = format!("{FILL},setparams=colorspace=bt709:range=limited");
        encode(clip, &limited, &x264, &moving)?;
        encode_as_webcam(clip, &full_range)?;
        encode(clip, &format!("{FILL},trim=end_frame=1,loop=299:1,setpts=N/30/TB"), &x264, &still)?;
        let fast = folder.join("fast.toml");
        fs::write(&fast, "[cut]\nquality = \"fast\"\n")?;
        Ok(Self { moving, full_range, still, fast })
    }
}

/// Ten seconds of `clip` as a webcam sends them.
///
/// # Errors
/// If FFmpeg is missing or cannot read it.
pub(crate) fn encode_as_webcam(clip: &Path, into: &Path) -> Result<()> {
    encode(clip, &format!("{FILL},{WEBCAM}"), &MJPEG, into)
}

fn encode(clip: &Path, filters: &str, options: &[&str], into: &Path) -> Result<()> {
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin", "-y", "-i"]).arg(clip);
    ffmpeg.args(["-an", "-t", "10", "-r", "30", "-vf", filters]).args(options).arg(into);
    let status = ffmpeg.status().context("cannot start ffmpeg; is it installed?")?;
    ensure!(status.success(), "FFmpeg cannot read {}", clip.display());
    Ok(())
}
