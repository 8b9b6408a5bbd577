//! Animated WebP.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use greenroom_device::ClipNext;
use greenroom_frame::{Frame, FrameShape};
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, Frames, ImageDecoder};

use crate::background::picture::MAX_BYTES;
use crate::background::picture::{check_size, encode, explain, fitted, over_black};
use crate::{Fit, SceneError};

/// The file, whole in memory as it came.
pub(super) struct AnimatedWebP {
    path: PathBuf,
    bytes: Arc<[u8]>,
    fit: Fit,
    shape: FrameShape,
}

/// See [`AnimatedWebP::play`].
pub(super) struct WebPPass {
    path: PathBuf,
    frames: Frames<'static>,
    fit: Fit,
    shape: FrameShape,
    /// When the next frame is due: the sum of the delays so far.
    at: Duration,
}

/// Browsers show a frame with this delay or less for [`SLOW`]: old tools wrote 0 for "as ever".
const TOO_QUICK: Duration = Duration::from_millis(10);
const SLOW: Duration = Duration::from_millis(100);

impl AnimatedWebP {
    pub(super) fn open(path: &Path, fit: Fit, shape: FrameShape) -> Result<Self, SceneError> {
        let unreadable = |why| SceneError::PictureUnreadable { path: path.to_owned(), why };
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(unreadable)?;
        file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
        // RIFF counts what is behind its first eight bytes.
        let told = bytes.get(4..8).and_then(|size| size.first_chunk().copied());
        let told = told.map_or(u64::MAX, |size| 8 + u64::from(u32::from_le_bytes(size)));
        if told > bytes.len() as u64 {
            let why = "it ends before its pictures do".to_owned();
            return Err(SceneError::PictureBroken { path: path.to_owned(), why });
        }
        Ok(Self { path: path.to_owned(), bytes: bytes.into(), fit, shape })
    }

    /// Decodes it from the begin, a frame each time one is asked for.
    pub(super) fn play(&self) -> Result<WebPPass, SceneError> {
        let decoder = WebPDecoder::new(Cursor::new(Arc::clone(&self.bytes)))
            .map_err(|error| explain(&self.path, error))?;
        // Asked before a pixel is decoded; twice, since the decoder keeps the canvas besides.
        check_size(&self.path, decoder.dimensions(), 2 * decoder.total_bytes())?;
        Ok(WebPPass {
            path: self.path.clone(),
            frames: decoder.into_frames(),
            fit: self.fit,
            shape: self.shape,
            at: Duration::ZERO,
        })
    }
}

impl WebPPass {
    pub(super) fn next_frame(&mut self, into: &mut Frame) -> Result<ClipNext, SceneError> {
        let Some(frame) = self.frames.next() else { return Ok(ClipNext::Ended(self.at)) };
        let frame = frame.map_err(|error| explain(&self.path, error))?;
        let delay = Duration::from(frame.delay());
        let FrameShape { format, size, colour } = self.shape;
        into.reshape(format, size, colour)?;
        encode(&fitted(&over_black(frame.into_buffer().into()), size, self.fit), into);
        let at = self.at;
        self.at += if delay <= TOO_QUICK { SLOW } else { delay };
        Ok(ClipNext::Frame(at))
    }
}
