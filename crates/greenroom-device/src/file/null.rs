//! The sink for whoever wants the work and not the result: soaks, measurements.

use greenroom_frame::FrameView;

use super::planes::check_frame;
use crate::{DeviceError, Sink, SinkMode};

/// Takes every frame at once and keeps nothing.
#[derive(Debug)]
struct NullSink {
    mode: SinkMode,
}

/// A sink called `null` that takes frames of exactly `mode`, at any speed, and keeps nothing.
pub fn open_null_sink(mode: SinkMode) -> Box<dyn Sink> {
    Box::new(NullSink { mode })
}

impl Sink for NullSink {
    fn name(&self) -> &str {
        "null"
    }

    fn mode(&self) -> SinkMode {
        self.mode
    }

    fn write(&mut self, frame: FrameView<'_>) -> Result<(), DeviceError> {
        Ok(check_frame(frame, self.mode)?)
    }

    fn is_recording(&self) -> bool {
        true
    }

    fn finish(self: Box<Self>) -> Result<(), DeviceError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};

    use super::*;
    use crate::FrameRate;

    #[test]
    fn it_takes_its_own_frames_and_no_others() {
        let (format, size, colour) = (PixelFormat::Yuyv, SizePx::new(64, 48), Colour::WEBCAM);
        let rate = FrameRate::new(30, 1).unwrap();
        let mode = SinkMode { format, size, rate, colour };
        let mut sink = open_null_sink(mode);
        assert_eq!((sink.name(), sink.mode()), ("null", mode));
        for _ in 0..3 {
            sink.write(Frame::new(format, size, colour).unwrap().view()).unwrap();
        }
        let other = Frame::new(PixelFormat::Uyvy, size, colour).unwrap();
        assert!(matches!(sink.write(other.view()), Err(DeviceError::Frame(_))));
        sink.finish().unwrap();
    }
}
