use greenroom_frame::Backdrop;

use super::{Background, MattedFrame};
use crate::{Moment, SceneError};

/// The plain camera: the room stands behind the person. Chosen by name only.
pub(super) struct PlainCamera;

impl Background for PlainCamera {
    fn behind<'a>(
        &'a mut self,
        matted: &MattedFrame<'a>,
        _moment: &Moment,
    ) -> Result<Backdrop<'a>, SceneError> {
        Ok(matted.frame.into())
    }
}
