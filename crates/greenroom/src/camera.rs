//! Which camera is opened, and which one when it comes back.

use std::time::{Duration, Instant};

use greenroom_device::{
    CameraIdentity, CameraInfo, DeviceError, FileReader, FrameRate, Playback, Source, TestPicture,
    V4l2Camera, choose_mode, find_camera, find_camera_again,
};
use greenroom_frame::SizePx;

use crate::models;
use crate::settings::{CameraChoice, RunSettings};

/// How long `auto` waits for the camera it had before it takes another one: whoever replugs a
/// webcam wants that one, and not the one in the laptop's lid.
const LOYALTY: Duration = Duration::from_secs(3);

/// Opens the camera that the user chose, as often as it is needed; after the first time only that
/// very camera, whatever its node is called then.
#[derive(Debug)]
pub struct CameraOpener {
    choice: CameraChoice,
    playback: Playback,
    size: SizePx,
    rate: FrameRate,
    known: Option<(CameraIdentity, String)>,
    away_since: Option<Instant>,
    /// Whatever is named is waited for.
    waits: bool,
}

impl CameraOpener {
    /// For the camera, size and rate of `settings`.
    pub fn new(settings: &RunSettings) -> Self {
        let playback = if settings.unpaced { Playback::Unpaced } else { Playback::Live };
        Self {
            choice: settings.camera.clone(),
            playback,
            size: settings.size,
            rate: settings.rate,
            known: None,
            away_since: None,
            waits: settings.awaits_devices,
        }
    }

    /// What it is called, as far as that is known.
    pub fn name(&self) -> Option<String> {
        match &self.choice {
            CameraChoice::File(path) => Some(path.display().to_string()),
            CameraChoice::TestPicture => Some(TestPicture::NAME.to_owned()),
            _ => self.known.as_ref().map(|(_, name)| name.clone()),
        }
    }

    /// What the camera will deliver, found out without starting it. `None`: it is not there yet
    /// and may come.
    ///
    /// # Errors
    /// When there is no such camera, or it cannot be used.
    pub fn plan(&mut self) -> Result<Option<(SizePx, FrameRate)>, DeviceError> {
        if let CameraChoice::File(path) = &self.choice {
            let mode = FileReader::probe(path)?;
            return Ok(Some((mode.size, mode.rate)));
        }
        if self.choice == CameraChoice::TestPicture {
            let mode = self.test_picture()?.mode();
            return Ok(Some((mode.size, mode.rate)));
        }
        match self.find() {
            Ok(camera) => {
                self.known = Some((camera.identity.clone(), camera.name()));
                let mode = choose_mode(&camera.modes, self.size, self.rate);
                Ok(mode.map(|mode| (mode.size, mode.rate)))
            }
            Err(error) => self.may_come(error).map(|()| None),
        }
    }

    /// Opens the camera at the start. `None`: it is not there yet and may come.
    ///
    /// # Errors
    /// When there is no such camera, or it cannot be used.
    pub fn first(&mut self) -> Result<Option<Box<dyn Source>>, DeviceError> {
        match self.open() {
            Ok(source) => Ok(Some(source)),
            Err(error) => self.may_come(error).map(|()| None),
        }
    }

    /// Opens the camera.
    ///
    /// # Errors
    /// As they come from the device.
    pub fn open(&mut self) -> Result<Box<dyn Source>, DeviceError> {
        if let CameraChoice::File(path) = &self.choice {
            let reader = FileReader::open(path, self.playback)?;
            tracing::info!("camera: {}, {}", reader.name(), reader.mode());
            return Ok(Box::new(reader));
        }
        if self.choice == CameraChoice::TestPicture {
            let picture = self.test_picture()?;
            tracing::info!("camera: {}, {}", picture.name(), picture.mode());
            return Ok(Box::new(picture));
        }
        let camera = self.find()?;
        let opened = V4l2Camera::open(&camera, self.size, self.rate)?;
        self.known = Some((camera.identity.clone(), camera.name()));
        self.away_since = None;
        Ok(Box::new(opened))
    }

    fn test_picture(&self) -> Result<TestPicture, DeviceError> {
        let broken = |error: anyhow::Error| DeviceError::Broken {
            what: TestPicture::NAME.to_owned(),
            why: format!("{error:#}"),
        };
        Ok(TestPicture::new(models::person().map_err(broken)?, self.rate, self.playback))
    }

    fn find(&mut self) -> Result<CameraInfo, DeviceError> {
        let name = match &self.choice {
            CameraChoice::Device(name) => name.as_str(),
            _ => "auto",
        };
        let Some((identity, _)) = &self.known else { return find_camera(name) };
        match find_camera_again(identity) {
            Err(error @ DeviceError::NotFound { .. }) => {
                let away = self.away_since.get_or_insert_with(Instant::now).elapsed();
                if self.choice == CameraChoice::Auto && away >= LOYALTY {
                    find_camera("auto")
                } else {
                    Err(error)
                }
            }
            answer => answer,
        }
    }

    /// A camera that is chosen by us, or named by a link that only this one can have, is waited
    /// for; any other name that leads nowhere may be a slip.
    fn may_come(&self, error: DeviceError) -> Result<(), DeviceError> {
        let may_come = match (&self.choice, &error) {
            (CameraChoice::Auto, DeviceError::NoneHere { .. }) => true,
            (CameraChoice::Device(_), _) if self.waits => true,
            (CameraChoice::Device(name), DeviceError::NotFound { .. }) => {
                name.starts_with("/dev/v4l/")
            }
            _ => false,
        };
        if may_come {
            tracing::warn!("{error}; waiting for it");
            return Ok(());
        }
        Err(error)
    }
}
