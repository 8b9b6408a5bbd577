use std::os::fd::OwnedFd;

use greenroom_device::{DeviceError, Devices, SinkMode, SinkOpener};
use greenroom_pipewire::{Doorkeeper, PipewireCamera, PipewireCameraInfo, PipewireOpener};
pub use greenroom_pipewire::{
    PipewireCameras as Cameras, Wanted, is_not_running, is_running, may_run,
};

use super::ListedCamera;
use super::portal::CameraPortal;
pub use super::portal::is_sandboxed;
use crate::settings::SettingsError;

/// Longest name that all programs show.
const MOST_CHARS: usize = 64;

/// `name`, if a camera can be called so.
///
/// # Errors
/// If it is empty or long, or has a character that some program would show in another way.
pub fn checked_name(name: &str) -> Result<String, SettingsError> {
    let is_usual = |c: char| c.is_alphanumeric() || " -_.()".contains(c);
    let is_name = name.chars().all(is_usual) && name.chars().any(char::is_alphanumeric);
    if is_name && name.trim() == name && name.chars().count() <= MOST_CHARS {
        Ok(name.to_owned())
    } else {
        Err(SettingsError::NotAPipewireName(name.to_owned()))
    }
}

/// Makes the camera called `name`, with frames of the size and rate of `wanted`.
pub fn opener(name: &str, wanted: SinkMode) -> impl SinkOpener + use<> {
    // Programs remember a camera by the node's name, which has no spaces by custom.
    let node_name = name.replace(' ', "-");
    let camera = PipewireCamera { node_name, description: name.to_owned() };
    PipewireOpener::new(camera, wanted.size, wanted.rate)
}

/// The cameras on the session's PipeWire; by the portal, if that is to be asked.
pub fn cameras(by_portal: bool) -> Cameras {
    match by_portal {
        true => Cameras::through(Box::new(CameraPortal::default())),
        false => Cameras::new(),
    }
}

impl Doorkeeper for CameraPortal {
    fn connection(&mut self) -> Result<OwnedFd, DeviceError> {
        Ok(CameraPortal::connection(self)?)
    }

    fn rest(&mut self) {
        CameraPortal::rest(self);
    }
}

/// That cameras can be taken from PipeWire.
///
/// # Errors
/// Never.
pub fn check_input() -> Result<(), SettingsError> {
    Ok(())
}

/// The cameras of others on PipeWire that are not among `devices` already; none without a PipeWire. None is started.
///
/// # Errors
/// When PipeWire is there and does not tell.
pub fn list(devices: &Devices) -> Result<Vec<ListedCamera>, DeviceError> {
    if !is_running() {
        return Ok(Vec::new());
    }
    let is_known = |camera: &PipewireCameraInfo| {
        let cameras = devices.cameras.iter().map(|it| &it.node);
        let mut nodes = cameras.chain(devices.loopbacks.iter().map(|it| &it.node));
        nodes.any(|node| camera.is_node(node))
    };
    let cameras = match Cameras::new().list() {
        // A socket that was left behind.
        Err(error) if is_not_running(&error) => Vec::new(),
        cameras => cameras?,
    };
    let others = cameras.into_iter().filter(|camera| !camera.is_ours() && !is_known(camera));
    Ok(others
        .map(|camera| ListedCamera {
            node_name: camera.node_name,
            description: camera.description,
            from: camera.api.or(camera.program),
            modes: camera.modes,
        })
        .collect())
}
