//! All memory of an inference, asked for once, when the plan is known.

use super::network::{HEAD_CHANNELS, LEVEL_CHANNELS, LEVEL_SIDES, PATCH, STEM};
use super::plan::{Bottleneck, Plan};
use super::resize::Resize;
use crate::buffer::Buffer;
use crate::kernels::Bordered;
use crate::ring::{Padding, Ring};
use crate::tflite::MapShape;

/// A feature map, with a border of zeros if 3x3 windows look at it.
#[derive(Debug)]
pub(super) struct Map {
    pub shape: MapShape,
    /// Pixels of border on each side: 0 or 1.
    border: usize,
    values: Buffer,
}

impl Map {
    fn with_border(shape: MapShape, border: usize) -> Self {
        let MapShape { height, width, channels } = shape;
        let len = (height + 2 * border) * (width + 2 * border) * channels;
        Self { shape, border, values: Buffer::zeros(len) }
    }

    pub fn plain(shape: MapShape) -> Self {
        Self::with_border(shape, 0)
    }

    pub fn bordered(shape: MapShape) -> Self {
        Self::with_border(shape, 1)
    }

    fn row_start(&self, y: usize) -> usize {
        let row = (y + self.border) * (self.shape.width + 2 * self.border);
        (row + self.border) * self.shape.channels
    }

    /// Row `y` without the border.
    pub fn row(&self, y: usize) -> &[f32] {
        &self.values[self.row_start(y)..][..self.shape.width * self.shape.channels]
    }

    /// Row `y` without the border, to be written.
    pub fn row_mut(&mut self, y: usize) -> &mut [f32] {
        let (start, len) = (self.row_start(y), self.shape.width * self.shape.channels);
        &mut self.values[start..][..len]
    }

    /// All pixels of a map without a border.
    pub fn pixels(&self) -> &[f32] {
        assert_eq!(self.border, 0);
        &self.values
    }

    /// All pixels of a map without a border, to be written.
    pub fn pixels_mut(&mut self) -> &mut [f32] {
        assert_eq!(self.border, 0);
        &mut self.values
    }

    /// A map with a border, as the kernels take it.
    pub fn windows(&self) -> Bordered<'_> {
        assert_eq!(self.border, 1);
        let MapShape { width, channels, .. } = self.shape;
        Bordered { values: &self.values, width, channels }
    }
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

/// A level of the decoder.
#[derive(Debug)]
pub(super) struct LevelMemory {
    /// Its lateral plus twice the coarser one.
    pub d: Map,
    /// Its separable convolution. The finest level has none: that goes into the sum at once.
    pub e: Option<(Map, Resize)>,
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
    pub levels: Vec<LevelMemory>,
    /// The sum of all levels.
    pub sum: Map,
    /// Outputs of the head's layers, in turns.
    pub head: [Map; 2],
    pub scratch: Scratch,
}

impl Memory {
    pub fn new(plan: &Plan) -> Self {
        let finest = LEVEL_SIDES[0];
        let square = |side, channels| MapShape { height: side, width: side, channels };
        // Behind the last two bottlenecks comes a transformer, which begins with a 3x3 window.
        let outputs = plan.bottlenecks.iter().enumerate().map(|(index, b)| match index {
            3 | 4 => Map::bordered(b.output),
            _ => Map::plain(b.output),
        });
        let levels = LEVEL_SIDES.into_iter().map(|side| {
            let map = square(side, LEVEL_CHANNELS);
            let e = (side != finest).then(|| (Map::plain(map), Resize::new(side, finest)));
            LevelMemory { d: Map::bordered(map), e }
        });
        let head = || Map::bordered(square(finest, HEAD_CHANNELS));
        let transformers = plan.transformers.iter().map(|t| TransformerMemory::new(t.map));
        Self {
            stem: Map::plain(STEM),
            bottlenecks: outputs.collect(),
            transformers: transformers.collect(),
            levels: levels.collect(),
            sum: Map::bordered(square(finest, LEVEL_CHANNELS)),
            head: [head(), head()],
            scratch: Scratch::new(plan),
        }
    }
}

impl Scratch {
    fn new(plan: &Plan) -> Self {
        // The decoder's rows; those of a bottleneck may be longer.
        let mut row = LEVEL_SIDES[0] * LEVEL_CHANNELS;
        let (mut ring, mut zeros) = (0, super::network::PICTURE.width);
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
