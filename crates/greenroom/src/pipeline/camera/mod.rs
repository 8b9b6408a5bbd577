//! Where frames come from: the camera and the thread that takes them.

mod thread;

use greenroom_device::{Source, SourceOpener};
use greenroom_frame::SizePx;

pub(super) use thread::CameraThread;

/// Where frames come from.
pub struct CameraFeed {
    /// A source that is open already, because an output is always watched.
    pub source: Option<Box<dyn Source>>,
    /// What it is called, as far as that is known.
    pub name: Option<String>,
    /// Opens it (again), whenever somebody watches.
    pub open: Box<dyn SourceOpener>,
    /// Size of its frames, as far as it is known; another is adopted.
    pub size: SizePx,
}
