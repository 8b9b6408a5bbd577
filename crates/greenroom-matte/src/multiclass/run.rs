//! One inference: the encoder here, the transformers in `attention`, the rest in `decoder`.

use super::memory::{Memory, Scratch};
use super::plan::{Bottleneck, Plan};
use crate::Isa;
use crate::kernels::{self, ValuesMut};
use crate::map::Map;
use crate::ring::Ring;

impl Plan {
    /// `picture` is three planes, `alpha` gets one value a pixel.
    ///
    /// # Panics
    /// If `picture` or `alpha` is of another size, or `memory` was made for another plan.
    pub fn run(&self, isa: Isa, memory: &mut Memory, picture: &[f32], alpha: &mut [f32]) {
        let shape = memory.picture;
        assert_eq!((picture.len(), alpha.len()), (shape.len(), shape.pixels()));
        let Memory { stem, bottlenecks: maps, transformers, scratch, .. } = memory;
        self.run_stem(isa, picture, (shape.height, shape.width), stem, scratch);
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
        self.run_coarse_levels(isa, memory);
        self.run_finest_level_and_head(isa, memory, alpha);
    }

    fn run_stem(
        &self,
        isa: Isa,
        picture: &[f32],
        (height, width): (usize, usize),
        map: &mut Map,
        scratch: &Scratch,
    ) {
        let zeros = &scratch.zeros[..width];
        for y in 0..map.shape.height {
            let rows = kernels::stem_rows(picture, (height, width), zeros, y);
            kernels::stem(isa, &self.stem, &rows, ValuesMut::Floats(map.row_mut(y)));
        }
    }
}

impl Bottleneck {
    /// Row by row, so that three rows of the expanded map are all that is kept of it.
    fn run(&self, isa: Isa, input: &Map, output: &mut Map, scratch: &mut Scratch) {
        let Scratch { ring, zeros, rows: buffers, .. } = scratch;
        let (expanded, padding) = self.expanded(input.shape);
        let mut ring = Ring::new(ring, zeros, expanded, padding);
        let (row, row_len) =
            (buffers.for_layer(&self.project), output.shape.width * expanded.channels);
        let mut ready = 0;
        for y in 0..output.shape.height {
            let top = y * self.depthwise.stride();
            let needed = (top + padding.window - padding.before).min(expanded.height);
            while ready < needed {
                let out = ring.row_mut(ready);
                kernels::pointwise(isa, &self.expand, input.row(ready), None, out);
                ready += 1;
            }
            let rows = ring.window(top, padding.before);
            let rows = &rows[..padding.window];
            kernels::depthwise(isa, &self.depthwise, rows, row.part_mut(0, row_len));
            let addend = self.residual.then(|| input.row(y));
            let out = ValuesMut::Floats(output.row_mut(y));
            kernels::pointwise_of(isa, &self.project, row.part(0, row_len), addend, out);
        }
    }
}
