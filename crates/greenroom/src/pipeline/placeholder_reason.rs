use std::fmt;

use super::{Reason, Reasons};

/// Why an output has no picture to show; its text is what the placeholder says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaceholderReason {
    /// Nobody watches, so the camera is closed.
    Off,
    /// The user wants a pause.
    Paused,
    /// The user's session is locked.
    Locked,
    /// The machine goes to sleep.
    Asleep,
    /// The camera is being opened.
    Starting,
    /// The camera is not there, or refused.
    Lost,
    /// Another program has the camera.
    Busy(String),
    /// The camera is open and sends nothing.
    Silent,
    /// A part of ours failed.
    Failed,
}

impl PlaceholderReason {
    /// What those who watch see while there are `reasons` to hide; `None` if the camera may be open.
    pub(super) fn of(reasons: Reasons) -> Option<Self> {
        reasons.first().map(|reason| match reason {
            Reason::Pause => Self::Paused,
            Reason::Lock => Self::Locked,
            Reason::Sleep => Self::Asleep,
            Reason::Unwatched => Self::Off,
        })
    }
}

impl fmt::Display for PlaceholderReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            PlaceholderReason::Off => f.write_str("Camera off"),
            PlaceholderReason::Paused => f.write_str("Paused"),
            PlaceholderReason::Locked | PlaceholderReason::Asleep => f.write_str("Away"),
            PlaceholderReason::Starting | PlaceholderReason::Lost => {
                f.write_str("Waiting for camera …")
            }
            PlaceholderReason::Busy(holder) => write!(f, "Camera is used by {holder}"),
            PlaceholderReason::Silent => f.write_str("Camera sends no picture"),
            PlaceholderReason::Failed => f.write_str("One moment, please …"),
        }
    }
}
