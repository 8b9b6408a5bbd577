use std::fmt;
use std::fs;

/// Version of the loaded v4l2loopback module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleVersion {
    /// First number.
    pub major: u16,
    /// Second number.
    pub minor: u16,
    /// Third number.
    pub patch: u16,
}

impl ModuleVersion {
    /// The version that `/sys/module/v4l2loopback/version` tells, if it does.
    pub(crate) fn loaded() -> Option<Self> {
        Self::parse(&fs::read_to_string("/sys/module/v4l2loopback/version").ok()?)
    }

    /// `0.12.7`, also with something behind it (`0.15.0-3-g1a2b3c4`).
    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let mut numbers = text[..end].split('.').map(|number| number.parse().ok());
        let major = numbers.next()??;
        let minor = numbers.next()??;
        let patch = numbers.next().flatten().unwrap_or(0);
        Some(Self { major, minor, patch })
    }
}

impl fmt::Display for ModuleVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
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
            None | Some(ModuleVersion { major: 0, minor: ..=12, .. }) => Dialect::Early,
            Some(ModuleVersion { major: 0, minor: 13, .. }) => Dialect::Middle,
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
        assert_eq!(parse("1.2").as_deref(), Some("1.2.0"));
        for text in ["", "x", "1", ".", "0.x", "99999999.1.1"] {
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
