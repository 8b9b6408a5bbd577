use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};

use crate::{AlphaMap, InputTensor, Layout, MatteError};

/// What the engine is fed in one of its sizes, and what comes out.
#[derive(Debug)]
pub(crate) struct Look {
    pub input: InputTensor,
    pub output: AlphaMap,
    /// The output, in bytes.
    pub alpha: Frame,
}

impl Look {
    pub(crate) fn new(input: SizePx, output: SizePx, layout: Layout) -> Result<Self, MatteError> {
        Ok(Self {
            input: InputTensor::of_size(input, layout),
            output: AlphaMap::of_size(output),
            alpha: Frame::new(PixelFormat::Grey, output, Colour::JPEG)?,
        })
    }

    /// Makes `alpha` what `output` is.
    pub(crate) fn round(&mut self) {
        for (byte, value) in self.alpha.bytes_mut().iter_mut().zip(self.output.values()) {
            // `max` turns a NaN into 0, which is room. To the nearest: of floats from 2^23 on, the
            // lowest bits are the whole part; `as u8` is not made into vectors.
            *byte = ((value.max(0.0) * 255.0).min(255.0) + 8_388_608.0).to_bits() as u8;
        }
    }
}
