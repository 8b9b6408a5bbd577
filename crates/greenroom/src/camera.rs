//! Which camera is opened, and which one when it comes back.

use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use greenroom_device::{
    CameraIdentity, CameraInfo, DeviceError, FileReader, FrameRate, NodeWatch, Playback, Source,
    SourceOpener, TestPicture, V4l2Camera, choose_mode, find_camera, find_camera_again,
};
use greenroom_frame::SizePx;

use crate::models;
use crate::pipewire::{self, Wanted};
use crate::settings::{CameraChoice, RunSettings};

/// How long `auto` waits for the camera it had before it takes another one: whoever replugs a
/// webcam wants that one, and not the one in the laptop's lid.
const LOYALTY: Duration = Duration::from_secs(3);

/// Opens the camera that the user chose, as often as it is needed; after the first time only that
/// very camera, whatever its node is called then.
pub struct CameraOpener {
    choice: CameraChoice,
    playback: Playback,
    size: SizePx,
    rate: FrameRate,
    known: Option<(Known, String)>,
    away_since: Option<Instant>,
    /// Whatever is named is waited for.
    waits: bool,
    /// Tells of V4L2 cameras that come.
    nodes: Option<NodeWatch>,
    pipewire: pipewire::Cameras,
}

/// What a camera is recognised by.
#[derive(Debug, Clone)]
enum Known {
    V4l2(CameraIdentity),
    /// The name of its node on PipeWire.
    Pipewire(String),
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
            nodes: watch_for(&settings.camera),
            pipewire: pipewire::cameras(matches!(settings.camera, CameraChoice::Portal(_))),
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
        let modes = match &self.choice {
            CameraChoice::File(path) => {
                let mode = FileReader::probe(path)?;
                return Ok(Some((mode.size, mode.rate)));
            }
            CameraChoice::TestPicture => {
                let mode = self.test_picture()?.mode();
                return Ok(Some((mode.size, mode.rate)));
            }
            CameraChoice::Pipewire(name) => {
                let wanted = name.as_deref().map_or(Wanted::First, Wanted::Named);
                let found = self.pipewire.find(wanted, self.size, self.rate);
                // Nobody watches yet.
                self.pipewire.rest();
                found.map(|camera| {
                    let name = camera.name();
                    self.known = Some((Known::Pipewire(camera.node_name), name));
                    camera.modes
                })
            }
            // The user is asked when somebody watches, and not before.
            CameraChoice::Portal(_) => return Ok(None),
            CameraChoice::Auto | CameraChoice::Device(_) => self.find().map(|camera| {
                self.known = Some((Known::V4l2(camera.identity.clone()), camera.name()));
                camera.modes
            }),
        };
        match modes {
            Ok(modes) => {
                let mode = choose_mode(&modes, self.size, self.rate);
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

    fn open_v4l2(&mut self) -> Result<Box<dyn Source>, DeviceError> {
        let camera = self.find()?;
        let opened = V4l2Camera::open(&camera, self.size, self.rate)?;
        self.known = Some((Known::V4l2(camera.identity.clone()), camera.name()));
        Ok(Box::new(opened))
    }

    fn open_pipewire(&mut self, name: Option<&str>) -> Result<Box<dyn Source>, DeviceError> {
        let by_name = name.map_or(Wanted::First, Wanted::Named);
        let (size, rate) = (self.size, self.rate);
        let known = match &self.known {
            Some((Known::Pipewire(node), _)) => Some(node.clone()),
            _ => None,
        };
        let wanted = known.as_deref().map_or(by_name, Wanted::Again);
        let camera = match self.pipewire.find(wanted, size, rate) {
            Err(DeviceError::NotFound { .. })
                if known.is_some() && name.is_none() && self.is_away_for_long() =>
            {
                self.pipewire.find(by_name, size, rate)?
            }
            camera => camera?,
        };
        let opened = self.pipewire.open(&camera, size, rate)?;
        let name = camera.name();
        self.known = Some((Known::Pipewire(camera.node_name), name));
        Ok(opened)
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
        let Some((Known::V4l2(identity), _)) = &self.known else { return find_camera(name) };
        match find_camera_again(identity) {
            Err(DeviceError::NotFound { .. })
                if self.choice == CameraChoice::Auto && self.is_away_for_long() =>
            {
                find_camera("auto")
            }
            answer => answer,
        }
    }

    /// Whether the camera that was had is away for so long that another may take its place.
    fn is_away_for_long(&mut self) -> bool {
        self.away_since.get_or_insert_with(Instant::now).elapsed() >= LOYALTY
    }

    /// A camera that is chosen by us, or named by a link that only this one can have, is waited
    /// for; any other name that leads nowhere may be a slip. Where a session begins, PipeWire may have no camera yet.
    fn may_come(&self, error: DeviceError) -> Result<(), DeviceError> {
        let may_come = match (&self.choice, &error) {
            (CameraChoice::Auto | CameraChoice::Pipewire(_), DeviceError::NoneHere { .. }) => true,
            (CameraChoice::Device(_) | CameraChoice::Pipewire(_), _) if self.waits => true,
            (CameraChoice::Portal(_), DeviceError::NoneHere { .. } | DeviceError::Elsewhere(_)) => {
                true
            }
            (CameraChoice::Pipewire(_), error) => pipewire::is_not_running(error),
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

fn watch_for(choice: &CameraChoice) -> Option<NodeWatch> {
    match choice {
        CameraChoice::Auto | CameraChoice::Device(_) => NodeWatch::new()
            .map_err(|error| {
                tracing::warn!("{error}; a camera that is plugged in is noticed a second later");
            })
            .ok(),
        _ => None,
    }
}

impl SourceOpener for CameraOpener {
    fn open(&mut self) -> Result<Box<dyn Source>, DeviceError> {
        let source = match self.choice.clone() {
            CameraChoice::File(path) => {
                let reader = FileReader::open(&path, self.playback)?;
                tracing::info!("camera: {}, {}", reader.name(), reader.mode());
                return Ok(Box::new(reader));
            }
            CameraChoice::TestPicture => {
                let picture = self.test_picture()?;
                tracing::info!("camera: {}, {}", picture.name(), picture.mode());
                return Ok(Box::new(picture));
            }
            CameraChoice::Pipewire(name) | CameraChoice::Portal(name) => {
                self.open_pipewire(name.as_deref())?
            }
            CameraChoice::Auto | CameraChoice::Device(_) => self.open_v4l2()?,
        };
        self.away_since = None;
        Ok(source)
    }

    fn news_fd(&self) -> Option<BorrowedFd<'_>> {
        match &self.choice {
            CameraChoice::Pipewire(_) | CameraChoice::Portal(_) => self.pipewire.news_fd(),
            _ => self.nodes.as_ref().map(AsFd::as_fd),
        }
    }

    fn has_news(&mut self) -> bool {
        match &self.choice {
            CameraChoice::Pipewire(_) | CameraChoice::Portal(_) => self.pipewire.has_news(),
            _ => self.nodes.as_ref().is_some_and(NodeWatch::clear),
        }
    }

    fn rest(&mut self) {
        self.pipewire.rest();
    }
}
