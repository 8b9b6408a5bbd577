//! Which versions of v4l2loopback and of the kernel go together.

pub use greenroom_device::ModuleVersion;
use serde::Serialize;

/// Whether the sources of a version of the module build for a kernel. From the module's NEWS and its
/// issues #575, #637, #655; a distribution may have patched an older version.
pub fn builds_for(module: ModuleVersion, kernel: ModuleVersion) -> bool {
    const NEEDS: [(ModuleVersion, ModuleVersion); 3] = [
        (ModuleVersion(6, 8, 0), ModuleVersion(0, 12, 8)),
        (ModuleVersion(6, 16, 0), ModuleVersion(0, 15, 1)),
        (ModuleVersion(6, 18, 0), ModuleVersion(0, 15, 2)),
    ];
    NEEDS.iter().all(|(from, needed)| kernel < *from || module >= *needed)
}

/// How nodes come into being: this is what decides which files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Generation {
    /// Up to 0.12: all nodes are made when the module is loaded, as its options say.
    Fixed,
    /// From 0.13 on: nodes are added and removed at run time through `/dev/v4l2loopback`.
    Dynamic,
    /// The version is not known before the module is there.
    Unknown,
}

impl From<ModuleVersion> for Generation {
    fn from(version: ModuleVersion) -> Self {
        if version < ModuleVersion::FIRST_WITH_CONTROL {
            Generation::Fixed
        } else {
            Generation::Dynamic
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_module_does_not_build_for_a_new_kernel() {
        let builds = |module, kernel| {
            let parse = |text| ModuleVersion::parse(text).unwrap();
            builds_for(parse(module), parse(kernel))
        };
        assert!(builds("0.12.7", "6.1.0-28-amd64") && builds("0.12.7", "6.7.12"));
        assert!(!builds("0.12.7", "6.8.0") && builds("0.15.0", "6.15.0"));
        assert!(!builds("0.15.0", "6.16.1") && builds("0.15.1", "6.17.0"));
        assert!(!builds("0.15.1", "6.18.0") && builds("0.15.4", "7.0.0"));
    }
}
