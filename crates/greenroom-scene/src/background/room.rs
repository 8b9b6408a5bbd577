//! The room without the person, small: what blurs and mosaics of it are made from.
//!
//! Each pixel is weighted by how surely it is room (normalised convolution, Knutsson and Westin
//! 1993), so that no colour of the person can bleed into what is made of it.

use greenroom_frame::{
    Backdrop, Frame, FrameError, FrameView, PixelFormat, PlaneScaler, ScaledPicture, SizePx,
};

use super::MattedFrame;

/// One small pixel: Y, U, V, each times the weight, and the weight, 0 to 255.
pub(super) type Weighted = [f32; 4];

/// How surely a pixel of this alpha is room, 0..=255. A sixteenth of person in it leaves none:
/// what is mixed with the person must not count as room.
pub(super) fn room_weight(alpha: u8) -> u8 {
    255u8.saturating_sub(alpha.saturating_mul(16))
}

/// Which rows of a room a small one is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    AllRows,
    /// Two of those that become one, as thumbnails are made, and four of alpha: for what is blurred anyway.
    TwoRowsACell,
}

/// Brings rooms down to a few rows, and what was made of them up again.
pub(super) struct SmallRoom {
    small: SizePx,
    /// Y, U, V and alpha of the small picture.
    planes: [Frame; 4],
    /// Of each of these planes of the room, its scaler and of how many rows one is read.
    reduce: [(PlaneScaler, usize); 4],
    shown: ScaledPicture,
}

impl SmallRoom {
    /// For rooms like `like`, on `rows` rows or as many as there are.
    pub(super) fn new(
        like: FrameView<'_>,
        rows: u32,
        reading: Reading,
    ) -> Result<Self, FrameError> {
        let size = like.size();
        let rows = size.height_px.min(rows).max(1);
        let columns = u64::from(size.width_px) * u64::from(rows) / u64::from(size.height_px);
        let small = SizePx::new((columns as u32).max(1), rows);
        let chroma = like.format().chroma().plane_size(size);
        let grey = || Frame::new(PixelFormat::Grey, small, like.colour());
        // Means will do: what is made of them is far softer or coarser.
        let reduce = |from: SizePx, rows_a_cell: u32| -> Result<(PlaneScaler, usize), FrameError> {
            let step = match reading {
                Reading::AllRows => 1,
                Reading::TwoRowsACell => (from.height_px / rows / rows_a_cell).max(1),
            };
            let read = SizePx::new(from.width_px, from.height_px.div_ceil(step));
            Ok((PlaneScaler::of_means(read, small)?, step as usize))
        };
        Ok(Self {
            small,
            planes: [grey()?, grey()?, grey()?, grey()?],
            // A row of chroma is two of alpha: the person in any of those that are read counts.
            reduce: [reduce(size, 2)?, reduce(chroma, 2)?, reduce(chroma, 2)?, reduce(size, 4)?],
            shown: ScaledPicture::new(like.shape(), small)?,
        })
    }

    /// Size of the small picture.
    pub(super) fn size(&self) -> SizePx {
        self.small
    }

    /// Whether it was made for frames of this shape.
    pub(super) fn fits(&self, room: FrameView<'_>) -> bool {
        self.shown.shape() == room.shape()
    }

    /// Makes the small picture: Y, U, V and alpha, row by row.
    pub(super) fn reduce(&mut self, room: &MattedFrame<'_>) -> [&[u8]; 4] {
        let [y, u, v] = [0, 1, 2].map(|plane| room.frame.plane(plane));
        let full = [y, u, v, room.matte.luma().plane(0)];
        let reduce = self.planes.iter_mut().zip(&mut self.reduce).zip(full);
        for ((small, (scaler, step)), full) in reduce {
            scaler.scale(full.every_row(*step), &mut small.view_mut().plane_mut(0));
        }
        self.planes.each_ref().map(Frame::bytes)
    }

    /// The same, weighted.
    pub(super) fn gather(&mut self, room: &MattedFrame<'_>, sums: &mut [Weighted]) {
        let [y, u, v, alpha] = self.reduce(room);
        let samples = y.iter().zip(u).zip(v).zip(alpha);
        for (sum, (((&y, &u), &v), &alpha)) in sums.iter_mut().zip(samples) {
            let weight = f32::from(room_weight(alpha));
            *sum = [f32::from(y) * weight, f32::from(u) * weight, f32::from(v) * weight, weight];
        }
    }

    /// Divides by the weights, none of which may be 0, and gives the picture at full size.
    pub(super) fn spread(&mut self, sums: &[Weighted]) -> Backdrop<'_> {
        let [y, u, v, _] = self.planes.each_mut().map(Frame::bytes_mut);
        for (sum, ((y, u), v)) in sums.iter().zip(y.iter_mut().zip(u).zip(v)) {
            // Of floats from 2^23 on, the lowest bits are the whole part: neither `round()`, which is a call
            // without SSE4.1, nor `as u8` is made into vectors.
            let codes = sum.map(|channel| (channel / sum[3] + 8_388_608.0).to_bits() as u8);
            [*y, *u, *v, _] = codes;
        }
        let [y, u, v, _] = self.planes.each_ref().map(Frame::view);
        self.shown.set([y.plane(0), u.plane(0), v.plane(0)]);
        Backdrop::Scaled(&self.shown)
    }
}

