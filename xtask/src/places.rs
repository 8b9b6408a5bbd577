//! Where things lie: the repository, and the folder for what can be made again.

use std::env;
use std::path::{Path, PathBuf};

/// The folders the chores work in.
#[derive(Debug)]
pub struct Places {
    /// The repository's root, absolute.
    pub repository: PathBuf,
    /// cargo's target folder, absolute: `CARGO_TARGET_DIR` when set, else `target/` in the repository.
    pub target: PathBuf,
}

impl Places {
    /// Finds the folders from the environment cargo gives to `cargo run`; started by hand, the program falls back
    /// on where it was built.
    pub fn find() -> Self {
        let crate_folder = env::var_os("CARGO_MANIFEST_DIR")
            .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
        let repository = crate_folder.parent().unwrap_or(Path::new("/")).to_path_buf();
        let target = match env::var_os("CARGO_TARGET_DIR") {
            // cargo reads a relative folder from where it is called, and so do we.
            Some(folder) => env::current_dir().unwrap_or_default().join(folder),
            None => repository.join("target"),
        };
        Self { repository, target }
    }
}
