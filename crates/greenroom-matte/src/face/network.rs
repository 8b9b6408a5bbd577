//! The network's architecture.
//!
//! ```text
//! picture ─ stem ─ block ×2 ─ block ×3 ─ block ×6 ─────── block ×5
//! 128         64         64        32        16 │              8 │
//!                                              head             head
//! ```
//!
//! A block is x' = ReLU(dense(depthwise(x)) + shortcut(x)). The shortcut is x, or the largest of 2x2 pixels where the
//! depthwise convolution has stride 2; channels that x lacks count as 0.
//!
//! The kernels work on eight channels at a time, so every map and layer here has its channels rounded up to a multiple
//! of 8; the channels that the file lacks have weights of 0 and stay 0.

use crate::kernels::{Depthwise, Pointwise};
use crate::tflite::MapShape;

/// The input: a square of RGB.
pub(super) const PICTURE: MapShape = MapShape { height: 128, width: 128, channels: 3 };

/// What the first convolution makes of it: 5x5 pixels, stride 2.
pub(super) const STEM: MapShape = MapShape { height: 64, width: 64, channels: 24 };
/// Pixels on a side of the first convolution's window.
pub(super) const STEM_WINDOW: usize = 5;

/// What a block is like.
pub(super) struct BlockSize {
    /// Channels of its output.
    pub outputs: usize,
    pub stride: usize,
}

const fn block(outputs: usize, stride: usize) -> BlockSize {
    BlockSize { outputs, stride }
}

/// The blocks, from the stem on.
pub(super) const BLOCKS: [BlockSize; 16] = [
    block(24, 1),
    block(28, 1),
    block(32, 2),
    block(36, 1),
    block(42, 1),
    block(48, 2),
    block(56, 1),
    block(64, 1),
    block(72, 1),
    block(80, 1),
    block(88, 1),
    block(96, 2),
    block(96, 1),
    block(96, 1),
    block(96, 1),
    block(96, 1),
];

/// What a head is like.
pub(super) struct HeadSize {
    /// Number of the block whose output it reads.
    pub block: usize,
    /// Rows and columns of that output.
    pub side: usize,
    /// Channels of that output in the file.
    pub inputs: usize,
    /// Anchors at the centre of each of its pixels.
    pub anchors: usize,
}

/// The heads, in the order in which the file has their anchors.
pub(super) const HEADS: [HeadSize; 2] = [
    HeadSize { block: 10, side: 16, inputs: 88, anchors: 2 },
    HeadSize { block: 15, side: 8, inputs: 96, anchors: 6 },
];

/// Anchors of all heads.
pub(super) const ANCHORS: usize = 16 * 16 * 2 + 8 * 8 * 6;

/// What the file says of an anchor beside its score: a box (4), and six points of a face, which are not computed.
pub(super) const COORDINATES: usize = 16;

/// What the network says of one anchor: the logit of a face; the centre of its box, from the anchor, across and down;
/// the width and the height of the box. All but the logit are pixels of the input.
pub(super) type Answer = [f32; 5];

/// Values of an [`Answer`].
pub(super) const ANSWER_LEN: usize = size_of::<Answer>() / size_of::<f32>();

/// A depthwise convolution of 3x3 pixels, a dense layer and a shortcut.
#[derive(Debug)]
pub(super) struct Block {
    pub input: MapShape,
    pub output: MapShape,
    pub depthwise: Depthwise,
    /// Its activation, ReLU, comes after the shortcut was added.
    pub dense: Pointwise,
}

/// The whole network.
#[derive(Debug)]
pub(super) struct Network {
    /// From the `[row][column][channel]` of a window.
    pub stem: Pointwise,
    pub blocks: Vec<Block>,
    /// Those of [`HEADS`]; the outputs are an [`Answer`] for each anchor of a pixel.
    pub heads: Vec<Pointwise>,
}
