use std::ops::Range;

use crate::kernels::fetch::fetch_below;
use crate::kernels::mean::{add_pairs, add_row, add_rows, first_rows, mean};
use crate::kernels::scale::{
    TapTable, row_to_between, row_to_bytes, rows_to_between, rows_to_bytes,
};
use crate::{Frame, FrameError, FrameView, Isa, Plane, PlaneMut, SizePx};

/// Scales 8-bit planes from one size to another: bilinear with half-pixel centres when enlarging,
/// the same triangle widened to the ratio when reducing (so every input sample counts and nothing
/// aliases), or plain [means](Self::of_means). Tables and scratch are made once;
/// [`scale`](Self::scale) asks for no memory.
///
/// `fast_image_resize` does the same sum, but makes its tables anew on every call: two to six
/// allocations a plane a frame.
#[derive(Debug)]
pub struct PlaneScaler {
    from: SizePx,
    to: SizePx,
    columns: TapTable,
    rows: TapTable,
    between: Vec<i16>,
    /// For means of whole cells, in place of all these.
    means: Option<Means>,
    isa: Isa,
}

/// Means of cells of a whole number of samples each way.
#[derive(Debug)]
struct Means {
    columns: usize,
    rows: usize,
    /// Sums of columns, and of more and more neighbours.
    sums: [Vec<u16>; 2],
}

impl Means {
    /// `None` if the sizes are no whole multiples, or the cells too large for 16 bits.
    fn new(from: SizePx, to: SizePx) -> Option<Self> {
        let whole = |from: u32, to: u32| from.is_multiple_of(to).then_some(from / to);
        let columns = whole(from.width_px, to.width_px)?;
        let rows = whole(from.height_px, to.height_px)?;
        let fits = columns * rows <= u32::from(u16::MAX / 255);
        let sums = || vec![0; from.width_px as usize];
        let [columns, rows] = [columns, rows].map(|count| count as usize);
        fits.then(|| Self { columns, rows, sums: [sums(), sums()] })
    }

    fn scale<'a>(&mut self, isa: Isa, from: Plane<'_>, into: impl Iterator<Item = &'a mut [u8]>) {
        let scale = 1.0 / (self.columns * self.rows) as f32;
        for (y, out) in into.enumerate() {
            let row = |row: usize| from.row(y * self.rows + row);
            let [mut sums, mut halves] = self.sums.each_mut().map(Vec::as_mut_slice);
            // Of the next cells: a frame comes from another thread, and rows of which some are passed over are more than
            // processors guess by themselves.
            for next in 0..self.rows {
                let ahead = from.stride_bytes() * self.rows;
                fetch_below(row(next), ahead);
            }
            let pairs = self.rows / 2;
            if pairs == 0 {
                sums.fill(0);
            } else {
                first_rows(isa, sums, row(0), row(1));
            }
            (1..pairs).for_each(|pair| add_rows(isa, sums, row(2 * pair), row(2 * pair + 1)));
            if self.rows % 2 == 1 {
                add_row(isa, sums, row(self.rows - 1));
            }
            for _ in 0..self.columns.trailing_zeros() {
                let len = sums.len() / 2;
                add_pairs(isa, &mut halves[..len], sums);
                (sums, halves) = (&mut halves[..len], sums);
            }
            mean(isa, out, sums, scale);
        }
    }
}

impl PlaneScaler {
    /// A scaler for planes of `from` samples to planes of `to` samples.
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub fn new(from: SizePx, to: SizePx) -> Result<Self, FrameError> {
        Self::with_tables(from, to, TapTable::new)
    }

    /// A scaler that makes each sample the mean of what it covers (a box), for where many become one
    /// and half the work of the triangle is wanted. A side that grows is bilinear all the same.
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub fn of_means(from: SizePx, to: SizePx) -> Result<Self, FrameError> {
        let scaler = Self::with_tables(from, to, |from, to| {
            if to > from { TapTable::new(from, to) } else { TapTable::of_means(from, to) }
        })?;
        Ok(Self { means: Means::new(from, to), ..scaler })
    }

    fn with_tables(
        from: SizePx,
        to: SizePx,
        table: impl Fn(u32, u32) -> TapTable,
    ) -> Result<Self, FrameError> {
        from.checked()?;
        to.checked()?;
        let columns = table(from.width_px, to.width_px);
        let rows = table(from.height_px, to.height_px);
        // Whichever half comes first leaves the smaller picture between the two.
        let between = if to.height_px <= from.height_px {
            from.width_px
        } else {
            to.width_px * from.height_px
        };
        let between = vec![0; between as usize];
        Ok(Self { from, to, columns, rows, between, means: None, isa: Isa::best() })
    }

