use greenroom_frame::{FrameView, Plane, SizePx, fetch_below};

use crate::counting;

/// Measures how noisy the pictures of a camera are: by what differs between two of them where they differ least.
///
/// Of a still picture, the differences are noise alone; and half of most pictures is still. All of it becomes brighter or darker at
/// times, when somebody comes in and the camera's exposure follows: what counts is how far differences are from none or from their
/// median, if that is less. The mean of the smaller half of those distances is a known share of normally distributed noise.
#[derive(Debug, Default)]
pub(super) struct NoiseMeter {
    picture: Option<SizePx>,
    reduction: u32,
    /// Sums over squares of `reduction` samples' side, in places all over the picture, of the frame before.
    sums: Vec<u16>,
    /// Standard deviation of the noise of a square's mean, in levels; `None` before the second frame.
    noise: Option<f32>,
    /// How many differences there are of each amount: bins from -256 levels on.
    differences: Vec<u32>,
    /// How many lie how far from one of those bins, in bins.
    distances: Vec<u32>,
}

/// Places that are looked at, across and down.
const PLACES: [u32; 2] = [64, 36];
/// A histogram's bins for each level.
const BINS: usize = 4;
/// The bin of no difference.
const ZERO_BIN: usize = 256 * BINS;
/// Mean amount of the smaller half of the differences between two values with normal noise, of that noise's standard
/// deviation: sqrt(2) * 4 * (pdf(0) - pdf(0.6745)).
const SMALLER_HALF: f32 = 0.4589;
/// Share of the way that the noise goes with each frame, up and down: what moves may look like noise, noise never looks still.
const PACE: [f32; 2] = [0.05, 0.3];

impl NoiseMeter {
    pub(super) fn reset(&mut self) {
        (self.picture, self.noise) = (None, None);
    }

    /// The noise of `frame` when it is reduced by `reduction`: standard deviation of its luma, in levels; 0 as long as it is not
    /// known.
    pub(super) fn measure(&mut self, frame: &FrameView<'_>, reduction: u32) -> f32 {
        let size = frame.size();
        let knows = self.picture == Some(size) && self.reduction == reduction;
        (self.picture, self.reduction) = (Some(size), reduction);
        let squares = [size.width_px / reduction, size.height_px / reduction];
        let places = [PLACES[0].min(squares[0]), PLACES[1].min(squares[1])];
        let (luma, side) = (frame.plane(0), reduction as usize);
        self.sums.resize((places[0] * places[1]) as usize, 0);
        self.differences.resize(2 * ZERO_BIN + 1, 0);
        self.differences.fill(0);
        self.distances.resize(2 * ZERO_BIN + 1, 0);
        let mut sums = self.sums.iter_mut();
        // The bins that are used are at most so far from that of no difference.
        let mut reach = 0;
        let top = |row: u32| (row * squares[1] / places[1]) as usize * side;
        for row in 0..places[1] {
            let rows = top(row)..top(row) + side;
            // Rows of which most are passed over are not fetched ahead by the processor itself.
            let below = (top(row + 1) - rows.start) * luma.stride_bytes();
            rows.clone().for_each(|y| fetch_below(luma.row(y), below));
            for (column, sum) in (0..places[0]).zip(&mut sums) {
                let left = (column * squares[0] / places[0]) as usize * side;
                let columns = left..left + side;
                let new = match side {
                    // On their own, since a loop over so few takes longer than what is in it.
                    2 => sum_of_square::<2>(luma, rows.start, left),
                    3 => sum_of_square::<3>(luma, rows.start, left),
                    _ => rows
                        .clone()
                        .map(|y| counting::sum(&luma.row(y)[columns.clone()]) as u16)
                        .sum(),
                };
                let old = std::mem::replace(sum, new);
                // The old one is of squares of another size, if it is of other frames.
                let bins = u32::from(new.abs_diff(old)) * BINS as u32 / (reduction * reduction);
                let bins = (bins as usize).min(ZERO_BIN);
                reach = reach.max(bins);
                self.differences[if new < old { ZERO_BIN - bins } else { ZERO_BIN + bins }] += 1;
            }
        }
        if !knows {
            self.noise = None;
            return 0.0;
        }
        if self.differences[ZERO_BIN] as usize == self.sums.len() {
            // The same frame again: in the dark, some cameras send each twice.
            return self.noise.unwrap_or_default();
        }
        let differences = &self.differences[ZERO_BIN - reach..=ZERO_BIN + reach];
        let distances = &mut self.distances[..differences.len()];
        let mut of_smaller_half = |bin: usize| {
            count_distances(differences, bin, distances);
            mean_of_smaller_half(distances)
        };
        let mut now = of_smaller_half(reach);
        let median = median(differences);
        if median != reach {
            now = now.min(of_smaller_half(median));
        }
        let now = now / SMALLER_HALF;
        let noise = match self.noise {
            None => now,
            Some(before) => before + PACE[usize::from(now < before)] * (now - before),
        };
        self.noise = Some(noise);
        noise
    }
}

/// The sum of a square of samples whose upper left one is there.
fn sum_of_square<const SIDE: usize>(plane: Plane<'_>, top: usize, left: usize) -> u16 {
    let rows = (top..top + SIDE).filter_map(|y| plane.row(y)[left..].first_chunk::<SIDE>());
    rows.map(|samples| samples.map(u16::from).iter().sum::<u16>()).sum()
}

/// The bin of the median of `differences`.
fn median(differences: &[u32]) -> usize {
    let half = differences.iter().sum::<u32>() / 2;
    let mut count = 0;
    let found = differences.iter().position(|&here| {
        count += here;
        count > half
    });
    found.unwrap_or(differences.len() / 2)
}

/// Makes `distances` the histogram of how many bins `differences` are from bin `from`.
fn count_distances(differences: &[u32], from: usize, distances: &mut [u32]) {
    distances.fill(0);
    for (bin, here) in differences.iter().enumerate() {
        distances[bin.abs_diff(from)] += here;
    }
}

/// In levels.
fn mean_of_smaller_half(histogram: &[u32]) -> f32 {
    let half = histogram.iter().sum::<u32>() / 2;
    let (mut count, mut sum) = (0, 0.0);
    for (bin, &here) in histogram.iter().enumerate() {
        let taken = here.min(half - count);
        (count, sum) = (count + taken, sum + taken as f32 * bin as f32 / BINS as f32);
    }
    sum / half.max(1) as f32
}
