//! Measures of one frame's edge.

/// Radius of the band round the truth's edge: a pixel is in it if the other side is no further away.
const BAND_PX: i64 = 4;

/// How far a boundary may be off and count as found, in a picture 640 wide.
const TOLERANCE_PX: f64 = 2.0;

/// A frame: samples of 0..=255, row by row.
#[derive(Clone, Copy)]
pub struct Grey<'a> {
    pub samples: &'a [u8],
    pub width: usize,
}

impl Grey<'_> {
    fn height(&self) -> usize {
        self.samples.len() / self.width
    }

    fn is_person(&self, at: usize) -> bool {
        self.samples[at] >= 128
    }

    /// Samples with the other side to the left, right, above or below.
    fn boundary(&self) -> Vec<usize> {
        let mut boundary = Vec::new();
        for at in 0..self.samples.len() {
            let (x, y) = (at % self.width, at / self.width);
            let beside = [
                (x > 0).then(|| at - 1),
                (x + 1 < self.width).then_some(at + 1),
                (y > 0).then(|| at - self.width),
                (y + 1 < self.height()).then_some(at + self.width),
            ];
            let mut beside = beside.into_iter().flatten();
            if beside.any(|other| self.is_person(other) != self.is_person(at)) {
                boundary.push(at);
            }
        }
        boundary
    }

    /// Calls `mark` for all that is within `radius` of `at`.
    fn around(&self, at: usize, radius: i64, mut mark: impl FnMut(usize)) {
        let (x, y) = ((at % self.width) as i64, (at / self.width) as i64);
        let (width, height) = (self.width as i64, self.height() as i64);
        for down in -radius..=radius {
            for across in -radius..=radius {
                let (x, y) = (x + across, y + down);
                let is_inside = (0..width).contains(&x) && (0..height).contains(&y);
                if is_inside && across * across + down * down <= radius * radius {
                    mark((y * width + x) as usize);
                }
            }
        }
    }
}

/// Which samples lie in the band round the truth's edge.
pub fn band(truth: Grey) -> Vec<bool> {
    let mut band = vec![false; truth.samples.len()];
    for edge in truth.boundary() {
        truth.around(edge, BAND_PX, |at| {
            band[at] |= truth.is_person(at) != truth.is_person(edge);
        });
    }
    band
}

/// Mean difference in the band round the truth's edge, in levels; `None` where it has none.
pub fn band_difference(ours: Grey, truth: Grey) -> Option<f64> {
    let band = band(truth);
    let differences = band.iter().zip(ours.samples.iter().zip(truth.samples));
    let differences = differences.filter(|(inside, _)| **inside);
    let (sum, count) = differences.fold((0u64, 0u64), |(sum, count), (_, (a, b))| {
        (sum + u64::from(a.abs_diff(*b)), count + 1)
    });
    (count > 0).then(|| sum as f64 / count as f64)
}

/// Boundary F-score: the harmonic mean of how much of our boundary lies at the truth's, and of the truth's at ours;
/// `None` where the truth has none.
pub fn boundary_f(ours: Grey, truth: Grey) -> Option<f64> {
    let (mine, theirs) = (ours.boundary(), truth.boundary());
    if theirs.is_empty() {
        return None;
    }
    let radius = (TOLERANCE_PX * truth.width as f64 / 640.0).round().max(1.0) as i64;
    let share_near = |edge: &[usize], of: &[usize]| {
        let mut near = vec![false; truth.samples.len()];
        of.iter().for_each(|&at| truth.around(at, radius, |at| near[at] = true));
        edge.iter().filter(|&&at| near[at]).count() as f64 / edge.len().max(1) as f64
    };
    let (precision, recall) = (share_near(&mine, &theirs), share_near(&theirs, &mine));
    let both = precision + recall;
    Some(if both > 0.0 { 2.0 * precision * recall / both } else { 0.0 })
}

/// Gradient error: the differences of the two mattes' slopes (Sobel, in alpha 0..1 a pixel), summed, in thousands.
pub fn gradient_error(ours: Grey, truth: Grey) -> f64 {
    let width = truth.width;
    let slope = |rows: [&[u8]; 3], x: usize| {
        let at = |row: usize, x: usize| f32::from(rows[row][x]);
        let column = |x| at(0, x) + 2.0 * at(1, x) + at(2, x);
        let line = |row| at(row, x - 1) + 2.0 * at(row, x) + at(row, x + 1);
        let (across, down) = (column(x + 1) - column(x - 1), line(2) - line(0));
        // Not `hypot`, which takes care of numbers that there are none of, and its time.
        (across * across + down * down).sqrt()
    };
    let mut error = 0.0;
    for y in 1..truth.height().saturating_sub(1) {
        let [ours, truth] = [ours, truth]
            .map(|frame| [y - 1, y, y + 1].map(|y| &frame.samples[y * width..][..width]));
        let row = (1..width - 1).map(|x| (slope(ours, x) - slope(truth, x)).abs());
        error += f64::from(row.sum::<f32>());
    }
    // Sobel's weights are 8 levels a step, of 255.
    error / 8.0 / 255.0 / 1000.0
}

