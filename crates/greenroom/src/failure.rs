use std::process::ExitCode;

use greenroom_device::DeviceError;
use greenroom_frame::FrameError;
use greenroom_matte::MatteError;
use greenroom_scene::SceneError;
use greenroom_setup::SetupError;

use crate::command::{DoctorRefused, SetupRefused};
use crate::config::ConfigError;
use crate::control::ControlError;
use crate::masks::ListenError;
use crate::models::{DescriptionError, GetError};
use crate::scenes::{NoSuchScene, SceneOptionsError};
use crate::settings::SettingsError;

/// Marks an error that came after everything the user gave had been accepted.
#[derive(Debug, thiserror::Error)]
#[error("stopped")]
pub struct RunFailed;

/// 2 for what the user can mend (a wrong option, device, picture, video), 1 for the rest.
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    let users = error.chain().any(|cause| {
        cause.is::<SettingsError>()
            || cause.is::<DeviceError>()
            || cause.is::<SceneError>()
            || cause.is::<SceneOptionsError>()
            || cause.is::<NoSuchScene>()
            || cause.is::<ConfigError>()
            || matches!(cause.downcast_ref(), Some(ControlError::NotText))
            || cause.is::<DescriptionError>()
            || cause.is::<GetError>()
            || cause.is::<MatteError>()
            || cause.is::<SetupRefused>()
            || cause.is::<DoctorRefused>()
            || matches!(
                cause.downcast_ref(),
                Some(SetupError::Label { .. } | SetupError::NodeCount { .. })
            )
            || cause.is::<ListenError>()
            || cause.is::<FrameError>()
    });
    if users && error.downcast_ref::<RunFailed>().is_none() {
        ExitCode::from(2)
    } else {
        ExitCode::from(1)
    }
}
