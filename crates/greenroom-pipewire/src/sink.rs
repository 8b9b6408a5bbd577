use std::os::fd::BorrowedFd;
use std::time::Duration;

use greenroom_device::{Audience, DeviceError, Sink, SinkMode};
use greenroom_frame::FrameView;

use crate::raw::{Frame, Movable, Sent};
use crate::session::Progress;
use crate::timestamps::Timestamps;

/// The camera on PipeWire. Its node is there as long as this lives.
pub(crate) struct PipewireSink {
    name: String,
    session: Movable,
    mode: SinkMode,
    timestamps: Timestamps,
    /// Frames that were given to readers.
    number: u64,
    /// Frames for which no buffer was free.
    dropped: u64,
}

impl PipewireSink {
    pub(crate) fn new(name: String, session: Movable, mode: SinkMode) -> Self {
        tracing::info!("output: {name}, {} {}", mode.size, mode.format);
        Self { name, session, mode, timestamps: Timestamps::default(), number: 0, dropped: 0 }
    }
}

impl Sink for PipewireSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn mode(&self) -> SinkMode {
        self.mode
    }

    fn write(&mut self, frame: FrameView<'_>) -> Result<(), DeviceError> {
        debug_assert_eq!((frame.format(), frame.size()), (self.mode.format, self.mode.size));
        if !self.session.is_watched() {
            return Ok(());
        }
        let sent = self.session.send(Frame {
            bytes: frame.bytes(),
            stride_bytes: frame.layout().planes()[0].stride_bytes,
            time_ns: self.timestamps.next(frame.captured_at()),
            number: self.number,
        });
        match sent {
            Sent::Yes => self.number += 1,
            // Readers hold on to them; the next frame may find one.
            Sent::NoBuffer => self.dropped += 1,
            Sent::WrongBuffer => {
                return Err(DeviceError::Broken {
                    what: self.name.clone(),
                    why: "PipeWire gives buffers that no frame fits into; restart it with: systemctl --user restart \
                          pipewire"
                        .to_owned(),
                });
            }
        }
        Ok(())
    }

    fn blank(&mut self, placeholder: FrameView<'_>) -> Result<(), DeviceError> {
        self.session.cover(placeholder.bytes());
        self.write(placeholder)
    }

    fn dropped(&self) -> u64 {
        self.dropped
    }

    fn audience_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.session.fd())
    }

    fn audience(&mut self) -> Result<Audience, DeviceError> {
        match self.session.advance(Duration::ZERO)? {
            Progress::Ready if self.session.is_watched() => {
                let watchers = self.session.watchers();
                Ok(Audience { watched: true, watchers, renewal_due: false })
            }
            Progress::Ready | Progress::Waiting => Ok(Audience::nobody()),
        }
    }

    fn finish(self: Box<Self>) -> Result<(), DeviceError> {
        Ok(())
    }
}

impl Drop for PipewireSink {
    fn drop(&mut self) {
        tracing::info!("output: {} closed", self.name);
    }
}
