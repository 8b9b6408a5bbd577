use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use rustix::fs::inotify::{self, CreateFlags, ReadFlags, Reader, WatchFlags};

use crate::DeviceError;

/// Watches files by their paths, through every symlink on the way: readable when one of them may
/// have been written, replaced, moved over, removed, or come at last, or when a link leads
/// elsewhere.
///
/// Folders are watched, not the files: a file that is replaced is another file, and one that is not
/// there yet cannot be watched. After each change [`set`](Self::set) the paths again: links may
/// lead elsewhere now.
#[derive(Debug)]
pub struct FileWatch {
    inotify: OwnedFd,
    /// What is listened for in each watched folder: a name, and the paths that go through it.
    folders: BTreeMap<i32, Folder>,
    /// Paths of files that were written to, and whose writer has not closed them.
    unfinished: BTreeSet<PathBuf>,
}

/// A watched folder.
#[derive(Debug, Default)]
struct Folder {
    path: PathBuf,
    /// The paths that go through each name in it.
    names: BTreeMap<OsString, BTreeSet<PathBuf>>,
}

/// What happened to watched files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileChanges {
    /// Paths, as they were given, that may lead to something new.
    pub changed: BTreeSet<PathBuf>,
    /// Those of them that are being written: more is to come, and the end of it is told.
    pub unfinished: BTreeSet<PathBuf>,
    /// Those of them of which nothing was heard, but more happened beside them than the kernel
    /// keeps: they may be as they were.
    pub uncertain: BTreeSet<PathBuf>,
}

/// What tells that a file is another one, or has another content, than before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileStamp {
    device: u64,
    inode: u64,
    len_bytes: u64,
    changed: (i64, i64),
}

impl FileStamp {
    /// Of what `path` leads to; `None` if there is nothing.
    pub fn of(path: &Path) -> Option<Self> {
        let found = std::fs::metadata(path).ok()?;
        Some(Self {
            device: found.dev(),
            inode: found.ino(),
            len_bytes: found.len(),
            changed: (found.ctime(), found.ctime_nsec()),
        })
    }
}

/// Events that are read at once: a writer beside our files may be faster than we read.
const MOST_EVENTS: usize = 2048;

/// Links in a row after which a path is given up, as the kernel does.
const MOST_LINKS: usize = 40;

