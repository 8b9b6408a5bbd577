use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};

use super::InferenceId;
use crate::MatteError;

/// A canvas on which the answer of an inference was laid and filtered: while that answer holds, it is done once.
///
/// What the filter remembers would hardly change with the same mask again: what it has kept stays kept. It could only keep more,
/// a small island beside one that is kept now.
pub(super) struct CanvasCache {
    of: Option<InferenceId>,
    canvas: Frame,
}

impl CanvasCache {
    /// # Errors
    /// [`MatteError::Frame`] if `canvas` is no usable picture size.
    pub(super) fn new(canvas: SizePx) -> Result<Self, MatteError> {
        Ok(Self { of: None, canvas: Frame::new(PixelFormat::Grey, canvas, Colour::JPEG)? })
    }

    /// What was kept is not right any more.
    pub(super) fn clear(&mut self) {
        self.of = None;
    }

    /// The canvas of the inference whose answer is `held` for a later picture, if it was kept.
    pub(super) fn get(&self, held: Option<InferenceId>) -> Option<&Frame> {
        (held.is_some() && held == self.of).then_some(&self.canvas)
    }

    /// Keeps `canvas`, that of the inference whose answer is `held` for a later picture. While something moves no answer is, and
    /// nothing is copied.
    pub(super) fn keep(&mut self, held: Option<InferenceId>, canvas: &Frame) {
        if held.is_some() {
            self.of = held;
            self.canvas.bytes_mut().copy_from_slice(canvas.bytes());
        }
    }
}
