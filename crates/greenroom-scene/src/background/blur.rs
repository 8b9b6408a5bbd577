use greenroom_frame::{Frame, FrameError, FrameView, PixelFormat, PlaneScaler, SizePx};

use super::{Background, Room};
use crate::SceneError;

/// The room itself out of focus, as if the person were not there:
/// `blur(room * w) / blur(w)`, w = how surely a pixel is room (normalised convolution, Knutsson and
/// Westin 1993). A pixel of the person has no weight, so its colour cannot bleed into the room, and
/// what lies behind the person is filled in from round about.
///
/// Worked out on a picture of 90 rows, whatever the frame's size: what a blur this wide leaves has
/// no detail to lose, and at 1280x720 it costs a fifth of working at a quarter of the size.
#[derive(Default)]
pub(super) struct Blur {
    state: Option<State>,
}

/// Rows of the small picture that is blurred.
const SMALL_ROWS: u32 = 90;
/// Standard deviation of the blur as a share of the frame's height: 25 pixels at 720 rows, where
/// faces and print behind the person can no longer be read.
const SIGMA_OF_HEIGHT: f32 = 0.035;
/// Box blurs in a row; three come within 3 % of a Gaussian.
const PASSES: usize = 3;

/// One small pixel: Y, U, V, each times the weight, and the weight.
type Weighted = [f32; 4];

struct State {
    small: SizePx,
    radius: usize,
    sums: Vec<Weighted>,
    scratch: Vec<Weighted>,
    /// The columns' running sums.
    column: Vec<Weighted>,
    /// Y, U, V and alpha of the small picture.
    planes: [Frame; 4],
    reduce: [PlaneScaler; 4],
    enlarge: [PlaneScaler; 3],
    shown: Frame,
}

impl Background for Blur {
    fn behind<'a>(&'a mut self, room: &Room<'a>) -> Result<FrameView<'a>, SceneError> {
        let like = room.frame;
        if !self.state.as_ref().is_some_and(|state| super::fits(&state.shown, like)) {
            self.state = Some(State::new(like)?);
        }
        let state = self.state.as_mut().expect("made above");
        state.gather(room);
        for _ in 0..PASSES {
            blur_rows(&state.sums, &mut state.scratch, state.small, state.radius);
            let (from, into) = (&state.scratch, &mut state.sums);
            blur_columns(from, into, &mut state.column, state.small, state.radius);
        }
        state.spread();
        Ok(state.shown.view())
    }
}

impl State {
    fn new(like: FrameView<'_>) -> Result<Self, FrameError> {
        let size = like.size();
        let rows = size.height_px.min(SMALL_ROWS);
        let columns = u64::from(size.width_px) * u64::from(rows) / u64::from(size.height_px);
        let small = SizePx::new((columns as u32).max(1), rows);
        let chroma = like.format().chroma().plane_size(size);
        // Variance of `PASSES` boxes of width w: PASSES * (w * w - 1) / 12.
        let sigma = SIGMA_OF_HEIGHT * rows as f32;
        let width = (12.0 * sigma * sigma / PASSES as f32 + 1.0).sqrt();
        let grey = || Frame::new(PixelFormat::Grey, small, like.colour());
        let reduce = |from: SizePx| PlaneScaler::new(from, small);
        let pixels = small.area_px() as usize;
        Ok(Self {
            small,
            radius: ((width - 1.0) / 2.0).round().max(1.0) as usize,
            sums: vec![[0.0; 4]; pixels],
            scratch: vec![[0.0; 4]; pixels],
            column: vec![[0.0; 4]; small.width_px as usize],
            planes: [grey()?, grey()?, grey()?, grey()?],
            reduce: [reduce(size)?, reduce(chroma)?, reduce(chroma)?, reduce(size)?],
            enlarge: [
                PlaneScaler::new(small, size)?,
                PlaneScaler::new(small, chroma)?,
                PlaneScaler::new(small, chroma)?,
            ],
            shown: Frame::new(like.format(), size, like.colour())?,
        })
    }

    /// Makes the small picture and weights it.
    fn gather(&mut self, room: &Room<'_>) {
        let [y, u, v] = [0, 1, 2].map(|plane| room.frame.plane(plane));
        let full = [y, u, v, room.matte.luma().plane(0)];
        for ((small, scaler), full) in self.planes.iter_mut().zip(&mut self.reduce).zip(full) {
            scaler.scale(full, &mut small.view_mut().plane_mut(0));
        }
        let [y, u, v, alpha] = self.planes.each_ref().map(Frame::bytes);
        let samples = y.iter().zip(u).zip(v).zip(alpha);
        for (sum, (((&y, &u), &v), &alpha)) in self.sums.iter_mut().zip(samples) {
            let weight = room_weight(alpha);
            *sum = [f32::from(y) * weight, f32::from(u) * weight, f32::from(v) * weight, weight];
        }
    }

