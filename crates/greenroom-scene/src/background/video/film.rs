//! One pass of a clip, whoever decodes it.

use std::time::Duration;

use greenroom_device::{Clip, ClipFit, ClipNext, ClipReader, ClipSource, Wake};
use greenroom_frame::Frame;

use super::webp::{AnimatedWebP, WebPPass};
use crate::background::kind::FileKind;
use crate::{Fit, SceneError, SceneFormat};

/// A clip that can be played, again and again.
pub(super) enum Film {
    Clip(Clip),
    /// Which Debian's FFmpeg cannot decode.
    WebP(AnimatedWebP),
}

/// A clip that is being played once.
pub(super) enum Pass {
    Clip(Box<ClipReader>),
    WebP(WebPPass),
}

impl Film {
    /// Asks what it is, until `stop` rings.
    pub(super) fn open(
        source: &ClipSource,
        fit: Fit,
        scene_format: SceneFormat,
        stop: &Wake,
    ) -> Result<Self, SceneError> {
        if let ClipSource::File(path) = source
            && FileKind::of(path) == FileKind::AnimatedWebP
        {
            return Ok(Self::WebP(AnimatedWebP::open(path, fit, scene_format.shape)?));
        }
        let fit = match fit {
            Fit::Cover => ClipFit::Cover,
            Fit::Contain => ClipFit::Contain,
            Fit::Stretch => ClipFit::Stretch,
        };
        Ok(Self::Clip(Clip::open(source.clone(), scene_format.shape, fit, stop)?))
    }

    pub(super) fn play(&self) -> Result<Pass, SceneError> {
        Ok(match self {
            Self::Clip(clip) => Pass::Clip(Box::new(clip.play()?)),
            Self::WebP(webp) => Pass::WebP(webp.play()?),
        })
    }

    /// As [`play`](Self::play) from a time on; `None` where that is not possible.
    pub(super) fn play_from(
        &self,
        from: Duration,
        hurried: bool,
    ) -> Result<Option<Pass>, SceneError> {
        Ok(match self {
            Self::Clip(clip) => Some(Pass::Clip(Box::new(clip.play_from(from, hurried)?))),
            Self::WebP(_) => None,
        })
    }

    /// As far as it is known before it is decoded.
    pub(super) fn expected_frames(&self) -> Option<u64> {
        match self {
            Self::Clip(clip) => clip.expected_frames(),
            Self::WebP(_) => None,
        }
    }

    /// As far as it is known before it is decoded.
    pub(super) fn expected_length(&self) -> Option<Duration> {
        match self {
            Self::Clip(clip) => clip.expected_length(),
            Self::WebP(_) => None,
        }
    }
}

impl Pass {
    /// See [`ClipReader::next_frame`].
    pub(super) fn next_frame(
        &mut self,
        into: &mut Frame,
        wake: &Wake,
        patience: Duration,
    ) -> Result<ClipNext, SceneError> {
        match self {
            Self::Clip(reader) => Ok(reader.next_frame(into, wake, patience)?),
            Self::WebP(pass) => pass.next_frame(into),
        }
    }
}
