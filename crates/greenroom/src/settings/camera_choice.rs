//! Which camera the user wants.

use std::path::PathBuf;

/// Where frames come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CameraChoice {
    /// The best camera there is, also one that comes later.
    Auto,
    /// A camera by node, by-id path or card name.
    Device(String),
    /// A camera that PipeWire offers, by the name of its node, its number or its description; the best one, if none is
    /// given.
    Pipewire(Option<String>),
    /// The same, by the desktop's portal, which asks the user.
    Portal(Option<String>),
    /// A video file.
    File(PathBuf),
    /// The built-in photograph, which moves: for a machine without a camera and without FFmpeg.
    TestPicture,
}
