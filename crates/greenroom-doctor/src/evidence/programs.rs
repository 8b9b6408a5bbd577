//! Programs in which people make calls: which are installed, and how each is confined.

use std::path::Path;

use greenroom_setup::Known;
use serde::Serialize;

use super::Folders;
use crate::root::Root;

/// A program in which people make calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum CallProgram {
    Firefox,
    Chrome,
    Chromium,
    Brave,
    Edge,
    Vivaldi,
    Zoom,
    Teams,
    Slack,
    Discord,
    Element,
    Signal,
    Jitsi,
    Skype,
    Obs,
}

/// Names of one program.
struct Names {
    program: CallProgram,
    title: &'static str,
    /// Its file in `/usr/bin`.
    binaries: &'static [&'static str],
    /// The names of its processes (at most 15 characters).
    processes: &'static [&'static str],
    flatpak: &'static str,
    /// Its snap; empty if there is none.
    snap: &'static str,
    /// Where a camera is chosen in it, as in docs/setup.md; empty if that is not known.
    menu: &'static str,
}

macro_rules! names {
    ($($program:ident, $title:literal, $binaries:expr, $processes:expr, $flatpak:literal, $snap:literal, $menu:literal;)*) => {
        &[$(Names {
            program: CallProgram::$program,
            title: $title,
            binaries: &$binaries,
            processes: &$processes,
            flatpak: $flatpak,
            snap: $snap,
            menu: $menu,
        },)*]
    };
}

/// Flatpak's ids: Flathub (front-door.md, part B). Snaps: the snap store.
#[rustfmt::skip]
const ALL: &[Names] = names! {
    Firefox, "Firefox", ["firefox", "firefox-esr"], ["firefox", "firefox-bin", "firefox-esr"], "org.mozilla.firefox", "firefox", "it asks when a page wants a camera";
    Chrome, "Chrome", ["google-chrome", "google-chrome-stable"], ["chrome"], "com.google.Chrome", "", "chrome://settings/content/camera, or the settings of the page";
    Chromium, "Chromium", ["chromium", "chromium-browser"], ["chromium", "chromium-browse"], "org.chromium.Chromium", "chromium", "chrome://settings/content/camera, or the settings of the page";
    Brave, "Brave", ["brave-browser"], ["brave"], "com.brave.Browser", "brave", "";
    Edge, "Edge", ["microsoft-edge"], ["msedge"], "com.microsoft.Edge", "", "";
    Vivaldi, "Vivaldi", ["vivaldi"], ["vivaldi-bin"], "com.vivaldi.Vivaldi", "vivaldi", "";
    Zoom, "Zoom", ["zoom"], ["zoom"], "us.zoom.Zoom", "zoom-client", "Settings → Video → Camera";
    Teams, "Teams for Linux", ["teams-for-linux"], ["teams-for-linux"], "com.github.IsmaelMartinez.teams_for_linux", "teams-for-linux", "Settings → Devices → Camera";
    Slack, "Slack", ["slack"], ["slack"], "com.slack.Slack", "slack", "Preferences → Audio & video → Camera";
    Discord, "Discord", ["discord"], ["Discord"], "com.discordapp.Discord", "discord", "User Settings → Voice & Video → Camera";
    Element, "Element", ["element-desktop"], ["element-desktop"], "im.riot.Riot", "element-desktop", "";
    Signal, "Signal", ["signal-desktop"], ["signal-desktop"], "org.signal.Signal", "signal-desktop", "";
    Jitsi, "Jitsi Meet", ["jitsi-meet"], ["jitsi-meet"], "org.jitsi.jitsi-meet", "", "";
    Skype, "Skype", ["skypeforlinux"], ["skypeforlinux"], "com.skype.Client", "skype", "";
    Obs, "OBS", ["obs"], ["obs"], "com.obsproject.Studio", "obs-studio", "Sources → + → Video Capture Device (V4L2)";
};

impl CallProgram {
    fn names(self) -> Option<&'static Names> {
        ALL.iter().find(|names| names.program == self)
    }

    /// Its name, for people.
    pub fn title(self) -> &'static str {
        self.names().map_or("", |names| names.title)
    }

    /// Where a camera is chosen in it, in the words of its menus; `None` if that is not known.
    pub fn camera_menu(self) -> Option<&'static str> {
        self.names().map(|names| names.menu).filter(|menu| !menu.is_empty())
    }

    /// Whether its Flatpak takes cameras from the portal, and no devices, on purpose.
    pub fn flatpak_uses_portal(self) -> bool {
        // Since September 2026 (flathub/im.riot.Riot#606).
        self == CallProgram::Element
    }

    /// The program to which a process with this short name belongs.
    pub(super) fn of_process(name: &str) -> Option<Self> {
        let found = ALL.iter().find(|names| names.processes.contains(&name));
        found.map(|names| names.program)
    }
}

/// An installed program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Installed {
    /// Which program.
    pub program: CallProgram,
    /// How it is confined.
    pub confinement: Confinement,
}

/// How a program is confined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Confinement {
    /// Not at all.
    None,
    /// As a Flatpak.
    Flatpak {
        /// Its id.
        id: String,
        /// Whether it may open all devices.
        devices: Known<bool>,
    },
    /// As a snap.
    Snap {
        /// Its name.
        name: String,
        /// Whether it asks for cameras at all.
        has_plug: Known<bool>,
        /// Whether that is granted.
        connected: Known<bool>,
    },
}

