//! The network's architecture.
//!
//! ```text
//! picture ─ stem ─ bottleneck ×3 ─ bottleneck ─ transformer ─ bottleneck ─ transformer
//!            │128            │64                      │32                       │16
//!            └── + ◀────2x── + ◀────────2x─────────── + ◀──────────2x────────── ┘    (laterals)
//!                │           │                        │                         │
//!              level       level                    level                     level
//!                └──────────── + 2x ─────────────────── + 4x ──────────────────── + 8x ─ head ─ classes
//! ```
//!
//! Plain: weights as the file has them. `recognise` makes these of a graph and checks every shape; packing for the
//! kernels and the algebra that saves work are in `plan`.

use crate::dense::Dense;
use crate::kernels::Activation;
use crate::tflite::MapShape;

/// Sides of the maps that the decoder takes up, finest first.
pub(super) const LEVEL_SIDES: [usize; 4] = [128, 64, 32, 16];
/// The decoder's finest map.
pub(super) const FINEST: MapShape =
    MapShape { height: LEVEL_SIDES[0], width: LEVEL_SIDES[0], channels: LEVEL_CHANNELS };
/// Channels of the decoder's maps.
pub(super) const LEVEL_CHANNELS: usize = 64;
/// The classes that the file gives logits of: room (0), hair, skin of the body, skin of the face, clothes, others.
pub(super) const CLASSES: usize = 6;

/// The input: a square of RGB.
pub(super) const PICTURE: MapShape = MapShape { height: 256, width: 256, channels: 3 };
/// What the first convolution makes of it.
pub(super) const STEM: MapShape = MapShape { height: 128, width: 128, channels: 16 };

/// What a bottleneck is like.
pub(super) struct BottleneckSize {
    pub expanded: usize,
    pub outputs: usize,
    pub stride: usize,
    pub residual: bool,
}

/// The bottlenecks, from the picture on.
pub(super) const BOTTLENECKS: [BottleneckSize; 5] = [
    BottleneckSize { expanded: 96, outputs: 64, stride: 1, residual: false },
    BottleneckSize { expanded: 384, outputs: 128, stride: 2, residual: false },
    BottleneckSize { expanded: 768, outputs: 128, stride: 1, residual: true },
    BottleneckSize { expanded: 768, outputs: 256, stride: 2, residual: false },
    BottleneckSize { expanded: 1536, outputs: 384, stride: 2, residual: false },
];

/// Pixels on a side of a transformer's patch. Pixels at the same place in their patches look at each other.
pub(super) const PATCH: usize = 4;

/// What a transformer is like.
pub(super) struct TransformerSize {
    pub channels: usize,
    pub attentions: usize,
    pub outputs: usize,
}

/// The transformer behind the fourth bottleneck and the one behind the last.
pub(super) const TRANSFORMERS: [TransformerSize; 2] = [
    TransformerSize { channels: 128, attentions: 2, outputs: 256 },
    TransformerSize { channels: 192, attentions: 4, outputs: 384 },
];

/// Outputs of the head's layers.
pub(super) const HEAD_CHANNELS: usize = 32;
/// Number of the head's layers.
pub(super) const HEAD_LAYERS: usize = 5;

/// A 3x3 convolution.
#[derive(Debug)]
pub(super) struct Window {
    pub inputs: usize,
    pub outputs: usize,
    /// `[outputs][3 rows][3 columns][inputs]`
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
    pub activation: Activation,
}

/// A 3x3 convolution of each channel by itself.
#[derive(Debug)]
pub(super) struct Depthwise {
    pub stride: usize,
    pub channels: usize,
    /// `[3 rows][3 columns][channels]`
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
    pub activation: Activation,
}

/// Expand, convolve, project, (add what came in).
#[derive(Debug)]
pub(super) struct Bottleneck {
    pub input: MapShape,
    pub output: MapShape,
    pub expand: Dense,
    pub depthwise: Depthwise,
    pub project: Dense,
    pub residual: bool,
}

/// Separable self-attention (MobileViT v2). With n = scale·x + offset, s = softmax(score n) over the pixels at one
/// place of their patches, and c = Σ s · key(n): x' = x + output(value(n) · c) + down(up(n)).
#[derive(Debug)]
pub(super) struct Attention {
    pub scale: Vec<f32>,
    pub offset: Vec<f32>,
    pub up: Dense,
    pub down: Dense,
    /// One output.
    pub score: Dense,
    pub key: Dense,
    pub value: Dense,
    pub output: Dense,
}

/// Convolutions, attentions, a convolution.
#[derive(Debug)]
pub(super) struct Transformer {
    pub input: MapShape,
    pub window: Window,
    pub first: Dense,
    pub attentions: Vec<Attention>,
    pub last: Dense,
}

/// A depthwise and a 1x1 convolution.
#[derive(Debug)]
pub(super) struct Separable {
    pub depthwise: Depthwise,
    pub dense: Dense,
}

/// The last two layers, without activation between them: each pixel becomes 2x2 pixels, and these logits.
#[derive(Debug)]
pub(super) struct Output {
    /// `[outputs][2 rows][2 columns][inputs]`, inputs and outputs being [`HEAD_CHANNELS`].
    pub doubled: Vec<f32>,
    pub doubled_bias: Vec<f32>,
    pub classes: Dense,
}

/// The whole network.
#[derive(Debug)]
pub(super) struct Network {
    pub stem: Window,
    pub bottlenecks: Vec<Bottleneck>,
    pub transformers: Vec<Transformer>,
    /// From the maps of [`LEVEL_SIDES`] to [`LEVEL_CHANNELS`] channels.
    pub laterals: Vec<Dense>,
    /// For the maps of [`LEVEL_SIDES`].
    pub levels: Vec<Separable>,
    pub head: Vec<Separable>,
    pub output: Output,
}
