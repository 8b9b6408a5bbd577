mod cells;
mod certain;
mod draw;
mod factors;
mod runs;
mod thumbnail;

use greenroom_frame::{CellsView, Colour, Frame, FrameView, MatteBlocks, PixelFormat, SizePx};

use self::cells::Sizes;
use self::certain::CertainBlocks;
use self::draw::Drawing;
use self::factors::{Factors, RAMP};
use self::thumbnail::Thumbnail;
use super::spill::Spill;
use crate::{Isa, MatteError};

/// Brings a mask to a picture's size and lays its edge where the picture has one: the fast guided
/// filter (He & Sun, "Fast Guided Filter", 2015), with the picture's colours as the guide.
///
/// In each window of a small thumbnail of the picture the mask is explained as an affine map of colour,
/// `y * Y + u * U + v * V + c`. The factors are interpolated: to twice the thumbnail, where chroma's share
/// is summed up (in the thumbnail itself, MAD is 6 % higher, at the edge 8 %, dtSSD 3 %), and what is
/// left, a slope over luma and an offset, to full size. So a pixel costs one multiply-add.
///
/// Most of a picture is room or person for sure; there, nothing is worked out at all.
///
/// What comes out is spread a little (a filter blurs what it cannot explain): alphas of
/// 0.15..0.75 become 0..1.
#[derive(Debug)]
pub struct Guide {
    isa: Isa,
    sizes: Option<Sizes>,
    tables: Option<Tables>,
    /// Only where the edge's colours are wanted.
    spill: Option<Spill>,
    skips_spill: bool,
    /// Alpha at the size of luma, and of chroma. What is sure is drawn only where it was something else.
    planes: [Frame; 2],
    /// Whether they are as they were drawn.
    is_drawn: bool,
}

#[derive(Debug)]
struct Tables {
    thumbnail: Thumbnail,
    certain: CertainBlocks,
    factors: Factors,
    drawing: Drawing,
}

impl Tables {
    fn new(sizes: Sizes) -> Result<Self, MatteError> {
        let thumbnail = Thumbnail::new(sizes)?;
        let size = thumbnail.size();
        Ok(Self {
            thumbnail,
            certain: CertainBlocks::new(size),
            factors: Factors::new(size),
            drawing: Drawing::new(size, sizes),
        })
    }

    fn find(&mut self, isa: Isa, alpha: &FrameView<'_>, frame: &FrameView<'_>) {
        self.thumbnail.fill(isa, alpha, frame);
        self.certain.look(self.thumbnail.mask());
        self.factors.find(isa, &self.thumbnail, &self.certain);
    }
}

impl Default for Guide {
    fn default() -> Self {
        Self::new()
    }
}

impl Guide {
    /// A guide without tables; they are made by the first picture.
    pub fn new() -> Self {
        let plane = || {
            Frame::new(PixelFormat::Grey, SizePx::new(1, 1), Colour::JPEG)
                .expect("one pixel is a size")
        };
        Self {
            isa: Isa::best(),
            sizes: None,
            tables: None,
            spill: None,
            skips_spill: false,
            planes: [plane(), plane()],
            is_drawn: false,
        }
    }

    #[cfg(test)]
    pub(super) fn set_isa(&mut self, isa: Isa) {
        self.isa = isa;
    }

    /// Finds the colours along the [edge](Self::edge), too.
    #[must_use]
    pub fn with_spill(self) -> Self {
        Self { spill: Some(Spill::default()), ..self }
    }

    /// Whether the [edge](Self::edge) is found, of a guide [with spill](Self::with_spill). Gives whether that is new.
    pub fn remove_spill(&mut self, on: bool) -> bool {
        std::mem::replace(&mut self.skips_spill, !on) == on
    }

    /// The colours of person and room along the edge of the picture that was fitted last, for
    /// [`MatteView::with_edge`](greenroom_frame::MatteView::with_edge); only [with
    /// spill](Self::with_spill).
    pub fn edge(&self) -> Option<CellsView<'_>> {
        let has_edge = self.tables.is_some() && !self.skips_spill;
        let spill = self.spill.as_ref().filter(|_| has_edge)?;
        Some(spill.cells().view())
    }

    /// Alpha (grey pictures) of luma and of chroma of the frame that was [fitted](Self::fit) last.
    pub fn planes(&self) -> [FrameView<'_>; 2] {
        self.planes.each_ref().map(Frame::view)
    }

    /// The same, to be drawn over. Their [blocks](Self::blocks) are not known from then on.
    pub fn planes_mut(&mut self) -> [&mut Frame; 2] {
        self.is_drawn = false;
        self.planes.each_mut()
    }

    /// The kinds of the blocks of the [planes](Self::planes), for
    /// [`MatteView::with_blocks`](greenroom_frame::MatteView::with_blocks). `None` if they are not as the guide has drawn them.
    pub fn blocks(&self) -> Option<[&MatteBlocks; 2]> {
        self.tables.as_ref().filter(|_| self.is_drawn).map(|tables| tables.drawing.blocks())
    }

    /// Makes the [planes](Self::planes) the alpha of `frame`, from its `alpha` at any size. Asks
    /// for memory only when a size or the format is another than last time.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedAlpha`] if `alpha` is not [`PixelFormat::Grey`],
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar, [`MatteError::Frame`] if it has no
    /// chroma.
    pub fn fit(&mut self, alpha: &FrameView<'_>, frame: &FrameView<'_>) -> Result<(), MatteError> {
        // Who fails, or panics, leaves them half drawn.
        let was_drawn = std::mem::take(&mut self.is_drawn);
        if alpha.format() != PixelFormat::Grey {
            return Err(MatteError::UnsupportedAlpha { format: alpha.format() });
        }
        if !frame.format().is_planar() {
            return Err(MatteError::UnsupportedFrame { format: frame.format() });
        }
        let kind = frame.format().chroma();
        let [luma, chroma] = &mut self.planes;
        luma.reshape(PixelFormat::Grey, frame.size(), Colour::JPEG)?;
        chroma.reshape(PixelFormat::Grey, kind.plane_size(frame.size()), Colour::JPEG)?;
        let sizes = Sizes { mask: alpha.size(), picture: frame.size(), format: frame.format() };
        if self.sizes.replace(sizes) != Some(sizes) {
            self.tables = None;
        }
        let tables = match &mut self.tables {
            Some(tables) => tables,
            none => none.insert(Tables::new(sizes)?),
        };
        tables.find(self.isa, alpha, frame);
        if let Some(spill) = self.spill.as_mut().filter(|_| !self.skips_spill) {
            let Tables { thumbnail, certain, factors, .. } = tables;
            spill.find(self.isa, thumbnail.size(), certain.extent(), RAMP, |y| {
                (thumbnail.colours(y), factors.cells(y))
            });
        }
        if !was_drawn {
            tables.drawing.forget();
        }
        tables.drawing.draw(self.isa, frame, &tables.factors, (luma, chroma));
        self.is_drawn = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
