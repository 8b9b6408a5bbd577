//! Rounds the weights of a network to as many bits as a 16-bit float has, which halves their size in a package.

#[allow(dead_code, reason = "the library reads more of a file than its weights")]
#[path = "../src/tflite/flatbuffer.rs"]
mod flatbuffer;

use self::flatbuffer::{Broken, File};

/// `TensorType::FLOAT32` of TFLite's schema.
const FLOAT32: u8 = 0;

/// Bits of a 32-bit float's fraction that a 16-bit float has not.
const DROPPED_BITS: u32 = 23 - 10;

/// The TFLite file `bytes` with each 32-bit float among its weights rounded to 11 significant bits, half to even. Their
/// range stays that of a 32-bit float: nothing becomes zero, and nothing infinite but the very largest numbers.
///
/// # Errors
/// If an offset leads outside the file.
pub fn weights(bytes: &[u8]) -> Result<Vec<u8>, Broken> {
    let root = File::new(bytes).root()?;
    let buffers: Vec<_> = root
        .vector(4, 4, "the buffers")?
        .iter_tables("a buffer")
        .map(|table| Ok(table?.vector(0, 1, "a buffer's data")?.as_bytes()))
        .collect::<Result<_, Broken>>()?;
    let mut rounded = bytes.to_vec();
    for subgraph in root.vector(2, 4, "the subgraphs")?.iter_tables("a subgraph") {
        for tensor in subgraph?.vector(0, 4, "the tensors")?.iter_tables("a tensor") {
            let tensor = tensor?;
            let buffer = buffers.get(tensor.u32(2, "a tensor's buffer")? as usize);
            let (Some(data), FLOAT32) = (buffer, tensor.u8_or(1, FLOAT32, "a tensor's type")?)
            else {
                continue;
            };
            // Where the slice lies in the file. An absent buffer is an empty slice somewhere.
            let start = data.as_ptr().addr().wrapping_sub(bytes.as_ptr().addr());
            let (values, _) =
                rounded.get_mut(start..start + data.len()).unwrap_or_default().as_chunks_mut();
            for value in values {
                *value = round(u32::from_le_bytes(*value)).to_le_bytes();
            }
        }
    }
    Ok(rounded)
}

/// The bits of a float, rounded. A carry goes into the exponent, as it should; not a number and infinity stay.
fn round(bits: u32) -> u32 {
    const EXPONENT: u32 = 0x7f80_0000;
    if bits & EXPONENT == EXPONENT {
        return bits;
    }
    let is_odd = (bits >> DROPPED_BITS) & 1;
    (bits + (1 << (DROPPED_BITS - 1)) - 1 + is_odd) & !((1 << DROPPED_BITS) - 1)
}
