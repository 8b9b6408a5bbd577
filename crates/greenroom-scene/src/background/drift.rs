use std::f64::consts::TAU;

use greenroom_frame::{Backdrop, Colour, Rgb8};

use super::named::BackgroundKind;
use super::paint::{Painting, between, encode};
use super::{Background, MattedFrame};
use crate::words::{Allowed, Parameter};
use crate::{Moment, SceneError};

pub(super) const KIND: BackgroundKind = BackgroundKind {
    name: "drift",
    help: "soft clouds of three colours, drifting slowly",
    parameters: &[
        Parameter { name: "first", allowed: Allowed::Colour(Rgb8 { r: 0x1d, g: 0x35, b: 0x57 }) },
        Parameter { name: "second", allowed: Allowed::Colour(Rgb8 { r: 0x3a, g: 0x7d, b: 0x8c }) },
        Parameter { name: "third", allowed: Allowed::Colour(Rgb8 { r: 0x6d, g: 0x59, b: 0x8f }) },
    ],
    room_rows: None,
    make: |values| {
        Box::new(Drift { colours: [0, 1, 2].map(|index| values.colour(index)), state: None })
    },
};

/// Clouds: two slow waves, each bent by others, decide how much of each colour there is. A function
/// of time alone, so it has no seam, and runs as fast on any camera.
pub(super) struct Drift {
    colours: [Rgb8; 3],
    state: Option<State>,
}

/// Rows of the fine picture; the shortest wave is a third of the height.
const ROWS: u32 = 54;
/// Steps of a way from one colour to another that are kept.
const STEPS: usize = 64;

struct State {
    painting: Painting,
    /// For each share of the second wave the colour between second and third, for each share of
    /// the first the way there from the first colour.
    palette: Vec<[f32; 3]>,
    /// How far rows are bent sideways, and columns up.
    bend_rows: Vec<f32>,
    bend_columns: Vec<f32>,
}

impl Background for Drift {
    fn behind<'a>(
        &'a mut self,
        matted: &MattedFrame<'a>,
        moment: &Moment,
    ) -> Result<Backdrop<'a>, SceneError> {
        let shape = matted.frame.shape();
        if !self.state.as_ref().is_some_and(|state| state.painting.shape() == shape) {
            let painting = Painting::new(shape, ROWS)?;
            let size = painting.size();
            self.state = Some(State {
                painting,
                palette: palette(self.colours, shape.colour),
                bend_rows: vec![0.0; size.height_px as usize],
                bend_columns: vec![0.0; size.width_px as usize],
            });
        }
        let state = self.state.as_mut().expect("made above");
        state.paint(moment.time.as_secs_f64());
        Ok(state.painting.view().into())
    }
}

/// Colours for all shares of the two waves, the first wave's within the second's.
fn palette(colours: [Rgb8; 3], colour: Colour) -> Vec<[f32; 3]> {
    let share = |step: usize| step as f32 / (STEPS - 1) as f32;
    let code = |channel: f32| (channel * 255.0 + 0.5) as u8;
    (0..STEPS * STEPS)
        .map(|index| {
            let [r, g, b] = between(colours[1], colours[2], share(index / STEPS)).map(code);
            encode(colour, between(colours[0], Rgb8 { r, g, b }, share(index % STEPS)))
        })
        .collect()
}

impl State {
    fn paint(&mut self, seconds: f64) {
        // Phases in f64 and within one turn: a call of hours is as smooth as its first minute.
        let phase = |turn_seconds: f64| (TAU * (seconds / turn_seconds).fract()) as f32;
        let height = self.painting.size().height_px as f32;
        let place = |index: usize| (index as f32 + 0.5) / height;
        let (slow, slower) = (phase(53.0), phase(71.0));
        for (y, bend) in self.bend_rows.iter_mut().enumerate() {
            *bend = 0.22 * (4.1 * place(y) + slow).sin() + 0.08 * (9.0 * place(y) - slower).sin();
        }
        for (x, bend) in self.bend_columns.iter_mut().enumerate() {
            *bend = 0.20 * (3.3 * place(x) - slower).sin() + 0.07 * (7.7 * place(x) + slow).sin();
        }
        let (first, second) = (phase(47.0), phase(61.0));
        let width = self.bend_columns.len();
        for (y, bend_row) in self.bend_rows.iter().enumerate() {
            for (x, bend_column) in self.bend_columns.iter().enumerate() {
                let (u, v) = (place(x) + bend_row, place(y) + bend_column);
                let shares =
                    [(2.3 * u + 3.1 * v + first).sin(), (3.7 * u - 2.2 * v - second + 1.0).sin()];
                let at = shares.map(|wave| (0.5 + 0.5 * wave) * (STEPS - 1) as f32);
                self.painting.set(y * width + x, pick(&self.palette, at));
            }
        }
        self.painting.finish();
    }
}

/// The colour at two places between steps.
fn pick(palette: &[[f32; 3]], [first, second]: [f32; 2]) -> [f32; 3] {
    let (x, y) = ((first as usize).min(STEPS - 2), (second as usize).min(STEPS - 2));
    let (dx, dy) = (first - x as f32, second - y as f32);
    let (above, below) = (&palette[y * STEPS + x..][..2], &palette[(y + 1) * STEPS + x..][..2]);
    [0, 1, 2].map(|channel| {
        let mix = |pair: &[[f32; 3]]| pair[0][channel] + (pair[1][channel] - pair[0][channel]) * dx;
        mix(above) + (mix(below) - mix(above)) * dy
    })
}
