//! A [`FakeFfmpeg`] stands where greenroom looks for the real one.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

/// What stands in for the programs of FFmpeg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FakeFfmpeg {
    /// The lines of a shell script in place of `ffmpeg`; `None`: the real one.
    pub(super) ffmpeg: Option<&'static str>,
    /// The same for `ffprobe`.
    pub(super) ffprobe: Option<&'static str>,
    pub(super) is_missing: bool,
}

impl FakeFfmpeg {
    /// What PATH is, with `folder` in it, where the real programs are found until [`install`](Self::install).
    pub fn path_variable(self, folder: &Path) -> Result<String> {
        fs::create_dir_all(folder)?;
        if !self.is_missing {
            return Ok(format!("{}:{}", folder.display(), env::var("PATH")?));
        }
        for name in ["ffmpeg", "ffprobe"] {
            symlink(find_program(name)?, folder.join(name))?;
        }
        Ok(folder.display().to_string())
    }

    /// From now on, the programs are what they are to be.
    pub fn install(self, folder: &Path) -> Result<()> {
        if self.is_missing {
            fs::remove_file(folder.join("ffmpeg"))?;
            return Ok(fs::remove_file(folder.join("ffprobe"))?);
        }
        for (name, script) in [("ffmpeg", self.ffmpeg), ("ffprobe", self.ffprobe)] {
            let Some(script) = script else { continue };
            let path = folder.join(name);
            fs::write(&path, format!("#!/bin/bash\n{script}\n"))?;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    }
}

fn find_program(name: &str) -> Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.exists());
    found.with_context(|| format!("{name} is not installed"))
}
