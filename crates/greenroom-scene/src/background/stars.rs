use std::f64::consts::TAU;

use greenroom_frame::{Backdrop, Frame, FrameError, FrameShape, PlaneMut, Rgb8};

use super::named::BackgroundKind;
use super::{Background, MattedFrame, gradient};
use crate::{Moment, Random, SceneError};

pub(super) const KIND: BackgroundKind = BackgroundKind {
    name: "stars",
    help: "a night sky with stars that pass slowly and twinkle a little",
    parameters: &[],
    room_rows: None,
    make: |_| Box::new(Stars { state: None }),
};

/// Stars in three depths, the nearer the faster, before a sky that stands still. Where a star was
/// is taken from the sky again: a frame costs what its stars cover.
pub(super) struct Stars {
    state: Option<State>,
}

/// The sky, above and below.
const SKY: [Rgb8; 2] = [Rgb8 { r: 0x06, g: 0x0a, b: 0x18 }, Rgb8 { r: 0x1c, g: 0x2a, b: 0x48 }];

/// One depth of stars. Lengths are shares of the frame's height.
struct Depth {
    count_in_16_by_9: f32,
    speed_a_second: f64,
    /// Standard deviation of a star's spot.
    sigma: f32,
    /// Brightest and faintest, as shares of white.
    light: [f32; 2],
}

const DEPTHS: [Depth; 3] = [
    Depth { count_in_16_by_9: 200.0, speed_a_second: 0.0016, sigma: 0.0011, light: [0.16, 0.42] },
    Depth { count_in_16_by_9: 80.0, speed_a_second: 0.0034, sigma: 0.0016, light: [0.35, 0.75] },
    Depth { count_in_16_by_9: 22.0, speed_a_second: 0.0070, sigma: 0.0024, light: [0.60, 0.95] },
];

struct Star {
    /// Where it starts, in heights; across goes beyond the frame on both sides.
    across: f64,
    down: f64,
    speed_a_second: f64,
    sigma: f32,
    light: f32,
    /// Seconds of one twinkle, and where in it the star starts.
    twinkle_seconds: f64,
    twinkle_start: f64,
    /// Blue and red difference of its light, as shares of its light.
    tint: [f32; 2],
}

struct State {
    stars: Vec<Star>,
    sky: Frame,
    shown: Frame,
    /// The columns' part of a star's spot.
    spot: Vec<f32>,
    /// For each star the rectangle of each plane that it covers.
    covered: Vec<[Rect; 3]>,
}

/// Columns and rows, the ends are out.
type Rect = [std::ops::Range<usize>; 2];

/// How far a spot reaches, in standard deviations: there it has 1 % of its light.
const REACH: f32 = 3.0;
/// Heights that a star goes beyond the frame before it comes in on the other side.
const MARGIN: f64 = 0.02;

impl Background for Stars {
    fn behind<'a>(
        &'a mut self,
        matted: &MattedFrame<'a>,
        moment: &Moment,
    ) -> Result<Backdrop<'a>, SceneError> {
        let shape = matted.frame.shape();
        if !self.state.as_ref().is_some_and(|state| state.sky.view().shape() == shape) {
            self.state = Some(State::new(shape, moment.seed)?);
        }
        let state = self.state.as_mut().expect("made above");
        state.wipe();
        state.shine(moment.time.as_secs_f64());
        Ok(state.shown.view().into())
    }
}

