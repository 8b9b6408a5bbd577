//! A network as a list of operators and the tensors between them.

use std::fmt;

use super::operator_kind::OperatorKind;
use crate::MatteError;

/// Number of a tensor.
pub(crate) type TensorId = usize;

/// One operator.
#[derive(Debug, Clone)]
pub(crate) struct Operator<K> {
    pub kind: K,
    pub inputs: Vec<TensorId>,
    pub output: TensorId,
}

/// What the elements of a tensor are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    F32,
    F16,
    I32,
    Other,
}

#[derive(Debug)]
pub(crate) struct Tensor<'a> {
    pub shape: Vec<usize>,
    pub element: Element,
    /// The values of a constant; empty for a tensor that is computed.
    pub data: &'a [u8],
}

/// Rows, columns and channels of a feature map; the batch is 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct MapShape {
    pub height: usize,
    pub width: usize,
    pub channels: usize,
}

impl MapShape {
    /// Number of pixels.
    pub fn pixels(self) -> usize {
        self.height * self.width
    }

    /// Number of values.
    pub fn len(self) -> usize {
        self.pixels() * self.channels
    }
}

impl fmt::Display for MapShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}x{}", self.height, self.width, self.channels)
    }
}

/// The network as the file has it.
#[derive(Debug)]
pub(crate) struct Graph<'a, K> {
    /// The model's name, for messages.
    pub model: &'a str,
    pub tensors: Vec<Tensor<'a>>,
    pub operators: Vec<Operator<K>>,
    pub input: TensorId,
    /// As many as [`OperatorKind::OUTPUTS`] says.
    pub outputs: Vec<TensorId>,
}

impl<K: OperatorKind> Graph<'_, K> {
    /// "This is another network, because".
    pub fn other_network(&self, reason: impl Into<String>) -> MatteError {
        MatteError::OtherNetwork {
            model: self.model.to_owned(),
            family: K::FAMILY,
            reason: reason.into(),
        }
    }

    /// The shape of `tensor`, if it is a feature map.
    pub fn map(&self, tensor: TensorId) -> Result<MapShape, MatteError> {
        match *self.tensors[tensor].shape {
            [1, height, width, channels] if height * width * channels > 0 => {
                Ok(MapShape { height, width, channels })
            }
            ref shape => {
                Err(self.other_network(format!("tensor {tensor} has the shape {shape:?}")))
            }
        }
    }

    /// The values of a constant of `shape`, widened to 32 bits.
    pub fn constant(&self, tensor: TensorId, shape: &[usize]) -> Result<Vec<f32>, MatteError> {
        let source = self
            .operators
            .iter()
            .find(|operator| operator.kind.is_dequantize() && operator.output == tensor)
            .map_or(tensor, |dequantize| dequantize.inputs[0]);
        let Tensor { shape: have, element, data } = &self.tensors[source];
        let wrong = |what: String| self.other_network(format!("constant {tensor} {what}"));
        if have != shape {
            return Err(wrong(format!("has the shape {have:?} instead of {shape:?}")));
        }
        let values: Vec<f32> = match element {
            Element::F32 => data.as_chunks().0.iter().map(|&le| f32::from_le_bytes(le)).collect(),
            Element::F16 => {
                data.as_chunks().0.iter().map(|&le| widen(u16::from_le_bytes(le))).collect()
            }
            Element::I32 | Element::Other => {
                return Err(wrong("is neither float32 nor float16".to_owned()));
            }
        };
        let want = shape.iter().product::<usize>();
        if values.len() != want {
            return Err(wrong(format!("has {} values instead of {want}", values.len())));
        }
        if values.iter().any(|value| !value.is_finite()) {
            return Err(wrong("holds a value that is not a number".to_owned()));
        }
        Ok(values)
    }

    /// That the constant `tensor` holds these 32-bit integers.
    pub fn expect_integers(&self, tensor: TensorId, want: &[i32]) -> Result<(), MatteError> {
        let Tensor { element, data, .. } = &self.tensors[tensor];
        let have = data.as_chunks().0.iter().map(|&le| i32::from_le_bytes(le));
        if *element == Element::I32 && data.len() == 4 * want.len() && have.eq(want.iter().copied())
        {
            return Ok(());
        }
        Err(self.other_network(format!("constant {tensor} is not {want:?}")))
    }
}

/// A float16 as float32; exact.
fn widen(half: u16) -> f32 {
    let sign = if half & 0x8000 == 0 { 1.0 } else { -1.0 };
    let exponent = i32::from(half >> 10 & 0x1f);
    let fraction = f32::from(half & 0x3ff);
    let magnitude = match exponent {
        0 => fraction * 2.0_f32.powi(-24),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        _ => (1024.0 + fraction) * 2.0_f32.powi(exponent - 25),
    };
    sign * magnitude
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_widen_exactly() {
        for (half, value) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_95),
            (0x7bff, 65504.0),
            (0x0001, 5.960_464_5e-8),
            (0x0400, 6.103_515_6e-5),
            (0xfc00, f32::NEG_INFINITY),
        ] {
            assert_eq!(widen(half), value, "{half:#x}");
        }
        assert!(widen(0x7c01).is_nan());
    }
}
