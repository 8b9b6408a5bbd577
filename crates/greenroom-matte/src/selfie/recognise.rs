//! Finds the family's [`Network`] in a graph and checks that everything in it fits together: what
//! comes out of here has weights and maps of the lengths that their shapes say.

use super::network::{Bottleneck, Decoder, Depthwise, Gate, Head, Network, Output, Skip, Stem};
use super::operators::{Graph, Operator, SelfieOperator};
use super::walk::{MAX_SIDE, VALUES_MAX, Walk};
use crate::MatteError;
use crate::dense::Dense;
use crate::kernels::Activation;
use crate::tflite::{MapShape, TensorId};

impl Network {
    /// Recognises the family in `graph`.
    ///
    /// # Errors
    /// [`MatteError::OtherNetwork`] with the first difference.
    pub fn recognise(graph: &Graph<'_>) -> Result<Self, MatteError> {
        let used = vec![false; graph.operators.len()];
        let mut walk = Walk { graph, used, left: VALUES_MAX };
        let (stem, mut x) = walk.stem(graph.input)?;
        let mut encoder = vec![(x, Skip::Stem)];
        let mut bottlenecks = Vec::new();
        // The last bottleneck's map is the only one whose mean is taken as it is.
        while walk.find(SelfieOperator::GlobalMean, x).is_none() {
            let bottleneck;
            (bottleneck, x) = walk.bottleneck(x)?;
            encoder.push((x, Skip::Bottleneck(bottlenecks.len())));
            bottlenecks.push(bottleneck);
        }
        let head;
        (head, x) = walk.head(x)?;
        let mut decoders = Vec::new();
        while walk.find(SelfieOperator::Double, x).is_some() {
            let decoder;
            (decoder, x) = walk.decoder(x, &encoder)?;
            decoders.push(decoder);
        }
        let output = walk.output(x)?;
        walk.finish()?;
        if decoders.is_empty() {
            return Err(graph.other_network("it has no decoder"));
        }
        Ok(Self { stem, bottlenecks, head, decoders, output })
    }
}

