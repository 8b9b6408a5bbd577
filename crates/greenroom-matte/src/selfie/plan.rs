//! From the network as the file has it to layers in the kernels' order, with the algebra that
//! saves work:
//!
//! * A 1x1 convolution commutes with bilinear doubling (both are linear, one along channels, one
//!   along pixels), so a decoder's `project` runs on a quarter of the pixels.
//! * Its `merge` is 1x1 as well: merge(g·skip + double(project x)) = (merge·g) skip +
//!   double((merge·project) x). So merge·project is one layer, made here.
//! * Doubling keeps the mean, so the gate's mean of skip + double(project x) is
//!   mean(skip) + project(mean(x)), without a pass over the large map.
//! * A gate multiplies channels, so it goes into the weights of the layer behind it.

use super::network::{self, Network, Skip};
use crate::Isa;
use crate::dense::Dense;
use crate::kernels::{Activation, Depthwise, Pointwise, Quadruple, Stem};
use crate::tflite::MapShape;

/// A gate, ready to run.
#[derive(Debug)]
pub(super) struct Gate {
    pub squeeze: Option<Pointwise>,
    pub excite: Pointwise,
}

/// A layer whose inputs are multiplied by a gate's factors.
#[derive(Debug)]
pub(super) struct Gated {
    pub plain: Pointwise,
    /// `plain` times the factors of the current picture, or `plain` itself where nothing gates.
    pub current: Pointwise,
}

#[derive(Debug)]
pub(super) struct Bottleneck {
    pub input: MapShape,
    /// The output of the depthwise convolution.
    pub inner: MapShape,
    pub output: MapShape,
    pub expand: Pointwise,
    pub depthwise: Depthwise,
    pub project: Project,
    pub residual: bool,
    /// Whether anyone asks for the mean of the output.
    pub means_wanted: bool,
}

/// The last layer of a bottleneck.
#[derive(Debug)]
pub(super) enum Project {
    Plain(Pointwise),
    Gated(Box<(Gate, Gated)>),
}

impl Project {
    /// The layer that is run, whatever gates it.
    pub fn layer(&self) -> &Pointwise {
        match self {
            Self::Plain(layer) => layer,
            Self::Gated(both) => &both.1.current,
        }
    }
}

#[derive(Debug)]
pub(super) struct Head {
    pub input: MapShape,
    pub expand: Pointwise,
    pub gate: Gate,
}

#[derive(Debug)]
pub(super) struct Decoder {
    pub skip: Skip,
    pub output: MapShape,
    /// x -> merge·project x, on the small map. Gated only in the first decoder, by the head.
    pub small: Gated,
    /// mean(x) -> project(mean(x)).
    pub mean: Pointwise,
    pub gate: Gate,
    /// skip -> (merge·g) skip; its addend is the doubled small map.
    pub merge: Gated,
    /// Adds its input: v + depthwise(v).
    pub depthwise: Depthwise,
}

#[derive(Debug)]
pub(super) struct Plan {
    pub picture: MapShape,
    pub stem: Stem,
    pub stem_output: MapShape,
    pub bottlenecks: Vec<Bottleneck>,
    pub head: Head,
    pub decoders: Vec<Decoder>,
    pub output: Quadruple,
}

impl Plan {
    /// Packs `network`. Every length was checked when it was recognised.
    ///
    /// Where `isa` multiplies bf16, all layers do but the gates' and the last one. Against floats in the stem and in most layers that
    /// expand, the mean IoU of all sets in docs/cut.md goes from 0.9609 to 0.9610, and that of the 19 rooms from 0.9643 to 0.9638
    /// (one of them from 0.904 to 0.896).
    pub fn new(network: &Network, isa: Isa) -> Self {
        let wanted = |index| {
            let skip = Skip::Bottleneck(index);
            network.decoders.iter().any(|decoder| decoder.skip == skip)
                || index + 1 == network.bottlenecks.len()
        };
        let bottlenecks = network.bottlenecks.iter().enumerate();
        let output = &network.output;
        Self {
            picture: network.stem.input,
            stem: pack_stem(&network.stem, isa),
            stem_output: network.stem.output,
            bottlenecks: bottlenecks
                .map(|(index, b)| Bottleneck::new(b, wanted(index), isa))
                .collect(),
            head: Head {
                input: network.head.input,
                expand: network.head.expand.pack_in_pairs(isa),
                gate: Gate::new(&network.head.gate),
            },
            decoders: network.decoders.iter().map(|d| Decoder::new(d, isa)).collect(),
            output: Quadruple::new(output.input.channels, &output.weights, output.bias),
        }
    }
}

fn pack_stem(stem: &network::Stem, isa: Isa) -> Stem {
    Stem::new(stem.output.channels, &stem.weights, &stem.bias, stem.activation, isa)
}

fn pack_depthwise(depthwise: &network::Depthwise, adds_input: bool) -> Depthwise {
    let network::Depthwise { window, stride, channels, ref weights, ref bias, activation } =
        *depthwise;
    Depthwise::new((window, stride, channels), weights, bias, activation, adds_input)
}

impl Gate {
    fn new(gate: &network::Gate) -> Self {
        Self { squeeze: gate.squeeze.as_ref().map(Dense::pack), excite: gate.excite.pack() }
    }

    /// Number of means that go in.
    pub fn inputs(&self) -> usize {
        self.squeeze.as_ref().unwrap_or(&self.excite).inputs()
    }
}

impl Gated {
    fn new(dense: &Dense, isa: Isa) -> Self {
        Self { plain: dense.pack(), current: dense.pack_in_pairs(isa) }
    }
}

impl Bottleneck {
    fn new(b: &network::Bottleneck, means_wanted: bool, isa: Isa) -> Self {
        let project = match &b.gate {
            None => Project::Plain(b.project.pack_in_pairs(isa)),
            Some(gate) => Project::Gated(Box::new((Gate::new(gate), Gated::new(&b.project, isa)))),
        };
        Self {
            input: b.input,
            inner: MapShape { channels: b.depthwise.channels, ..b.output },
            output: b.output,
            expand: b.expand.pack_in_pairs(isa),
            depthwise: pack_depthwise(&b.depthwise, false),
            project,
            residual: b.residual,
            means_wanted,
        }
    }
}

impl Decoder {
    fn new(d: &network::Decoder, isa: Isa) -> Self {
        let unbiased = Dense { bias: vec![0.0; d.merge.outputs], ..d.merge.clone() };
        let small = Dense { activation: Activation::None, ..d.merge.after(&d.project) };
        Self {
            skip: d.skip,
            output: d.output,
            small: Gated::new(&small, isa),
            mean: d.project.pack(),
            gate: Gate::new(&d.gate),
            merge: Gated::new(&unbiased, isa),
            depthwise: pack_depthwise(&d.depthwise, true),
        }
    }
}
