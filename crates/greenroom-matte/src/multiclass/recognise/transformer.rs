//! The transformers of the network.

use super::Walk;
use crate::MatteError;
use crate::kernels::Activation;
use crate::multiclass::network::{Attention, PATCH, Transformer, TransformerSize};
use crate::multiclass::operators::MulticlassOperator;
use crate::tflite::{MapShape, MapTensor, TensorId, four};

/// What TRANSPOSE does everywhere in the network: it exchanges the two axes in the middle.
const EXCHANGE: [i32; 4] = [0, 2, 1, 3];

impl Walk<'_> {
    pub fn transformer(
        &mut self,
        x: MapTensor,
        size: &TransformerSize,
    ) -> Result<(Transformer, MapTensor), MatteError> {
        let (window, y) = self.window(x, 1, size.channels)?;
        let (first, y) = self.dense(y, size.channels, Activation::Relu)?;
        let mut unfolded = self.unfold(y)?;
        let mut attentions = Vec::new();
        for _ in 0..size.attentions {
            let attention;
            (attention, unfolded) = self.attention(unfolded)?;
            attentions.push(attention);
        }
        let folded = self.fold(unfolded, y.shape)?;
        let (last, y) = self.dense(folded, size.outputs, Activation::None)?;
        Ok((Transformer { input: x.shape, window, first, attentions, last }, y))
    }

    /// Puts pixels at the same place of their patches into one row: a row a place, a column a patch.
    fn unfold(&mut self, x: MapTensor) -> Result<MapTensor, MatteError> {
        let [by_rows, by_patches, places_last, places_first] = unfolding(x.shape);
        let y = self.reshape(x.id, &by_rows)?;
        let y = self.exchange(y, &by_patches)?;
        let y = self.reshape(y, &places_last)?;
        let id = self.exchange(y, &places_first)?;
        let [_, height, width, channels] = places_first;
        Ok(MapTensor { id, shape: MapShape { height, width, channels } })
    }

    /// The way back to a map of `shape`.
    fn fold(&mut self, x: MapTensor, shape: MapShape) -> Result<MapTensor, MatteError> {
        let [by_rows, by_patches, places_last, _] = unfolding(shape);
        let y = self.exchange(x.id, &places_last)?;
        let y = self.reshape(y, &by_patches)?;
        let y = self.exchange(y, &by_rows)?;
        let id = self.reshape(y, &four(shape))?;
        Ok(MapTensor { id, shape })
    }

    fn reshape(&mut self, x: TensorId, shape: &[usize]) -> Result<TensorId, MatteError> {
        Ok(self.operator_on(MulticlassOperator::Reshape, (0, x), shape)?.output)
    }

    fn exchange(&mut self, x: TensorId, shape: &[usize]) -> Result<TensorId, MatteError> {
        let operator = self.operator_on(MulticlassOperator::Transpose, (0, x), shape)?;
        self.graph.expect_integers(operator.inputs[1], &EXCHANGE)?;
        Ok(operator.output)
    }

    /// The operator of `kind` on `x` with a constant for each channel: the constant, the output.
    fn with_constant(
        &mut self,
        kind: MulticlassOperator,
        x: MapTensor,
    ) -> Result<(Vec<f32>, MapTensor), MatteError> {
        let operator = self.operator_on(kind, (0, x.id), &four(x.shape))?;
        let constant = self.graph.constant(operator.inputs[1], &[x.shape.channels])?;
        Ok((constant, MapTensor { id: operator.output, ..x }))
    }

    fn attention(&mut self, x: MapTensor) -> Result<(Attention, MapTensor), MatteError> {
        let MapShape { height, width, channels } = x.shape;
        let (scale, n) = self.with_constant(MulticlassOperator::Mul, x)?;
        let (offset, n) = self.with_constant(MulticlassOperator::Add, n)?;
        let (up, y) = self.dense(n, 2 * channels, Activation::None)?;
        let (down, forward) = self.dense(y, channels, Activation::None)?;
        let (score, y) = self.dense(n, 1, Activation::None)?;
        let in_rows = [1, height, 1, width];
        let y = self.reshape(y.id, &in_rows)?;
        let y = self.operator_on(MulticlassOperator::Softmax, (0, y), &in_rows)?.output;
        let shares = self.reshape(y, &[1, height, width, 1])?;
        let (key, y) = self.dense(n, channels, Activation::None)?;
        let y = self.binary(MulticlassOperator::Mul, y, shares)?;
        let sum =
            self.operator_on(MulticlassOperator::Sum, (0, y.id), &[1, height, 1, channels])?;
        self.graph.expect_integers(sum.inputs[1], &[2])?;
        let (value, y) = self.dense(n, channels, Activation::Relu)?;
        let y = self.binary(MulticlassOperator::Mul, y, sum.output)?;
        let (output, y) = self.dense(y, channels, Activation::None)?;
        let y = self.binary(MulticlassOperator::Add, y, x.id)?;
        let y = self.binary(MulticlassOperator::Add, forward, y.id)?;
        Ok((Attention { scale, offset, up, down, score, key, value, output }, y))
    }
}

/// The shapes on the way from a map to its unfolded one.
fn unfolding(shape: MapShape) -> [[usize; 4]; 4] {
    let MapShape { height, width, channels } = shape;
    let (down, across, places) = (height / PATCH, width / PATCH, PATCH * PATCH);
    [
        [down, PATCH, across, PATCH * channels],
        [down, across, PATCH, PATCH * channels],
        [1, down * across, places, channels],
        [1, places, down * across, channels],
    ]
}
