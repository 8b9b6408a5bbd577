use std::path::PathBuf;

use crate::settings::SettingsError;

/// The demo clip that `cargo xtask assets` fetches, wherever this build or package has it.
pub(crate) fn clip() -> Result<PathBuf, SettingsError> {
    let named = std::env::var_os("GREENROOM_ASSETS").map(PathBuf::from);
    let places = named.into_iter().chain(in_clone()).chain(beside_program());
    let clips = places.map(|folder| folder.join("footage/demo.mp4"));
    clips.filter_map(|clip| clip.canonicalize().ok()).next().ok_or(SettingsError::NoDemo)
}

/// Where a clone has third-party files. A package's program does not know where it was built.
fn in_clone() -> Option<PathBuf> {
    #[cfg(not(feature = "packaged"))]
    let folder = Some(std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets"));
    #[cfg(feature = "packaged")]
    let folder = None;
    folder
}

/// Where packages and the install script put them: `PREFIX/share/greenroom` for `PREFIX/bin/greenroom`.
fn beside_program() -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    Some(program.parent()?.parent()?.join("share/greenroom"))
}
