//! What is shown, as a picture file.

use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc::Receiver;
use std::thread;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use greenroom_device::PartFile;
use greenroom_frame::{Chroma, Frame, Rgb8, Yuv8};
use image::{ImageFormat, RgbImage};

use crate::faults::{self, Fault};
use crate::scenes::Replied;

/// Longest wait for a frame: those who watch get one five times a second at least.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Snapshots that are being taken at once, at most: each has a thread and a frame.
pub(crate) const MOST_AT_ONCE: usize = 8;
static AT_ONCE: AtomicUsize = AtomicUsize::new(0);

/// A snapshot that is being taken.
struct Taking;

impl Taking {
    fn begin() -> Option<Self> {
        let one_more = |count| (count < MOST_AT_ONCE).then_some(count + 1);
        AT_ONCE.fetch_update(SeqCst, SeqCst, one_more).ok().map(|_| Self)
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        AT_ONCE.fetch_sub(1, SeqCst);
    }
}

/// Writes the frame that comes through what `ask` gives to `path`, on a thread of its own. It is asked for only when
/// there is a place for it.
pub(crate) fn take(path: PathBuf, ask: impl FnOnce() -> Receiver<Frame>, replied: Replied) {
    let Some(taking) = Taking::begin() else {
        let many =
            format!("{MOST_AT_ONCE} snapshots are being taken already; wait for one, then ask");
        return replied.tell(Err(many));
    };
    let picture = match PictureFile::new(path) {
        Ok(picture) => picture,
        Err(error) => return replied.tell(Err(format!("{error:#}"))),
    };
    let frame = ask();
    let taken = thread::Builder::new().name("snapshot".into()).spawn(move || {
        let _taking = taking;
        if faults::strike(Fault::SnapshotPanic) {
            panic!("the snapshot thread panics, as a test wants");
        }
        let done = frame.recv_timeout(PATIENCE).map_err(|_| anyhow!(NOBODY)).and_then(|frame| {
            let path = picture.write(&frame)?;
            tracing::info!("snapshot: {}", path.display());
            Ok(())
        });
        replied.tell(done.map_err(|error| format!("{error:#}")));
    });
    // Without a thread the request is dropped, and whoever asked is told that it failed.
    if let Err(error) = taken {
        tracing::warn!("snapshot: {error}");
    }
}

const NOBODY: &str = "nobody watches greenroom now, so there is no picture; open its camera in a \
                      program, then ask again";

/// Writes a planar frame as PNG, JPEG or WebP, by the name.
///
/// # Errors
/// When the name is that of no picture, or the file cannot be written: one sentence.
pub fn write(frame: &Frame, path: &Path) -> anyhow::Result<()> {
    PictureFile::new(path.to_owned())?.write(frame).map(drop)
}

/// A picture file that is to come, PNG, JPEG or WebP by its name: beside the target until it is whole.
struct PictureFile {
    path: PathBuf,
    format: ImageFormat,
    file: PartFile,
}

impl PictureFile {
    /// # Errors
    /// When the name is that of no picture, or there is no place for it: one sentence.
    fn new(path: PathBuf) -> anyhow::Result<Self> {
        let format = match ImageFormat::from_path(&path) {
            Ok(format @ (ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::WebP)) => format,
            _ => {
                bail!("{} is no name of a picture; end it with .png, .jpg or .webp", path.display())
            }
        };
        let file = PartFile::beside(&path)?;
        Ok(Self { path, format, file })
    }

    /// Writes a planar frame; gives back where it lies now.
    ///
    /// # Errors
    /// When it cannot be written: one sentence.
    fn write(self, frame: &Frame) -> anyhow::Result<PathBuf> {
        let Self { path, format, mut file } = self;
        let no_place = || format!("cannot write {}; name another file", path.display());
        let mut picture = Cursor::new(Vec::new());
        rgb(frame).write_to(&mut picture, format).with_context(no_place)?;
        file.write_all(picture.get_ref()).with_context(no_place)?;
        file.complete().with_context(no_place)?;
        Ok(path)
    }
}

fn rgb(frame: &Frame) -> RgbImage {
    let (view, colour, size) = (frame.view(), frame.colour(), frame.size());
    let rows_a_chroma_row = if frame.format().chroma() == Chroma::Half2x2 { 2 } else { 1 };
    let is_grey = frame.format().chroma() == Chroma::None;
    RgbImage::from_fn(size.width_px, size.height_px, |x, y| {
        let y_sample = view.plane(0).row(y as usize)[x as usize];
        let chroma = |plane: usize| match is_grey {
            true => 128,
            false => view.plane(plane).row(y as usize / rows_a_chroma_row)[x as usize / 2],
        };
        let Rgb8 { r, g, b } = colour.decode(Yuv8 { y: y_sample, u: chroma(1), v: chroma(2) });
        image::Rgb([r, g, b])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_frame::{Colour, PixelFormat, SizePx};

    #[test]
    fn a_frame_becomes_a_picture_of_its_colour() {
        let folder = tempfile::tempdir().unwrap();
        let orange = Rgb8 { r: 220, g: 120, b: 40 };
        for format in [PixelFormat::I420, PixelFormat::I422] {
            let mut frame = Frame::new(format, SizePx::new(33, 17), Colour::WEBCAM).unwrap();
            frame.fill(Colour::WEBCAM.encode(orange));
            let path = folder.path().join("a.png");
            PictureFile::new(path.clone()).unwrap().write(&frame).unwrap();
            let picture = image::open(&path).unwrap().into_rgb8();
            assert_eq!((picture.width(), picture.height()), (33, 17));
            let seen = picture.get_pixel(20, 10).0;
            assert!(seen.iter().zip([220, 120, 40]).all(|(a, b)| a.abs_diff(b) <= 3), "{seen:?}");
        }
        for name in ["a.txt", "a", "no/such/folder/a.png"] {
            let error = PictureFile::new(folder.path().join(name)).err().unwrap();
            assert!(error.to_string().contains("name"), "{error}");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is left behind");
    }
}
