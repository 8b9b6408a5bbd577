//! The plain filters that other programs lay over a mask: a threshold, a wider or narrower person, a
//! box blur, a running average. All of it at the mask's own size, before it is enlarged.

use greenroom_frame::{Frame, SizePx};

/// Plain filters, taken in the order of the fields; by default none.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PlainSteps {
    /// From this share of person on, a sample is wholly person, and below it wholly room; above 0,
    /// up to 1.
    pub threshold: Option<f32>,
    /// How far the edge moves outwards, in samples of the mask (about 300 across the picture), up to
    /// [`MAX_REACH`](Self::MAX_REACH); below 0 inwards.
    pub grow: f32,
    /// How far a box blur reaches to each side, in samples of the mask, up to
    /// [`MAX_REACH`](Self::MAX_REACH).
    pub feather: f32,
    /// Share of the mask before in each mask: 0 up to [`MAX_AVERAGE`](Self::MAX_AVERAGE).
    pub average: f32,
}

impl PlainSteps {
    /// Furthest that `grow` and `feather` reach: a tenth of the picture, about.
    pub const MAX_REACH: f32 = 32.0;
    /// Above this a person who has left would be seen for seconds.
    pub const MAX_AVERAGE: f32 = 0.95;
}

/// What [`PlainSteps`] take.
#[derive(Debug)]
pub(crate) struct Plain {
    threshold: Option<u8>,
    /// Whole samples, and what is left in 128ths.
    grow: (usize, u16),
    narrows: bool,
    feather: (usize, u16),
    /// Share of the new mask, in 128ths.
    new_share: u16,
    width: usize,
    /// A mask between two filters, and room for a row with its border.
    other: Vec<u8>,
    padded: Vec<u8>,
    sums: Vec<u32>,
    /// The average so far, in 128ths of the mask's levels.
    state: Vec<u16>,
    knows: bool,
}

impl Plain {
    /// For masks of `size`; `None` if there is nothing to do. What is out of range is brought in.
    pub(crate) fn new(steps: PlainSteps, size: SizePx) -> Option<Self> {
        if steps == PlainSteps::default() {
            return None;
        }
        let reach = |reach: f32| {
            let in_128ths = (reach.abs().min(PlainSteps::MAX_REACH) * 128.0).round() as u16;
            (usize::from(in_128ths / 128), in_128ths % 128)
        };
        let (width, area) = (size.width_px as usize, size.area_px() as usize);
        let average = steps.average.clamp(0.0, PlainSteps::MAX_AVERAGE);
        Some(Self {
            threshold: steps.threshold.map(|share| (share.clamp(0.0, 1.0) * 255.0).ceil() as u8),
            grow: reach(steps.grow),
            narrows: steps.grow < 0.0,
            feather: reach(steps.feather),
            new_share: ((1.0 - average) * 128.0).round() as u16,
            width,
            other: vec![0; area],
            padded: vec![0; width + 2 * (PlainSteps::MAX_REACH as usize + 1)],
            sums: vec![0; width],
            state: vec![0; area],
            knows: false,
        })
    }

    /// The next mask has nothing to do with those before.
    pub(crate) fn reset(&mut self) {
        self.knows = false;
    }

    /// Filters `mask`.
    pub(crate) fn filter(&mut self, mask: &mut Frame) {
        let samples = mask.bytes_mut();
        if let Some(threshold) = self.threshold {
            let hard = |sample: &mut u8| *sample = if *sample >= threshold { 255 } else { 0 };
            samples.iter_mut().for_each(hard);
        }
        if self.grow != (0, 0) {
            // To narrow the person is to widen the room.
            let turn =
                |samples: &mut [u8]| samples.iter_mut().for_each(|sample| *sample = !*sample);
            if self.narrows {
                turn(samples);
            }
            self.widen(samples);
            if self.narrows {
                turn(samples);
            }
        }
        if self.feather != (0, 0) {
            self.blur(samples);
        }
        if self.new_share < 128 {
            self.average(samples);
        }
    }

