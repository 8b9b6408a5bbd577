//! What is measured of mattes against the truth.

use anyhow::{Result, ensure};

use super::Mattes;

/// Radius of the band round the truth's edge: a pixel is in it if the other side is no further away.
const BAND_PX: i64 = 4;

/// How well mattes fit the truth.
pub struct Score {
    /// IoU of each frame that has a person in it, at alpha 0.5, sorted.
    ious: Vec<f64>,
    /// Mean absolute difference of alpha, in thousandths: everywhere, and in the band round the edge.
    mad: f64,
    edge_mad: f64,
    /// Error of the change from frame to frame, root mean square of each pair of frames, their mean, in
    /// thousandths: flicker and lag.
    dtssd: f64,
    /// Share of the picture called person in frames with nobody.
    false_area: f64,
}

impl Score {
    /// Measures.
    ///
    /// # Errors
    /// If the two do not have the same size and count, or nobody is ever in the truth.
    pub fn new(mattes: &Mattes, truth: &Mattes) -> Result<Self> {
        ensure!(
            (mattes.width, mattes.height, mattes.samples.len())
                == (truth.width, truth.height, truth.samples.len()),
            "the matte has {} samples of {}x{}, the truth {} of {}x{}: they must have the same size and frame count",
            mattes.samples.len(),
            mattes.width,
            mattes.height,
            truth.samples.len(),
            truth.width,
            truth.height,
        );
        let area = truth.width * truth.height;
        let frames = || mattes.samples.chunks_exact(area).zip(truth.samples.chunks_exact(area));
        let (mut ious, mut false_areas, mut edges) = (Vec::new(), Vec::new(), Vec::new());
        let mut difference = 0u64;
        for (ours, truth_frame) in frames() {
            let (mut both, mut either, mut true_area) = (0u32, 0u32, 0u32);
            for (&a, &b) in ours.iter().zip(truth_frame) {
                difference += u64::from(a.abs_diff(b));
                both += u32::from(a >= 128 && b >= 128);
                either += u32::from(a >= 128 || b >= 128);
                true_area += u32::from(b >= 128);
            }
            if true_area == 0 {
                false_areas.push(f64::from(either) / area as f64);
            } else {
                ious.push(f64::from(both) / f64::from(either));
                edges.extend(edge_difference(ours, truth_frame, truth.width));
            }
        }
        ensure!(!ious.is_empty(), "the truth has nobody in any frame");
        ious.sort_by(f64::total_cmp);
        let changes: Vec<f64> = frames()
            .zip(frames().skip(1))
            .map(|((ours, truth), (next_ours, next_truth))| {
                let error = |at: usize| {
                    let change = |from: &[u8], to: &[u8]| i32::from(to[at]) - i32::from(from[at]);
                    f64::from(change(ours, next_ours) - change(truth, next_truth)).powi(2)
                };
                ((0..area).map(error).sum::<f64>() / area as f64).sqrt()
            })
            .collect();
        Ok(Self {
            ious,
            mad: difference as f64 / truth.samples.len() as f64 / 255.0 * 1000.0,
            edge_mad: mean(&edges) / 255.0 * 1000.0,
            dtssd: mean(&changes) / 255.0 * 1000.0,
            false_area: mean(&false_areas),
        })
    }

    /// Median IoU.
    pub fn median(&self) -> f64 {
        self.ious[self.ious.len() / 2]
    }

    /// Names of the columns of [`print`](Self::print).
    pub fn print_head() {
        println!(
            "| clip | matte | IoU median | mean | MAD ×1000 | edge MAD | dtSSD | false area |"
        );
        println!("|---|---|---|---|---|---|---|---|");
    }

    /// One row.
    pub fn print(&self, clip: &str, matte: &str) {
        println!(
            "| {clip} | {matte} | {:.4} | {:.4} | {:.2} | {:.1} | {:.1} | {:.3} % |",
            self.median(),
            mean(&self.ious),
            self.mad,
            self.edge_mad,
            self.dtssd,
            self.false_area * 100.0
        );
    }
}

/// Zero where there is nothing.
fn mean(values: &[f64]) -> f64 {
    // A fold from plus zero: the sum of nothing is minus zero.
    values.iter().fold(0.0, |sum, value| sum + value) / values.len().max(1) as f64
}

/// Mean difference in the band round the truth's edge; `None` where it has none.
fn edge_difference(ours: &[u8], truth: &[u8], width: usize) -> Option<f64> {
    let height = (truth.len() / width) as i64;
    let is_person = |at: usize| truth[at] >= 128;
    let mut band = vec![false; truth.len()];
    for at in 0..truth.len() {
        let (x, y) = (at % width, at / width);
        let right = (x + 1 < width).then(|| at + 1);
        let below = (y as i64 + 1 < height).then(|| at + width);
        for other in right.into_iter().chain(below) {
            if is_person(at) != is_person(other) {
                for edge in [at, other] {
                    mark(&mut band, edge, width as i64, height, |p| {
                        is_person(p) != is_person(edge)
                    });
                }
            }
        }
    }
    let differences = band.iter().zip(ours.iter().zip(truth)).filter(|(inside, _)| **inside);
    let differences: Vec<f64> = differences.map(|(_, (a, b))| f64::from(a.abs_diff(*b))).collect();
    (!differences.is_empty()).then(|| mean(&differences))
}

/// Marks what is near `edge`, and on the other side.
fn mark(
    band: &mut [bool],
    edge: usize,
    width: i64,
    height: i64,
    is_other_side: impl Fn(usize) -> bool,
) {
    let (x, y) = (edge as i64 % width, edge as i64 / width);
    for down in -BAND_PX..=BAND_PX {
        for across in -BAND_PX..=BAND_PX {
            let (x, y) = (x + across, y + down);
            let is_inside = (0..width).contains(&x) && (0..height).contains(&y);
            if is_inside && across * across + down * down <= BAND_PX * BAND_PX {
                let at = (y * width + x) as usize;
                band[at] = band[at] || is_other_side(at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of 20x10: a person right of `edges`, column by column.
    fn mattes(edges: &[usize]) -> Mattes {
        let frame = |edge: &usize| {
            let edge = *edge;
            (0..200).map(move |at| if at % 20 >= edge { 255 } else { 0 }).collect::<Vec<u8>>()
        };
        Mattes { width: 20, height: 10, samples: edges.iter().flat_map(frame).collect() }
    }

    #[test]
    fn a_perfect_matte_has_no_error() {
        let truth = mattes(&[10, 11, 12]);
        let score = Score::new(&truth, &truth).unwrap();
        assert_eq!((score.median(), score.mad, score.edge_mad, score.dtssd), (1.0, 0.0, 0.0, 0.0));
    }

    #[test]
    fn errors_are_what_they_are() {
        // A column too few, still: 1 of 20 everywhere, 1 of the 8 columns of the band, no change.
        let score = Score::new(&mattes(&[11, 11]), &mattes(&[10, 10])).unwrap();
        assert!((score.mad - 50.0).abs() < 1e-9 && (score.edge_mad - 125.0).abs() < 1e-9);
        assert!((score.median() - 0.9).abs() < 1e-9 && score.dtssd == 0.0);
        // Right, then wrong: a column flickers.
        let score = Score::new(&mattes(&[10, 11]), &mattes(&[10, 10])).unwrap();
        assert!((score.dtssd - 1000.0 * 0.05f64.sqrt()).abs() < 1e-9, "{}", score.dtssd);
        let score = Score::new(&mattes(&[10, 15]), &mattes(&[10, 20])).unwrap();
        assert!((score.false_area - 0.25).abs() < 1e-9);
    }
}
