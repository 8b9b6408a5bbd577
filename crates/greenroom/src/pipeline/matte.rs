use greenroom_frame::{Colour, Frame, FrameView, MatteView, PixelFormat, SizePx};
use greenroom_matte::{Guide, MatteError, RefineSteps, Upscaler};

/// Brings a model's alpha to the size of a frame's planes.
pub struct MattePlanes {
    luma: (Upscaler, Frame),
    chroma: (Upscaler, Frame),
    guide: Option<Guide>,
}

impl MattePlanes {
    /// Planes for frames of `size`; other sizes are adopted when they come. Of `steps`, `guide` and
    /// `spill` are those that are taken here.
    ///
    /// # Errors
    /// [`greenroom_frame::FrameError::BadSize`].
    pub fn new(size: SizePx, steps: RefineSteps) -> Result<Self, greenroom_frame::FrameError> {
        let plane = || Frame::new(PixelFormat::Grey, size, Colour::JPEG);
        Ok(Self {
            luma: (Upscaler::new(), plane()?),
            chroma: (Upscaler::new(), plane()?),
            guide: steps.guide.then(|| match steps.spill {
                true => Guide::new().with_spill(),
                false => Guide::new(),
            }),
        })
    }

    /// The matte of `frame` from its `alpha` at the model's size.
    ///
    /// # Errors
    /// When alpha is no grey picture, or `frame` is not planar.
    pub fn fit(
        &mut self,
        alpha: FrameView<'_>,
        frame: FrameView<'_>,
    ) -> Result<MatteView<'_>, MatteError> {
        if let Some(guide) = &mut self.guide {
            guide.fit(&alpha, &frame, &mut self.luma.1, &mut self.chroma.1)?;
            let matte = MatteView::new(frame, self.luma.1.view(), self.chroma.1.view())?;
            return Ok(matte.with_edge(guide.edge()));
        }
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