    /// The most of the square that reaches so far; of the samples that it reaches in part, that part
    /// of what they have more.
    fn widen(&mut self, samples: &mut [u8]) {
        let ((reach, part), width) = (self.grow, self.width);
        for (row, out) in samples.chunks_exact(width).zip(self.other.chunks_exact_mut(width)) {
            pad(&mut self.padded, row, reach + 1);
            out.fill(0);
            for shift in 1..=2 * reach + 1 {
                take_most(out, &self.padded[shift..]);
            }
            take_part(out, &self.padded, &self.padded[2 * reach + 2..], part);
        }
        let rows = Rows { samples: &self.other, width };
        for (y, out) in (0..).zip(samples.chunks_exact_mut(width)) {
            out.fill(0);
            for shift in 0..=2 * reach {
                take_most(out, rows.at(y + shift, reach));
            }
            take_part(out, rows.at(y, reach + 1), rows.at(y + 2 * reach + 2, reach + 1), part);
        }
    }

    /// The mean of the square that reaches so far; samples that it reaches in part count in part.
    fn blur(&mut self, samples: &mut [u8]) {
        let ((reach, part), width) = (self.feather, self.width);
        let scale = 1.0 / ((2 * reach + 1) as f32 * 128.0 + 2.0 * f32::from(part));
        let mean = |out: &mut [u8], sums: &[u32]| {
            for (out, sum) in out.iter_mut().zip(sums) {
                *out = (*sum as f32 * scale + 0.5) as u8;
            }
        };
        for (row, out) in samples.chunks_exact(width).zip(self.other.chunks_exact_mut(width)) {
            pad(&mut self.padded, row, reach + 1);
            self.sums.fill(0);
            for shift in 1..=2 * reach + 1 {
                add(&mut self.sums, &self.padded[shift..], 128);
            }
            add(&mut self.sums, &self.padded, part);
            add(&mut self.sums, &self.padded[2 * reach + 2..], part);
            mean(out, &self.sums);
        }
        let rows = Rows { samples: &self.other, width };
        for (y, out) in (0..).zip(samples.chunks_exact_mut(width)) {
            self.sums.fill(0);
            for shift in 0..=2 * reach {
                add(&mut self.sums, rows.at(y + shift, reach), 128);
            }
            add(&mut self.sums, rows.at(y, reach + 1), part);
            add(&mut self.sums, rows.at(y + 2 * reach + 2, reach + 1), part);
            mean(out, &self.sums);
        }
    }

    fn average(&mut self, samples: &mut [u8]) {
        let (share, knows) = (u32::from(self.new_share), std::mem::replace(&mut self.knows, true));
        for (state, sample) in self.state.iter_mut().zip(samples) {
            let new = u32::from(*sample) << 7;
            let next = match knows {
                true => (u32::from(*state) * (128 - share) + new * share + 64) >> 7,
                false => new,
            };
            *state = next as u16;
            *sample = ((next + 64) >> 7) as u8;
        }
    }
}

/// A mask by its rows; outside, the first and last go on.
struct Rows<'a> {
    samples: &'a [u8],
    width: usize,
}

impl<'a> Rows<'a> {
    /// The row `back` above row `y`.
    fn at(&self, y: usize, back: usize) -> &'a [u8] {
        let last = self.samples.len() / self.width - 1;
        &self.samples[y.saturating_sub(back).min(last) * self.width..][..self.width]
    }
}

/// `padded` becomes `row` with its ends drawn out by `border` samples.
fn pad(padded: &mut [u8], row: &[u8], border: usize) {
    let (&[first, ..], &[.., last]) = (row, row) else { return };
    padded[..border].fill(first);
    padded[border..][..row.len()].copy_from_slice(row);
    padded[border + row.len()..][..border].fill(last);
}

fn take_most(out: &mut [u8], row: &[u8]) {
    out.iter_mut().zip(row).for_each(|(out, sample)| *out = (*out).max(*sample));
}

fn take_part(out: &mut [u8], left: &[u8], right: &[u8], part: u16) {
    if part == 0 {
        return;
    }
    for (out, (left, right)) in out.iter_mut().zip(left.iter().zip(right)) {
        let more = u16::from((*left).max(*right).saturating_sub(*out));
        *out += ((more * part + 64) >> 7) as u8;
    }
}

fn add(sums: &mut [u32], row: &[u8], weight: u16) {
    let weight = u32::from(weight);
    sums.iter_mut().zip(row).for_each(|(sum, sample)| *sum += u32::from(*sample) * weight);
}