    /// Divides by the weight and brings the small picture to full size.
    fn spread(&mut self) {
        let mut all = [0.0f64; 4];
        for sum in &self.sums {
            all.iter_mut().zip(sum).for_each(|(all, &part)| *all += f64::from(part));
        }
        // A trace of the whole room's mean, for places so deep in the person that no room reaches
        // them; without any room at all, a plain mid-grey.
        let mean = if all[3] > 0.0 {
            [0, 1, 2].map(|channel| (all[channel] / all[3]) as f32)
        } else {
            [96.0, 128.0, 128.0]
        };
        const TRACE: f32 = 0.5;
        for (channel, plane) in self.planes.iter_mut().enumerate().take(3) {
            for (sample, sum) in plane.bytes_mut().iter_mut().zip(&self.sums) {
                let value = (sum[channel] + TRACE * mean[channel]) / (sum[3] + TRACE);
                // Not `round()`: without SSE4.1 that is a call for each sample.
                *sample = (value + 0.5) as u8;
            }
        }
        let mut view = self.shown.view_mut();
        for ((plane, scaler), mut into) in
            self.planes.iter().zip(&mut self.enlarge).zip(view.planes_mut())
        {
            scaler.scale(plane.view().plane(0), &mut into);
        }
    }
}

/// How surely a small pixel of this alpha is room, 0..=255. A sixteenth of person in it leaves
/// none: what is mixed with the person must not count as room.
fn room_weight(alpha: u8) -> f32 {
    f32::from(255u8.saturating_sub(alpha.saturating_mul(16)))
}

/// Box blur along rows. What lies outside has no weight, so nothing needs to be invented there.
fn blur_rows(from: &[Weighted], into: &mut [Weighted], size: SizePx, radius: usize) {
    let width = size.width_px as usize;
    for (from, into) in from.chunks_exact(width).zip(into.chunks_exact_mut(width)) {
        let mut sum = [0.0; 4];
        for sample in &from[..radius.min(width)] {
            accumulate(&mut sum, sample, 1.0);
        }
        for (x, out) in into.iter_mut().enumerate() {
            if let Some(entering) = from.get(x + radius) {
                accumulate(&mut sum, entering, 1.0);
            }
            if let Some(leaving) = x.checked_sub(radius + 1) {
                accumulate(&mut sum, &from[leaving], -1.0);
            }
            *out = sum;
        }
        normalise(into, radius);
    }
}

/// Box blur along columns, all columns of a row side by side.
fn blur_columns(
    from: &[Weighted],
    into: &mut [Weighted],
    sums: &mut [Weighted],
    size: SizePx,
    radius: usize,
) {
    let (width, height) = (size.width_px as usize, size.height_px as usize);
    let row = |y: usize| &from[y * width..][..width];
    let add = |sums: &mut [Weighted], row: &[Weighted], sign: f32| {
        sums.iter_mut().zip(row).for_each(|(sum, sample)| accumulate(sum, sample, sign));
    };
    sums.fill([0.0; 4]);
    (0..radius.min(height)).for_each(|y| add(sums, row(y), 1.0));
    for (y, out) in into.chunks_exact_mut(width).enumerate() {
        if y + radius < height {
            add(sums, row(y + radius), 1.0);
        }
        if let Some(leaving) = y.checked_sub(radius + 1) {
            add(sums, row(leaving), -1.0);
        }
        out.copy_from_slice(sums);
        normalise(out, radius);
    }
}

#[inline(always)]
fn accumulate(sum: &mut Weighted, sample: &Weighted, sign: f32) {
    sum.iter_mut().zip(sample).for_each(|(sum, sample)| *sum += sign * sample);
}

