//! A [`SceneFormat`] says what the parts of a scene are made for.

use greenroom_frame::FrameShape;

/// What a scene is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SceneFormat {
    /// Shape of the frames that are to come. Others are served too, more cheaply than well: who
    /// sees them come makes the scene anew.
    pub shape: FrameShape,
    /// How media keep up with the frames.
    pub pace: Pace,
}

/// How media keep up with the frames they stand behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// Frames come live: nothing is waited for, the newest picture that is due is shown.
    Live,
    /// Frames come as fast as they are worked on: each is shown with exactly the picture that its
    /// time asks for, which is waited for.
    Exact,
}
