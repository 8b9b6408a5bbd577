use std::os::fd::{AsFd, BorrowedFd};

use greenroom_frame::{Colour, FrameLayout, FrameView, PixelFormat, SizePx};
use rustix::io::Errno;
use tracing::{debug, info, warn};

use super::info::LoopbackInfo;
use super::reader_watch::ReaderWatch;
use super::timeout::TimeoutPicture;
use super::{Dialect, LoopbackState, is_loopback};
use crate::holder::{self, openers};
use crate::node::{Node, busy, refusal};
use crate::v4l2::{Direction, FourCc, StreamFormat, V4l2Error};
use crate::{Audience, DeviceError, FrameRate, Sink, SinkMode};

/// More writes than v4l2loopback's largest number of buffers (32): none keeps an older frame.
const EVERY_BUFFER: usize = 33;

/// The writing side of a loopback. Its descriptor stays open, and with it the format, for as long
/// as the sink lives; what is not being written, nobody wakes for.
///
/// With `exclusive_caps=1` readers see a camera only once something has been written (0.14 and
/// later) or the sink is open (before).
#[derive(Debug)]
pub struct LoopbackSink {
    name: String,
    node: Node,
    mode: SinkMode,
    dialect: Dialect,
    timeout: Option<TimeoutPicture>,
    /// Somebody did, when that was asked last.
    is_watched: bool,
    /// STREAMON was accepted: STREAMOFF is due before the end.
    streaming: bool,
    /// `None` if the system has no inotify left: then it counts as watched at all times.
    reader_watch: Option<ReaderWatch>,
}

impl LoopbackSink {
    /// Opens a loopback for YUYV frames of `size` (made even) at `rate`. If a reader holds another
    /// format, that one is taken: see [`mode`](Sink::mode).
    ///
    /// # Errors
    /// [`DeviceError::Busy`] if another program writes into it, [`DeviceError::Unsupported`] if it
    /// is held in a format that greenroom cannot write, and others as they come.
    pub fn open(
        loopback: &LoopbackInfo,
        size: SizePx,
        rate: FrameRate,
    ) -> Result<Self, DeviceError> {
        let mut node = open_node(loopback)?;
        if loopback.dialect == Dialect::Early && !node.caps.can_output() && !node.caps.can_capture()
        {
            node = revive(node, loopback)?;
        }
        let users = openers(&node.path);
        let info = LoopbackInfo::with_openers(&node, &users);
        let name = info.name();
        if info.state == LoopbackState::Fed {
            return Err(DeviceError::Busy {
                what: name,
                holder: holder::phrase(&users),
                remedy: "close it there, or name another loopback".to_owned(),
            });
        }
        let mut mode = set_mode(&node, &name, size, rate)?;
        // Who stored a time-out picture was killed half-way, and this descriptor has that picture
        // instead of the buffers: STREAMON says so, which refuses all others before they have asked
        // for buffers. With the format that was set the next descriptor is one like any other.
        if info.dialect == Dialect::Late && node.device.stream_on(Direction::Output).is_ok() {
            drop(node);
            node = open_node(loopback)?;
            mode = set_mode(&node, &name, size, rate)?;
        }
        let streaming = start(&node, &name, info.dialect)?;
        info!("output: {name}, {} {} (v4l2loopback {})", mode.size, mode.format, version(&info));
        // Before the first frame is written: a reader who waits for it is heard reading it.
        let reader_watch = ReaderWatch::new(&node, info.dialect).inspect_err(|error| {
            warn!(
                "output: {name}: nobody tells who reads it ({error}), so the camera stays on; raise \
                 fs.inotify.max_user_instances with sysctl"
            );
        });
        let (dialect, reader_watch) = (info.dialect, reader_watch.ok());
        let (timeout, is_watched) = (None, false);
        Ok(Self { name, node, mode, dialect, timeout, is_watched, streaming, reader_watch })
    }

    fn refused(&self, errno: Errno) -> DeviceError {
        refusal(&self.name, &self.node.path, V4l2Error::Os { call: "write", errno })
    }
}

