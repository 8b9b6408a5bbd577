//! The operators that the network has, and how they are read from its file.

use crate::tflite::{
    Fault, OperatorKind, Table, code, other, read_convolution, read_no_activation,
};

/// The file as operators of the network.
pub(super) type Graph<'a> = crate::tflite::Graph<'a, FaceOperator>;

/// The operators of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FaceOperator {
    Conv {
        stride: usize,
    },
    Depthwise {
        stride: usize,
    },
    Relu,
    Add,
    Pad,
    /// MAX_POOL_2D of 2x2 pixels with stride 2.
    MaxPool,
    Reshape,
    /// CONCATENATION along the second axis.
    Concatenate,
    /// Widens a float16 constant.
    Dequantize,
}

impl OperatorKind for FaceOperator {
    const FAMILY: &'static str = "MediaPipe short-range face detection";
    const OUTPUTS: usize = 2;

    fn read(table: Table<'_>, code: i32, _custom_name: &[u8]) -> Result<(Self, usize), Fault> {
        let kind = match code {
            code::CONV_2D => {
                let stride = read_convolution(table, [3, 4, 5], 0)?.stride;
                (Self::Conv { stride }, 3)
            }
            code::DEPTHWISE_CONV_2D => {
                let stride = read_convolution(table, [4, 5, 6], 0)?.stride;
                (Self::Depthwise { stride }, 3)
            }
            code::RELU => (Self::Relu, 1),
            code::ADD => {
                read_no_activation(table, 0)?;
                (Self::Add, 2)
            }
            code::PAD => (Self::Pad, 2),
            code::MAX_POOL_2D => {
                read_max_pool(table)?;
                (Self::MaxPool, 1)
            }
            code::RESHAPE => (Self::Reshape, 1),
            code::CONCATENATION => {
                const WHAT: &str = "the options of CONCATENATION";
                let axis = match table.table(4, WHAT)? {
                    Some(options) => options.i32_or(0, 0, WHAT)?,
                    None => 0,
                };
                if axis != 1 {
                    return other(format!("CONCATENATION along axis {axis}"));
                }
                read_no_activation(table, 1)?;
                (Self::Concatenate, 2)
            }
            code::DEQUANTIZE => (Self::Dequantize, 1),
            code => return other(format!("TFLite operator {code} does not occur in the network")),
        };
        Ok(kind)
    }

    fn is_dequantize(self) -> bool {
        self == Self::Dequantize
    }
}

/// That a MAX_POOL_2D is one of 2x2 pixels with stride 2. The padding says nothing where all sides are even.
fn read_max_pool(table: Table<'_>) -> Result<(), Fault> {
    const WHAT: &str = "the options of MAX_POOL_2D";
    let Some(options) = table.table(4, WHAT)? else { return other("MAX_POOL_2D without options") };
    for field in 1..=4 {
        if options.i32_or(field, 0, WHAT)? != 2 {
            return other("a MAX_POOL_2D of other than 2x2 pixels with stride 2");
        }
    }
    read_no_activation(table, 5)
}
