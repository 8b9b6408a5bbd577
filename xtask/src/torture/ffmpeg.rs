//! An FFmpeg that is missing, hangs, floods, or is killed.

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::{env, fs};

use anyhow::{Context, Result};

use super::case::{Case, Operation};
use super::fault::{Effect, Fault};

/// What stands in for the programs of FFmpeg.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FakeFfmpeg {
    /// The lines of a shell script in place of `ffmpeg`; `None`: the real one.
    ffmpeg: Option<&'static str>,
    /// The same for `ffprobe`.
    ffprobe: Option<&'static str>,
    is_missing: bool,
}

const HANGS: &str = "exec sleep 3600";
const FLOODS_STDOUT: &str = "exec cat /dev/zero";
const FLOODS_STDERR: &str = "exec cat /dev/zero >&2";
const LINES_ON_STDERR: &str = "exec yes 'something is wrong' >&2";
const KILLED_AT_ONCE: &str = "kill -9 $$";
/// The real one, killed after it has written (or read) 800 kB.
const KILLED_MIDWAY: &str = r#"real=$(PATH=${PATH#*:} command -v ffmpeg)
case "${@: -1}" in
    -|pipe:*) exec "$real" "$@" > >(head -c 800000; kill -9 $$) ;;
    -encoders) exec "$real" "$@" ;;
    *) exec "$real" "$@" < <(head -c 800000; kill -9 $$) ;;
esac"#;

const REAL: FakeFfmpeg = FakeFfmpeg { ffmpeg: None, ffprobe: None, is_missing: false };

fn faults() -> Vec<(Fault, bool)> {
    let both = |script| FakeFfmpeg { ffmpeg: Some(script), ffprobe: Some(script), ..REAL };
    let ffmpeg = |script| FakeFfmpeg { ffmpeg: Some(script), ..REAL };
    let fault = |name: &str, effect, ffmpeg| Fault {
        ffmpeg: Some(ffmpeg),
        effect,
        ..Fault::new(format!("ffmpeg/{name}"))
    };
    let (may, must) = (Effect::MayRefuse, Effect::MustRefuse);
    vec![
        (fault("missing", must("ffmpeg"), FakeFfmpeg { is_missing: true, ..REAL }), true),
        (fault("hangs", must("room.mkv"), both(HANGS)), true),
        (fault("floods-stdout", must("room.mkv"), both(FLOODS_STDOUT)), true),
        (fault("floods-stderr", must("room.mkv"), both(FLOODS_STDERR)), false),
        (fault("says-lines-without-end", must("room.mkv"), both(LINES_ON_STDERR)), false),
        (fault("killed-at-once", must("room.mkv"), both(KILLED_AT_ONCE)), true),
        (fault("only-ffmpeg-hangs", may, ffmpeg(HANGS)), true),
        (fault("only-ffmpeg-floods-stdout", may, ffmpeg(FLOODS_STDOUT)), false),
        (fault("only-ffmpeg-floods-stderr", may, ffmpeg(FLOODS_STDERR)), true),
        (fault("only-ffmpeg-killed-at-once", may, ffmpeg(KILLED_AT_ONCE)), false),
        (fault("only-ffmpeg-killed-midway", may, ffmpeg(KILLED_MIDWAY)), true),
    ]
}

/// Whatever FFmpeg does, nothing hangs, and no old file is lost.
pub fn cases(short: bool) -> Vec<Case> {
    let faults = faults().into_iter().filter(|(_, is_short)| !short || *is_short);
    let operations = match short {
        true => &[Operation::OnAir, Operation::Render("mkv")][..],
        false => &[
            Operation::OnAir,
            Operation::SetClip,
            Operation::Render("mkv"),
            Operation::Render("y4m"),
            Operation::Record("mkv"),
        ],
    };
    faults.flat_map(|(fault, _)| Case::of_each(&fault, operations)).collect()
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
