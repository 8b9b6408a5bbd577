//! Reads a [`Graph`] from a TFLite file. The numbers of fields and operators are those of TFLite's
//! schema.

use super::flatbuffer::{Broken, File, Table, Vector};
use super::graph::{Element, Graph, Kind, Operator, Tensor, TensorId};
use crate::MatteError;

/// A map of the family has at most 256x256x16 values; one of more than this is not from it, and
/// nothing sized from a file can exhaust the memory.
const MAX_TENSOR_LEN: usize = 1 << 24;

/// Axes of a tensor and tensors of an operator: few, so that a file in which many tables share one
/// huge vector is refused at once.
const MAX_RANK: usize = 4;
const MAX_IDS: usize = 8;

/// Tensors, operators, codes and buffers of a file: the family has a few hundred. Without a limit
/// each four bytes of a file could ask for a hundred of memory.
const MAX_TABLES: usize = 4096;

/// TFLite's numbers of the operators in the file format.
mod code {
    pub const ADD: i32 = 0;
    pub const AVERAGE_POOL_2D: i32 = 1;
    pub const CONV_2D: i32 = 3;
    pub const DEPTHWISE_CONV_2D: i32 = 4;
    pub const DEQUANTIZE: i32 = 6;
    pub const LOGISTIC: i32 = 14;
    pub const MUL: i32 = 18;
    pub const RELU: i32 = 19;
    pub const RESIZE_BILINEAR: i32 = 23;
    pub const CUSTOM: i32 = 32;
    pub const MEAN: i32 = 40;
    pub const HARD_SWISH: i32 = 117;
}

/// Why a file could not be read as a graph, before the model's name is put to it.
enum Fault {
    Broken(Broken),
    Other(String),
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

fn other<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Other(reason.into()))
}

impl<'a> Graph<'a> {
    /// The graph in `bytes`; `model` is its name for messages.
    ///
    /// # Errors
    /// [`MatteError::NotAModel`], [`MatteError::DamagedModel`] or [`MatteError::OtherNetwork`].
    pub fn read(model: &'a str, bytes: &'a [u8]) -> Result<Self, MatteError> {
        if bytes.len() < 8 || &bytes[4..8] != b"TFL3" {
            let reason = match bytes.len() {
                0 => "it is empty".to_owned(),
                len => format!("the mark \"TFL3\" is missing at its start ({len} bytes)"),
            };
            return Err(MatteError::NotAModel { model: model.to_owned(), reason });
        }
        Self::read_graph(model, bytes).map_err(|fault| match fault {
            Fault::Broken(Broken { at_bytes, what }) => MatteError::DamagedModel {
                model: model.to_owned(),
                reason: format!(
                    "reading {what} at byte {at_bytes} leads outside its {} bytes",
                    bytes.len()
                ),
            },
            Fault::Other(reason) => MatteError::OtherNetwork { model: model.to_owned(), reason },
        })
    }

    fn read_graph(model: &'a str, bytes: &'a [u8]) -> Result<Self, Fault> {
        let root = File::new(bytes).root()?;
        let buffers = read_buffers(root)?;
        let codes = few(root.vector(1, 4, "the operator codes")?, "operator codes")?
            .iter_tables("an operator code")
            .map(|table| read_code(table?))
            .collect::<Result<Vec<_>, Fault>>()?;
        let subgraphs = root.vector(2, 4, "the subgraphs")?;
        if subgraphs.len() != 1 {
            return other(format!("it has {} subgraphs instead of 1", subgraphs.len()));
        }
        let subgraph = subgraphs.iter_tables("the subgraph").next().expect("its count is 1")?;
        let tensors = few(subgraph.vector(0, 4, "the tensors")?, "tensors")?
            .iter_tables("a tensor")
            .map(|table| read_tensor(table?, &buffers))
            .collect::<Result<Vec<_>, Fault>>()?;
        let count = tensors.len();
        let operators = few(subgraph.vector(3, 4, "the operators")?, "operators")?
            .iter_tables("an operator")
            .enumerate()
            .map(|(index, table)| read_operator(index, table?, &codes, count))
            .collect::<Result<Vec<_>, Fault>>()?;
        let input = one_id(subgraph.vector(1, 4, "the inputs")?, count, "input")?;
        let output = one_id(subgraph.vector(2, 4, "the outputs")?, count, "output")?;
        Ok(Self { model, tensors, operators, input, output })
    }
}

/// That there are not more tables than a network of the family could have.
fn few<'a>(tables: Vector<'a>, what: &str) -> Result<Vector<'a>, Fault> {
    if tables.len() > MAX_TABLES {
        return other(format!("it has {} {what}", tables.len()));
    }
    Ok(tables)
}

fn read_buffers(root: Table<'_>) -> Result<Vec<&[u8]>, Fault> {
    few(root.vector(4, 4, "the buffers")?, "buffers")?
        .iter_tables("a buffer")
        .map(|table| Ok(table?.vector(0, 1, "a buffer's data")?.as_bytes()))
        .collect()
}

/// The operator's number and, for a custom one, its name.
fn read_code(table: Table<'_>) -> Result<(i32, &[u8]), Fault> {
    // The number once was a byte; new files keep that up to date for old readers.
    let old = i32::from(table.u8_or(0, 0, "an operator code")?);
    let new = table.i32_or(3, 0, "an operator code")?;
    let name = table.vector(1, 1, "the name of a custom operator")?;
    Ok((old.max(new), name.as_bytes()))
}

