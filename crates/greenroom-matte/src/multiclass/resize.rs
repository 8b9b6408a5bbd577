//! Bilinear enlargement with half-pixel centres, row by row.

/// From a square of one side to a larger one.
#[derive(Debug)]
pub(super) struct Resize {
    /// For each row or column of the result.
    taps: Vec<Tap>,
}

/// Row or column `before` and the one behind it are blended: `share` of the latter.
#[derive(Debug, Clone, Copy)]
struct Tap {
    before: usize,
    behind: usize,
    share: f32,
}

impl Resize {
    pub fn new(from: usize, to: usize) -> Self {
        let tap = |at: usize| {
            let place = ((at as f32 + 0.5) * from as f32 / to as f32 - 0.5).max(0.0);
            let before = (place as usize).min(from - 1);
            Tap { before, behind: (before + 1).min(from - 1), share: place - before as f32 }
        };
        Self { taps: (0..to).map(tap).collect() }
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
        let Tap { before, behind, share } = self.taps[y];
        let (before, behind) = (row(before), row(behind));
        let blend = &mut blend[..before.len()];
        for ((blend, before), behind) in blend.iter_mut().zip(before).zip(behind) {
            *blend = before + (behind - before) * share;
        }
        for (out, tap) in out.chunks_exact_mut(channels).zip(&self.taps) {
            let before = &blend[tap.before * channels..][..channels];
            let behind = &blend[tap.behind * channels..][..channels];
            for ((out, before), behind) in out.iter_mut().zip(before).zip(behind) {
                *out += before + (behind - before) * tap.share;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ramp_stays_a_ramp_and_its_ends_stay_flat() {
        let rows = [[0.0, 8.0], [16.0, 24.0]];
        let mut blend = [0.0; 2];
        let enlarged: Vec<[f32; 4]> = (0..4)
            .map(|y| {
                let mut out = [1.0; 4];
                Resize::new(2, 4).add_row(y, 1, |y| &rows[y], &mut blend, &mut out);
                out
            })
            .collect();
        assert_eq!(enlarged[0], [1.0, 3.0, 7.0, 9.0]);
        assert_eq!(enlarged[1], [5.0, 7.0, 11.0, 13.0]);
        assert_eq!(enlarged[3], [17.0, 19.0, 23.0, 25.0]);
    }
}
