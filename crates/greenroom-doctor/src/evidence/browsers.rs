//! Browsers' settings about cameras of PipeWire.

use std::path::{Path, PathBuf};

use greenroom_setup::Known;
use serde::Serialize;

use super::Folders;
use super::programs::CallProgram;
use crate::root::Root;

/// A browser's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Browser {
    /// Which browser.
    pub program: CallProgram,
    /// Of which family it is.
    pub kind: BrowserKind,
    /// The file with the setting, or where it would be.
    pub file: PathBuf,
    /// Whether it looks for cameras of PipeWire; `Is(None)` if that is left to the browser.
    pub pipewire: Known<Option<bool>>,
}

/// A family of browsers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BrowserKind {
    /// Firefox.
    Firefox,
    /// Chromium and what is made of it.
    Chromium,
}

/// The preference of Firefox.
pub(crate) const FIREFOX_PREFERENCE: &str = "media.webrtc.camera.allow-pipewire";
/// The flag of Chromium, in `chrome://flags`.
pub(crate) const CHROMIUM_FLAG: &str = "enable-webrtc-pipewire-camera";

/// Profiles of one Firefox that are looked at.
const MOST_PROFILES: usize = 100;

pub(super) fn read(root: &Root, folders: &Folders) -> Vec<Browser> {
    let Some(home) = &folders.home else { return Vec::new() };
    let config = folders.config.clone().unwrap_or_else(|| home.join(".config"));
    let mut found = Vec::new();
    for folder in [
        home.join(".mozilla/firefox"),
        config.join("mozilla/firefox"),
        home.join("snap/firefox/common/.mozilla/firefox"),
        home.join(".var/app/org.mozilla.firefox/.mozilla/firefox"),
    ] {
        for name in root.known_names(&folder).into_iter().take(MOST_PROFILES) {
            found.extend(firefox(root, &folder.join(name)));
        }
    }
    let chromiums = [
        (CallProgram::Chrome, config.join("google-chrome")),
        (CallProgram::Chrome, home.join(".var/app/com.google.Chrome/config/google-chrome")),
        (CallProgram::Chromium, config.join("chromium")),
        (CallProgram::Chromium, home.join("snap/chromium/common/chromium")),
        (CallProgram::Chromium, home.join(".var/app/org.chromium.Chromium/config/chromium")),
        (CallProgram::Brave, config.join("BraveSoftware/Brave-Browser")),
        (CallProgram::Edge, config.join("microsoft-edge")),
        (CallProgram::Vivaldi, config.join("vivaldi")),
    ];
    for (program, folder) in chromiums {
        found.extend(chromium(root, program, &folder));
    }
    found
}

/// user.js, which the user writes, comes over prefs.js, which Firefox writes.
fn firefox(root: &Root, profile: &Path) -> Option<Browser> {
    let file = profile.join("prefs.js");
    if !root.exists(&file).is_true() {
        return None;
    }
    let mut pipewire = Known::Is(None);
    for name in ["prefs.js", "user.js"] {
        match root.optional_text(profile.join(name)) {
            Known::Is(Some(text)) => {
                if let Some(set) = preference(&text) {
                    pipewire = Known::Is(Some(set));
                }
            }
            Known::Is(None) => {}
            Known::Unknown => pipewire = Known::Unknown,
        }
    }
    Some(Browser { program: CallProgram::Firefox, kind: BrowserKind::Firefox, file, pipewire })
}

/// `user_pref("media.webrtc.camera.allow-pipewire", true);`
fn preference(text: &str) -> Option<bool> {
    let value = |line: &str| {
        let line = line.trim().strip_prefix("user_pref(")?;
        let (name, value) = line.split_once(',')?;
        let is_it = name.trim().trim_matches(['"', '\'']) == FIREFOX_PREFERENCE;
        is_it.then(|| value.trim_start().starts_with("true"))
    };
    text.lines().filter_map(value).next_back()
}

/// `browser.enabled_labs_experiments` in `Local State`: `…@1` is on, `…@2` off.
fn chromium(root: &Root, program: CallProgram, folder: &Path) -> Option<Browser> {
    let file = folder.join("Local State");
    if !root.exists(&file).is_true() {
        return None;
    }
    let state = root.text(&file);
    let state = state.and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok());
    let pipewire = state.map(|state| {
        let flags = state.pointer("/browser/enabled_labs_experiments");
        let mut flags = flags.and_then(|flags| flags.as_array()).into_iter().flatten();
        flags.find_map(|flag| {
            let (name, choice) = flag.as_str()?.split_once('@')?;
            (name == CHROMIUM_FLAG).then_some(choice == "1")
        })
    });
    Some(Browser { program, kind: BrowserKind::Chromium, file, pipewire: pipewire.into() })
}
