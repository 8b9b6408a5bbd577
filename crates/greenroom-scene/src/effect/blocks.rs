use std::ops::Range;

use greenroom_frame::{Frame, PlaneMut, Yuv8};

/// Pictures in blocks of one colour each, aligned to the frame's corner.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blocks {
    /// Luma pixels of a side: even, so that blocks of chroma cover the same places.
    side_px: usize,
    /// Bits that are kept of each sample of luma, and of chroma.
    kept_bits: [u32; 2],
}

impl Blocks {
    pub(super) fn new(side_px: usize, kept_bits: [u32; 2]) -> Self {
        Self { side_px: (side_px & !1).max(2), kept_bits }
    }

    /// Luma pixels of a side.
    pub(super) fn side_px(self) -> usize {
        self.side_px
    }

    /// Every sample becomes the mean of its block, in the blocks (column, row) that `wanted` says.
    pub(super) fn apply(self, picture: &mut Frame, wanted: impl Fn(usize, usize) -> bool) {
        self.paint(picture, wanted, [None; 3]);
    }

    /// The blocks (column, row) that `wanted` says become `yuv`.
    pub(super) fn fill(
        self,
        picture: &mut Frame,
        yuv: Yuv8,
        wanted: impl Fn(usize, usize) -> bool,
    ) {
        self.paint(picture, wanted, [yuv.y, yuv.u, yuv.v].map(Some));
    }

    /// Paints blocks with the values of a colour, or with their means.
    fn paint(
        self,
        picture: &mut Frame,
        wanted: impl Fn(usize, usize) -> bool,
        values: [Option<u8>; 3],
    ) {
        let size = picture.size();
        for ((index, mut plane), value) in picture.view_mut().planes_mut().enumerate().zip(values) {
            let kept_bits = self.kept_bits[index.min(1)];
            let side = |have: usize, all_px: u32| {
                if have == all_px as usize { self.side_px } else { self.side_px / 2 }
            };
            let wide = side(plane.row_bytes(), size.width_px);
            let high = side(plane.rows(), size.height_px);
            for (block_y, top) in (0..plane.rows()).step_by(high).enumerate() {
                let rows = top..(top + high).min(plane.rows());
                for (block_x, left) in (0..plane.row_bytes()).step_by(wide).enumerate() {
                    let columns = left..(left + wide).min(plane.row_bytes());
                    if wanted(block_x, block_y) {
                        let mean =
                            || rounded(mean(&plane, rows.clone(), columns.clone()), kept_bits);
                        let value = value.unwrap_or_else(mean);
                        for y in rows.clone() {
                            plane.row_mut(y)[columns.clone()].fill(value);
                        }
                    }
                }
            }
        }
    }
}

fn mean(plane: &PlaneMut<'_>, rows: Range<usize>, columns: Range<usize>) -> u32 {
    let count = (rows.len() * columns.len()) as u32;
    let row = |y: usize| &plane.data()[y * plane.stride_bytes()..][columns.clone()];
    let sum_of = |row: &[u8]| row.iter().map(|&sample| u32::from(sample)).sum::<u32>();
    (rows.map(|y| sum_of(row(y))).sum::<u32>() + count / 2) / count
}

/// To the nearest code of so many bits. 128 stays 128: what has no colour gets none.
fn rounded(mean: u32, kept_bits: u32) -> u8 {
    let lost_bits = 8 - kept_bits;
    ((mean + (1 << lost_bits >> 1)) >> lost_bits << lost_bits).min(255) as u8
}
