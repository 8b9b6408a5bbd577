//! Single words of the command line and the configuration, checked.

use std::path::{Path, PathBuf};
use std::time::Duration;

use greenroom_device::{FileTarget, FrameRate, names_a_device};
use greenroom_frame::{Colour, SizePx};
use greenroom_scene::{SceneError, user_placeholder};

use super::camera_choice::CameraChoice;
use super::error::SettingsError;
use crate::demo;
use crate::governor::CpuBudget;
use crate::masks::MaskServerUrl;
use crate::pipewire;
use crate::same_file::{is_same_file, would_replace};

pub(super) fn camera_choice(text: &str) -> Result<CameraChoice, SettingsError> {
    if let Some(name) = prefixed(text, "pipewire") {
        pipewire::check_input()?;
        return Ok(match pipewire::is_sandboxed() {
            true => CameraChoice::Portal(name),
            false => CameraChoice::Pipewire(name),
        });
    }
    if let Some(name) = prefixed(text, "portal") {
        pipewire::check_input()?;
        return Ok(CameraChoice::Portal(name));
    }
    match text {
        "auto" => Ok(CameraChoice::Auto),
        "demo" => Ok(CameraChoice::File(demo::clip()?)),
        "test-picture" => Ok(CameraChoice::TestPicture),
        _ if names_a_device(text) => Ok(CameraChoice::Device(text.to_owned())),
        _ if Path::new(text).exists() => Ok(CameraChoice::File(text.into())),
        _ => Err(SettingsError::NoSuchCamera(text.to_owned())),
    }
}

/// The name in `KIND:NAME`; the inner `None` for `KIND` alone.
fn prefixed(text: &str, kind: &str) -> Option<Option<String>> {
    match text.strip_prefix(kind)? {
        "" => Some(None),
        name => {
            let name = name.strip_prefix(':')?.trim();
            Some(Some(name.to_owned()).filter(|name| !name.is_empty()))
        }
    }
}

/// Nothing, or `none`, is no server.
pub(super) fn mask_server(text: Option<&String>) -> Result<Option<MaskServerUrl>, SettingsError> {
    let text = text.filter(|text| !text.is_empty() && *text != "none");
    text.map(|text| text.parse().map_err(SettingsError::NotAMaskServer)).transpose()
}

/// Nothing, or `auto`, is no budget.
pub(super) fn cpu_budget(text: Option<&String>) -> Result<Option<CpuBudget>, SettingsError> {
    let text = text.filter(|text| !text.is_empty() && *text != "auto");
    text.map(|text| text.parse().map_err(|()| SettingsError::NotABudget(text.clone()))).transpose()
}

/// The time that the user's seconds mean, after which the camera is closed: at once, or after a day at the most, which is
/// as good as never.
pub(crate) fn idle_time(seconds: f64) -> Result<Duration, SettingsError> {
    let time = Duration::try_from_secs_f64(seconds).ok();
    let time = time.filter(|time| *time <= Duration::from_secs(86_400));
    time.ok_or(SettingsError::NotIdleTime(seconds))
}

/// A picture is decoded once at the start, so that it is known to be whole.
pub(super) fn checked_placeholder(path: &Path) -> Result<PathBuf, SceneError> {
    user_placeholder(path, SizePx::new(64, 36), Colour::WEBCAM)?;
    Ok(path.to_owned())
}

pub(super) fn frame_rate(text: &str) -> Result<FrameRate, SettingsError> {
    let not_a_rate = || SettingsError::NotARate(text.to_owned());
    let fps: f64 = text.parse().map_err(|_| not_a_rate())?;
    if !(1.0..=240.0).contains(&fps) {
        return Err(not_a_rate());
    }
    // Thousandths are exact enough for 23.976 and 29.97.
    FrameRate::new((fps * 1000.0).round() as u32, 1000).ok_or_else(not_a_rate)
}

/// Whether two targets are one.
pub(super) fn same_target(one: &FileTarget, other: &FileTarget) -> bool {
    match (one, other) {
        (FileTarget::Path(one), FileTarget::Path(other)) => is_same_file(one, other),
        _ => one == other,
    }
}

pub(super) fn refuse_to_replace(
    target: &FileTarget,
    read: &[PathBuf],
) -> Result<(), SettingsError> {
    match target {
        FileTarget::Path(path) if would_replace(path, read) => {
            Err(SettingsError::SameFile(path.display().to_string()))
        }
        _ => Ok(()),
    }
}
