use greenroom_frame::{Chroma, Colour, Frame, FrameView, PixelFormat, PlaneScaler, SizePx};

use crate::MatteError;

/// The three planes of a planar picture, brought to one small size: a grey picture each.
#[derive(Debug)]
pub(crate) struct SmallPlanes {
    planes: [Frame; 3],
    /// Of so many rows of the picture one is read, for a thumbnail; `None` for all of them, with care.
    thumbnail_row_step: Option<u32>,
    /// The tables for the kinds of picture seen last, newest first: windows of a few sizes take
    /// turns, and none of them is to ask for memory twice.
    scalers: Vec<Scalers>,
}

/// Kinds of picture whose tables are kept.
const KEPT: usize = 8;

/// The chroma of a grey picture.
const NO_COLOUR: u8 = 128;

/// Tables for one kind of picture.
#[derive(Debug)]
struct Scalers {
    format: PixelFormat,
    size: SizePx,
    luma: PlaneScaler,
    chroma: Option<PlaneScaler>,
}

impl Scalers {
    fn new(
        format: PixelFormat,
        size: SizePx,
        thumbnail_row_step: Option<u32>,
        to: SizePx,
    ) -> Result<Self, MatteError> {
        let scaler = |from: SizePx| match thumbnail_row_step {
            Some(step) => {
                PlaneScaler::of_means(SizePx::new(from.width_px, from.height_px.div_ceil(step)), to)
            }
            None => PlaneScaler::new(from, to),
        };
        let chroma = match format.chroma() {
            Chroma::None => None,
            chroma => Some(scaler(chroma.plane_size(size))?),
        };
        Ok(Self { format, size, luma: scaler(size)?, chroma })
    }
}

impl SmallPlanes {
    /// Planes of `size`.
    ///
    /// # Errors
    /// [`MatteError::Frame`] if that is no usable picture size.
    pub(crate) fn new(size: SizePx) -> Result<Self, MatteError> {
        let plane = Frame::new(PixelFormat::Grey, size, Colour::JPEG)?;
        let planes = [plane.clone(), plane.clone(), plane];
        Ok(Self { planes, thumbnail_row_step: None, scalers: Vec::with_capacity(KEPT + 1) })
    }

    /// Takes plain means from now on, and of every `step`th row only: for a thumbnail that will do.
    #[must_use]
    pub(crate) fn at_thumbnail_step(mut self, step: u32) -> Self {
        self.thumbnail_row_step = Some(step.max(1));
        self
    }

    pub(crate) fn size(&self) -> SizePx {
        self.planes[0].view().size()
    }

    /// Y, U and V, tightly, 0..=255 as the picture has them.
    pub(crate) fn bytes(&self) -> [&[u8]; 3] {
        self.planes.each_ref().map(Frame::bytes)
    }

    /// Takes over `frame`. Asks for memory only for a format or size that is new.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar, [`MatteError::Frame`] if a chroma
    /// plane has no sample.
    pub(crate) fn fill(&mut self, frame: &FrameView<'_>) -> Result<(), MatteError> {
        let (format, size) = (frame.format(), frame.size());
        if !format.is_planar() {
            return Err(MatteError::UnsupportedFrame { format });
        }
        match self.scalers.iter().position(|s| (s.format, s.size) == (format, size)) {
            Some(0) => {}
            Some(place) => self.scalers[..=place].rotate_right(1),
            None => {
                self.scalers
                    .insert(0, Scalers::new(format, size, self.thumbnail_row_step, self.size())?);
                self.scalers.truncate(KEPT);
            }
        }
        let Scalers { luma, chroma, .. } = &mut self.scalers[0];
        let mut targets = self.planes.each_mut().map(Frame::view_mut);
        let step = self.thumbnail_row_step.unwrap_or(1) as usize;
        luma.scale(frame.plane(0).every_row(step), &mut targets[0].plane_mut(0));
        for index in [1, 2] {
            let mut target = targets[index].plane_mut(0);
            match chroma {
                Some(chroma) => chroma.scale(frame.plane(index).every_row(step), &mut target),
                None => target.fill(NO_COLOUR),
            }
        }
        Ok(())
    }
}
