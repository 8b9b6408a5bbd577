//! Files below the root directory of a system.

use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::{Known, SetupError, open_ordinary};

/// A file that is read whole is cut here: the longest, `modules.dep`, has about 1 MB.
const MOST_BYTES: u64 = 8 << 20;

/// The root directory of a system. Paths below it are given as on that system, with `/` in front.
pub(super) struct Root(PathBuf);

impl Root {
    pub(super) fn new(path: &Path) -> Result<Self, SetupError> {
        if path.is_dir() {
            Ok(Self(path.to_owned()))
        } else {
            Err(SetupError::Root { path: path.to_owned() })
        }
    }

    pub(super) fn path(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Whether anything is at `path`, a symbolic link without a target included.
    pub(super) fn exists(&self, path: impl AsRef<Path>) -> Known<bool> {
        match fs::symlink_metadata(self.path(path)) {
            Ok(_) => Known::Is(true),
            Err(error) if is_absence(error.kind()) => Known::Is(false),
            Err(_) => Known::Unknown,
        }
    }

    /// Whether any of `paths` is there.
    pub(super) fn any_exists(&self, paths: &[&str]) -> bool {
        paths.iter().any(|path| self.exists(path).is_true())
    }

    pub(super) fn bytes(&self, path: impl AsRef<Path>) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        open_ordinary(&self.path(path)).ok()?.take(MOST_BYTES).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    pub(super) fn text(&self, path: impl AsRef<Path>) -> Option<String> {
        self.bytes(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The text without white space around it.
    pub(super) fn word(&self, path: impl AsRef<Path>) -> Option<String> {
        self.text(path).map(|text| text.trim().to_owned())
    }

    /// The text of a file that may be absent: `Is(None)` then.
    pub(super) fn optional_text(&self, path: impl AsRef<Path>) -> Known<Option<String>> {
        match self.exists(&path) {
            Known::Is(true) => self.text(path).map(Some).into(),
            Known::Is(false) => Known::Is(None),
            Known::Unknown => Known::Unknown,
        }
    }

    /// `1` and `Y` are true, `0` and `N` false.
    pub(super) fn flag(&self, path: impl AsRef<Path>) -> Known<bool> {
        match self.word(path).as_deref() {
            Some("1" | "Y") => Known::Is(true),
            Some("0" | "N") => Known::Is(false),
            _ => Known::Unknown,
        }
    }

    /// The lines of a file of any length.
    pub(super) fn lines(&self, path: impl AsRef<Path>) -> Option<impl Iterator<Item = String>> {
        let mut reader = BufReader::new(open_ordinary(&self.path(path)).ok()?);
        let mut line = Vec::new();
        Some(std::iter::from_fn(move || {
            line.clear();
            match reader.read_until(b'\n', &mut line) {
                Ok(1..) => Some(String::from_utf8_lossy(line.trim_ascii_end()).into_owned()),
                _ => None,
            }
        }))
    }

    /// The sorted names in a directory: none if it is not there.
    pub(super) fn names(&self, path: impl AsRef<Path>) -> Known<Vec<String>> {
        match fs::read_dir(self.path(path)) {
            Ok(entries) => {
                let name = |entry: fs::DirEntry| entry.file_name().into_string().ok();
                let mut names: Vec<_> = entries.flatten().filter_map(name).collect();
                names.sort();
                Known::Is(names)
            }
            Err(error) if is_absence(error.kind()) => Known::Is(Vec::new()),
            Err(_) => Known::Unknown,
        }
    }

    /// The directories of `paths` that are there, each once (`/lib` may be a link to `/usr/lib`).
    pub(super) fn distinct<'p>(&self, paths: &[&'p str]) -> Vec<&'p str> {
        let mut seen = Vec::new();
        let is_new = |path: &&&'p str| {
            let Ok(real) = fs::canonicalize(self.path(path)) else { return false };
            let new = !seen.contains(&real);
            seen.push(real);
            new
        };
        paths.iter().filter(is_new).copied().collect()
    }
}

fn is_absence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}
