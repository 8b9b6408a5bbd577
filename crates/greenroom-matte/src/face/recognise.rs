//! Makes a [`Network`] of a graph. The file is one file of one maker, so every operator is expected at its place in the
//! file's order, and every map and constant with its shape: whatever differs is refused, and how much memory is asked
//! for does not depend on the file.

use super::network::{
    ANCHORS, ANSWER_LEN, BLOCKS, Block, BlockSize, COORDINATES, HEADS, HeadSize, Network, PICTURE,
    STEM, STEM_WINDOW,
};
use super::operators::{FaceOperator, Graph};
use crate::MatteError;
use crate::kernels::{Activation, Depthwise, Pointwise};
use crate::tflite::{MapShape, MapTensor, TensorId, four};

impl Network {
    /// Reads the network from `graph`.
    ///
    /// # Errors
    /// [`MatteError::OtherNetwork`] with the first difference.
    pub fn recognise(graph: &Graph<'_>) -> Result<Self, MatteError> {
        let mut walk = Walk::new(graph);
        let picture = MapTensor { id: graph.input, shape: PICTURE };
        walk.expect_shape(picture.id, &four(PICTURE))?;
        let (weights, bias, x) = walk.conv(picture, (STEM_WINDOW, 2, STEM.channels))?;
        let inputs = STEM_WINDOW * STEM_WINDOW * PICTURE.channels;
        let stem = Pointwise::new((inputs, STEM.channels), &weights, &bias, Activation::Relu);
        let mut x = walk.relu(x)?;
        let (mut blocks, mut outputs) = (Vec::new(), Vec::new());
        for size in &BLOCKS {
            let block;
            (block, x) = walk.block(x, size)?;
            blocks.push(block);
            outputs.push(x);
        }
        let heads = walk.heads(HEADS.each_ref().map(|head| outputs[head.block]))?;
        Ok(Self { stem, blocks, heads })
    }
}

/// Takes the operators in the file's order.
type Walk<'g> = crate::tflite::Walk<'g, FaceOperator>;

impl Walk<'_> {
    /// A convolution with a square window of `side` pixels: its weights `[outputs][side][side][inputs]`, its bias, its
    /// output.
    fn conv(
        &mut self,
        x: MapTensor,
        (side, stride, outputs): (usize, usize, usize),
    ) -> Result<(Vec<f32>, Vec<f32>, MapTensor), MatteError> {
        let shape = MapShape { channels: outputs, ..strided(x.shape, stride) };
        let operator = self.operator_on(FaceOperator::Conv { stride }, (0, x.id), &four(shape))?;
        let weights_shape = [outputs, side, side, x.shape.channels];
        let weights = self.graph.constant(operator.inputs[1], &weights_shape)?;
        let bias = self.graph.constant(operator.inputs[2], &[outputs])?;
        Ok((weights, bias, MapTensor { id: operator.output, shape }))
    }

    fn relu(&mut self, x: MapTensor) -> Result<MapTensor, MatteError> {
        let operator = self.operator_on(FaceOperator::Relu, (0, x.id), &four(x.shape))?;
        Ok(MapTensor { id: operator.output, ..x })
    }

    fn depthwise(
        &mut self,
        x: MapTensor,
        stride: usize,
    ) -> Result<(Depthwise, MapTensor), MatteError> {
        let shape = strided(x.shape, stride);
        let operator =
            self.operator_on(FaceOperator::Depthwise { stride }, (0, x.id), &four(shape))?;
        let channels = shape.channels;
        let weights = self.graph.constant(operator.inputs[1], &[1, 3, 3, channels])?;
        let bias = self.graph.constant(operator.inputs[2], &[channels])?;
        let padded = eights(channels);
        let weights = pad_rows(&weights, channels, padded);
        let bias = pad_rows(&bias, channels, padded);
        let size = (3, stride, padded);
        let depthwise = Depthwise::new(size, &weights, &bias, Activation::None, false);
        Ok((depthwise, MapTensor { id: operator.output, shape }))
    }

    fn block(&mut self, x: MapTensor, size: &BlockSize) -> Result<(Block, MapTensor), MatteError> {
        let (depthwise, y) = self.depthwise(x, size.stride)?;
        // The file pools before the dense layer, and pads after it.
        let mut shortcut = x;
        if size.stride == 2 {
            let operator = self.operator_on(FaceOperator::MaxPool, (0, x.id), &four(y.shape))?;
            shortcut = MapTensor { id: operator.output, shape: y.shape };
        }
        let (weights, bias, y) = self.conv(y, (1, 1, size.outputs))?;
        let missing = size.outputs - x.shape.channels;
        if missing > 0 {
            let operator = self.operator_on(FaceOperator::Pad, (0, shortcut.id), &four(y.shape))?;
            // Before and after, along each axis.
            let margins = [0, 0, 0, 0, 0, 0, 0, missing as i32];
            self.graph.expect_integers(operator.inputs[1], &margins)?;
            shortcut = MapTensor { id: operator.output, shape: y.shape };
        }
        let y = self.binary(FaceOperator::Add, shortcut, y.id)?;
        let y = self.relu(y)?;
        let dense = pack(x.shape.channels, &weights, &bias, Activation::Relu);
        let block = Block { input: padded(x.shape), output: padded(y.shape), depthwise, dense };
        Ok((block, y))
    }

    /// The layers at the end, on `maps`, and how the file strings their outputs together.
    fn heads(&mut self, maps: [MapTensor; 2]) -> Result<Vec<Pointwise>, MatteError> {
        let (scores, scores_maps) = self.head_layers(maps, 1)?;
        let (boxes, boxes_maps) = self.head_layers(maps, COORDINATES)?;
        let scores_lists = self.lists(scores_maps, 1)?;
        let boxes_lists = self.lists(boxes_maps, COORDINATES)?;
        let scores_list = self.concatenate(scores_lists, 1)?;
        let boxes_list = self.concatenate(boxes_lists, COORDINATES)?;
        self.finish(&[boxes_list, scores_list])?;
        let layers = HEADS.iter().zip(scores.iter().zip(&boxes));
        Ok(layers.map(|(size, (scores, boxes))| pack_head(size, scores, boxes)).collect())
    }

    /// For each head the weights and the bias of the layer that gives `values` of each anchor, and its output.
    fn head_layers(
        &mut self,
        maps: [MapTensor; 2],
        values: usize,
    ) -> Result<([Layer; 2], [TensorId; 2]), MatteError> {
        let (mut layers, mut ids) = ([(); 2].map(|()| Layer::default()), [0; 2]);
        for (index, (head, map)) in HEADS.iter().zip(maps).enumerate() {
            let (weights, bias, y) = self.conv(map, (1, 1, head.anchors * values))?;
            layers[index] = Layer { weights, bias };
            ids[index] = y.id;
        }
        Ok((layers, ids))
    }

    /// The maps `ids`, as lists of anchors with `values` each.
    fn lists(&mut self, ids: [TensorId; 2], values: usize) -> Result<[TensorId; 2], MatteError> {
        let mut lists = [0; 2];
        for ((list, id), HeadSize { side, anchors, .. }) in lists.iter_mut().zip(ids).zip(&HEADS) {
            let shape = [1, side * side * anchors, values];
            *list = self.operator_on(FaceOperator::Reshape, (0, id), &shape)?.output;
        }
        Ok(lists)
    }

    fn concatenate(&mut self, lists: [TensorId; 2], values: usize) -> Result<TensorId, MatteError> {
        let shape = [1, ANCHORS, values];
        let operator = self.operator_on(FaceOperator::Concatenate, (0, lists[0]), &shape)?;
        if *operator.inputs == lists {
            return Ok(operator.output);
        }
        let reason = format!("the Concatenate of tensor {} is of others", operator.output);
        Err(self.graph.other_network(reason))
    }
}

