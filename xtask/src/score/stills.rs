//! Stills with a true alpha: each is scored by itself, as a camera that has been looking at it for a while sees it.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::media::{self, Mattes, ffmpeg_of, read_grey};

/// A picture, as a clip of its own, and its truth.
pub struct Still {
    /// The name without what counts it: `talk` of `talk_03.jpg`.
    pub group: String,
    /// The picture itself.
    pub picture: PathBuf,
    pub clip: PathBuf,
    pub truth: Mattes,
}

/// Frames that a still is shown for; the last one is scored. The network looks closer after a few, sees the whole again in
/// every 30th, and what it makes of a new window comes in slowly.
const FRAMES: usize = 40;

/// What makes a picture what a webcam has: 4:2:0, limited range.
pub const AS_A_WEBCAM: &str = "scale=out_color_matrix=bt601:out_range=tv,format=yuv420p";

/// The stills in `folder`: `NAME.jpg` with `NAME.alpha.png`.
pub fn read(folder: &Path, work: &Path) -> Result<Vec<Still>> {
    fs::create_dir_all(work).with_context(|| format!("cannot make {}", work.display()))?;
    let entries =
        fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let paths: Vec<PathBuf> =
        entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    let mut pictures: Vec<_> = paths
        .into_iter()
        .filter(|path| path.extension().is_some_and(|end| end == "jpg" || end == "png"))
        .filter(|path| path.with_extension("alpha.png").exists())
        .collect();
    pictures.sort();
    ensure!(!pictures.is_empty(), "{} has no NAME.jpg with a NAME.alpha.png", folder.display());
    pictures.iter().map(|picture| still(picture, work)).collect()
}

fn still(picture: &Path, work: &Path) -> Result<Still> {
    let name = media::name(picture);
    let clip = work.join(format!("{name}.mkv"));
    show(picture, &clip)?;
    let truth = read_grey(&picture.with_extension("alpha.png"))?;
    Ok(Still { group: group(&name).to_owned(), picture: picture.to_owned(), clip, truth })
}

/// Writes the clip in which a camera looks at `picture` for a while.
pub fn show(picture: &Path, clip: &Path) -> Result<()> {
    let filters = format!("{AS_A_WEBCAM},loop=loop={}:size=1,settb=1/30,setpts=N", FRAMES - 1);
    let words = ["-vf", &filters, "-fps_mode", "passthrough", "-c:v", "ffv1"];
    let mut words: Vec<_> = words.iter().map(OsString::from).collect();
    words.push(clip.into());
    ffmpeg_of(&[picture], &words)?;
    Ok(())
}

fn group(name: &str) -> &str {
    name.trim_end_matches(|letter: char| letter.is_ascii_digit()).trim_end_matches(['_', '-'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_what_stands_before_the_number() {
        assert_eq!(group("mdn_a_talk_03"), "mdn_a_talk");
        assert_eq!(group("hair-12"), "hair");
        assert_eq!(group("glasses"), "glasses");
    }
}
