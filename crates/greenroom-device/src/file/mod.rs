//! Video files and pipes, read and written.

mod encode;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod null;
pub(crate) mod pace;
mod part;
pub(crate) mod probe;
mod reader;
mod y4m;

use std::ffi::OsStr;
use std::fmt;
use std::fs::FileType;
use std::io;
use std::path::{Path, PathBuf};

use greenroom_frame::{FrameError, FrameLayout, FrameView};

pub use self::null::open_null_sink;
pub use self::reader::{FileReader, Playback};
use crate::{DeviceError, Sink, SinkMode};

/// Where a video is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileTarget {
    /// Standard output, as Y4M.
    Stdout,
    /// A file; its ending says what it becomes.
    Path(PathBuf),
}

impl FileTarget {
    /// The target that a user means: `-` is standard output, all else a path.
    pub fn parse(text: &OsStr) -> Self {
        if text == "-" { Self::Stdout } else { Self::Path(text.into()) }
    }
}

impl fmt::Display for FileTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.pad("standard output"),
            Self::Path(path) => path.display().fmt(f),
        }
    }
}

type Open = fn(&Path, SinkMode) -> Result<Box<dyn Sink>, DeviceError>;

/// A kind of file that can be written.
struct Kind {
    extension: &'static str,
    open: Open,
}

/// Every kind of file that can be written.
const KINDS: [Kind; 5] = [
    Kind { extension: "mp4", open: encode::open_mp4 },
    Kind { extension: "mkv", open: encode::open_mkv },
    Kind { extension: "mov", open: encode::open_mov },
    Kind { extension: "webm", open: encode::open_webm },
    Kind { extension: "y4m", open: y4m::open_file },
];

/// Opens a file or standard output for frames like `wanted`: of its rate and colour, and of its
/// format and size as near as the kind of file takes them; [`Sink::mode`] says which.
///
/// A file is written beside the target as `NAME.XXXXXX.part` and takes its place in
/// [`Sink::finish`]: a run that fails leaves an older file as it was. A sink that is dropped
/// leaves nothing, and so does one that got no frame.
///
/// # Errors
/// [`DeviceError::Unsupported`] for an ending or a format that it cannot be, and what opening a
/// file can fail with; [`DeviceError::MissingProgram`] without FFmpeg (Y4M needs none).
pub fn open_file_sink(target: &FileTarget, wanted: SinkMode) -> Result<Box<dyn Sink>, DeviceError> {
    let path = match target {
        FileTarget::Stdout => return y4m::open_stdout(wanted),
        FileTarget::Path(path) => path,
    };
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    match KINDS.iter().find(|kind| extension == kind.extension) {
        Some(kind) => (kind.open)(path, wanted),
        None => {
            let known: Vec<_> = KINDS.iter().map(|kind| format!(".{}", kind.extension)).collect();
            let why = format!("its ending is none of {}; give it one", known.join(", "));
            Err(DeviceError::Unsupported { what: path.display().to_string(), why })
        }
    }
}

/// The error for a file that cannot be opened or made.
pub(crate) fn not_opened(what: &str, remedy: &str, error: io::Error) -> DeviceError {
    let (what, remedy) = (what.to_owned(), remedy.to_owned());
    match error.kind() {
        io::ErrorKind::NotFound => DeviceError::NotFound { what, remedy },
        io::ErrorKind::PermissionDenied => DeviceError::Denied { what, remedy },
        _ => DeviceError::Io { what, doing: "opening it", source: error },
    }
}

/// That what is at `what` is a file.
pub(crate) fn check_is_file(what: &str, kind: FileType, remedy: &str) -> Result<(), DeviceError> {
    if kind.is_file() {
        return Ok(());
    }
    let found = if kind.is_dir() { "a folder" } else { "a device or pipe" };
    Err(DeviceError::WrongKind {
        what: what.to_owned(),
        found: found.to_owned(),
        wanted: "a file".to_owned(),
        remedy: remedy.to_owned(),
    })
}

/// That the frame is what the sink takes.
fn check_frame(frame: FrameView<'_>, mode: SinkMode) -> Result<(), FrameError> {
    if (frame.format(), frame.size()) == (mode.format, mode.size) {
        return Ok(());
    }
    Err(FrameError::NoConversion {
        from: frame.format(),
        from_size: frame.size(),
        to: mode.format,
        to_size: mode.size,
    })
}

/// Writes the frame's planes without padding.
fn write_planes(frame: FrameView<'_>, to: &mut impl io::Write) -> io::Result<()> {
    if FrameLayout::tight(frame.format(), frame.size()).as_ref() == Ok(frame.layout()) {
        return to.write_all(frame.bytes());
    }
    let mut planes = (0..frame.format().plane_count()).map(|index| frame.plane(index));
    planes.try_for_each(|plane| plane.iter_rows().try_for_each(|row| to.write_all(row)))
}
