//! The operators that a network of the selfie family has, and how they are read from its file.

use crate::tflite::{Fault, OperatorKind, Table, code, other, read_convolution};

/// The file as operators of the family.
pub(super) type Graph<'a> = crate::tflite::Graph<'a, SelfieOperator>;

/// One of them.
pub(super) type Operator = crate::tflite::Operator<SelfieOperator>;

/// The operators of the family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SelfieOperator {
    Conv {
        stride: usize,
    },
    Depthwise {
        stride: usize,
    },
    Relu,
    HardSwish,
    Logistic,
    Add,
    Mul,
    /// MEAN over rows and columns, or AVERAGE_POOL_2D of the whole map.
    GlobalMean,
    /// RESIZE_BILINEAR by 2 with half-pixel centres.
    Double,
    /// Convolution2DTransposeBias, 2x2 with stride 2.
    TransposedConv,
    /// Widens a float16 constant.
    Dequantize,
}

impl OperatorKind for SelfieOperator {
    const FAMILY: &'static str = "MediaPipe selfie segmentation";

    fn read(table: Table<'_>, code: i32, custom_name: &[u8]) -> Result<(Self, usize), Fault> {
        let kind = match code {
            code::CONV_2D => {
                let stride = read_convolution(table, [3, 4, 5], 0)?.stride;
                (SelfieOperator::Conv { stride }, 3)
            }
            code::DEPTHWISE_CONV_2D => {
                let stride = read_convolution(table, [4, 5, 6], 0)?.stride;
                (SelfieOperator::Depthwise { stride }, 3)
            }
            code::RELU => (SelfieOperator::Relu, 1),
            code::HARD_SWISH => (SelfieOperator::HardSwish, 1),
            code::LOGISTIC => (SelfieOperator::Logistic, 1),
            code::ADD => (SelfieOperator::Add, 2),
            code::MUL => (SelfieOperator::Mul, 2),
            code::AVERAGE_POOL_2D => (SelfieOperator::GlobalMean, 1),
            code::MEAN => (SelfieOperator::GlobalMean, 2),
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
                (SelfieOperator::Double, 2)
            }
            code::DEQUANTIZE => (SelfieOperator::Dequantize, 1),
            code::CUSTOM if custom_name == b"Convolution2DTransposeBias" => {
                // Three numbers: padding (1 = SAME), stride across, stride down.
                let options = table.vector(5, 1, "the options of the transposed convolution")?;
                if options.as_bytes() != [1, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0] {
                    return other("a transposed convolution that does not double the size");
                }
                (SelfieOperator::TransposedConv, 3)
            }
            code::CUSTOM => {
                let name = String::from_utf8_lossy(&custom_name[..custom_name.len().min(40)]);
                return other(format!("unknown custom operator {name:?}"));
            }
            code => return other(format!("TFLite operator {code} does not occur in the family")),
        };
        Ok(kind)
    }

    fn is_dequantize(self) -> bool {
        self == Self::Dequantize
    }
}
