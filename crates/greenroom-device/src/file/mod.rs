//! Video files and pipes, read and written.

mod container;
mod encode;
mod encoded_file;
mod film;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod null;
pub(crate) mod pace;
mod part;
mod planes;
pub(crate) mod probe;
mod queue;
mod reader;
mod sound;
mod y4m;

use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

use self::container::Container;
pub use self::film::Film;
pub use self::null::open_null_sink;
pub use self::part::{PartFile, check_target};
pub use self::queue::QueuedSink;
pub use self::reader::{FileReader, Playback};
pub use self::sound::Sound;
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

    /// Looks whether a video, or a matte (`is_grey`), could be written there, without making
    /// anything.
    ///
    /// # Errors
    /// As [`open_file_sink`], as far as it can be known before.
    pub fn check(&self, is_grey: bool) -> Result<(), DeviceError> {
        match self {
            Self::Stdout => y4m::check_stdout(),
            Self::Path(path) => match kind_of(path)? {
                FileKind::Y4m => y4m::check_file(path),
                FileKind::Encoded(container) => {
                    container.check(path, is_grey)?;
                    check_target(path)
                }
            },
        }
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

/// A kind of file that can be written.
#[derive(Debug, Clone, Copy)]
enum FileKind {
    Y4m,
    Encoded(&'static Container),
}

/// Every kind of file that can be written, by its name's ending.
const KINDS: [(&str, FileKind); 5] = [
    ("mp4", FileKind::Encoded(&container::MP4)),
    ("mkv", FileKind::Encoded(&container::MKV)),
    ("mov", FileKind::Encoded(&container::MOV)),
    ("webm", FileKind::Encoded(&container::WEBM)),
    ("y4m", FileKind::Y4m),
];

fn kind_of(path: &Path) -> Result<FileKind, DeviceError> {
    let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
    match KINDS.iter().find(|(known, _)| extension == *known) {
        Some((_, kind)) => Ok(*kind),
        None => {
            let known: Vec<_> = KINDS.iter().map(|(known, _)| format!(".{known}")).collect();
            let why = format!("its ending is none of {}; give it one", known.join(", "));
            Err(DeviceError::Unsupported { what: path.display().to_string(), why })
        }
    }
}

/// Opens a file or standard output for frames like `wanted`: of its rate and colour, and of its
/// format and size as near as the kind of file takes them; [`Sink::mode`] says which. `film`: `None`
/// for frames from a live camera.
///
/// Each frame is shown in the file at the time at which it was captured. Y4M has no times, only a
/// rate: a file, and whatever comes of a film, gets frames again or fewer of them, so that it is as
/// long; a pipe gets each live frame once.
///
/// A file is written beside the target as `NAME.XXXXXX.part` and takes its place in
/// [`Sink::finish`]: a run that fails leaves an older file as it was. A sink that is dropped
/// leaves nothing, and so does one that got no frame.
///
/// # Errors
/// [`DeviceError::Unsupported`] for an ending or a format that it cannot be, and what opening a
/// file can fail with; [`DeviceError::MissingProgram`] without FFmpeg (Y4M needs none).
pub fn open_file_sink(
    target: &FileTarget,
    wanted: SinkMode,
    film: Option<&Film<'_>>,
) -> Result<Box<dyn Sink>, DeviceError> {
    match target {
        FileTarget::Stdout => y4m::open_stdout(wanted, film),
        FileTarget::Path(path) => match kind_of(path)? {
            FileKind::Y4m => y4m::open_file(path, wanted, film),
            FileKind::Encoded(container) => container.open(path, wanted, film),
        },
    }
}

/// Opens a new file that is to be playable whenever its writing ends, also by the end of this process or of FFmpeg: what
/// there is of it stays. In all else as [`open_file_sink`] does, for frames from a live camera.
///
/// # Errors
/// [`DeviceError::Unsupported`] if the file is there already, or if its ending is not that of a kind that FFmpeg encodes;
/// and those of [`open_file_sink`].
pub fn open_recording_sink(path: &Path, wanted: SinkMode) -> Result<Box<dyn Sink>, DeviceError> {
    match kind_of(path) {
        Ok(FileKind::Encoded(container)) => container.open_in_place(path, wanted),
        Ok(FileKind::Y4m) | Err(_) => Err(DeviceError::Unsupported {
            what: path.display().to_string(),
            why: "the name of a recording ends in .mkv, .mp4, .mov or .webm; give it one of those endings".to_owned(),
        }),
    }
}
