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

/// Each cell becomes the mean of the square that reaches so many cells to each side; beyond the border nothing counts.
pub(super) fn blur(cells: &mut [u8], rows: &mut [u8], size: SizePx, reach: usize) {
    let (width, height) = (size.width_px as usize, size.height_px as usize);
    for (out, row) in rows.chunks_exact_mut(width).zip(cells.chunks_exact(width)) {
        slide(width, reach, |x| row[x], |x, mean| out[x] = mean);
    }
    for x in 0..width {
        slide(height, reach, |y| rows[y * width + x], |y, mean| cells[y * width + x] = mean);
    }
}

/// The mean of `reach` values to each side of each of `count`.
fn slide(count: usize, reach: usize, value: impl Fn(usize) -> u8, mut put: impl FnMut(usize, u8)) {
    // A division takes ten times as long, and this gives the same as long as `full * full * 255` is below 2^16.
    let full = 2 * reach + 1;
    let share = (1 << 16) / full as u32 + 1;
    debug_assert!(full * full * 255 < 1 << 16);
    let mut sum: u32 = (0..reach.min(count)).map(|at| u32::from(value(at))).sum();
    for at in 0..count {
        if at + reach < count {
            sum += u32::from(value(at + reach));
        }
        if at > reach {
            sum -= u32::from(value(at - reach - 1));
        }
        let (from, to) = (at.saturating_sub(reach), (at + reach + 1).min(count));
        let values = to - from;
        let mean = if values == full { (sum * share) >> 16 } else { sum / values as u32 };
        put(at, mean as u8);
    }
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
                let (mut soft, mut wide) = (cells.clone(), cells.clone());
                most_around(&mut cells, &mut rows, size);
                soften(&mut soft, &mut rows, size);
                blur(&mut wide, &mut rows, size, 1);
                let (x, y) = (place as u32 % width, place as u32 / width);
                for at in 0..area {
                    let (to_x, to_y) = (at as u32 % width, at as u32 / width);
                    let is_near = x.abs_diff(to_x) <= 1 && y.abs_diff(to_y) <= 1;
                    assert_eq!(cells[at], if is_near { 255 } else { 0 }, "{size} {place} {at}");
                    assert_eq!(soft[at] > 0, is_near, "{size} {place} {at}");
                    let side = |at: u32, count: u32| (at + 2).min(count) - at.saturating_sub(1);
                    let mean = 255 / side(to_x, width) / side(to_y, height);
                    assert_eq!(u32::from(wide[at]), if is_near { mean } else { 0 });
                }
            }
        }
    }
}
