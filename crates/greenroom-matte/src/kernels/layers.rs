//! Weights in the order in which the kernels read them. A layer can only be made by its
//! constructor, so its lengths always fit together; the kernels rely on that.

use super::pairs::{Pair, pair};
use crate::Isa;
use crate::buffer::Buffer;

/// What is done to a value after a convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    None,
    /// max(x, 0)
    Relu,
    /// x · clamp(x + 3, 0, 6) / 6
    HardSwish,
}

/// Output channels that are computed together: two or three vectors of eight.
pub const WIDE_PANEL: usize = 24;
pub const PANEL: usize = 16;
pub const NARROW_PANEL: usize = 8;

/// Output channels `first..first + width` of a [`Pointwise`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panel {
    pub first: usize,
    pub width: usize,
}

/// Every output is a sum over all inputs of the same pixel.
#[derive(Debug)]
pub struct Pointwise {
    inputs: usize,
    outputs: usize,
    activation: Activation,
    weights: Weights,
    bias: Buffer,
}

/// The weights of a [`Pointwise`], panel by panel.
#[derive(Debug)]
enum Weights {
    /// `[inputs][panel.width]`
    Single(Buffer),
    /// `[inputs / 2][panel.width]`: each pair has the weights of two inputs side by side.
    Paired(Buffer<Pair>),
}

impl Pointwise {
    /// From weights `[outputs][inputs]`.
    ///
    /// # Panics
    /// If the lengths do not fit or `outputs` is no multiple of 8.
    pub fn new(
        (inputs, outputs): (usize, usize),
        weights: &[f32],
        bias: &[f32],
        activation: Activation,
    ) -> Self {
        assert!(outputs.is_multiple_of(NARROW_PANEL) && inputs > 0);
        assert_eq!((weights.len(), bias.len()), (inputs * outputs, outputs));
        let mut packed = Buffer::zeros(weights.len());
        for panel in panels(outputs) {
            let part = &mut packed[panel.first * inputs..][..panel.width * inputs];
            for (input, row) in part.chunks_exact_mut(panel.width).enumerate() {
                for (lane, weight) in row.iter_mut().enumerate() {
                    *weight = weights[(panel.first + lane) * inputs + input];
                }
            }
        }
        let weights = Weights::Single(packed);
        Self { inputs, outputs, activation, weights, bias: Buffer::copy_of(bias) }
    }

    /// For `isa`, which the layer is then to be run with: if that is the [one](Isa::avx512_bf16) for products of bf16, the
    /// weights are rounded to bf16, and so is the input in each call. Each is then off by up to 1/256 of itself.
    pub fn in_pairs(mut self, isa: Isa) -> Self {
        if Isa::avx512_bf16() == Some(isa) && self.inputs.is_multiple_of(2) {
            let mut paired = Buffer::zeros(self.inputs / 2 * self.outputs);
            for panel in panels(self.outputs) {
                let to = &mut paired[panel.first * self.inputs / 2..];
                let factors = std::iter::repeat(&[1.0; 2]);
                pair(self.panel_weights(panel), panel.width, factors, to);
            }
            self.weights = Weights::Paired(paired);
        }
        self
    }

    /// Whether its weights are pairs of bf16.
    pub fn is_in_pairs(&self) -> bool {
        matches!(self.weights, Weights::Paired(_))
    }

    pub fn inputs(&self) -> usize {
        self.inputs
    }

    pub fn outputs(&self) -> usize {
        self.outputs
    }

    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// `outputs` values.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// The panels that make up the outputs.
    pub fn panels(&self) -> impl Iterator<Item = Panel> + use<> {
        panels(self.outputs)
    }

    /// The weights of `panel`: `[inputs][panel.width]`.
    ///
    /// # Panics
    /// If they are in pairs.
    #[inline]
    pub fn panel_weights(&self, panel: Panel) -> &[f32] {
        let Weights::Single(weights) = &self.weights else {
            panic!("a layer in pairs was run with another instruction set")
        };
        &weights[panel.first * self.inputs..][..panel.width * self.inputs]
    }

    /// The weights of `panel`: `[inputs / 2][panel.width]`.
    ///
    /// # Panics
    /// If they are not in pairs.
    #[cfg(target_arch = "x86_64")]
    #[inline]
    pub fn panel_pairs(&self, panel: Panel) -> &[Pair] {
        let Weights::Paired(pairs) = &self.weights else { panic!("the layer is not in pairs") };
        let pairs_in = self.inputs / 2;
        &pairs[panel.first * pairs_in..][..panel.width * pairs_in]
    }

