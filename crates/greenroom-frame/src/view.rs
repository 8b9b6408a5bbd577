use std::time::Instant;

use crate::{Colour, FrameError, FrameLayout, FrameShape, PixelFormat, SizePx};

/// One plane of a picture: rows of samples, `stride_bytes` apart.
#[derive(Debug, Clone, Copy)]
pub struct Plane<'a> {
    data: &'a [u8],
    stride_bytes: usize,
    row_bytes: usize,
    rows: usize,
}

/// One plane of a picture, to be written.
#[derive(Debug)]
pub struct PlaneMut<'a> {
    data: &'a mut [u8],
    stride_bytes: usize,
    row_bytes: usize,
    rows: usize,
}

macro_rules! plane_getters {
    () => {
        /// The plane's bytes, from its first sample to its last.
        pub fn data(&self) -> &[u8] {
            &self.data
        }

        /// Distance from one row to the next.
        pub fn stride_bytes(&self) -> usize {
            self.stride_bytes
        }

        /// Bytes of a row that carry samples.
        pub fn row_bytes(&self) -> usize {
            self.row_bytes
        }

        /// Number of rows.
        pub fn rows(&self) -> usize {
            self.rows
        }
    };
}

impl<'a> Plane<'a> {
    /// Only every `step`th row of it, from the first on.
    ///
    /// # Panics
    /// If `step` is 0.
    #[must_use]
    pub fn every_row(self, step: usize) -> Self {
        let rows = self.rows.div_ceil(step);
        let stride_bytes = self.stride_bytes * step;
        let len = stride_bytes * rows.saturating_sub(1) + self.row_bytes;
        Self { data: &self.data[..len.min(self.data.len())], stride_bytes, rows, ..self }
    }

    plane_getters!();

    /// Row `y` (0 = top), `row_bytes` long.
    ///
    /// # Panics
    /// If `y` is not below [`rows`](Self::rows).
    pub fn row(&self, y: usize) -> &'a [u8] {
        assert!(y < self.rows, "row {y} of {}", self.rows);
        &self.data[y * self.stride_bytes..][..self.row_bytes]
    }

    /// All rows, top to bottom.
    pub fn iter_rows(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        let row_bytes = self.row_bytes;
        self.data.chunks(self.stride_bytes.max(1)).map(move |row| &row[..row_bytes])
    }
}

impl PlaneMut<'_> {
    plane_getters!();

    /// Row `y` (0 = top), `row_bytes` long.
    ///
    /// # Panics
    /// If `y` is not below [`rows`](Self::rows).
    pub fn row_mut(&mut self, y: usize) -> &mut [u8] {
        assert!(y < self.rows, "row {y} of {}", self.rows);
        &mut self.data[y * self.stride_bytes..][..self.row_bytes]
    }

    /// Makes row `to` the same as row `from`.
    ///
    /// # Panics
    /// If one of them is not below [`rows`](Self::rows).
    pub fn copy_row(&mut self, from: usize, to: usize) {
        assert!(from.max(to) < self.rows, "rows {from} and {to} of {}", self.rows);
        let start = from * self.stride_bytes;
        self.data.copy_within(start..start + self.row_bytes, to * self.stride_bytes);
    }

    /// All rows, top to bottom.
    pub fn iter_rows_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let row_bytes = self.row_bytes;
        self.data.chunks_mut(self.stride_bytes.max(1)).map(move |row| &mut row[..row_bytes])
    }

    /// Every sample set to `value`.
    pub fn fill(&mut self, value: u8) {
        self.iter_rows_mut().for_each(|row| row.fill(value));
    }
}

/// A borrowed picture.
#[derive(Debug, Clone, Copy)]
pub struct FrameView<'a> {
    layout: FrameLayout,
    colour: Colour,
    captured_at: Instant,
    data: &'a [u8],
}

/// A borrowed picture, to be written.
#[derive(Debug)]
pub struct FrameViewMut<'a> {
    layout: FrameLayout,
    colour: Colour,
    data: &'a mut [u8],
}

macro_rules! view_getters {
    () => {
        /// Where the planes lie.
        pub fn layout(&self) -> &FrameLayout {
            &self.layout
        }

        /// The pixel format.
        pub fn format(&self) -> PixelFormat {
            self.layout.format()
        }

        /// The picture's size.
        pub fn size(&self) -> SizePx {
            self.layout.size()
        }

        /// How to read the samples as colour.
        pub fn colour(&self) -> Colour {
            self.colour
        }

        /// Format, size and colour at once.
        pub fn shape(&self) -> FrameShape {
            FrameShape { format: self.format(), size: self.size(), colour: self.colour }
        }
    };
}
pub(crate) use view_getters;

