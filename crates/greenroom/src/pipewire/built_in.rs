use greenroom_device::{SinkMode, SinkOpener};
use greenroom_pipewire::{PipewireCamera, PipewireOpener};
pub use greenroom_pipewire::{is_running, may_run};

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
