use greenroom_frame::{Backdrop, Frame, Rgb8};

use super::{Background, MattedFrame};
use crate::{Moment, SceneError};

/// One colour everywhere.
pub(super) struct Plain {
    rgb: Rgb8,
    shown: Option<Frame>,
}

impl Plain {
    pub(super) fn new(rgb: Rgb8) -> Self {
        Self { rgb, shown: None }
    }
}

impl Background for Plain {
    fn behind<'a>(
        &'a mut self,
        matted: &MattedFrame<'a>,
        _moment: &Moment,
    ) -> Result<Backdrop<'a>, SceneError> {
        let like = matted.frame;
        if !self.shown.as_ref().is_some_and(|frame| frame.shape() == like.shape()) {
            let mut frame = Frame::new(like.format(), like.size(), like.colour())?;
            frame.fill(like.colour().encode(self.rgb));
            self.shown = Some(frame);
        }
        Ok(self.shown.as_ref().expect("made above").view().into())
    }

    fn is_still(&self) -> bool {
        true
    }
}
