//! What there is on a system: everything that a plan depends on, read from files.

mod configs;
mod kernel;
mod module;
mod nodes;
mod own;
mod packages;
mod root;
mod security;
mod session;
mod system;

use std::path::Path;

use serde::Serialize;

pub use configs::{ConfigLine, Directive, ModuleConfig};
pub use kernel::{Kernel, KernelPackage};
pub use module::{Installed, Loaded, Module};
pub(crate) use nodes::Use;
pub use nodes::{Node, Nodes, Origin, User};
pub use own::{OwnFile, OwnFiles, UserUnit};
pub use packages::{PackageManager, Packages};
pub(crate) use security::{AKMODS_CERTIFICATE, DKMS_CERTIFICATE, UBUNTU_CERTIFICATE};
pub use security::{KeyState, Security, SigningKey};
pub use session::{Program, Session};
pub use system::{Environment, OsRelease, System, SystemKind};

use crate::{Generation, Known, ModuleVersion, SetupError, files};
use root::Root;

/// What there is on a system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Facts {
    /// Distribution, service manager, where it runs.
    pub system: System,
    /// The running kernel.
    pub kernel: Kernel,
    /// Which modules the kernel loads.
    pub security: Security,
    /// The module v4l2loopback.
    pub module: Module,
    /// Video nodes.
    pub nodes: Known<Nodes>,
    /// What files say about the module v4l2loopback, ours left out.
    pub configs: Known<Vec<ModuleConfig>>,
    /// Files that set-up writes.
    pub own: OwnFiles,
    /// What the package manager knows.
    pub packages: Packages,
    /// Who asks.
    pub session: Session,
}

impl Facts {
    /// Reads the facts of the system whose root directory is `root`: `/`, or a made-up one. No
    /// program is run, and nothing is opened but ordinary files and those of `/proc` and `/sys`.
    ///
    /// # Errors
    /// If `root` is not a directory. Whatever else cannot be read is [`Known::Unknown`].
    pub fn read(root: &Path, session: Session) -> Result<Self, SetupError> {
        let root = Root::new(root)?;
        let kernel = Kernel::read(&root);
        let own = OwnFiles::read(&root, &session);
        let module = Module::read(&root, &kernel);
        Ok(Self {
            system: System::read(&root),
            security: Security::read(&root),
            nodes: Nodes::read(&root, &module, &own),
            configs: configs::read(&root),
            packages: Packages::read(&root),
            kernel,
            module,
            own,
            session,
        })
    }

    /// Whether the loaded module makes nodes at run time; `None` if it is not loaded.
    pub fn loaded_generation(&self) -> Option<Generation> {
        let Known::Is(Loaded::Yes { version, .. }) = &self.module.loaded else { return None };
        Some(match (&self.module.control, version) {
            (Known::Is(true), _) => Generation::Dynamic,
            (_, Known::Is(version)) => Generation::from(*version),
            (Known::Is(false), Known::Unknown) => Generation::Fixed,
            (Known::Unknown, Known::Unknown) => Generation::Unknown,
        })
    }

    /// Whether the module that is loaded at the next start makes nodes at run time; `None` if there
    /// is none for the running kernel.
    pub fn installed_generation(&self) -> Option<Generation> {
        match &self.module.installed {
            Known::Is(Installed::Yes { version: Known::Is(version), .. }) => {
                Some(Generation::from(*version))
            }
            Known::Is(Installed::Yes { .. } | Installed::BuiltIn) => {
                Some(self.loaded_generation().unwrap_or(Generation::Unknown))
            }
            Known::Is(Installed::OnlyFor(_) | Installed::No) | Known::Unknown => {
                self.loaded_generation()
            }
        }
    }

    /// The lines of other programs and of the administrator that give the module options, or
    /// another command that loads it.
    pub fn foreign_options(&self) -> impl Iterator<Item = (&ModuleConfig, &ConfigLine)> {
        let configs = self.configs.get().into_iter().flatten();
        configs
            .flat_map(|config| config.lines.iter().map(move |line| (config, line)))
            .filter(|(_, line)| matches!(line.directive, Directive::Options | Directive::Install))
    }

    /// How many buffers a new node gets. Before 0.15, the module refuses the use of buffers whose
    /// index is above its parameter `max_buffers`, whatever a node was made with: a reader of a node
    /// with four gets EINVAL (VIDIOC_QUERYBUF) if the parameter is 2.
    pub fn buffers_of_a_node(&self) -> u32 {
        let before_fix = match &self.module.loaded {
            Known::Is(Loaded::Yes { version: Known::Is(version), .. }) => {
                *version < ModuleVersion(0, 15, 0)
            }
            _ => false,
        };
        match self.module.max_buffers {
            Known::Is(most) if before_fix => files::BUFFERS.min(most + 1),
            _ => files::BUFFERS,
        }
    }

    /// The kernel's version as numbers.
    pub(crate) fn kernel_version(&self) -> Option<ModuleVersion> {
        ModuleVersion::parse(self.kernel.release.get()?)
    }
}
