//! Which system this is, and where it runs.

use std::path::Path;

use serde::Serialize;

use super::packages::PackageManager;
use super::root::Root;
use crate::Known;

/// The system apart from its kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct System {
    /// `/etc/os-release`.
    pub os: Known<OsRelease>,
    /// How the system is put together.
    pub kind: SystemKind,
    /// What the system runs in.
    pub environment: Environment,
    /// Whether the service manager is systemd.
    pub systemd: Known<bool>,
    /// Whether `/etc` is on a file system that is mounted for reading only.
    pub etc_is_read_only: Known<bool>,
    /// The package manager, by its program.
    pub package_manager: Known<PackageManager>,
}

/// What os-release(5) says.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct OsRelease {
    /// `ID`: `ubuntu`, `debian`, `fedora`.
    pub id: String,
    /// `ID_LIKE`, its words.
    pub id_like: Vec<String>,
    /// `VERSION_ID`: `24.04`, `12`; rolling distributions have none.
    pub version: Option<String>,
    /// `VARIANT_ID`: `silverblue`, `workstation`.
    pub variant: Option<String>,
    /// `UBUNTU_CODENAME`, or else `VERSION_CODENAME`.
    pub codename: Option<String>,
    /// `PRETTY_NAME`, for people.
    pub name: Option<String>,
}

/// How a system is put together: what may be installed and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SystemKind {
    /// Packages are installed into the running system.
    Ordinary,
    /// An image that ostree boots: Fedora Silverblue, Bazzite, Endless.
    Ostree,
    /// Snapshots that are changed for the next start: openSUSE MicroOS, Aeon, Kalpa.
    Transactional,
    /// Two images that take turns: SteamOS.
    SteamOs,
    /// Made from a configuration: NixOS.
    NixOs,
    /// Made of snaps: Ubuntu Core.
    UbuntuCore,
}

/// What the system runs in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Environment {
    /// A machine of its own, virtual or not: the kernel is its own.
    Machine,
    /// A container or a sandbox: the kernel is the host's.
    Container,
    /// The Windows Subsystem for Linux: the kernel is Microsoft's.
    Wsl,
}

impl System {
    pub(super) fn read(root: &Root) -> Self {
        let text = root.text("/etc/os-release").or_else(|| root.text("/usr/lib/os-release"));
        let os = Known::from(text.map(|text| OsRelease::parse(&text)));
        Self {
            kind: SystemKind::read(root, &os),
            os,
            environment: Environment::read(root),
            systemd: root.exists("/run/systemd/system"),
            etc_is_read_only: root
                .text("/proc/self/mountinfo")
                .and_then(|mounts| is_read_only(&mounts, Path::new("/etc")))
                .into(),
            package_manager: PackageManager::read(root),
        }
    }
}

impl OsRelease {
    fn parse(text: &str) -> Self {
        let value = |key: &str| {
            let of_key = |line: &str| {
                let value = line.trim().strip_prefix(key)?.strip_prefix('=')?;
                Some(value.trim_matches(['"', '\'']).to_owned())
            };
            let value = text.lines().rev().find_map(of_key)?;
            (!value.is_empty()).then_some(value)
        };
        Self {
            // As os-release(5) has it.
            id: value("ID").unwrap_or_else(|| "linux".to_owned()),
            id_like: value("ID_LIKE").unwrap_or_default().split(' ').map(str::to_owned).collect(),
            version: value("VERSION_ID"),
            variant: value("VARIANT_ID"),
            codename: value("UBUNTU_CODENAME").or_else(|| value("VERSION_CODENAME")),
            name: value("PRETTY_NAME"),
        }
    }

    /// Whether this is the distribution `id`, or is made from it.
    pub fn is_like(&self, id: &str) -> bool {
        self.id == id || self.id_like.iter().any(|like| like == id)
    }
}

impl SystemKind {
    fn read(root: &Root, os: &Known<OsRelease>) -> Self {
        if root.exists("/run/ostree-booted").is_true() {
            return SystemKind::Ostree;
        }
        match os.get().map_or("", |os| os.id.as_str()) {
            "nixos" => SystemKind::NixOs,
            "steamos" => SystemKind::SteamOs,
            "ubuntu-core" => SystemKind::UbuntuCore,
            "opensuse-microos" | "opensuse-aeon" | "opensuse-kalpa" | "opensuse-leap-micro" => {
                SystemKind::Transactional
            }
            _ => SystemKind::Ordinary,
        }
    }
}

impl Environment {
    fn read(root: &Root) -> Self {
        const MARKS: [&str; 5] = [
            "/.flatpak-info",
            "/run/.containerenv",
            "/.dockerenv",
            "/run/systemd/container",
            "/run/host/container-manager",
        ];
        let release = root.word("/proc/sys/kernel/osrelease").unwrap_or_default();
        if root.any_exists(&MARKS) {
            Environment::Container
        } else if release.to_lowercase().contains("microsoft") {
            Environment::Wsl
        } else {
            Environment::Machine
        }
    }
}

/// Whether `path` is on a mount for reading only, by proc_pid_mountinfo(5). The last of the mounts
/// with the longest mount point is the one that is seen.
fn is_read_only(mounts: &str, path: &Path) -> Option<bool> {
    let mount = |line: &str| {
        let (before, after) = line.split_once(" - ")?;
        let mut fields = before.split(' ').skip(4);
        let (point, options) = (fields.next()?, fields.next()?);
        let read_only = |options: &str| options.split(',').any(|option| option == "ro");
        let of_file_system = after.split(' ').nth(2).unwrap_or_default();
        let length = path.starts_with(point).then_some(point.len())?;
        Some((length, read_only(options) || read_only(of_file_system)))
    };
    mounts.lines().filter_map(mount).max_by_key(|(length, _)| *length).map(|(_, ro)| ro)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn os_release_is_read_with_and_without_quotes() {
        let os = OsRelease::parse(
            "NAME=\"Linux Mint\"\nVERSION_ID=\"22\"\nID=linuxmint\nID_LIKE=\"ubuntu debian\"\n\
             VERSION_CODENAME=wilma\nUBUNTU_CODENAME=noble\n",
        );
        assert_eq!((os.id.as_str(), os.version.as_deref()), ("linuxmint", Some("22")));
        assert_eq!((os.codename.as_deref(), &os.variant), (Some("noble"), &None));
        assert!(os.is_like("ubuntu") && os.is_like("debian") && !os.is_like("fedora"));
        assert_eq!(OsRelease::parse("").id, "linux");
    }

    #[test]
    fn the_last_mount_nearest_to_etc_says_whether_it_can_be_written() {
        let read_only = |mounts: &str| is_read_only(mounts, Path::new("/etc"));
        let root = "1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n";
        assert_eq!(read_only(root), Some(false));
        assert_eq!(read_only(&root.replace("rw,relatime", "ro,relatime")), Some(true));
        assert_eq!(read_only(&root.replace("sda1 rw", "sda1 ro")), Some(true));
        let etc = "2 1 0:5 / /etc ro - overlay overlay rw\n";
        assert_eq!(read_only(&format!("{etc}{root}")), Some(true));
        assert_eq!(read_only("2 1 0:5 / /et ro - tmpfs tmpfs ro\n"), None);
        let over = "3 1 0:6 / / ro - tmpfs tmpfs ro\n";
        assert_eq!(read_only(&format!("{root}{over}")), Some(true));
    }
}
