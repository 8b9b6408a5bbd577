//! From the network as the file has it to layers in the kernels' order, with the algebra that saves 15 % of the
//! multiplications:
//!
//! * Two 1x1 convolutions without an activation between them are one. So an attention's `down` and `up` become one
//!   layer, and a transformer's last layer goes into the layers behind it.
//! * A factor and an offset for each channel go into the weights of the layer behind them.
//! * The shares of an attention add up to 1, so Σ share · key(n) = key(Σ share · n): `key` runs on one pixel for each
//!   place of a patch instead of on all pixels.
//! * The last two layers, a transposed and a 1x1 convolution, are one 1x1 convolution to the logits of 2x2 pixels.

use super::network::{self, CLASSES, HEAD_CHANNELS, Network};
use crate::Isa;
use crate::dense::Dense;
use crate::kernels::{Activation, Depthwise, Pointwise, Stem};
use crate::ring::Padding;
use crate::tflite::MapShape;

/// Its maps are those of the file, as of [`Transformer`]; with pictures of another size they have another size.
#[derive(Debug)]
pub(super) struct Bottleneck {
    pub input: MapShape,
    pub output: MapShape,
    pub expand: Pointwise,
    pub depthwise: Depthwise,
    pub project: Pointwise,
    pub residual: bool,
}

/// See [`network::Attention`]; scale and offset are in the weights.
#[derive(Debug)]
pub(super) struct Attention {
    pub score: Vec<f32>,
    pub score_bias: f32,
    pub key: Pointwise,
    pub value: Pointwise,
    /// x + down(up(n)).
    pub forward: Pointwise,
    pub output: Pointwise,
}

#[derive(Debug)]
pub(super) struct Transformer {
    /// The map that the attentions work on.
    pub map: MapShape,
    /// 3x3.
    pub window: Pointwise,
    pub first: Pointwise,
    pub attentions: Vec<Attention>,
}

#[derive(Debug)]
pub(super) struct Separable {
    pub depthwise: Depthwise,
    pub dense: Pointwise,
}

#[derive(Debug)]
pub(super) struct Plan {
    pub stem: Stem,
    pub bottlenecks: Vec<Bottleneck>,
    pub transformers: Vec<Transformer>,
    pub laterals: Vec<Pointwise>,
    pub levels: Vec<Separable>,
    pub head: Vec<Separable>,
    /// `[2 rows][2 columns][CLASSES]` outputs.
    pub classes: Pointwise,
}

impl Plan {
    /// Packs `network`. Every length was checked when it was recognised.
    ///
    /// Where `isa` multiplies bf16, bottlenecks and windows do, which are nine tenths of all products. The stem, the attentions and the
    /// decoder stay in floats: they cost little, and rounding them moved the mask of a room.
    pub fn new(network: &Network, isa: Isa) -> Self {
        let [first, second] = &network.transformers[..] else {
            unreachable!("two transformers were recognised")
        };
        // A transformer's last layer goes into what takes its output: a bottleneck (of the first) and a lateral.
        let bottlenecks = network.bottlenecks.iter().enumerate().map(|(index, b)| match index {
            4 => Bottleneck::new(b, &b.expand.after(&first.last), isa),
            _ => Bottleneck::new(b, &b.expand, isa),
        });
        let laterals = network.laterals.iter().enumerate().map(|(index, lateral)| match index {
            2 => lateral.after(&first.last).pack(),
            3 => lateral.after(&second.last).pack(),
            _ => lateral.pack(),
        });
        let stem = &network.stem;
        let in_floats = isa.in_floats();
        Self {
            stem: Stem::new(stem.outputs, &stem.weights, &stem.bias, stem.activation, in_floats),
            bottlenecks: bottlenecks.collect(),
            transformers: network.transformers.iter().map(|t| Transformer::new(t, isa)).collect(),
            laterals: laterals.collect(),
            levels: network.levels.iter().map(Separable::new).collect(),
            head: network.head.iter().map(Separable::new).collect(),
            classes: output(&network.output).pack(),
        }
    }
}

/// Both last layers as one, from a pixel to `[2 rows][2 columns][CLASSES]`.
fn output(output: &network::Output) -> Dense {
    let network::Output { doubled, doubled_bias, classes } = output;
    let (mut weights, mut bias) = (Vec::new(), Vec::new());
    for tap in 0..4 {
        // `[outputs][inputs]` of this one of the 2x2 pixels.
        let rows = doubled.chunks_exact(HEAD_CHANNELS).skip(tap).step_by(4);
        let tap = Dense {
            inputs: HEAD_CHANNELS,
            outputs: HEAD_CHANNELS,
            weights: rows.flatten().copied().collect(),
            bias: doubled_bias.clone(),
            activation: Activation::None,
        };
        let logits = classes.after(&tap);
        weights.extend(logits.weights);
        bias.extend(logits.bias);
    }
    let activation = Activation::None;
    Dense { inputs: HEAD_CHANNELS, outputs: 4 * CLASSES, weights, bias, activation }
}

fn pack_depthwise(depthwise: &network::Depthwise) -> Depthwise {
    let network::Depthwise { stride, channels, weights, bias, activation } = depthwise;
    Depthwise::new((3, *stride, *channels), weights, bias, *activation, false)
}

impl Bottleneck {
    fn new(b: &network::Bottleneck, expand: &Dense, isa: Isa) -> Self {
        Self {
            input: MapShape { channels: expand.inputs, ..b.input },
            output: b.output,
            expand: expand.pack_in_pairs(isa),
            depthwise: pack_depthwise(&b.depthwise),
            project: b.project.pack_in_pairs(isa),
            residual: b.residual,
        }
    }
}

impl Bottleneck {
    /// The expanded map of a map of the size of `input`, and the padding of its 3x3 window, both ways, because the sides
    /// of its maps are even.
    pub fn expanded(&self, input: MapShape) -> (MapShape, Padding) {
        let map = MapShape { channels: self.expand.outputs(), ..input };
        (map, Padding::same(3, self.depthwise.stride(), input.width))
    }
}

impl Transformer {
    fn new(t: &network::Transformer, isa: Isa) -> Self {
        let network::Window { inputs, outputs, weights, bias, activation } = &t.window;
        Self {
            map: MapShape { channels: t.first.outputs, ..t.input },
            window: Pointwise::new((9 * inputs, *outputs), weights, bias, *activation)
                .in_pairs(isa),
            first: t.first.pack(),
            attentions: t.attentions.iter().map(Attention::new).collect(),
        }
    }
}

impl Attention {
    fn new(a: &network::Attention) -> Self {
        let of_x = |layer: &Dense| layer.after_affine(&a.scale, &a.offset);
        let mut forward = of_x(&a.down.after(&a.up));
        let channels = forward.inputs;
        for channel in 0..channels {
            forward.weights[channel * channels + channel] += 1.0;
        }
        let score = of_x(&a.score);
        Self {
            score: score.weights,
            score_bias: score.bias[0],
            key: of_x(&a.key).pack(),
            value: of_x(&a.value).pack(),
            forward: forward.pack(),
            output: a.output.pack(),
        }
    }
}

impl Separable {
    fn new(s: &network::Separable) -> Self {
        Self { depthwise: pack_depthwise(&s.depthwise), dense: s.dense.pack() }
    }
}
