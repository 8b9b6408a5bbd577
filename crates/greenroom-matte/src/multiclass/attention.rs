//! The transformers, on maps as they are: pixels at the same place of their patches look at each other, so nothing has
//! to be unfolded.

use super::memory::TransformerMemory;
use super::network::PATCH;
use super::plan::{Attention, Transformer};
use crate::Isa;
use crate::kernels;
use crate::map::Map;
use crate::tflite::MapShape;

impl Transformer {
    /// `input` has a border; the result is in `memory.x`.
    pub fn run(&self, isa: Isa, input: &Map, memory: &mut TransformerMemory) {
        let TransformerMemory { x, value, .. } = memory;
        kernels::convolve(isa, &self.window, input.windows(), value.pixels_mut());
        kernels::pointwise(isa, &self.first, value.pixels(), None, x.pixels_mut());
        for attention in &self.attentions {
            attention.run(isa, memory);
        }
    }
}

impl Attention {
    fn run(&self, isa: Isa, memory: &mut TransformerMemory) {
        let TransformerMemory { x, value, forward, shares, means, contexts } = memory;
        let MapShape { width, channels, .. } = x.shape;
        for (score, pixel) in shares.iter_mut().zip(x.pixels().chunks_exact(channels)) {
            *score = dot(pixel, &self.score) + self.score_bias;
        }
        softmax(shares, width);
        means.fill(0.0);
        for ((at, share), pixel) in shares.iter().enumerate().zip(x.pixels().chunks_exact(channels))
        {
            let mean = &mut means[place(at, width) * channels..][..channels];
            mean.iter_mut().zip(pixel).for_each(|(mean, value)| *mean += share * value);
        }
        kernels::pointwise(isa, &self.key, means, None, contexts);
        kernels::pointwise(isa, &self.value, x.pixels(), None, value.pixels_mut());
        for (at, pixel) in value.pixels_mut().chunks_exact_mut(channels).enumerate() {
            let context = &contexts[place(at, width) * channels..][..channels];
            pixel.iter_mut().zip(context).for_each(|(value, context)| *value *= context);
        }
        kernels::pointwise(isa, &self.forward, x.pixels(), None, forward.pixels_mut());
        let addend = Some(forward.pixels());
        kernels::pointwise(isa, &self.output, value.pixels(), addend, x.pixels_mut());
    }
}

/// The place in its patch of pixel number `at` of a map of `width` columns.
fn place(at: usize, width: usize) -> usize {
    at / width % PATCH * PATCH + at % width % PATCH
}

/// Eight sums side by side, so that the compiler may use vectors. The lengths are multiples of eight.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0; 8];
    for (a, b) in a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += a * b;
        }
    }
    sums.iter().sum()
}

/// From scores to shares: for each place of a patch those of its pixels add up to 1.
fn softmax(scores: &mut [f32], width: usize) {
    let mut most = [f32::NEG_INFINITY; PATCH * PATCH];
    for (at, score) in scores.iter().enumerate() {
        let most = &mut most[place(at, width)];
        *most = most.max(*score);
    }
    let mut sums = [0.0; PATCH * PATCH];
    for (at, score) in scores.iter_mut().enumerate() {
        let place = place(at, width);
        *score = (*score - most[place]).exp();
        sums[place] += *score;
    }
    for (at, score) in scores.iter_mut().enumerate() {
        *score /= sums[place(at, width)];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_of_each_place_add_up_to_one() {
        let width = 8;
        let mut scores: Vec<f32> = (0..64).map(|at| ((at * 29) % 31) as f32 / 4.0).collect();
        let before = scores.clone();
        softmax(&mut scores, width);
        for wanted in 0..PATCH * PATCH {
            let of_place: Vec<usize> = (0..64).filter(|&at| place(at, width) == wanted).collect();
            assert_eq!(of_place.len(), 4);
            let sum: f32 = of_place.iter().map(|&at| scores[at]).sum();
            assert!((sum - 1.0).abs() < 1e-6);
            for pair in of_place.windows(2) {
                let ratio = (before[pair[1]] - before[pair[0]]).exp();
                assert!((scores[pair[1]] / scores[pair[0]] / ratio - 1.0).abs() < 1e-5);
            }
        }
    }
}
