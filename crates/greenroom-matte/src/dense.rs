//! A 1x1 convolution as a file has it, and the algebra on such layers.

use crate::Isa;
use crate::kernels::{Activation, Pointwise};

/// A 1x1 convolution: every output is a sum over all inputs of the same pixel.
#[derive(Debug, Clone)]
pub(crate) struct Dense {
    pub inputs: usize,
    pub outputs: usize,
    /// `[outputs][inputs]`
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
    pub activation: Activation,
}

impl Dense {
    /// In the kernels' order.
    pub fn pack(&self) -> Pointwise {
        let shape = (self.inputs, self.outputs);
        Pointwise::new(shape, &self.weights, &self.bias, self.activation)
    }

    /// In the kernels' order, with products of bf16 where `isa` has them.
    pub fn pack_in_pairs(&self, isa: Isa) -> Pointwise {
        self.pack().in_pairs(isa)
    }

    /// The weights of one output.
    fn row(&self, output: usize) -> &[f32] {
        &self.weights[output * self.inputs..][..self.inputs]
    }

    /// Output `output`, without bias and activation, of these inputs. Summed in 64 bits, so that a product of layers
    /// is as exact as a weight can be.
    fn dot(&self, output: usize, values: &[f32]) -> f64 {
        let ((rows, row_rest), (values, rest)) =
            (self.row(output).as_chunks::<8>(), values.as_chunks::<8>());
        // Eight sums side by side, so that the compiler may use vectors.
        let mut sums = [0.0; 8];
        for (row, values) in rows.iter().zip(values) {
            for ((sum, &a), &b) in sums.iter_mut().zip(row).zip(values) {
                *sum += f64::from(a) * f64::from(b);
            }
        }
        let rest = row_rest.iter().zip(rest).map(|(&a, &b)| f64::from(a) * f64::from(b));
        sums.into_iter().chain(rest).sum()
    }

    /// This layer after `first` as one layer. `first` has no activation.
    pub fn after(&self, first: &Self) -> Self {
        assert_eq!((first.outputs, first.activation), (self.inputs, Activation::None));
        let mut weights = Vec::with_capacity(self.outputs * first.inputs);
        let mut bias = Vec::with_capacity(self.outputs);
        // Column by column in memory, else each weight of `first` is a cache miss.
        let columns: Vec<f32> = (0..first.inputs)
            .flat_map(|input| first.weights.iter().skip(input).step_by(first.inputs).copied())
            .collect();
        for output in 0..self.outputs {
            for column in columns.chunks_exact(first.outputs) {
                weights.push(self.dot(output, column) as f32);
            }
            let constant = self.dot(output, &first.bias);
            bias.push((constant + f64::from(self.bias[output])) as f32);
        }
        Self {
            inputs: first.inputs,
            outputs: self.outputs,
            weights,
            bias,
            activation: self.activation,
        }
    }

    /// This layer after each input was multiplied by its factor and its offset was added.
    pub fn after_affine(&self, factors: &[f32], offsets: &[f32]) -> Self {
        assert_eq!((factors.len(), offsets.len()), (self.inputs, self.inputs));
        let rows = self.weights.chunks_exact(self.inputs);
        let weights = rows.flat_map(|row| row.iter().zip(factors).map(|(a, b)| a * b)).collect();
        let constant = |output| self.dot(output, offsets);
        let bias = self.bias.iter().enumerate();
        let bias = bias.map(|(output, &b)| (f64::from(b) + constant(output)) as f32).collect();
        Self { weights, bias, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dense(inputs: usize, outputs: usize, seed: usize) -> Dense {
        let value = |at: usize| ((at * 37 + seed) % 23) as f32 / 8.0 - 1.0;
        Dense {
            inputs,
            outputs,
            weights: (0..inputs * outputs).map(value).collect(),
            bias: (0..outputs).map(value).collect(),
            activation: Activation::None,
        }
    }

    fn apply(layer: &Dense, input: &[f32]) -> Vec<f32> {
        let sum = |output| layer.dot(output, input) as f32 + layer.bias[output];
        (0..layer.outputs).map(sum).collect()
    }

    fn assert_close(have: &[f32], want: &[f32]) {
        assert_eq!(have.len(), want.len());
        assert!(have.iter().zip(want).all(|(a, b)| (a - b).abs() < 1e-4), "{have:?} {want:?}");
    }

    #[test]
    fn a_product_of_layers_is_one_after_the_other() {
        let (first, second) = (dense(3, 5, 1), dense(5, 2, 4));
        let input = [0.5, -2.0, 1.25];
        assert_close(
            &apply(&second.after(&first), &input),
            &apply(&second, &apply(&first, &input)),
        );
    }

    #[test]
    fn an_affine_map_goes_into_the_weights() {
        let layer = dense(3, 4, 2);
        let (factors, offsets, input) = ([2.0, -1.0, 0.5], [1.0, 0.25, -3.0], [0.5, -2.0, 1.25]);
        let mapped: Vec<f32> = (0..3).map(|at| input[at] * factors[at] + offsets[at]).collect();
        assert_close(
            &apply(&layer.after_affine(&factors, &offsets), &input),
            &apply(&layer, &mapped),
        );
    }
}