impl State {
    fn new(shape: FrameShape, seed: u64) -> Result<Self, FrameError> {
        let sky = gradient::paint(SKY[0], SKY[1], 180.0, shape)?.into_frame();
        let (width, height) = (f64::from(shape.size.width_px), f64::from(shape.size.height_px));
        let across = width / height + 2.0 * MARGIN;
        let mut random = Random::new(seed ^ 0x5354_4152);
        let mut stars = Vec::new();
        for depth in &DEPTHS {
            let count = f64::from(depth.count_in_16_by_9) * across / (16.0 / 9.0);
            for _ in 0..count.min(2000.0) as usize {
                let mut unit = || f64::from(random.unit());
                // Squared: many faint ones, few bright ones.
                let bright = (unit() * unit()) as f32;
                let warmth = (unit() - 0.5) as f32;
                stars.push(Star {
                    across: unit() * across,
                    down: unit() * (1.0 + 2.0 * MARGIN) - MARGIN,
                    speed_a_second: depth.speed_a_second,
                    sigma: depth.sigma * height as f32,
                    light: depth.light[0] + (depth.light[1] - depth.light[0]) * bright,
                    twinkle_seconds: 4.0 + 9.0 * unit(),
                    twinkle_start: unit(),
                    tint: [-0.12 * warmth + 0.03, 0.10 * warmth],
                });
            }
        }
        let none = || [0, 1, 2].map(|_| [0..0, 0..0]);
        Ok(Self {
            covered: stars.iter().map(|_| none()).collect(),
            shown: sky.clone(),
            sky,
            spot: vec![0.0; 2 * (REACH * DEPTHS[2].sigma * height as f32) as usize + 16],
            stars,
        })
    }

    /// Takes all stars away.
    fn wipe(&mut self) {
        let sky = self.sky.view();
        for (index, mut plane) in self.shown.view_mut().planes_mut().enumerate() {
            let sky = sky.plane(index);
            for rects in &self.covered {
                let [columns, rows] = rects[index].clone();
                for y in rows {
                    plane.row_mut(y)[columns.clone()].copy_from_slice(&sky.row(y)[columns.clone()]);
                }
            }
        }
    }

    fn shine(&mut self, seconds: f64) {
        let size = self.shown.size();
        let chroma = self.shown.format().chroma().plane_size(size);
        let (_, luma_span, chroma_span) = self.shown.colour().scales();
        let height = f64::from(size.height_px);
        let across = f64::from(size.width_px) / height + 2.0 * MARGIN;
        let shares = [1.0, f64::from(chroma.width_px) / f64::from(size.width_px)];
        let chroma_rows = f64::from(chroma.height_px) / height;
        let mut view = self.shown.view_mut();
        let mut planes = view.yuv_mut();
        for (star, covered) in self.stars.iter().zip(&mut self.covered) {
            let x = ((star.across - star.speed_a_second * seconds).rem_euclid(across) - MARGIN)
                * height;
            let y = star.down * height;
            let turn = (seconds / star.twinkle_seconds + star.twinkle_start).fract() * TAU;
            let light = star.light * (0.82 + 0.18 * turn.sin() as f32);
            let [blue, red] = star.tint.map(|tint| tint * light * chroma_span);
            let lights = [light * luma_span, blue, red];
            for (index, (plane, light)) in planes.iter_mut().zip(lights).enumerate() {
                let (share, rows) = if index == 0 { (1.0, 1.0) } else { (shares[1], chroma_rows) };
                let at = [(x * share) as f32, (y * rows) as f32];
                let sigma = [share, rows].map(|share| (star.sigma * share as f32).max(0.6));
                covered[index] = add_spot(plane, &mut self.spot, at, sigma, light);
            }
        }
    }
}

/// Adds a soft spot around `at`, in samples from the plane's corner; gives back what it covers.
fn add_spot(
    plane: &mut PlaneMut<'_>,
    spot: &mut [f32],
    at: [f32; 2],
    sigma: [f32; 2],
    light: f32,
) -> Rect {
    let range = |axis: usize, len: usize| {
        let reach = REACH * sigma[axis];
        let end = (at[axis] + reach).ceil().clamp(0.0, len as f32) as usize;
        ((at[axis] - reach).max(0.0) as usize).min(end)..end
    };
    let bell = |axis: usize, index: usize| {
        let away = (index as f32 + 0.5 - at[axis]) / sigma[axis];
        (-0.5 * away * away).exp()
    };
    let (columns, rows) = (range(0, plane.row_bytes()), range(1, plane.rows()));
    for (part, x) in spot.iter_mut().zip(columns.clone()) {
        *part = bell(0, x);
    }
    for y in rows.clone() {
        let light = light * bell(1, y);
        for (sample, part) in plane.row_mut(y)[columns.clone()].iter_mut().zip(&*spot) {
            *sample = (f32::from(*sample) + light * part + 0.5) as u8;
        }
    }
    [columns, rows]
}
