//! What the findings need beyond [`greenroom_setup::Facts`].

mod access;
mod browsers;
mod desktop;
mod devices;
mod kernel;
mod own;
mod portals;
mod probes;
mod processes;
mod programs;

use std::path::{Path, PathBuf};

use greenroom_setup::{Facts, Known};
use serde::Serialize;

pub use access::{Access, Identity, NodeAccess};
pub use browsers::{Browser, BrowserKind};
pub(crate) use browsers::{CHROMIUM_FLAG, FIREFOX_PREFERENCE};
pub use desktop::Desktop;
pub use devices::{Device, Usb};
pub use kernel::{Cpu, DkmsSource, KernelFiles};
pub use own::{Model, Own, Unit};
pub use portals::{AccessBackend, Portals};
pub use probes::{
    CameraMode, CameraProbe, CameraState, Control, Ffmpeg, LoopbackProbe, OutputKind,
    PipeWireCamera, PortalPermission, Probes, UsageEvent,
};
pub use processes::{Process, Processes};
pub use programs::{CallProgram, Confinement, Installed};

use crate::root::Root;

/// What the findings need beyond the facts of set-up.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evidence {
    /// Who asks, and in which groups that user is in this session.
    pub identity: Identity,
    /// Processes that matter here, as far as this user may see.
    pub processes: Processes,
    /// All video nodes, by number.
    pub devices: Known<Vec<Device>>,
    /// `/dev/v4l2loopback`, through which nodes are added; `Is(None)` if it is not there.
    pub control_device: Known<Option<NodeAccess>>,
    /// What is installed for the kernel beside what set-up looks at.
    pub kernel: KernelFiles,
    /// The processor.
    pub cpu: Known<Cpu>,
    /// Installed programs in which people make calls, and how each is confined.
    pub programs: Vec<Installed>,
    /// Browsers' settings about cameras of PipeWire.
    pub browsers: Vec<Browser>,
    /// PipeWire and WirePlumber.
    pub desktop: Desktop,
    /// The desktop's portals.
    pub portals: Portals,
    /// greenroom's own files.
    pub own: Own,
    /// Whether `ffmpeg` is installed, by its file.
    pub ffmpeg: Known<bool>,
    /// What the caller found out by asking devices and programs.
    pub probes: Probes,
}

/// The user's folders, as the environment says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Folders {
    /// The home directory.
    pub home: Option<PathBuf>,
    /// `$XDG_CONFIG_HOME`, by default `~/.config`.
    pub config: Option<PathBuf>,
    /// `$XDG_DATA_HOME`, by default `~/.local/share`.
    pub data: Option<PathBuf>,
    /// `$XDG_RUNTIME_DIR`.
    pub runtime: Option<PathBuf>,
    /// The names in `$XDG_CURRENT_DESKTOP`, in lower case: `ubuntu`, `gnome`.
    pub desktops: Vec<String>,
}

impl Folders {
    /// The usual folders of a home directory.
    pub fn of_home(home: &Path) -> Self {
        Self {
            home: Some(home.to_owned()),
            config: Some(home.join(".config")),
            data: Some(home.join(".local/share")),
            runtime: None,
            desktops: Vec::new(),
        }
    }

    /// The folders of this process's user, from its environment.
    pub fn of_this_process() -> Self {
        let path = |name| {
            let path = std::env::var_os(name).map(PathBuf::from);
            path.filter(|path| path.is_absolute())
        };
        let home = path("HOME");
        let below_home = |name| home.as_ref().map(|home: &PathBuf| home.join(name));
        let desktops = std::env::var("XDG_CURRENT_DESKTOP").unwrap_or_default();
        Self {
            config: path("XDG_CONFIG_HOME").or_else(|| below_home(".config")),
            data: path("XDG_DATA_HOME").or_else(|| below_home(".local/share")),
            runtime: path("XDG_RUNTIME_DIR"),
            desktops: desktops
                .split(':')
                .filter(|name| !name.is_empty())
                .map(str::to_lowercase)
                .collect(),
            home,
        }
    }
}

impl Evidence {
    /// Reads the evidence of the system whose root directory is `root`: `/`, or a made-up one. No
    /// program is run and no device is opened; `probes` is what the caller found out by that.
    pub fn read(root: &Path, facts: &Facts, folders: &Folders, probes: Probes) -> Self {
        let root = Root::new(root);
        let identity = Identity::read(&root);
        Self {
            processes: Processes::read(&root),
            devices: devices::read(&root, &identity),
            control_device: access::control_device(&root, &identity),
            kernel: KernelFiles::read(&root, facts),
            cpu: kernel::cpu(&root),
            programs: programs::read(&root, folders),
            browsers: browsers::read(&root, folders),
            desktop: Desktop::read(&root, folders),
            portals: Portals::read(&root, folders),
            own: Own::read(&root, facts, folders),
            ffmpeg: ffmpeg(&root),
            identity,
            probes,
        }
    }
}

fn ffmpeg(root: &Root) -> Known<bool> {
    const FOLDERS: [&str; 4] = ["/usr/bin", "/usr/local/bin", "/bin", "/run/current-system/sw/bin"];
    let mut found = Known::Is(false);
    for folder in FOLDERS {
        match root.exists(format!("{folder}/ffmpeg")) {
            Known::Is(true) => return Known::Is(true),
            Known::Is(false) => {}
            Known::Unknown => found = Known::Unknown,
        }
    }
    found
}