impl Sink for LoopbackSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn mode(&self) -> SinkMode {
        self.mode
    }

    fn write(&mut self, frame: FrameView<'_>) -> Result<(), DeviceError> {
        debug_assert_eq!((frame.format(), frame.size()), (self.mode.format, self.mode.size));
        let bytes = frame.bytes();
        loop {
            match rustix::io::write(&self.node.device, bytes) {
                Ok(written) if written == bytes.len() => {
                    if let Some(reader_watch) = &mut self.reader_watch {
                        reader_watch.wrote();
                    }
                    return Ok(());
                }
                // The driver cuts what is longer than its buffer: readers would see a torn frame.
                Ok(written) => {
                    return Err(DeviceError::Broken {
                        what: self.name.clone(),
                        why: format!(
                            "it took {written} of {} bytes; reload v4l2loopback",
                            bytes.len()
                        ),
                    });
                }
                Err(Errno::INTR) => {}
                // EAGAIN is not among them: write() of all four versions overwrites the oldest
                // buffer and waits for nobody.
                Err(errno) => return Err(self.refused(errno)),
            }
        }
    }

    fn blank(&mut self, placeholder: FrameView<'_>) -> Result<(), DeviceError> {
        (0..EVERY_BUFFER).try_for_each(|_| self.write(placeholder))
    }

    fn store_timeout_picture(&mut self, frame: FrameView<'_>) {
        debug_assert_eq!((frame.format(), frame.size()), (self.mode.format, self.mode.size));
        if self.dialect != Dialect::Late {
            return;
        }
        match TimeoutPicture::store(&self.node, frame.bytes()) {
            Ok(timeout) => self.timeout = timeout,
            Err(error) => debug!("{}: no picture for a time-out: {error}", self.name),
        }
    }

    fn audience_fd(&self) -> Option<BorrowedFd<'_>> {
        self.reader_watch.as_ref().map(AsFd::as_fd)
    }

    fn audience(&mut self) -> Result<Audience, DeviceError> {
        let Some(reader_watch) = &mut self.reader_watch else { return Ok(Audience::always()) };
        let audience = reader_watch.audience(&self.node.device, &self.name)?;
        self.is_watched = audience.watched;
        if let Some(timeout) = &mut self.timeout {
            timeout.follow(&self.node.device, audience.watched);
        }
        Ok(audience)
    }

    fn finish(self: Box<Self>) -> Result<(), DeviceError> {
        Ok(())
    }
}

impl AsFd for LoopbackSink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.node.device.as_fd()
    }
}

impl Drop for LoopbackSink {
    fn drop(&mut self) {
        // Who watches keeps the picture until they leave or the next greenroom is there: from 0.14
        // on by the time-out; with 0.13 a STREAMOFF would keep a reader from beginning anew.
        let keeps_reader = self.is_watched && self.dialect == Dialect::Middle;
        if self.streaming
            && !keeps_reader
            && let Err(error) = self.node.device.stream_off(Direction::Output)
        {
            debug!("{}: {error}", self.name);
        }
        match self.timeout.as_ref().is_some_and(TimeoutPicture::is_on) {
            true => info!("output: {} closed; who watches it sees the placeholder", self.name),
            false => info!("output: {} closed", self.name),
        }
    }
}

fn open_node(loopback: &LoopbackInfo) -> Result<Node, DeviceError> {
    let node = Node::open(&loopback.node).map_err(|error| match error {
        // It was there when it was listed.
        DeviceError::NotFound { what, .. } => DeviceError::Gone { what },
        error => error,
    })?;
    if is_loopback(&node.caps) {
        Ok(node)
    } else {
        Err(DeviceError::Gone { what: loopback.name() })
    }
}

/// 0.12.7: a writer that never called STREAMON leaves the node unable to do anything, with neither
/// capability, and S_FMT fails on it for good. Closing a descriptor that did call it, even in vain,
/// sets the node right.
fn revive(node: Node, loopback: &LoopbackInfo) -> Result<Node, DeviceError> {
    info!("output: {} was left unusable by its last writer, set right", loopback.name());
    // Refused for want of a format, and marked as a writer's descriptor all the same.
    let _ = node.device.stream_on(Direction::Output);
    drop(node);
    open_node(loopback)
}

