use greenroom_frame::{FrameView, SizePx};

use super::sketch_grid;
use crate::MatteError;
use crate::planes::SmallPlanes;

/// Sketches of the newest picture and of the one before: by these, steps tell what has changed.
#[derive(Debug)]
pub(crate) struct Sketches {
    picture: SizePx,
    pub new: SmallPlanes,
    /// Of no picture at first.
    pub old: SmallPlanes,
}

impl Sketches {
    /// For pictures of a size.
    ///
    /// # Errors
    /// [`MatteError::Frame`] if that is no usable picture size.
    fn of(picture: SizePx) -> Result<Self, MatteError> {
        let (cells, row_step) = sketch_grid(picture);
        let sketch = || Ok::<_, MatteError>(SmallPlanes::new(cells)?.sketching(row_step));
        Ok(Self { picture, new: sketch()?, old: sketch()? })
    }

    /// Adds `frame` to the `sketches` so far. Asks for memory only when its size is new.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedFrame`] if `frame` is not planar.
    pub(crate) fn add<'a>(
        sketches: &'a mut Option<Self>,
        frame: &FrameView<'_>,
    ) -> Result<&'a Self, MatteError> {
        let kept = sketches.take().filter(|kept| kept.picture == frame.size());
        let sketches = sketches.insert(match kept {
            Some(Self { picture, new, old }) => Self { picture, new: old, old: new },
            None => Self::of(frame.size())?,
        });
        sketches.new.fill(frame)?;
        Ok(sketches)
    }

    /// Size of the pictures.
    pub(crate) fn picture(&self) -> SizePx {
        self.picture
    }
}
