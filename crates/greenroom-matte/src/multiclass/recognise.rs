//! Makes a [`Network`] of a graph. The file is one file of one maker, so every operator is expected at its place in the
//! file's order, and every map and constant with its shape: whatever differs is refused, and how much memory is asked
//! for does not depend on the file.

mod transformer;

use super::network::{
    BOTTLENECKS, Bottleneck, BottleneckSize, CLASSES, Depthwise, HEAD_CHANNELS, HEAD_LAYERS,
    LEVEL_CHANNELS, LEVEL_SIDES, Network, Output, PICTURE, STEM, Separable, TRANSFORMERS, Window,
};
use super::operators::{Graph, Kind, Operator};
use crate::MatteError;
use crate::dense::Dense;
use crate::kernels::Activation;
use crate::tflite::{MapShape, TensorId};

impl Network {
    /// Reads the network from `graph`.
    ///
    /// # Errors
    /// [`MatteError::OtherNetwork`] with the first difference.
    pub fn recognise(graph: &Graph<'_>) -> Result<Self, MatteError> {
        let mut walk = Walk { graph, next: 0 };
        let picture = Map { id: graph.input, shape: PICTURE };
        walk.expect_shape(picture.id, &four(PICTURE))?;
        let (stem, mut x) = walk.window(picture, 2, STEM.channels)?;
        let first = walk.lateral(x)?;
        let (mut laterals, mut lateral_maps) = (vec![first.0], vec![first.1]);
        let (mut bottlenecks, mut transformers) = (Vec::new(), Vec::new());
        for (index, size) in BOTTLENECKS.iter().enumerate() {
            let bottleneck;
            (bottleneck, x) = walk.bottleneck(x, size)?;
            bottlenecks.push(bottleneck);
            if index < 2 {
                continue;
            }
            if index > 2 {
                let transformer;
                (transformer, x) = walk.transformer(x, &TRANSFORMERS[index - 3])?;
                transformers.push(transformer);
            }
            let (lateral, map) = walk.lateral(x)?;
            laterals.push(lateral);
            lateral_maps.push(map);
        }
        let (levels, sum) = walk.levels(&lateral_maps)?;
        let (head, x) = walk.head(sum)?;
        let output = walk.output(x)?;
        Ok(Self { stem, bottlenecks, transformers, laterals, levels, head, output })
    }
}

/// A feature map: its tensor and its shape, which has been checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Map {
    pub id: TensorId,
    pub shape: MapShape,
}

/// A map's shape as a tensor has it.
pub(super) fn four(shape: MapShape) -> [usize; 4] {
    [1, shape.height, shape.width, shape.channels]
}

/// Takes the operators in the file's order.
pub(super) struct Walk<'g> {
    pub graph: &'g Graph<'g>,
    next: usize,
}