/// A layer of a head as the file has it.
#[derive(Default)]
struct Layer {
    /// `[outputs][inputs]`
    weights: Vec<f32>,
    bias: Vec<f32>,
}

/// The map that a window moved by `stride` pixels gives, whose sides are multiples of it.
fn strided(shape: MapShape, stride: usize) -> MapShape {
    MapShape { height: shape.height / stride, width: shape.width / stride, ..shape }
}

/// A number of channels as the kernels want it.
fn eights(channels: usize) -> usize {
    channels.next_multiple_of(8)
}

fn padded(shape: MapShape) -> MapShape {
    MapShape { channels: eights(shape.channels), ..shape }
}

/// Rows of `from` values, each followed by zeros until it has `to` values.
fn pad_rows(rows: &[f32], from: usize, to: usize) -> Vec<f32> {
    let zeros = std::iter::repeat_n(0.0, to - from);
    rows.chunks_exact(from).flat_map(|row| row.iter().copied().chain(zeros.clone())).collect()
}

/// A layer from weights `[outputs][inputs]`, with zeros for the channels that the kernels want and the file lacks.
fn pack(inputs: usize, weights: &[f32], bias: &[f32], activation: Activation) -> Pointwise {
    let (padded_inputs, padded_outputs) = (eights(inputs), eights(bias.len()));
    let mut weights = pad_rows(weights, inputs, padded_inputs);
    weights.resize(padded_inputs * padded_outputs, 0.0);
    let bias = pad_rows(bias, bias.len(), padded_outputs);
    Pointwise::new((padded_inputs, padded_outputs), &weights, &bias, activation)
}

/// Both layers of a head as one: for each anchor its score and its box.
fn pack_head(size: &HeadSize, scores: &Layer, boxes: &Layer) -> Pointwise {
    let (mut weights, mut bias) = (Vec::new(), Vec::new());
    for anchor in 0..size.anchors {
        let first = anchor * COORDINATES;
        let coordinates = first..first + ANSWER_LEN - 1;
        bias.push(scores.bias[anchor]);
        bias.extend_from_slice(&boxes.bias[coordinates.clone()]);
        weights.extend_from_slice(&scores.weights[anchor * size.inputs..][..size.inputs]);
        let rows = coordinates.start * size.inputs..coordinates.end * size.inputs;
        weights.extend_from_slice(&boxes.weights[rows]);
    }
    pack(size.inputs, &weights, &bias, Activation::None)
}