#[cfg(test)]
mod tests {
    use greenroom_frame::{Colour, PixelFormat};

    use super::*;

    const SIZE: SizePx = SizePx::new(20, 10);

    /// Samples of 200 right of a column.
    fn mask(edge: usize) -> Frame {
        let mut mask = Frame::new(PixelFormat::Grey, SIZE, Colour::JPEG).unwrap();
        for row in mask.bytes_mut().chunks_exact_mut(20) {
            row[edge..].fill(200);
        }
        mask
    }

    /// The middle row of what becomes of a mask, or of two after each other.
    fn filtered(steps: PlainSteps, masks: &[usize]) -> Vec<u8> {
        let mut plain = Plain::new(steps, SIZE).expect("there is something to do");
        let mut last = Vec::new();
        for edge in masks {
            let mut mask = mask(*edge);
            plain.filter(&mut mask);
            let rows: Vec<_> = mask.bytes().chunks_exact(20).collect();
            assert!(rows.iter().all(|row| row == &rows[5]), "an upright edge stays one");
            last = rows[5].to_vec();
        }
        last
    }

    #[test]
    fn nothing_is_asked_for_and_nothing_is_done() {
        assert!(Plain::new(PlainSteps::default(), SIZE).is_none());
    }

    #[test]
    fn a_threshold_leaves_person_and_room() {
        let at = |share| PlainSteps { threshold: Some(share), ..PlainSteps::default() };
        assert_eq!(filtered(at(0.75), &[10])[8..12], [0, 0, 255, 255]);
        assert_eq!(filtered(at(0.8), &[10])[8..12], [0, 0, 0, 0], "200 is less than 0.8");
    }

    #[test]
    fn the_edge_moves_out_and_in() {
        let by = |grow| PlainSteps { grow, ..PlainSteps::default() };
        assert_eq!(filtered(by(2.0), &[10])[6..11], [0, 0, 200, 200, 200]);
        assert_eq!(filtered(by(1.5), &[10])[6..11], [0, 0, 100, 200, 200]);
        assert_eq!(filtered(by(-2.0), &[10])[9..14], [0, 0, 0, 200, 200]);
        assert_eq!(filtered(by(-0.5), &[10])[8..12], [0, 0, 100, 200]);
        // Upwards as well as sidewards: a single sample becomes a square.
        let mut dot = mask(20);
        dot.bytes_mut()[5 * 20 + 10] = 200;
        Plain::new(by(1.0), SIZE).unwrap().filter(&mut dot);
        assert_eq!(dot.bytes().iter().filter(|&&sample| sample == 200).count(), 9);
    }

    #[test]
    fn a_feathered_edge_is_a_ramp_in_its_place() {
        let by = |feather| PlainSteps { feather, ..PlainSteps::default() };
        assert_eq!(filtered(by(1.0), &[10])[7..13], [0, 0, 67, 133, 200, 200]);
        assert_eq!(filtered(by(0.5), &[10])[7..13], [0, 0, 50, 150, 200, 200]);
        assert_eq!(filtered(by(32.0), &[0]), [200; 20], "the picture's border is no edge");
    }

    #[test]
    fn the_average_follows_and_forgets() {
        let half = PlainSteps { average: 0.5, ..PlainSteps::default() };
        assert_eq!(filtered(half, &[10])[8..12], [0, 0, 200, 200]);
        assert_eq!(filtered(half, &[10, 12])[8..13], [0, 0, 100, 100, 200]);
        assert_eq!(filtered(half, &[10, 12, 12])[8..13], [0, 0, 50, 50, 200]);
        let mut plain = Plain::new(half, SIZE).unwrap();
        plain.filter(&mut mask(10));
        plain.reset();
        let mut after = mask(12);
        plain.filter(&mut after);
        assert_eq!(after.bytes(), mask(12).bytes());
        // What is gone is gone, and not stuck at a level above 0.
        let long = PlainSteps { average: PlainSteps::MAX_AVERAGE, ..PlainSteps::default() };
        let ends = [vec![10], vec![20; 200]].concat();
        assert_eq!(filtered(long, &ends), [0; 20]);
    }
}
