use std::path::PathBuf;
use std::time::{Duration, Instant};

use greenroom_frame::{Colour, Frame, SizePx};
use rustix::io::Errno;
use tracing::{debug, info, trace, warn};

use super::decoder::{CameraDecoder, Decoded};
use super::info::modes;
use super::opening::{no_mode, not_fed, open_node};
use super::stream::{Ready, Stream, wait};
use super::{CameraInfo, ModeChoice, choose_mode};
use crate::node::{Node, refusal};
use crate::v4l2::{Buffer, Device, Direction, Event, StreamFormat, V4l2Error};
use crate::{Codec, DeviceError, FrameRate, Next, PassedOver, Source, SourceMode, Wake};

/// Most events to read before the next frame; the kernel keeps one or a few for each kind.
const EVENTS_AT_ONCE: usize = 64;

/// A source that changes so often before the next frame will not come to rest.
const MAX_RESTARTS: u32 = 16;

/// A driver that says so often in a row that it has something, and has nothing, would keep a
/// processor busy for ever. Another reader of the same loopback may be faster now and then.
const MAX_ROUNDS_FOR_NOTHING: u32 = 1000;

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
    decoder: CameraDecoder,
    /// Frames passed over since the last one that was handed out.
    skipped: PassedOver,
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

    pub(super) fn start_on(
        node: Node,
        camera: &CameraInfo,
        choice: ModeChoice,
    ) -> Result<Self, DeviceError> {
        let ModeChoice { fourcc, codec, size, rate, .. } = choice;
        let mut opened = Self {
            name: camera.name(),
            node: node.path,
            is_loopback: camera.is_loopback,
            device: node.device,
            choice,
            stream: None,
            mode: SourceMode { codec, size, rate, colour: Colour::WEBCAM },
            tells_changes: false,
            decoder: CameraDecoder::new(),
            skipped: PassedOver::default(),
        };
        let format = opened.device.set_format(Direction::Capture, fourcc, size);
        let format = format.map_err(|error| opened.refused(error))?;
        opened.tells_changes = opened.device.subscribe_source_change().unwrap_or(false);
        opened.start(format)?;
        if (opened.mode.size, opened.mode.codec) != (size, codec) {
            info!("{}: {size} {codec} was asked for and {} given", opened.name, opened.mode);
        }
        info!("camera: {}, {} ({})", opened.name, opened.mode, opened.choice.why);
        Ok(opened)
    }

    /// Sets the rate and starts the stream in `format`, as the driver answered it.
    fn start(&mut self, format: StreamFormat) -> Result<(), DeviceError> {
        let codec = format.codec.ok_or_else(|| DeviceError::Unsupported {
            what: self.name.clone(),
            why: format!("it sends {}, which greenroom cannot decode", format.fourcc),
        })?;
        let rate = self.negotiate_rate().map_err(|error| self.refused(error))?;
        let stream = Stream::start(&self.device, format).map_err(|error| self.refused(error))?;
        let mut colour = format.colour;
        if codec == Codec::Mjpeg {
            colour = Colour::JPEG;
        }
        self.decoder.prepare(codec, stream.buffer_bytes())?;
        self.stream = Some(stream);
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
        if let Some(stream) = self.stream.take()
            && let Err(error) = stream.stop(&self.device)
        {
            // A camera that was pulled out: there is nothing left to stop.
            debug!("{}: stopping: {error}", self.name);
        }
    }

    /// Reads the events that wait and starts again if one tells of a new size. Whether it did.
    pub(super) fn follow_source(&mut self) -> Result<bool, DeviceError> {
        let mut changed = false;
        // A driver that goes on telling for ever must not hold us here; it is asked again soon.
        for _ in 0..EVENTS_AT_ONCE {
            match self.device.next_event().map_err(|error| self.refused(error))? {
                Event::NotReady => break,
                Event::SourceChanged => changed = true,
                Event::Readers(_) | Event::Other => {}
            }
        }
        if !changed {
            return Ok(false);
        }
        self.stop();
        let format = self.device.format(Direction::Capture);
        self.start(format.map_err(|error| self.refused(error))?)?;
        info!("{}: now {}", self.name, self.mode);
        Ok(true)
    }

    fn newest(&mut self) -> Result<Option<Buffer>, DeviceError> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        stream.newest(&self.device, &mut self.skipped).map_err(|error| self.refused(error))
    }

    /// Puts a buffer's picture into `into` and gives the buffer back. `None` if it was corrupt.
    fn take(
        &mut self,
        buffer: Buffer,
        into: &mut Frame,
    ) -> Result<Option<PassedOver>, DeviceError> {
        let Some(stream) = &mut self.stream else { return Ok(None) };
        let taken = stream
            .take(&self.device, buffer, into, &mut self.decoder)
            .map_err(|error| refusal(&self.name, &self.node, error))?;
        taken?;
        if let Decoded::Damaged(why) = self.decoder.decode(into)? {
            self.skipped.corrupt += 1;
            debug!("{}: a corrupt JPEG of {why}", self.name);
            return Ok(None);
        }
        if self.mode.codec == Codec::Mjpeg {
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
        let at_start = self.stream.is_none();
        if self.is_loopback && at_start && error.errno() == Some(Errno::IO) {
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
        let (mut rounds_for_nothing, mut restarts) = (0, 0);
        loop {
            let ready = wait(&self.device, self.tells_changes, wake, deadline)
                .map_err(|error| self.refused(error))?;
            let (events, failed) = match ready {
                Ready::Woken => return Ok(Next::Woken),
                Ready::TimeUp => return Ok(Next::NotYet(std::mem::take(&mut self.skipped))),
                Ready::Device { events, failed } => (events, failed),
            };
            if events && self.follow_source()? {
                debug!("{}: started again", self.name);
                restarts += 1;
                if restarts > MAX_RESTARTS {
                    return Err(DeviceError::Broken {
                        what: self.name.clone(),
                        why: "its picture changes size again and again; check what is plugged into it"
                            .to_owned(),
                    });
                }
            } else if let Some(buffer) = self.newest()? {
                if let Some(taken) = self.take(buffer, into)? {
                    trace!("{}: frame, {taken:?}", self.name);
                    return Ok(Next::Frame(taken));
                }
            } else if failed {
                // An error that DQBUF does not name: the stream is dead all the same.
                return Err(DeviceError::Gone { what: self.name.clone() });
            } else {
                rounds_for_nothing += 1;
                if rounds_for_nothing > MAX_ROUNDS_FOR_NOTHING {
                    return Err(DeviceError::Broken {
                        what: self.name.clone(),
                        why: "it tells of frames and gives none; unplug it and plug it in again"
                            .to_owned(),
                    });
                }
            }
            // A driver that always has something and never a good frame must not hold us here.
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Next::NotYet(std::mem::take(&mut self.skipped)));
            }
        }
    }
}

