use std::path::PathBuf;
use std::time::{Duration, Instant};

use greenroom_frame::{Colour, Frame, FrameError, FrameView, PixelFormat, SizePx, unpack};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use rustix::time::Timespec;
use tracing::{debug, info, trace, warn};

use super::clock::instant_of;
use super::info::modes;
use super::{CameraInfo, ModeChoice, choose_mode};
use crate::node::{Node, refusal};
use crate::v4l2::{
    Buffer, CaptureQueue, Dequeued, Device, Direction, Event, StreamFormat, V4l2Error,
};
use crate::{
    Codec, DeviceError, FrameRate, MjpegData, MjpegDecoder, Next, Source, SourceMode, TakenFrame,
    Wake,
};

/// Buffers to ask for: one being filled, one being read, and two for the time when we are late.
const BUFFER_COUNT: u32 = 4;

/// A camera that streams. Dropping it stops the stream and closes the node.
#[derive(Debug)]
pub struct V4l2Camera {
    name: String,
    node: PathBuf,
    is_loopback: bool,
    device: Device,
    choice: ModeChoice,
    stream: Option<Stream>,
    mode: SourceMode,
    tells_changes: bool,
    decoder: Option<MjpegDecoder>,
    /// A copy of the JPEG being decoded: the buffer goes back to the driver at once, and nobody
    /// can change under the decoder what it has checked.
    jpeg: Vec<u8>,
    /// Frames passed over since the last one that was handed out.
    skipped: TakenFrame,
}

/// What exists only while frames flow.
#[derive(Debug)]
struct Stream {
    queue: CaptureQueue,
    format: StreamFormat,
}

/// What a poll ended with.
enum Ready {
    Woken,
    TimeUp,
    /// The device has something: frames, a change of source, or an error to be found out.
    Device {
        changed: bool,
        failed: bool,
    },
}

impl V4l2Camera {
    /// Opens a camera, picks the mode that comes nearest to `size` and `rate`
    /// ([`choose_mode`]) and starts it.
    ///
    /// # Errors
    /// [`DeviceError::Busy`] while another program streams from it, [`DeviceError::Gone`] if it
    /// has left since it was listed, [`DeviceError::Unsupported`] if it has no mode that greenroom
    /// can decode, and others as they come.
    pub fn open(camera: &CameraInfo, size: SizePx, rate: FrameRate) -> Result<Self, DeviceError> {
        let node = open_node(camera)?;
        let offered = modes(&node.device, Some((size, rate)))
            .map_err(|error| refusal(&camera.name(), &camera.node, error))?;
        let choice = choose_mode(&offered, size, rate).ok_or_else(|| no_mode(camera))?;
        Self::start_on(node, camera, choice)
    }

