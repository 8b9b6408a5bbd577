use greenroom_frame::{Colour, Frame, FrameView, MatteView, PixelFormat, SizePx};
use greenroom_matte::{Guide, MatteError, RefineSteps, ScreenKey, Upscaler};

/// Brings a model's alpha to the size of a frame's planes.
pub struct MattePlanes {
    luma: (Upscaler, Frame),
    chroma: (Upscaler, Frame),
    key: Option<ScreenKey>,
    guide: Option<Guide>,
}

impl MattePlanes {
    /// Planes for frames of `size`; other sizes are adopted when they come. Of `steps`, `key`,
    /// `guide` and `spill` are those that are taken here.
    ///
    /// # Errors
    /// [`greenroom_frame::FrameError::BadSize`].
    pub fn new(size: SizePx, steps: RefineSteps) -> Result<Self, greenroom_frame::FrameError> {
        let plane = || Frame::new(PixelFormat::Grey, size, Colour::JPEG);
        Ok(Self {
            luma: (Upscaler::new(), plane()?),
            chroma: (Upscaler::new(), plane()?),
            key: steps.key.map(ScreenKey::new),
            guide: steps.guide.then(|| match steps.spill {
                true => Guide::new().with_spill(),
                false => Guide::new(),
            }),
        })
    }

    /// The next frame has nothing to do with those before.
    pub fn reset(&mut self) {
        if let Some(key) = &mut self.key {
            key.reset();
        }
    }

    /// Whether the room's colour is taken out of the edge, if that is among the steps.
    pub fn remove_spill(&mut self, on: bool) {
        if let Some(guide) = &mut self.guide {
            guide.remove_spill(on);
        }
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
        let Self { luma: (to_luma, luma), chroma: (to_chroma, chroma), key, guide } = self;
        let keyed = key.as_mut().map(|key| key.pull(&alpha, &frame)).transpose()?.flatten();
        let alpha = keyed.unwrap_or(alpha);
        if let Some(guide) = guide {
            guide.fit(&alpha, &frame, luma, chroma)?;
        } else {
            let chroma_size = frame.format().chroma().plane_size(frame.size());
            for (upscaler, plane, size) in
                [(to_luma, &mut *luma, frame.size()), (to_chroma, &mut *chroma, chroma_size)]
            {
                plane.reshape(PixelFormat::Grey, size, Colour::JPEG)?;
                upscaler.upscale(&alpha, &mut plane.view_mut())?;
            }
        }
        if let Some(key) = key {
            key.draw(&frame, luma, chroma);
        }
        let matte = MatteView::new(frame, luma.view(), chroma.view())?;
        Ok(matte.with_edge(guide.as_ref().and_then(Guide::edge)))
    }
}
