//! Clips: videos that FFmpeg decodes into frames of a wanted shape, each with its own time.

pub(crate) mod demux;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
pub(crate) mod plan;
mod reader;
pub(crate) mod whole;

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use greenroom_frame::FrameShape;

pub use self::reader::{ClipNext, ClipReader};
use crate::ffmpeg::{Input, SCHEMES, ffprobe, open_file, printable_address};
use crate::file::not_opened;
use crate::file::probe::QUESTION;
use crate::{DeviceError, Wake};

/// Where a clip comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClipSource {
    /// A video file.
    File(PathBuf),
    /// Numbered pictures, shown at 25 a second: a path whose last part has one `%d` or `%03d` in
    /// it, as FFmpeg's `image2` takes it.
    Pattern(PathBuf),
    /// `http`, `https`, `rtsp`, `rtmp` or `rtmps`: the only kind for which FFmpeg may use the
    /// network (and then no file, and no playlist that leads elsewhere).
    Url(String),
}

/// How a clip of another shape is fitted into a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClipFit {
    /// Fills the frame; what stands out is cut off evenly.
    Cover,
    /// All of the picture, with black bars.
    Contain,
    /// All of the picture over all of the frame, distorted if need be.
    Stretch,
}

/// A clip that FFmpeg knows how to decode. Nothing is decoded yet.
#[derive(Debug, Clone)]
pub struct Clip {
    name: String,
    source: ClipSource,
    plan: plan::Plan,
}

const REMEDY: &str = "name a video file";

impl Clip {
    /// Asks FFmpeg about the clip (up to 20 s for an address) and plans how its frames become ones
    /// of `shape`. Given up when `stop` rings.
    ///
    /// # Errors
    /// [`DeviceError::NotFound`], [`DeviceError::Denied`], [`DeviceError::WrongKind`] if it is no
    /// file, [`DeviceError::Unsupported`] with FFmpeg's reason if it is no video, or `shape` not
    /// I420 or I422, [`DeviceError::Broken`] if the file is shorter than it says itself,
    /// [`DeviceError::MissingProgram`] without FFmpeg.
    pub fn open(
        source: ClipSource,
        shape: FrameShape,
        fit: ClipFit,
        stop: &Wake,
    ) -> Result<Self, DeviceError> {
        let name = source.to_string();
        let unsupported = |why: String| DeviceError::Unsupported {
            what: name.clone(),
            why: format!("{why}; name another file"),
        };
        if let ClipSource::File(path) = &source {
            check_whole(path, &name)?;
        }
        let json = ffprobe(&QUESTION, source.input(), Some(stop))?
            .map_err(|reason| unsupported(format!("FFmpeg cannot read it as video ({reason})")))?;
        let mut plan = plan::Plan::new(&json, shape, fit).map_err(unsupported)?;
        if matches!(source, ClipSource::Url(_)) {
            plan.forget_length();
        }
        tracing::debug!(clip = %name, filters = %plan.filters, rate = ?plan.constant_rate, "planned");
        Ok(Self { name, source, plan })
    }

    /// Where it comes from, for people: without the password of an address.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many frames it has, as far as FFmpeg tells before decoding: not exact, and unknown for
    /// streams.
    pub fn expected_frames(&self) -> Option<u64> {
        self.plan.frames
    }

    /// How long it is, as far as FFmpeg tells before decoding; `None` for streams.
    pub fn expected_length(&self) -> Option<Duration> {
        self.plan.lengths[0].or(self.plan.lengths[1])
    }

    /// Starts an `ffmpeg` that decodes the clip once, from its begin.
    ///
    /// The child is killed when the thread that calls this ends.
    ///
    /// # Errors
    /// [`DeviceError::MissingProgram`], [`DeviceError::Io`].
    pub fn play(&self) -> Result<ClipReader, DeviceError> {
        ClipReader::start(self, Duration::ZERO, false)
    }

