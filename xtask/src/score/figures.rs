//! What is measured of mattes against the truth, and of mattes alone.

use anyhow::{Result, ensure};

use super::edges::{self, Grey};
use super::media::Mattes;

/// A column of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    IouMedian,
    IouMean,
    /// The IoU that 5 % of the frames are below.
    IouLow,
    Mad,
    Mse,
    EdgeMad,
    BoundaryF,
    Gradient,
    Dtssd,
    FalseArea,
    Toggles,
}

impl Figure {
    pub const ALL: [Self; 11] = [
        Self::IouMedian,
        Self::IouMean,
        Self::IouLow,
        Self::Mad,
        Self::Mse,
        Self::EdgeMad,
        Self::BoundaryF,
        Self::Gradient,
        Self::Dtssd,
        Self::FalseArea,
        Self::Toggles,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::IouMedian => "IoU median",
            Self::IouMean => "mean",
            Self::IouLow => "5th pct.",
            Self::Mad => "MAD ×1000",
            Self::Mse => "MSE ×1000",
            Self::EdgeMad => "edge MAD",
            Self::BoundaryF => "boundary F",
            Self::Gradient => "gradient",
            Self::Dtssd => "dtSSD",
            Self::FalseArea => "false area",
            Self::Toggles => "toggles",
        }
    }

    /// As it stands in a table.
    pub fn print(self, value: Option<f64>) -> String {
        let Some(value) = value else { return "–".into() };
        match self {
            Self::IouMedian | Self::IouMean | Self::IouLow | Self::BoundaryF => {
                format!("{value:.4}")
            }
            Self::Mad | Self::Mse | Self::Gradient | Self::Toggles => format!("{value:.2}"),
            Self::EdgeMad | Self::Dtssd => format!("{value:.1}"),
            Self::FalseArea => format!("{:.3} %", value * 100.0),
        }
    }
}

/// The measures of a row; `None` where there is nothing to measure.
#[derive(Debug, Clone, Copy)]
pub struct Figures([Option<f64>; Figure::ALL.len()]);

impl Figures {
    pub fn get(&self, figure: Figure) -> Option<f64> {
        self.0[figure as usize]
    }
}

/// What was measured, frame by frame.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// Of each frame with a person in it, at alpha 0.5.
    ious: Vec<f64>,
    /// Of each frame, alpha in 0..1.
    pub mads: Vec<f64>,
    mses: Vec<f64>,
    gradients: Vec<f64>,
    /// Of each frame in which the person has an edge.
    edge_mads: Vec<f64>,
    boundary_fs: Vec<f64>,
    /// Error of the change from frame to frame, root mean square of each pair of frames: flicker and lag.
    dtssds: Vec<f64>,
    /// Share of the picture called person in each frame with nobody.
    false_areas: Vec<f64>,
    /// Samples where the picture stands still, and those of them that cross alpha 0.5.
    still: u64,
    toggles: u64,
}

impl Tally {
    /// Measures against the truth.
    ///
    /// # Errors
    /// If the two do not have the same size and count.
    pub fn against(mattes: &Mattes, truth: &Mattes) -> Result<Self> {
        same_shape(mattes, truth, "truth")?;
        let area = truth.width * truth.height;
        let mut tally = Self::default();
        for (ours, truth_frame) in mattes.frames().zip(truth.frames()) {
            tally.add_frame(ours, truth_frame, truth.width);
        }
        let frames = || mattes.frames().zip(truth.frames());
        let changes =
            frames().zip(frames().skip(1)).map(|((ours, truth), (next_ours, next_truth))| {
                let error = |at: usize| {
                    let change = |from: &[u8], to: &[u8]| i32::from(to[at]) - i32::from(from[at]);
                    let error = change(ours, next_ours) - change(truth, next_truth);
                    u64::from(error.unsigned_abs().pow(2))
                };
                ((0..area).map(error).sum::<u64>() as f64 / area as f64).sqrt() / 255.0
            });
        tally.dtssds = changes.collect();
        Ok(tally)
    }

    fn add_frame(&mut self, ours: &[u8], truth: &[u8], width: usize) {
        let area = truth.len() as f64;
        let (mut both, mut either, mut true_area) = (0u32, 0u32, 0u32);
        let (mut difference, mut squares) = (0u64, 0u64);
        for (&a, &b) in ours.iter().zip(truth) {
            let off = u64::from(a.abs_diff(b));
            difference += off;
            squares += off * off;
            both += u32::from(a >= 128 && b >= 128);
            either += u32::from(a >= 128 || b >= 128);
            true_area += u32::from(b >= 128);
        }
        let [ours, truth] = [ours, truth].map(|samples| Grey { samples, width });
        self.mads.push(difference as f64 / area / 255.0);
        self.mses.push(squares as f64 / area / 255.0 / 255.0);
        self.gradients.push(edges::gradient_error(ours, truth));
        if true_area == 0 {
            self.false_areas.push(f64::from(either) / area);
        } else {
            self.ious.push(f64::from(both) / f64::from(either));
            self.edge_mads.extend(edges::band_difference(ours, truth).map(|mad| mad / 255.0));
            self.boundary_fs.extend(edges::boundary_f(ours, truth));
        }
    }

