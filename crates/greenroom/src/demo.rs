use std::path::{Path, PathBuf};

use crate::settings::SettingsError;

/// The demo clip that `cargo xtask assets` fetches, wherever this build or package has it.
pub(crate) fn clip() -> Result<PathBuf, SettingsError> {
    let in_assets = |folder: PathBuf| folder.join("footage/demo.mp4");
    let named = std::env::var_os("GREENROOM_ASSETS").map(PathBuf::from);
    let places = named.into_iter().chain([
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets"),
        PathBuf::from("/usr/share/greenroom"),
    ]);
    places.map(in_assets).find_map(|clip| clip.canonicalize().ok()).ok_or(SettingsError::NoDemo)
}
