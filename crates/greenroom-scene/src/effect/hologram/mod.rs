//! The hologram of the program that greenroom supersedes, by its own sums.
//!
//! On a picture `img` in RGB, each channel 0..=1: `holo` is the picture's grey `t` in the colours
//! "winter" (red 0, green `t`, blue `1 - t / 2`); rows `y % 5 < 2` of it are multiplied by a random
//! number in 0.1..0.3, one a row a frame. Two ghosts of it, shifted by (5, 5) and (-5, -5), black
//! where nothing was shifted to, make `b = 0.08 holo + 0.32 shift(5) + 0.6 shift(-5)`; what is
//! shown is `0.5 img + 0.6 b`, saturated.
//!
//! All but the saturation is linear, so it holds in YUV as it stands: with `q` the sum of the three
//! weighted greys, and `k` the sum of their weights, red gets 0, green `q` and blue `k - q / 2`.
//! What green and blue then have beyond 1 (red never has) is worked out for each pixel from its
//! luma and its chroma, and taken off again. Only that chroma is shared by pixels differs from the
//! sum in RGB.

mod sums;
#[cfg(test)]
mod tests;

use std::ops::Range;

use greenroom_frame::{Frame, FrameError, PlaneMut};

use super::action::{Effect, PictureEffect};
use super::area::Area;
use super::kind::EffectKind;
use super::planes::{copy_plane, luma_rows_a_chroma_row};
use super::target::Target;
use crate::Moment;
use sums::{ChromaSums, RowSums, Scale, add_ghost};

pub(super) const KIND: EffectKind = EffectKind {
    names: &["hologram"],
    help: "a transmission from far away: blue-green, banded and doubled",
    targets: Target::PERSON_FIRST,
    parameters: &[],
    make: |target, _| Effect::picture(target, Hologram::default()),
};

/// How far the ghosts are shifted, right and down, left and up.
const SHIFT_PX: usize = 5;
/// Share of the picture, and of the three parts of `0.6 b`.
const UNSHIFTED: f32 = 0.6 * 0.08;
const SHIFTED_DOWN: f32 = 0.6 * 0.32;
const SHIFTED_UP: f32 = 0.6 * 0.6;
/// What sets these random numbers apart from others of the same frame.
const SALT: u64 = 0x686f_6c6f_0000;

#[derive(Default)]
struct Hologram {
    luma: Vec<u8>,
    gains: Vec<f32>,
    row: RowSums,
    chroma: ChromaSums,
}

/// The bands' gains of a frame, one for each row.
fn gains(moment: &Moment, gains: &mut [f32]) {
    let mut random = moment.random(SALT);
    for (y, gain) in gains.iter_mut().enumerate() {
        *gain = if y % 5 < 2 { 0.1 + 0.2 * random.unit() } else { 1.0 };
    }
}

impl PictureEffect for Hologram {
    fn apply(
        &mut self,
        picture: &mut Frame,
        area: Area,
        moment: &Moment,
    ) -> Result<(), FrameError> {
        copy_plane(picture.view().plane(0), &mut self.luma);
        let scale = Scale::new(picture.colour());
        let share = luma_rows_a_chroma_row(picture.view());
        let mut view = picture.view_mut();
        let [mut y, mut u, mut v] = view.yuv_mut();
        self.gains.resize(y.rows(), 0.0);
        gains(moment, &mut self.gains);
        let luma_columns = area.columns_of(y.row_bytes());
        let columns = area.columns_of(u.row_bytes());
        self.row.resize(y.row_bytes());
        for row in area.rows_of(u.rows()) {
            let (u, v) = (u.row_mut(row), v.row_mut(row));
            self.row.set_chroma(&scale, u, v);
            self.chroma.start(u.len());
            for row in row * share..((row + 1) * share).min(y.rows()) {
                self.luma_row(&scale, row, luma_columns.clone(), &mut y);
            }
            self.chroma.finish(&scale, columns.clone(), u, v);
        }
        Ok(())
    }
}

impl Hologram {
    fn luma_row(
        &mut self,
        scale: &Scale,
        y: usize,
        columns: Range<usize>,
        plane: &mut PlaneMut<'_>,
    ) {
        let (width, rows) = (plane.row_bytes(), plane.rows());
        let luma = |y: usize| &self.luma[y * width..][..width];
        let RowSums { q, k, .. } = &mut self.row;
        let (q, k) = (&mut q[..width], &mut k[..width]);
        q.fill(0);
        k.fill(0);
        add_ghost(scale, q, k, luma(y), UNSHIFTED * self.gains[y]);
        let reach = SHIFT_PX.min(width);
        if let Some(above) = y.checked_sub(SHIFT_PX) {
            let weight = SHIFTED_DOWN * self.gains[above];
            let from = &luma(above)[..width - reach];
            add_ghost(scale, &mut q[reach..], &mut k[reach..], from, weight);
        }
        let below = y + SHIFT_PX;
        if below < rows {
            let weight = SHIFTED_UP * self.gains[below];
            let (q, k) = (&mut q[..width - reach], &mut k[..width - reach]);
            add_ghost(scale, q, k, &luma(below)[reach..], weight);
        }
        self.row.finish_luma(scale, columns, plane.row_mut(y));
        self.chroma.add(&self.row, width);
    }
}
