use greenroom_frame::{Plane, SizePx};

/// Pixels of one chunk of an answer.
const CHUNK_PX: usize = 16 << 10;

/// From this alpha on a pixel is the person: half, rounded up.
const PERSON: u8 = 128;

/// Who is the person, a bit a pixel: a client that does not fetch its answer costs an eighth of it.
#[derive(Debug)]
pub(super) struct Mask {
    bits: Vec<u8>,
    area_px: usize,
}

impl Mask {
    /// `alpha`'s rows one behind the other, the highest bit first.
    pub(super) fn from_alpha(alpha: Plane<'_>, size: SizePx) -> Self {
        let area_px = size.area_px() as usize;
        let mut bits = Vec::with_capacity(area_px.div_ceil(8));
        // A frame of its own has no padding, so that all of it is one row.
        debug_assert_eq!(alpha.data().len(), area_px);
        for pixels in alpha.data().chunks(8) {
            let byte = pixels.iter().fold(0, |byte, &alpha| byte << 1 | u8::from(alpha >= PERSON));
            bits.push(byte << (8 - pixels.len()));
        }
        Self { bits, area_px }
    }

    pub(super) fn area_px(&self) -> usize {
        self.area_px
    }

    /// One byte of 0 or 1 for each of the next pixels from `at_px` on, which is a multiple of 8;
    /// `None` at the end.
    pub(super) fn chunk(&self, at_px: usize) -> Option<Vec<u8>> {
        let len_px = (self.area_px.checked_sub(at_px)?).min(CHUNK_PX);
        if len_px == 0 {
            return None;
        }
        debug_assert!(at_px.is_multiple_of(8));
        let bits = &self.bits[at_px / 8..(at_px + len_px).div_ceil(8)];
        let mut chunk = Vec::with_capacity(bits.len() * 8);
        for byte in bits {
            chunk.extend_from_slice(&std::array::from_fn::<u8, 8, _>(|bit| byte >> (7 - bit) & 1));
        }
        chunk.truncate(len_px);
        Some(chunk)
    }
}

#[cfg(test)]
mod tests {
    use greenroom_frame::{Colour, Frame, PixelFormat};

    use super::*;

    #[test]
    fn bytes_come_back_as_they_went_in() {
        for size in [SizePx::new(1, 1), SizePx::new(7, 3), SizePx::new(333, 201)] {
            let mut alpha = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
            for (at, byte) in alpha.bytes_mut().iter_mut().enumerate() {
                *byte = (at * at * 31) as u8;
            }
            let mask = Mask::from_alpha(alpha.view().plane(0), size);
            let mut seen = Vec::new();
            while let Some(chunk) = mask.chunk(seen.len()) {
                seen.extend(chunk);
            }
            let wanted: Vec<u8> = alpha.bytes().iter().map(|&a| u8::from(a >= 128)).collect();
            assert_eq!(seen, wanted, "{size}");
        }
    }
}
