//! Versions of v4l2loopback and of the kernel, and which of them go together.

use std::fmt;

use serde::Serialize;

/// A version of the module v4l2loopback, or of the kernel, as three numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ModuleVersion(pub u32, pub u32, pub u32);

impl ModuleVersion {
    /// The first version with `/dev/v4l2loopback`, through which nodes are added at run time.
    pub const FIRST_WITH_CONTROL: Self = Self(0, 13, 0);

    /// Stands for all versions before that: those do not tell which they are.
    pub const BEFORE_CONTROL: Self = Self(0, 12, 0);

    /// The numbers at the beginning of `text`: `0.12.7-2`, `0.15.0`, `6.12.101+deb13-amd64`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let mut numbers = text[..end].split('.').map(|number| number.parse().ok());
        let (major, minor) = (numbers.next()??, numbers.next()??);
        Some(Self(major, minor, numbers.next().flatten().unwrap_or(0)))
    }

    /// Whether the sources of this version of the module build for a kernel. From the module's NEWS
    /// and its issues #575, #637, #655; a distribution may have patched an older version.
    pub fn builds_for(self, kernel: ModuleVersion) -> bool {
        const NEEDS: [(ModuleVersion, ModuleVersion); 3] = [
            (ModuleVersion(6, 8, 0), ModuleVersion(0, 12, 8)),
            (ModuleVersion(6, 16, 0), ModuleVersion(0, 15, 1)),
            (ModuleVersion(6, 18, 0), ModuleVersion(0, 15, 2)),
        ];
        NEEDS.iter().all(|(from, needed)| kernel < *from || self >= *needed)
    }
}

impl fmt::Display for ModuleVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
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
    fn versions_of_packages_modules_and_kernels_are_read() {
        let parse = |text| ModuleVersion::parse(text).map(|version| version.to_string());
        assert_eq!(parse("0.12.7-2ubuntu2~22.04.1").as_deref(), Some("0.12.7"));
        assert_eq!(parse("6.12.101+deb13-amd64").as_deref(), Some("6.12.101"));
        assert_eq!(parse("7.0").as_deref(), Some("7.0.0"));
        for text in ["", "x", "1", ".", "0.x"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn an_old_module_does_not_build_for_a_new_kernel() {
        let builds = |module, kernel| {
            let parse = |text| ModuleVersion::parse(text).unwrap();
            parse(module).builds_for(parse(kernel))
        };
        assert!(builds("0.12.7", "6.1.0-28-amd64") && builds("0.12.7", "6.7.12"));
        assert!(!builds("0.12.7", "6.8.0") && builds("0.15.0", "6.15.0"));
        assert!(!builds("0.15.0", "6.16.1") && builds("0.15.1", "6.17.0"));
        assert!(!builds("0.15.1", "6.18.0") && builds("0.15.4", "7.0.0"));
    }
}
