use greenroom_frame::{Backdrop, BoxBlur, FrameError, FrameView};

use super::named::BackgroundKind;
use super::room::{Filler, Reading, SmallRoom, Weighted};
use super::{Background, MattedFrame};
use crate::words::{Allowed, Parameter};
use crate::{Moment, SceneError};

pub(super) const KIND: BackgroundKind = BackgroundKind {
    name: "blur",
    help: "the room itself, out of focus, without the person",
    parameters: &[Parameter {
        name: "strength",
        allowed: Allowed::Whole { least: 1, most: 100, default: 50, unit: "" },
    }],
    // A Gaussian halves the contrast of cycles of sigma / 0.187.
    room_rows: Some(|values, _| 2.0 * 0.187 / sigma_of_height(values.number(0))),
    make: |values| Box::new(Blur::new(values.number(0))),
};

/// The room itself out of focus, as if the person were not there:
/// `blur(room * w) / blur(w)`, w = how surely a pixel is room. A pixel of the person has no weight,
/// so its colour cannot bleed into the room, and what lies behind the person is filled in from
/// round about.
///
/// Worked out on a small picture, the smaller the stronger the blur is: what a wide blur leaves has
/// no detail to lose, and at 1280x720 90 rows cost a fifth of working at a quarter of the size.
pub(super) struct Blur {
    sigma_of_height: f32,
    state: Option<State>,
}

/// Standard deviation of the blur as a share of the frame's height, for strengths 1 and 50. At 50
/// it is 25 pixels at 720 rows, where faces and print behind the person can no longer be read; at
/// 1 it is 6 pixels, and 45 at 100.
const SIGMA_OF_HEIGHT: [f32; 2] = [0.008, 0.035];
/// Box blurs in a row; three come within 3 % of a Gaussian.
const PASSES: usize = 3;

struct State {
    small: SmallRoom,
    sums: Vec<Weighted>,
    boxes: BoxBlur,
    filler: Filler,
}

fn sigma_of_height(strength: f32) -> f32 {
    let [weakest, middle] = SIGMA_OF_HEIGHT;
    weakest + (middle - weakest) * (strength - 1.0) / 49.0
}

impl Blur {
    fn new(strength: f32) -> Self {
        Self { sigma_of_height: sigma_of_height(strength), state: None }
    }
}

impl Background for Blur {
    fn behind<'a>(
        &'a mut self,
        matted: &MattedFrame<'a>,
        _moment: &Moment,
    ) -> Result<Backdrop<'a>, SceneError> {
        if !self.state.as_ref().is_some_and(|state| state.small.fits(matted.frame)) {
            self.state = Some(State::new(matted.frame, self.sigma_of_height)?);
        }
        let state = self.state.as_mut().expect("made above");
        state.small.gather(matted, &mut state.sums);
        state.boxes.blur(&mut state.sums);
        state.filler.fill(state.small.size(), &mut state.sums);
        Ok(state.small.spread(&state.sums))
    }
}

impl State {
    fn new(like: FrameView<'_>, sigma_of_height: f32) -> Result<Self, FrameError> {
        let small = SmallRoom::new(like, rows_for(sigma_of_height), Reading::TwoRowsACell)?;
        let size = small.size();
        // Variance of `PASSES` boxes of width w: PASSES * (w * w - 1) / 12.
        let sigma = sigma_of_height * size.height_px as f32;
        let width = (12.0 * sigma * sigma / PASSES as f32 + 1.0).sqrt();
        let radius = ((width - 1.0) / 2.0).round().max(1.0) as usize;
        Ok(Self {
            small,
            sums: vec![[0.0; 4]; size.area_px() as usize],
            boxes: BoxBlur::new(size, radius, PASSES),
            filler: Filler::new(size),
        })
    }
}

/// Rows on which a blur is worked out. Boxes are whole pixels wide, so rows are chosen for the
/// sigma that boxes of 7, 5 or 3 have; fewer rows than these would show as blocks.
fn rows_for(sigma_of_height: f32) -> u32 {
    let sigma = match sigma_of_height {
        wide if wide > 0.026 => 3.15,
        middle if middle > 0.0135 => 2.45,
        _ => 1.41,
    };
    (sigma / sigma_of_height).round() as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_frame::{Colour, Frame, MatteView, PixelFormat, SizePx, Yuv8};

    const START: Moment = Moment { time: std::time::Duration::ZERO, frame: 0, seed: 0 };
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
        let mut blur = Blur::new(50.0);
        let seen = blur.behind(&MattedFrame { frame: room.view(), matte }, &START).unwrap();
        let mut copy = room.clone();
        seen.copy_to(&mut copy).unwrap();
        let row = copy.view().plane(0).row(180);
        let sigma = (SIGMA_OF_HEIGHT[1] * 360.0) as usize;
        // A Gaussian step: 16 % and 84 % of the way at one sigma to either side. Whole box widths
        // on so few rows hit sigma within 15 %.
        let share = |x: usize| (f32::from(row[x]) - 16.0) / 200.0;
        assert!((share(320 - sigma) - 0.16).abs() < 0.06, "{}", share(320 - sigma));
        assert!((share(319 + sigma) - 0.84).abs() < 0.06, "{}", share(319 + sigma));
        assert!(share(320 - 5 * sigma) < 0.01 && share(320 + 5 * sigma) > 0.99);
    }
}
