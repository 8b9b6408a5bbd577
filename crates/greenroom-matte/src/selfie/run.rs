//! One inference: the plan, row by row. A map is written once and read while its rows are still in
//! the cache; only the maps that are needed later are kept whole.

use super::memory::{Map, Memory, Scratch};
use super::network::Skip;
use super::plan::{Bottleneck, Decoder, Gate, Gated, Head, Plan, Project};
use crate::Isa;
use crate::buffer::Buffer;
use crate::kernels::{self, Pointwise, Values, ValuesMut};
use crate::ring::{Padding, Ring};
use crate::tflite::MapShape;
use crate::values::{Rows, ValuesBuffer};

impl Plan {
    /// `picture` is three planes of the picture's size; `alpha` gets one probability a pixel.
    ///
    /// # Panics
    /// If `picture` or `alpha` is of another size, or `memory` was made for another plan.
    pub fn run(&mut self, isa: Isa, memory: &mut Memory, picture: &[f32], alpha: &mut [f32]) {
        let MapShape { height, width, .. } = self.picture;
        assert_eq!((picture.len(), alpha.len()), (3 * height * width, height * width));
        let Memory { maps, smalls, x_sums, scratch } = memory;
        self.run_stem(isa, picture, &mut maps[0], scratch);
        for (index, bottleneck) in self.bottlenecks.iter_mut().enumerate() {
            let [input, output] = &mut maps[index..index + 2] else {
                unreachable!("there is one map more than bottlenecks")
            };
            bottleneck.run(isa, input, output, scratch);
        }
        let last = maps.last().expect("the stem has a map");
        self.head.run(isa, last, &mut self.decoders[0], (&mut smalls[0], &mut x_sums[0]), scratch);
        for index in 0..self.decoders.len() {
            let (done, next) = smalls.split_at_mut(index + 1);
            let (sums, next_sums) = x_sums.split_at_mut(index + 1);
            let [decoder, rest @ ..] = &mut self.decoders[index..] else {
                unreachable!("the index is below the length")
            };
            let skip = match decoder.skip {
                Skip::Stem => &maps[0],
                Skip::Bottleneck(index) => &maps[index + 1],
            };
            let mut sink = match (rest.first(), next.first_mut(), next_sums.first_mut()) {
                (Some(next), Some(small), Some(sums)) => {
                    sums.fill(0.0);
                    Sink::Decoder { layer: &next.small.current, small, sums }
                }
                _ => Sink::Output { layer: &self.output, alpha: &mut *alpha },
            };
            decoder.run(isa, (&done[index], &sums[index]), skip, &mut sink, scratch);
        }
    }

    fn run_stem(&self, isa: Isa, picture: &[f32], map: &mut Map, scratch: &Scratch) {
        let MapShape { height, width, .. } = self.picture;
        map.sums.fill(0.0);
        let zeros = &scratch.zeros[..width];
        for y in 0..map.shape.height {
            let rows = kernels::stem_rows(picture, (height, width), zeros, y);
            kernels::stem(isa, &self.stem, &rows, map.row_mut(y));
            map.accumulate_row(isa, y);
        }
    }
}

impl Bottleneck {
    pub(super) fn expanded(&self) -> MapShape {
        MapShape { channels: self.expand.outputs(), ..self.input }
    }

    pub(super) fn padding(&self) -> Padding {
        // The same both ways, because halving an even side gives the same padding for any length.
        Padding::same(self.depthwise.window(), self.depthwise.stride(), self.input.width)
    }

