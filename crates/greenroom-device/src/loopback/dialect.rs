use std::fmt;
use std::fs;

use serde::Serialize;

/// A version as three numbers: of the module v4l2loopback, or of what it has to go with (the kernel, PipeWire).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct ModuleVersion(pub u32, pub u32, pub u32);

impl ModuleVersion {
    /// The first version of the module with `/dev/v4l2loopback`, through which nodes are added at run time.
    pub const FIRST_WITH_CONTROL: Self = Self(0, 13, 0);

    /// Stands for all versions of the module before that: those do not tell which they are.
    pub const BEFORE_CONTROL: Self = Self(0, 12, 0);

    /// The version that `/sys/module/v4l2loopback/version` tells, if it does.
    pub(crate) fn loaded() -> Option<Self> {
        Self::parse(&fs::read_to_string("/sys/module/v4l2loopback/version").ok()?)
    }

    /// The numbers at the beginning of `text`: `0.12.7-2`, `0.15.0-3-g1a2b3c4`, `6.12.101+deb13-amd64`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let mut numbers = text[..end].split('.').map(|number| number.parse().ok());
        let (major, minor) = (numbers.next()??, numbers.next()??);
        Some(Self(major, minor, numbers.next().flatten().unwrap_or(0)))
    }
}

impl fmt::Display for ModuleVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// The ways in which versions of v4l2loopback want to be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Up to 0.12: a second writer is not refused, nobody tells of readers.
    Early,
    /// 0.13: one streaming reader, and an event that tells of it.
    Middle,
    /// From 0.14 on: format and stream belong to whoever took them first.
    Late,
}

impl Dialect {
    /// The dialect of a version. The module tells its version since 0.13.
    pub(crate) fn of(version: Option<ModuleVersion>) -> Self {
        match version {
            None | Some(ModuleVersion(0, ..=12, _)) => Dialect::Early,
            Some(ModuleVersion(0, 13, _)) => Dialect::Middle,
            Some(_) => Dialect::Late,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Dialect::Early => "0.12 and before",
            Dialect::Middle => "0.13",
            Dialect::Late => "0.14 and later",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_with_and_without_a_tail() {
        let parse = |text| ModuleVersion::parse(text).map(|version| version.to_string());
        assert_eq!(parse("0.12.7\n").as_deref(), Some("0.12.7"));
        assert_eq!(parse("0.15.0-3-g1a2b3c4").as_deref(), Some("0.15.0"));
        assert_eq!(parse("0.12.7-2ubuntu2~22.04.1").as_deref(), Some("0.12.7"));
        assert_eq!(parse("6.12.101+deb13-amd64").as_deref(), Some("6.12.101"));
        assert_eq!(parse("7.0").as_deref(), Some("7.0.0"));
        for text in ["", "x", "1", ".", "0.x", "9999999999.1.1"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn dialects_change_at_0_13_and_0_14() {
        let of = |text| Dialect::of(ModuleVersion::parse(text));
        assert_eq!(of("0.12.7"), Dialect::Early);
        assert_eq!(of("0.13.2"), Dialect::Middle);
        assert_eq!(of("0.14.0"), Dialect::Late);
        assert_eq!(of("0.15.4"), Dialect::Late);
        assert_eq!(of("1.0.0"), Dialect::Late);
        assert_eq!(Dialect::of(None), Dialect::Early);
    }
}
