//! What no file tells. The caller fills this in: it opens devices, asks FFmpeg, the control socket,
//! PipeWire and the session bus. Whatever it could not find out stays [`Known::Unknown`].

use std::collections::BTreeSet;

use greenroom_setup::Known;
use serde::Serialize;

/// What the caller found out by asking devices and programs.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct Probes {
    /// The cameras (no loopbacks), by asking each.
    pub cameras: Known<Vec<CameraProbe>>,
    /// The nodes of v4l2loopback, by asking each.
    pub loopbacks: Known<Vec<LoopbackProbe>>,
    /// `ffmpeg`, as greenroom would start it.
    pub ffmpeg: Known<Ffmpeg>,
    /// What answers at the control socket.
    pub control: Known<Control>,
    /// PipeWire's nodes for cameras (`media.class` `Video/Source`), by `pw-dump`.
    pub pipewire: Known<Vec<PipeWireCamera>>,
    /// `IsCameraPresent` of the camera portal; `Is(None)` if there is no camera portal on the bus.
    pub portal: Known<Option<bool>>,
    /// What the permission store's table `devices` has for `camera`, for each program.
    pub portal_permissions: Known<Vec<PortalPermission>>,
}

/// A camera, as it answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CameraProbe {
    /// N of `/dev/videoN`.
    pub number: u32,
    /// Whether it can be used now.
    pub state: Known<CameraState>,
    /// Its modes.
    pub modes: Known<Vec<CameraMode>>,
}

/// Whether a camera can be used now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraState {
    /// Yes, or greenroom itself uses it.
    Free,
    /// Another program uses it (`EBUSY`).
    Busy,
    /// The USB bus has no room left (`ENOSPC`).
    NoBandwidth,
}

/// A mode of a camera.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct CameraMode {
    /// Width of the pictures.
    pub width_px: u32,
    /// Height of the pictures.
    pub height_px: u32,
    /// The highest rate at this size, in frames per second; unknown if the driver does not tell.
    pub fps: Known<f64>,
}

/// A node of v4l2loopback, as it answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LoopbackProbe {
    /// N of `/dev/videoN`.
    pub number: u32,
    /// Whether it shows itself as a camera only while somebody writes (`QUERYCAP`, `device_caps`).
    pub exclusive_caps: Known<bool>,
    /// The size of its pictures, if one is set.
    pub size_px: Option<(u32, u32)>,
    /// By which event the driver tells who watches.
    pub usage_event: Known<UsageEvent>,
}

/// By which event a driver tells who watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageEvent {
    /// The one of v4l2loopback since 0.13 (0x10E00001).
    Usual,
    /// Under another number, as one build of Ubuntu has it (0x08000000).
    OtherNumber,
    /// By none.
    None,
}

/// `ffmpeg`, as greenroom would start it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Ffmpeg {
    /// It is not there.
    Missing,
    /// It is there.
    Found {
        /// The names of its decoders (`ffmpeg -decoders`).
        decoders: Known<BTreeSet<String>>,
    },
}

/// What answers at the control socket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    /// There is no socket, or nobody listens there.
    Nobody,
    /// A greenroom.
    Greenroom {
        /// Its process number.
        pid: u32,
        /// Its version.
        version: String,
        /// The kinds of its outputs.
        outputs: Vec<OutputKind>,
        /// Whether somebody watches the virtual camera.
        watched: bool,
    },
}

/// Where pictures go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OutputKind {
    /// To a node of v4l2loopback.
    Loopback,
    /// To a camera of PipeWire.
    PipeWire,
    /// To a file or a pipe.
    File,
}

/// A camera of PipeWire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PipeWireCamera {
    /// Its description, under which programs list it.
    pub description: String,
    /// N of `/dev/videoN`, if it stands for a V4L2 device (`api.v4l2.path`).
    pub number: Option<u32>,
    /// The sizes of its formats.
    pub sizes_px: Vec<(u32, u32)>,
}

/// What the permission store has for a program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PortalPermission {
    /// The program's id: `org.mozilla.firefox`. Empty for programs outside of a sandbox.
    pub app: String,
    /// Whether it may use cameras.
    pub allowed: bool,
}

impl Probes {
    /// Whether the greenroom that answers has an output of this kind.
    pub(crate) fn has_output(&self, kind: OutputKind) -> bool {
        self.control.is_and(|control| match control {
            Control::Greenroom { outputs, .. } => outputs.contains(&kind),
            Control::Nobody => false,
        })
    }

    /// What the camera with this number answers.
    pub(crate) fn camera(&self, number: u32) -> Option<&CameraProbe> {
        self.cameras.get()?.iter().find(|camera| camera.number == number)
    }

    /// What the loopback with this number answers.
    pub(crate) fn loopback(&self, number: u32) -> Option<&LoopbackProbe> {
        self.loopbacks.get()?.iter().find(|loopback| loopback.number == number)
    }
}
