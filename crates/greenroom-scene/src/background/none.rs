use greenroom_frame::FrameView;

use super::{Background, Room};
use crate::{Moment, SceneError};

/// The plain camera: the room stands behind the person. Chosen by name only.
pub(super) struct PlainCamera;

impl Background for PlainCamera {
    fn behind<'a>(
        &'a mut self,
        room: &Room<'a>,
        _moment: &Moment,
    ) -> Result<FrameView<'a>, SceneError> {
        Ok(room.frame)
    }
}
