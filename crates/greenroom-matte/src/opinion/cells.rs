use std::ops::Range;

use greenroom_frame::{Colour, Frame, FrameError, PixelFormat, SizePx};

/// A grey picture of zeros.
pub(super) fn grey(size: SizePx) -> Result<Frame, FrameError> {
    let mut frame = Frame::new(PixelFormat::Grey, size, Colour::JPEG)?;
    frame.bytes_mut().fill(0);
    Ok(frame)
}

/// Each cell becomes the most of 3x3. `rows` is as long as `cells`, for what is in passing.
pub(super) fn most_around(cells: &mut [u8], rows: &mut [u8], size: SizePx) {
    around(cells, rows, size, |a, b, c| a.max(b).max(c));
}

/// Each cell becomes the mean of 3x3.
pub(super) fn soften(cells: &mut [u8], rows: &mut [u8], size: SizePx) {
    around(cells, rows, size, |a, b, c| ((u16::from(a) + u16::from(b) + u16::from(c)) / 3) as u8);
}

/// Joins each cell with its neighbours to both sides, then above and below; at the border it is its own neighbour.
fn around(cells: &mut [u8], rows: &mut [u8], size: SizePx, join: impl Fn(u8, u8, u8) -> u8) {
    let (width, height) = (size.width_px as usize, size.height_px as usize);
    for (out, row) in rows.chunks_exact_mut(width).zip(cells.chunks_exact(width)) {
        for x in [0, width - 1] {
            out[x] = join(row[x.saturating_sub(1)], row[x], row[(x + 1).min(width - 1)]);
        }
        for (out, three) in out[1..].iter_mut().zip(row.windows(3)) {
            *out = join(three[0], three[1], three[2]);
        }
    }
    for (y, out) in cells.chunks_exact_mut(width).enumerate() {
        let row = |y: usize| &rows[y * width..][..width];
        let three = [row(y.saturating_sub(1)), row(y), row((y + 1).min(height - 1))];
        for (((out, above), here), below) in
            out.iter_mut().zip(three[0]).zip(three[1]).zip(three[2])
        {
            *out = join(*above, *here, *below);
        }
    }
}

/// Cells to each side that count as near.
const NEAR_CELLS: usize = 4;
/// Cells of a row that are near, and the cell itself.
const ROW_CELLS: usize = 2 * NEAR_CELLS + 1;

/// Memory for what is in passing.
#[derive(Debug)]
pub(super) struct Spare {
    /// As many as there are cells.
    pub(super) cells: Vec<u8>,
    /// A row, with [`NEAR_CELLS`] more at both ends; and sums of a row's columns.
    row: Vec<u8>,
    sums: Vec<u16>,
}

impl Spare {
    /// For so many cells.
    pub(super) fn new(cells: SizePx) -> Self {
        let width = cells.width_px as usize;
        Self {
            cells: vec![0; cells.area_px() as usize],
            row: vec![0; width + 2 * NEAR_CELLS],
            sums: vec![0; width],
        }
    }
}

