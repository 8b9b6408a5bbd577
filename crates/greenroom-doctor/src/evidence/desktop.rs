//! PipeWire and WirePlumber: installed, in which version, running.

use greenroom_setup::{Known, ModuleVersion};
use serde::Serialize;

use super::Folders;
use crate::root::Root;

/// PipeWire and WirePlumber.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Desktop {
    /// The version of PipeWire; `Is(None)` if it is not installed.
    pub pipewire: Known<Option<ModuleVersion>>,
    /// Whether PipeWire runs for this user, by its socket.
    pub pipewire_runs: Known<bool>,
    /// The version of WirePlumber; `Is(None)` if it is not installed.
    pub wireplumber: Known<Option<ModuleVersion>>,
    /// Whether a rule of greenroom's keeps the loopback out of PipeWire, on purpose.
    pub hides_loopback: bool,
}

const LIBRARIES: [&str; 6] = [
    "/usr/lib/x86_64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib64",
    "/usr/lib",
    "/usr/local/lib",
    "/run/current-system/sw/lib",
];

impl Desktop {
    pub(super) fn read(root: &Root, folders: &Folders) -> Self {
        let socket = folders.runtime.as_ref().map(|runtime| runtime.join("pipewire-0"));
        Self {
            pipewire: library(root, "libpipewire-0.3.so.0.", of_pipewire),
            pipewire_runs: socket.map_or(Known::Unknown, |socket| root.exists(socket)),
            wireplumber: wireplumber(root),
            hides_loopback: hides_loopback(root, folders),
        }
    }
}

/// By the name of a library, `PREFIXnumbers`. `Is(None)` if there is no such library.
fn library(
    root: &Root,
    prefix: &str,
    version: fn(&str) -> Option<ModuleVersion>,
) -> Known<Option<ModuleVersion>> {
    let mut some_hidden = false;
    for folder in LIBRARIES {
        let Known::Is(names) = root.names(folder) else {
            some_hidden = true;
            continue;
        };
        let found = names.iter().find_map(|name| version(name.strip_prefix(prefix)?));
        if found.is_some() {
            return Known::Is(found);
        }
    }
    if some_hidden { Known::Unknown } else { Known::Is(None) }
}

/// `365.0` is 0.3.65, `1402.0` is 1.4.2 (pipewire:meson.build).
fn of_pipewire(numbers: &str) -> Option<ModuleVersion> {
    let number: u32 = numbers.split('.').next()?.parse().ok()?;
    Some(ModuleVersion(number / 1000, number % 1000 / 100, number % 100))
}

fn wireplumber(root: &Root) -> Known<Option<ModuleVersion>> {
    match library(root, "libwireplumber-0.5.so.0.", ModuleVersion::parse) {
        Known::Is(None) => library(root, "libwireplumber-0.4.so.0.", ModuleVersion::parse),
        found => found,
    }
}

/// A file of greenroom's name among WirePlumber's rules.
fn hides_loopback(root: &Root, folders: &Folders) -> bool {
    let system = ["/etc/wireplumber", "/usr/share/wireplumber"].map(Into::into);
    let user = folders.config.as_ref().map(|config| config.join("wireplumber"));
    let names = ["wireplumber.conf.d", "main.lua.d"];
    system.into_iter().chain(user).any(|folder: std::path::PathBuf| {
        names
            .iter()
            .flat_map(|name| root.known_names(folder.join(name)))
            .any(|name| name.contains("greenroom"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_pipewire_is_in_the_name_of_its_library() {
        let version = |name| of_pipewire(name).map(|version| version.to_string());
        assert_eq!(version("365.0").as_deref(), Some("0.3.65"));
        assert_eq!(version("1402.0").as_deref(), Some("1.4.2"));
        assert_eq!(version(""), None);
    }
}
