use std::io;
use std::os::fd::BorrowedFd;

use greenroom_device::{
    CameraMode, DeviceError, Devices, FrameRate, Sink, SinkMode, SinkOpener, Source, Wake,
};
use greenroom_frame::SizePx;
use greenroom_scene::{Background, Fit, SceneFormat};

use super::{Ask, ListedCamera};
use crate::settings::SettingsError;

/// # Errors
/// Always: no camera is made here.
pub fn checked_name(_: &str) -> Result<String, SettingsError> {
    Err(SettingsError::WithoutPipewire)
}

/// Never, as far as this program can tell.
pub fn is_running() -> bool {
    false
}

/// Never either.
pub fn may_run() -> bool {
    false
}

/// Opens nothing. Nobody asks for it: there is no name.
pub fn opener(_: &str, _: SinkMode) -> impl SinkOpener + use<> {
    || -> Result<Box<dyn Sink>, DeviceError> {
        Err(DeviceError::Elsewhere(Box::new(SettingsError::WithoutPipewire)))
    }
}

/// # Errors
/// Always: no camera is taken from PipeWire here.
pub fn check_input() -> Result<(), SettingsError> {
    Err(SettingsError::WithoutPipewire)
}

/// Whoever needs no camera of PipeWire does not care.
pub fn is_sandboxed() -> bool {
    false
}

/// Not that anybody could tell.
pub fn is_not_running(_: &DeviceError) -> bool {
    false
}

/// Nothing.
///
/// # Errors
/// Never.
pub fn list(_: &Devices) -> Result<Vec<ListedCamera>, DeviceError> {
    Ok(Vec::new())
}

/// Which camera is meant.
#[derive(Clone, Copy)]
pub enum Wanted<'a> {
    /// The best one.
    First,
    /// By a name.
    Named(&'a str),
    /// By the name of its node.
    Again(&'a str),
}

/// Never made: [`check_input`] refuses.
pub struct Cameras;

/// Never made either.
pub struct NoCamera {
    /// The name of its node.
    pub node_name: String,
    /// What it offers.
    pub modes: Vec<CameraMode>,
}

impl NoCamera {
    /// None.
    pub fn name(&self) -> String {
        self.node_name.clone()
    }
}

/// For nothing.
pub fn cameras(_: bool) -> Cameras {
    Cameras
}

impl Cameras {
    /// # Errors
    /// Always.
    pub fn find(
        &mut self,
        wanted: Wanted<'_>,
        _: SizePx,
        _: FrameRate,
    ) -> Result<NoCamera, DeviceError> {
        if let Wanted::Named(name) | Wanted::Again(name) = wanted {
            tracing::debug!("no camera {name} on PipeWire");
        }
        Err(DeviceError::Elsewhere(Box::new(SettingsError::WithoutPipewire)))
    }

    /// # Errors
    /// Always.
    pub fn open(
        &mut self,
        _: &NoCamera,
        _: SizePx,
        _: FrameRate,
    ) -> Result<Box<dyn Source>, DeviceError> {
        Err(DeviceError::Elsewhere(Box::new(SettingsError::WithoutPipewire)))
    }

    /// None.
    pub fn news_fd(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// Never.
    pub fn has_news(&mut self) -> bool {
        false
    }

    /// Nothing to do.
    pub fn rest(&mut self) {}
}

/// No screens: whoever wants one is told before.
#[derive(Clone)]
pub struct Screens(Wake);

impl Screens {
    /// For nothing.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Wake::new()?))
    }

    /// Never rings.
    pub fn news(&self) -> &Wake {
        &self.0
    }

    /// None.
    pub fn trouble(&self) -> Option<String> {
        None
    }

    /// Nothing to do.
    pub fn let_go(&self) {}

    /// # Errors
    /// Always.
    pub fn background(
        &self,
        _: Ask,
        _: Fit,
        _: SceneFormat,
        _: Option<&Wake>,
    ) -> anyhow::Result<Box<dyn Background>> {
        Err(SettingsError::WithoutPipewire.into())
    }
}
