//! All memory of an inference, asked for once, when the plan and the size of the picture are known.

use greenroom_frame::SizePx;

use super::network::{
    FINEST, HEAD_CHANNELS, HEAD_LAYERS, LEVEL_CHANNELS, LEVEL_SIDES, PATCH, PICTURE, STEM,
};
use super::plan::Plan;
use super::resize::Resize;
use crate::buffer::Buffer;
use crate::map::Map;
use crate::ring::{Padding, Ring};
use crate::tflite::MapShape;
use crate::values::Rows;

/// Maps of which three rows are kept: the finest level's d, the sum of all levels, and the outputs of the head's layers
/// but the last.
pub(super) const RINGS: usize = 1 + HEAD_LAYERS;

/// Shape of the map of ring number `index`, as large as the finest level.
pub(super) fn ring_map(index: usize, finest: MapShape) -> MapShape {
    let channels = if index < 2 { LEVEL_CHANNELS } else { HEAD_CHANNELS };
    MapShape { channels, ..finest }
}

/// Padding of all 3x3 windows with stride 1.
pub(super) fn ring_padding(finest: MapShape) -> Padding {
    Padding::same(3, 1, finest.width)
}

/// What a transformer works in.
#[derive(Debug)]
pub(super) struct TransformerMemory {
    /// What comes in and goes out of each attention; in the end the transformer's output.
    pub x: Map,
    pub value: Map,
    pub forward: Map,
    /// A score for each pixel, which becomes its share.
    pub shares: Buffer,
    /// For each place of a patch, the mean by these shares.
    pub means: Buffer,
    /// For each place of a patch, the key of that mean.
    pub contexts: Buffer,
}

impl TransformerMemory {
    fn new(map: MapShape) -> Self {
        Self {
            x: Map::plain(map),
            value: Map::plain(map),
            forward: Map::plain(map),
            shares: Buffer::zeros(map.pixels()),
            means: Buffer::zeros(PATCH * PATCH * map.channels),
            contexts: Buffer::zeros(PATCH * PATCH * map.channels),
        }
    }
}

/// A level of the decoder, but for the finest.
#[derive(Debug)]
pub(super) struct CoarseLevel {
    /// Its lateral plus twice the coarser one.
    pub d: Map,
    /// Its separable convolution.
    pub e: Map,
    /// From its size to that of the finest level.
    pub resize: Resize,
}

impl CoarseLevel {
    fn new(map: MapShape, finest: MapShape) -> Self {
        Self { d: Map::bordered(map), e: Map::plain(map), resize: Resize::new(map, finest) }
    }
}

/// Memory that every step uses anew.
#[derive(Debug)]
pub(super) struct Scratch {
    pub ring: Buffer,
    pub zeros: Buffer,
    /// A bottleneck's row.
    pub rows: Rows,
    /// The decoder's rows.
    pub row: Buffer,
    pub second_row: Buffer,
    /// A row blended of two, for resizing.
    pub blend: Buffer,
}

/// All memory of an inference.
#[derive(Debug)]
pub(super) struct Memory {
    /// The input.
    pub picture: MapShape,
    /// The decoder's finest map.
    pub finest: MapShape,
    pub stem: Map,
    /// Each bottleneck's output.
    pub bottlenecks: Vec<Map>,
    pub transformers: Vec<TransformerMemory>,
    /// The levels of the decoder but for the finest, finest first.
    pub levels: Vec<CoarseLevel>,
    /// Three rows of each layer from the finest level on.
    pub rings: [Buffer; RINGS],
    pub scratch: Scratch,
}

impl Memory {
    /// For pictures of `size`, whose sides are multiples of 16: the network's maps have the size that the file says, times
    /// the picture's part of the file's.
    pub fn new(plan: &Plan, size: SizePx) -> Self {
        let picture =
            MapShape { height: size.height_px as usize, width: size.width_px as usize, ..PICTURE };
        let scaled = |map: MapShape| MapShape {
            height: map.height * picture.height / PICTURE.height,
            width: map.width * picture.width / PICTURE.width,
            ..map
        };
        let finest = scaled(FINEST);
        // Behind the last two bottlenecks comes a transformer, which begins with a 3x3 window.
        let outputs = plan.bottlenecks.iter().enumerate().map(|(index, b)| match index {
            3 | 4 => Map::bordered(scaled(b.output)),
            _ => Map::plain(scaled(b.output)),
        });
        let transformers = plan.transformers.iter().map(|t| TransformerMemory::new(scaled(t.map)));
        let padding = ring_padding(finest);
        let ring = |index| Buffer::zeros(Ring::len(ring_map(index, finest), padding));
        let level = |&side: &usize| {
            let map = MapShape { height: side, width: side, channels: LEVEL_CHANNELS };
            CoarseLevel::new(scaled(map), finest)
        };
        let decoder_row = finest.width * finest.channels;
        let (mut row, mut longest_ring, mut zeros) = (0, 0, Ring::row_len(finest, padding));
        for bottleneck in &plan.bottlenecks {
            let (map, padding) = bottleneck.expanded(scaled(bottleneck.input));
            longest_ring = longest_ring.max(Ring::len(map, padding));
            zeros = zeros.max(Ring::row_len(map, padding));
            row = row.max(scaled(bottleneck.output).width * bottleneck.depthwise.channels());
        }
        Self {
            picture,
            finest,
            stem: Map::plain(scaled(STEM)),
            bottlenecks: outputs.collect(),
            transformers: transformers.collect(),
            levels: LEVEL_SIDES[1..].iter().map(level).collect(),
            rings: std::array::from_fn(ring),
            scratch: Scratch {
                ring: Buffer::zeros(longest_ring),
                zeros: Buffer::zeros(zeros),
                rows: Rows::zeros(row),
                row: Buffer::zeros(decoder_row),
                second_row: Buffer::zeros(decoder_row),
                blend: Buffer::zeros(decoder_row),
            },
        }
    }

    /// The size of the pictures that it is for.
    pub fn size(&self) -> SizePx {
        SizePx::new(self.picture.width as u32, self.picture.height as u32)
    }
}
