//! All memory of an inference, asked for once, when the plan is known.

use super::network::{
    FINEST, HEAD_CHANNELS, HEAD_LAYERS, LEVEL_CHANNELS, LEVEL_SIDES, PATCH, STEM,
};
use super::plan::{Bottleneck, Plan};
use super::resize::Resize;
use crate::buffer::Buffer;
use crate::map::Map;
use crate::ring::{Padding, Ring};
use crate::tflite::MapShape;

/// Maps of which three rows are kept: the finest level's d, the sum of all levels, and the outputs of the head's layers
/// but the last.
pub(super) const RINGS: usize = 1 + HEAD_LAYERS;

/// Shape of the map of ring number `index`.
pub(super) fn ring_map(index: usize) -> MapShape {
    let channels = if index < 2 { LEVEL_CHANNELS } else { HEAD_CHANNELS };
    MapShape { channels, ..FINEST }
}

/// Padding of all 3x3 windows with stride 1.
pub(super) fn ring_padding() -> Padding {
    Padding::same(3, 1, FINEST.width)
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
    /// From its side to that of the finest level.
    pub resize: Resize,
}

impl CoarseLevel {
    fn new(side: usize) -> Self {
        let map = MapShape { height: side, width: side, channels: LEVEL_CHANNELS };
        let resize = Resize::new(side, FINEST.width);
        Self { d: Map::bordered(map), e: Map::plain(map), resize }
    }
}

/// Memory that every step uses anew.
#[derive(Debug)]
pub(super) struct Scratch {
    pub ring: Buffer,
    pub zeros: Buffer,
    pub row: Buffer,
    pub second_row: Buffer,
    /// A row blended of two, for resizing.
    pub blend: Buffer,
}

/// All memory of an inference.
#[derive(Debug)]
pub(super) struct Memory {
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
    pub fn new(plan: &Plan) -> Self {
        // Behind the last two bottlenecks comes a transformer, which begins with a 3x3 window.
        let outputs = plan.bottlenecks.iter().enumerate().map(|(index, b)| match index {
            3 | 4 => Map::bordered(b.output),
            _ => Map::plain(b.output),
        });
        let transformers = plan.transformers.iter().map(|t| TransformerMemory::new(t.map));
        let ring = |index| Buffer::zeros(Ring::len(ring_map(index), ring_padding()));
        Self {
            stem: Map::plain(STEM),
            bottlenecks: outputs.collect(),
            transformers: transformers.collect(),
            levels: LEVEL_SIDES[1..].iter().map(|&side| CoarseLevel::new(side)).collect(),
            rings: std::array::from_fn(ring),
            scratch: Scratch::new(plan),
        }
    }
}

impl Scratch {
    fn new(plan: &Plan) -> Self {
        // The decoder's rows; those of a bottleneck may be longer.
        let mut row = FINEST.width * FINEST.channels;
        let (mut ring, mut zeros) = (0, Ring::row_len(FINEST, ring_padding()));
        for bottleneck in &plan.bottlenecks {
            let (map, padding) = (bottleneck.expanded(), bottleneck.padding());
            ring = ring.max(Ring::len(map, padding));
            zeros = zeros.max(Ring::row_len(map, padding));
            row = row.max(bottleneck.output.width * bottleneck.depthwise.channels());
        }
        Self {
            ring: Buffer::zeros(ring),
            zeros: Buffer::zeros(zeros),
            row: Buffer::zeros(row),
            second_row: Buffer::zeros(row),
            blend: Buffer::zeros(row),
        }
    }
}

impl Bottleneck {
    /// Its expanded map.
    pub fn expanded(&self) -> MapShape {
        MapShape { channels: self.expand.outputs(), ..self.input }
    }

    /// The padding of its 3x3 window, both ways, because its maps are squares.
    pub fn padding(&self) -> Padding {
        Padding::same(3, self.depthwise.stride(), self.input.width)
    }
}
