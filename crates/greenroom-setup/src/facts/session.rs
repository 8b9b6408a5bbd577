//! Who asks, and with what rights.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::Known;

/// Who asks: handed to [`crate::Facts::read`], since it does not come from the system's files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Session {
    /// Whether this process has root's rights.
    pub is_root: bool,
    /// Whether it runs on a desktop, where pkexec can ask for a password.
    pub desktop: bool,
    /// Whether pkexec is installed.
    pub pkexec: bool,
    /// Whether sudo is installed.
    pub sudo: bool,
    /// The program that the boot unit is to run.
    pub program: Program,
    /// The home directory of the user for whom greenroom runs as a service.
    pub home: Option<PathBuf>,
}

/// A program that root is to run at every start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Program {
    /// Its absolute path.
    pub path: PathBuf,
    /// Whether only root can change it. If others could, they would become root.
    pub only_root_can_change: Known<bool>,
}

impl Session {
    /// The session of this process, from its environment.
    pub fn of_this_process() -> Self {
        let is_there = |name: &str| {
            ["/usr/bin", "/bin", "/run/wrappers/bin"]
                .iter()
                .any(|folder| Path::new(folder).join(name).exists())
        };
        let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let program = std::env::current_exe().unwrap_or_else(|_| "/usr/bin/greenroom".into());
        Self {
            // The directory belongs to the effective user.
            is_root: fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0),
            desktop: set("WAYLAND_DISPLAY") || set("DISPLAY"),
            pkexec: is_there("pkexec"),
            sudo: is_there("sudo"),
            program: Program {
                only_root_can_change: only_root_can_change(&program).into(),
                path: program,
            },
            home: std::env::var_os("HOME").map(PathBuf::from),
        }
    }
}

/// Whether `path` and all folders above it belong to root and can be written by nobody else.
fn only_root_can_change(path: &Path) -> Option<bool> {
    const WRITE_OF_GROUP_AND_OTHERS: u32 = 0o022;
    let real = fs::canonicalize(path).ok()?;
    let mut safe = true;
    for part in real.ancestors() {
        let metadata = fs::metadata(part).ok()?;
        safe &= metadata.uid() == 0 && metadata.mode() & WRITE_OF_GROUP_AND_OTHERS == 0;
    }
    Some(safe)
}
