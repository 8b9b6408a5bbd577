use greenroom_frame::{Frame, FrameError};

use super::action::{Effect, PictureEffect};
use super::area::Area;
use super::kind::{Allowed, EffectKind, Parameter};
use super::target::Target;
use crate::{Moment, Random};

pub(super) const KIND: EffectKind = EffectKind {
    names: &["grain"],
    help: "the grain of sensitive film",
    targets: Target::ALL_FIRST,
    parameters: &[Parameter {
        name: "strength",
        allowed: Allowed::Number { least: 0.0, most: 100.0, default: 20.0, unit: " percent" },
    }],
    make: |target, values| Effect::picture(target, Grain::new(values.number(0) / 100.0)),
};

/// Standard deviation of full strength, in codes.
const FULL_SIGMA: f32 = 30.0;
/// A strip of grain this long is made once; each row of a frame takes its own piece of it. Long
/// enough for the longest row (8192) with as many places to start at.
const STRIP: usize = 2 * 8192;
/// What sets these random numbers apart from others of the same frame.
const SALT: u64 = 0x6772_6169_6e00;

/// Noise on luma, new in every frame. Neighbours in a row share half of theirs: grains of one pixel
/// alone would not survive a call's encoder.
struct Grain {
    strip: Vec<i8>,
}

impl Grain {
    fn new(strength: f32) -> Self {
        let mut random = Random::new(SALT);
        // The sum of four is near enough to a normal distribution; its variance is 4/12.
        let mut normal = || (0..4).map(|_| random.unit() - 0.5).sum::<f32>() * 3.0f32.sqrt();
        let mut last = normal();
        let mut grain = || {
            let next = normal();
            (std::mem::replace(&mut last, next) + next) / 2.0f32.sqrt()
        };
        let sigma = FULL_SIGMA * strength;
        // `as i8` saturates.
        Self { strip: (0..STRIP).map(|_| (grain() * sigma).round() as i8).collect() }
    }
}

impl PictureEffect for Grain {
    fn apply(
        &mut self,
        picture: &mut Frame,
        area: Area,
        moment: &Moment,
    ) -> Result<(), FrameError> {
        let mut random = moment.random(SALT);
        let (floor, span, _) = picture.colour().scales();
        let (black, white) = (floor as u8, (floor + span) as u8);
        let mut view = picture.view_mut();
        let mut plane = view.plane_mut(0);
        let columns = area.columns_of(plane.row_bytes());
        let rows = area.rows_of(plane.rows());
        for (y, row) in plane.iter_rows_mut().enumerate() {
            // Drawn for every row, so that grain does not depend on where the person is.
            let start = random.next() as usize % (STRIP - row.len() + 1);
            if !rows.contains(&y) {
                continue;
            }
            let strip = &self.strip[start..][columns.clone()];
            for (sample, &grain) in row[columns.clone()].iter_mut().zip(strip) {
                *sample = sample.saturating_add_signed(grain).clamp(black, white);
            }
        }
        Ok(())
    }
}
