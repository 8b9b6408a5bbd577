//! Videos behind the person, shown by the clock.

mod film;
mod player;
mod reel;
#[cfg(test)]
mod tests;
mod webp;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use greenroom_device::{ClipSource, Wake};
use greenroom_frame::{Backdrop, Frame};

use self::player::Player;
use self::reel::{Kept, Reel};
use super::read_ahead::ReadAhead;
use super::watched::WatchedTime;
use super::{Background, Fit, MattedFrame};
use crate::adapt::Adapter;
use crate::{Moment, Pace, SceneError, SceneFormat};

/// Memory in which a clip is kept whole, so that it is decoded once: 6 s of 1280x720 at 30 fps.
const KEPT_BYTES: usize = 256 << 20;

/// Longest that [`Pace::Exact`] waits for the frame it needs. A machine may be slow: a clip that
/// will not go on is told by its reader before.
const EXACT_PATIENCE: Duration = Duration::from_secs(120);

/// What times of containers and cameras are off by rounding: a frame is due so much early. Below
/// the 42 us that lie between the beats of 24000/1001 and 60 frames a second.
const ROUNDING: Duration = Duration::from_micros(20);

/// A clip that runs at its own speed, over and over.
///
/// A thread of its own reads frames ahead from an `ffmpeg`; the frame thread takes the last one
/// whose time has come. A clip that fits [`KEPT_BYTES`] is decoded once and then played from
/// memory; a longer one is decoded anew each time round, its next decoder started before the last
/// one ends.
pub(super) struct Video {
    reel: Arc<Reel>,
    stop: Wake,
    pace: Pace,
    time: WatchedTime,
    shown: Option<Arc<Frame>>,
    kept: Option<Arc<Kept>>,
    adapter: Adapter,
}

impl Video {
    /// Opens the clip and waits for its first frames: up to 20 s for an address; for a file as long
    /// as a slow machine may need. Given up when `cancel` rings.
    ///
    /// # Errors
    /// When it is no video, cannot be read or is broken, in one sentence.
    pub(super) fn open(
        source: &ClipSource,
        fit: Fit,
        scene_format: SceneFormat,
        cancel: Option<&Wake>,
    ) -> Result<Self, SceneError> {
        Self::open_within(source, fit, scene_format, KEPT_BYTES, cancel)
    }

    /// As [`open`](Self::open), keeping at most `kept_bytes` in memory.
    pub(super) fn open_within(
        source: &ClipSource,
        fit: Fit,
        scene_format: SceneFormat,
        kept_bytes: usize,
        cancel: Option<&Wake>,
    ) -> Result<Self, SceneError> {
        let reel = Arc::new(Reel::new());
        let out_of = |why| SceneError::NoThread { what: "the video", why };
        let stop = Wake::new().map_err(out_of)?;
        let player = Player {
            reel: Arc::clone(&reel),
            stop: stop.clone(),
            source: source.clone(),
            fit,
            scene_format,
            kept_bytes,
        };
        // The child is killed when the thread that started it ends: this one lives as long.
        let thread = thread::Builder::new().name("backdrop".to_owned());
        let reads_ahead = ReadAhead::begin();
        let run = move || {
            player.run();
            drop(reads_ahead);
        };
        thread.spawn(run).map_err(out_of)?;
        // Made before the wait: dropped, it stops the player.
        let video = Self {
            reel: Arc::clone(&reel),
            stop,
            pace: scene_format.pace,
            time: WatchedTime::new(scene_format.pace),
            shown: None,
            kept: None,
            adapter: Adapter::default(),
        };
        reel.wait_until_open(cancel)?;
        Ok(video)
    }
}

impl Background for Video {
    fn behind<'a>(
        &'a mut self,
        matted: &MattedFrame<'a>,
        moment: &Moment,
    ) -> Result<Backdrop<'a>, SceneError> {
        let time = self.time.tick(moment.time) + ROUNDING;
        if self.kept.is_none() {
            let patience = match self.pace {
                Pace::Live => Duration::ZERO,
                Pace::Exact => EXACT_PATIENCE,
            };
            self.kept = self.reel.take_due(time, &mut self.shown, patience)?;
        }
        if let Some(kept) = &self.kept {
            self.shown = Some(Arc::clone(kept.at(time)));
        }
        let shown = self.shown.as_ref().expect("a video is open when its first frame is there");
        Ok(self.adapter.adapt(shown.view(), matted.frame.shape())?.into())
    }
}

impl Drop for Video {
    fn drop(&mut self) {
        // The player lets go of the frames after us, so that freeing them costs its time.
        self.kept = None;
        self.shown = None;
        self.reel.stop();
        self.stop.ring();
    }
}
