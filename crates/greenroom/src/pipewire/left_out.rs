use greenroom_device::{DeviceError, Sink, SinkMode, SinkOpener};

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
