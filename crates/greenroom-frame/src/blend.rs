use crate::kernels::blend::blend_row;
use crate::{
    CellsView, Frame, FrameError, FrameShape, FrameView, Isa, MatteBlocks, PixelFormat, Plane,
};

/// The matte of one frame: how much of each sample is person (0 = room, 255 = person), once at
/// luma size and once at the size of the frame's chroma planes. Both are
/// [`PixelFormat::Grey`] pictures.
#[derive(Debug, Clone, Copy)]
pub struct MatteView<'a> {
    luma: FrameView<'a>,
    chroma: FrameView<'a>,
    edge: Option<CellsView<'a>>,
    blocks: Option<[&'a MatteBlocks; 2]>,
}

impl<'a> MatteView<'a> {
    /// The matte of a picture of `of`'s size and chroma.
    ///
    /// # Errors
    /// [`FrameError::NoConversion`] if `luma` or `chroma` is not a grey picture of the right size.
    pub fn new(
        of: FrameView<'_>,
        luma: FrameView<'a>,
        chroma: FrameView<'a>,
    ) -> Result<Self, FrameError> {
        let chroma_size = of.format().chroma().plane_size(of.size());
        for (plane, to_size) in [(luma, of.size()), (chroma, chroma_size)] {
            if (plane.format(), plane.size()) != (PixelFormat::Grey, to_size) {
                return Err(FrameError::NoConversion {
                    from: plane.format(),
                    from_size: plane.size(),
                    to: PixelFormat::Grey,
                    to_size,
                });
            }
        }
        Ok(Self { luma, chroma, edge: None, blocks: None })
    }

    /// With what is known of the colours along the edge: for each plane the person's, and the room's.
    #[must_use]
    pub fn with_edge(self, edge: Option<CellsView<'a>>) -> Self {
        Self { edge, ..self }
    }

    /// The colours along the edge, where they are known: see [`with_edge`](Self::with_edge).
    pub fn edge(&self) -> Option<CellsView<'a>> {
        self.edge
    }

    /// With the kinds of both planes' blocks, so that alpha is read only where it is mixed. They have to be true: where a block
    /// counts as a person's, the picture is shown. (Without optimisation, the [`Compositor`](crate::Compositor) checks it.)
    ///
    /// # Panics
    /// If the blocks are of planes of other sizes: that is the caller's mistake.
    #[must_use]
    pub fn with_blocks(self, blocks: Option<[&'a MatteBlocks; 2]>) -> Self {
        for (blocks, plane) in blocks.into_iter().flatten().zip([self.luma, self.chroma]) {
            assert_eq!(blocks.size(), plane.size(), "the blocks are of another plane");
        }
        Self { blocks, ..self }
    }

    /// The kinds of the blocks of luma's plane and of chroma's, where they are known: see [`with_blocks`](Self::with_blocks).
    pub fn blocks(&self) -> Option<[&'a MatteBlocks; 2]> {
        self.blocks
    }

    /// Alpha at luma size.
    pub fn luma(&self) -> FrameView<'a> {
        self.luma
    }

    /// Alpha at the size of the chroma planes.
    pub fn chroma(&self) -> FrameView<'a> {
        self.chroma
    }

    /// Alpha of the samples of a picture's plane, 0 for luma's, and the kinds of its blocks, where they are known.
    pub(crate) fn of_plane(&self, index: usize) -> (Plane<'a>, Option<&'a MatteBlocks>) {
        let alpha = if index == 0 { self.luma } else { self.chroma };
        (alpha.plane(0), self.blocks.map(|planes| planes[index.min(1)]))
    }
}

/// `over` before `under`, weighted by `matte`: every sample of `into` is
/// `(over * alpha + under * (255 - alpha)) / 255`, rounded to the nearest, in YUV as it is (the
/// blend of straight, not premultiplied, samples; the encoding is gamma's, as in every consumer).
/// `into` takes over format, size, colour and time of `over`.
///
/// # Errors
/// [`FrameError::NoConversion`] unless both pictures are of one planar format, size and colour,
/// and the matte fits them.
pub fn blend(
    over: FrameView<'_>,
    under: FrameView<'_>,
    matte: MatteView<'_>,
    into: &mut Frame,
) -> Result<(), FrameError> {
    check_blend(over, under.shape(), matte)?;
    into.reshape(over.format(), over.size(), over.colour())?;
    into.set_captured_at(over.captured_at());
    let isa = Isa::best();
    for (index, mut plane) in into.view_mut().planes_mut().enumerate() {
        let (alpha, _) = matte.of_plane(index);
        let (over, under) = (over.plane(index), under.plane(index));
        for (y, row) in plane.iter_rows_mut().enumerate() {
            blend_row(isa, row, over.row(y), under.row(y), alpha.row(y));
        }
    }
    Ok(())
}

/// Whether pictures and matte belong together.
pub(crate) fn check_blend(
    over: FrameView<'_>,
    under: FrameShape,
    matte: MatteView<'_>,
) -> Result<(), FrameError> {
    if over.shape() != under || !over.format().is_planar() {
        return Err(FrameError::NoConversion {
            from: under.format,
            from_size: under.size,
            to: over.format(),
            to_size: over.size(),
        });
    }
    MatteView::new(over, matte.luma, matte.chroma).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Colour, SizePx, Yuv8};

    fn flat(format: PixelFormat, size: SizePx, yuv: Yuv8) -> Frame {
        let mut frame = Frame::new(format, size, Colour::WEBCAM).unwrap();
        frame.fill(yuv);
        frame
    }

    #[test]
    fn alpha_decides_between_the_two() {
        let size = SizePx::new(10, 6);
        for format in [PixelFormat::I420, PixelFormat::I422] {
            let over = flat(format, size, Yuv8 { y: 200, u: 100, v: 50 });
            let under = flat(format, size, Yuv8 { y: 20, u: 30, v: 40 });
            let chroma_size = format.chroma().plane_size(size);
            for (alpha, y, u, v) in [(0, 20, 30, 40), (255, 200, 100, 50), (128, 110, 65, 45)] {
                let grey = |size| flat(PixelFormat::Grey, size, Yuv8 { y: alpha, u: 0, v: 0 });
                let (luma, chroma) = (grey(size), grey(chroma_size));
                let matte = MatteView::new(over.view(), luma.view(), chroma.view()).unwrap();
                let mut out = flat(PixelFormat::Grey, SizePx::new(1, 1), Yuv8 { y: 0, u: 0, v: 0 });
                blend(over.view(), under.view(), matte, &mut out).unwrap();
                assert_eq!(out.bytes(), flat(format, size, Yuv8 { y, u, v }).bytes());
            }
        }
    }

    #[test]
    fn pictures_that_do_not_match_are_refused() {
        let (size, other) = (SizePx::new(10, 6), SizePx::new(8, 6));
        let zero = Yuv8 { y: 0, u: 0, v: 0 };
        let over = flat(PixelFormat::I420, size, zero);
        let (luma, chroma) =
            (flat(PixelFormat::Grey, size, zero), flat(PixelFormat::Grey, SizePx::new(5, 3), zero));
        assert!(MatteView::new(over.view(), chroma.view(), luma.view()).is_err());
        let matte = MatteView::new(over.view(), luma.view(), chroma.view()).unwrap();
        let mut out = over.clone();
        for under in [flat(PixelFormat::I420, other, zero), flat(PixelFormat::I422, size, zero)] {
            assert!(blend(over.view(), under.view(), matte, &mut out).is_err());
        }
    }
}