impl FileWatch {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// [`DeviceError::Io`] when the user has no inotify instance left.
    pub fn new() -> Result<Self, DeviceError> {
        let inotify = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK);
        let inotify = inotify.map_err(|errno| DeviceError::Io {
            what: "inotify".to_owned(),
            doing: "watching files",
            source: io::Error::from(errno),
        })?;
        Ok(Self { inotify, folders: BTreeMap::new(), unfinished: BTreeSet::new() })
    }

    /// From now on watches `paths` and nothing else. A folder that cannot be watched is left out.
    pub fn set(&mut self, paths: &[PathBuf]) {
        let mut folders: BTreeMap<i32, Folder> = BTreeMap::new();
        self.unfinished.retain(|path| paths.contains(path));
        for path in paths {
            for (folder, name) in steps(path) {
                let mask = WatchFlags::CREATE
                    | WatchFlags::MOVED_TO
                    | WatchFlags::MOVED_FROM
                    | WatchFlags::DELETE
                    | WatchFlags::CLOSE_WRITE
                    | WatchFlags::MODIFY
                    | WatchFlags::ATTRIB
                    | WatchFlags::MOVE_SELF
                    | WatchFlags::DELETE_SELF
                    | WatchFlags::ONLYDIR;
                match inotify::add_watch(&self.inotify, &folder, mask) {
                    Ok(number) => {
                        let entry = folders.entry(number).or_default();
                        entry.path = folder;
                        entry.names.entry(name).or_default().insert(path.clone());
                    }
                    Err(error) => {
                        tracing::debug!(folder = %folder.display(), %error, "not watched")
                    }
                }
            }
        }
        for number in self.folders.keys().filter(|number| !folders.contains_key(number)) {
            // The kernel removes those of folders that are gone by itself.
            let _ = inotify::remove_watch(&self.inotify, *number);
        }
        self.folders = folders;
    }

    /// Reads what has been told; readable again at once if that was not all.
    pub fn changes(&mut self) -> FileChanges {
        let mut changes = FileChanges::default();
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(&self.inotify, &mut buffer);
        for _ in 0..MOST_EVENTS {
            // Ends with EAGAIN.
            let Ok(event) = events.next() else { break };
            if event.events().contains(ReadFlags::QUEUE_OVERFLOW) {
                // The end of a write may be among what was lost.
                self.unfinished.clear();
                let all = self.folders.values().flat_map(|folder| folder.names.values()).flatten();
                let unheard = all.filter(|path| !changes.changed.contains(*path));
                changes.uncertain.extend(unheard.cloned());
                continue;
            }
            let Some(folder) = self.folders.get(&event.wd()) else { continue };
            let names = &folder.names;
            // Not by a new name of a file that was whole before.
            let begins = event.events().contains(ReadFlags::CREATE)
                && event.file_name().is_some_and(|name| {
                    is_empty_file(&folder.path.join(OsStr::from_bytes(name.to_bytes())))
                });
            let paths: Vec<&PathBuf> = match event.file_name() {
                Some(name) => {
                    let name = OsStr::from_bytes(name.to_bytes());
                    names.get(name).into_iter().flatten().collect()
                }
                // About the folder itself: gone or moved. A change of its rights is none of ours.
                None if event.events().intersects(
                    ReadFlags::MOVE_SELF | ReadFlags::DELETE_SELF | ReadFlags::IGNORED,
                ) =>
                {
                    names.values().flatten().collect()
                }
                None => Vec::new(),
            };
            for path in paths {
                if begins || event.events().contains(ReadFlags::MODIFY) {
                    self.unfinished.insert(path.clone());
                } else if !event.events().contains(ReadFlags::ATTRIB) {
                    self.unfinished.remove(path);
                }
                changes.uncertain.remove(path);
                changes.changed.insert(path.clone());
            }
        }
        changes.changed.extend(changes.uncertain.iter().cloned());
        changes.unfinished = self.unfinished.intersection(&changes.changed).cloned().collect();
        changes
    }
}

impl AsFd for FileWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

/// Whether it is a file without content: of one that was just made, its writer has more to say.
fn is_empty_file(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|found| found.is_file() && found.len() == 0)
}

/// The places where it is decided what `path` leads to: each link on the way and the file itself,
/// as a folder and a name in it. Where the way ends, the place at which it would go on.
fn steps(path: &Path) -> Vec<(PathBuf, OsString)> {
    let mut steps = Vec::new();
    let mut links = 0;
    let mut at = PathBuf::from("/");
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    // What is still to be walked, the next one last.
    let mut rest: Vec<OsString> = names(&absolute).rev().collect();
    while let Some(name) = rest.pop() {
        if name == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&name);
        match std::fs::symlink_metadata(&next) {
            Ok(found) if found.is_symlink() && links < MOST_LINKS => {
                links += 1;
                steps.push((at.clone(), name));
                let target = std::fs::read_link(&next).unwrap_or_default();
                if target.is_absolute() {
                    at = PathBuf::from("/");
                }
                rest.extend(names(&target).rev());
            }
            Ok(_) if !rest.is_empty() => at = next,
            // The file itself, or where the way ends.
            _ => {
                steps.push((at, name));
                break;
            }
        }
    }
    steps
}

