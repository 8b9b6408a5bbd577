//! Bilinear enlargement with half-pixel centres, row by row.

use crate::tflite::MapShape;

/// From a map's height and width to larger ones.
#[derive(Debug)]
pub(super) struct Resize {
    /// For each row of the result.
    rows: Vec<Tap>,
    /// For each of its columns.
    columns: Vec<Tap>,
}

/// Row or column `before` and the one behind it are blended: `share` of the latter.
#[derive(Debug, Clone, Copy)]
struct Tap {
    before: usize,
    behind: usize,
    share: f32,
}

impl Resize {
    pub fn new(from: MapShape, to: MapShape) -> Self {
        Self { rows: taps(from.height, to.height), columns: taps(from.width, to.width) }
    }

    /// Adds row `y` of the enlarged map to `out`. `row` gives the rows of the small map, of `channels` each; `blend` is
    /// memory for one of them.
    pub fn add_row<'a>(
        &self,
        y: usize,
        channels: usize,
        row: impl Fn(usize) -> &'a [f32],
        blend: &mut [f32],
        out: &mut [f32],
    ) {
        let Tap { before, behind, share } = self.rows[y];
        let (before, behind) = (row(before), row(behind));
        let blend = &mut blend[..before.len()];
        for ((blend, before), behind) in blend.iter_mut().zip(before).zip(behind) {
            *blend = before + (behind - before) * share;
        }
        for (out, tap) in out.chunks_exact_mut(channels).zip(&self.columns) {
            let before = &blend[tap.before * channels..][..channels];
            let behind = &blend[tap.behind * channels..][..channels];
            for ((out, before), behind) in out.iter_mut().zip(before).zip(behind) {
                *out += before + (behind - before) * tap.share;
            }
        }
    }
}

/// How the rows or columns of a side of `to` pixels lie between those of one of `from`.
fn taps(from: usize, to: usize) -> Vec<Tap> {
    let tap = |at: usize| {
        let place = ((at as f32 + 0.5) * from as f32 / to as f32 - 0.5).max(0.0);
        let before = (place as usize).min(from - 1);
        Tap { before, behind: (before + 1).min(from - 1), share: place - before as f32 }
    };
    (0..to).map(tap).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_stays_a_ramp_and_its_ends_stay_flat() {
        let square = |side| MapShape { height: side, width: side, channels: 1 };
        let rows = [[0.0, 8.0], [16.0, 24.0]];
        let mut blend = [0.0; 2];
        let enlarged: Vec<[f32; 4]> = (0..4)
            .map(|y| {
                let mut out = [1.0; 4];
                Resize::new(square(2), square(4)).add_row(y, 1, |y| &rows[y], &mut blend, &mut out);
                out
            })
            .collect();
        assert_eq!(enlarged[0], [1.0, 3.0, 7.0, 9.0]);
        assert_eq!(enlarged[1], [5.0, 7.0, 11.0, 13.0]);
        assert_eq!(enlarged[3], [17.0, 19.0, 23.0, 25.0]);
    }
}
