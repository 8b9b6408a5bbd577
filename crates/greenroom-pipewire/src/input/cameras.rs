use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use greenroom_device::{DeviceError, FileWatch, FrameRate, Source, choose_mode};
use greenroom_frame::SizePx;

use super::facts::{PipewireCameraInfo, Wanted, pick};
use super::session::CameraSession;
use super::source::PipewireSource;
use crate::address::socket;
use crate::error::PipewireError;
use crate::raw::Movable;

/// How long PipeWire may take to tell of its cameras.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whoever lets this program in to PipeWire: the desktop's portal.
pub trait Doorkeeper: Send {
    /// A new connection.
    ///
    /// # Errors
    /// Why there is none; it is asked for again.
    fn connection(&mut self) -> Result<OwnedFd, DeviceError>;

    /// Nobody waits for a camera any more.
    fn rest(&mut self);
}

/// The cameras on the session's PipeWire, whenever that is there.
pub struct PipewireCameras {
    /// `None`: the session's socket is connected to.
    door: Option<Box<dyn Doorkeeper>>,
    /// A connection that tells of cameras that come.
    session: Option<Movable<CameraSession>>,
    socket: Option<PathBuf>,
    /// Tells of a PipeWire that comes; `None` if the system has no inotify left, or there is no folder to look in.
    sockets: Option<FileWatch>,
}

impl PipewireCameras {
    /// Connects to nothing yet.
    pub fn new() -> Self {
        Self { door: None, session: None, socket: socket(), sockets: None }
    }

    /// As [`new`](Self::new), over connections of `door`.
    pub fn through(door: Box<dyn Doorkeeper>) -> Self {
        Self { door: Some(door), session: None, socket: None, sockets: None }
    }

    /// All cameras that are there now, with their modes. No camera is started for it.
    ///
    /// # Errors
    /// When there is no PipeWire, or it does not answer.
    pub fn list(&mut self) -> Result<Vec<PipewireCameraInfo>, DeviceError> {
        self.look(None)
    }

    /// The camera that is `wanted`, with its modes for `size` and `rate`. No camera is started for it.
    ///
    /// # Errors
    /// [`DeviceError::NotFound`] or [`DeviceError::NoneHere`] if it is not there, with what there is instead;
    /// [`DeviceError::Elsewhere`] if there is no PipeWire ([`is_not_running`]).
    pub fn find(
        &mut self,
        wanted: Wanted<'_>,
        size: SizePx,
        rate: FrameRate,
    ) -> Result<PipewireCameraInfo, DeviceError> {
        Ok(pick(&self.look(Some((size, rate)))?, wanted)?.clone())
    }

    /// Starts `camera`, which was found just now, in the mode that comes nearest to `size` and `rate` ([`choose_mode`]).
    ///
    /// # Errors
    /// [`DeviceError::Unsupported`] if it has no mode that greenroom can decode, and others as they come.
    pub fn open(
        &mut self,
        camera: &PipewireCameraInfo,
        size: SizePx,
        rate: FrameRate,
    ) -> Result<Box<dyn Source>, DeviceError> {
        let choice =
            choose_mode(&camera.modes, size, rate).ok_or_else(|| DeviceError::Unsupported {
                what: camera.name(),
                why: "it offers no format that greenroom can decode; `greenroom list` shows other cameras"
                    .to_owned(),
            })?;
        // From here on it is the camera's: it ends with that.
        let mut session = match self.session.take() {
            Some(session) => session,
            None => self.connect()?,
        };
        session.start(camera, &choice)?;
        Ok(Box::new(PipewireSource::new(session, camera, &choice)))
    }

    /// Readable when cameras, or PipeWire itself, may have come or gone; then [`has_news`](Self::has_news) is to be asked.
    pub fn news_fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.session {
            Some(session) => Some(session.fd()),
            None => self.sockets.as_ref().map(AsFd::as_fd),
        }
    }

    /// Whether they have, since this was asked last.
    pub fn has_news(&mut self) -> bool {
        match &mut self.session {
            Some(session) => session.has_news(),
            None => {
                let sockets = self.sockets.as_mut();
                let has_news = sockets.is_some_and(|it| !it.changes().changed.is_empty());
                self.watch();
                has_news
            }
        }
    }

    /// Nobody waits for a camera any more: ends the connection.
    pub fn rest(&mut self) {
        self.session = None;
        self.sockets = None;
        if let Some(door) = &mut self.door {
            door.rest();
        }
    }

    fn connect(&mut self) -> Result<Movable<CameraSession>, DeviceError> {
        let connection = match &mut self.door {
            Some(door) => Some(door.connection()?),
            None if self.socket.as_ref().is_some_and(|socket| socket.exists()) => None,
            None => return Err(PipewireError::NotRunning.into()),
        };
        Ok(Movable::new(CameraSession::connect(connection)?))
    }

    fn look(
        &mut self,
        wanted: Option<(SizePx, FrameRate)>,
    ) -> Result<Vec<PipewireCameraInfo>, DeviceError> {
        let cameras = self.try_look(wanted);
        if cameras.is_err() {
            self.session = None;
            self.watch();
        }
        cameras
    }

    fn try_look(
        &mut self,
        wanted: Option<(SizePx, FrameRate)>,
    ) -> Result<Vec<PipewireCameraInfo>, DeviceError> {
        let session = match self.session.take() {
            Some(session) => session,
            None => self.connect()?,
        };
        Ok(self.session.insert(session).cameras(wanted, PATIENCE)?)
    }

    /// Listens for a socket that comes.
    fn watch(&mut self) {
        let Some(socket) = &self.socket else { return };
        if self.sockets.is_none() {
            self.sockets = FileWatch::new()
                .map_err(|error| {
                    tracing::warn!("{error}; a PipeWire that comes is noticed a second later");
                })
                .ok();
        }
        if let Some(sockets) = &mut self.sockets {
            sockets.set(std::slice::from_ref(socket));
        }
    }
}

impl Default for PipewireCameras {
    fn default() -> Self {
        Self::new()
    }
}

/// Whether `error` says that there is no PipeWire, which may come.
pub fn is_not_running(error: &DeviceError) -> bool {
    matches!(error, DeviceError::Elsewhere(error)
        if error.downcast_ref() == Some(&PipewireError::NotRunning))
}