/// Sets rate and format and takes what comes of it.
fn set_mode(
    node: &Node,
    name: &str,
    size: SizePx,
    rate: FrameRate,
) -> Result<SinkMode, DeviceError> {
    // Before S_FMT, so that a reader who looks at the format sees the rate, too.
    let told_rate = node.device.set_rate(Direction::Output, rate).unwrap_or_else(|error| {
        debug!("{name}: {error}");
        None
    });
    negotiate(node, name, size, told_rate.unwrap_or(rate))
}

/// Sets the format and takes what comes of it.
pub(super) fn negotiate(
    node: &Node,
    name: &str,
    size: SizePx,
    rate: FrameRate,
) -> Result<SinkMode, DeviceError> {
    let wanted = (FourCc::from(PixelFormat::Yuyv), size.even());
    let set = |(fourcc, size)| node.device.set_format(Direction::Output, fourcc, size);
    let answer = set(wanted).or_else(|error| {
        // 0.13: a writer has left without STREAMOFF and a reader has stayed. Any change is refused
        // then, even if no more than asked for; the format that it has is taken.
        let held = node.device.format(Direction::Output);
        held.and_then(|held| set((held.fourcc, held.size))).map_err(|_| error)
    });
    let format = answer.map_err(|error| match error.errno() {
        // EBUSY: a writer has set its format (0.14). EINVAL: a writer streams, with exclusive_caps
        // (0.14), or somebody keeps buffers of another size open (0.12.7).
        Some(Errno::BUSY | Errno::INVAL) => busy(name.to_owned(), &node.path),
        _ => refusal(name, &node.path, error),
    })?;
    let pixel_format = writable(&format).ok_or_else(|| DeviceError::Unsupported {
        what: name.to_owned(),
        why: format!(
            "{} holds it at {} {}, which greenroom cannot write; close that program",
            holder::phrase(&openers(&node.path)),
            format.size,
            format.fourcc
        ),
    })?;
    if (format.fourcc, format.size) != wanted {
        info!("{name}: a reader holds it at {} {}, so that is written", format.size, pixel_format);
    }
    Ok(SinkMode { format: pixel_format, size: format.size, rate, colour: Colour::WEBCAM })
}

/// The pixel format to write, if a tight frame of it is what the node takes.
fn writable(format: &StreamFormat) -> Option<PixelFormat> {
    let pixel_format = format.fourcc.raw_format()?;
    let tight = FrameLayout::tight(pixel_format, format.size).ok()?;
    (format.layout == Some(tight)).then_some(pixel_format)
}

/// Before 0.14 STREAMON is what makes the node a camera, and what frees it again at the end; later
/// versions refuse it without REQBUFS (EINVAL) and start by the first write.
pub(super) fn start(node: &Node, name: &str, dialect: Dialect) -> Result<bool, DeviceError> {
    if dialect == Dialect::Late {
        return Ok(false);
    }
    match node.device.stream_on(Direction::Output) {
        Ok(()) => Ok(true),
        Err(error) if error.errno() == Some(Errno::INVAL) => Ok(false),
        Err(error) => Err(refusal(name, &node.path, error)),
    }
}

fn version(info: &LoopbackInfo) -> String {
    info.version.map_or_else(|| info.dialect.to_string(), |version| version.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(fourcc: &str, size: (u32, u32), stride_bytes: usize) -> StreamFormat {
        let fourcc = FourCc::parse(fourcc).unwrap();
        let size = SizePx::new(size.0, size.1);
        let layout = fourcc
            .raw_format()
            .and_then(|format| FrameLayout::with_stride(format, size, stride_bytes).ok());
        StreamFormat { fourcc, codec: fourcc.codec(), size, layout, colour: Colour::WEBCAM }
    }

    #[test]
    fn only_tight_formats_of_ours_are_written() {
        assert_eq!(writable(&held("YUYV", (640, 480), 1280)), Some(PixelFormat::Yuyv));
        assert_eq!(writable(&held("YU12", (640, 480), 640)), Some(PixelFormat::I420));
        assert_eq!(writable(&held("NV12", (640, 480), 640)), Some(PixelFormat::Nv12));
        assert_eq!(writable(&held("YUYV", (640, 480), 1344)), None);
        assert_eq!(writable(&held("RGB3", (640, 480), 1920)), None);
        assert_eq!(writable(&held("MJPG", (640, 480), 0)), None);
    }
}
