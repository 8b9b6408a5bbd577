use greenroom_frame::SizePx;

/// Fills cells without a value from those around that have one: means of 2x2 cells, of 2x2 of these, and so on, and
/// back (the pull and push of Gortler et al., "The Lumigraph", 1996).
#[derive(Debug)]
pub(super) struct Spreader {
    /// Each half as wide and high as the one before, from the given size down to one cell.
    levels: Vec<Level>,
}

#[derive(Debug)]
struct Level {
    columns: usize,
    rows: usize,
    values: Vec<f32>,
    weights: Vec<f32>,
}

impl Spreader {
    pub(super) fn new(size: SizePx) -> Self {
        let (mut columns, mut rows) = (size.width_px as usize, size.height_px as usize);
        let mut levels = Vec::new();
        loop {
            let zeros = vec![0.0; columns * rows];
            levels.push(Level { columns, rows, values: zeros.clone(), weights: zeros });
            if columns * rows == 1 {
                return Self { levels };
            }
            (columns, rows) = (columns.div_ceil(2), rows.div_ceil(2));
        }
    }

    /// `out` becomes `values` where `weights` is 1, and what lies around where it is 0; false if all are 0.
    pub(super) fn fill(&mut self, values: &[f32], weights: &[f32], out: &mut [f32]) -> bool {
        self.levels[0].values.copy_from_slice(values);
        self.levels[0].weights.copy_from_slice(weights);
        for level in 1..self.levels.len() {
            let (fine, coarse) = self.levels.split_at_mut(level);
            coarse[0].pull(&fine[level - 1]);
        }
        if self.levels.last().is_none_or(|last| last.weights[0] == 0.0) {
            return false;
        }
        for level in (0..self.levels.len() - 1).rev() {
            let (fine, coarse) = self.levels.split_at_mut(level + 1);
            fine[level].push(&coarse[0]);
        }
        out.copy_from_slice(&self.levels[0].values);
        true
    }
}

impl Level {
    /// Each value becomes the weighted mean of four finer ones.
    fn pull(&mut self, fine: &Level) {
        self.values.fill(0.0);
        self.weights.fill(0.0);
        for y in 0..fine.rows {
            for x in 0..fine.columns {
                let (from, to) = (y * fine.columns + x, y / 2 * self.columns + x / 2);
                self.values[to] += fine.weights[from] * fine.values[from];
                self.weights[to] += fine.weights[from];
            }
        }
        for (value, weight) in self.values.iter_mut().zip(&mut self.weights) {
            if *weight > 0.0 {
                *value /= *weight;
            }
            *weight = weight.min(1.0);
        }
    }

    /// What has less than full weight is made up from the coarser level, between its cells.
    fn push(&mut self, coarse: &Level) {
        // The coarser cell beside is a quarter as near.
        let two = |at: usize, count: usize| {
            let beside = if at.is_multiple_of(2) {
                (at / 2).saturating_sub(1)
            } else {
                (at / 2 + 1).min(count - 1)
            };
            [at / 2, beside]
        };
        for y in 0..self.rows {
            let rows = two(y, coarse.rows);
            for x in 0..self.columns {
                let at = y * self.columns + x;
                let weight = self.weights[at];
                if weight < 1.0 {
                    let columns = two(x, coarse.columns);
                    let row = |row: usize| {
                        let [near, far] =
                            columns.map(|column| coarse.values[row * coarse.columns + column]);
                        0.75 * near + 0.25 * far
                    };
                    let around = 0.75 * row(rows[0]) + 0.25 * row(rows[1]);
                    self.values[at] = weight * self.values[at] + (1.0 - weight) * around;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_comes_from_around() {
        let size = SizePx::new(13, 7);
        let mut spreader = Spreader::new(size);
        // A slope across, of which the middle is missing.
        let values: Vec<f32> = (0..91).map(|at| (at % 13) as f32).collect();
        let weights: Vec<f32> =
            (0..91).map(|at| if (4..9).contains(&(at % 13)) { 0.0 } else { 1.0 }).collect();
        let mut out = vec![0.0; 91];
        assert!(spreader.fill(&values, &weights, &mut out));
        for (at, (&out, &value)) in out.iter().zip(&values).enumerate() {
            assert!(
                (out - value).abs() < if weights[at] > 0.0 { 1e-6 } else { 2.5 },
                "{at}: {out}"
            );
        }
        assert!(!spreader.fill(&values, &[0.0; 91], &mut out));
    }
}
