use std::ffi::{OsStr, OsString};

use greenroom_device::{FileTarget, names_a_device};
use greenroom_frame::SizePx;

use super::{SceneSettings, SettingsError, same_target};
use crate::config::OutputTable;
use crate::pipeline::MOST_OUTPUTS;
use crate::pipewire;
use crate::scenes::{SceneLibrary, check_privacy};

/// Where frames go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputChoice {
    /// A v4l2loopback node by node or card name; or `auto`, every virtual camera of ours.
    Device(String),
    /// A camera on PipeWire, by the name that users see.
    Pipewire(String),
    /// A file or standard output.
    File(FileTarget),
    /// `null`: everything is composed and nothing kept, for measuring.
    Null,
}

/// One output, checked.
#[derive(Debug, Clone)]
pub struct OutputSettings {
    /// What tells it from the others.
    pub name: String,
    /// Where frames go.
    pub choice: OutputChoice,
    /// The size of its frames, if it is not the camera's.
    pub size: Option<SizePx>,
    /// Open at the scene to begin with.
    pub library: SceneLibrary,
    /// Pictures go on while nobody watches it.
    pub always_on: bool,
    /// The camera is opened for those who watch it.
    pub opens_camera: bool,
}

impl OutputChoice {
    fn parse(text: &OsStr) -> Result<Self, SettingsError> {
        if let Some(name) = text.to_str().and_then(pipewire_name) {
            return pipewire::checked_name(name).map(Self::Pipewire);
        }
        Ok(match text.to_str() {
            Some("null") => Self::Null,
            Some(name) if name != "-" && names_a_device(name) => Self::Device(name.to_owned()),
            _ => Self::File(FileTarget::parse(text)),
        })
    }

    /// Whether programs come and watch it.
    fn is_camera(&self) -> bool {
        matches!(self, Self::Device(_) | Self::Pipewire(_))
    }

    /// Whether both are the same place.
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(other)) => same_target(one, other),
            (Self::Null, Self::Null) => false,
            _ => self == other,
        }
    }
}

/// What `pipewire` or `pipewire:NAME` calls the camera.
fn pipewire_name(text: &str) -> Option<&str> {
    match text.strip_prefix("pipewire")? {
        "" => Some(pipewire::NAME),
        name => name.strip_prefix(':'),
    }
}

impl OutputSettings {
    /// Those of the command line (`named`), else of the configuration, else `auto`. Each is open at its own scene, in
    /// frames of a height, if one is named, else at that of all.
    ///
    /// # Errors
    /// One sentence for the first word that makes no sense.
    pub(super) fn all(
        named: Option<Vec<OsString>>,
        configured: Vec<OutputTable>,
        always_on: bool,
        (scene, height_px): (&SceneSettings, u32),
    ) -> anyhow::Result<Vec<Self>> {
        let mut outputs = Vec::new();
        let plain = |to: OsString| (to, OutputTable::default());
        let tables: Vec<_> = match (named, configured) {
            (Some(named), _) => named.into_iter().map(plain).collect(),
            (None, configured) if configured.is_empty() => vec![plain("auto".into())],
            (None, configured) => {
                configured.into_iter().map(|table| (table.to.clone().into(), table)).collect()
            }
        };
        if tables.len() > MOST_OUTPUTS {
            return Err(SettingsError::ManyOutputs(tables.len(), MOST_OUTPUTS).into());
        }
        for (to, table) in tables {
            let choice = OutputChoice::parse(&to)?;
            let to = to.to_string_lossy().into_owned();
            let name = table.name.unwrap_or_else(|| to.clone());
            if outputs.iter().any(|other: &Self| other.choice.is_same(&choice)) {
                return Err(SettingsError::SameOutput(to).into());
            }
            if outputs.iter().any(|other| other.name == name) {
                return Err(SettingsError::SameName(name).into());
            }
            // That of all was checked as it was made.
            let library = match table.scene {
                Some(name) => {
                    let library = scene.library.opened_at(&name)?;
                    if !scene.awaits_background {
                        check_privacy(&library.options().check()?, library.people(), height_px)?;
                    }
                    library
                }
                None => scene.library.clone(),
            };
            let size = table.size.map(|size| size.parse()).transpose()?;
            let always_on = table.always_on.unwrap_or(always_on);
            let opens_camera = table.opens_camera.unwrap_or(true);
            outputs.push(Self { name, choice, size, library, always_on, opens_camera });
        }
        Ok(outputs)
    }

    /// The file or pipe that is written.
    pub fn target(&self) -> Option<&FileTarget> {
        match &self.choice {
            OutputChoice::File(target) => Some(target),
            _ => None,
        }
    }

    /// Whether somebody watches it from the start: a file, or one that is always on.
    pub fn is_watched_at_once(&self) -> bool {
        self.opens_camera && (self.always_on || !self.choice.is_camera())
    }
}
