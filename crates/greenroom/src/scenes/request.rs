//! What the scenes of a run are begun with, and what is asked of them on air.

use std::path::PathBuf;

use greenroom_device::FileWatch;
use greenroom_scene::{SceneFormat, SceneSpec};

use super::{SceneLibrary, SceneOptions};

/// What is shown first on an output, and the watch over its files that was set before they were read.
pub struct FirstScene {
    /// Open at what is shown.
    pub(super) library: SceneLibrary,
    /// What was asked for, if it cannot be shown yet.
    pub(super) wanted: Option<SceneLibrary>,
    /// Why not.
    pub(super) trouble: Option<String>,
    pub(super) spec: SceneSpec,
    pub(super) scene_format: SceneFormat,
    pub(super) watch: Option<FileWatch>,
}

/// Files of the whole run.
#[derive(Debug, Clone, Default)]
pub struct FilesInUse {
    /// What is recorded into: shown, it would be lost at the end.
    pub recordings: Vec<PathBuf>,
    /// What is read: no snapshot takes its place.
    pub read: Vec<PathBuf>,
}

/// What can be asked of the scenes on air.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SceneRequest {
    /// Lay these options over what is shown.
    Change(SceneOptions),
    /// Show the scene of this name.
    GoTo(String),
    /// Show the next scene, or without others the next picture of a slideshow.
    Next,
}