/// Fills places that no room reaches, from ever wider round about: a pyramid of means, down and up
/// again ("pull-push", Gortler and others 1996).
pub(super) struct Filler {
    /// Each half as large as the one before; the first half as large as the picture.
    levels: Vec<(SizePx, Vec<Weighted>)>,
}

/// Weight of what is filled in. Room has up to 255 and hides it.
const TRACE: f32 = 0.5;
/// From this weight on, what is filled in would make less than one code of difference.
const ENOUGH: f32 = 128.0;

impl Filler {
    pub(super) fn new(size: SizePx) -> Self {
        let mut levels = Vec::new();
        let mut size = size;
        while size.area_px() > 1 {
            size = SizePx::new(size.width_px.div_ceil(2), size.height_px.div_ceil(2));
            levels.push((size, vec![[0.0; 4]; size.area_px() as usize]));
        }
        Self { levels }
    }

    /// Gives every pixel a weight, and a colour where it had none. Without any room at all that is
    /// a plain mid-grey.
    pub(super) fn fill(&mut self, size: SizePx, sums: &mut [Weighted]) {
        let (mut above_size, mut above): (_, &[Weighted]) = (size, sums);
        for (size, level) in &mut self.levels {
            shrink(above_size, above, *size, level);
            (above_size, above) = (*size, level);
        }
        let grey = [96.0, 128.0, 128.0, 1.0].map(|channel| TRACE * channel);
        match self.levels.last_mut() {
            Some((_, top)) => add(&mut top[0], &grey),
            None => add(&mut sums[0], &grey),
        }
        for index in (1..self.levels.len()).rev() {
            let (finer, coarser) = self.levels.split_at_mut(index);
            let ((size, level), (below_size, below)) = (&mut finer[index - 1], &mut coarser[0]);
            trace(below);
            fill_from(*below_size, below, *size, level);
        }
        if let Some((below_size, below)) = self.levels.first_mut() {
            trace(below);
            fill_from(*below_size, below, size, sums);
        }
    }
}

fn add(sum: &mut Weighted, other: &Weighted) {
    sum.iter_mut().zip(other).for_each(|(sum, other)| *sum += other);
}

/// Means of two by two; an odd last column or row stands for itself.
fn shrink(from_size: SizePx, from: &[Weighted], size: SizePx, into: &mut [Weighted]) {
    let (from_width, width) = (from_size.width_px as usize, size.width_px as usize);
    let last_row = from_size.height_px as usize - 1;
    for (y, out) in into.chunks_exact_mut(width).enumerate() {
        let rows =
            [2 * y, (2 * y + 1).min(last_row)].map(|y| &from[y * from_width..][..from_width]);
        for (x, out) in out.iter_mut().enumerate() {
            let (one, other) = (2 * x, (2 * x + 1).min(from_width - 1));
            *out = [0.0; 4];
            [rows[0][one], rows[0][other], rows[1][one], rows[1][other]]
                .iter()
                .for_each(|pixel| add(out, pixel));
            out.iter_mut().for_each(|channel| *channel *= 0.25);
        }
    }
}

/// Gives each pixel the weight of what is filled in.
fn trace(level: &mut [Weighted]) {
    for pixel in level {
        let scale = TRACE / pixel[3];
        pixel.iter_mut().for_each(|channel| *channel *= scale);
    }
}

/// Adds `coarse`, smoothly enlarged, where there is little weight.
fn fill_from(coarse_size: SizePx, coarse: &[Weighted], size: SizePx, fine: &mut [Weighted]) {
    let (coarse_width, width) = (coarse_size.width_px as usize, size.width_px as usize);
    let last = (coarse_width - 1, coarse_size.height_px as usize - 1);
    // The nearest coarse pixel counts three quarters, the next one on the same side a quarter.
    let next = |at: usize, last: usize| {
        if at.is_multiple_of(2) { (at / 2).saturating_sub(1) } else { (at / 2 + 1).min(last) }
    };
    for (y, row) in fine.chunks_exact_mut(width).enumerate() {
        let rows = [y / 2, next(y, last.1)].map(|y| &coarse[y * coarse_width..][..coarse_width]);
        for (x, pixel) in row.iter_mut().enumerate().filter(|(_, pixel)| pixel[3] < ENOUGH) {
            let (near, far) = (x / 2, next(x, last.0));
            let corners = [
                (&rows[0][near], 0.5625),
                (&rows[0][far], 0.1875),
                (&rows[1][near], 0.1875),
                (&rows[1][far], 0.0625),
            ];
            for (corner, share) in corners {
                pixel.iter_mut().zip(corner).for_each(|(sum, coarse)| *sum += share * coarse);
            }
        }
    }
}
