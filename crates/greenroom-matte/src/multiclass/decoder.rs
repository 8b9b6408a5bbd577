//! From the encoder's maps to the alpha. The coarse levels are small maps that are kept. From the finest level on, every
//! layer's row is made as soon as the three rows that it looks at are there, so that no more than these are kept and all
//! stay in the cache.

use super::classes;
use super::memory::{CoarseLevel, Memory, RINGS, ring_map, ring_padding};
use super::network::{HEAD_CHANNELS, HEAD_LAYERS, LEVEL_CHANNELS};
use super::plan::{Plan, Separable};
use crate::Isa;
use crate::kernels::{self, ValuesMut};
use crate::map::Map;
use crate::ring::Ring;

impl Plan {
    /// The decoder's levels from the coarsest on, but for the finest.
    pub(super) fn run_coarse_levels(&self, isa: Isa, memory: &mut Memory) {
        let Memory { bottlenecks, transformers, levels, scratch, .. } = memory;
        let inputs = [&bottlenecks[2], &transformers[0].x, &transformers[1].x];
        for (index, input) in inputs.into_iter().enumerate().rev() {
            let [level, coarser @ ..] = &mut levels[index..] else {
                unreachable!("there is a level for each input")
            };
            let CoarseLevel { d, e, .. } = level;
            let coarser = coarser.first().map(|level| &level.d);
            let (lateral, separable) = (&self.laterals[index + 1], &self.levels[index + 1]);
            for y in 0..d.shape.height {
                let addend = coarser.map(|coarser| double(coarser.row(y / 2), &mut scratch.row));
                kernels::pointwise(isa, lateral, input.row(y), addend, d.row_mut(y));
            }
            for y in 0..e.shape.height {
                let rows = d.windows().window_rows(y);
                separable.run(isa, rows, None, e.row_mut(y), &mut scratch.row);
            }
        }
    }

    pub(super) fn run_finest_level_and_head(
        &self,
        isa: Isa,
        memory: &mut Memory,
        alpha: &mut [f32],
    ) {
        let &mut Memory { finest, ref stem, ref levels, ref mut rings, ref mut scratch, .. } =
            memory;
        let mut buffers = rings.iter_mut();
        let mut rings: [Ring<'_>; RINGS] = std::array::from_fn(|index| {
            let buffer = buffers.next().expect("there is a buffer for each ring");
            Ring::new(buffer, &scratch.zeros, ring_map(index, finest), ring_padding(finest))
        });
        let (row, second_row) = (&mut scratch.row, &mut scratch.second_row);
        // Layer number `layer` is that many rows behind the first, so the row below the one in the middle of its window
        // has just been made.
        for step in 0..finest.height + RINGS {
            let row_of = |layer: usize| step.checked_sub(layer).filter(|&y| y < finest.height);
            if let Some(y) = row_of(0) {
                let addend = Some(double(levels[0].d.row(y / 2), row));
                let out = rings[0].row_mut(y);
                kernels::pointwise(isa, &self.laterals[0], stem.row(y), addend, out);
            }
            if let Some(y) = row_of(1) {
                let [d, sum, ..] = &mut rings;
                let addend = &mut second_row[..finest.width * LEVEL_CHANNELS];
                sum_of_enlarged(levels, y, &mut scratch.blend, addend);
                self.levels[0].run(isa, window(d, y), Some(addend), sum.row_mut(y), row);
            }
            for (index, layer) in self.head[..HEAD_LAYERS - 1].iter().enumerate() {
                if let Some(y) = row_of(2 + index) {
                    let [input, output] = &mut rings[1 + index..3 + index] else {
                        unreachable!("a range of two")
                    };
                    layer.run(isa, window(input, y), None, output.row_mut(y), row);
                }
            }
            if let Some(y) = row_of(RINGS) {
                let rows = window(&rings[RINGS - 1], y);
                let features = &mut second_row[..finest.width * HEAD_CHANNELS];
                self.head[HEAD_LAYERS - 1].run(isa, rows, None, features, row);
                let logits = &mut scratch.blend[..finest.width * self.classes.outputs()];
                kernels::pointwise(isa, &self.classes, features, None, logits);
                let rows = &mut alpha[4 * finest.width * y..][..4 * finest.width];
                let (top, bottom) = rows.split_at_mut(2 * finest.width);
                classes::alphas(logits, top, bottom);
            }
        }
    }
}

/// The three rows that the window of row `y` looks at.
fn window<'a>(ring: &'a Ring<'_>, y: usize) -> [&'a [f32]; 3] {
    let [above, middle, below, ..] = ring.window(y, 1);
    [above, middle, below]
}

/// `row` with each of its pixels twice, in `memory`.
fn double<'a>(row: &[f32], memory: &'a mut [f32]) -> &'a [f32] {
    let doubled = &mut memory[..2 * row.len()];
    let pairs = doubled.chunks_exact_mut(2 * LEVEL_CHANNELS);
    for (pair, pixel) in pairs.zip(row.chunks_exact(LEVEL_CHANNELS)) {
        let (left, right) = pair.split_at_mut(LEVEL_CHANNELS);
        left.copy_from_slice(pixel);
        right.copy_from_slice(pixel);
    }
    doubled
}

/// Row `y` of the sum of all coarse levels, each enlarged to the finest one's size.
fn sum_of_enlarged(levels: &[CoarseLevel], y: usize, blend: &mut [f32], out: &mut [f32]) {
    out.fill(0.0);
    for CoarseLevel { e, resize, .. } in levels {
        resize.add_row(y, LEVEL_CHANNELS, |y| Map::row(e, y), blend, out);
    }
}

impl Separable {
    /// A row of the result, plus `addend`, from the three rows of its window with their padding; `row` is memory.
    fn run(
        &self,
        isa: Isa,
        rows: [&[f32]; 3],
        addend: Option<&[f32]>,
        out: &mut [f32],
        row: &mut [f32],
    ) {
        let width = rows[0].len() / self.depthwise.channels() - 2;
        let row = &mut row[..width * self.depthwise.channels()];
        kernels::depthwise(isa, &self.depthwise, &rows, ValuesMut::Floats(row));
        kernels::pointwise(isa, &self.dense, row, addend, out);
    }
}
