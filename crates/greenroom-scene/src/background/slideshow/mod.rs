//! The pictures of a folder, one after the other.

mod shelf;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use greenroom_frame::{Backdrop, Frame, fade};

use self::shelf::{Folder, Shelf, Turn};
use super::read_ahead::ReadAhead;
use super::watched::WatchedTime;
use super::{Background, Fit, MattedFrame};
use crate::adapt::Adapter;
use crate::{Moment, Pace, SceneError, SceneFormat};

/// How long each picture of a folder is shown, if nothing is said.
pub(super) const USUAL_TURN: Duration = Duration::from_secs(10);
/// How long one picture goes over into the next.
const FADE: Duration = Duration::from_secs(1);
/// How often a folder of one picture is looked at for more.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// Longest that [`Pace::Exact`] waits for a picture; a machine may be slow.
const EXACT_PATIENCE: Duration = Duration::from_secs(120);

/// Pictures in the order of their names, each shown for some seconds. The next one is decoded
/// ahead by a thread of its own.
pub(super) struct Slideshow {
    every: Duration,
    pace: Pace,
    shelf: Arc<Shelf>,
    shown: Frame,
    /// The picture that comes, and when it began to.
    coming: Option<(Frame, Duration)>,
    /// What is seen while it comes.
    mixed: Frame,
    watched: WatchedTime,
    /// The show's time at this frame, and that of the next turn.
    time: Duration,
    due_at: Duration,
    goes_on: bool,
    adapter: Adapter,
}

impl Slideshow {
    /// Opens the folder and decodes its first picture. `every`: from one picture to the next.
    ///
    /// # Errors
    /// When it is no folder, or no picture in it can be shown.
    pub(super) fn open(
        path: &Path,
        every: Duration,
        fit: Fit,
        scene_format: SceneFormat,
    ) -> Result<Self, SceneError> {
        let mut folder = Folder::new(path, fit, scene_format.shape);
        let shown = folder.first()?;
        let shelf = Arc::new(Shelf::new());
        let librarian = Arc::clone(&shelf);
        let thread = thread::Builder::new().name("slides".to_owned());
        let why = |why| SceneError::NoThread { what: "the slideshow", why };
        let reads_ahead = ReadAhead::begin();
        let serve = move || {
            librarian.serve(folder);
            drop(reads_ahead);
        };
        thread.spawn(serve).map_err(why)?;
        Ok(Self {
            every,
            pace: scene_format.pace,
            shelf,
            mixed: shown.clone(),
            shown,
            coming: None,
            watched: WatchedTime::new(scene_format.pace),
            time: Duration::ZERO,
            due_at: every,
            goes_on: false,
            adapter: Adapter::default(),
        })
    }

    /// Lets the next picture come, if it is time and it is there.
    fn turn(&mut self) {
        if !self.goes_on && self.time < self.due_at {
            return;
        }
        if let Some((arrived, _)) = self.coming.take() {
            // Interrupted by the next: it is there at once.
            self.arrive(arrived);
        }
        let patience = match self.pace {
            Pace::Live => Duration::ZERO,
            Pace::Exact => EXACT_PATIENCE,
        };
        match self.shelf.take(patience) {
            Turn::To(next) => {
                self.coming = Some((next, self.time));
                self.due_at = self.time + self.every;
            }
            // Another may be put into the folder at any time.
            Turn::Same => self.due_at = self.time + LOOK_AGAIN.min(self.every),
            Turn::NotYet => return,
        }
        self.goes_on = false;
    }

    fn arrive(&mut self, arrived: Frame) {
        let old = std::mem::replace(&mut self.shown, arrived);
        self.shelf.give_back(old);
    }
}

impl Background for Slideshow {
    fn behind<'a>(
        &'a mut self,
        matted: &MattedFrame<'a>,
        moment: &Moment,
    ) -> Result<Backdrop<'a>, SceneError> {
        self.time = self.watched.tick(moment.time);
        self.turn();
        let fade_time = FADE.min(self.every);
        let time = self.time;
        let part = |since| (time - since).as_secs_f64() / fade_time.as_secs_f64();
        if let Some((arrived, _)) = self.coming.take_if(|(_, since)| part(*since) >= 1.0) {
            self.arrive(arrived);
        }
        let picture = match &self.coming {
            Some((next, since)) => {
                self.mixed.bytes_mut().copy_from_slice(self.shown.bytes());
                fade(&mut self.mixed, next.view(), (part(*since) * 255.0).round() as u8)?;
                &self.mixed
            }
            None => &self.shown,
        };
        Ok(self.adapter.adapt(picture.view(), matted.frame.shape())?.into())
    }

    fn next_picture(&mut self) -> bool {
        self.goes_on = true;
        true
    }
}

impl Drop for Slideshow {
    fn drop(&mut self) {
        self.shelf.stop();
    }
}
