//! One inference.

use super::classes;
use super::memory::{LevelMemory, Map, Memory, Scratch};
use super::network::{LEVEL_CHANNELS, PICTURE};
use super::plan::{Bottleneck, Plan, Separable};
use crate::Isa;
use crate::kernels::{self, Pointwise};
use crate::ring::Ring;

impl Plan {
    /// `picture` is three planes, `alpha` gets one value a pixel.
    ///
    /// # Panics
    /// If `picture` or `alpha` is of another size, or `memory` was made for another plan.
    pub fn run(&self, isa: Isa, memory: &mut Memory, picture: &[f32], alpha: &mut [f32]) {
        assert_eq!((picture.len(), alpha.len()), (PICTURE.len(), PICTURE.pixels()));
        let Memory { stem, bottlenecks: maps, transformers, scratch, .. } = memory;
        self.run_stem(isa, picture, stem, scratch);
        self.bottlenecks[0].run(isa, stem, &mut maps[0], scratch);
        for index in 1..4 {
            let [input, output] = &mut maps[index - 1..=index] else {
                unreachable!("a range of two")
            };
            self.bottlenecks[index].run(isa, input, output, scratch);
        }
        self.transformers[0].run(isa, &maps[3], &mut transformers[0]);
        self.bottlenecks[4].run(isa, &transformers[0].x, &mut maps[4], scratch);
        self.transformers[1].run(isa, &maps[4], &mut transformers[1]);
        self.run_levels(isa, memory);
        self.run_head(isa, memory, alpha);
    }

    fn run_stem(&self, isa: Isa, picture: &[f32], map: &mut Map, scratch: &Scratch) {
        let (height, width) = (PICTURE.height, PICTURE.width);
        let zeros = &scratch.zeros[..width];
        for y in 0..map.shape.height {
            let rows = std::array::from_fn(|plane| {
                std::array::from_fn(|row| match 2 * y + row {
                    row if row < height => &picture[(plane * height + row) * width..][..width],
                    _ => zeros,
                })
            });
            kernels::stem(isa, &self.stem, &rows, map.row_mut(y));
        }
    }

    /// The decoder, from the coarsest level to the finest, into `memory.sum`.
    fn run_levels(&self, isa: Isa, memory: &mut Memory) {
        let Memory { stem, bottlenecks, transformers, levels, sum, scratch, .. } = memory;
        let inputs = [stem, &bottlenecks[2], &transformers[0].x, &transformers[1].x];
        for index in (0..levels.len()).rev() {
            let (finer, coarser) = levels.split_at_mut(index + 1);
            let LevelMemory { d, e } = &mut finer[index];
            let coarser = coarser.first().map(|level| &level.d);
            run_lateral(isa, &self.laterals[index], inputs[index], coarser, d, scratch);
            if let Some((e, _)) = e {
                for y in 0..e.shape.height {
                    self.levels[index].run(isa, d, y, None, e.row_mut(y), &mut scratch.row);
                }
            }
        }
        let (finest, coarser) = levels.split_first().expect("there are four levels");
        for y in 0..sum.shape.height {
            let addend = &mut scratch.second_row[..sum.shape.width * LEVEL_CHANNELS];
            addend.fill(0.0);
            for (e, resize) in coarser.iter().filter_map(|level| level.e.as_ref()) {
                resize.add_row(y, LEVEL_CHANNELS, |y| e.row(y), &mut scratch.blend, addend);
            }
            let (row, addend) = (&mut scratch.row, Some(&*addend));
            self.levels[0].run(isa, &finest.d, y, addend, sum.row_mut(y), row);
        }
    }

    fn run_head(&self, isa: Isa, memory: &mut Memory, alpha: &mut [f32]) {
        let Memory { sum, head: [even, odd], scratch, .. } = memory;
        let Some(([first, inner @ ..], last)) = self.head.split_last().map(|(a, b)| (b, a)) else {
            unreachable!("the head has five layers")
        };
        first.run_map(isa, sum, even, scratch);
        for (index, layer) in inner.iter().enumerate() {
            match index % 2 {
                0 => layer.run_map(isa, even, odd, scratch),
                _ => layer.run_map(isa, odd, even, scratch),
            }
        }
        let input = if inner.len() % 2 == 0 { even } else { odd };
        let width = input.shape.width;
        let features = &mut scratch.second_row[..width * last.dense.outputs()];
        let logits = &mut scratch.blend[..width * self.classes.outputs()];
        for (y, rows) in alpha.chunks_exact_mut(4 * width).enumerate() {
            last.run(isa, input, y, None, features, &mut scratch.row);
            kernels::pointwise(isa, &self.classes, features, None, logits);
            let (top, bottom) = rows.split_at_mut(2 * width);
            classes::alphas(logits, top, bottom);
        }
    }
}

/// d = lateral(input) + the coarser level's d, each of its pixels four times.
fn run_lateral(
    isa: Isa,
    lateral: &Pointwise,
    input: &Map,
    coarser: Option<&Map>,
    d: &mut Map,
    scratch: &mut Scratch,
) {
    let doubled = &mut scratch.row[..d.shape.width * d.shape.channels];
    for y in 0..d.shape.height {
        let addend = coarser.map(|coarser| {
            let pixels = coarser.row(y / 2).chunks_exact(LEVEL_CHANNELS);
            let pairs = doubled.chunks_exact_mut(2 * LEVEL_CHANNELS);
            for (pair, pixel) in pairs.zip(pixels) {
                let (left, right) = pair.split_at_mut(LEVEL_CHANNELS);
                left.copy_from_slice(pixel);
                right.copy_from_slice(pixel);
            }
            &*doubled
        });
        kernels::pointwise(isa, lateral, input.row(y), addend, d.row_mut(y));
    }
}

impl Separable {
    /// Row `y` of the result, plus `addend`; `row` is memory.
    fn run(
        &self,
        isa: Isa,
        input: &Map,
        y: usize,
        addend: Option<&[f32]>,
        out: &mut [f32],
        row: &mut [f32],
    ) {
        let row = &mut row[..input.shape.width * input.shape.channels];
        kernels::depthwise(isa, &self.depthwise, &input.windows().window_rows(y), row);
        kernels::pointwise(isa, &self.dense, row, addend, out);
    }

    fn run_map(&self, isa: Isa, input: &Map, output: &mut Map, scratch: &mut Scratch) {
        for y in 0..output.shape.height {
            self.run(isa, input, y, None, output.row_mut(y), &mut scratch.row);
        }
    }
}

impl Bottleneck {
    /// Row by row, so that three rows of the expanded map are all that is kept of it.
    fn run(&self, isa: Isa, input: &Map, output: &mut Map, scratch: &mut Scratch) {
        let Scratch { ring, zeros, row, .. } = scratch;
        let (expanded, padding) = (self.expanded(), self.padding());
        let mut ring = Ring::new(ring, zeros, expanded, padding);
        let row = &mut row[..self.output.width * expanded.channels];
        let mut ready = 0;
        for y in 0..self.output.height {
            let top = y * self.depthwise.stride();
            let needed = (top + padding.window - padding.before).min(expanded.height);
            while ready < needed {
                let out = ring.row_mut(ready);
                kernels::pointwise(isa, &self.expand, input.row(ready), None, out);
                ready += 1;
            }
            let rows = ring.window(top, padding.before);
            kernels::depthwise(isa, &self.depthwise, &rows[..padding.window], row);
            let addend = self.residual.then(|| input.row(y));
            kernels::pointwise(isa, &self.project, row, addend, output.row_mut(y));
        }
    }
}
