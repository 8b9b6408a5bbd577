//! A channel of a model's input, as a sum of YUV samples.

use greenroom_frame::Colour;

use crate::{ChannelOrder, Normalisation};

/// value = clamp(y·Y + u·U + v·V + constant, 0, 1) · scale + offset, for one channel; the samples
/// are 0..=255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Channel {
    pub y: f32,
    pub u: f32,
    pub v: f32,
    pub constant: f32,
    pub scale: f32,
    pub offset: f32,
}

impl Channel {
    /// The channel of a picture that is `gain` times as bright.
    pub(crate) fn times(self, gain: f32) -> Self {
        let Self { y, u, v, constant, .. } = self;
        Self { y: gain * y, u: gain * u, v: gain * v, constant: gain * constant, ..self }
    }
}

/// The channels, first to last, for pictures of `colour`.
pub(crate) fn channels(
    colour: Colour,
    order: ChannelOrder,
    normalisation: Normalisation,
) -> [Channel; 3] {
    let (kr, kb) = colour.kr_kb();
    let (floor, luma, chroma) = colour.scales();
    let kg = 1.0 - kr - kb;
    let (red, blue) = (2.0 * (1.0 - kr) / chroma, 2.0 * (1.0 - kb) / chroma);
    let rgb = [(0.0, red), (-kb * blue / kg, -kr * red / kg), (blue, 0.0)];
    let mut channels = std::array::from_fn(|index| {
        let (u, v) = rgb[index];
        let y = luma.recip();
        Channel {
            y,
            u,
            v,
            constant: -floor * y - 128.0 * (u + v),
            scale: normalisation.scale[index],
            offset: normalisation.offset[index],
        }
    });
    if order == ChannelOrder::Bgr {
        channels.reverse();
    }
    channels
}