    /// Measures how steady the mattes are where their picture stands still.
    ///
    /// # Errors
    /// If the two do not have the same size and count.
    pub fn add_steadiness(&mut self, mattes: &Mattes, picture: &Mattes) -> Result<()> {
        same_shape(mattes, picture, "picture")?;
        let frames = || {
            let grey = |samples| Grey { samples, width: picture.width };
            picture.frames().map(grey).zip(mattes.frames().map(grey))
        };
        for ((picture, matte), (next_picture, next_matte)) in frames().zip(frames().skip(1)) {
            let (still, toggles) = edges::toggles([picture, next_picture], [matte, next_matte]);
            self.still += still;
            self.toggles += toggles;
        }
        Ok(())
    }

    /// Takes the frames of another clip in.
    pub fn merge(&mut self, other: &Self) {
        self.ious.extend(&other.ious);
        self.mads.extend(&other.mads);
        self.mses.extend(&other.mses);
        self.gradients.extend(&other.gradients);
        self.edge_mads.extend(&other.edge_mads);
        self.boundary_fs.extend(&other.boundary_fs);
        self.dtssds.extend(&other.dtssds);
        self.false_areas.extend(&other.false_areas);
        self.still += other.still;
        self.toggles += other.toggles;
    }

    pub fn figures(&self) -> Figures {
        let thousandths = |values: &[f64]| mean(values).map(|mean| mean * 1000.0);
        let figure = |figure| match figure {
            Figure::IouMedian => percentile(&self.ious, 50),
            Figure::IouMean => mean(&self.ious),
            Figure::IouLow => percentile(&self.ious, 5),
            Figure::Mad => thousandths(&self.mads),
            Figure::Mse => thousandths(&self.mses),
            Figure::EdgeMad => thousandths(&self.edge_mads),
            Figure::BoundaryF => mean(&self.boundary_fs),
            Figure::Gradient => mean(&self.gradients),
            Figure::Dtssd => thousandths(&self.dtssds),
            Figure::FalseArea => mean(&self.false_areas),
            Figure::Toggles => {
                (self.still > 0).then(|| self.toggles as f64 * 10_000.0 / self.still as f64)
            }
        };
        Figures(Figure::ALL.map(figure))
    }
}

/// That the two have the same size and count; `what` the other is goes into the sentence.
pub fn same_shape(mattes: &Mattes, other: &Mattes, what: &str) -> Result<()> {
    let shape = |mattes: &Mattes| (mattes.width, mattes.height, mattes.samples.len());
    let (have, want) = (shape(mattes), shape(other));
    ensure!(
        have == want,
        "the matte has {} samples of {}x{}, the {what} {} of {}x{}: they must have the same size and frame count",
        have.2,
        have.0,
        have.1,
        want.2,
        want.0,
        want.1,
    );
    Ok(())
}

/// `None` of no values.
pub fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The value that so many hundredths of the values are below.
fn percentile(values: &[f64], percent: usize) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() * percent / 100).copied()
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

    fn near(tally: &Tally, figure: Figure, value: f64) {
        let have = tally.figures().get(figure).expect("there is something to measure");
        assert!((have - value).abs() < 1e-9, "{}: {have}, not {value}", figure.name());
    }

    #[test]
    fn a_perfect_matte_has_no_error() {
        let truth = mattes(&[10, 11, 12]);
        let score = Tally::against(&truth, &truth).unwrap();
        for figure in [Figure::IouMedian, Figure::IouMean, Figure::IouLow, Figure::BoundaryF] {
            near(&score, figure, 1.0);
        }
        for figure in [Figure::Mad, Figure::Mse, Figure::EdgeMad, Figure::Dtssd, Figure::Gradient] {
            near(&score, figure, 0.0);
        }
        // Nobody is never there, and there is no picture.
        assert!(score.figures().get(Figure::FalseArea).is_none());
        assert!(score.figures().get(Figure::Toggles).is_none());
    }

    #[test]
    fn errors_are_what_they_are() {
        // A column too few, still: 1 of 20 everywhere, 1 of the 8 columns of the band, no change.
        let score = Tally::against(&mattes(&[11, 11]), &mattes(&[10, 10])).unwrap();
        for (figure, value) in [
            (Figure::Mad, 50.0),
            (Figure::Mse, 50.0),
            (Figure::EdgeMad, 125.0),
            (Figure::IouMedian, 0.9),
            (Figure::Dtssd, 0.0),
        ] {
            near(&score, figure, value);
        }
        // Right, then wrong: a column flickers.
        let score = Tally::against(&mattes(&[10, 11]), &mattes(&[10, 10])).unwrap();
        near(&score, Figure::Dtssd, 1000.0 * 0.05f64.sqrt());
        near(&score, Figure::IouMean, 0.95);
        near(&score, Figure::IouLow, 0.9);
        let score = Tally::against(&mattes(&[10, 15]), &mattes(&[10, 20])).unwrap();
        near(&score, Figure::FalseArea, 0.25);
    }

    #[test]
    fn clips_add_up_and_sizes_have_to_fit() {
        let mut score = Tally::against(&mattes(&[11]), &mattes(&[10])).unwrap();
        score.merge(&Tally::against(&mattes(&[10]), &mattes(&[10])).unwrap());
        near(&score, Figure::Mad, 25.0);
        assert!(score.figures().get(Figure::Dtssd).is_none(), "they are not one clip");
        score.add_steadiness(&mattes(&[10, 11]), &mattes(&[10, 10])).unwrap();
        near(&score, Figure::Toggles, 500.0);
        assert!(Tally::against(&mattes(&[10]), &mattes(&[10, 10])).is_err());
        assert!(score.add_steadiness(&mattes(&[10]), &mattes(&[10, 10])).is_err());
    }
}
