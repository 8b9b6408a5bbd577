//! Files below the root directory of a system, read so that no file can do harm: only ordinary ones
//! are opened, and of a long one only the beginning is read.

use std::fs::{self, Metadata};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use greenroom_setup::{Known, open_ordinary};

/// A file is cut here. The longest that are read are a browser's settings, some 100 kB.
const MOST_BYTES: u64 = 4 << 20;

/// So many names of a folder are read.
const MOST_NAMES: usize = 100_000;

/// The root directory of a system. Paths below it are given as on that system, with `/` in front.
pub(crate) struct Root(PathBuf);

impl Root {
    pub(crate) fn new(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// Where `path` is for this process.
    pub(crate) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Whether anything is at `path`, a symbolic link without a target included.
    pub(crate) fn exists(&self, path: impl AsRef<Path>) -> Known<bool> {
        presence(fs::symlink_metadata(self.path(path)))
    }

    /// Whether any of `paths` is known to be there.
    pub(crate) fn any_exists(&self, paths: &[&str]) -> bool {
        paths.iter().any(|path| self.exists(path).is_true())
    }

    /// What `path` is, behind symbolic links.
    pub(crate) fn metadata(&self, path: impl AsRef<Path>) -> Known<Option<Metadata>> {
        match fs::metadata(self.path(path)) {
            Ok(metadata) => Known::Is(Some(metadata)),
            Err(error) if is_absence(error.kind()) => Known::Is(None),
            Err(_) => Known::Unknown,
        }
    }

    /// The beginning of an ordinary file. What is not UTF-8 in it is replaced.
    pub(crate) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        let mut bytes = Vec::new();
        open_ordinary(&self.path(path)).ok()?.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
        Some(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The text of a file that may be absent: `Is(None)` then.
    pub(crate) fn optional_text(&self, path: impl AsRef<Path>) -> Known<Option<String>> {
        match self.exists(&path) {
            Known::Is(true) => self.text(path).map(Some).into(),
            Known::Is(false) => Known::Is(None),
            Known::Unknown => Known::Unknown,
        }
    }

    /// The text without white space around it.
    pub(crate) fn word(&self, path: impl AsRef<Path>) -> Option<String> {
        self.text(path).map(|text| text.trim().to_owned())
    }

    /// The target of a symbolic link, as it is written there.
    pub(crate) fn link(&self, path: impl AsRef<Path>) -> Option<PathBuf> {
        fs::read_link(self.path(path)).ok()
    }

    /// The sorted names in a directory: none if it is not there.
    pub(crate) fn names(&self, path: impl AsRef<Path>) -> Known<Vec<String>> {
        match fs::read_dir(self.path(path)) {
            Ok(entries) => {
                let name = |entry: fs::DirEntry| entry.file_name().into_string().ok();
                let names = entries.take(MOST_NAMES).flatten().filter_map(name);
                let mut names: Vec<_> = names.collect();
                names.sort();
                Known::Is(names)
            }
            Err(error) if is_absence(error.kind()) => Known::Is(Vec::new()),
            Err(_) => Known::Unknown,
        }
    }

    /// The names in a directory that can be read.
    pub(crate) fn known_names(&self, path: impl AsRef<Path>) -> Vec<String> {
        self.names(path).get().cloned().unwrap_or_default()
    }
}

fn presence(found: std::io::Result<Metadata>) -> Known<bool> {
    match found {
        Ok(_) => Known::Is(true),
        Err(error) if is_absence(error.kind()) => Known::Is(false),
        Err(_) => Known::Unknown,
    }
}

fn is_absence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}
