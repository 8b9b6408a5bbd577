use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use greenroom_device::{
    CameraDecoder, Codec, Decoded, DeviceError, FrameRate, ModeChoice, Next, PassedOver, Source,
    SourceMode, Wake, instant_of, wait_readable,
};
use greenroom_frame::{Colour, Frame};
use tracing::{debug, info, trace, warn};

use super::chunk::{Content, content};
use super::facts::PipewireCameraInfo;
use super::formats::Negotiated;
use super::session::{CameraSession, Link};
use crate::raw::{Copies, Movable};

/// A camera on PipeWire that streams. Dropping it ends the stream and the connection.
pub(super) struct PipewireSource {
    name: String,
    session: Movable<CameraSession>,
    /// The rate that was asked for.
    asked: FrameRate,
    /// `None` before PipeWire has told it.
    agreed: Option<Negotiated>,
    mode: SourceMode,
    decoder: CameraDecoder,
    /// Memory for planes that come in blocks of their own.
    planes: Vec<u8>,
    copies: Copies,
    skipped: PassedOver,
}

impl PipewireSource {
    /// Takes frames of `camera` from `session`, which streams from it in the mode of `choice` as soon as PipeWire has agreed.
    pub(super) fn new(
        session: Movable<CameraSession>,
        camera: &PipewireCameraInfo,
        choice: &ModeChoice,
    ) -> Self {
        let ModeChoice { codec, size, rate, .. } = *choice;
        let mode = SourceMode { codec, size, rate, colour: Colour::WEBCAM };
        info!("camera: {}, {mode} ({})", camera.name(), choice.why);
        Self {
            name: camera.name(),
            session,
            asked: rate,
            agreed: None,
            mode,
            decoder: CameraDecoder::new(),
            planes: Vec::new(),
            copies: Copies::default(),
            skipped: PassedOver::default(),
        }
    }

    fn broken(&self, why: &str) -> DeviceError {
        DeviceError::Broken {
            what: self.name.clone(),
            why: format!("it sends {why}; start it again, or choose another camera"),
        }
    }

    /// Takes in what PipeWire has told.
    fn follow(&mut self) -> Result<Link, DeviceError> {
        self.session.advance(Duration::ZERO)?;
        let link = self.session.link();
        if link == Link::Lost {
            return Err(DeviceError::Gone { what: self.name.clone() });
        }
        if let Some(why) = self.session.failure() {
            return Err(DeviceError::Broken {
                what: self.name.clone(),
                why: format!(
                    "PipeWire gives no stream of it ({why}); end other programs that use it"
                ),
            });
        }
        if let Some(format) = self.session.new_format(self.asked) {
            self.adopt(format.ok_or_else(|| DeviceError::Unsupported {
                what: self.name.clone(),
                why: "it streams in a format that greenroom cannot decode; end the program that has chosen that"
                    .to_owned(),
            })?)?;
        }
        Ok(link)
    }

    fn adopt(&mut self, agreed: Negotiated) -> Result<(), DeviceError> {
        let Negotiated { codec, size, rate, colour } = agreed;
        let before = self.mode;
        self.mode = SourceMode { codec, size, rate, colour };
        // A JPEG is hardly ever longer than the same picture in 4:2:0 samples; if it is, the memory grows.
        let buffer_bytes = usize::try_from(size.area_px()).unwrap_or(0) * 3 / 2;
        self.decoder.prepare(codec, buffer_bytes)?;
        if (before.codec, before.size) != (codec, size) {
            info!("{}: now {}", self.name, self.mode);
        }
        self.agreed = Some(agreed);
        Ok(())
    }

    /// Puts the newest frame into `into`, if there is one.
    fn take(&mut self, into: &mut Frame) -> Result<bool, DeviceError> {
        let (received, older) = self.session.newest();
        self.skipped.dropped = self.skipped.dropped.saturating_add(older);
        let (Some(received), Some(agreed)) = (received, &self.agreed) else { return Ok(false) };
        if received.is_corrupt() {
            self.skipped.corrupt += 1;
            return Ok(false);
        }
        let captured_at = instant_of(received.captured_us());
        let blocks = match received.blocks(&mut self.copies) {
            Ok(blocks) => blocks,
            Err(why) => return Err(self.broken(why)),
        };
        let content = content(agreed, &blocks, captured_at, &mut self.planes);
        let bytes = match content {
            Ok(Content::Picture(bytes)) => bytes,
            Ok(Content::Damaged(why)) => {
                debug!("{}: no whole frame: {why}", self.name);
                self.skipped.corrupt += 1;
                return Ok(false);
            }
            Err(why) => return Err(self.broken(&why)),
        };
        self.decoder.take(bytes, into)?;
        // The camera has its buffer back before the picture is decoded.
        drop(received);
        if let Decoded::Damaged(why) = self.decoder.decode(into)? {
            self.skipped.corrupt += 1;
            debug!("{}: a corrupt JPEG of {why}", self.name);
            return Ok(false);
        }
        if self.mode.codec == Codec::Mjpeg {
            if self.mode.size != into.size() {
                warn!("{}: frames are {} now", self.name, into.size());
                self.mode.size = into.size();
            }
            self.mode.colour = into.colour();
        }
        Ok(true)
    }
}

impl Source for PipewireSource {
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
            let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
            let (news, frames) = (self.session.fd(), self.session.frames_fd());
            let ready = wait_readable(&[wake.as_fd(), news, frames], left);
            if ready & 1 != 0 {
                return Ok(Next::Woken);
            }
            if ready != 0 && self.follow()? == Link::Awaited {
                // Such a frame may be another camera's.
                let (early, older) = self.session.newest();
                let dropped = older.saturating_add(u32::from(early.is_some()));
                self.skipped.dropped = self.skipped.dropped.saturating_add(dropped);
            } else if ready != 0 && self.take(into)? {
                let taken = std::mem::take(&mut self.skipped);
                trace!("{}: frame, {taken:?}", self.name);
                return Ok(Next::Frame(taken));
            }
            // A camera that always has something and never a good frame must not hold us here.
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Ok(Next::NotYet(std::mem::take(&mut self.skipped)));
            }
        }
    }
}

impl Drop for PipewireSource {
    fn drop(&mut self) {
        debug!("camera: {} closed", self.name);
    }
}
