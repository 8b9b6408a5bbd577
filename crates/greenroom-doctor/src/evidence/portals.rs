//! The desktop's portals: which backend would ask the user whether a program may use the camera.

use std::path::PathBuf;

use greenroom_setup::Known;
use serde::Serialize;

use super::Folders;
use crate::root::Root;

/// The desktop's portals.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Portals {
    /// The backend that asks the user for access, without which there is no camera portal.
    pub access_backend: Known<AccessBackend>,
}

/// The backend that asks the user for access.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AccessBackend {
    /// None is installed.
    Missing,
    /// One is installed, and the desktop's configuration names others alone.
    NotChosen,
    /// One is used.
    Chosen,
}

const ACCESS: &str = "org.freedesktop.impl.portal.Access";

/// A backend, by its file `NAME.portal`.
struct Backend {
    name: String,
    has_access: bool,
}

impl Portals {
    pub(super) fn read(root: &Root, folders: &Folders) -> Self {
        Self { access_backend: access_backend(root, folders) }
    }
}

fn access_backend(root: &Root, folders: &Folders) -> Known<AccessBackend> {
    let Some(backends) = backends(root, folders) else { return Known::Unknown };
    let with_access = || backends.iter().filter(|backend| backend.has_access);
    let is_there = with_access().next().is_some();
    let Some(choice) = configured(root, folders) else { return Known::Unknown };
    // Without a choice, any backend is used.
    let choice = choice.unwrap_or_else(|| "*".to_owned());
    let allows = |backend: &Backend| {
        choice.split(';').map(str::trim).any(|name| name == "*" || name == backend.name)
    };
    // GNOME's shell has the backend "gnome-shell" built in, without a file.
    let built_in = choice.split(';').any(|name| name.trim() == "gnome-shell");
    Known::Is(if built_in || with_access().any(allows) {
        AccessBackend::Chosen
    } else if is_there {
        AccessBackend::NotChosen
    } else {
        AccessBackend::Missing
    })
}

/// `None` if a folder or file cannot be read.
fn backends(root: &Root, folders: &Folders) -> Option<Vec<Backend>> {
    let user = folders.data.clone();
    let data = ["/usr/local/share", "/usr/share", "/run/current-system/sw/share"];
    let data = user.into_iter().chain(data.map(PathBuf::from));
    let mut backends = Vec::new();
    for folder in data.map(|data| data.join("xdg-desktop-portal/portals")) {
        for name in root.names(&folder).get()? {
            let Some(backend) = name.strip_suffix(".portal") else { continue };
            let text = root.text(folder.join(name))?;
            let interfaces = text.lines().find_map(|line| line.trim().strip_prefix("Interfaces="));
            let has_access = interfaces
                .is_some_and(|interfaces| interfaces.split(';').any(|name| name.trim() == ACCESS));
            backends.push(Backend { name: backend.to_owned(), has_access });
        }
    }
    Some(backends)
}

/// What portals.conf(5) says of the backend for access: the key of the interface, or else
/// `default`. `None` if it cannot be read, `Some(None)` if there is none.
fn configured(root: &Root, folders: &Folders) -> Option<Option<String>> {
    let mut places: Vec<PathBuf> = folders.config.iter().cloned().collect();
    places.extend(["/etc/xdg", "/etc"].map(PathBuf::from));
    places.extend(folders.data.iter().cloned());
    places.extend(
        ["/usr/local/share", "/usr/share", "/run/current-system/sw/share"].map(PathBuf::from),
    );
    let named = folders.desktops.iter().map(|desktop| format!("{desktop}-portals.conf"));
    let names: Vec<_> = named.chain(["portals.conf".to_owned()]).collect();
    for place in places {
        for name in &names {
            match root.optional_text(place.join("xdg-desktop-portal").join(name)) {
                Known::Is(Some(text)) => return Some(preferred(&text)),
                Known::Is(None) => {}
                Known::Unknown => return None,
            }
        }
    }
    Some(None)
}

fn preferred(text: &str) -> Option<String> {
    let value = |key: &str| {
        let of_key = |line: &str| {
            let (name, value) = line.split_once('=')?;
            (name.trim() == key).then(|| value.trim().to_owned())
        };
        text.lines().find_map(of_key)
    };
    value(ACCESS).or_else(|| value("default"))
}
