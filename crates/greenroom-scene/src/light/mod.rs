//! The person in the light of what is behind: the background's light spills over the edge (light
//! wrap), and the person's brightness and colour follow the background's (match).
//!
//! Worked out on pictures of 45 rows and given to the [`Compositor`](greenroom_frame::Compositor) as
//! a gain and an offset for each cell, which costs nothing where there is no edge.

mod spec;
#[cfg(test)]
mod tests;
mod tone;

use greenroom_frame::{
    Cells, Colour, Frame, FrameError, FrameShape, FrameView, Light, PixelFormat, PlaneScaler,
    SizePx,
};

use crate::{Layers, Moment};
pub use spec::LookSpec;
use tone::{Tone, ToneKeeper};

/// Rows of the small pictures.
const ROWS: u32 = 45;
/// Light at the very edge of the person, at a strength of 1, is this share of a white background's;
/// two cells (4 % of the frame's height) further in there is none.
const WRAP: f32 = 0.7;
/// Less light than that is none: less than half a code.
const LEAST: f32 = 1.0 / 512.0;

/// Makes the light of one scene.
pub(crate) struct Look {
    spec: LookSpec,
    state: Option<State>,
    tone: ToneKeeper,
}

struct State {
    shape: FrameShape,
    small: SizePx,
    /// The background's Y, U and V, alpha, and the camera's Y, U and V.
    planes: [Frame; 7],
    scalers: [PlaneScaler; 7],
    /// Rows of the full pictures of which one is read.
    steps: [usize; 7],
    /// Alpha and the background's planes, out of focus.
    soft: [Vec<f32>; 4],
    /// The small planes of the background, and these out of focus, are those of the one that stands.
    is_behind_known: bool,
    scratch: Vec<f32>,
    cells: Cells,
}

impl Look {
    /// `None` if nothing is wanted.
    pub(crate) fn new(spec: LookSpec) -> Option<Self> {
        let tone = ToneKeeper::new(spec.matching);
        (spec != LookSpec::OFF).then_some(Self { spec, state: None, tone })
    }

    /// From now on another background stands.
    pub(crate) fn forget_background(&mut self) {
        if let Some(state) = &mut self.state {
            state.is_behind_known = false;
        }
    }

    /// The light on the person of this frame; what [stands still](crate::Background::is_still) behind is
    /// looked at once.
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub(crate) fn light(
        &mut self,
        layers: &mut Layers<'_>,
        is_still: bool,
        moment: &Moment,
    ) -> Result<Light<'_>, FrameError> {
        let shape = layers.person.view().shape();
        if self.state.as_ref().is_none_or(|state| state.shape != shape) {
            self.state = Some(State::new(shape)?);
        }
        let state = self.state.as_mut().expect("made above");
        state.is_behind_known &= is_still;
        state.reduce(layers, self.tone.is_due(moment))?;
        let tone = self.tone.tone(state.planes.each_ref().map(Frame::bytes), shape.colour, moment);
        let usual = tone.affine(shape.colour);
        state.wrap(self.spec.wrap * WRAP, usual);
        state.is_behind_known = is_still;
        Ok(Light { usual, cells: state.cells.view() })
    }
}

impl State {
    fn new(shape: FrameShape) -> Result<Self, FrameError> {
        let size = shape.size;
        let rows = size.height_px.min(ROWS);
        let columns = u64::from(size.width_px) * u64::from(rows) / u64::from(size.height_px);
        let small = SizePx::new((columns as u32).clamp(1, size.width_px), rows);
        let chroma = shape.format.chroma().plane_size(size);
        // Of each cell two rows are read: all is blurred anyway.
        let step = |plane: SizePx| (plane.height_px / rows / 2).max(1);
        let planes = [size, chroma, chroma, size, size, chroma, chroma];
        let scaler = |plane: SizePx| {
            let read = SizePx::new(plane.width_px, plane.height_px.div_ceil(step(plane)));
            PlaneScaler::of_means(read, small)
        };
        let [a, b, c, d, e, f, g] = planes.map(scaler);
        let grey = || Frame::new(PixelFormat::Grey, small, Colour::JPEG);
        let zeros = || vec![0.0; small.area_px() as usize];
        let mut cells = Cells::default();
        cells.resize(f64::from(small.width_px), f64::from(small.height_px));
        Ok(Self {
            shape,
            small,
            planes: [grey()?, grey()?, grey()?, grey()?, grey()?, grey()?, grey()?],
            scalers: [a?, b?, c?, d?, e?, f?, g?],
            steps: planes.map(|plane| step(plane) as usize),
            soft: [zeros(), zeros(), zeros(), zeros()],
            is_behind_known: false,
            scratch: zeros(),
            cells,
        })
    }

