//! The selfie family's architecture.
//!
//! ```text
//! picture ─ stem ─┬─ bottleneck ─┬─ bottleneck … ─┬─ bottlenecks ─ head
//!                 │ skip         │ skip           │ skip            │
//!                 └──────── decoder ─── decoder ─ decoder ──────────┘
//!                              └ output: x2, probability
//! ```
//!
//! Plain: weights as the file has them. `recognise` makes these of a graph and checks every shape;
//! packing for the kernels and the algebra that saves work are in `plan`.

use greenroom_frame::SizePx;

use crate::dense::Dense;
use crate::kernels::Activation;
use crate::tflite::MapShape;

/// The first convolution: 3x3, stride 2, from three channels.
#[derive(Debug)]
pub(super) struct Stem {
    pub input: MapShape,
    pub output: MapShape,
    /// `[outputs][3 rows][3 columns][3 channels]`
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
    pub activation: Activation,
}

/// A convolution of each channel by itself.
#[derive(Debug)]
pub(super) struct Depthwise {
    /// Rows and columns of the window: 3 or 5.
    pub window: usize,
    /// 1 or 2.
    pub stride: usize,
    pub channels: usize,
    /// `[window rows][window columns][channels]`
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
    pub activation: Activation,
}

/// Squeeze-excite: a factor in 0..=1 for each channel, from the means of all channels:
/// logistic(excite(squeeze(means))).
#[derive(Debug)]
pub(super) struct Gate {
    /// `None` in the head, which has one layer only.
    pub squeeze: Option<Dense>,
    pub excite: Dense,
}

/// Expand, convolve, (gate,) project, (add what came in).
#[derive(Debug)]
pub(super) struct Bottleneck {
    pub input: MapShape,
    pub output: MapShape,
    pub expand: Dense,
    pub depthwise: Depthwise,
    pub gate: Option<Gate>,
    pub project: Dense,
    pub residual: bool,
}

/// expand(x) · gate(x), on the smallest map.
#[derive(Debug)]
pub(super) struct Head {
    pub input: MapShape,
    pub expand: Dense,
    pub gate: Gate,
}

/// With u = project(double(x)) and g = gate(skip + u): v = merge(g · skip + u), x' = v +
/// depthwise(v).
#[derive(Debug)]
pub(super) struct Decoder {
    pub skip: Skip,
    /// Shape of x'; x has half its height and width.
    pub output: MapShape,
    pub project: Dense,
    pub gate: Gate,
    pub merge: Dense,
    pub depthwise: Depthwise,
}

/// Which map of the encoder a decoder takes up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Skip {
    Stem,
    /// The output of this bottleneck.
    Bottleneck(usize),
}

/// Each pixel becomes 2x2 probabilities.
#[derive(Debug)]
pub(super) struct Output {
    pub input: MapShape,
    /// `[2 rows][2 columns][channels]`
    pub weights: Vec<f32>,
    pub bias: f32,
}

/// The whole network.
#[derive(Debug)]
pub(super) struct Network {
    pub stem: Stem,
    pub bottlenecks: Vec<Bottleneck>,
    pub head: Head,
    pub decoders: Vec<Decoder>,
    pub output: Output,
}

impl Network {
    /// The same weights on pictures of another size: a convolution slides over any map, a mean is
    /// that of any map.
    ///
    /// `None` if a map would get a side that is no whole number.
    pub fn resized(mut self, picture: SizePx) -> Option<Self> {
        let from = self.stem.input;
        let to = (picture.width_px as usize, picture.height_px as usize);
        let resize = |map: &mut MapShape| {
            let side = |side: usize, from: usize, to: usize| {
                (side * to).is_multiple_of(from).then(|| side * to / from)
            };
            map.width = side(map.width, from.width, to.0)?;
            map.height = side(map.height, from.height, to.1)?;
            Some(())
        };
        resize(&mut self.stem.input)?;
        resize(&mut self.stem.output)?;
        for bottleneck in &mut self.bottlenecks {
            resize(&mut bottleneck.input)?;
            resize(&mut bottleneck.output)?;
        }
        resize(&mut self.head.input)?;
        for decoder in &mut self.decoders {
            resize(&mut decoder.output)?;
        }
        resize(&mut self.output.input)?;
        Some(self)
    }
}
