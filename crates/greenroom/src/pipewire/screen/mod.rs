//! A screen or window as the background: `--background screen`.
//!
//! All outputs show the same one, which the user chooses in the desktop's picker. [`Screens`] has the question asked (a thread
//! "portal", [`portal`]) and the pictures taken (a thread "screen", [`stream`]) as long as a scene shows it; a stream runs
//! only while frames are composed before it, or a new scene waits for its first picture.

mod hub;
mod portal;
mod stream;
mod token;

use std::io;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use anyhow::anyhow;
use greenroom_device::Wake;
use greenroom_scene::{Background, Fit, LiveBackground, LivePictures, SceneError, SceneFormat};

use super::Ask;
use crate::lock::lock;
use hub::{Hub, Looker, close};

/// How long a new scene waits for its first picture, so that it fades in with it. A screen may have none to send.
const FIRST_PICTURE: Duration = Duration::from_secs(2);
/// How often somebody who waits looks whether it was given up.
const CANCEL_INTERVAL: Duration = Duration::from_millis(20);

/// What is told while the user has not chosen.
const ASKING: &str = "your desktop asks which screen or window is to be shown; choose it there";

/// The screen that stands behind the person.
#[derive(Clone)]
pub struct Screens(Arc<Hub>);

impl Screens {
    /// Asks nobody yet.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(Hub::new()?)))
    }

    /// Rings when [`trouble`](Self::trouble) may have changed.
    pub fn news(&self) -> &Wake {
        &self.0.news
    }

    /// Why the screen is not shown, if it is not: one sentence.
    pub fn trouble(&self) -> Option<String> {
        let state = lock(&self.0.state);
        match &state.asking {
            Some(_) => Some(ASKING.to_owned()),
            None => state.trouble.clone(),
        }
    }

    /// No scene shows a screen or is to show one any more: the desktop hears that at once, not when the last of those scenes is
    /// dropped. Where one fades out, its last picture stays.
    pub fn let_go(&self) {
        let mut state = lock(&self.0.state);
        if state.viewers.is_empty() {
            return;
        }
        state.viewers.clear();
        drop(state);
        self.0.viewers();
        self.0.bell.ring();
    }

    /// The screen as a background, for frames of `scene_format`. With `cancel`, the user's answer is waited for until that
    /// rings, if one is asked for; without, the user is asked when a frame is composed before it, and again when somebody
    /// begins to watch if there was no portal yet. A plain background stands there until the screen does.
    ///
    /// # Errors
    /// Why there is no screen, in one sentence.
    pub fn background(
        &self,
        ask: Ask,
        fit: Fit,
        scene_format: SceneFormat,
        cancel: Option<&Wake>,
    ) -> anyhow::Result<Box<dyn Background>> {
        let looker = Looker(Arc::clone(&self.0));
        let on_look = Box::new(move || looker.look());
        let background = LiveBackground::new(fit, scene_format, on_look)?;
        let pictures = background.pictures();
        let is_waiting = self.join(pictures, ask, cancel.is_some());
        if let Some(cancel) = cancel {
            if is_waiting {
                self.wait_for_answer(cancel)?;
            }
            self.wait_for_picture(pictures, ask, cancel)?;
        }
        Ok(Box::new(background))
    }

    /// Has the pictures of the screen put into `pictures`; whether the user's answer is to be waited for.
    fn join(&self, pictures: &Arc<LivePictures>, ask: Ask, may_wait: bool) -> bool {
        let hub = &self.0;
        let mut state = lock(&hub.state);
        state.viewers.retain(|viewer| viewer.strong_count() > 0);
        state.viewers.push(Arc::downgrade(pictures));
        state.has_new_viewers = true;
        let is_missing = state.shown.is_none();
        let asks = match ask {
            Ask::Never => false,
            Ask::IfMissing => is_missing,
            Ask::Anew => true,
        };
        let is_waiting = asks && may_wait;
        state.waiting += usize::from(is_waiting);
        // Nobody is asked for what nobody sees.
        let is_owed = asks && !may_wait && hub.owe_question(&mut state).is_ok();
        if asks && !is_owed && state.asking.is_none() {
            let id = state.begin_question();
            drop(state);
            // Whoever asks anew is to choose.
            portal::ask(hub, id, ask == Ask::IfMissing);
            hub.news.ring();
        } else {
            drop(state);
        }
        hub.bell.ring();
        is_waiting
    }

    fn wait_for_answer(&self, cancel: &Wake) -> anyhow::Result<()> {
        let hub = &self.0;
        let mut state = lock(&hub.state);
        while state.asking.is_some() && !cancel.is_ringing() {
            let waited = hub.changed.wait_timeout(state, CANCEL_INTERVAL);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.waiting -= 1;
        let is_asking = state.asking.is_some();
        // Where a screen is shown already, nobody wants the answer any more; else what stands there may.
        let is_idle = state.waiting == 0 && state.shown.is_some();
        let given_up = state.asking.take_if(|_| is_idle);
        let refused = state.refused.clone();
        drop(state);
        if let Some(asking) = given_up {
            close(asking.connection);
            hub.tell();
        }
        match refused {
            _ if is_asking => Err(SceneError::Cancelled.into()),
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// The screen is looked at for that, also if nobody watches.
    ///
    /// # Errors
    /// When the screen that is asked for has gone before its first picture.
    fn wait_for_picture(
        &self,
        pictures: &LivePictures,
        ask: Ask,
        cancel: &Wake,
    ) -> anyhow::Result<()> {
        let hub = &self.0;
        let deadline = Instant::now() + FIRST_PICTURE;
        let mut state = lock(&hub.state);
        if state.shown.is_some() {
            hub.look();
        }
        while state.shown.is_some() && !pictures.has_picture() && Instant::now() < deadline {
            if cancel.is_ringing() {
                return Err(SceneError::Cancelled.into());
            }
            let waited = hub.changed.wait_timeout(state, CANCEL_INTERVAL);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let is_lost = ask != Ask::Never && state.shown.is_none() && !pictures.has_picture();
        match state.trouble.clone().filter(|_| is_lost) {
            Some(sentence) => Err(anyhow!(sentence)),
            None => Ok(()),
        }
    }
}
