//! The thread "screen": takes the pictures of the screen and fits them into the scenes that show it.

use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;
use std::{io, thread};

use greenroom_device::{DeviceError, wait_readable};
use greenroom_pipewire::ScreenStream;
use greenroom_scene::LivePictures;

use super::hub::Hub;
use crate::lock::lock;

/// How long a picture may be owed before the stream is begun anew; twice as long each time.
const FIRST_PATIENCE: Duration = Duration::from_secs(1);
/// The longest of these times.
const MOST_PATIENCE: Duration = Duration::from_secs(8);

/// Starts it; it ends when nobody shows a screen any more.
pub(super) fn start(hub: &Arc<Hub>) -> io::Result<()> {
    let hub = Arc::clone(hub);
    let thread = thread::Builder::new().name("screen".into());
    thread.spawn(move || while !run(&hub) {}).map(drop)
}

/// Whether it is over. A panic ends the screen, not the thread.
fn run(hub: &Arc<Hub>) -> bool {
    let mut taking = Taking { hub: Arc::clone(hub), playing: None };
    if catch_unwind(AssertUnwindSafe(|| while taking.turn() {})).is_ok() {
        return true;
    }
    let shown = lock(&hub.state).shown.as_ref().map(|shown| shown.id);
    tracing::error!("screen: a part of greenroom failed");
    if let Some(id) = shown {
        hub.end(id, "greenroom failed over the screen; choose it again with: greenroom set background screen");
    }
    // Nobody else knows that they show what is not there any more.
    hub.viewers().iter().for_each(|viewer| viewer.clear());
    false
}

struct Taking {
    hub: Arc<Hub>,
    playing: Option<Playing>,
}

/// The screen of question `id`.
struct Playing {
    id: u64,
    stream: ScreenStream,
    /// How long it may owe a picture.
    patience: Duration,
}

impl Taking {
    /// One wait, and what comes of it; `false` at the end.
    fn turn(&mut self) -> bool {
        self.hub.bell.clear();
        let viewers = self.hub.viewers();
        self.hub.put_owed_question();
        let mut state = lock(&self.hub.state);
        if viewers.is_empty() && state.shown.is_none() {
            state.thread_runs = false;
            return false;
        }
        let has_new_viewers = std::mem::take(&mut state.has_new_viewers);
        let shown = state.shown.as_ref().map(|shown| shown.id);
        let incoming = state.shown.as_mut().and_then(|shown| shown.remote.take());
        drop(state);
        if self.playing.as_ref().is_some_and(|playing| Some(playing.id) != shown) {
            self.playing = None;
            viewers.iter().for_each(|viewer| viewer.clear());
        }
        if let (Some(id), Some((remote, node_id))) = (shown, incoming) {
            match ScreenStream::connect(remote, node_id) {
                Ok(stream) => {
                    self.playing = Some(Playing { id, stream, patience: FIRST_PATIENCE });
                }
                Err(error) => self.lose(id, &error),
            }
        }
        let taken = match &mut self.playing {
            Some(playing) => playing.take(&self.hub, &viewers, has_new_viewers),
            None => {
                drop(viewers);
                wait_readable(&[self.hub.bell.as_fd()], None);
                Ok(())
            }
        };
        if let (Err(error), Some(playing)) = (taken, &self.playing) {
            self.lose(playing.id, &error);
        }
        true
    }

    fn lose(&self, id: u64, error: &DeviceError) {
        self.hub.end(id, &error.to_string());
    }
}

impl Playing {
    /// Waits for the next picture, as long as somebody looks, and shows it.
    fn take(
        &mut self,
        hub: &Hub,
        viewers: &[Arc<LivePictures>],
        has_new_viewers: bool,
    ) -> Result<(), DeviceError> {
        let patience = self.follow_demand(hub, viewers, has_new_viewers)?;
        let stream = &mut self.stream;
        let (news, pictures) = (stream.news_fd(), stream.pictures_fd());
        wait_readable(&[hub.bell.as_fd(), news, pictures], patience);
        stream.follow()?;
        if let Some(picture) = stream.newest()? {
            for viewer in viewers {
                viewer.show(picture)?;
            }
            self.patience = FIRST_PATIENCE;
            hub.changed.notify_all();
        }
        Ok(())
    }

    /// The stream runs while somebody looks; how long to wait until this is to be called again.
    fn follow_demand(
        &mut self,
        hub: &Hub,
        viewers: &[Arc<LivePictures>],
        has_new_viewers: bool,
    ) -> Result<Option<Duration>, DeviceError> {
        let mut lingers_for = hub.lingers_for();
        if lingers_for.is_zero() {
            hub.rests.store(true, SeqCst);
            // Somebody may have looked just before that.
            lingers_for = hub.lingers_for();
        }
        if lingers_for.is_zero() {
            if self.stream.plays() {
                self.stream.rest();
                self.patience = FIRST_PATIENCE;
                // What is there when somebody looks again may be another picture by then.
                viewers.iter().for_each(|viewer| viewer.clear());
            }
            return Ok(None);
        }
        // A screen that stands still sends its picture once, when the stream begins or has another format: whoever is new does
        // not get it, and nobody does if the screen's end of the link was ready before ours.
        let owes_for = self.stream.awaits_since().map(|since| since.elapsed());
        let is_late = owes_for.is_some_and(|passed| passed >= self.patience);
        let is_without = has_new_viewers && viewers.iter().any(|viewer| !viewer.has_picture());
        if !self.stream.plays() || is_without || is_late {
            if is_late {
                self.patience = (2 * self.patience).min(MOST_PATIENCE);
            }
            self.stream.play()?;
        }
        let owes_for = self.stream.awaits_since().map(|since| since.elapsed());
        let patience = owes_for.map(|passed| self.patience.saturating_sub(passed));
        Ok(Some(patience.map_or(lingers_for, |patience| patience.min(lingers_for))))
    }
}
