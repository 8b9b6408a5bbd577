//! A film is a video file whose frames are written anew.

use std::time::Duration;

use super::sound::Sound;

/// What is known of the frames that are written when they come from a video file, and not live.
#[derive(Debug, Clone, Copy)]
pub struct Film<'a> {
    /// The video's sound, to be kept.
    pub sound: Option<&'a Sound>,
    /// See [`FileReader::first_frame_at`](super::FileReader::first_frame_at).
    pub first_frame_at: Duration,
}
