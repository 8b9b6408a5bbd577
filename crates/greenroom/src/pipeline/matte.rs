use greenroom_frame::{Colour, Frame, FrameView, MatteView, PixelFormat, SizePx};
use greenroom_matte::{MatteError, MatteMaker, Upscaler};

use crate::settings::ModelChoice;

/// Finds the person in frames of whatever size comes: keeps one network, and makes another when
/// the frame's shape asks for it.
pub struct Matter {
    choice: ModelChoice,
    maker: Option<(SizePx, MatteMaker)>,
}

impl Matter {
    /// With the network that `choice` gives for frames of `size`.
    ///
    /// # Errors
    /// When a user's model file is not whole.
    pub fn new(choice: ModelChoice, size: SizePx) -> Result<Self, MatteError> {
        let maker = choice.build(size)?;
        tracing::debug!("model: {} for {size} frames", maker.description().name);
        Ok(Self { choice, maker: Some((size, maker)) })
    }

    /// The alpha of `frame` at the model's size: [`PixelFormat::Grey`], 0 = room, 255 = person.
    ///
    /// # Errors
    /// When the frame cannot be read or the network fails; the frame must then not be shown.
    pub fn alpha(&mut self, frame: FrameView<'_>) -> Result<&Frame, MatteError> {
        if self.maker.as_ref().is_none_or(|(size, _)| *size != frame.size()) {
            self.maker = None;
            self.maker = Some((frame.size(), self.choice.build(frame.size())?));
        }
        let (_, maker) = self.maker.as_mut().expect("made above");
        maker.matte(&frame)
    }
}

/// Brings a model's alpha to the size of a frame's planes.
pub struct MattePlanes {
    luma: (Upscaler, Frame),
    chroma: (Upscaler, Frame),
}

impl MattePlanes {
    /// Planes for frames of `size`; other sizes are adopted when they come.
    ///
    /// # Errors
    /// [`greenroom_frame::FrameError::BadSize`].
    pub fn new(size: SizePx) -> Result<Self, greenroom_frame::FrameError> {
        let plane = || Frame::new(PixelFormat::Grey, size, Colour::JPEG);
        Ok(Self { luma: (Upscaler::new(), plane()?), chroma: (Upscaler::new(), plane()?) })
    }

    /// The matte of `frame` from its `alpha` at the model's size.
    ///
    /// # Errors
    /// When alpha is no grey picture.
    pub fn fit(
        &mut self,
        alpha: FrameView<'_>,
        frame: FrameView<'_>,
    ) -> Result<MatteView<'_>, MatteError> {
        let chroma_size = frame.format().chroma().plane_size(frame.size());
        for ((upscaler, plane), size) in
            [(&mut self.luma, frame.size()), (&mut self.chroma, chroma_size)]
        {
            plane.reshape(PixelFormat::Grey, size, Colour::JPEG)?;
            upscaler.upscale(&alpha, &mut plane.view_mut())?;
        }
        Ok(MatteView::new(frame, self.luma.1.view(), self.chroma.1.view())?)
    }
}
