//! Whether a file would be written that is also read.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Whether both paths lead to one file, however they are spelled and linked; neither needs to exist.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    match (fs::metadata(one), fs::metadata(other)) {
        (Ok(one), Ok(other)) => (one.dev(), one.ino()) == (other.dev(), other.ino()),
        (Err(_), Err(_)) => {
            one == other || place_of(one).is_some_and(|place| Some(place) == place_of(other))
        }
        _ => false,
    }
}

/// Where a file would be made.
fn place_of(path: &Path) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Some(folder.unwrap_or(Path::new(".")).canonicalize().ok()?.join(path.file_name()?))
}

/// Whether a file that is written at `target` would take the place of one of `read`, or of a file in a
/// folder of them.
pub(crate) fn would_replace(target: &Path, read: &[PathBuf]) -> bool {
    read.iter().any(|read| {
        let is_in_folder = || {
            let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty());
            target.exists() && is_same_file(folder.unwrap_or(Path::new(".")), read)
        };
        is_same_file(target, read) || (read.is_dir() && is_in_folder())
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn a_file_is_known_under_all_its_names() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("slides")).unwrap();
        for name in ["a", "b", "slides/a.png"] {
            fs::write(at(name), "same content").unwrap();
        }
        symlink("a", at("link")).unwrap();
        symlink("slides", at("linked")).unwrap();
        fs::hard_link(at("a"), at("hard")).unwrap();
        for name in ["a", "./a", "slides/../a", "link", "hard"] {
            assert!(is_same_file(&at("a"), &at(name)), "{name}");
        }
        assert!(!is_same_file(&at("a"), &at("b")) && !is_same_file(&at("a"), &at("new")));
        assert!(is_same_file(&at("slides/new"), &at("linked/new")));
        let slides = [at("linked")];
        assert!(would_replace(&at("slides/a.png"), &slides));
        assert!(!would_replace(&at("slides/new.png"), &slides));
        assert!(!would_replace(&at("a"), &slides));
    }
}