impl Walk<'_> {
    /// A 1x1 convolution and its activation.
    fn dense(&mut self, x: TensorId) -> Result<(Dense, TensorId), MatteError> {
        let input = self.graph.map(x)?;
        let (operator, output) = self.conv_on(x, SelfieOperator::Conv { stride: 1 })?;
        self.expect_eights(input)?;
        self.expect_eights(output)?;
        self.expect_map(operator.output, MapShape { channels: output.channels, ..input })?;
        let (inputs, outputs) = (input.channels, output.channels);
        let weights = self.constant(operator.inputs[1], &[outputs, 1, 1, inputs])?;
        let bias = self.constant(operator.inputs[2], &[outputs])?;
        let (activation, y) = self.activation(operator.output)?;
        Ok((Dense { inputs, outputs, weights, bias, activation }, y))
    }

    fn stem(&mut self, picture: TensorId) -> Result<(Stem, TensorId), MatteError> {
        let input = self.graph.map(picture)?;
        let (operator, output) = self.conv_on(picture, SelfieOperator::Conv { stride: 2 })?;
        self.expect_eights(output)?;
        let odd = input.width % 2 + input.height % 2;
        if input.channels != 3 || odd != 0 || input.width.max(input.height) > MAX_SIDE {
            return Err(self.graph.other_network(format!("its input is {input}")));
        }
        let half = MapShape {
            height: input.height / 2,
            width: input.width / 2,
            channels: output.channels,
        };
        self.expect_map(operator.output, half)?;
        let weights = self.constant(operator.inputs[1], &[output.channels, 3, 3, 3])?;
        let bias = self.constant(operator.inputs[2], &[output.channels])?;
        let (activation, y) = self.activation(operator.output)?;
        Ok((Stem { input, output, weights, bias, activation }, y))
    }

    fn depthwise(&mut self, x: TensorId) -> Result<(Depthwise, TensorId), MatteError> {
        let input = self.graph.map(x)?;
        let stride =
            if self.find(SelfieOperator::Depthwise { stride: 1 }, x).is_some() { 1 } else { 2 };
        let (operator, output) = self.conv_on(x, SelfieOperator::Depthwise { stride })?;
        self.expect_map(
            operator.output,
            MapShape {
                height: input.height.div_ceil(stride),
                width: input.width.div_ceil(stride),
                ..input
            },
        )?;
        let channels = output.channels;
        // The window is whichever of both the weights fit.
        let mut weights =
            |window| self.constant(operator.inputs[1], &[1, window, window, channels]);
        let (window, weights) = match weights(5) {
            Ok(weights) => (5, weights),
            Err(_) => (3, weights(3)?),
        };
        let bias = self.constant(operator.inputs[2], &[channels])?;
        let (activation, y) = self.activation(operator.output)?;
        Ok((Depthwise { window, stride, channels, weights, bias, activation }, y))
    }

    /// The gate on the means of `x`, and its factors.
    fn gate(&mut self, x: TensorId) -> Result<(Gate, TensorId), MatteError> {
        let map = self.graph.map(x)?;
        let means = self.unary(SelfieOperator::GlobalMean, x)?;
        self.expect_map(means, MapShape { height: 1, width: 1, channels: map.channels })?;
        let (first, y) = self.dense(means)?;
        let (squeeze, (excite, y)) = match first.activation {
            Activation::None => (None, (first, y)),
            _ => (Some(first), self.dense(y)?),
        };
        if excite.activation != Activation::None {
            return Err(self.missing(SelfieOperator::Logistic, y));
        }
        Ok((Gate { squeeze, excite }, self.elementwise(SelfieOperator::Logistic, y)?))
    }

    fn bottleneck(&mut self, x: TensorId) -> Result<(Bottleneck, TensorId), MatteError> {
        let input = self.graph.map(x)?;
        let (expand, y) = self.dense(x)?;
        let (depthwise, mut y) = self.depthwise(y)?;
        let gate = match self.find(SelfieOperator::GlobalMean, y) {
            Some(_) => {
                let (gate, factors) = self.gate(y)?;
                self.expect_gate(&gate, depthwise.channels)?;
                y = self.binary(SelfieOperator::Mul, y, factors)?;
                Some(gate)
            }
            None => None,
        };
        let (project, y) = self.dense(y)?;
        let sum =
            self.find_by(y, |next| next.kind == SelfieOperator::Add && next.inputs.contains(&x));
        let output = self.graph.map(y)?;
        let (residual, y) = match sum {
            Some(index) => (true, self.take(index).output),
            None => (false, y),
        };
        if residual {
            // What is added has the shape of what it is added to.
            self.expect_map(y, input)?;
            self.expect_map(y, output)?;
        }
        Ok((Bottleneck { input, output, expand, depthwise, gate, project, residual }, y))
    }

    fn expect_gate(&self, gate: &Gate, channels: usize) -> Result<(), MatteError> {
        if gate.excite.outputs == channels {
            return Ok(());
        }
        let have = gate.excite.outputs;
        Err(self.graph.other_network(format!("a gate of {have} factors for {channels} channels")))
    }

    fn head(&mut self, x: TensorId) -> Result<(Head, TensorId), MatteError> {
        let input = self.graph.map(x)?;
        let (gate, factors) = self.gate(x)?;
        let (expand, y) = self.dense(x)?;
        self.expect_gate(&gate, expand.outputs)?;
        Ok((Head { input, expand, gate }, self.binary(SelfieOperator::Mul, y, factors)?))
    }

    fn decoder(
        &mut self,
        x: TensorId,
        encoder: &[(TensorId, Skip)],
    ) -> Result<(Decoder, TensorId), MatteError> {
        let small = self.graph.map(x)?;
        let doubled = self.unary(SelfieOperator::Double, x)?;
        let large = MapShape { height: 2 * small.height, width: 2 * small.width, ..small };
        self.expect_map(doubled, large)?;
        let (project, u) = self.dense(doubled)?;
        // skip + u: which map of the encoder is the other summand?
        let (sum, skipped, skip) = encoder
            .iter()
            .find_map(|&(map, skip)| {
                let sums = |next: &Operator| {
                    next.kind == SelfieOperator::Add && next.inputs.contains(&map)
                };
                Some((self.find_by(u, sums)?, map, skip))
            })
            .ok_or_else(|| self.graph.other_network("a decoder without a map of the encoder"))?;
        let output = self.graph.map(u)?;
        self.expect_map(skipped, output)?;
        let sum = self.take(sum).output;
        self.expect_map(sum, output)?;
        let (gate, factors) = self.gate(sum)?;
        self.expect_gate(&gate, output.channels)?;
        let gated = self.binary(SelfieOperator::Mul, skipped, factors)?;
        let merged = self.binary(SelfieOperator::Add, gated, u)?;
        let (merge, v) = self.dense(merged)?;
        let (depthwise, w) = self.depthwise(v)?;
        let plain = project.activation == Activation::None
            && depthwise.stride == 1
            && merge.outputs == output.channels;
        if !plain {
            return Err(self.graph.other_network("a decoder of another kind"));
        }
        let y = self.binary(SelfieOperator::Add, v, w)?;
        Ok((Decoder { skip, output, project, gate, merge, depthwise }, y))
    }

    fn output(&mut self, x: TensorId) -> Result<Output, MatteError> {
        let input = self.graph.map(x)?;
        let (operator, _) = self.conv_on(x, SelfieOperator::TransposedConv)?;
        let double = MapShape { height: 2 * input.height, width: 2 * input.width, channels: 1 };
        self.expect_map(operator.output, double)?;
        let weights = self.constant(operator.inputs[1], &[1, 2, 2, input.channels])?;
        let bias = self.constant(operator.inputs[2], &[1])?[0];
        let probability = self.elementwise(SelfieOperator::Logistic, operator.output)?;
        if [probability] != *self.graph.outputs {
            return Err(self.missing(SelfieOperator::Logistic, operator.output));
        }
        Ok(Output { input, weights, bias })
    }
}