impl Drop for V4l2Camera {
    fn drop(&mut self) {
        self.stop();
        debug!("camera: {} closed", self.name);
    }
}

#[cfg(test)]
mod tests {
    use greenroom_frame::PixelFormat;

    use super::*;
    use crate::v4l2::fake;

    /// What ends a camera that gives frames for so many right answers, and then EAGAIN for ever
    /// although its descriptor is readable.
    fn end_after(right_answers: usize) -> DeviceError {
        let script = [&vec![0; right_answers][..], &[5, 2].repeat(3000)].concat();
        let mut installed = fake::install("uvcvideo", &script, false);
        let device = Device::of(installed.memory());
        let caps = device.caps().unwrap();
        let node = Node { path: PathBuf::from("/dev/no-such-node"), device, caps };
        let info = CameraInfo::of(&node).unwrap();
        let size = SizePx::new(32, 24);
        let choice = choose_mode(&info.modes, size, FrameRate::new(30, 1).unwrap()).unwrap();
        let mut camera = V4l2Camera::start_on(node, &info, choice).unwrap();
        let mut frame = Frame::new(PixelFormat::I422, size, Colour::WEBCAM).unwrap();
        let wake = Wake::new().unwrap();
        for _ in 0..right_answers {
            match camera.next_frame(&mut frame, &wake, Duration::from_secs(60)) {
                Ok(next) => assert!(matches!(next, Next::Frame(_)), "{next:?}"),
                Err(error) => return error,
            }
        }
        panic!("it goes on for ever");
    }

    #[test]
    fn a_driver_that_tells_of_frames_and_gives_none_is_given_up() {
        // The first wrong answer is to DQBUF in some, to QBUF in others.
        let ends: Vec<_> = (200..208).map(end_after).collect();
        assert!(ends.iter().any(|end| matches!(end, DeviceError::Broken { .. })), "{ends:?}");
    }
}
