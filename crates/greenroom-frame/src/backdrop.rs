use std::ops::Range;

use crate::kernels::fetch::fetch_below;
use crate::{Frame, FrameError, FrameShape, FrameView, Plane, PlaneScaler, SizePx};

/// What stands behind a person.
#[derive(Debug, Clone, Copy)]
pub enum Backdrop<'a> {
    /// A planar picture.
    Picture(FrameView<'a>),
    /// A planar picture that is worked out only where it is seen.
    Scaled(&'a ScaledPicture),
}

impl<'a> From<FrameView<'a>> for Backdrop<'a> {
    fn from(picture: FrameView<'a>) -> Self {
        Self::Picture(picture)
    }
}

impl<'a> Backdrop<'a> {
    /// Its format, size and colour.
    pub fn shape(self) -> FrameShape {
        match self {
            Self::Picture(picture) => picture.shape(),
            Self::Scaled(scaled) => scaled.shape,
        }
    }

    /// Makes `into` a copy of all of it; the time is left as it is.
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub fn copy_to(self, into: &mut Frame) -> Result<(), FrameError> {
        let FrameShape { format, size, colour } = self.shape();
        into.reshape(format, size, colour)?;
        for (index, mut plane) in into.view_mut().planes_mut().enumerate() {
            let from = self.plane(index);
            for (y, out) in plane.iter_rows_mut().enumerate() {
                from.row(y).draw(0..out.len(), out);
            }
        }
        Ok(())
    }

    pub(crate) fn plane(self, index: usize) -> BackdropPlane<'a> {
        match self {
            Self::Picture(picture) => BackdropPlane::Picture(picture.plane(index)),
            Self::Scaled(scaled) => BackdropPlane::Scaled(&scaled.planes[index]),
        }
    }
}

/// A plane of what stands behind a person.
#[derive(Clone, Copy)]
pub(crate) enum BackdropPlane<'a> {
    Picture(Plane<'a>),
    Scaled(&'a ScaledPlane),
}

impl<'a> BackdropPlane<'a> {
    #[inline]
    pub(crate) fn row(self, y: usize) -> BackdropRow<'a> {
        match self {
            Self::Picture(plane) => {
                BackdropRow::Samples { row: plane.row(y), stride_bytes: plane.stride_bytes() }
            }
            Self::Scaled(ScaledPlane::Enlarged(scaler)) => BackdropRow::Enlarged { scaler, y },
            Self::Scaled(ScaledPlane::Whole { plane, width, .. }) => {
                BackdropRow::Samples { row: &plane[y * width..][..*width], stride_bytes: *width }
            }
        }
    }
}

/// A row of what stands behind a person.
#[derive(Clone, Copy)]
pub(crate) enum BackdropRow<'a> {
    Samples { row: &'a [u8], stride_bytes: usize },
    Enlarged { scaler: &'a PlaneScaler, y: usize },
}

impl<'a> BackdropRow<'a> {
    /// Makes `out` these columns, of which there are as many.
    #[inline]
    pub(crate) fn draw(self, columns: Range<usize>, out: &mut [u8]) {
        match self {
            Self::Samples { row, .. } => out.copy_from_slice(&row[columns]),
            Self::Enlarged { scaler, y } => scaler.enlarged(y, columns, out),
        }
    }

    /// These columns: where they are, or in `scratch`.
    #[inline]
    pub(crate) fn piece<'s>(self, columns: Range<usize>, scratch: &'s mut [u8]) -> &'s [u8]
    where
        'a: 's,
    {
        match self {
            Self::Samples { row, .. } => &row[columns],
            Self::Enlarged { scaler, y } => {
                let out = &mut scratch[..columns.len()];
                scaler.enlarged(y, columns, out);
                out
            }
        }
    }

    /// Has the processor fetch these columns of the row below.
    #[inline]
    pub(crate) fn fetch_below(self, columns: Range<usize>) {
        if let Self::Samples { row, stride_bytes } = self {
            fetch_below(&row[columns], stride_bytes);
        }
    }
}

/// A planar picture of three small planes that are enlarged: the columns of all rows at once, and pieces
/// of rows where they are seen. So nothing is worked out where a person stands, and the enlarged
/// picture goes through no memory of its own.
#[derive(Debug)]
pub struct ScaledPicture {
    shape: FrameShape,
    planes: [ScaledPlane; 3],
}