impl<'g> Walk<'g> {
    /// The next operator, which is of `kind` and whose output has the shape `output`.
    fn operator(&mut self, kind: Kind, output: &[usize]) -> Result<&'g Operator, MatteError> {
        let index = self.next;
        let Some(operator) = self.graph.operators.get(index) else {
            return Err(self.graph.other_network(format!("it has {index} operators only")));
        };
        if operator.kind != kind {
            let have = operator.kind;
            let reason = format!("operator {index} is {have:?} instead of {kind:?}");
            return Err(self.graph.other_network(reason));
        }
        self.expect_shape(operator.output, output)?;
        self.next += 1;
        Ok(operator)
    }

    /// As [`operator`](Self::operator); its input number `position` is `input`.
    pub fn operator_on(
        &mut self,
        kind: Kind,
        (position, input): (usize, TensorId),
        output: &[usize],
    ) -> Result<&'g Operator, MatteError> {
        let operator = self.operator(kind, output)?;
        if operator.inputs[position] == input {
            return Ok(operator);
        }
        let reason = format!("the {kind:?} of tensor {} is not of {input}", operator.output);
        Err(self.graph.other_network(reason))
    }

    /// The operator of `kind`, Add or Mul, on `a` and `b`; its output.
    pub fn binary(&mut self, kind: Kind, a: Map, b: TensorId) -> Result<Map, MatteError> {
        let operator = self.operator(kind, &four(a.shape))?;
        let inputs = [operator.inputs[0], operator.inputs[1]];
        if inputs == [a.id, b] || inputs == [b, a.id] {
            return Ok(Map { id: operator.output, ..a });
        }
        let reason = format!("the {kind:?} of tensor {} is of others", operator.output);
        Err(self.graph.other_network(reason))
    }

    pub fn expect_shape(&self, tensor: TensorId, want: &[usize]) -> Result<(), MatteError> {
        let have = &self.graph.tensors[tensor].shape;
        if have == want {
            return Ok(());
        }
        let reason = format!("tensor {tensor} has the shape {have:?} instead of {want:?}");
        Err(self.graph.other_network(reason))
    }

    /// A convolution with a square window of `side` pixels: its weights, its bias, its output.
    fn conv(
        &mut self,
        x: Map,
        (side, stride, outputs): (usize, usize, usize),
        activation: Activation,
    ) -> Result<(Vec<f32>, Vec<f32>, Map), MatteError> {
        let shape = MapShape { channels: outputs, ..strided(x.shape, stride) };
        let kind = Kind::Conv { stride, activation };
        let operator = self.operator_on(kind, (0, x.id), &four(shape))?;
        let weights_shape = [outputs, side, side, x.shape.channels];
        let weights = self.graph.constant(operator.inputs[1], &weights_shape)?;
        let bias = self.graph.constant(operator.inputs[2], &[outputs])?;
        Ok((weights, bias, Map { id: operator.output, shape }))
    }

    /// A 1x1 convolution.
    pub fn dense(
        &mut self,
        x: Map,
        outputs: usize,
        activation: Activation,
    ) -> Result<(Dense, Map), MatteError> {
        let (weights, bias, y) = self.conv(x, (1, 1, outputs), activation)?;
        Ok((Dense { inputs: x.shape.channels, outputs, weights, bias, activation }, y))
    }

    /// A 3x3 convolution with ReLU.
    pub fn window(
        &mut self,
        x: Map,
        stride: usize,
        outputs: usize,
    ) -> Result<(Window, Map), MatteError> {
        let activation = Activation::Relu;
        let (weights, bias, y) = self.conv(x, (3, stride, outputs), activation)?;
        Ok((Window { inputs: x.shape.channels, outputs, weights, bias, activation }, y))
    }

    /// A convolution of each channel by itself, with a square window of `side` pixels.
    fn depthwise(
        &mut self,
        x: Map,
        (side, stride): (usize, usize),
        activation: Activation,
    ) -> Result<(Depthwise, Map), MatteError> {
        let shape = strided(x.shape, stride);
        let kind = Kind::Depthwise { stride, activation };
        let operator = self.operator_on(kind, (0, x.id), &four(shape))?;
        let channels = shape.channels;
        let weights = self.graph.constant(operator.inputs[1], &[1, side, side, channels])?;
        let bias = self.graph.constant(operator.inputs[2], &[channels])?;
        let depthwise = Depthwise { stride, channels, weights, bias, activation };
        Ok((depthwise, Map { id: operator.output, shape }))
    }

    /// A factor and an offset for each channel, then a 1x1 convolution: one layer.
    fn lateral(&mut self, x: Map) -> Result<(Dense, Map), MatteError> {
        let (scale, y) = self.depthwise(x, (1, 1), Activation::None)?;
        let (dense, y) = self.dense(y, LEVEL_CHANNELS, Activation::None)?;
        Ok((dense.after_affine(&scale.weights, &scale.bias), y))
    }

    fn separable(
        &mut self,
        x: Map,
        outputs: usize,
        activation: Activation,
    ) -> Result<(Separable, Map), MatteError> {
        let (depthwise, y) = self.depthwise(x, (3, 1), activation)?;
        let (dense, y) = self.dense(y, outputs, activation)?;
        Ok((Separable { depthwise, dense }, y))
    }

    fn bottleneck(
        &mut self,
        x: Map,
        size: &BottleneckSize,
    ) -> Result<(Bottleneck, Map), MatteError> {
        let (expand, y) = self.dense(x, size.expanded, Activation::Relu)?;
        let (depthwise, y) = self.depthwise(y, (3, size.stride), Activation::Relu)?;
        let (project, mut y) = self.dense(y, size.outputs, Activation::None)?;
        if size.residual {
            y = self.binary(Kind::Add, y, x.id)?;
        }
        let (input, output, residual) = (x.shape, y.shape, size.residual);
        Ok((Bottleneck { input, output, expand, depthwise, project, residual }, y))
    }

    /// The decoder, coarsest map first: d = lateral + 2x the d before; its sum is that of all separable(d), brought to
    /// the size of the finest.
    fn levels(&mut self, laterals: &[Map]) -> Result<(Vec<Separable>, Map), MatteError> {
        let finest = laterals[0].shape;
        let mut levels = Vec::new();
        let mut enlarged = Vec::new();
        let mut coarser: Option<Map> = None;
        for (&lateral, side) in laterals.iter().zip(LEVEL_SIDES).rev() {
            let d = match coarser {
                None => lateral,
                Some(coarser) => {
                    let doubled = self.resize(Kind::Nearest, coarser, side)?;
                    self.binary(Kind::Add, doubled, lateral.id)?
                }
            };
            let (level, e) = self.separable(d, LEVEL_CHANNELS, Activation::None)?;
            levels.insert(0, level);
            enlarged.push(match side == finest.width {
                true => e,
                false => self.resize(Kind::Bilinear, e, finest.width)?,
            });
            coarser = Some(d);
        }
        let mut sum = enlarged.pop().expect("there are four levels");
        while let Some(next) = enlarged.pop() {
            sum = self.binary(Kind::Add, sum, next.id)?;
        }
        Ok((levels, sum))
    }

    fn resize(&mut self, kind: Kind, x: Map, side: usize) -> Result<Map, MatteError> {
        let shape = MapShape { height: side, width: side, ..x.shape };
        let operator = self.operator_on(kind, (0, x.id), &four(shape))?;
        Ok(Map { id: operator.output, shape })
    }

    fn head(&mut self, mut x: Map) -> Result<(Vec<Separable>, Map), MatteError> {
        let mut layers = Vec::new();
        for _ in 0..HEAD_LAYERS {
            let layer;
            (layer, x) = self.separable(x, HEAD_CHANNELS, Activation::Relu)?;
            layers.push(layer);
        }
        Ok((layers, x))
    }

    fn output(&mut self, x: Map) -> Result<Output, MatteError> {
        let channels = x.shape.channels;
        let shape = MapShape { height: 2 * x.shape.height, width: 2 * x.shape.width, channels };
        let operator = self.operator_on(Kind::TransposedConv, (2, x.id), &four(shape))?;
        let doubled = self.graph.constant(operator.inputs[1], &[channels, 2, 2, channels])?;
        let doubled_bias = self.graph.constant(operator.inputs[3], &[channels])?;
        let y = Map { id: operator.output, shape };
        let (classes, y) = self.dense(y, CLASSES, Activation::None)?;
        let count = self.graph.operators.len();
        if y.id != self.graph.output || self.next != count {
            let reason = format!("it goes on behind operator {} of {count}", self.next);
            return Err(self.graph.other_network(reason));
        }
        Ok(Output { doubled, doubled_bias, classes })
    }
}

/// The map that a window moved by `stride` pixels gives, whose sides are multiples of it.
fn strided(shape: MapShape, stride: usize) -> MapShape {
    MapShape { height: shape.height / stride, width: shape.width / stride, ..shape }
}
