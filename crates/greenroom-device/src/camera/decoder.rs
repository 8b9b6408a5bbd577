use std::time::Instant;

use greenroom_frame::{Frame, FrameError, FrameView, PixelFormat, unpack};

use crate::{Codec, DeviceError, MjpegData, MjpegDecoder};

/// What a camera has put into a buffer.
#[derive(Debug, Clone, Copy)]
pub enum CameraBytes<'a> {
    /// Samples.
    Raw(FrameView<'a>),
    /// A JPEG, and when it was captured.
    Mjpeg(MjpegData<'a>, Instant),
}

/// Whether a picture came out of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// It did.
    Whole,
    /// The JPEG is damaged, and why: to be counted and passed over.
    Damaged(String),
}

/// Makes planar frames of what is in a camera's buffers, whichever way they come: V4L2 or PipeWire.
///
/// [`take`](Self::take) copies or unpacks, after which the buffer can be given back; [`decode`](Self::decode) does the
/// rest. So a camera waits for no decoder, and nobody can change under it what it has checked.
#[derive(Debug, Default)]
pub struct CameraDecoder {
    mjpeg: Option<MjpegDecoder>,
    jpeg: Vec<u8>,
    /// When the JPEG that was taken and not decoded yet was captured.
    taken: Option<Instant>,
}

impl CameraDecoder {
    /// A decoder that has nothing to decode yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Gets memory for frames of `codec` in buffers of `buffer_bytes`.
    ///
    /// # Errors
    /// When libjpeg-turbo cannot be set up (no memory).
    pub fn prepare(&mut self, codec: Codec, buffer_bytes: usize) -> Result<(), DeviceError> {
        self.taken = None;
        if codec == Codec::Mjpeg {
            if self.mjpeg.is_none() {
                self.mjpeg = Some(MjpegDecoder::new()?);
            }
            self.jpeg.clear();
            self.jpeg.reserve(buffer_bytes);
        }
        Ok(())
    }

    /// Takes what is in a buffer: unpacks samples into `into`, with colour and time of capture, or copies a JPEG.
    ///
    /// # Errors
    /// [`FrameError::BadSize`].
    pub fn take(&mut self, bytes: CameraBytes<'_>, into: &mut Frame) -> Result<(), FrameError> {
        self.taken = None;
        match bytes {
            CameraBytes::Raw(view) => unpack_colour(view, into),
            CameraBytes::Mjpeg(MjpegData(bytes), captured_at) => {
                self.jpeg.clear();
                self.jpeg.extend_from_slice(bytes);
                self.taken = Some(captured_at);
                Ok(())
            }
        }
    }

    /// Decodes what was taken into `into`, unless it is there already.
    ///
    /// # Errors
    /// [`DeviceError::Unsupported`] for a stream of a kind of JPEG that no camera sends; when libjpeg-turbo cannot be set
    /// up.
    pub fn decode(&mut self, into: &mut Frame) -> Result<Decoded, DeviceError> {
        let Some(captured_at) = self.taken.take() else { return Ok(Decoded::Whole) };
        let decoder = match &mut self.mjpeg {
            Some(decoder) => decoder,
            none => none.insert(MjpegDecoder::new()?),
        };
        match decoder.decode(MjpegData(&self.jpeg), into) {
            Ok(()) => {}
            Err(DeviceError::Broken { why, .. }) => {
                return Ok(Decoded::Damaged(format!("{} bytes: {why}", self.jpeg.len())));
            }
            Err(error) => return Err(error),
        }
        into.set_captured_at(captured_at);
        Ok(Decoded::Whole)
    }
}

/// As [`unpack`], but grey becomes 4:2:0 without colour: a [`Source`](crate::Source) delivers
/// colour.
pub(super) fn unpack_colour(from: FrameView<'_>, into: &mut Frame) -> Result<(), FrameError> {
    if from.format() != PixelFormat::Grey {
        return unpack(from, into);
    }
    into.reshape(PixelFormat::I420, from.size(), from.colour())?;
    into.set_captured_at(from.captured_at());
    let mut to = into.view_mut();
    let [mut y, mut u, mut v] = to.yuv_mut();
    for (from, to) in from.plane(0).iter_rows().zip(y.iter_rows_mut()) {
        to.copy_from_slice(from);
    }
    u.fill(128);
    v.fill(128);
    Ok(())
}

#[cfg(test)]
mod tests {
    use greenroom_frame::{Colour, FrameLayout, SizePx};

    use super::*;

    #[test]
    fn grey_becomes_colourless_yuv() {
        let size = SizePx::new(4, 3);
        let layout = FrameLayout::with_stride(PixelFormat::Grey, size, 6).unwrap();
        let samples: Vec<u8> = (0..18).collect();
        let view = FrameView::new(layout, Colour::JPEG, Instant::now(), &samples).unwrap();
        let mut frame = Frame::new(PixelFormat::I422, SizePx::new(2, 2), Colour::HD).unwrap();
        let mut decoder = CameraDecoder::new();
        decoder.take(CameraBytes::Raw(view), &mut frame).unwrap();
        assert_eq!(decoder.decode(&mut frame).unwrap(), Decoded::Whole);
        assert_eq!((frame.format(), frame.size()), (PixelFormat::I420, size));
        assert_eq!(frame.colour(), Colour::JPEG);
        assert_eq!(&frame.bytes()[..12], [0, 1, 2, 3, 6, 7, 8, 9, 12, 13, 14, 15]);
        assert!(frame.bytes()[12..].iter().all(|sample| *sample == 128));
    }

    #[test]
    fn a_damaged_jpeg_is_no_picture_and_no_error() {
        let mut frame = Frame::new(PixelFormat::I422, SizePx::new(2, 2), Colour::HD).unwrap();
        let mut decoder = CameraDecoder::new();
        decoder.prepare(Codec::Mjpeg, 100).unwrap();
        let bytes = CameraBytes::Mjpeg(MjpegData(&[0xff, 0xd8, 7]), Instant::now());
        decoder.take(bytes, &mut frame).unwrap();
        assert!(matches!(decoder.decode(&mut frame).unwrap(), Decoded::Damaged(_)));
    }
}