    fn run(&mut self, isa: Isa, input: &Map, output: &mut Map, scratch: &mut Scratch) {
        let Scratch { ring, zeros, rows: buffers, inner, .. } = scratch;
        let padding = self.padding();
        let vertical =
            Padding::same(self.depthwise.window(), self.depthwise.stride(), self.input.height);
        let mut ring = Ring::new(ring, zeros, self.expanded(), padding);
        let row_len = self.inner.width * self.inner.channels;
        let sums = &mut scratch.sums[..self.inner.channels];
        sums.fill(0.0);
        output.sums.fill(0.0);
        let mut ready = 0;
        for y in 0..self.inner.height {
            let top = y * self.depthwise.stride();
            let needed = (top + vertical.window - vertical.before).min(self.input.height);
            while ready < needed {
                let out = ValuesMut::Floats(ring.row_mut(ready));
                kernels::pointwise_of(isa, &self.expand, input.row(ready), None, out);
                ready += 1;
            }
            let rows = &ring.window(top, vertical.before)[..padding.window];
            match &self.project {
                Project::Plain(project) => {
                    let row = buffers.for_layer(project);
                    kernels::depthwise(isa, &self.depthwise, rows, row.part_mut(0, row_len));
                    let addend = self.residual.then(|| input.row_of_floats(y));
                    let row = row.part(0, row_len);
                    kernels::pointwise_of(isa, project, row, addend, output.row_mut(y));
                    if self.means_wanted {
                        output.accumulate_row(isa, y);
                    }
                }
                Project::Gated(_) => {
                    let row = inner.part_mut(y * row_len, row_len);
                    kernels::depthwise(isa, &self.depthwise, rows, row);
                    kernels::accumulate(isa, inner.part(y * row_len, row_len), sums);
                }
            }
        }
        if let Project::Gated(gated) = &mut self.project {
            let (gate, project) = &mut **gated;
            scratch.means[..self.inner.channels].copy_from_slice(sums);
            gate.run(isa, self.inner.pixels(), scratch);
            project.set(&scratch.factors);
            let inner = scratch.inner.part(0, self.inner.len());
            let addend = self.residual.then(|| input.all_floats());
            kernels::pointwise_of(isa, &project.current, inner, addend, output.all_mut());
            if self.means_wanted {
                output.accumulate_all(isa);
            }
        }
    }
}

/// A gate's factor below this is 0: it changes no output by more than rounding does, and weights
/// multiplied by it would be subnormal numbers, which take 100 times as long.
const CLOSED: f32 = 1e-12;

impl Gate {
    /// From the sums of `pixels` pixels in `scratch.means` to the factors in `scratch.factors`.
    fn run(&self, isa: Isa, pixels: usize, scratch: &mut Scratch) {
        let means = &mut scratch.means[..self.inputs()];
        means.iter_mut().for_each(|mean| *mean /= pixels as f32);
        let factors = &mut scratch.factors[..self.excite.outputs()];
        match &self.squeeze {
            Some(squeeze) => {
                let squeezed = &mut scratch.squeezed[..squeeze.outputs()];
                kernels::pointwise(isa, squeeze, means, None, squeezed);
                kernels::pointwise(isa, &self.excite, squeezed, None, factors);
            }
            None => kernels::pointwise(isa, &self.excite, means, None, factors),
        }
        kernels::logistic(isa, factors);
        for factor in factors.iter_mut().filter(|factor| **factor < CLOSED) {
            *factor = 0.0;
        }
    }
}

impl Gated {
    fn set(&mut self, factors: &[f32]) {
        self.current.set_gated(&self.plain, &factors[..self.plain.inputs()]);
    }
}

impl Head {
    /// Writes the first decoder's small map and the sums of its x.
    fn run(
        &self,
        isa: Isa,
        input: &Map,
        decoder: &mut Decoder,
        (small, x_sums): (&mut Map, &mut Buffer),
        scratch: &mut Scratch,
    ) {
        scratch.means[..input.shape.channels].copy_from_slice(&input.sums);
        self.gate.run(isa, input.shape.pixels(), scratch);
        decoder.small.set(&scratch.factors);
        x_sums.fill(0.0);
        for y in 0..input.shape.height {
            let row_len = input.shape.width * self.expand.outputs();
            let row = scratch.rows.for_layer(&decoder.small.current);
            kernels::pointwise_of(isa, &self.expand, input.row(y), None, row.part_mut(0, row_len));
            let row = row.part(0, row_len);
            kernels::accumulate(isa, row, x_sums);
            kernels::pointwise_of(isa, &decoder.small.current, row, None, small.row_mut(y));
        }
        for (sum, factor) in x_sums.iter_mut().zip(&*scratch.factors) {
            *sum *= factor;
        }
    }
}

