//! Hostile JPEG frames.

use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};

use super::{MjpegData, MjpegDecoder};
use crate::DeviceError;

/// One frame of a stream that may be anything, on the camera's way.
///
/// What comes of it does not depend on the frame before nor on what was in the picture; it is
/// whole, of a plausible size and never asks for memory out of proportion; and the next good frame
/// is as ever.
pub(crate) fn decode(jpeg: &[u8]) {
    let good = grey_jpeg(33, 17);
    let mut first =
        Frame::new(PixelFormat::I420, SizePx::new(2, 2), Colour::WEBCAM).expect("the size is good");
    let mut decoder = MjpegDecoder::new().expect("there is memory for a decoder");
    let decoded = decoder.decode(MjpegData(jpeg), &mut first);
    check(jpeg, &decoded, &first);
    let planes_bytes = decoder.planes.capacity().max(decoder.completed.capacity());
    assert!(planes_bytes <= max_bytes(jpeg), "{planes_bytes} bytes for a frame of {}", jpeg.len());

    let mut reused =
        Frame::new(PixelFormat::I422, SizePx::new(97, 41), Colour::HD).expect("the size is good");
    reused.bytes_mut().fill(0xa5);
    let mut decoder = MjpegDecoder::new().expect("there is memory for a decoder");
    decoder.decode(MjpegData(&good), &mut reused).expect("a good frame is decoded");
    let reference = reused.clone();
    reused.bytes_mut().fill(0xa5);
    let again = decoder.decode(MjpegData(jpeg), &mut reused);
    assert_eq!(again.is_ok(), decoded.is_ok(), "{again:?} after a good frame, {decoded:?} alone");
    if decoded.is_ok() {
        assert_eq!((reused.format(), reused.size()), (first.format(), first.size()));
        assert!(reused.bytes() == first.bytes(), "it depends on what was there before");
    }
    decoder.decode(MjpegData(&good), &mut reused).expect("the next good frame is decoded");
    assert_eq!(reused.size(), reference.size());
    assert!(reused.bytes() == reference.bytes(), "something of it is in the next frame");
}

fn check(jpeg: &[u8], decoded: &Result<(), DeviceError>, frame: &Frame) {
    match decoded {
        Ok(()) => {
            assert!(matches!(frame.format(), PixelFormat::I420 | PixelFormat::I422));
            assert_eq!(frame.colour(), Colour::JPEG);
            let SizePx { width_px, height_px } = frame.size().checked().expect("it was checked");
            // The size is one that its bytes say.
            let [h1, h0] = (height_px as u16).to_be_bytes();
            let [w1, w0] = (width_px as u16).to_be_bytes();
            assert!(jpeg.windows(4).any(|four| four == [h1, h0, w1, w0]), "{}", frame.size());
        }
        Err(DeviceError::Broken { .. }) => {}
        Err(error) => panic!("one frame cannot end a stream: {error:?}"),
    }
    let frame_bytes = frame.bytes().len();
    assert!(frame_bytes <= max_bytes(jpeg), "{frame_bytes} bytes for a frame of {}", jpeg.len());
}

/// Four blocks of 64 samples a byte, at most three planes as large, rounded up to whole blocks.
fn max_bytes(jpeg: &[u8]) -> usize {
    jpeg.len() * 4 * 64 * 3 + 4096
}

/// The smallest of baseline JPEGs: one grey, no Huffman tables, as a webcam would send it.
pub(crate) fn grey_jpeg(width_px: u16, height_px: u16) -> Vec<u8> {
    let blocks = usize::from(width_px.div_ceil(8)) * usize::from(height_px.div_ceil(8));
    let ([h1, h0], [w1, w0]) = (height_px.to_be_bytes(), width_px.to_be_bytes());
    let mut jpeg = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    jpeg.extend([1; 64]);
    jpeg.extend([0xff, 0xc0, 0, 11, 8, h1, h0, w1, w0, 1, 1, 0x11, 0]);
    jpeg.extend([0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0]);
    // A block is "no difference" (00) and "end" (1010); what is left of the last byte is ones.
    let bit = |at: usize| at >= 6 * blocks || matches!(at % 6, 2 | 4);
    let byte = |at: usize| (8 * at..8 * at + 8).fold(0, |byte, at| byte << 1 | u8::from(bit(at)));
    jpeg.extend((0..(6 * blocks).div_ceil(8)).map(byte));
    jpeg.extend([0xff, 0xd9]);
    jpeg
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_good_frame_is_good() {
        for (width_px, height_px) in [(1, 1), (32, 24), (33, 17), (640, 480)] {
            let mut frame = Frame::new(PixelFormat::I422, SizePx::new(2, 2), Colour::HD).unwrap();
            let jpeg = grey_jpeg(width_px, height_px);
            MjpegDecoder::new().unwrap().decode(MjpegData(&jpeg), &mut frame).unwrap();
            assert_eq!(frame.size(), SizePx::new(width_px.into(), height_px.into()));
            assert!(frame.bytes().iter().all(|&sample| sample == 128));
        }
    }
}
