use greenroom_frame::{Colour, Frame, FrameError, MatteView, PixelFormat, PlaneScaler, SizePx};

use super::planes::tight_plane;
use crate::Layers;

/// The matte out of focus, moved, and weighted: what glows round the person, or is in the person's
/// shadow.
///
/// Worked out on a picture of at most 180 rows: it is blurred anyway, and at 1280x720 costs a
/// sixteenth.
pub(super) struct Halo {
    wish: HaloWish,
    state: Option<State>,
}

/// Lengths are shares of the frame's height.
#[derive(Debug, Clone, Copy)]
pub(super) struct HaloWish {
    /// How far the matte is spread to either side of its edge.
    pub(super) spread: f32,
    /// How far it is moved to the right.
    pub(super) right: f32,
    /// How far it is moved down.
    pub(super) down: f32,
    /// What an alpha of 1 becomes, before it is cut off at `most`. The edge of the blurred matte
    /// is at 0.5.
    pub(super) gain: f32,
    /// 0..=1
    pub(super) most: f32,
}

const MOST_ROWS: u32 = 180;
/// Box blurs in a row; three come within 3 % of a Gaussian.
const PASSES: usize = 3;

struct State {
    format: PixelFormat,
    size: SizePx,
    small: Frame,
    scratch: Vec<u8>,
    sums: Vec<u32>,
    radius: usize,
    reduce: PlaneScaler,
    enlarge: [PlaneScaler; 2],
    weights: [Frame; 2],
}

impl Halo {
    pub(super) fn new(wish: HaloWish) -> Self {
        Self { wish, state: None }
    }

    /// How much of each sample of the frame is halo.
    pub(super) fn of<'a>(&'a mut self, layers: &Layers<'_>) -> Result<MatteView<'a>, FrameError> {
        let like = layers.person.view();
        let (format, size) = (like.format(), like.size());
        let made_for = self.state.as_ref().map(|state| (state.format, state.size));
        if made_for != Some((format, size)) {
            self.state = Some(State::new(format, size, self.wish)?);
        }
        let state = self.state.as_mut().expect("made above");
        let alpha = layers.luma_alpha.view();
        state.reduce.scale(alpha.plane(0), &mut state.small.view_mut().plane_mut(0));
        for _ in 0..PASSES {
            state.blur_rows();
            state.blur_columns();
        }
        state.move_and_weight(self.wish);
        let small = state.small.view();
        for (scaler, weights) in state.enlarge.iter_mut().zip(&mut state.weights) {
            scaler.scale(small.plane(0), &mut weights.view_mut().plane_mut(0));
        }
        let [luma, chroma] = &state.weights;
        MatteView::new(like, luma.view(), chroma.view())
    }
}

impl State {
    fn new(format: PixelFormat, size: SizePx, wish: HaloWish) -> Result<Self, FrameError> {
        let rows = size.height_px.min(MOST_ROWS);
        let columns = u64::from(size.width_px) * u64::from(rows) / u64::from(size.height_px);
        let small = SizePx::new((columns as u32).max(1), rows);
        let chroma = format.chroma().plane_size(size);
        let grey = |size| Frame::new(PixelFormat::Grey, size, Colour::JPEG);
        // Each pass spreads by one radius.
        let radius = (wish.spread * rows as f32 / PASSES as f32).round().max(1.0) as usize;
        Ok(Self {
            format,
            size,
            small: grey(small)?,
            scratch: vec![0; small.area_px() as usize],
            sums: vec![0; small.width_px as usize],
            radius,
            reduce: PlaneScaler::new(size, small)?,
            enlarge: [PlaneScaler::new(small, size)?, PlaneScaler::new(small, chroma)?],
            weights: [grey(size)?, grey(chroma)?],
        })
    }

    /// Q16 of one over a box's width.
    fn share(&self) -> u32 {
        65536 / (2 * self.radius as u32 + 1)
    }

    /// Small picture to scratch. Beyond the edges it goes on as it is there: a person who is cut
    /// off by the frame casts the shadow of a whole one.
    fn blur_rows(&mut self) {
        let (radius, share) = (self.radius, self.share());
        let (small, width) = tight_plane(&mut self.small, 0);
        for (from, into) in small.chunks_exact(width).zip(self.scratch.chunks_exact_mut(width)) {
            let last = width - 1;
            let at = |x: usize| u32::from(from[x.min(last)]);
            let mut sum = at(0) * radius as u32 + (0..radius).map(at).sum::<u32>();
            for (x, out) in into.iter_mut().enumerate() {
                sum += at(x + radius);
                *out = ((sum * share + 32768) >> 16) as u8;
                sum -= at(x.saturating_sub(radius));
            }
        }
    }

    /// Scratch to small picture.
    fn blur_columns(&mut self) {
        let (radius, share) = (self.radius, self.share());
        let (small, width) = tight_plane(&mut self.small, 0);
        let last = self.scratch.len() / width - 1;
        let row = |y: usize| &self.scratch[y.min(last) * width..][..width];
        self.sums.fill(0);
        let add = |sums: &mut [u32], row: &[u8], times: u32| {
            sums.iter_mut().zip(row).for_each(|(sum, &alpha)| *sum += u32::from(alpha) * times);
        };
        add(&mut self.sums, row(0), radius as u32);
        (0..radius).for_each(|y| add(&mut self.sums, row(y), 1));
        for (y, out) in small.chunks_exact_mut(width).enumerate() {
            let (entering, leaving) = (row(y + radius), row(y.saturating_sub(radius)));
            let rows = self.sums.iter_mut().zip(entering).zip(leaving);
            for (out, ((sum, &entering), &leaving)) in out.iter_mut().zip(rows) {
                *sum += u32::from(entering);
                *out = ((*sum * share + 32768) >> 16) as u8;
                *sum -= u32::from(leaving);
            }
        }
    }

    /// Small picture to itself, through scratch.
    fn move_and_weight(&mut self, wish: HaloWish) {
        let (small, width) = tight_plane(&mut self.small, 0);
        let rows = small.len() / width;
        let px = |share: f32| (share * rows as f32).round() as isize;
        let (right, down) = (px(wish.right), px(wish.down));
        self.scratch.copy_from_slice(small);
        let (gain, most) = ((wish.gain * 256.0) as u32, (wish.most * 255.0).round() as u32);
        let weight = |alpha: u8| ((u32::from(alpha) * gain) >> 8).min(most) as u8;
        for (y, out) in small.chunks_exact_mut(width).enumerate() {
            let from_y = (y as isize - down).clamp(0, rows as isize - 1) as usize;
            let from = &self.scratch[from_y * width..][..width];
            let skip = right.unsigned_abs().min(width);
            if right >= 0 {
                let (border, rest) = out.split_at_mut(skip);
                border.fill(weight(from[0]));
                rest.iter_mut().zip(from).for_each(|(out, &alpha)| *out = weight(alpha));
            } else {
                let (rest, border) = out.split_at_mut(width - skip);
                border.fill(weight(from[width - 1]));
                rest.iter_mut().zip(&from[skip..]).for_each(|(out, &alpha)| *out = weight(alpha));
            }
        }
    }
}