const SYSTEM_FLATPAKS: &str = "/var/lib/flatpak";
const SNAPS: [&str; 2] = ["/snap", "/var/lib/snapd/snap"];

pub(super) fn read(root: &Root, folders: &Folders) -> Vec<Installed> {
    let mut found = Vec::new();
    for names in ALL {
        let bin = |name: &&str| {
            let path = format!("/usr/bin/{name}");
            // Ubuntu's /usr/bin/firefox is a script that starts the snap.
            let starts_snap = root.text(&path).is_some_and(|text| text.contains("/snap/bin/"));
            let is_snap = root.link(&path).is_some_and(|to| to.starts_with("/snap"));
            root.exists(&path).is_true() && !starts_snap && !is_snap
        };
        let confinements = [
            names.binaries.iter().any(bin).then_some(Confinement::None),
            flatpak(root, folders, names.flatpak),
            snap(root, names.snap),
        ];
        let program = names.program;
        let installed = |confinement| Installed { program, confinement };
        found.extend(confinements.into_iter().flatten().map(installed));
    }
    found
}

fn flatpak(root: &Root, folders: &Folders, id: &str) -> Option<Confinement> {
    let user = folders.data.as_ref().map(|data| data.join("flatpak"));
    let places: Vec<_> = user.into_iter().chain([SYSTEM_FLATPAKS.into()]).collect();
    let app = places.iter().find(|place| root.exists(place.join("app").join(id)).is_true())?;
    let metadata = app.join("app").join(id).join("current/active/metadata");
    let Some(text) = root.text(metadata) else {
        return Some(Confinement::Flatpak { id: id.to_owned(), devices: Known::Unknown });
    };
    let mut devices = Known::Is(has_all_devices(&text).unwrap_or(false));
    // The system's overrides come first, the user's last.
    for place in places.iter().rev() {
        for name in ["global", id] {
            match root.optional_text(place.join("overrides").join(name)) {
                Known::Is(Some(text)) => {
                    devices = has_all_devices(&text).map_or(devices, Known::Is);
                }
                Known::Is(None) => {}
                Known::Unknown => devices = Known::Unknown,
            }
        }
    }
    Some(Confinement::Flatpak { id: id.to_owned(), devices })
}

/// Whether `[Context]` grants (`all`) or takes away (`!all`) all devices, if it says either.
fn has_all_devices(metadata: &str) -> Option<bool> {
    let mut in_context = false;
    let mut found = None;
    for line in metadata.lines().map(str::trim) {
        if line.starts_with('[') {
            in_context = line == "[Context]";
        } else if let Some((key, value)) = line.split_once('=')
            && in_context
            && key.trim() == "devices"
        {
            for word in value.split(';').map(str::trim) {
                match word {
                    "all" => found = Some(true),
                    "!all" => found = Some(false),
                    _ => {}
                }
            }
        }
    }
    found
}

fn snap(root: &Root, name: &str) -> Option<Confinement> {
    if name.is_empty() {
        return None;
    }
    let current = SNAPS.iter().map(|folder| Path::new(folder).join(name).join("current"));
    let current = current.into_iter().find(|path| root.exists(path).is_true())?;
    let yaml = root.text(current.join("meta/snap.yaml"));
    let has_plug = yaml.as_deref().map(|yaml| is_classic(yaml) || asks_for_camera(yaml));
    // snapd writes a rule for each interface with devices that is connected
    // (snapd:interfaces/builtin/camera.go).
    let rules = root.optional_text(format!("/etc/udev/rules.d/70-snap.{name}.rules"));
    let connected = match (yaml.as_deref().map(is_classic), rules) {
        (Some(true), _) => Known::Is(true),
        (_, Known::Is(rules)) => Known::Is(
            rules.is_some_and(|rules| rules.lines().any(|line| line.contains("video[0-9]"))),
        ),
        (_, Known::Unknown) => Known::Unknown,
    };
    Some(Confinement::Snap { name: name.to_owned(), has_plug: has_plug.into(), connected })
}

fn is_classic(yaml: &str) -> bool {
    yaml.lines().any(|line| line.trim() == "confinement: classic")
}

/// A plug is an item of a list, the key of an entry, or a word of a list in brackets.
fn asks_for_camera(yaml: &str) -> bool {
    let in_brackets = |line: &str| {
        let list = line.strip_prefix("plugs:").map(str::trim_start)?.strip_prefix('[')?;
        Some(list.split([',', ']']).any(|word| word.trim() == "camera"))
    };
    yaml.lines().map(str::trim).any(|line| {
        line == "- camera" || line.starts_with("camera:") || in_brackets(line).unwrap_or(false)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_the_same_menus() {
        let docs = include_str!("../../../../docs/setup.md").replace('`', "");
        let rows: Vec<_> = docs.lines().filter(|line| line.starts_with("| ")).collect();
        let with_menu = ALL.iter().filter(|names| !names.menu.is_empty());
        let mut count = 0;
        for names in with_menu {
            count += 1;
            let is_its = |row: &&&str| {
                row.contains(names.title) && row.ends_with(&format!("| {} |", names.menu))
            };
            assert!(rows.iter().any(|row| is_its(&row)), "{}: {}", names.title, names.menu);
        }
        assert_eq!(count, 8);
    }
}
