use std::borrow::Cow;

use greenroom_frame::SizePx;

/// What a model is, what it wants to be fed and what comes out.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelDescription {
    /// Name for logs and messages.
    pub name: Cow<'static, str>,
    /// SPDX expression of the weights' licence, if known.
    pub licence: Option<Cow<'static, str>>,
    /// Size of the input picture. The frame, or the part of it that is looked at, is stretched to it.
    pub input_size: SizePx,
    /// How the engine wants the input's three channels to lie. The engine's wish, not the file's.
    pub layout: Layout,
    /// Which channel comes first.
    pub channel_order: ChannelOrder,
    /// From RGB in 0..=1 to the values the model was trained on.
    pub normalisation: Normalisation,
    /// Size of the map that comes out.
    pub output_size: SizePx,
    /// What a value of that map says.
    pub output: OutputMeaning,
}

/// Order of the axes of an input tensor; the batch is always 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Rows of pixels, the three channels of a pixel side by side.
    Nhwc,
    /// Three planes.
    Nchw,
}

/// Order of the channels of an input tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelOrder {
    /// Red, green, blue.
    Rgb,
    /// Blue, green, red.
    Bgr,
}

/// `value * scale + offset` for each of red, green and blue, `value` in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Normalisation {
    /// Factors of red, green, blue.
    pub scale: [f32; 3],
    /// Summands of red, green, blue.
    pub offset: [f32; 3],
}

impl Normalisation {
    /// The values as they are: 0..=1.
    pub const UNIT: Self = Self { scale: [1.0; 3], offset: [0.0; 3] };

    /// 0..=1 stretched to `lowest..=highest`.
    pub fn range(lowest: f32, highest: f32) -> Self {
        Self { scale: [highest - lowest; 3], offset: [lowest; 3] }
    }

    /// `(value - mean) / deviation`, each for red, green, blue, in units of 0..=1.
    pub fn standard(mean: [f32; 3], deviation: [f32; 3]) -> Self {
        let offset = [0, 1, 2].map(|channel| -mean[channel] / deviation[channel]);
        Self { scale: deviation.map(f32::recip), offset }
    }
}

/// What a value of a model's output says. An [`Engine`](crate::Engine) turns it into the alpha.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum OutputMeaning {
    /// Probability of "person", 0..=1; used as alpha as it is.
    Probability,
    /// Before the logistic function.
    Logit,
    /// Scores of several classes; alpha is the softmax of this one.
    SoftmaxClass(usize),
    /// A matte, 0..=1.
    Alpha,
}