impl<'a> FrameView<'a> {
    view_getters!();

    /// `data` seen as a picture of `layout`.
    ///
    /// # Errors
    /// [`FrameError::TooShort`] if `data` does not hold the picture.
    pub fn new(
        layout: FrameLayout,
        colour: Colour,
        captured_at: Instant,
        data: &'a [u8],
    ) -> Result<Self, FrameError> {
        layout.check_len(data.len())?;
        Ok(Self { layout, colour, captured_at, data })
    }

    /// When the camera took the picture.
    pub fn captured_at(&self) -> Instant {
        self.captured_at
    }

    /// Plane `index`: 0 is Y (or the packed samples), 1 U (or `UV`), 2 V.
    ///
    /// # Panics
    /// If the format has fewer planes.
    pub fn plane(&self, index: usize) -> Plane<'a> {
        let plane = self.layout.planes()[index];
        let len = plane.stride_bytes * (plane.rows - 1) + plane.row_bytes;
        Plane {
            data: &self.data[plane.offset_bytes..][..len],
            stride_bytes: plane.stride_bytes,
            row_bytes: plane.row_bytes,
            rows: plane.rows,
        }
    }

    /// The largest part from the middle that has the shape of `like`: what fills a frame of that
    /// shape without distortion. Planar pictures only.
    pub fn middle_of_shape(&self, like: SizePx) -> Self {
        Self { layout: self.layout.middle_of_shape(like), ..*self }
    }

    /// A part of the picture: [`FrameLayout::part`].
    ///
    /// # Panics
    /// If the part is empty or does not lie within the picture.
    pub fn part(&self, left_px: u32, top_px: u32, size: SizePx) -> Self {
        Self { layout: self.layout.part(left_px, top_px, size), ..*self }
    }

    /// The picture's bytes in one piece: what `write()` to a loopback or a pipe takes. Only a
    /// [tight](FrameLayout::tight) layout has no padding in it.
    pub fn bytes(&self) -> &'a [u8] {
        &self.data[..self.layout.len_bytes()]
    }
}

impl<'a> FrameViewMut<'a> {
    view_getters!();

    /// `data` seen as a picture of `layout`, to be written.
    ///
    /// # Errors
    /// [`FrameError::TooShort`] if `data` does not hold the picture.
    pub fn new(
        layout: FrameLayout,
        colour: Colour,
        data: &'a mut [u8],
    ) -> Result<Self, FrameError> {
        layout.check_len(data.len())?;
        Ok(Self { layout, colour, data })
    }

    /// A part of the picture, to be written: [`FrameLayout::part`].
    ///
    /// # Panics
    /// If the part is empty or does not lie within the picture.
    pub fn part(&mut self, left_px: u32, top_px: u32, size: SizePx) -> FrameViewMut<'_> {
        let layout = self.layout.part(left_px, top_px, size);
        FrameViewMut { layout, colour: self.colour, data: self.data }
    }

    /// The planes, as many as the format has: Y (or the packed samples), U (or `UV`), V.
    pub fn planes_mut(&mut self) -> impl Iterator<Item = PlaneMut<'_>> {
        let mut rest: &mut [u8] = self.data;
        let mut taken_bytes = 0;
        self.layout.planes().iter().map(move |plane| {
            let len = plane.stride_bytes * (plane.rows - 1) + plane.row_bytes;
            let (data, behind) = std::mem::take(&mut rest)
                .split_at_mut(plane.offset_bytes - taken_bytes)
                .1
                .split_at_mut(len);
            rest = behind;
            taken_bytes = plane.offset_bytes + len;
            PlaneMut {
                data,
                stride_bytes: plane.stride_bytes,
                row_bytes: plane.row_bytes,
                rows: plane.rows,
            }
        })
    }

    /// Plane `index`, alone.
    ///
    /// # Panics
    /// If the format has fewer planes.
    pub fn plane_mut(&mut self, index: usize) -> PlaneMut<'_> {
        self.planes_mut().nth(index).expect("the format has this plane")
    }

    /// The three planes of a planar format: Y, U, V.
    ///
    /// # Panics
    /// If the format has not three planes.
    pub fn yuv_mut(&mut self) -> [PlaneMut<'_>; 3] {
        let mut planes = self.planes_mut();
        std::array::from_fn(|_| planes.next().expect("a planar YUV format has three planes"))
    }
}
