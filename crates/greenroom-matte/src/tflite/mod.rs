//! Reads a [`Graph`] from a TFLite file, for every engine of ours. The numbers of fields and operators are those of
//! TFLite's schema. Which operators a network may have is said by an [`OperatorKind`].

pub(crate) mod code;
mod fault;
mod flatbuffer;
mod graph;
mod operator_kind;
mod walk;

pub(crate) use self::fault::{Fault, other};
pub(crate) use self::flatbuffer::Table;
use self::flatbuffer::{Broken, File, Vector};
use self::graph::{Element, Tensor};
pub(crate) use self::graph::{Graph, MapShape, Operator, TensorId};
pub(crate) use self::operator_kind::OperatorKind;
pub(crate) use self::walk::{MapTensor, Walk, four};
use crate::MatteError;

/// A map of our networks has at most 128x128x384 values; one of more than this is not from them, and
/// nothing sized from a file can exhaust the memory.
const MAX_TENSOR_LEN: usize = 1 << 24;

/// Axes of a tensor and tensors of an operator: few, so that a file in which many tables share one
/// huge vector is refused at once.
const MAX_RANK: usize = 4;
const MAX_IDS: usize = 8;

/// Tensors, operators, codes and buffers of a file: our networks have a few hundred. Without a limit
/// each four bytes of a file could ask for a hundred of memory.
const MAX_TABLES: usize = 4096;

impl<'a, K: OperatorKind> Graph<'a, K> {
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
            Fault::Other(reason) => {
                MatteError::OtherNetwork { model: model.to_owned(), family: K::FAMILY, reason }
            }
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
        let outputs = read_ids(subgraph.vector(2, 4, "the outputs")?, count)?;
        if outputs.len() != K::OUTPUTS {
            return other(format!("it has {} outputs instead of {}", outputs.len(), K::OUTPUTS));
        }
        Ok(Self { model, tensors, operators, input, outputs })
    }
}

/// That there are not more tables than one of our networks could have.
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
        2 => Element::I32,
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

fn read_operator<K: OperatorKind>(
    index: usize,
    table: Table<'_>,
    codes: &[(i32, &[u8])],
    tensor_count: usize,
) -> Result<Operator<K>, Fault> {
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
    let (kind, input_count) = K::read(table, code, custom_name).map_err(|fault| match fault {
        Fault::Other(reason) => Fault::Other(format!("operator {index}: {reason}")),
        broken => broken,
    })?;
    if inputs.len() != input_count {
        return other(format!("operator {index} has {} inputs", inputs.len()));
    }
    Ok(Operator { kind, inputs, output })
}

/// The options of a convolution without dilation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ConvolutionOptions {
    /// 1 or 2, the same both ways.
    pub stride: usize,
    /// TFLite's number of the activation: 0 is none, 1 is ReLU.
    pub activation: u8,
}

/// Reads the options of a convolution. `fields` are the numbers of the activation and of both dilations. Activations
/// above `last_activation` are refused. The padding is not read: of a 1x1 window it says nothing, and of a larger one
/// the shape of the output, which the network checks, tells SAME from VALID.
pub(crate) fn read_convolution(
    table: Table<'_>,
    fields: [usize; 3],
    last_activation: u8,
) -> Result<ConvolutionOptions, Fault> {
    const WHAT: &str = "the options of a convolution";
    let Some(options) = table.table(4, WHAT)? else { return other("convolution without options") };
    let [activation, dilation_x, dilation_y] = fields;
    let activation = options.u8_or(activation, 0, WHAT)?;
    let plain = activation <= last_activation
        && options.i32_or(dilation_x, 1, WHAT)? == 1
        && options.i32_or(dilation_y, 1, WHAT)? == 1;
    match (options.i32_or(1, 0, WHAT)?, options.i32_or(2, 0, WHAT)?) {
        (1, 1) if plain => Ok(ConvolutionOptions { stride: 1, activation }),
        (2, 2) if plain => Ok(ConvolutionOptions { stride: 2, activation }),
        (x, y) => other(format!("convolution with stride {x}x{y} or other unknown options")),
    }
}

/// That the operator's activation, field number `field` of its options, is none.
pub(crate) fn read_no_activation(table: Table<'_>, field: usize) -> Result<(), Fault> {
    const WHAT: &str = "the options of an operator";
    let activation = match table.table(4, WHAT)? {
        Some(options) => options.u8_or(field, 0, WHAT)?,
        None => 0,
    };
    if activation == 0 {
        return Ok(());
    }
    other(format!("an activation {activation} where none should be"))
}
