//! The operators that the network has, and how they are read from its file.

use crate::kernels::Activation;
use crate::tflite::{
    Fault, OperatorKind, Table, code, other, read_convolution, read_no_activation,
};

/// The file as operators of the network.
pub(super) type Graph<'a> = crate::tflite::Graph<'a, MulticlassOperator>;

/// The operators of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MulticlassOperator {
    Conv {
        stride: usize,
        activation: Activation,
    },
    Depthwise {
        stride: usize,
        activation: Activation,
    },
    Add,
    Mul,
    Reshape,
    Transpose,
    /// Over the last axis.
    Softmax,
    Sum,
    /// RESIZE_BILINEAR with half-pixel centres.
    Bilinear,
    /// RESIZE_NEAREST_NEIGHBOR with half-pixel centres.
    Nearest,
    /// TRANSPOSE_CONV with stride 2.
    TransposedConv,
}

/// TFLite's number of ReLU among the activations; 0 is none.
const RELU: u8 = 1;

impl OperatorKind for MulticlassOperator {
    const FAMILY: &'static str = "MediaPipe selfie multiclass segmentation";

    fn read(table: Table<'_>, code: i32, _custom_name: &[u8]) -> Result<(Self, usize), Fault> {
        let kind = match code {
            code::CONV_2D => {
                let (stride, activation) = read_conv(table, [3, 4, 5])?;
                (Self::Conv { stride, activation }, 3)
            }
            code::DEPTHWISE_CONV_2D => {
                let (stride, activation) = read_conv(table, [4, 5, 6])?;
                (Self::Depthwise { stride, activation }, 3)
            }
            code::ADD => {
                read_no_activation(table, 0)?;
                (Self::Add, 2)
            }
            code::MUL => {
                read_no_activation(table, 0)?;
                (Self::Mul, 2)
            }
            code::RESHAPE => (Self::Reshape, 2),
            code::TRANSPOSE => (Self::Transpose, 2),
            code::SOFTMAX => {
                const WHAT: &str = "the options of SOFTMAX";
                let beta = match table.table(4, WHAT)? {
                    Some(options) => f32::from_bits(options.i32_or(0, 0, WHAT)?.cast_unsigned()),
                    None => 0.0,
                };
                if beta != 1.0 {
                    return other(format!("SOFTMAX with beta {beta}"));
                }
                (Self::Softmax, 1)
            }
            code::SUM => (Self::Sum, 2),
            code::RESIZE_BILINEAR => {
                read_half_pixel(table, 2)?;
                (Self::Bilinear, 2)
            }
            code::RESIZE_NEAREST_NEIGHBOR => {
                read_half_pixel(table, 0)?;
                (Self::Nearest, 2)
            }
            code::TRANSPOSE_CONV => {
                const WHAT: &str = "the options of TRANSPOSE_CONV";
                let Some(options) = table.table(4, WHAT)? else {
                    return other("TRANSPOSE_CONV without options");
                };
                let strides = (options.i32_or(1, 0, WHAT)?, options.i32_or(2, 0, WHAT)?);
                if strides != (2, 2) {
                    return other("a TRANSPOSE_CONV that does not double the size");
                }
                read_no_activation(table, 3)?;
                (Self::TransposedConv, 4)
            }
            code => return other(format!("TFLite operator {code} does not occur in the network")),
        };
        Ok(kind)
    }
}

fn read_conv(table: Table<'_>, fields: [usize; 3]) -> Result<(usize, Activation), Fault> {
    let options = read_convolution(table, fields, RELU)?;
    let activation = match options.activation {
        RELU => Activation::Relu,
        _ => Activation::None,
    };
    Ok((options.stride, activation))
}

/// That resizing is by half-pixel centres. Field number `field` of the options is `align_corners`; the next one is
/// `half_pixel_centers`.
fn read_half_pixel(table: Table<'_>, field: usize) -> Result<(), Fault> {
    const WHAT: &str = "the options of resizing";
    if let Some(options) = table.table(4, WHAT)? {
        let align_corners = options.u8_or(field, 0, WHAT)?;
        if (align_corners, options.u8_or(field + 1, 0, WHAT)?) == (0, 1) {
            return Ok(());
        }
    }
    other("resizing without half-pixel centres")
}
