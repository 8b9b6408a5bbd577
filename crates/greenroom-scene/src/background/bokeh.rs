use greenroom_frame::{Backdrop, Colour, FrameError, FrameView, SizePx};

use super::named::BackgroundKind;
use super::room::{Filler, Reading, SmallRoom, Weighted, room_weight};
use super::{Background, MattedFrame};
use crate::words::{Allowed, Parameter};
use crate::{Moment, SceneError};

pub(super) const KIND: BackgroundKind = BackgroundKind {
    name: "bokeh",
    help: "the room as a fast lens shows it: lights become discs; without the person",
    parameters: &[Parameter {
        name: "strength",
        allowed: Allowed::Whole { least: 1, most: 100, default: 50, unit: "" },
    }],
    // A disc of radius r halves the contrast of cycles of r / 0.35.
    room_rows: Some(|values, _| 2.0 * 0.35 / (WIDEST * values.number(0) / 100.0)),
    make: |values| Box::new(Bokeh { strength: values.number(0), state: None }),
};

/// The room out of focus as a wide-open lens draws it: each point becomes a disc. Lights are clipped
/// by the camera, so they are given back what was clipped: they weigh more. The person has no
/// weight, as in [`blur`](super::blur).
pub(super) struct Bokeh {
    strength: f32,
    state: Option<State>,
}

/// Most rows on which it is worked out, and largest radius there: enough for discs to be round,
/// and no more, since each row of a disc is summed.
const MOST_ROWS: u32 = 180;
const MOST_RADIUS: f32 = 16.0;
/// Radius of the disc at strength 100, as a share of the frame's height: 100 pixels at 720 rows,
/// which spreads (half the radius is the standard deviation) about as far as the blur.
const WIDEST: f32 = 0.14;
/// How many times the weight of the rest a full light has, and from which luma on (share of
/// white) a sample counts as light. A lamp of a hundredth of the disc's area still shows as a disc.
const LIGHT: f32 = 40.0;
const LIGHTS_FROM: f32 = 0.68;

struct State {
    small: SmallRoom,
    /// Half the width of the disc, rows from its middle on.
    half_widths: Vec<usize>,
    /// Samples of all rows of the disc.
    area: f32,
    /// Weight of a sample of each luma code.
    light: [u32; 256],
    /// Running sums along the rows: Y, U, V, each times the weight, and the weight. In front of
    /// each row there are zeros, behind it its last sum, so that a disc may stand out of the
    /// picture. They may wrap: only differences are used, and these fit.
    running: [Vec<u32>; 4],
    row_len: usize,
    scratch: Vec<u32>,
    sums: Vec<Weighted>,
    filler: Filler,
}

impl Background for Bokeh {
    fn behind<'a>(
        &'a mut self,
        matted: &MattedFrame<'a>,
        _moment: &Moment,
    ) -> Result<Backdrop<'a>, SceneError> {
        if !self.state.as_ref().is_some_and(|state| state.small.fits(matted.frame)) {
            self.state = Some(State::new(matted.frame, self.strength)?);
        }
        let state = self.state.as_mut().expect("made above");
        state.run_along(matted);
        state.sum_discs();
        state.filler.fill(state.small.size(), &mut state.sums);
        Ok(state.small.spread(&state.sums))
    }
}

impl State {
    fn new(like: FrameView<'_>, strength: f32) -> Result<Self, FrameError> {
        let radius_of_height = WIDEST * strength / 100.0;
        let rows = (MOST_RADIUS / radius_of_height) as u32;
        let small = SmallRoom::new(like, rows.min(MOST_ROWS), Reading::AllRows)?;
        let SizePx { width_px, height_px } = small.size();
        let radius = (radius_of_height * height_px as f32).max(1.0);
        let half_widths: Vec<usize> = (0..=radius as usize)
            .map(|row| (radius * radius - (row * row) as f32).sqrt().round() as usize)
            .collect();
        let rows = half_widths.iter().skip(1).chain(&half_widths);
        let row_len = width_px as usize + 2 * half_widths[0] + 1;
        let running = || vec![0; row_len * height_px as usize];
        let pixels = small.size().area_px() as usize;
        Ok(Self {
            area: rows.map(|half| (2 * half + 1) as f32).sum(),
            filler: Filler::new(small.size()),
            small,
            half_widths,
            light: lights(like.colour()),
            running: [running(), running(), running(), running()],
            row_len,
            scratch: vec![0; width_px as usize],
            sums: vec![[0.0; 4]; pixels],
        })
    }

    /// Makes the running sums: `running[pad + x]` is the sum of all samples left of `x`.
    fn run_along(&mut self, matted: &MattedFrame<'_>) {
        let width = self.small.size().width_px as usize;
        let pad = self.half_widths[0];
        let [y, u, v, alpha] = self.small.reduce(matted);
        for (row, start) in (0..y.len()).step_by(width).enumerate() {
            let columns = start..start + width;
            let (luma, alpha) = (&y[columns.clone()], &alpha[columns.clone()]);
            for ((weight, &y), &alpha) in self.scratch.iter_mut().zip(luma).zip(alpha) {
                *weight = u32::from(room_weight(alpha)) * self.light[usize::from(y)];
            }
            let channels = [Some(y), Some(u), Some(v), None];
            for (running, channel) in self.running.iter_mut().zip(channels) {
                let running = &mut running[row * self.row_len..][..self.row_len];
                let (inside, behind) = running[pad + 1..].split_at_mut(width);
                let mut sum = 0u32;
                for (x, (out, &weight)) in inside.iter_mut().zip(&self.scratch).enumerate() {
                    let sample = channel.map_or(1, |channel| u32::from(channel[start + x]));
                    sum = sum.wrapping_add(sample * weight);
                    *out = sum;
                }
                behind.fill(sum);
            }
        }
    }

    /// Sums each disc, row by row of it.
    fn sum_discs(&mut self) {
        let SizePx { width_px, height_px } = self.small.size();
        let (width, height) = (width_px as usize, height_px as usize);
        let (pad, scale) = (self.half_widths[0], 1.0 / self.area);
        for (channel, running) in self.running.iter().enumerate() {
            for (y, sums) in self.sums.chunks_exact_mut(width).enumerate() {
                self.scratch.fill(0);
                let top = y.saturating_sub(self.half_widths.len() - 1);
                for row in top..(y + self.half_widths.len()).min(height) {
                    let half = self.half_widths[row.abs_diff(y)];
                    let running = &running[row * self.row_len..][..self.row_len];
                    let (left, right) = (&running[pad - half..], &running[pad + half + 1..]);
                    for ((sum, left), right) in self.scratch.iter_mut().zip(left).zip(right) {
                        *sum = sum.wrapping_add(right.wrapping_sub(*left));
                    }
                }
                for (out, &sum) in sums.iter_mut().zip(&self.scratch) {
                    out[channel] = sum as f32 * scale;
                }
            }
        }
    }
}

/// Weight of a sample of each luma code. At most 255 * 255 * [`LIGHT`] in a sum of a disc of 804
/// samples: 2.1e9, which fits.
fn lights(colour: Colour) -> [u32; 256] {
    let (floor, luma, _) = colour.scales();
    std::array::from_fn(|code| {
        let level = ((code as f32 - floor) / luma - LIGHTS_FROM) / (1.0 - LIGHTS_FROM);
        let level = level.clamp(0.0, 1.0);
        (1.0 + (LIGHT - 1.0) * level * level).round() as u32
    })
}
