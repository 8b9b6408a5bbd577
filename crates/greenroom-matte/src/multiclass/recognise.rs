//! Makes a [`Network`] of a graph. The file is one file of one maker, so every operator is expected at its place in the
//! file's order, and every map and constant with its shape: whatever differs is refused, and how much memory is asked
//! for does not depend on the file.

mod transformer;

use super::network::{
    BOTTLENECKS, Bottleneck, BottleneckSize, CLASSES, Depthwise, HEAD_CHANNELS, HEAD_LAYERS,
    LEVEL_CHANNELS, LEVEL_SIDES, Network, Output, PICTURE, STEM, Separable, TRANSFORMERS, Window,
};
use super::operators::{Graph, MulticlassOperator};
use crate::MatteError;
use crate::dense::Dense;
use crate::kernels::Activation;
use crate::tflite::{MapShape, MapTensor, four};

impl Network {
    /// Reads the network from `graph`.
    ///
    /// # Errors
    /// [`MatteError::OtherNetwork`] with the first difference.
    pub fn recognise(graph: &Graph<'_>) -> Result<Self, MatteError> {
        let mut walk = Walk::new(graph);
        let picture = MapTensor { id: graph.input, shape: PICTURE };
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

/// Takes the operators in the file's order.
type Walk<'g> = crate::tflite::Walk<'g, MulticlassOperator>;

impl Walk<'_> {
    /// A convolution with a square window of `side` pixels: its weights, its bias, its output.
    fn conv(
        &mut self,
        x: MapTensor,
        (side, stride, outputs): (usize, usize, usize),
        activation: Activation,
    ) -> Result<(Vec<f32>, Vec<f32>, MapTensor), MatteError> {
        let shape = MapShape { channels: outputs, ..strided(x.shape, stride) };
        let kind = MulticlassOperator::Conv { stride, activation };
        let operator = self.operator_on(kind, (0, x.id), &four(shape))?;
        let weights_shape = [outputs, side, side, x.shape.channels];
        let weights = self.graph.constant(operator.inputs[1], &weights_shape)?;
        let bias = self.graph.constant(operator.inputs[2], &[outputs])?;
        Ok((weights, bias, MapTensor { id: operator.output, shape }))
    }

    /// A 1x1 convolution.
    pub fn dense(
        &mut self,
        x: MapTensor,
        outputs: usize,
        activation: Activation,
    ) -> Result<(Dense, MapTensor), MatteError> {
        let (weights, bias, y) = self.conv(x, (1, 1, outputs), activation)?;
        Ok((Dense { inputs: x.shape.channels, outputs, weights, bias, activation }, y))
    }

    /// A 3x3 convolution with ReLU.
    pub fn window(
        &mut self,
        x: MapTensor,
        stride: usize,
        outputs: usize,
    ) -> Result<(Window, MapTensor), MatteError> {
        let activation = Activation::Relu;
        let (weights, bias, y) = self.conv(x, (3, stride, outputs), activation)?;
        Ok((Window { inputs: x.shape.channels, outputs, weights, bias, activation }, y))
    }

    /// A convolution of each channel by itself, with a square window of `side` pixels.
    fn depthwise(
        &mut self,
        x: MapTensor,
        (side, stride): (usize, usize),
        activation: Activation,
    ) -> Result<(Depthwise, MapTensor), MatteError> {
        let shape = strided(x.shape, stride);
        let kind = MulticlassOperator::Depthwise { stride, activation };
        let operator = self.operator_on(kind, (0, x.id), &four(shape))?;
        let channels = shape.channels;
        let weights = self.graph.constant(operator.inputs[1], &[1, side, side, channels])?;
        let bias = self.graph.constant(operator.inputs[2], &[channels])?;
        let depthwise = Depthwise { stride, channels, weights, bias, activation };
        Ok((depthwise, MapTensor { id: operator.output, shape }))
    }

    /// A factor and an offset for each channel, then a 1x1 convolution: one layer.
    fn lateral(&mut self, x: MapTensor) -> Result<(Dense, MapTensor), MatteError> {
        let (scale, y) = self.depthwise(x, (1, 1), Activation::None)?;
        let (dense, y) = self.dense(y, LEVEL_CHANNELS, Activation::None)?;
        Ok((dense.after_affine(&scale.weights, &scale.bias), y))
    }

    fn separable(
        &mut self,
        x: MapTensor,
        outputs: usize,
        activation: Activation,
    ) -> Result<(Separable, MapTensor), MatteError> {
        let (depthwise, y) = self.depthwise(x, (3, 1), activation)?;
        let (dense, y) = self.dense(y, outputs, activation)?;
        Ok((Separable { depthwise, dense }, y))
    }

    fn bottleneck(
        &mut self,
        x: MapTensor,
        size: &BottleneckSize,
    ) -> Result<(Bottleneck, MapTensor), MatteError> {
        let (expand, y) = self.dense(x, size.expanded, Activation::Relu)?;
        let (depthwise, y) = self.depthwise(y, (3, size.stride), Activation::Relu)?;
        let (project, mut y) = self.dense(y, size.outputs, Activation::None)?;
        if size.residual {
            y = self.binary(MulticlassOperator::Add, y, x.id)?;
        }
        let (input, output, residual) = (x.shape, y.shape, size.residual);
        Ok((Bottleneck { input, output, expand, depthwise, project, residual }, y))
    }

    /// The decoder, coarsest map first: d = lateral + 2x the d before; its sum is that of all separable(d), brought to
    /// the size of the finest.
    fn levels(
        &mut self,
        laterals: &[MapTensor],
    ) -> Result<(Vec<Separable>, MapTensor), MatteError> {
        let finest = laterals[0].shape;
        let mut levels = Vec::new();
        let mut enlarged = Vec::new();
        let mut coarser: Option<MapTensor> = None;
        for (&lateral, side) in laterals.iter().zip(LEVEL_SIDES).rev() {
            let d = match coarser {
                None => lateral,
                Some(coarser) => {
                    let doubled = self.resize(MulticlassOperator::Nearest, coarser, side)?;
                    self.binary(MulticlassOperator::Add, doubled, lateral.id)?
                }
            };
            let (level, e) = self.separable(d, LEVEL_CHANNELS, Activation::None)?;
            levels.insert(0, level);
            enlarged.push(match side == finest.width {
                true => e,
                false => self.resize(MulticlassOperator::Bilinear, e, finest.width)?,
            });
            coarser = Some(d);
        }
        let mut sum = enlarged.pop().expect("there are four levels");
        while let Some(next) = enlarged.pop() {
            sum = self.binary(MulticlassOperator::Add, sum, next.id)?;
        }
        Ok((levels, sum))
    }

    fn resize(
        &mut self,
        kind: MulticlassOperator,
        x: MapTensor,
        side: usize,
    ) -> Result<MapTensor, MatteError> {
        let shape = MapShape { height: side, width: side, ..x.shape };
        let operator = self.operator_on(kind, (0, x.id), &four(shape))?;
        Ok(MapTensor { id: operator.output, shape })
    }

    fn head(&mut self, mut x: MapTensor) -> Result<(Vec<Separable>, MapTensor), MatteError> {
        let mut layers = Vec::new();
        for _ in 0..HEAD_LAYERS {
            let layer;
            (layer, x) = self.separable(x, HEAD_CHANNELS, Activation::Relu)?;
            layers.push(layer);
        }
        Ok((layers, x))
    }

    fn output(&mut self, x: MapTensor) -> Result<Output, MatteError> {
        let channels = x.shape.channels;
        let shape = MapShape { height: 2 * x.shape.height, width: 2 * x.shape.width, channels };
        let operator =
            self.operator_on(MulticlassOperator::TransposedConv, (2, x.id), &four(shape))?;
        let doubled = self.graph.constant(operator.inputs[1], &[channels, 2, 2, channels])?;
        let doubled_bias = self.graph.constant(operator.inputs[3], &[channels])?;
        let y = MapTensor { id: operator.output, shape };
        let (classes, y) = self.dense(y, CLASSES, Activation::None)?;
        self.finish(&[y.id])?;
        Ok(Output { doubled, doubled_bias, classes })
    }
}

/// The map that a window moved by `stride` pixels gives, whose sides are multiples of it.
fn strided(shape: MapShape, stride: usize) -> MapShape {
    MapShape { height: shape.height / stride, width: shape.width / stride, ..shape }
}
