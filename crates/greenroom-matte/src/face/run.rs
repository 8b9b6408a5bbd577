//! One inference, and the memory for it.

use super::network::{
    ANCHORS, ANSWER_LEN, Answer, Block, HEADS, Network, PICTURE, STEM, STEM_WINDOW,
};
use crate::Isa;
use crate::buffer::Buffer;
use crate::kernels::{self, ValuesMut};
use crate::map::Map;
use crate::ring::Padding;
use crate::tflite::MapShape;

/// The network's input: a square of [`PICTURE`]'s size, with a border of zeros for the windows of the stem.
#[derive(Debug)]
pub(super) struct Picture {
    values: Vec<f32>,
    padding: Padding,
}

impl Picture {
    fn new() -> Self {
        let padding = Padding::same(STEM_WINDOW, 2, PICTURE.width);
        let side = padding.before + PICTURE.width + padding.after;
        Self { values: vec![0.0; side * side * PICTURE.channels], padding }
    }

    fn row_len(&self) -> usize {
        (self.padding.before + PICTURE.width + self.padding.after) * PICTURE.channels
    }

    /// Row `y` without the border, pixel by pixel, to be written: -1 is black, 1 white.
    pub fn row_mut(&mut self, y: usize) -> &mut [f32] {
        let before = self.padding.before;
        let start = (y + before) * self.row_len() + before * PICTURE.channels;
        &mut self.values[start..][..PICTURE.width * PICTURE.channels]
    }

    /// Makes all of it `value`, but for the border.
    pub fn fill(&mut self, value: f32) {
        (0..PICTURE.height).for_each(|y| self.row_mut(y).fill(value));
    }

    /// The windows of row `y` of the stem's map, one behind the other.
    fn windows(&self, y: usize, windows: &mut [f32]) {
        const LINE: usize = STEM_WINDOW * PICTURE.channels;
        for (x, window) in windows.chunks_exact_mut(STEM_WINDOW * LINE).enumerate() {
            for (row, line) in window.chunks_exact_mut(LINE).enumerate() {
                let start = (2 * y + row) * self.row_len() + 2 * x * PICTURE.channels;
                line.copy_from_slice(&self.values[start..][..LINE]);
            }
        }
    }
}

/// All memory of an inference, asked for once.
#[derive(Debug)]
pub(super) struct Memory {
    pub picture: Picture,
    /// The windows of a row of the stem's map.
    windows: Buffer,
    stem: Map,
    /// Each block's output.
    blocks: Vec<Map>,
    /// A row behind a block's depthwise convolution.
    row: Buffer,
    /// A row of a block's shortcut.
    shortcut: Buffer,
    /// A row of a head.
    head_row: Buffer,
    /// For each anchor, in the file's order, what the network says of it.
    pub answers: Vec<Answer>,
}

impl Memory {
    pub fn new(network: &Network) -> Self {
        let longest = |len: &dyn Fn(&Block) -> usize| network.blocks.iter().map(len).max();
        let row = longest(&|block| block.output.width * block.input.channels);
        let shortcut = longest(&|block| block.output.width * block.output.channels);
        let heads = HEADS.iter().zip(&network.heads);
        let head_row = heads.map(|(size, layer)| size.side * layer.outputs()).max();
        Self {
            picture: Picture::new(),
            windows: Buffer::zeros(STEM.width * network.stem.inputs()),
            stem: Map::bordered(STEM),
            blocks: network.blocks.iter().map(|block| Map::bordered(block.output)).collect(),
            row: Buffer::zeros(row.unwrap_or_default()),
            shortcut: Buffer::zeros(shortcut.unwrap_or_default()),
            head_row: Buffer::zeros(head_row.unwrap_or_default()),
            answers: vec![Answer::default(); ANCHORS],
        }
    }
}

impl Network {
    /// From `memory.picture` to `memory.answers`.
    ///
    /// # Panics
    /// If `memory` was made for another network.
    pub fn run(&self, isa: Isa, memory: &mut Memory) {
        let Memory { picture, windows, stem, blocks: maps, row, shortcut, head_row, answers } =
            memory;
        for y in 0..STEM.height {
            picture.windows(y, windows);
            kernels::pointwise(isa, &self.stem, windows, None, stem.row_mut(y));
        }
        self.blocks[0].run(isa, stem, &mut maps[0], (row, shortcut));
        for index in 1..self.blocks.len() {
            let [input, output] = &mut maps[index - 1..=index] else {
                unreachable!("a range of two")
            };
            self.blocks[index].run(isa, input, output, (row, shortcut));
        }
        let mut answers = answers.iter_mut();
        for (size, layer) in HEADS.iter().zip(&self.heads) {
            let head_row = &mut head_row[..size.side * layer.outputs()];
            for y in 0..size.side {
                kernels::pointwise(isa, layer, maps[size.block].row(y), None, head_row);
                let pixels = head_row.chunks_exact(layer.outputs());
                let values = pixels.flat_map(|p| &p.as_chunks::<ANSWER_LEN>().0[..size.anchors]);
                values.zip(&mut answers).for_each(|(value, answer)| *answer = *value);
            }
        }
    }
}

impl Block {
    /// Row by row, with memory for a row behind the depthwise convolution and for one of the shortcut.
    fn run(
        &self,
        isa: Isa,
        input: &Map,
        output: &mut Map,
        (row, shortcut): (&mut [f32], &mut [f32]),
    ) {
        let MapShape { height, width, channels } = self.output;
        let row = &mut row[..width * self.input.channels];
        let shortcut = &mut shortcut[..width * channels];
        for y in 0..height {
            let out = ValuesMut::Floats(row);
            kernels::depthwise(isa, &self.depthwise, &self.window_rows(input, y), out);
            self.fill_shortcut(input, y, shortcut);
            kernels::pointwise(isa, &self.dense, row, Some(shortcut), output.row_mut(y));
        }
    }

    /// The rows that row `y` of the output is made of, with the padding that TFLite's SAME means: a pixel all around
    /// for stride 1; for stride 2, where all sides are even, one on the right and below only.
    fn window_rows<'a>(&self, input: &'a Map, y: usize) -> [&'a [f32]; 3] {
        match self.depthwise.stride() {
            1 => input.windows().window_rows(y),
            _ => input.windows().window_rows(2 * y + 1).map(|row| &row[self.input.channels..]),
        }
    }

    fn fill_shortcut(&self, input: &Map, y: usize, shortcut: &mut [f32]) {
        let inputs = self.input.channels;
        shortcut.fill(0.0);
        let pixels = shortcut.chunks_exact_mut(self.output.channels);
        if self.depthwise.stride() == 1 {
            for (out, pixel) in pixels.zip(input.row(y).chunks_exact(inputs)) {
                out[..inputs].copy_from_slice(pixel);
            }
            return;
        }
        let (top, bottom) = (input.row(2 * y), input.row(2 * y + 1));
        let pairs = top.chunks_exact(2 * inputs).zip(bottom.chunks_exact(2 * inputs));
        for (out, (top, bottom)) in pixels.zip(pairs) {
            let [[a, b], [c, d]] = [top, bottom].map(|pair| <[_; 2]>::from(pair.split_at(inputs)));
            for (index, out) in out[..inputs].iter_mut().enumerate() {
                *out = a[index].max(b[index]).max(c[index].max(d[index]));
            }
        }
    }
}