/// Where a decoder's rows go.
enum Sink<'a> {
    Decoder { layer: &'a Pointwise, small: &'a mut Map, sums: &'a mut Buffer },
    Output { layer: &'a kernels::Quadruple, alpha: &'a mut [f32] },
}

impl Sink<'_> {
    /// The memory for a row that goes here.
    fn row<'a>(&self, rows: &'a mut Rows) -> &'a mut ValuesBuffer {
        match self {
            Self::Decoder { layer, .. } => rows.for_layer(layer),
            Self::Output { .. } => &mut rows.floats,
        }
    }

    fn take(&mut self, isa: Isa, y: usize, row: Values<'_>) {
        match (self, row) {
            (Self::Decoder { layer, small, sums }, row) => {
                kernels::accumulate(isa, row, sums);
                kernels::pointwise_of(isa, layer, row, None, small.row_mut(y));
            }
            (Self::Output { layer, alpha }, Values::Floats(row)) => {
                let width = 2 * row.len() / layer.channels();
                let (top, bottom) = alpha[2 * y * width..][..2 * width].split_at_mut(width);
                kernels::quadruple(isa, layer, row, top, bottom);
            }
            (Self::Output { .. }, Values::Pairs(_)) => unreachable!("its row is of floats"),
        }
    }
}

impl Decoder {
    pub(super) fn padding(&self) -> Padding {
        Padding::same(self.depthwise.window(), self.depthwise.stride(), self.output.width)
    }

    fn run(
        &mut self,
        isa: Isa,
        (small, x_sums): (&Map, &Buffer),
        skip: &Map,
        sink: &mut Sink<'_>,
        scratch: &mut Scratch,
    ) {
        self.run_gate(isa, (small, x_sums), skip, scratch);
        let Scratch { ring, zeros, rows: buffers, second_row, .. } = scratch;
        let MapShape { height, width, channels } = self.output;
        let padding = self.padding();
        let mut ring = Ring::new(ring, zeros, self.output, padding);
        let row_len = width * channels;
        let doubled = &mut second_row[..row_len];
        let mut ready = 0;
        for y in 0..height {
            while ready < (y + padding.window - padding.before).min(height) {
                // Rows 2i and 2i + 1 lie a quarter above and below the middle of row i.
                let near = ready / 2;
                let far = match ready % 2 {
                    0 => near.saturating_sub(1),
                    _ => (near + 1).min(small.shape.height - 1),
                };
                let (near, far) = (small.row_of_floats(near), small.row_of_floats(far));
                kernels::double(isa, channels, near, far, doubled);
                let (merge, v) = (&self.merge.current, ValuesMut::Floats(ring.row_mut(ready)));
                kernels::pointwise_of(isa, merge, skip.row(ready), Some(doubled), v);
                ready += 1;
            }
            let rows = &ring.window(y, padding.before)[..padding.window];
            let row = sink.row(buffers);
            kernels::depthwise(isa, &self.depthwise, rows, row.part_mut(0, row_len));
            sink.take(isa, y, row.part(0, row_len));
        }
    }

    /// Puts this picture's gate into `merge`.
    fn run_gate(
        &mut self,
        isa: Isa,
        (small, x_sums): (&Map, &Buffer),
        skip: &Map,
        scratch: &mut Scratch,
    ) {
        let x_means = &mut scratch.sums[..self.mean.inputs()];
        for (mean, sum) in x_means.iter_mut().zip(&**x_sums) {
            *mean = sum / small.shape.pixels() as f32;
        }
        let means = &mut scratch.means[..skip.shape.channels];
        kernels::pointwise(isa, &self.mean, x_means, None, means);
        let pixels = skip.shape.pixels();
        for (mean, sum) in means.iter_mut().zip(&*skip.sums) {
            *mean = *mean * pixels as f32 + sum;
        }
        self.gate.run(isa, pixels, scratch);
        self.merge.set(&scratch.factors);
    }
}
