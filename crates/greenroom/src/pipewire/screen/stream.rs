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

use super::Hub;
use crate::lock::lock;

/// Starts it; it ends when nobody shows a screen any more.
pub(super) fn start(hub: &Arc<Hub>) -> io::Result<()> {
    let hub = Arc::clone(hub);
    let thread = thread::Builder::new().name("screen".into());
    thread.spawn(move || while !run(&hub) {}).map(drop)
}

/// Whether it is over. A panic ends the screen, not the thread.
fn run(hub: &Arc<Hub>) -> bool {
    let mut taking = Taking { hub: Arc::clone(hub), stream: None };
    if catch_unwind(AssertUnwindSafe(|| while taking.turn() {})).is_ok() {
        return true;
    }
    let shown = lock(&hub.state).shown.as_ref().map(|shown| shown.id);
    tracing::error!("screen: a part of greenroom failed");
    if let Some(id) = shown {
        hub.end(id, "greenroom failed over the screen; choose it again with: greenroom set background screen");
    }
    false
}

struct Taking {
    hub: Arc<Hub>,
    /// With the number of its question.
    stream: Option<(u64, ScreenStream)>,
}

impl Taking {
    /// One wait, and what comes of it; `false` at the end.
    fn turn(&mut self) -> bool {
        self.hub.bell.clear();
        let viewers = self.hub.viewers();
        let mut state = lock(&self.hub.state);
        if viewers.is_empty() && state.shown.is_none() {
            state.thread_runs = false;
            return false;
        }
        let has_new_viewers = std::mem::take(&mut state.has_new_viewers);
        let shown = state.shown.as_ref().map(|shown| shown.id);
        let incoming = state.shown.as_mut().and_then(|shown| shown.remote.take());
        drop(state);
        if self.stream.as_ref().is_some_and(|(id, _)| Some(*id) != shown) {
            self.stream = None;
            viewers.iter().for_each(|viewer| viewer.clear());
        }
        if let (Some(id), Some((remote, node_id))) = (shown, incoming) {
            match ScreenStream::connect(remote, node_id) {
                Ok(stream) => self.stream = Some((id, stream)),
                Err(error) => self.lose(id, &error),
            }
        }
        let taken = match &mut self.stream {
            Some((_, stream)) => take(&self.hub, stream, &viewers, has_new_viewers),
            None => {
                drop(viewers);
                wait_readable(&[self.hub.bell.as_fd()], None);
                Ok(())
            }
        };
        if let (Err(error), Some((id, _))) = (taken, &self.stream) {
            self.lose(*id, &error);
        }
        true
    }

    fn lose(&self, id: u64, error: &DeviceError) {
        self.hub.end(id, &error.to_string());
    }
}

/// Waits for the next picture, as long as somebody looks, and shows it.
fn take(
    hub: &Hub,
    stream: &mut ScreenStream,
    viewers: &[Arc<LivePictures>],
    has_new_viewers: bool,
) -> Result<(), DeviceError> {
    let lingers_for = follow_demand(hub, stream, viewers, has_new_viewers)?;
    let (news, pictures) = (stream.news_fd(), stream.pictures_fd());
    wait_readable(&[hub.bell.as_fd(), news, pictures], lingers_for);
    stream.follow()?;
    if let Some(picture) = stream.newest()? {
        for viewer in viewers {
            viewer.show(picture)?;
        }
        hub.changed.notify_all();
    }
    Ok(())
}

/// The stream runs while somebody looks; for how long it still does, if it does.
fn follow_demand(
    hub: &Hub,
    stream: &mut ScreenStream,
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
        if stream.plays() {
            stream.rest();
            // What is there when somebody looks again may be another picture by then.
            viewers.iter().for_each(|viewer| viewer.clear());
        }
        return Ok(None);
    }
    // Who is new has no picture yet, and a screen that stands still sends none by itself.
    let is_without = || viewers.iter().any(|viewer| !viewer.has_picture());
    if !stream.plays() || has_new_viewers && is_without() {
        stream.play()?;
    }
    Ok(Some(lingers_for))
}