/// Cells are 0 or 255: those become 255, too, where half of the cells near are, at the border of those that there are. (The share in
/// each row is a whole number of 255ths, rounded down, before their mean is taken.)
pub(super) fn fill_amid(cells: &mut [u8], spare: &mut Spare, size: SizePx) {
    let (width, height) = (size.width_px as usize, size.height_px as usize);
    let Spare { cells: shares, row, sums } = spare;
    for (shares, cells) in shares.chunks_exact_mut(width).zip(cells.chunks_exact(width)) {
        row[NEAR_CELLS..][..width].iter_mut().zip(cells).for_each(|(one, cell)| *one = cell & 1);
        shares.fill(0);
        for start in 0..ROW_CELLS {
            shares.iter_mut().zip(&row[start..]).for_each(|(share, one)| *share += one);
        }
        let inner = NEAR_CELLS..width.saturating_sub(NEAR_CELLS).max(NEAR_CELLS);
        for x in (0..inner.start.min(width)).chain(inner.end..width) {
            let there = near(x, width).len();
            shares[x] = (255 * usize::from(shares[x]) / there) as u8;
        }
        // A division takes ten times as long, and this gives the same.
        const PART: u32 = (1 << 16) / ROW_CELLS as u32 + 1;
        if let Some(shares) = shares.get_mut(inner) {
            for share in shares {
                *share = ((255 * u32::from(*share) * PART) >> 16) as u8;
            }
        }
    }
    sums.fill(0);
    let row = |y: usize| &shares[y * width..][..width];
    for y in 0..NEAR_CELLS.min(height) {
        sums.iter_mut().zip(row(y)).for_each(|(sum, share)| *sum += u16::from(*share));
    }
    for (y, cells) in cells.chunks_exact_mut(width).enumerate() {
        let rows = near(y, height);
        if y + NEAR_CELLS < height {
            let new = row(y + NEAR_CELLS).iter();
            sums.iter_mut().zip(new).for_each(|(sum, share)| *sum += u16::from(*share));
        }
        if let Some(y) = y.checked_sub(NEAR_CELLS + 1) {
            sums.iter_mut().zip(row(y)).for_each(|(sum, share)| *sum -= u16::from(*share));
        }
        let half = 128 * rows.len() as u16;
        for (cell, &sum) in cells.iter_mut().zip(sums.iter()) {
            *cell |= if sum >= half { 255 } else { 0 };
        }
    }
}

/// What is near of `count` places in a line.
fn near(at: usize, count: usize) -> Range<usize> {
    at.saturating_sub(NEAR_CELLS)..(at + NEAR_CELLS + 1).min(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_spreads_to_its_neighbours_and_is_softened() {
        for (width, height) in [(7, 5), (2, 2), (1, 4), (9, 1)] {
            let size = SizePx::new(width, height);
            let area = size.area_px() as usize;
            for place in 0..area {
                let (mut cells, mut rows) = (vec![0; area], vec![0; area]);
                cells[place] = 255;
                let mut soft = cells.clone();
                most_around(&mut cells, &mut rows, size);
                soften(&mut soft, &mut rows, size);
                let (x, y) = (place as u32 % width, place as u32 / width);
                for at in 0..area {
                    let (to_x, to_y) = (at as u32 % width, at as u32 / width);
                    let is_near = x.abs_diff(to_x) <= 1 && y.abs_diff(to_y) <= 1;
                    assert_eq!(cells[at], if is_near { 255 } else { 0 }, "{size} {place} {at}");
                    assert_eq!(soft[at] > 0, is_near, "{size} {place} {at}");
                }
            }
        }
    }
    #[test]
    fn cells_amid_others_are_filled_as_by_counting() {
        let mut state = 7u32;
        let mut next = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 24
        };
        for (width, height) in [(40, 22), (16, 9), (9, 9), (7, 5), (4, 4), (3, 12), (1, 1), (1, 30)]
        {
            let size = SizePx::new(width as u32, height as u32);
            let mut spare = Spare::new(size);
            for share in [20, 110, 128, 150, 250] {
                let before: Vec<u8> =
                    (0..width * height).map(|_| if next() < share { 255 } else { 0 }).collect();
                let mut cells = before.clone();
                fill_amid(&mut cells, &mut spare, size);
                for (at, &cell) in cells.iter().enumerate() {
                    let (columns, rows) = (near(at % width, width), near(at / width, height));
                    let of_row = |y: usize| {
                        let row = &before[y * width..][columns.clone()];
                        row.iter().map(|&cell| usize::from(cell)).sum::<usize>() / row.len()
                    };
                    let mean = rows.clone().map(of_row).sum::<usize>() / rows.len();
                    let wanted = if mean > 127 { 255 } else { before[at] };
                    assert_eq!(cell, wanted, "{size} {share} {at}");
                }
            }
        }
    }
}
