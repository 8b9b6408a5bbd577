//! What the package manager knows, as far as it keeps it in plain files.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::root::Root;
use crate::Known;

/// A package manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PackageManager {
    /// Debian, Ubuntu.
    Apt,
    /// Fedora.
    Dnf,
    /// Arch.
    Pacman,
    /// openSUSE.
    Zypper,
    /// Alpine.
    Apk,
}

impl PackageManager {
    pub(super) fn read(root: &Root) -> Known<Self> {
        const PROGRAMS: [(&str, PackageManager); 5] = [
            ("apt-get", PackageManager::Apt),
            ("dnf", PackageManager::Dnf),
            ("pacman", PackageManager::Pacman),
            ("zypper", PackageManager::Zypper),
            ("apk", PackageManager::Apk),
        ];
        let is_there =
            |name: &str| root.any_exists(&[&format!("/usr/bin/{name}"), &format!("/sbin/{name}")]);
        PROGRAMS.iter().find(|(name, _)| is_there(name)).map(|(_, manager)| *manager).into()
    }
}

/// What the package manager knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Packages {
    /// apt: the packages about v4l2loopback, the kernel's modules and headers that can be
    /// installed, with their newest versions. Unknown if apt has no lists yet, or keeps them
    /// compressed.
    pub available: Known<BTreeMap<String, String>>,
    /// apt and pacman: which packages about v4l2loopback, keys, the kernel's modules and headers
    /// are installed. Unknown elsewhere.
    pub installed: Known<BTreeSet<String>>,
    /// dpkg: whether `v4l2loopback-dkms` is there and was left half installed, as happens when it
    /// does not build for a kernel.
    pub broken_dkms: Known<bool>,
    /// Fedora: whether the repository RPM Fusion free is set up.
    pub rpm_fusion: Known<bool>,
}

impl Packages {
    pub(super) fn read(root: &Root) -> Self {
        Self {
            available: available(root),
            installed: installed(root),
            broken_dkms: broken_dkms(root),
            rpm_fusion: root.exists("/etc/yum.repos.d/rpmfusion-free.repo"),
        }
    }

    /// Those of `packages` that are not known to be installed.
    pub fn missing(&self, packages: &[String]) -> Vec<String> {
        let is_installed = |package: &String| self.installed.is_and(|all| all.contains(package));
        packages.iter().filter(|package| !is_installed(package)).cloned().collect()
    }

    /// The packages whose names begin with `prefix` and that can be installed: what follows.
    pub fn variants(&self, prefix: &str) -> Vec<&str> {
        let names = self.available.get().into_iter().flat_map(BTreeMap::keys);
        names.filter_map(|name| name.strip_prefix(prefix)).collect()
    }

    /// Whether a package can be installed.
    pub fn has(&self, package: &str) -> Known<bool> {
        self.available.get().map(|packages| packages.contains_key(package)).into()
    }
}

fn available(root: &Root) -> Known<BTreeMap<String, String>> {
    const LISTS: &str = "/var/lib/apt/lists";
    let Known::Is(names) = root.names(LISTS) else { return Known::Unknown };
    // A list may be compressed (`Packages.lz4`): what is in it is not known then.
    if names.iter().any(|name| name.contains("_Packages.")) {
        return Known::Unknown;
    }
    let mut packages: BTreeMap<String, String> = BTreeMap::new();
    let lists: Vec<_> = names.iter().filter(|name| name.ends_with("_Packages")).collect();
    if lists.is_empty() {
        return Known::Unknown;
    }
    for name in lists {
        let Some(lines) = root.lines(format!("{LISTS}/{name}")) else { return Known::Unknown };
        let mut package = None;
        for line in lines {
            if let Some(name) = line.strip_prefix("Package: ") {
                package = is_of_interest(name).then(|| name.to_owned());
            } else if let Some(version) = line.strip_prefix("Version: ")
                && let Some(package) = package.take()
            {
                let newest = packages.entry(package).or_default();
                if is_newer(version, newest) {
                    version.clone_into(newest);
                }
            }
        }
    }
    Known::Is(packages)
}

fn installed(root: &Root) -> Known<BTreeSet<String>> {
    if let Some(lines) = root.lines("/var/lib/dpkg/status") {
        let mut installed = BTreeSet::new();
        let mut package = String::new();
        for line in lines {
            if let Some(name) = line.strip_prefix("Package: ") {
                name.clone_into(&mut package);
            } else if line == "Status: install ok installed" && is_of_interest(&package) {
                installed.insert(std::mem::take(&mut package));
            }
        }
        return Known::Is(installed);
    }
    // A folder for each package: NAME-VERSION-RELEASE.
    let local = "/var/lib/pacman/local";
    if !root.exists(local).is_true() {
        return Known::Unknown;
    }
    let Known::Is(names) = root.names(local) else { return Known::Unknown };
    let name = |folder: &String| {
        let (rest, _release) = folder.rsplit_once('-')?;
        rest.rsplit_once('-').map(|(name, _version)| name.to_owned())
    };
    Known::Is(names.iter().filter_map(name).filter(|name| is_of_interest(name)).collect())
}

fn is_of_interest(name: &str) -> bool {
    name.contains("v4l2loopback")
        || name == "mokutil"
        || name.starts_with("linux-headers-")
        || name.starts_with("linux") && name.ends_with("-headers")
        || name.starts_with("linux-modules-extra-")
}

/// By the numbers alone: enough to tell 0.15 from 0.12.
fn is_newer(version: &str, than: &str) -> bool {
    let numbers = |version: &str| -> Vec<u64> {
        version.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
    };
    numbers(version) > numbers(than)
}

fn broken_dkms(root: &Root) -> Known<bool> {
    let Some(lines) = root.lines("/var/lib/dpkg/status") else { return Known::Unknown };
    let mut of_dkms = false;
    for line in lines {
        if let Some(name) = line.strip_prefix("Package: ") {
            of_dkms = name == "v4l2loopback-dkms";
        } else if let (Some(status), true) = (line.strip_prefix("Status: "), of_dkms) {
            let half = ["half-installed", "unpacked", "half-configured"];
            return Known::Is(half.iter().any(|state| status.ends_with(state)));
        }
    }
    Known::Is(false)
}