fn names(path: &Path) -> impl DoubleEndedIterator<Item = OsString> + '_ {
    path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::time::Duration;

    use super::*;
    use crate::wait_readable;

    /// Sets, changes, and tells whether the path was among the changes.
    fn is_heard(path: &Path, change: impl FnOnce()) -> bool {
        let mut watch = FileWatch::new().unwrap();
        watch.set(&[path.to_owned()]);
        assert_eq!(watch.changes(), FileChanges::default());
        change();
        let readable = wait_readable(&[watch.as_fd()], Some(Duration::ZERO)) == 1;
        let heard = watch.changes().changed.contains(path);
        assert!(readable || !heard);
        heard
    }

    #[test]
    fn every_way_to_replace_a_file_is_heard() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("sub")).unwrap();
        for name in ["a", "b", "sub/c"] {
            fs::write(at(name), name).unwrap();
        }
        symlink("sub/c", at("link")).unwrap();
        symlink(at("link"), at("link2")).unwrap();
        let a = at("a");
        assert!(is_heard(&a, || fs::write(&a, "x").unwrap()));
        assert!(is_heard(&a, || fs::rename(at("b"), &a).unwrap()));
        assert!(is_heard(&a, || fs::remove_file(&a).unwrap()));
        assert!(is_heard(&a, || fs::write(&a, "again").unwrap()), "not there, and comes");
        assert!(!is_heard(&a, || fs::write(at("other"), "x").unwrap()));
        // A link, its target's content, and where it leads.
        let link = at("link2");
        assert!(is_heard(&link, || fs::write(at("sub/c"), "new").unwrap()));
        assert!(is_heard(&link, || {
            symlink("a", at("tmp")).unwrap();
            fs::rename(at("tmp"), at("link")).unwrap();
        }));
        assert!(is_heard(&link, || fs::write(&a, "through two links").unwrap()));
        // Folders that come, go, and are exchanged.
        let deep = at("x/y/file");
        assert!(is_heard(&deep, || fs::create_dir_all(at("x/y")).unwrap()));
        assert!(is_heard(&deep, || fs::write(&deep, "").unwrap()));
        assert!(is_heard(&deep, || fs::rename(at("x/y"), at("x/z")).unwrap()));
        // A link to itself ends.
        symlink("round", at("round")).unwrap();
        assert!(is_heard(&at("round"), || fs::remove_file(at("round")).unwrap()));
    }

    #[test]
    fn more_than_the_kernel_keeps_is_uncertain() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        fs::write(&path, "x").unwrap();
        let stamp = FileStamp::of(&path);
        let mut watch = FileWatch::new().unwrap();
        watch.set(std::slice::from_ref(&path));
        // Two names by turns, since the kernel joins alike events: more than its 16,384.
        for number in 0..10_000 {
            fs::write(folder.path().join(["b", "c"][number % 2]), "x").unwrap();
        }
        let mut uncertain = false;
        while wait_readable(&[watch.as_fd()], Some(Duration::ZERO)) == 1 {
            let changes = watch.changes();
            uncertain |= changes.uncertain.contains(&path);
        }
        assert!(uncertain && FileStamp::of(&path) == stamp);
        fs::write(&path, "xy").unwrap();
        assert!(FileStamp::of(&path) != stamp);
        let changes = watch.changes();
        assert!(changes.changed.contains(&path) && changes.uncertain.is_empty());
        assert_eq!(FileStamp::of(&folder.path().join("nothing")), None);
    }

    #[test]
    fn who_is_still_writing_is_told() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        let mut watch = FileWatch::new().unwrap();
        watch.set(std::slice::from_ref(&path));
        let mut file = fs::File::create(&path).unwrap();
        assert!(watch.changes().unfinished.contains(&path), "made, and nothing written yet");
        file.write_all(b"half").unwrap();
        assert!(watch.changes().unfinished.contains(&path));
        // Whatever else happens to it, its writer has it still open.
        file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        assert!(watch.changes().unfinished.contains(&path));
        drop(file);
        let changes = watch.changes();
        assert!(changes.changed.contains(&path) && changes.unfinished.is_empty());
        // A new name of a whole file is whole.
        fs::remove_file(&path).unwrap();
        fs::write(folder.path().join("b"), "whole").unwrap();
        for make in [fs::hard_link, |to, link| symlink(to, link)] {
            make(folder.path().join("b"), path.clone()).unwrap();
            let changes = watch.changes();
            assert!(changes.changed.contains(&path) && changes.unfinished.is_empty());
            fs::remove_file(&path).unwrap();
        }
        watch.set(&[]);
        fs::write(&path, "unheard").unwrap();
        assert_eq!(watch.changes(), FileChanges::default());
    }
}
