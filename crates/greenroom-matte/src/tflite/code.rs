//! TFLite's numbers of the operators in the file format.

pub const ADD: i32 = 0;
pub const AVERAGE_POOL_2D: i32 = 1;
pub const CONCATENATION: i32 = 2;
pub const CONV_2D: i32 = 3;
pub const DEPTHWISE_CONV_2D: i32 = 4;
pub const DEQUANTIZE: i32 = 6;
pub const LOGISTIC: i32 = 14;
pub const MAX_POOL_2D: i32 = 17;
pub const MUL: i32 = 18;
pub const RELU: i32 = 19;
pub const RESHAPE: i32 = 22;
pub const RESIZE_BILINEAR: i32 = 23;
pub const SOFTMAX: i32 = 25;
pub const CUSTOM: i32 = 32;
pub const PAD: i32 = 34;
pub const TRANSPOSE: i32 = 39;
pub const MEAN: i32 = 40;
pub const TRANSPOSE_CONV: i32 = 67;
pub const SUM: i32 = 74;
pub const RESIZE_NEAREST_NEIGHBOR: i32 = 97;
pub const HARD_SWISH: i32 = 117;
