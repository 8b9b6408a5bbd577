use std::time::Instant;

use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};

use super::request_thread::Fault;

/// A server's mask as an alpha.
#[derive(Debug, Default)]
pub(super) struct MaskFrame(Option<Frame>);

impl MaskFrame {
    /// Takes over `mask` of a frame that was taken then, a byte for each pixel of `size`, 0 or 1. What it
    /// shows is not looked at.
    pub(super) fn fill(
        &mut self,
        size: SizePx,
        mask: &[u8],
        captured_at: Instant,
    ) -> Result<(), Fault> {
        if mask.len() as u64 != size.area_px() {
            return Err(Fault::WrongLength { have: mask.len() as u64, want: size.area_px() });
        }
        if let Some(&value) = mask.iter().find(|&&value| value > 1) {
            return Err(Fault::NotAMask(value));
        }
        let frame = match &mut self.0 {
            Some(frame) => frame,
            none => none.insert(new_frame(size)?),
        };
        let reshaped = frame.reshape(PixelFormat::Grey, size, Colour::JPEG);
        reshaped.map_err(|error| Fault::Ours(error.to_string()))?;
        frame.bytes_mut().iter_mut().zip(mask).for_each(|(alpha, value)| *alpha = value * 255);
        frame.set_captured_at(captured_at);
        Ok(())
    }

    /// The alpha of the last one.
    pub(super) fn alpha(&self) -> Option<&Frame> {
        self.0.as_ref()
    }

    /// The same, to be cut.
    pub(super) fn alpha_mut(&mut self) -> Option<&mut Frame> {
        self.0.as_mut()
    }
}

fn new_frame(size: SizePx) -> Result<Frame, Fault> {
    Frame::new(PixelFormat::Grey, size, Colour::JPEG)
        .map_err(|error| Fault::Ours(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_masks_are_believed() {
        let mut mask = MaskFrame::default();
        let size = SizePx::new(2, 2);
        for (bytes, needle) in [
            (&[][..], "0 bytes"),
            (&[0, 1, 0], "3 bytes"),
            (&[0, 1, 0, 1, 0], "5 bytes"),
            (&[0, 1, 255, 0], "255"),
        ] {
            let error = mask.fill(size, bytes, Instant::now()).unwrap_err().to_string();
            assert!(error.contains(needle), "{error}");
            assert!(mask.alpha().is_none());
        }
        mask.fill(size, &[0, 1, 0, 1], Instant::now()).unwrap();
        assert_eq!(mask.alpha().unwrap().bytes(), [0, 255, 0, 255]);
        mask.fill(SizePx::new(3, 1), &[0, 0, 1], Instant::now()).unwrap();
        assert_eq!(mask.alpha().unwrap().bytes(), [0, 0, 255]);
    }
}