    /// Opens a camera in the given mode.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_mode(camera: &CameraInfo, choice: ModeChoice) -> Result<Self, DeviceError> {
        Self::start_on(open_node(camera)?, camera, choice)
    }

    /// The mode that was asked for and why. What the driver made of it is in
    /// [`mode`](Source::mode).
    pub fn choice(&self) -> &ModeChoice {
        &self.choice
    }

    fn start_on(node: Node, camera: &CameraInfo, choice: ModeChoice) -> Result<Self, DeviceError> {
        let mut opened = Self {
            name: camera.name(),
            node: node.path,
            is_loopback: camera.is_loopback,
            device: node.device,
            stream: None,
            mode: SourceMode {
                codec: choice.codec,
                size: choice.size,
                rate: choice.rate,
                colour: Colour::WEBCAM,
            },
            tells_changes: false,
            decoder: None,
            jpeg: Vec::new(),
            skipped: TakenFrame::default(),
            choice,
        };
        let ModeChoice { fourcc, size, .. } = opened.choice;
        let format = opened
            .device
            .set_format(Direction::Capture, fourcc, size)
            .map_err(|error| opened.refused(error))?;
        opened.tells_changes = opened.device.subscribe_source_change().unwrap_or(false);
        opened.start(format)?;
        if opened.mode.size != size || opened.mode.codec != opened.choice.codec {
            let asked = format!("{size} {}", opened.choice.codec);
            info!("{}: the camera gives {} where {asked} was asked for", opened.name, opened.mode);
        }
        info!("camera: {}, {} ({})", opened.name, opened.mode, opened.choice.why);
        Ok(opened)
    }

    /// Sets the rate, maps buffers and starts the stream in `format`, as the driver answered it.
    fn start(&mut self, format: StreamFormat) -> Result<(), DeviceError> {
        let codec = format.codec.ok_or_else(|| DeviceError::Unsupported {
            what: self.name.clone(),
            why: format!("it sends {}, which greenroom cannot decode", format.fourcc),
        })?;
        if codec == Codec::Mjpeg && self.decoder.is_none() {
            self.decoder = Some(MjpegDecoder::new()?);
        }
        let rate = self.negotiate_rate().map_err(|error| self.refused(error))?;
        let colour = if codec == Codec::Mjpeg { Colour::JPEG } else { format.colour };
        let need_bytes = format.layout.map_or(1, |layout| layout.len_bytes());
        let started =
            CaptureQueue::new(&self.device, BUFFER_COUNT, need_bytes).and_then(|mut queue| {
                queue.enqueue_all(&self.device)?;
                self.device.stream_on(Direction::Capture)?;
                Ok(queue)
            });
        let queue = started.map_err(|error| self.refused(error))?;
        if codec == Codec::Mjpeg {
            self.jpeg.reserve(queue.buffer_bytes());
        }
        self.stream = Some(Stream { queue, format });
        self.mode = SourceMode { codec, size: format.size, rate, colour };
        Ok(())
    }

    fn negotiate_rate(&self) -> Result<FrameRate, V4l2Error> {
        // A loopback's rate belongs to its writer; setting it here would change it for everybody.
        let answer = if self.is_loopback {
            self.device.rate(Direction::Capture)?
        } else {
            self.device.set_rate(Direction::Capture, self.choice.rate)?
        };
        Ok(answer.unwrap_or(self.choice.rate))
    }

    fn stop(&mut self) {
        if let Some(stream) = self.stream.take() {
            let stopped = self.device.stream_off(Direction::Capture);
            let released = stream.queue.release(&self.device);
            if let Err(error) = stopped.and(released) {
                // A camera that was pulled out: there is nothing left to stop.
                debug!("{}: stopping: {error}", self.name);
            }
        }
    }

    /// The source has another size now: starts again with what the driver says.
    fn restart(&mut self) -> Result<(), DeviceError> {
        self.stop();
        let format = self.device.format(Direction::Capture).map_err(|error| self.refused(error))?;
        self.start(format)?;
        info!("{}: now {}", self.name, self.mode);
        Ok(())
    }

    fn wait(&self, wake: &Wake, deadline: Option<Instant>) -> Result<Ready, DeviceError> {
        let mut wanted = PollFlags::IN;
        if self.tells_changes {
            wanted |= PollFlags::PRI;
        }
        loop {
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let left = left.and_then(|left| Timespec::try_from(left).ok());
            let mut fds = [PollFd::new(&self.device, wanted), PollFd::new(wake, PollFlags::IN)];
            match poll(&mut fds, left.as_ref()) {
                Ok(0) => return Ok(Ready::TimeUp),
                Ok(_) => {}
                Err(Errno::INTR) => continue,
                Err(errno) => {
                    return Err(self.refused(V4l2Error::Os { call: "poll", errno }));
                }
            }
            if fds[1].revents().contains(PollFlags::IN) {
                return Ok(Ready::Woken);
            }
            let device = fds[0].revents();
            return Ok(Ready::Device {
                changed: self.tells_changes && device.contains(PollFlags::PRI),
                failed: device.intersects(PollFlags::ERR | PollFlags::HUP | PollFlags::NVAL),
            });
        }
    }

    /// Whether the events that wait tell of a new size.
    fn source_has_changed(&self) -> Result<bool, DeviceError> {
        let mut changed = false;
        loop {
            match self.device.next_event().map_err(|error| self.refused(error))? {
                Event::NotReady => return Ok(changed),
                Event::SourceChanged => changed = true,
                Event::Other => {}
            }
        }
    }

    /// Takes every waiting frame and keeps the newest good one; the others go back to the driver,
    /// counted.
    fn newest(&mut self) -> Result<Option<Buffer>, V4l2Error> {
        let Some(Stream { queue, format }) = &mut self.stream else { return Ok(None) };
        let need_bytes = format.layout.map_or(1, |layout| layout.len_bytes());
        let mut newest: Option<Buffer> = None;
        // Not until the queue is empty: a driver faster than us would hold us here.
        for _ in 0..queue.len() {
            let Dequeued::Frame(buffer) = queue.dequeue(&self.device)? else { break };
            if buffer.damaged || buffer.bytes_used < need_bytes {
                self.skipped.corrupt += 1;
                debug!("{}: a damaged frame of {} bytes", self.name, buffer.bytes_used);
                if newest.is_none_or(|newest| newest.index != buffer.index) {
                    queue.enqueue(&self.device, buffer.index)?;
                }
                continue;
            }
            if let Some(older) = newest.replace(buffer) {
                self.skipped.dropped += 1;
                // A loopback may give a buffer again that it gave before.
                if older.index != buffer.index {
                    queue.enqueue(&self.device, older.index)?;
                }
            }
        }
        Ok(newest)
    }

    /// Puts a buffer's picture into `into` and gives the buffer back. `None` if it was corrupt.
    fn take(
        &mut self,
        buffer: Buffer,
        into: &mut Frame,
    ) -> Result<Option<TakenFrame>, DeviceError> {
        let Some(Stream { queue, format }) = &mut self.stream else { return Ok(None) };
        let captured_at = instant_of(buffer.captured_us);
        let bytes = queue.bytes(&buffer);
        let unpacked = match format.layout {
            Some(layout) => FrameView::new(layout, format.colour, captured_at, bytes)
                .and_then(|view| unpack_colour(view, into)),
            None => {
                self.jpeg.clear();
                self.jpeg.extend_from_slice(bytes);
                Ok(())
            }
        };
        queue
            .enqueue(&self.device, buffer.index)
            .map_err(|error| refusal(&self.name, &self.node, error))?;
        unpacked?;
        if self.mode.codec == Codec::Mjpeg {
            let decoder = self.decoder.as_mut().expect("made when an MJPEG stream starts");
            match decoder.decode(MjpegData(&self.jpeg), into) {
                Ok(()) => {}
                Err(DeviceError::Broken { why, .. }) => {
                    self.skipped.corrupt += 1;
                    debug!("{}: a corrupt JPEG of {} bytes: {why}", self.name, self.jpeg.len());
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
            into.set_captured_at(captured_at);
            self.adopt(into);
        }
        Ok(Some(std::mem::take(&mut self.skipped)))
    }

    /// For JPEG the picture itself says its size, whatever was agreed.
    fn adopt(&mut self, decoded: &Frame) {
        if self.mode.size != decoded.size() {
            warn!("{}: frames are {} now", self.name, decoded.size());
            self.mode.size = decoded.size();
        }
        self.mode.colour = decoded.colour();
    }

    fn refused(&self, error: V4l2Error) -> DeviceError {
        let nobody_feeds = error.errno() == Some(Errno::IO) && self.stream.is_none();
        if self.is_loopback && nobody_feeds {
            return not_fed(&self.name);
        }
        refusal(&self.name, &self.node, error)
    }
}

impl Source for V4l2Camera {
    fn name(&self) -> &str {
        &self.name
    }

    fn mode(&self) -> SourceMode {
        self.mode
    }

    fn next_frame(
        &mut self,
        into: &mut Frame,
        wake: &Wake,
        patience: Duration,
    ) -> Result<Next, DeviceError> {
        let deadline = Instant::now().checked_add(patience);
        loop {
            let (changed, failed) = match self.wait(wake, deadline)? {
                Ready::Woken => return Ok(Next::Woken),
                Ready::TimeUp => return Ok(Next::NotYet),
                Ready::Device { changed, failed } => (changed, failed),
            };
            if changed && self.source_has_changed()? {
                self.restart()?;
                continue;
            }
            match self.newest().map_err(|error| self.refused(error))? {
                Some(buffer) => {
                    if let Some(taken) = self.take(buffer, into)? {
                        trace!("{}: frame, {taken:?}", self.name);
                        return Ok(Next::Frame(taken));
                    }
                }
                // An error that DQBUF does not name: the stream is dead all the same.
                None if failed => return Err(DeviceError::Gone { what: self.name.clone() }),
                None => {}
            }
        }
    }
}

impl Drop for V4l2Camera {
    fn drop(&mut self) {
        self.stop();
        info!("camera: {} closed", self.name);
    }
}

/// Opens the node of a camera that was listed, if it still is what it was.
fn open_node(camera: &CameraInfo) -> Result<Node, DeviceError> {
    let gone = || DeviceError::Gone { what: camera.name() };
    let node = match Node::open(&camera.node) {
        Ok(node) => node,
        // It was there when it was listed.
        Err(DeviceError::NotFound { .. }) => return Err(gone()),
        Err(error) => return Err(error),
    };
    if node.caps.card != camera.card || node.caps.driver != camera.driver {
        return Err(gone());
    }
    if !node.caps.can_capture() {
        return Err(if camera.is_loopback { not_fed(&camera.name()) } else { gone() });
    }
    if !node.caps.can_stream() {
        return Err(DeviceError::Unsupported {
            what: camera.name(),
            why: "its driver cannot stream by mapped buffers".to_owned(),
        });
    }
    Ok(node)
}

fn no_mode(camera: &CameraInfo) -> DeviceError {
    let why = if camera.is_loopback {
        "no program writes a format into this loopback that greenroom can decode; start one first"
    } else {
        "it offers no format that greenroom can decode; `greenroom list` shows other cameras"
    };
    DeviceError::Unsupported { what: camera.name(), why: why.to_owned() }
}

/// A loopback that nobody writes into, asked for as a camera.
pub(crate) fn not_fed(name: &str) -> DeviceError {
    DeviceError::Unsupported {
        what: name.to_owned(),
        why: "it is a loopback that no program writes into; start that program first".to_owned(),
    }
}

/// As [`unpack`], but grey becomes 4:2:0 without colour, since a [`Source`] delivers colour.
fn unpack_colour(from: FrameView<'_>, into: &mut Frame) -> Result<(), FrameError> {
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
    use greenroom_frame::FrameLayout;

    use super::*;

    #[test]
    fn grey_becomes_colourless_yuv() {
        let size = SizePx::new(4, 3);
        let layout = FrameLayout::with_stride(PixelFormat::Grey, size, 6).unwrap();
        let samples: Vec<u8> = (0..18).collect();
        let view = FrameView::new(layout, Colour::JPEG, Instant::now(), &samples).unwrap();
        let mut frame = Frame::new(PixelFormat::I422, SizePx::new(2, 2), Colour::HD).unwrap();
        unpack_colour(view, &mut frame).unwrap();
        assert_eq!(
            (frame.format(), frame.size(), frame.colour()),
            (PixelFormat::I420, size, Colour::JPEG)
        );
        assert_eq!(&frame.bytes()[..12], [0, 1, 2, 3, 6, 7, 8, 9, 12, 13, 14, 15]);
        assert!(frame.bytes()[12..].iter().all(|sample| *sample == 128));
    }
}
