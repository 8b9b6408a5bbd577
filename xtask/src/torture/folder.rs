//! The folder of one case: old files that nothing may harm, and what lies there in the end.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use super::disk;
use super::fault::Fault;
use super::socket_fault::Place;

/// Who is not root. A number of its own, as threads are counted by user.
pub const UNPRIVILEGED_USER: u32 = 61_543;
/// The old files, and about what each takes on a disk.
const OLD_FILES: [&str; 6] =
    ["old.y4m", "old.mkv", "old.mp4", "old.png", "config.toml", "notes.part"];
const OLD_FILE_BYTES: u64 = 4096;

/// What lies in the folder: names, and what each holds.
type Listing = BTreeMap<PathBuf, String>;

/// A folder made for one case.
pub struct CaseFolder {
    folder: tempfile::TempDir,
    pub place: Place,
    before: Listing,
    has_disk: bool,
}

impl CaseFolder {
    pub fn new(within: &Path, fault: &Fault) -> Result<Self> {
        let folder = tempfile::tempdir_in(within)?;
        open_to_all(folder.path())?;
        let work = folder.path().join("work");
        fs::create_dir(&work)?;
        open_to_all(&work)?;
        if let Some(bytes) = fault.disk_bytes {
            disk::mount(&work, bytes + OLD_FILE_BYTES * OLD_FILES.len() as u64)?;
        }
        for name in OLD_FILES {
            let text = match name {
                "config.toml" => "[scenes.red]\nbackground = \"#c81e1e\"\n".to_owned(),
                _ => format!("{name} of last year\n").repeat(100),
            };
            let path = work.join(name);
            fs::write(&path, text)?;
            if fault.is_unprivileged {
                chown(&path, Some(UNPRIVILEGED_USER), Some(UNPRIVILEGED_USER))?;
            }
        }
        let place = fault.socket.prepare(&folder.path().join("place"))?;
        let has_disk = fault.disk_bytes.is_some();
        let mut case = Self { folder, place, before: Listing::new(), has_disk };
        case.before = case.listing()?;
        Ok(case)
    }

    /// Where greenroom is started.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// A file beside that, which no fault reaches.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn listing(&self) -> Result<Listing> {
        let mut listing = Listing::new();
        for name in ["work", "place"] {
            for entry in fs::read_dir(self.folder.path().join(name))? {
                let path = entry?.path();
                let kind = fs::symlink_metadata(&path)?.file_type();
                let holds = match kind {
                    kind if kind.is_file() => sum(&path)?,
                    // Sockets come and go.
                    kind if kind.is_socket() => continue,
                    kind if kind.is_symlink() => format!("link {:?}", fs::read_link(&path)?),
                    kind => format!("{kind:?}"),
                };
                listing.insert(path, holds);
            }
        }
        Ok(listing)
    }

    /// A line for each file that was changed, lost or left, but for `written`, which may be new. What greenroom named
    /// in `said` may lie there.
    pub fn faults(&self, written: &[&str], said: &str) -> Result<Vec<String>> {
        let after = self.listing()?;
        let mut faults = Vec::new();
        let name =
            |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for (path, holds) in &self.before {
            match after.get(path) {
                Some(now) if now == holds || written.contains(&&*name(path)) => {}
                Some(_) => faults.push(format!("the old {} IS CHANGED", name(path))),
                None => faults.push(format!("the old {} IS GONE", name(path))),
            }
        }
        for path in after.keys().filter(|path| !self.before.contains_key(*path)) {
            let name = name(path);
            if !written.contains(&&*name) && !said.contains(&name) {
                faults.push(format!("{name} is left behind"));
            }
        }
        Ok(faults)
    }
}

impl Drop for CaseFolder {
    fn drop(&mut self) {
        if self.has_disk {
            disk::unmount(&self.work());
        }
        let _ = fs::set_permissions(self.beside("place"), fs::Permissions::from_mode(0o777));
    }
}

/// Lets every user in.
pub fn open_to_all(folder: &Path) -> Result<()> {
    Ok(fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?)
}

fn sum(path: &Path) -> Result<String> {
    let bytes = fs::read(path).with_context(|| path.display().to_string())?;
    Ok(Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect())
}