    /// Makes the small pictures that are not known; those of the camera only if they are wanted.
    fn reduce(&mut self, layers: &mut Layers<'_>, wants_camera: bool) -> Result<(), FrameError> {
        let (behind, camera) = (layers.background.picture()?, layers.person.view());
        let alpha = layers.luma_alpha.view();
        let plane = |index: usize| -> (FrameView<'_>, usize) {
            match index {
                0..=2 => (behind, index),
                3 => (alpha, 0),
                _ => (camera, index - 4),
            }
        };
        let first = if self.is_behind_known { 3 } else { 0 };
        for index in first..if wants_camera { 7 } else { 4 } {
            let (picture, number) = plane(index);
            let from = picture.plane(number).every_row(self.steps[index]);
            self.scalers[index].scale(from, &mut self.planes[index].view_mut().plane_mut(0));
        }
        Ok(())
    }

    /// Sets the cells: screens the blurred background onto the person, the more the nearer the edge
    /// is. What is brighter than that already hardly changes, and a dark background adds nothing.
    fn wrap(&mut self, strength: f32, usual: [[f32; 2]; 3]) {
        let width = self.small.width_px as usize;
        // Alpha comes first.
        let order: &[usize] = if self.is_behind_known { &[3] } else { &[3, 0, 1, 2] };
        for (soft, &index) in self.soft.iter_mut().zip(order) {
            let bytes = self.planes[index].bytes();
            soft.iter_mut().zip(bytes).for_each(|(soft, &byte)| *soft = f32::from(byte));
            for _ in 0..2 {
                blur(soft, &mut self.scratch, width);
            }
        }
        let (floor, span, _) = self.shape.colour.scales();
        let white = floor + span;
        let [alpha, ys, us, vs] = &self.soft;
        let lights = &mut self.scratch;
        for ((light, alpha), y) in lights.iter_mut().zip(alpha).zip(ys) {
            let bright = ((y - floor) / span).clamp(0.0, 1.0);
            let share = strength * (1.0 - alpha / 255.0) * bright;
            *light = if share < LEAST { 0.0 } else { share };
        }
        for (plane, [gain, offset]) in usual.into_iter().enumerate() {
            for (y, lights) in lights.chunks_exact(width).enumerate() {
                let target = |colours: &[f32], x: usize| match plane {
                    0 => white,
                    _ => colours[x],
                };
                let colours = &[us, us, vs][plane][y * width..][..width];
                self.cells.edit_row(plane, y, |[gains, offsets]| {
                    for (x, light) in lights.iter().enumerate() {
                        gains[x] = gain * (1.0 - light);
                        offsets[x] = offset * (1.0 - light) + light * target(colours, x);
                    }
                });
            }
        }
    }
}

/// Means of three by three; beyond its edges a picture goes on as it is there.
fn blur(picture: &mut [f32], scratch: &mut [f32], width: usize) {
    let last_row = picture.len() / width - 1;
    for (y, out) in scratch.chunks_exact_mut(width).enumerate() {
        let row = |y: usize| &picture[y * width..][..width];
        let rows = row(y.saturating_sub(1)).iter().zip(row(y)).zip(row((y + 1).min(last_row)));
        out.iter_mut().zip(rows).for_each(|(out, ((a, b), c))| *out = (a + b + c) * (1.0 / 9.0));
    }
    for (from, out) in scratch.chunks_exact(width).zip(picture.chunks_exact_mut(width)) {
        let last = width - 1;
        if width > 2 {
            for (out, near) in out[1..last].iter_mut().zip(from.windows(3)) {
                *out = near[0] + near[1] + near[2];
            }
        }
        out[0] = 2.0 * from[0] + from[1.min(last)];
        out[last] = from[last.saturating_sub(1)] + 2.0 * from[last];
    }
}

impl Tone {
    /// Gain and offset of the samples of each plane.
    fn affine(self, colour: Colour) -> [[f32; 2]; 3] {
        let (floor, ..) = colour.scales();
        let [u, v] = self.chroma;
        [[self.gain, floor * (1.0 - self.gain)], [1.0, u], [1.0, v]]
    }
}