/// Side of the blocks that are still or not, and the mean change of luma up to which one is still, in levels.
const BLOCK: usize = 8;
const STILL_LEVELS: usize = 2;

/// How many samples lie where the picture stands still from one frame to the next, and how many of these go from room
/// to person or back.
pub fn toggles(pictures: [Grey; 2], mattes: [Grey; 2]) -> (u64, u64) {
    let (width, height) = (pictures[0].width, pictures[0].height());
    let (mut still, mut crossing) = (0, 0);
    for top in (0..height).step_by(BLOCK) {
        for left in (0..width).step_by(BLOCK) {
            let (right, bottom) = ((left + BLOCK).min(width), (top + BLOCK).min(height));
            let block = || (top..bottom).flat_map(|y| (left..right).map(move |x| y * width + x));
            let change = |at: usize| pictures[0].samples[at].abs_diff(pictures[1].samples[at]);
            let change: usize = block().map(|at| usize::from(change(at))).sum();
            let area = (right - left) * (bottom - top);
            if change <= STILL_LEVELS * area {
                still += area as u64;
                let crosses = |at: &usize| mattes[0].is_person(*at) != mattes[1].is_person(*at);
                crossing += block().filter(crosses).count() as u64;
            }
        }
    }
    (still, crossing)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 40x20: a person right of a column.
    fn frame(edge: usize) -> Vec<u8> {
        (0..800).map(|at| if at % 40 >= edge { 255 } else { 0 }).collect()
    }

    fn grey(samples: &[u8]) -> Grey<'_> {
        Grey { samples, width: 40 }
    }

    #[test]
    fn the_band_is_four_wide_on_both_sides() {
        let (truth, off) = (frame(20), frame(21));
        assert_eq!(band_difference(grey(&off), grey(&truth)), Some(255.0 / 8.0));
        assert_eq!(band_difference(grey(&off), grey(&frame(40))), None);
    }

    #[test]
    fn a_boundary_is_found_within_the_tolerance() {
        // Two columns each: one of them is near enough when one off, none when five off.
        let f = |edge: usize| boundary_f(grey(&frame(edge)), grey(&frame(20)));
        assert_eq!(f(20), Some(1.0));
        assert_eq!(f(21), Some(1.0), "the columns 20 and 21 for 19 and 20");
        assert_eq!(f(22), Some(0.5), "21 is next to 20, 22 is not");
        assert_eq!(f(25), Some(0.0));
        assert_eq!(f(40), Some(0.0), "nobody was found");
        assert_eq!(boundary_f(grey(&frame(20)), grey(&frame(40))), None);
    }

    #[test]
    fn slopes_that_differ_cost() {
        assert_eq!(gradient_error(grey(&frame(20)), grey(&frame(20))), 0.0);
        // A step of 1 over two columns, half each, in 18 rows; moved by a column, one column is right.
        let error = |edge: usize| gradient_error(grey(&frame(edge)), grey(&frame(20))) * 1000.0;
        assert!((error(40) - 18.0).abs() < 1e-4, "{}", error(40));
        assert!((error(21) - 18.0).abs() < 1e-4, "{}", error(21));
        assert!((error(25) - 36.0).abs() < 1e-4, "{}", error(25));
    }

    #[test]
    fn only_what_stands_still_can_toggle() {
        let mut moved = frame(20);
        // The left third moves, in the picture.
        for row in moved.chunks_exact_mut(40) {
            row[..8].fill(90);
        }
        let (before, matte) = (frame(20), frame(21));
        let toggles = |pictures: [&[u8]; 2], mattes: [&[u8]; 2]| {
            toggles(pictures.map(grey), mattes.map(grey))
        };
        assert_eq!(toggles([&before, &before], [&before, &matte]), (800, 20));
        assert_eq!(toggles([&before, &moved], [&before, &matte]), (640, 20));
        assert_eq!(toggles([&before, &moved], [&frame(3), &frame(4)]), (640, 0));
    }
}