    /// As [`play`](Self::play), from the frame that is shown at `from` on; if `hurried`, only
    /// frames that stand alone are decoded (key frames), for a machine that is too slow for all.
    ///
    /// # Errors
    /// As [`play`](Self::play).
    pub fn play_from(&self, from: Duration, hurried: bool) -> Result<ClipReader, DeviceError> {
        ClipReader::start(self, from, hurried)
    }
}

/// That it is a file, may be read, and is as long as it says.
fn check_whole(path: &Path, name: &str) -> Result<(), DeviceError> {
    let file = open_file(path, REMEDY)?;
    let found = file.metadata().map_err(|error| not_opened(name, REMEDY, error))?;
    whole::check(&file, found.len()).map_err(|why| DeviceError::Broken {
        what: name.to_owned(),
        why: format!("{why}; copy it again or name another file"),
    })
}

impl fmt::Display for ClipSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) | Self::Pattern(path) => path.display().fmt(f),
            Self::Url(url) => f.pad(&printable_address(url)),
        }
    }
}

impl ClipSource {
    /// What FFmpeg may open for it.
    fn input(&self) -> Input<'_> {
        match self {
            Self::File(path) => Input::File(path),
            Self::Pattern(path) => Input::Pattern(path),
            Self::Url(url) => Input::Address(url),
        }
    }

    /// Whether `text` is an address (`scheme://...`), of whatever scheme.
    pub fn is_url(text: &str) -> bool {
        text.split_once("://").is_some_and(|(scheme, _)| {
            !scheme.is_empty() && scheme.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'+')
        })
    }

    /// Whether `path` stands for numbered pictures: its last part has one `%d`, `%3d` or `%03d`.
    pub fn is_pattern(path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut parts = name.split('%');
        let (Some(_), Some(behind), None) = (parts.next(), parts.next(), parts.next()) else {
            return false;
        };
        let digits = behind.bytes().take_while(u8::is_ascii_digit).count();
        // FFmpeg counts with at most so many.
        digits <= 2 && behind[digits..].starts_with('d')
    }
}

impl FromStr for ClipSource {
    type Err = DeviceError;

    /// An address, a pattern of numbered pictures (unless a file of that very name exists), else a
    /// file. Whether it exists is not asked.
    fn from_str(text: &str) -> Result<Self, DeviceError> {
        if Self::is_url(text) {
            let scheme = text.split(':').next().unwrap_or_default().to_ascii_lowercase();
            if SCHEMES.contains(&scheme.as_str()) {
                return Ok(Self::Url(text.to_owned()));
            }
            return Err(DeviceError::Unsupported {
                what: Self::Url(text.to_owned()).to_string(),
                why: format!("its scheme is none of {}; write one of them", SCHEMES.join(", ")),
            });
        }
        let path = PathBuf::from(text);
        let is_pattern = Self::is_pattern(&path) && !path.exists();
        Ok(if is_pattern { Self::Pattern(path) } else { Self::File(path) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Result<ClipSource, DeviceError> {
        text.parse()
    }

    #[test]
    fn a_text_is_an_address_a_pattern_or_a_file() {
        for address in ["http://a/b.mp4", "https://a", "rtsp://cam:554/x", "RTMP://a"] {
            assert_eq!(source(address).unwrap(), ClipSource::Url(address.into()));
        }
        for address in ["file:///etc/passwd", "concat://a", "gopher://x"] {
            let error = source(address).unwrap_err().to_string();
            assert!(error.contains("none of http, https"), "{error}");
        }
        for pattern in ["a/%d.png", "%03d.jpg", "shot-%4d.webp"] {
            assert_eq!(source(pattern).unwrap(), ClipSource::Pattern(pattern.into()));
        }
        for file in ["a.mp4", "50%.mp4", "%d/a.png", "%d%d.png", "a%s.png", "a:b", "%0000d.png"] {
            assert_eq!(source(file).unwrap(), ClipSource::File(file.into()), "{file}");
        }
    }
}