/// Sums to means, so that six passes stay in f32's exact range; what the running sum's rounding
/// leaves below zero is zero.
#[inline(always)]
fn normalise(sums: &mut [Weighted], radius: usize) {
    let scale = 1.0 / (2 * radius + 1) as f32;
    for channel in sums.iter_mut().flatten() {
        *channel = (*channel * scale).max(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::BackgroundSpec;
    use greenroom_frame::{Colour, MatteView, Yuv8};

    const ROOM: Yuv8 = Yuv8 { y: 60, u: 90, v: 120 };

    /// A flat room with a person of the extreme opposite colour; alpha a soft-edged box.
    fn blurred(format: PixelFormat, size: SizePx, alpha: impl Fn(f32, f32) -> u8) -> Frame {
        let mut room = Frame::new(format, size, Colour::WEBCAM).unwrap();
        room.fill(ROOM);
        let matte = |size: SizePx| {
            let mut matte = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
            let (w, h) = (size.width_px as f32, size.height_px as f32);
            for (y, row) in matte.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
                for (x, sample) in row.iter_mut().enumerate() {
                    *sample = alpha((x as f32 + 0.5) / w, (y as f32 + 0.5) / h);
                }
            }
            matte
        };
        let (luma, chroma) = (matte(size), matte(format.chroma().plane_size(size)));
        for (plane, mut samples) in room.view_mut().planes_mut().enumerate() {
            let alpha = if plane == 0 { &luma } else { &chroma };
            for (row, alpha) in samples.iter_rows_mut().zip(alpha.view().plane(0).iter_rows()) {
                for (sample, &alpha) in row.iter_mut().zip(alpha) {
                    // Anything that is half person or more is wholly the person's colour.
                    if alpha >= 128 {
                        *sample = [235, 240, 16][plane];
                    }
                }
            }
        }
        let matte = MatteView::new(room.view(), luma.view(), chroma.view()).unwrap();
        let mut blur = BackgroundSpec::Blur.build(super::super::Fit::Cover).unwrap();
        let seen = blur.behind(&Room { frame: room.view(), matte }).unwrap();
        let mut copy = room.clone();
        greenroom_frame::unpack(seen, &mut copy).unwrap();
        copy
    }

    #[test]
    fn the_person_never_bleeds_into_the_room() {
        for format in [PixelFormat::I420, PixelFormat::I422] {
            for size in [SizePx::new(320, 180), SizePx::new(66, 50), SizePx::new(403, 301)] {
                let soft_box = |x: f32, y: f32| {
                    let inside = (0.2 - (x - 0.5).abs()).min(y - 0.4);
                    (inside * 2000.0 + 128.0).clamp(0.0, 255.0) as u8
                };
                let seen = blurred(format, size, soft_box);
                for (plane, code) in [ROOM.y, ROOM.u, ROOM.v].into_iter().enumerate() {
                    for &sample in seen.view().plane(plane).iter_rows().flatten() {
                        assert!(sample.abs_diff(code) <= 1, "{format} {size} {plane}: {sample}");
                    }
                }
            }
        }
    }

    #[test]
    fn without_any_room_there_is_a_plain_grey() {
        let seen = blurred(PixelFormat::I420, SizePx::new(64, 48), |_, _| 255);
        assert!(seen.view().plane(0).iter_rows().flatten().all(|&y| y == 96));
    }

    #[test]
    fn an_edge_in_the_room_is_washed_out() {
        let size = SizePx::new(640, 360);
        let mut room = Frame::new(PixelFormat::I420, size, Colour::WEBCAM).unwrap();
        room.fill(Yuv8 { y: 16, u: 128, v: 128 });
        for row in room.view_mut().plane_mut(0).iter_rows_mut() {
            row[320..].fill(216);
        }
        let luma = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
        let chroma = Frame::new(PixelFormat::Grey, SizePx::new(320, 180), Colour::JPEG).unwrap();
        let matte = MatteView::new(room.view(), luma.view(), chroma.view()).unwrap();
        let mut blur = Blur::default();
        let seen = blur.behind(&Room { frame: room.view(), matte }).unwrap();
        let row = seen.plane(0).row(180);
        let sigma = (SIGMA_OF_HEIGHT * 360.0) as usize;
        // A Gaussian step: 16 % and 84 % of the way at one sigma to either side. Whole box widths
        // on so few rows hit sigma within 15 %.
        let share = |x: usize| (f32::from(row[x]) - 16.0) / 200.0;
        assert!((share(320 - sigma) - 0.16).abs() < 0.06, "{}", share(320 - sigma));
        assert!((share(319 + sigma) - 0.84).abs() < 0.06, "{}", share(319 + sigma));
        assert!(share(320 - 5 * sigma) < 0.01 && share(320 + 5 * sigma) > 0.99);
    }
}