    /// Sets the weights to those of `plain` with each input multiplied by its factor: the same
    /// as multiplying the whole map first.
    ///
    /// # Panics
    /// If `self` was not made of the same shape, `plain` is in pairs, or there are not as many factors as inputs.
    pub fn set_gated(&mut self, plain: &Self, factors: &[f32]) {
        assert_eq!((self.inputs, self.outputs), (plain.inputs, plain.outputs));
        assert_eq!(factors.len(), self.inputs);
        for panel in panels(self.outputs) {
            let (first, from) = (panel.first * self.inputs, plain.panel_weights(panel));
            match &mut self.weights {
                Weights::Single(weights) => {
                    let to = weights[first..].chunks_exact_mut(panel.width);
                    for ((from, to), factor) in from.chunks_exact(panel.width).zip(to).zip(factors)
                    {
                        for (from, to) in from.iter().zip(to) {
                            *to = from * factor;
                        }
                    }
                }
                Weights::Paired(pairs) => {
                    let factors = factors.as_chunks().0.iter();
                    pair(from, panel.width, factors, &mut pairs[first / 2..]);
                }
            }
        }
    }
}

/// Two vectors at a time keep the multipliers busy; an odd number of eights (24, 72, 88) gets
/// one panel of three vectors instead of a slow one of one.
fn panels(outputs: usize) -> impl Iterator<Item = Panel> {
    let mut first = 0;
    std::iter::from_fn(move || {
        let left = outputs - first;
        let width = match left {
            0 => return None,
            8 => NARROW_PANEL,
            _ if left % PANEL == 8 => WIDE_PANEL,
            _ => PANEL,
        };
        let panel = Panel { first, width };
        first += width;
        Some(panel)
    })
}

/// A map with one pixel of zeros around it.
#[derive(Debug, Clone, Copy)]
pub struct Bordered<'a> {
    /// All rows, each of `width + 2` pixels.
    pub values: &'a [f32],
    /// Columns without the border.
    pub width: usize,
    pub channels: usize,
}

impl<'a> Bordered<'a> {
    /// The three rows of the windows of row `y` of the map without its border.
    pub fn window_rows(&self, y: usize) -> [&'a [f32]; 3] {
        let row_len = (self.width + 2) * self.channels;
        std::array::from_fn(|row| &self.values[(y + row) * row_len..][..row_len])
    }
}

/// Every channel by itself over a window of neighbouring pixels.
#[derive(Debug)]
pub struct Depthwise {
    window: usize,
    stride: usize,
    channels: usize,
    activation: Activation,
    adds_input: bool,
    /// `[window rows][window columns][channels]`
    weights: Buffer,
    bias: Buffer,
}

impl Depthwise {
    /// From weights `[window][window][channels]`. With `adds_input` the pixel in the middle of the
    /// window is added after the activation.
    ///
    /// # Panics
    /// If the lengths do not fit, the window is not 3 or 5, the stride not 1 or 2, or the channels
    /// no multiple of 8.
    pub fn new(
        (window, stride, channels): (usize, usize, usize),
        weights: &[f32],
        bias: &[f32],
        activation: Activation,
        adds_input: bool,
    ) -> Self {
        assert!(matches!((window, stride), (3 | 5, 1 | 2)) && channels.is_multiple_of(8));
        assert_eq!((weights.len(), bias.len()), (window * window * channels, channels));
        let (weights, bias) = (Buffer::copy_of(weights), Buffer::copy_of(bias));
        Self { window, stride, channels, activation, adds_input, weights, bias }
    }

    pub fn window(&self) -> usize {
        self.window
    }

    pub fn stride(&self) -> usize {
        self.stride
    }

    pub fn channels(&self) -> usize {
        self.channels
    }

    pub fn activation(&self) -> Activation {
        self.activation
    }

    pub fn adds_input(&self) -> bool {
        self.adds_input
    }

    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    pub fn bias(&self) -> &[f32] {
        &self.bias
    }
}

/// The last layer: each pixel becomes 2x2 logits.
#[derive(Debug)]
pub struct Quadruple {
    channels: usize,
    /// `[4: top left, top right, bottom left, bottom right][channels]`
    weights: Buffer,
    bias: f32,
}

impl Quadruple {
    /// From weights `[2 rows][2 columns][channels]`.
    ///
    /// # Panics
    /// If the lengths do not fit or the channels are no multiple of 8.
    pub fn new(channels: usize, weights: &[f32], bias: f32) -> Self {
        assert!(channels.is_multiple_of(8) && weights.len() == 4 * channels);
        Self { channels, weights: Buffer::copy_of(weights), bias }
    }

    pub fn channels(&self) -> usize {
        self.channels
    }

    pub fn weights(&self) -> &[f32] {
        &self.weights
    }

    pub fn bias(&self) -> f32 {
        self.bias
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn panels_cover_all_outputs_and_only_eight_is_narrow() {
        for outputs in (8..=256).step_by(8) {
            let mut next = 0;
            for Panel { first, width } in panels(outputs) {
                assert_eq!(first, next);
                assert!(matches!(width, 16 | 24) || outputs == 8);
                next += width;
            }
            assert_eq!(next, outputs);
        }
    }
}