    /// Size of the planes it takes.
    pub fn from(&self) -> SizePx {
        self.from
    }

    /// Size of the planes it makes.
    pub fn to(&self) -> SizePx {
        self.to
    }

    /// Scales one plane.
    ///
    /// # Panics
    /// If the planes are not of the scaler's sizes: that is the caller's mistake.
    pub fn scale(&mut self, from: Plane<'_>, into: &mut PlaneMut<'_>) {
        let size = |row_bytes: usize, rows: usize| (row_bytes as u32, rows as u32);
        assert_eq!(size(from.row_bytes(), from.rows()), (self.from.width_px, self.from.height_px));
        assert_eq!(size(into.row_bytes(), into.rows()), (self.to.width_px, self.to.height_px));
        self.scale_rows(from, into.iter_rows_mut());
    }

    /// The same into as many rows, as long as they are to be.
    pub(crate) fn scale_rows<'a>(
        &mut self,
        from: Plane<'_>,
        into: impl Iterator<Item = &'a mut [u8]>,
    ) {
        if self.from == self.to {
            into.zip(from.iter_rows()).for_each(|(to, from)| to.copy_from_slice(from));
        } else if let Some(means) = &mut self.means {
            means.scale(self.isa, from, into);
        } else if self.enlarges_rows() {
            self.widen(from);
            let width = self.to.width_px as usize;
            into.enumerate().for_each(|(y, out)| self.enlarged(y, 0..width, out));
        } else {
            self.reduce(from, into);
        }
    }

    /// Whether there are to be more rows than there are: then [`widen`](Self::widen) is half of the work.
    pub(crate) fn enlarges_rows(&self) -> bool {
        self.to.height_px > self.from.height_px
    }

    /// Rows first: one row between at a time.
    fn reduce<'a>(&mut self, from: Plane<'_>, into: impl Iterator<Item = &'a mut [u8]>) {
        for (y, out) in into.enumerate() {
            let taps = self.rows.taps(y);
            let stride_bytes = from.stride_bytes();
            let between = &mut self.between;
            rows_to_between(self.isa, between, from.data(), stride_bytes, taps);
            row_to_bytes(self.isa, out, between, &self.columns);
        }
    }

    /// Columns first: the whole picture between, of a scaler that [enlarges](Self::enlarges_rows).
    pub(crate) fn widen(&mut self, from: Plane<'_>) {
        let between = self.between.chunks_exact_mut(self.to.width_px as usize);
        for (between, row) in between.zip(from.iter_rows()) {
            row_to_between(self.isa, between, row, &self.columns);
        }
    }

    /// Columns of row `y` of the plane that was [widened](Self::widen) last.
    pub(crate) fn enlarged(&self, y: usize, columns: Range<usize>, out: &mut [u8]) {
        debug_assert_eq!(columns.len(), out.len());
        let between = &self.between[columns.start..];
        rows_to_bytes(self.isa, out, between, self.to.width_px as usize, self.rows.taps(y));
    }
}

/// Scales planar pictures, plane by plane, remaking its tables only when a size changes.
#[derive(Debug, Default)]
pub struct FrameScaler {
    planes: Vec<PlaneScaler>,
}

impl FrameScaler {
    /// Scales `from`, a planar picture, into `into`, which becomes a picture of the same format
    /// and colour and of size `to`.
    ///
    /// # Errors
    /// [`FrameError::BadSize`]; [`FrameError::NoConversion`] for a packed picture.
    pub fn scale(
        &mut self,
        from: FrameView<'_>,
        to: SizePx,
        into: &mut Frame,
    ) -> Result<(), FrameError> {
        let format = from.format();
        if !format.is_planar() {
            let from_size = from.size();
            return Err(FrameError::NoConversion {
                from: format,
                from_size,
                to: format,
                to_size: to,
            });
        }
        into.reshape(format, to, from.colour())?;
        into.set_captured_at(from.captured_at());
        let samples = |plane: usize, size: SizePx| {
            if plane == 0 { size } else { format.chroma().plane_size(size) }
        };
        for (index, mut plane) in into.view_mut().planes_mut().enumerate() {
            let (from_px, to_px) = (samples(index, from.size()), samples(index, to));
            match self.planes.get_mut(index) {
                Some(scaler) if (scaler.from, scaler.to) == (from_px, to_px) => {}
                Some(scaler) => *scaler = PlaneScaler::new(from_px, to_px)?,
                None => self.planes.push(PlaneScaler::new(from_px, to_px)?),
            }
            self.planes[index].scale(from.plane(index), &mut plane);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
