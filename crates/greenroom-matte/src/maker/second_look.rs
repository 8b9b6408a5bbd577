use greenroom_frame::{Colour, Frame, PixelFormat, PlaneScaler};

use crate::MatteError;
use crate::look::Look;

/// Joins two looks at the same frame, in different sizes: what one of them sees by mistake counts half.
///
/// Of a picture that is squeezed more, a network sees more of who is half out of it, and more persons in furniture.
pub(super) struct SecondLook {
    scaler: PlaneScaler,
    /// The second look's alpha, at the first one's size.
    scaled: Frame,
}

impl SecondLook {
    /// # Errors
    /// [`MatteError::Frame`] if one of them has no usable size.
    pub(super) fn new(second: &Look, first: &Look) -> Result<Self, MatteError> {
        let size = first.alpha.size();
        Ok(Self {
            scaler: PlaneScaler::new(second.alpha.size(), size)?,
            scaled: Frame::new(PixelFormat::Grey, size, Colour::JPEG)?,
        })
    }

    /// Makes the alpha of `first` the mean of both.
    pub(super) fn join(&mut self, second: &Look, first: &mut Look) {
        let scaled = &mut self.scaled;
        self.scaler.scale(second.alpha.view().plane(0), &mut scaled.view_mut().plane_mut(0));
        for (level, other) in first.alpha.bytes_mut().iter_mut().zip(scaled.bytes()) {
            *level = level.midpoint(*other);
        }
    }
}
