use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};

use super::InferenceId;
use crate::MatteError;

/// A canvas on which the answer of an inference was laid, without islands: while nothing moves, that is done once.
pub(super) struct Laid {
    of: Option<InferenceId>,
    canvas: Frame,
}

impl Laid {
    /// # Errors
    /// [`MatteError::Frame`] if `canvas` is no usable picture size.
    pub(super) fn new(canvas: SizePx) -> Result<Self, MatteError> {
        Ok(Self { of: None, canvas: Frame::new(PixelFormat::Grey, canvas, Colour::JPEG)? })
    }

    /// The next picture has nothing to do with those before.
    pub(super) fn reset(&mut self) {
        self.of = None;
    }

    /// The canvas with the answer of the inference that is `still` right, if it was laid before.
    pub(super) fn get(&self, still: Option<InferenceId>) -> Option<&Frame> {
        (still.is_some() && still == self.of).then_some(&self.canvas)
    }

    /// The answer of the inference that is `still` right was laid onto `canvas`. That of one whose picture is the newest
    /// is not copied: in the next one, something may have moved.
    pub(super) fn note(&mut self, still: Option<InferenceId>, canvas: &Frame) {
        if still.is_some() {
            self.of = still;
            self.canvas.bytes_mut().copy_from_slice(canvas.bytes());
        }
    }
}
