//! All memory of an inference, asked for once, when the plan is known.

use super::network::Skip;
use super::plan::{Gate, Plan, Project};
use crate::Isa;
use crate::buffer::Buffer;
use crate::kernels::{self, Pointwise, Values, ValuesMut};
use crate::ring::Ring;
use crate::tflite::MapShape;
use crate::values::{Rows, ValuesBuffer};

/// A map that is kept, and the sum of each of its channels.
#[derive(Debug)]
pub(super) struct Map {
    pub shape: MapShape,
    values: ValuesBuffer,
    pub sums: Buffer,
}

impl Map {
    fn new(shape: MapShape, is_in_pairs: bool) -> Self {
        let values = ValuesBuffer::zeros(shape.len(), is_in_pairs);
        Self { shape, values, sums: Buffer::zeros(shape.channels) }
    }

    fn row_len(&self) -> usize {
        self.shape.width * self.shape.channels
    }

    pub fn row(&self, y: usize) -> Values<'_> {
        self.values.part(y * self.row_len(), self.row_len())
    }

    /// Row `y` of a map in floats.
    ///
    /// # Panics
    /// If it is in pairs.
    pub fn row_of_floats(&self, y: usize) -> &[f32] {
        &self.all_floats()[y * self.row_len()..][..self.row_len()]
    }

    /// All of a map in floats.
    ///
    /// # Panics
    /// If it is in pairs.
    pub fn all_floats(&self) -> &[f32] {
        self.values.floats()
    }

    pub fn row_mut(&mut self, y: usize) -> ValuesMut<'_> {
        let row_len = self.row_len();
        self.values.part_mut(y * row_len, row_len)
    }

    pub fn all_mut(&mut self) -> ValuesMut<'_> {
        self.values.part_mut(0, self.shape.len())
    }

    pub fn accumulate_row(&mut self, isa: Isa, y: usize) {
        let row_len = self.row_len();
        kernels::accumulate(isa, self.values.part(y * row_len, row_len), &mut self.sums);
    }

    pub fn accumulate_all(&mut self, isa: Isa) {
        kernels::accumulate(isa, self.values.part(0, self.shape.len()), &mut self.sums);
    }
}

/// Memory that every block uses anew.
#[derive(Debug)]
pub(super) struct Scratch {
    pub ring: Buffer,
    pub zeros: Buffer,
    pub rows: Rows,
    pub second_row: Buffer,
    /// A whole map before a gated projection.
    pub inner: ValuesBuffer,
    pub means: Buffer,
    pub squeezed: Buffer,
    pub factors: Buffer,
    pub sums: Buffer,
}

/// All memory of an inference, asked for once.
#[derive(Debug)]
pub(super) struct Memory {
    /// The stem's map and each bottleneck's.
    pub maps: Vec<Map>,
    /// Each decoder's small map and the sums of its x.
    pub smalls: Vec<Map>,
    pub x_sums: Vec<Buffer>,
    pub scratch: Scratch,
}

impl Memory {
    pub fn new(plan: &Plan) -> Self {
        let outputs = plan.bottlenecks.iter().map(|bottleneck| bottleneck.output);
        let smalls = plan.decoders.iter().map(|decoder| {
            let MapShape { height, width, channels } = decoder.output;
            MapShape { height: height / 2, width: width / 2, channels }
        });
        let maps = std::iter::once(plan.stem_output).chain(outputs).enumerate();
        let maps = maps.map(|(index, shape)| Map::new(shape, plan.is_for_pairs(index)));
        Self {
            maps: maps.collect(),
            smalls: smalls.map(|shape| Map::new(shape, false)).collect(),
            x_sums: plan.decoders.iter().map(|d| Buffer::zeros(d.mean.inputs())).collect(),
            scratch: Scratch::new(plan),
        }
    }
}

impl Scratch {
    fn new(plan: &Plan) -> Self {
        let (mut ring, mut zeros, mut inner, mut row) = (0, plan.picture.width, 0, 0);
        let mut add_ring = |map: MapShape, padding| {
            ring = ring.max(Ring::len(map, padding));
            zeros = zeros.max(Ring::row_len(map, padding));
        };
        let mut channels = plan.head.expand.outputs();
        for bottleneck in &plan.bottlenecks {
            let expanded = bottleneck.expanded();
            add_ring(expanded, bottleneck.padding());
            inner = inner.max(bottleneck.inner.len());
            row = row.max(bottleneck.inner.width * bottleneck.inner.channels);
            channels = channels.max(expanded.channels).max(bottleneck.output.channels);
        }
        row = row.max(plan.head.input.width * plan.head.expand.outputs());
        for decoder in &plan.decoders {
            add_ring(decoder.output, decoder.padding());
            row = row.max(decoder.output.width * decoder.output.channels);
            channels = channels.max(decoder.output.channels).max(decoder.gate.inputs());
        }
        let gates = plan.gates().filter_map(|gate| gate.squeeze.as_ref());
        Self {
            ring: Buffer::zeros(ring),
            zeros: Buffer::zeros(zeros),
            rows: Rows::zeros(row),
            second_row: Buffer::zeros(row),
            inner: ValuesBuffer::zeros(inner, plan.projects_are_in_pairs()),
            means: Buffer::zeros(channels),
            squeezed: Buffer::zeros(gates.map(Pointwise::outputs).max().unwrap_or(0)),
            factors: Buffer::zeros(channels),
            sums: Buffer::zeros(channels),
        }
    }
}

impl Plan {
    /// Whether the map of the stem, or of bottleneck `index - 1`, goes into layers in pairs alone.
    fn is_for_pairs(&self, index: usize) -> bool {
        let is_for_next = match self.bottlenecks.get(index) {
            Some(next) => next.expand.is_in_pairs() && !next.residual,
            None => self.head.expand.is_in_pairs(),
        };
        let mut decoders = self.decoders.iter().filter(|decoder| match decoder.skip {
            Skip::Stem => index == 0,
            Skip::Bottleneck(bottleneck) => index == bottleneck + 1,
        });
        is_for_next && decoders.all(|decoder| decoder.merge.current.is_in_pairs())
    }

    /// Whether the bottlenecks' last layers are in pairs: all of them are, or none.
    fn projects_are_in_pairs(&self) -> bool {
        self.bottlenecks.iter().any(|bottleneck| bottleneck.project.layer().is_in_pairs())
    }

    fn gates(&self) -> impl Iterator<Item = &Gate> {
        let bottlenecks = self.bottlenecks.iter().filter_map(|b| match &b.project {
            Project::Plain(_) => None,
            Project::Gated(gated) => Some(&gated.0),
        });
        bottlenecks.chain([&self.head.gate]).chain(self.decoders.iter().map(|d| &d.gate))
    }
}
