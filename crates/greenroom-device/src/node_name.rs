//! A node has a name for people and one in sysfs; it need not be opened for either.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

pub(crate) fn display_name(card: &str, node: &Path) -> String {
    format!("{card} ({})", node.display())
}

/// Path of a node's folder in sysfs.
pub(crate) fn sysfs_of(node: &Path) -> Option<PathBuf> {
    let rdev = fs::metadata(node).ok()?.rdev();
    let name = format!("{}:{}", rustix::fs::major(rdev), rustix::fs::minor(rdev));
    Some(Path::new("/sys/dev/char").join(name))
}
