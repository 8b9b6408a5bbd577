use greenroom_frame::{FrameView, SizePx};

use super::thumbnail_grid;
use crate::MatteError;
use crate::planes::SmallPlanes;

/// Thumbnails of the newest picture and of the one before: by these, steps tell what has changed.
#[derive(Debug)]
pub(crate) struct Thumbnails {
    picture: SizePx,
    pub new: SmallPlanes,
    /// The same as `new` for the first picture.
    pub old: SmallPlanes,
    is_first: bool,
}

impl Thumbnails {
    /// For pictures of a size.
    ///
    /// # Errors
    /// [`MatteError::Frame`] if that is no usable picture size.
    fn of(picture: SizePx) -> Result<Self, MatteError> {
        let (cells, row_step) = thumbnail_grid(picture);
        let thumbnail =
            || Ok::<_, MatteError>(SmallPlanes::new(cells)?.at_thumbnail_step(row_step));
        Ok(Self { picture, new: thumbnail()?, old: thumbnail()?, is_first: true })
    }

    /// The next picture has nothing to do with those before.
    pub(crate) fn reset(&mut self) {
        self.is_first = true;
    }

    /// Adds `frame` to the `thumbnails` so far. Asks for memory only when its size is new.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar.
    pub(crate) fn add<'a>(
        thumbnails: &'a mut Option<Self>,
        frame: &FrameView<'_>,
    ) -> Result<&'a Self, MatteError> {
        let kept = thumbnails.take().filter(|kept| kept.picture == frame.size());
        let thumbnails = thumbnails.insert(match kept {
            Some(kept) => kept,
            None => Self::of(frame.size())?,
        });
        std::mem::swap(&mut thumbnails.new, &mut thumbnails.old);
        thumbnails.new.fill(frame)?;
        if std::mem::take(&mut thumbnails.is_first) {
            thumbnails.old.fill(frame)?;
        }
        Ok(thumbnails)
    }

    /// Size of the pictures.
    pub(crate) fn picture(&self) -> SizePx {
        self.picture
    }
}
