use greenroom_frame::{Colour, Frame, FrameError};

use super::action::{Effect, PictureEffect};
use super::area::Area;
use super::kind::{Allowed, EffectKind, Parameter};
use super::planes::{luma_means, luma_rows_a_chroma_row};
use super::target::Target;
use crate::Moment;

pub(super) const KIND: EffectKind = EffectKind {
    names: &["temperature"],
    help: "warmer light (above 0) or colder (below)",
    targets: Target::ALL_FIRST,
    parameters: &[Parameter {
        name: "warmth",
        allowed: Allowed::Number { least: -100.0, most: 100.0, default: 30.0, unit: "" },
    }],
    make: |target, values| {
        let warmth = values.number(0) / 100.0;
        Effect::picture(target, Temperature { warmth, means: Vec::new() })
    },
};

/// At full warmth red is this much more and blue this much less: white as 3400 K light is seen by a
/// camera set to daylight. Full cold is the reverse.
const FULL: f32 = 0.3;

/// Bits behind the point of a weight.
const BITS: u32 = 12;

/// Red and blue times opposite factors. Factors are divided by what they would do to a grey's
/// luma; then luma can be left as it is, and chroma follows from chroma and luma:
/// `B' - Y = b * B - Y = b * (B - Y) + (b - 1) * Y`, and red the same.
struct Temperature {
    /// -1..=1.
    warmth: f32,
    means: Vec<u8>,
}

/// `own * (sample - 128) + luma * (mean - floor) + offset`, in [`BITS`].
#[derive(Clone, Copy)]
struct Weights {
    own: i32,
    luma: i32,
    offset: i32,
}

impl Temperature {
    /// Weights for U and for V.
    fn weights(&self, colour: Colour) -> [Weights; 2] {
        let (kr, kb) = colour.kr_kb();
        let (floor, luma, chroma) = colour.scales();
        let (red, blue) = (1.0 + FULL * self.warmth, 1.0 - FULL * self.warmth);
        let grey = kr * red + (1.0 - kr - kb) + kb * blue;
        [(blue / grey, kb), (red / grey, kr)].map(|(factor, k)| {
            let fixed = |weight: f32| (weight * (1 << BITS) as f32).round() as i32;
            let from_luma = (factor - 1.0) / (2.0 * (1.0 - k)) * chroma / luma;
            let offset = fixed(128.5 - from_luma * floor);
            Weights { own: fixed(factor), luma: fixed(from_luma), offset }
        })
    }
}

impl PictureEffect for Temperature {
    fn apply(
        &mut self,
        picture: &mut Frame,
        area: Area,
        _moment: &Moment,
    ) -> Result<(), FrameError> {
        let weights = self.weights(picture.colour());
        let share = luma_rows_a_chroma_row(picture.view());
        let mut view = picture.view_mut();
        let [y, mut u, mut v] = view.yuv_mut();
        let luma_columns = area.columns_of(y.row_bytes());
        let columns = area.columns_of(u.row_bytes());
        self.means.resize(u.row_bytes(), 0);
        let means = &mut self.means[..columns.len()];
        for row in area.rows_of(u.rows()) {
            let luma = |row: usize| {
                let row = row.min(y.rows() - 1);
                &y.data()[row * y.stride_bytes()..][luma_columns.clone()]
            };
            luma_means(luma(row * share), luma(row * share + share - 1), means);
            for (plane, weights) in [&mut u, &mut v].into_iter().zip(weights) {
                let samples = plane.row_mut(row)[columns.clone()].iter_mut();
                for (sample, &mean) in samples.zip(&*means) {
                    let (own, luma) = (i32::from(*sample) - 128, i32::from(mean));
                    let sum = weights.own * own + weights.luma * luma + weights.offset;
                    *sample = (sum >> BITS).clamp(0, 255) as u8;
                }
            }
        }
        Ok(())
    }
}
