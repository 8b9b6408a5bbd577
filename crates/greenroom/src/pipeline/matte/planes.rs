use greenroom_frame::{
    Colour, Frame, FrameError, FrameShape, FrameView, MatteView, PixelFormat, SizePx, unpack,
};
use greenroom_matte::{Guide, InferenceId, MatteError, RefineSteps, ScreenKey, Upscaler};

/// Brings a model's alpha to the size of a frame's planes.
pub struct MattePlanes {
    scaling: AlphaScaling,
    key: Option<ScreenKey>,
    fitted: Fitted,
}

/// How an alpha is brought to the planes' size.
enum AlphaScaling {
    /// Along the picture's edges.
    Guided(Box<Guide>),
    /// Luma's plane and chroma's.
    Bilinear(Box<[(Upscaler, Frame); 2]>),
}

impl AlphaScaling {
    fn guide(&self) -> Option<&Guide> {
        match self {
            Self::Guided(guide) => Some(guide),
            Self::Bilinear(_) => None,
        }
    }

    fn planes(&self) -> [FrameView<'_>; 2] {
        match self {
            Self::Guided(guide) => guide.planes(),
            Self::Bilinear(planes) => planes.each_ref().map(|(_, plane)| plane.view()),
        }
    }

    fn planes_mut(&mut self) -> [&mut Frame; 2] {
        match self {
            Self::Guided(guide) => guide.planes_mut(),
            Self::Bilinear(planes) => planes.each_mut().map(|(_, plane)| plane),
        }
    }

    fn fit(&mut self, alpha: &FrameView<'_>, frame: &FrameView<'_>) -> Result<(), MatteError> {
        let planes = match self {
            Self::Guided(guide) => return guide.fit(alpha, frame),
            Self::Bilinear(planes) => planes,
        };
        let chroma_size = frame.format().chroma().plane_size(frame.size());
        for ((upscaler, plane), size) in planes.iter_mut().zip([frame.size(), chroma_size]) {
            plane.reshape(PixelFormat::Grey, size, Colour::JPEG)?;
            upscaler.upscale(alpha, &mut plane.view_mut())?;
        }
        Ok(())
    }
}

/// Levels of 0..=255 that a sample of the alpha may have gone since, for the planes to be those of the new one: smoothing goes
/// over to a new mask in small steps. So little alone is room to the guide, which begins at 38.
const MOST_DIFFERENCE: u8 = 16;

/// What the planes were fitted to last.
struct Fitted {
    /// `None` if they are to be fitted anew.
    to: Option<(InferenceId, FrameShape)>,
    alpha: Frame,
}

impl Fitted {
    /// Whether the planes of then are those of a frame of that `shape`, too: with the same `alpha`, where nothing has moved at the edge.
    fn holds(
        &self,
        alpha: &FrameView<'_>,
        shape: FrameShape,
        inference_id: Option<InferenceId>,
    ) -> bool {
        let is_same_picture = inference_id.is_some_and(|it| self.to == Some((it, shape)));
        is_same_picture
            && alpha.shape() == self.alpha.shape()
            && is_alike(alpha, &self.alpha.view())
    }

    /// The planes are fitted to a frame of that `shape` now.
    fn note(
        &mut self,
        alpha: &FrameView<'_>,
        shape: FrameShape,
        inference_id: Option<InferenceId>,
    ) -> Result<(), FrameError> {
        if let Some(inference_id) = inference_id {
            unpack(*alpha, &mut self.alpha)?;
            self.to = Some((inference_id, shape));
        }
        Ok(())
    }
}

/// Whether no sample of two grey pictures of one size differs by more than [`MOST_DIFFERENCE`].
fn is_alike(one: &FrameView<'_>, other: &FrameView<'_>) -> bool {
    let (one, other) = (one.plane(0), other.plane(0));
    one.iter_rows().zip(other.iter_rows()).all(|(one, other)| {
        let differences = one.iter().zip(other).map(|(one, other)| one.abs_diff(*other));
        differences.fold(0, u8::max) <= MOST_DIFFERENCE
    })
}

impl MattePlanes {
    /// Planes for frames of any size; without a guide they begin with `size`. Of `steps`, `key`,
    /// `guide` and `spill` are those that are taken here.
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub fn new(size: SizePx, steps: RefineSteps) -> Result<Self, FrameError> {
        let plane = || Frame::new(PixelFormat::Grey, size, Colour::JPEG);
        Ok(Self {
            scaling: match (steps.guide, steps.spill) {
                (true, true) => AlphaScaling::Guided(Box::new(Guide::new().with_spill())),
                (true, false) => AlphaScaling::Guided(Box::default()),
                (false, _) => AlphaScaling::Bilinear(Box::new([
                    (Upscaler::new(), plane()?),
                    (Upscaler::new(), plane()?),
                ])),
            },
            key: steps.key.map(ScreenKey::new),
            fitted: Fitted { to: None, alpha: plane()? },
        })
    }

    /// The next frame has nothing to do with those before.
    pub fn reset(&mut self) {
        self.fitted.to = None;
        if let Some(key) = &mut self.key {
            key.reset();
        }
    }

    /// Whether the room's colour is taken out of the edge, if that is among the steps.
    pub fn remove_spill(&mut self, on: bool) {
        if let AlphaScaling::Guided(guide) = &mut self.scaling
            && guide.remove_spill(on)
        {
            self.fitted.to = None;
        }
    }

    /// The matte of `frame` from its `alpha` at the model's size, which is of the [inference](greenroom_matte::MatteMaker::inference_id)
    /// with this identity. If the last frame's alpha was nearly the same and of the same inference, this frame gets that
    /// one's matte: nothing has moved at the edge, and noise would only make the edge flicker. (Not in front of a screen, whose key is
    /// exact.)
    ///
    /// # Errors
    /// When alpha is no grey picture, or `frame` is not planar.
    pub fn fit(
        &mut self,
        alpha: FrameView<'_>,
        frame: FrameView<'_>,
        inference_id: Option<InferenceId>,
    ) -> Result<MatteView<'_>, MatteError> {
        let inference_id = inference_id.filter(|_| self.key.is_none());
        if !self.fitted.holds(&alpha, frame.shape(), inference_id) {
            self.fitted.to = None;
            self.fit_anew(alpha, frame)?;
            self.fitted.note(&alpha, frame.shape(), inference_id)?;
        }
        let [luma, chroma] = self.scaling.planes();
        let matte = MatteView::new(frame, luma, chroma)?;
        let guide = self.scaling.guide();
        Ok(matte.with_edge(guide.and_then(Guide::edge)).with_blocks(guide.and_then(Guide::blocks)))
    }

    fn fit_anew(&mut self, alpha: FrameView<'_>, frame: FrameView<'_>) -> Result<(), MatteError> {
        let Self { scaling, key, .. } = self;
        let keyed = key.as_mut().map(|key| key.pull(&alpha, &frame)).transpose()?.flatten();
        scaling.fit(&keyed.unwrap_or(alpha), &frame)?;
        if let Some(key) = key {
            let [luma, chroma] = scaling.planes_mut();
            key.draw(&frame, luma, chroma);
        }
        Ok(())
    }
}