fn read_tensor<'a>(table: Table<'_>, buffers: &[&'a [u8]]) -> Result<Tensor<'a>, Fault> {
    let mut len = 1_usize;
    let mut shape = Vec::with_capacity(4);
    let sides = table.vector(0, 4, "a tensor's shape")?;
    if sides.len() > MAX_RANK {
        return other(format!("it has a tensor with {} axes", sides.len()));
    }
    for side in sides.iter_i32() {
        let side = usize::try_from(side).unwrap_or(0);
        len = len.saturating_mul(side);
        shape.push(side);
    }
    if len > MAX_TENSOR_LEN {
        return other(format!("it has a tensor of the shape {shape:?}"));
    }
    let element = match table.u8_or(1, 0, "a tensor's type")? {
        0 => Element::F32,
        1 => Element::F16,
        _ => Element::Other,
    };
    let buffer = table.u32(2, "a tensor's buffer")? as usize;
    let Some(&data) = buffers.get(buffer) else {
        return other(format!("a tensor refers to buffer {buffer} of {}", buffers.len()));
    };
    Ok(Tensor { shape, element, data })
}

fn one_id(ids: Vector<'_>, count: usize, what: &str) -> Result<TensorId, Fault> {
    match read_ids(ids, count)?[..] {
        [id] => Ok(id),
        ref ids => other(format!("it has {} {what}s instead of 1", ids.len())),
    }
}

fn read_ids(ids: Vector<'_>, count: usize) -> Result<Vec<TensorId>, Fault> {
    if ids.len() > MAX_IDS {
        return other(format!("an operator refers to {} tensors", ids.len()));
    }
    ids.iter_i32()
        .map(|id| match usize::try_from(id) {
            Ok(id) if id < count => Ok(id),
            _ => other(format!("an operator refers to tensor {id} of {count}")),
        })
        .collect()
}

fn read_operator(
    index: usize,
    table: Table<'_>,
    codes: &[(i32, &[u8])],
    tensor_count: usize,
) -> Result<Operator, Fault> {
    let code = table.u32(0, "an operator's code")? as usize;
    let Some(&(code, custom_name)) = codes.get(code) else {
        return other(format!("operator {index} refers to code {code} of {}", codes.len()));
    };
    let inputs = read_ids(table.vector(1, 4, "an operator's inputs")?, tensor_count)?;
    let output = one_id(
        table.vector(2, 4, "an operator's outputs")?,
        tensor_count,
        "output of an operator",
    )?;
    let (kind, input_count) = read_kind(table, code, custom_name).map_err(|fault| match fault {
        Fault::Other(reason) => Fault::Other(format!("operator {index}: {reason}")),
        broken => broken,
    })?;
    if inputs.len() != input_count {
        return other(format!("operator {index} has {} inputs", inputs.len()));
    }
    Ok(Operator { kind, inputs, output })
}

/// The kind of an operator and the number of its inputs. Shapes are checked by the network.
fn read_kind(table: Table<'_>, code: i32, custom_name: &[u8]) -> Result<(Kind, usize), Fault> {
    let kind = match code {
        code::CONV_2D => {
            let stride = read_conv_options(table, [3, 4, 5])?;
            (Kind::Conv { stride }, 3)
        }
        code::DEPTHWISE_CONV_2D => {
            let stride = read_conv_options(table, [4, 5, 6])?;
            (Kind::Depthwise { stride }, 3)
        }
        code::RELU => (Kind::Relu, 1),
        code::HARD_SWISH => (Kind::HardSwish, 1),
        code::LOGISTIC => (Kind::Logistic, 1),
        code::ADD => (Kind::Add, 2),
        code::MUL => (Kind::Mul, 2),
        code::AVERAGE_POOL_2D => (Kind::GlobalMean, 1),
        code::MEAN => (Kind::GlobalMean, 2),
        code::RESIZE_BILINEAR => {
            let options = table.table(4, "the options of RESIZE_BILINEAR")?;
            let half_pixel = match options {
                Some(options) => {
                    options.u8_or(2, 0, "align_corners")? == 0
                        && options.u8_or(3, 0, "half_pixel_centers")? == 1
                }
                None => false,
            };
            if !half_pixel {
                return other("RESIZE_BILINEAR without half-pixel centres");
            }
            (Kind::Double, 2)
        }
        code::DEQUANTIZE => (Kind::Dequantize, 1),
        code::CUSTOM if custom_name == b"Convolution2DTransposeBias" => {
            // Three numbers: padding (1 = SAME), stride across, stride down.
            let options = table.vector(5, 1, "the options of the transposed convolution")?;
            if options.as_bytes() != [1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0] {
                return other("a transposed convolution that does not double the size");
            }
            (Kind::TransposedConv, 3)
        }
        code::CUSTOM => {
            let name = String::from_utf8_lossy(&custom_name[..custom_name.len().min(40)]);
            return other(format!("unknown custom operator {name:?}"));
        }
        code => return other(format!("TFLite operator {code} does not occur in the family")),
    };
    Ok(kind)
}

/// The stride of a convolution without activation and dilation. `fields` are the numbers of the
/// activation and of both dilations. The padding is not read: of a 1x1 window it says nothing, and
/// of a larger one the shape of the output, which the network checks, tells SAME from VALID.
fn read_conv_options(table: Table<'_>, fields: [usize; 3]) -> Result<usize, Fault> {
    const WHAT: &str = "the options of a convolution";
    let Some(options) = table.table(4, WHAT)? else { return other("convolution without options") };
    let [activation, dilation_x, dilation_y] = fields;
    let plain = options.u8_or(activation, 0, WHAT)? == 0
        && options.i32_or(dilation_x, 1, WHAT)? == 1
        && options.i32_or(dilation_y, 1, WHAT)? == 1;
    match (options.i32_or(1, 0, WHAT)?, options.i32_or(2, 0, WHAT)?) {
        (1, 1) if plain => Ok(1),
        (2, 2) if plain => Ok(2),
        (x, y) => other(format!("convolution with stride {x}x{y} or other unknown options")),
    }
}
