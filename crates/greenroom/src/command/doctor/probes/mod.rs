//! What no file tells: devices, FFmpeg, the running greenroom, PipeWire and the session bus are asked.
//! Nothing is changed by that, and whoever does not answer in time stays [`Known::Unknown`].

mod bus;
mod control;
mod devices;
mod pipewire;

use std::ffi::OsStr;
use std::path::Path;

use greenroom_device::{DeviceError, ask_program, decoders};
use greenroom_doctor::evidence::Ffmpeg;
use greenroom_doctor::{Folders, Known, Probes};
use tracing::debug;

use crate::command::setup::System;

/// Asks all of them.
pub(super) fn probe(system: &System, folders: &Folders, socket: Option<&Path>) -> Probes {
    let status = control::status(socket);
    let (cameras, loopbacks) = if system.is_real() {
        devices::probe(status.get().and_then(Option::as_ref))
    } else {
        // The devices of this machine are not those of a made-up system.
        (Known::Unknown, Known::Unknown)
    };
    Probes {
        cameras,
        loopbacks,
        ffmpeg: ffmpeg(),
        control: control::probe(&status),
        pipewire: pipewire::probe(system, folders),
        ..of_desktop(system)
    }
}

/// Asks what decides which programs list a camera that has just been made: the running greenroom and the desktop, but not
/// PipeWire, which takes a while to find the camera.
pub(super) fn of_new_camera(system: &System, socket: Option<&Path>) -> Probes {
    Probes { control: control::probe(&control::status(socket)), ..of_desktop(system) }
}

fn of_desktop(system: &System) -> Probes {
    Probes {
        portal: bus::portal(system),
        portal_permissions: bus::permissions(system),
        ..Probes::default()
    }
}

/// FFmpeg, as greenroom itself starts it.
fn ffmpeg() -> Known<Ffmpeg> {
    match decoders() {
        Ok(decoders) => Known::Is(Ffmpeg::Found {
            decoders: if decoders.is_empty() { Known::Unknown } else { Known::Is(decoders) },
        }),
        Err(DeviceError::MissingProgram { .. }) => Known::Is(Ffmpeg::Missing),
        Err(DeviceError::Unsupported { .. }) => {
            Known::Is(Ffmpeg::Found { decoders: Known::Unknown })
        }
        Err(error) => {
            debug!(%error, "ffmpeg was not asked");
            Known::Unknown
        }
    }
}

/// What a program of the system says, or why it says nothing.
fn ask<S: AsRef<OsStr>>(
    system: &System,
    program: &str,
    arguments: impl IntoIterator<Item = S>,
) -> Result<Vec<u8>, String> {
    let mut command = system.programs.command(program);
    command.args(arguments).env("LC_ALL", "C.UTF-8").env("NO_COLOR", "1");
    ask_program(command).inspect_err(|why| debug!("{program}: {why}"))
}
