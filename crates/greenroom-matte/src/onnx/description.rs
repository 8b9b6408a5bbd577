use greenroom_frame::SizePx;

use crate::{ChannelOrder, Layout, Normalisation, OutputMeaning};

/// How an ONNX file is to be fed and read.
#[derive(Debug, Clone, PartialEq)]
pub struct OnnxDescription {
    /// Name for logs and messages.
    pub name: String,
    /// SPDX expression of the weights' licence, if known.
    pub licence: Option<String>,
    /// Where the picture goes in.
    pub input: OnnxInput,
    /// Where the person comes out.
    pub output: OnnxOutput,
    /// What a run hands to the next one.
    pub recurrent: Vec<Recurrence>,
    /// Inputs that are the same in every run.
    pub constants: Vec<Constant>,
}

/// The input that takes the picture: four axes, the batch is 1, three channels of `f32`.
#[derive(Debug, Clone, PartialEq)]
pub struct OnnxInput {
    /// Name in the file.
    pub name: String,
    /// Size of the picture; may be left out where the file fixes it.
    pub size: Option<SizePx>,
    /// Order of the axes.
    pub layout: Layout,
    /// Which channel comes first.
    pub channel_order: ChannelOrder,
    /// From RGB in 0..=1 to the values the model was trained on.
    pub normalisation: Normalisation,
}

/// The output that tells where the person is: `f32`, of 2 to 4 axes.
#[derive(Debug, Clone, PartialEq)]
pub struct OnnxOutput {
    /// Name in the file.
    pub name: String,
    /// Order of the axes, where there are four.
    pub layout: Layout,
    /// What a value says.
    pub meaning: OutputMeaning,
    /// Which channel to read where there are several that are no scores of classes.
    pub channel: Option<usize>,
    /// From here on it is the person; else the value is the alpha. The edge is a tenth wide.
    pub threshold: Option<f32>,
    /// The lowest value of a picture becomes 0 and the highest 1.
    pub min_max: bool,
    /// The centres of the map's corner values are the corners of the picture, as in networks whose
    /// sides are a multiple of the stride plus one; else the corners of those values are.
    pub align_corners: bool,
}

/// A network's memory: what comes out of `output` goes into `input` of the next run; zeros before
/// the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recurrence {
    /// Name of the input.
    pub input: String,
    /// Name of the output.
    pub output: String,
}

/// An input that is the same in every run.
#[derive(Debug, Clone, PartialEq)]
pub struct Constant {
    /// Name of the input.
    pub name: String,
    /// Its values, in the file's order.
    pub values: Vec<f32>,
}
