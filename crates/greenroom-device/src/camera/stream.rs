use std::time::Instant;

use greenroom_frame::{Frame, FrameError, FrameView};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::time::Timespec;
use tracing::debug;

use super::clock::instant_of;
use super::decoder::{CameraBytes, CameraDecoder};
use crate::v4l2::{Buffer, CaptureQueue, Dequeued, Device, Direction, StreamFormat, V4l2Error};
use crate::{MjpegData, PassedOver, Wake};

/// Buffers to ask for: one being filled, one being read, and two for the time when we are late.
const BUFFER_COUNT: u32 = 4;

/// Ten seconds at 60 fps: a larger gap in the driver's count is no loss.
const MAX_LOST: u32 = 600;

/// What exists only while frames flow: mapped buffers and the format of what is in them.
#[derive(Debug)]
pub(super) struct Stream {
    queue: CaptureQueue,
    format: StreamFormat,
    /// A frame with fewer bytes is damaged.
    need_bytes: usize,
    /// The driver's number of the last frame that came.
    last_sequence: Option<u32>,
}

impl Stream {
    /// Maps buffers and starts the device, which has been set to `format`.
    pub(super) fn start(device: &Device, format: StreamFormat) -> Result<Self, V4l2Error> {
        let need_bytes = format.layout.map_or(1, |layout| layout.len_bytes());
        let mut queue = CaptureQueue::new(device, BUFFER_COUNT, need_bytes)?;
        queue.enqueue_all(device)?;
        device.stream_on(Direction::Capture)?;
        Ok(Self { queue, format, need_bytes, last_sequence: None })
    }

    /// Stops the device and gives the buffers back.
    pub(super) fn stop(self, device: &Device) -> Result<(), V4l2Error> {
        let stopped = device.stream_off(Direction::Capture);
        stopped.and(self.queue.release(device))
    }

    /// Length of the longest buffer.
    pub(super) fn buffer_bytes(&self) -> usize {
        self.queue.buffer_bytes()
    }

    /// Takes every waiting frame and keeps the newest good one; the others go back to the driver,
    /// counted in `skipped`. `None` if there is no good one.
    pub(super) fn newest(
        &mut self,
        device: &Device,
        skipped: &mut PassedOver,
    ) -> Result<Option<Buffer>, V4l2Error> {
        let mut newest: Option<Buffer> = None;
        // Not until the queue is empty: a driver faster than us would hold us here.
        for _ in 0..self.queue.len() {
            let Dequeued::Frame(buffer) = self.queue.dequeue(device)? else { break };
            let lost = lost_between(self.last_sequence, buffer.sequence);
            skipped.dropped = skipped.dropped.saturating_add(lost);
            self.last_sequence = Some(buffer.sequence);
            // A loopback may give a buffer again that it gave before.
            let same = newest.is_some_and(|newest| newest.index == buffer.index);
            if buffer.damaged || buffer.bytes_used < self.need_bytes {
                debug!("a damaged frame of {} bytes, {}", buffer.bytes_used, self.need_bytes);
                skipped.corrupt = skipped.corrupt.saturating_add(1);
                if same {
                    newest = None;
                }
                self.queue.enqueue(device, buffer.index)?;
                continue;
            }
            if let Some(older) = newest.replace(buffer) {
                skipped.dropped = skipped.dropped.saturating_add(1);
                if !same {
                    self.queue.enqueue(device, older.index)?;
                }
            }
        }
        Ok(newest)
    }

    /// Has `decoder` take what is in a buffer, and gives that back to the driver. The inner error is of the frame.
    pub(super) fn take(
        &mut self,
        device: &Device,
        buffer: Buffer,
        into: &mut Frame,
        decoder: &mut CameraDecoder,
    ) -> Result<Result<(), FrameError>, V4l2Error> {
        let captured_at = instant_of(buffer.captured_us);
        let bytes = self.queue.bytes(&buffer);
        let taken = match self.format.layout {
            Some(layout) => FrameView::new(layout, self.format.colour, captured_at, bytes)
                .and_then(|view| decoder.take(CameraBytes::Raw(view), into)),
            None => decoder.take(CameraBytes::Mjpeg(MjpegData(bytes), captured_at), into),
        };
        self.queue.enqueue(device, buffer.index)?;
        Ok(taken)
    }
}

/// How many frames the driver lost between two, by its count. A count that stands still or goes back is none,
/// and one that leaps belongs to a writer of a loopback that has begun anew.
fn lost_between(last: Option<u32>, next: u32) -> u32 {
    let lost = last.and_then(|last| next.checked_sub(last)?.checked_sub(1));
    lost.filter(|lost| *lost <= MAX_LOST).unwrap_or(0)
}

/// What waiting ended with.
pub(super) enum Ready {
    /// The bell rang.
    Woken,
    /// The deadline has passed.
    TimeUp,
    /// The device has something to say.
    Device {
        /// Events wait.
        events: bool,
        /// It is broken or gone; DQBUF may know more.
        failed: bool,
    },
}

/// Waits for the device or the bell, the bell first. `None` waits without end.
pub(super) fn wait(
    device: &Device,
    with_events: bool,
    wake: &Wake,
    deadline: Option<Instant>,
) -> Result<Ready, V4l2Error> {
    let wanted = if with_events { PollFlags::IN | PollFlags::PRI } else { PollFlags::IN };
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let left = left.and_then(|left| Timespec::try_from(left).ok());
        let mut fds = [PollFd::new(device, wanted), PollFd::new(wake, PollFlags::IN)];
        match poll(&mut fds, left.as_ref()) {
            Ok(0) => return Ok(Ready::TimeUp),
            Ok(_) => {}
            Err(Errno::INTR) => continue,
            Err(errno) => return Err(V4l2Error::Os { call: "poll", errno }),
        }
        if fds[1].revents().contains(PollFlags::IN) {
            return Ok(Ready::Woken);
        }
        let device = fds[0].revents();
        let told = device.contains(PollFlags::PRI);
        // No descriptor of a test is ever urgent.
        #[cfg(any(test, feature = "fuzzing"))]
        let told = told || crate::v4l2::fake::event_waits();
        return Ok(Ready::Device {
            events: with_events && told,
            failed: device.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_in_the_count_are_losses() {
        assert_eq!(lost_between(None, 7), 0);
        assert_eq!(lost_between(Some(7), 8), 0);
        assert_eq!(lost_between(Some(7), 11), 3);
        assert_eq!(lost_between(Some(7), 7), 0);
        assert_eq!(lost_between(Some(7), 0), 0);
        assert_eq!(lost_between(Some(0), u32::MAX), 0);
        assert_eq!(lost_between(Some(u32::MAX), 0), 0);
    }
}
