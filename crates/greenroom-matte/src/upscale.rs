use greenroom_frame::{FrameView, FrameViewMut, PixelFormat, PlaneScaler};

use crate::MatteError;

/// Brings an alpha to a picture's size. It keeps the tables for one pair of sizes, so let each
/// target size have an upscaler of its own.
#[derive(Debug, Default)]
pub struct Upscaler {
    scaler: Option<PlaneScaler>,
}

impl Upscaler {
    /// An upscaler without tables; they are made by the first alpha.
    pub fn new() -> Self {
        Self::default()
    }

    /// `into` becomes `alpha` at its own size: plain bilinear, half-pixel centres. Both are
    /// [`PixelFormat::Grey`]. Asks for memory only when the sizes are others than last time.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedFrame`] if one of them has another format.
    pub fn upscale(
        &mut self,
        alpha: &FrameView<'_>,
        into: &mut FrameViewMut<'_>,
    ) -> Result<(), MatteError> {
        for format in [alpha.format(), into.format()] {
            if format != PixelFormat::Grey {
                return Err(MatteError::UnsupportedAlpha { format });
            }
        }
        let sizes = (alpha.size(), into.size());
        let kept = self.scaler.take().filter(|scaler| (scaler.from(), scaler.to()) == sizes);
        let scaler = self.scaler.insert(match kept {
            Some(scaler) => scaler,
            None => PlaneScaler::new(sizes.0, sizes.1)?,
        });
        scaler.scale(alpha.plane(0), &mut into.plane_mut(0));
        Ok(())
    }
}
