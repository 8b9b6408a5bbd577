use greenroom_frame::{Frame, blend};

use crate::{Background, Room, SceneError};

/// What one output shows: the person, cut out by the matte, before a background.
pub struct Scene {
    background: Box<dyn Background>,
}

impl Scene {
    /// A scene before `background`.
    pub fn new(background: Box<dyn Background>) -> Self {
        Self { background }
    }

    /// Composes one frame into `canvas`, which becomes a picture of the room's format, size,
    /// colour and time.
    ///
    /// # Errors
    /// When the background cannot be made, or frame and matte do not belong together. `canvas`
    /// must then not be shown.
    pub fn compose(&mut self, room: &Room<'_>, canvas: &mut Frame) -> Result<(), SceneError> {
        let behind = self.background.behind(room)?;
        blend(room.frame, behind, room.matte, canvas)?;
        Ok(())
    }
}
