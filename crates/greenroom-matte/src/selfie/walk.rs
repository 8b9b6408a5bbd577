//! The way through a file's operators, which every part of the family is found by.

use super::operators::{Graph, Operator, SelfieOperator};
use crate::MatteError;
use crate::kernels::Activation;
use crate::tflite::{MapShape, TensorId};

/// Follows the maps from operator to operator; the order in the file does not matter.
pub(super) struct Walk<'g> {
    pub(super) graph: &'g Graph<'g>,
    pub(super) used: Vec<bool>,
    /// Values of maps and weights that may still be asked for.
    pub(super) left: usize,
}

impl<'g> Walk<'g> {
    /// An unused operator of `kind` that takes `input`.
    pub(super) fn find(&self, kind: SelfieOperator, input: TensorId) -> Option<usize> {
        self.find_by(input, |operator| operator.kind == kind)
    }

    pub(super) fn find_by(
        &self,
        input: TensorId,
        wanted: impl Fn(&Operator) -> bool,
    ) -> Option<usize> {
        (0..self.used.len()).find(|&index| {
            let operator = &self.graph.operators[index];
            !self.used[index] && operator.inputs.contains(&input) && wanted(operator)
        })
    }

    pub(super) fn take(&mut self, index: usize) -> &'g Operator {
        self.used[index] = true;
        &self.graph.operators[index]
    }

    /// The output of the operator of `kind` on `input`.
    pub(super) fn unary(
        &mut self,
        kind: SelfieOperator,
        input: TensorId,
    ) -> Result<TensorId, MatteError> {
        let index = self.find(kind, input).ok_or_else(|| self.missing(kind, input))?;
        Ok(self.take(index).output)
    }

    /// The output of the operator of `kind` that keeps the shape of `input`.
    pub(super) fn elementwise(
        &mut self,
        kind: SelfieOperator,
        input: TensorId,
    ) -> Result<TensorId, MatteError> {
        let output = self.unary(kind, input)?;
        self.expect_map(output, self.graph.map(input)?)?;
        Ok(output)
    }

    /// The output of the operator of `kind` on `a` and `b`, in either order; it has the shape of
    /// `a`.
    pub(super) fn binary(
        &mut self,
        kind: SelfieOperator,
        a: TensorId,
        b: TensorId,
    ) -> Result<TensorId, MatteError> {
        let index = self
            .find_by(a, |operator| operator.kind == kind && operator.inputs.contains(&b))
            .ok_or_else(|| self.missing(kind, a))?;
        let output = self.take(index).output;
        self.expect_map(output, self.graph.map(a)?)?;
        Ok(output)
    }

    pub(super) fn missing(&self, kind: SelfieOperator, input: TensorId) -> MatteError {
        self.graph.other_network(format!("no {kind:?} where one should follow tensor {input}"))
    }

    pub(super) fn activation(&mut self, x: TensorId) -> Result<(Activation, TensorId), MatteError> {
        for (kind, activation) in [
            (SelfieOperator::Relu, Activation::Relu),
            (SelfieOperator::HardSwish, Activation::HardSwish),
        ] {
            if self.find(kind, x).is_some() {
                return Ok((activation, self.elementwise(kind, x)?));
            }
        }
        Ok((Activation::None, x))
    }

    /// That `tensor` has the shape `want`.
    pub(super) fn expect_map(&self, tensor: TensorId, want: MapShape) -> Result<(), MatteError> {
        let have = self.graph.map(tensor)?;
        if have == want {
            return Ok(());
        }
        Err(self.graph.other_network(format!("tensor {tensor} is {have} instead of {want}")))
    }

    /// That the kernels' vectors of eight channels fit.
    pub(super) fn expect_eights(&self, map: MapShape) -> Result<(), MatteError> {
        if map.channels.is_multiple_of(8) && map.channels <= MAX_CHANNELS {
            return Ok(());
        }
        Err(self.graph.other_network(format!("{} channels are no multiple of 8", map.channels)))
    }

    /// The convolution on `x`: its operator, the shape of its output and its number of outputs.
    pub(super) fn conv_on(
        &mut self,
        x: TensorId,
        kind: SelfieOperator,
    ) -> Result<(&'g Operator, MapShape), MatteError> {
        let index = self.find(kind, x).ok_or_else(|| self.missing(kind, x))?;
        let operator = self.take(index);
        if operator.inputs[0] != x {
            return Err(self.missing(kind, x));
        }
        let output = self.graph.map(operator.output)?;
        self.spend(output.len())?;
        Ok((operator, output))
    }

    /// The values of a constant of `shape`, widened to 32 bits.
    pub(super) fn constant(
        &mut self,
        tensor: TensorId,
        shape: &[usize],
    ) -> Result<Vec<f32>, MatteError> {
        self.spend(shape.iter().product())?;
        self.graph.constant(tensor, shape)
    }

    /// That the whole network stays within bounds: operators may share tensors, so that a small
    /// file can describe an endless one.
    pub(super) fn spend(&mut self, values: usize) -> Result<(), MatteError> {
        let left = self.left.checked_sub(values);
        self.left = left.ok_or_else(|| self.graph.other_network("it is too large"))?;
        Ok(())
    }

    /// That nothing of the file was left out.
    pub(super) fn finish(&self) -> Result<(), MatteError> {
        let left = self
            .graph
            .operators
            .iter()
            .zip(&self.used)
            .find(|(operator, used)| !**used && operator.kind != SelfieOperator::Dequantize);
        match left {
            None => Ok(()),
            Some((operator, _)) => Err(self.missing_use(operator)),
        }
    }

    fn missing_use(&self, operator: &Operator) -> MatteError {
        let Operator { kind, output, .. } = operator;
        self.graph
            .other_network(format!("no place in the family for the {kind:?} of tensor {output}"))
    }
}

/// Limits far above the family's own figures, so that nothing sized from a file gets out of hand.
pub(super) const MAX_CHANNELS: usize = 1024;
pub(super) const MAX_SIDE: usize = 2048;
/// Values of all maps and weights, 4 bytes each; the general model has 2.9 million.
pub(crate) const VALUES_MAX: usize = 1 << 25;
