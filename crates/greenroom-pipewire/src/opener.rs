use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use greenroom_device::{DeviceError, FileWatch, FrameRate, Sink, SinkMode, SinkOpener};
use greenroom_frame::{Colour, PixelFormat, SizePx};

use crate::address::socket;
use crate::error::PipewireError;
use crate::raw::Movable;
use crate::session::{Progress, Session};
use crate::sink::PipewireSink;

/// How long the first try waits for PipeWire's answers; later ones wait for none, as other outputs go on meanwhile.
const FIRST_PATIENCE: Duration = Duration::from_secs(1);
/// After so long without an answer PipeWire hangs.
const SILENCE: Duration = Duration::from_secs(1);

/// How a camera on PipeWire is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipewireCamera {
    /// What programs remember it by: the same each time.
    pub node_name: String,
    /// What users see.
    pub description: String,
}

/// Makes a camera on the session's PipeWire, whenever that is there.
pub struct PipewireOpener {
    camera: PipewireCamera,
    mode: SinkMode,
    /// A connection whose camera is not there yet, and since when.
    connecting: Option<(Movable, Instant)>,
    /// Why there was no camera the last time.
    last: PipewireError,
    /// How long to wait for answers.
    patience: Duration,
    socket: Option<PathBuf>,
    /// `None` if the system has no inotify left, or there is no folder to look in.
    sockets: Option<FileWatch>,
}

impl PipewireOpener {
    /// For frames of `size` (made even), in packed YUYV, at `rate`, which readers are told as a whole number.
    pub fn new(camera: PipewireCamera, size: SizePx, rate: FrameRate) -> Self {
        let (format, colour) = (PixelFormat::Yuyv, Colour::WEBCAM);
        let mode = SinkMode { format, size: size.even(), rate: whole(rate), colour };
        let socket = socket();
        let sockets = socket.as_ref().and_then(|_| {
            FileWatch::new()
                .map_err(|error| {
                    tracing::warn!("{error}; a PipeWire that comes is noticed seconds later");
                })
                .ok()
        });
        let mut opener = Self {
            camera,
            mode,
            connecting: None,
            last: PipewireError::NotRunning,
            patience: FIRST_PATIENCE,
            socket,
            sockets,
        };
        opener.watch();
        opener
    }

    /// Listens for a socket that comes.
    fn watch(&mut self) {
        if let (Some(sockets), Some(socket)) = (&mut self.sockets, &self.socket) {
            sockets.set(std::slice::from_ref(socket));
        }
    }

    fn try_open(&mut self) -> Result<Option<Movable>, PipewireError> {
        if !self.socket.as_ref().is_some_and(|socket| socket.exists()) {
            return Err(PipewireError::NotRunning);
        }
        let (mut session, since) = match self.connecting.take() {
            Some(connecting) => connecting,
            None => {
                let session = Session::connect(self.camera.clone(), self.mode)?;
                (Movable::new(session), Instant::now())
            }
        };
        loop {
            if session.advance(self.patience)? == Progress::Ready {
                return Ok(Some(session));
            }
            if since.elapsed() > SILENCE {
                return Err(PipewireError::Silent);
            }
            if self.patience.is_zero() {
                self.connecting = Some((session, since));
                return Ok(None);
            }
        }
    }
}

/// The next whole rate: some readers refuse fractions.
fn whole(rate: FrameRate) -> FrameRate {
    let fps = rate.as_fps().round().max(1.0) as u32;
    FrameRate::new(fps, 1).unwrap_or(rate)
}

impl SinkOpener for PipewireOpener {
    fn open(&mut self) -> Result<Box<dyn Sink>, DeviceError> {
        let opened = self.try_open();
        self.patience = Duration::ZERO;
        match opened {
            Ok(Some(session)) => {
                self.last = PipewireError::NotRunning;
                let name = format!("{} (PipeWire)", self.camera.description);
                Ok(Box::new(PipewireSink::new(name, session, self.mode)))
            }
            // Nothing new to tell: the answers come in a moment.
            Ok(None) => Err(self.last.clone().into()),
            Err(error) => {
                self.last = error.clone();
                Err(error.into())
            }
        }
    }

    fn news_fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.connecting {
            Some((session, _)) => Some(session.fd()),
            None => self.sockets.as_ref().map(AsFd::as_fd),
        }
    }

    fn has_news(&mut self) -> bool {
        if self.connecting.is_some() {
            return true;
        }
        let has_news =
            self.sockets.as_mut().is_some_and(|sockets| !sockets.changes().changed.is_empty());
        self.watch();
        has_news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readers_are_told_a_whole_rate() {
        let told = |numerator, denominator| {
            let rate = whole(FrameRate::new(numerator, denominator).unwrap());
            (rate.numerator(), rate.denominator())
        };
        assert_eq!(told(30_000, 1001), (30, 1));
        assert_eq!(told(24_000, 1001), (24, 1));
        assert_eq!(told(60, 1), (60, 1));
        assert_eq!(told(15, 2), (8, 1));
        assert_eq!(told(1, 3), (1, 1));
    }
}
