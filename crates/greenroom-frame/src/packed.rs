use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

use crate::kernels::blocks::BLOCK;
use crate::{Colour, Frame, FrameError, FrameShape, FrameView, PixelFormat, SizePx};

/// Rows of a band. They are so few that what is composed of them is in the first levels of the cache when it is packed (with 8, 16 and 128
/// rows, the output's thread takes the same to within 3 %), and an even number, so that bands of 4:2:0 have whole rows of chroma.
pub(crate) const BAND_ROWS_PX: u32 = 16;
/// Columns of a section of a band: a block of chroma, and two of luma.
pub(crate) const SECTION_PX: u32 = 2 * BLOCK as u32;

/// Identifies a backdrop that is the same picture for all frames of one shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackdropId(u64);

impl BackdropId {
    /// An id that no other backdrop has.
    pub fn unique() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Self(NEXT.fetch_add(1, Relaxed))
    }
}

/// A picture in the form that an output takes, in which frame after frame is
/// [composed](crate::Compositor::compose_packed). It knows which parts of it show nothing but the backdrop, so that these are
/// not drawn again as long as that backdrop stays.
#[derive(Debug)]
pub struct PackedPicture {
    frame: Frame,
    /// What stands behind, if it stays, and the shape of the frames.
    backdrop: Option<(BackdropId, FrameShape)>,
    /// For each section of each band whether all of it shows the backdrop.
    is_backdrop: Vec<bool>,
}

impl PackedPicture {
    /// A picture of zero bytes.
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub fn new(format: PixelFormat, size: SizePx, colour: Colour) -> Result<Self, FrameError> {
        let frame = Frame::new(format, size, colour)?;
        let bands = size.height_px.div_ceil(BAND_ROWS_PX);
        let sections = (bands * size.width_px.div_ceil(SECTION_PX)) as usize;
        Ok(Self { frame, backdrop: None, is_backdrop: vec![false; sections] })
    }

    /// The picture.
    pub fn view(&self) -> FrameView<'_> {
        self.frame.view()
    }

    /// The picture, to be drawn anew by others than a compositor: what was known of it is forgotten.
    pub fn frame_mut(&mut self) -> &mut Frame {
        self.backdrop = None;
        &mut self.frame
    }

    /// Sets when the camera took the picture.
    pub fn set_captured_at(&mut self, captured_at: Instant) {
        self.frame.set_captured_at(captured_at);
    }

    /// Starts with a frame of `shape` before this backdrop, if that stays: the picture, and for each section of each band whether it
    /// shows that backdrop. Until the frame [is drawn](Self::end), nothing counts as known.
    pub(crate) fn begin(
        &mut self,
        backdrop: Option<BackdropId>,
        shape: FrameShape,
    ) -> (&mut Frame, &mut [bool]) {
        let is_known = backdrop.is_some_and(|id| self.backdrop == Some((id, shape)));
        self.backdrop = None;
        if !is_known {
            self.is_backdrop.fill(false);
        }
        (&mut self.frame, &mut self.is_backdrop)
    }

    /// The frame that was [begun](Self::begin) is drawn.
    pub(crate) fn end(&mut self, backdrop: Option<BackdropId>, shape: FrameShape) {
        self.backdrop = backdrop.map(|id| (id, shape));
    }
}