#[derive(Debug)]
pub(crate) enum ScaledPlane {
    Enlarged(PlaneScaler),
    /// What is not enlarged: chroma of a small picture may be smaller than what it is made of.
    Whole {
        scaler: PlaneScaler,
        plane: Vec<u8>,
        width: usize,
    },
}

impl ScaledPicture {
    /// A picture of `shape`, planar and with chroma, made of planes of `small` samples.
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub fn new(shape: FrameShape, small: SizePx) -> Result<Self, FrameError> {
        let chroma = shape.format.chroma().plane_size(shape.size);
        let plane = |size: SizePx| -> Result<ScaledPlane, FrameError> {
            let scaler = PlaneScaler::new(small, size)?;
            Ok(match scaler.enlarges_rows() {
                true => ScaledPlane::Enlarged(scaler),
                false => ScaledPlane::Whole {
                    scaler,
                    plane: vec![0; size.area_px() as usize],
                    width: size.width_px as usize,
                },
            })
        };
        Ok(Self { shape, planes: [plane(shape.size)?, plane(chroma)?, plane(chroma)?] })
    }

    /// Its format, size and colour.
    pub fn shape(&self) -> FrameShape {
        self.shape
    }

    /// From now on it is made of these Y, U and V.
    ///
    /// # Panics
    /// If they are not of the size that it was made for: that is the caller's mistake.
    pub fn set(&mut self, small: [Plane<'_>; 3]) {
        for (plane, small) in self.planes.iter_mut().zip(small) {
            match plane {
                ScaledPlane::Enlarged(scaler) => scaler.widen(small),
                ScaledPlane::Whole { scaler, plane, width } => {
                    assert_eq!(small.rows(), scaler.from().height_px as usize, "the rows");
                    scaler.scale_rows(small, plane.chunks_exact_mut(*width));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Colour, FrameScaler, PixelFormat};

    fn noise(format: PixelFormat, size: SizePx) -> Frame {
        let mut frame = Frame::new(format, size, Colour::WEBCAM).unwrap();
        frame.bytes_mut().iter_mut().enumerate().for_each(|(at, byte)| *byte = (at * 7919) as u8);
        frame
    }

    #[test]
    fn pieces_of_rows_are_those_of_the_scaled_picture() {
        let sizes =
            [(16, 9, 1, 1), (16, 9, 130, 45), (16, 9, 129, 31), (40, 20, 40, 20), (8, 40, 50, 41)];
        for (small_width, small_height, width, height) in sizes {
            let [small, size] =
                [SizePx::new(small_width, small_height), SizePx::new(width, height)];
            for format in [PixelFormat::I420, PixelFormat::I422] {
                let planes = [0, 1, 2].map(|seed| {
                    let mut plane = noise(PixelFormat::Grey, small);
                    plane.bytes_mut().rotate_left(seed);
                    plane
                });
                let shape = FrameShape { format, size, colour: Colour::WEBCAM };
                let mut scaled = ScaledPicture::new(shape, small).unwrap();
                scaled.set(planes.each_ref().map(|plane| plane.view().plane(0)));
                let mut copy = noise(PixelFormat::Grey, SizePx::new(2, 2));
                Backdrop::Scaled(&scaled).copy_to(&mut copy).unwrap();
                assert_eq!(copy.view().shape(), shape);
                for (index, plane) in planes.iter().enumerate() {
                    let chroma = format.chroma().plane_size(size);
                    let to = if index == 0 { size } else { chroma };
                    let mut expected = noise(PixelFormat::Grey, SizePx::new(1, 1));
                    FrameScaler::default().scale(plane.view(), to, &mut expected).unwrap();
                    let (view, expected) = (copy.view(), expected.view());
                    for (y, row) in expected.plane(0).iter_rows().enumerate() {
                        assert!(view.plane(index).row(y) == row, "{small} {shape:?} {y}");
                        for start in (0..row.len()).step_by(32) {
                            let columns = start..row.len().min(start + 64);
                            let mut piece = vec![1; columns.len()];
                            let from = Backdrop::Scaled(&scaled).plane(index);
                            from.row(y).draw(columns.clone(), &mut piece);
                            assert!(piece == row[columns], "{small} {shape:?} {y} {start}");
                        }
                    }
                }
            }
        }
    }
}
