//! The rows that a depthwise convolution looks at, as they are made one by one.

use crate::tflite::MapShape;

/// The last `window` rows of a map, each with padding columns of zeros at both ends.
#[derive(Debug)]
pub(crate) struct Ring<'a> {
    /// `slots` rows of `row_len`.
    rows: &'a mut [f32],
    /// One row of zeros, for what is above and below the map.
    zeros: &'a [f32],
    map: MapShape,
    padding: Padding,
}

/// How a window of `window` pixels that moves by `stride` lies on a side of `len` pixels when the
/// result has `len / stride` (TFLite's SAME).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Padding {
    pub window: usize,
    /// Pixels of padding before the first.
    pub before: usize,
    /// Pixels of padding behind the last.
    pub after: usize,
}

impl Padding {
    pub fn same(window: usize, stride: usize, len: usize) -> Self {
        let covered = (len.div_ceil(stride) - 1) * stride + window;
        let total = covered.saturating_sub(len);
        Self { window, before: total / 2, after: total - total / 2 }
    }
}

impl<'a> Ring<'a> {
    /// Values of one padded row.
    pub fn row_len(map: MapShape, padding: Padding) -> usize {
        (padding.before + map.width + padding.after) * map.channels
    }

    /// Values of all rows.
    pub fn len(map: MapShape, padding: Padding) -> usize {
        padding.window * Self::row_len(map, padding)
    }

    /// A ring for `map` in `memory`, whatever was in it before. `zeros` are zeros.
    ///
    /// # Panics
    /// If `memory` or `zeros` is too short.
    pub fn new(memory: &'a mut [f32], zeros: &'a [f32], map: MapShape, padding: Padding) -> Self {
        let row_len = Self::row_len(map, padding);
        let rows = &mut memory[..Self::len(map, padding)];
        for row in rows.chunks_exact_mut(row_len) {
            row[..padding.before * map.channels].fill(0.0);
            row[row_len - padding.after * map.channels..].fill(0.0);
        }
        Self { rows, zeros: &zeros[..row_len], map, padding }
    }

    /// Row `y` of the map without its padding, to be written.
    pub fn row_mut(&mut self, y: usize) -> &mut [f32] {
        let row_len = self.zeros.len();
        let row = &mut self.rows[y % self.padding.window * row_len..][..row_len];
        &mut row[self.padding.before * self.map.channels..][..self.map.width * self.map.channels]
    }

    /// The rows of the window that begins `before` rows above row `top`; only the first `window`
    /// are set.
    pub fn window(&self, top: usize, before: usize) -> [&[f32]; 5] {
        let row_len = self.zeros.len();
        std::array::from_fn(|index| match (top + index).checked_sub(before) {
            Some(y) if y < self.map.height && index < self.padding.window => {
                &self.rows[y % self.padding.window * row_len..][..row_len]
            }
            _ => self.zeros,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_that_of_tflite() {
        let same = |window, stride, len| {
            let Padding { before, after, .. } = Padding::same(window, stride, len);
            (before, after)
        };
        assert_eq!(same(3, 1, 32), (1, 1));
        assert_eq!(same(3, 2, 32), (0, 1));
        assert_eq!(same(5, 1, 16), (2, 2));
        assert_eq!(same(5, 2, 32), (1, 2));
        assert_eq!(same(5, 2, 9), (2, 2));
        assert_eq!(same(3, 2, 9), (1, 1));
    }

    #[test]
    fn rows_outside_the_map_are_zero_and_old_ones_are_overwritten() {
        let map = MapShape { height: 4, width: 2, channels: 1 };
        let padding = Padding::same(3, 1, 2);
        let zeros = [0.0; 4];
        let mut memory = [9.0; 12];
        let mut ring = Ring::new(&mut memory, &zeros, map, padding);
        for y in 0..2 {
            ring.row_mut(y).fill(y as f32 + 1.0);
        }
        let rows = ring.window(0, 1);
        assert_eq!(rows[0], [0.0; 4]);
        assert_eq!(rows[1], [0.0, 1.0, 1.0, 0.0]);
        assert_eq!(rows[2], [0.0, 2.0, 2.0, 0.0]);
        for y in 2..4 {
            ring.row_mut(y).fill(y as f32 + 1.0);
        }
        let rows = ring.window(3, 1);
        assert_eq!((rows[0][1], rows[1][1], rows[2]), (3.0, 4.0, &zeros[..]));
    }
}
