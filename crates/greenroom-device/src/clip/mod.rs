//! Clips: videos that FFmpeg decodes into frames of a wanted shape, each with its own time.

pub(crate) mod demux;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
pub(crate) mod plan;
mod reader;
mod source;
pub(crate) mod whole;

use std::path::Path;
use std::time::Duration;

use greenroom_frame::FrameShape;

pub use self::plan::ClipFit;
pub use self::reader::{ClipNext, ClipReader};
pub use self::source::ClipSource;
use crate::ffmpeg::{ffprobe, open_file};
use crate::file::probe::QUESTION;
use crate::file_refusal::not_opened;
use crate::{DeviceError, Wake};

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
