//! A screen or window as the background: `--background screen`.
//!
//! All outputs show the same one, which the user chooses in the desktop's picker. [`Screens`] has the question asked (a thread
//! "portal", [`portal`]) and the pictures taken (a thread "screen", [`stream`]) as long as a scene shows it; a stream runs
//! only while frames are composed before it.

mod portal;
mod stream;
mod token;

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use greenroom_device::Wake;
use greenroom_scene::{Background, Fit, LiveBackground, LivePictures, SceneError, SceneFormat};
use zbus::blocking::Connection;

use super::Ask;
use crate::lock::lock;
use portal::ScreenError;

/// How long the stream goes on when nobody looks any more.
const LINGER: Duration = Duration::from_secs(2);
/// How long a new scene waits for its first picture, so that it fades in with it. A screen may have none to send.
const FIRST_PICTURE: Duration = Duration::from_secs(2);
/// How often somebody who waits looks whether it was given up.
const CANCEL_INTERVAL: Duration = Duration::from_millis(20);

/// What is told while the user has not chosen.
const ASKING: &str = "your desktop asks which screen or window is to be shown; choose it there";

/// The screen that stands behind the person.
#[derive(Clone)]
pub struct Screens(Arc<Hub>);

/// What the threads share.
struct Hub {
    state: Mutex<State>,
    /// Notified when a question is answered, and when a first picture is there.
    changed: Condvar,
    /// Rings when [`Screens::trouble`] has changed.
    news: Wake,
    /// Rings for the thread "screen".
    bell: Wake,
    /// When somebody looked last, in milliseconds since `begun`.
    looked_at_ms: AtomicU64,
    begun: Instant,
    /// The thread "screen" waits for somebody who looks.
    rests: AtomicBool,
}

#[derive(Default)]
struct State {
    viewers: Vec<Weak<LivePictures>>,
    /// Some of them are new.
    has_new_viewers: bool,
    asking: Option<Asking>,
    /// Those who wait for the answer.
    waiting: usize,
    /// What came of the last question, until everybody who waits has it.
    refused: Option<ScreenError>,
    shown: Option<Shown>,
    /// Why there is no picture.
    trouble: Option<String>,
    /// Number of the last question.
    questions: u64,
    thread_runs: bool,
}

/// A question to the user. When its connection is closed, the picker closes.
struct Asking {
    id: u64,
    connection: Option<Connection>,
}

/// The screen that the user has chosen in question `id`. When its connection is closed, it is shown no more.
struct Shown {
    id: u64,
    connection: Connection,
    /// Until the thread "screen" has taken it up: a connection to PipeWire, and the number of the node there.
    remote: Option<(OwnedFd, u32)>,
}

impl Screens {
    /// Asks nobody yet.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn new() -> io::Result<Self> {
        Ok(Self(Arc::new(Hub {
            state: Mutex::default(),
            changed: Condvar::new(),
            news: Wake::new()?,
            bell: Wake::new()?,
            looked_at_ms: AtomicU64::new(0),
            begun: Instant::now(),
            rests: AtomicBool::new(false),
        })))
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
    /// rings, if one is asked for; without, a plain background stands there until the screen does.
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
            self.wait_for_picture(pictures, cancel)?;
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
        if asks && state.asking.is_none() {
            state.questions += 1;
            state.refused = None;
            let id = state.questions;
            state.asking = Some(Asking { id, connection: None });
            drop(state);
            // Where one is shown already, another is to be chosen.
            portal::ask(hub, id, is_missing);
            hub.news.ring();
        } else {
            drop(state);
        }
        // What is there already is looked at soon.
        hub.look();
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

    fn wait_for_picture(&self, pictures: &LivePictures, cancel: &Wake) -> anyhow::Result<()> {
        let hub = &self.0;
        let deadline = Instant::now() + FIRST_PICTURE;
        let mut state = lock(&hub.state);
        while state.shown.is_some() && !pictures.has_picture() && Instant::now() < deadline {
            if cancel.is_ringing() {
                return Err(SceneError::Cancelled.into());
            }
            let waited = hub.changed.wait_timeout(state, CANCEL_INTERVAL);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }
}

/// A scene that shows the screen.
struct Looker(Arc<Hub>);

impl Looker {
    fn look(&self) {
        self.0.look();
    }
}

impl Drop for Looker {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Hub {
    /// Somebody looks. Called for every frame: it waits for nothing.
    fn look(&self) {
        self.looked_at_ms.store(self.begun.elapsed().as_millis() as u64, SeqCst);
        if self.rests.swap(false, SeqCst) {
            self.bell.ring();
        }
    }

    /// For how long the stream is to go on, if nobody looks from now on.
    fn lingers_for(&self) -> Duration {
        let looked_at = Duration::from_millis(self.looked_at_ms.load(SeqCst));
        (looked_at + LINGER).saturating_sub(self.begun.elapsed())
    }

    /// A scene has gone; with the last one the question and the screen go.
    fn leave(&self) {
        // The thread "screen" may have it in its hands still: then it looks again.
        self.viewers();
        self.bell.ring();
    }

    /// The scenes that show the screen. If there are none, the question and the screen are over.
    fn viewers(&self) -> Vec<Arc<LivePictures>> {
        let mut state = lock(&self.state);
        state.viewers.retain(|viewer| viewer.strong_count() > 0);
        let viewers: Vec<_> = state.viewers.iter().filter_map(Weak::upgrade).collect();
        let is_over = viewers.is_empty();
        let (asking, shown) = (state.asking.take_if(|_| is_over), state.shown.take_if(|_| is_over));
        if is_over {
            state.trouble = None;
        }
        drop(state);
        close(shown.map(|shown| shown.connection));
        if let Some(asking) = asking {
            close(asking.connection);
            self.tell();
        }
        viewers
    }

    /// The user's screen is there; `false` if nobody wants it any more.
    fn grant(self: &Arc<Self>, id: u64, connection: Connection, remote: (OwnedFd, u32)) -> bool {
        let mut state = lock(&self.state);
        if state.asking.take_if(|asking| asking.id == id).is_none() {
            return false;
        }
        let shown = Shown { id, connection, remote: Some(remote) };
        let before = state.shown.replace(shown);
        (state.trouble, state.refused) = (None, None);
        let started = if state.thread_runs { Ok(()) } else { stream::start(self) };
        state.thread_runs |= started.is_ok();
        drop(state);
        close(before.map(|before| before.connection));
        self.look();
        self.tell();
        if let Err(error) = started {
            self.end(
                id,
                &format!("no picture of the screen is taken ({error}); close some programs"),
            );
        }
        true
    }

    /// The user's connection for question `id`; `false` if nobody wants an answer any more.
    fn asks_over(&self, id: u64, connection: &Connection) -> bool {
        let mut state = lock(&self.state);
        let asking = state.asking.as_mut().filter(|asking| asking.id == id);
        let is_wanted = asking.is_some();
        if let Some(asking) = asking {
            asking.connection = Some(connection.clone());
        }
        is_wanted
    }

    /// There is no screen from question `id`, and why.
    fn refuse(&self, id: u64, error: ScreenError) {
        let mut state = lock(&self.state);
        let Some(asking) = state.asking.take_if(|asking| asking.id == id) else { return };
        // Whoever waits tells it; otherwise it is told here.
        if state.waiting == 0 && state.shown.is_none() {
            tracing::warn!("screen: {error}; a plain background is shown");
            state.trouble = Some(error.to_string());
        }
        state.refused = Some(error);
        drop(state);
        close(asking.connection);
        self.tell();
    }

    /// The screen of question `id` is shown no more, and why.
    fn end(&self, id: u64, sentence: &str) {
        let mut state = lock(&self.state);
        let Some(shown) = state.shown.take_if(|shown| shown.id == id) else { return };
        tracing::warn!("screen: {sentence}; a plain background is shown");
        state.trouble = Some(sentence.to_owned());
        drop(state);
        close(Some(shown.connection));
        self.tell();
    }

    fn tell(&self) {
        self.changed.notify_all();
        self.news.ring();
        self.bell.ring();
    }
}

/// The portal ends what it shows over a connection that is closed.
fn close(connection: Option<Connection>) {
    if let Some(Err(error)) = connection.map(Connection::close) {
        tracing::debug!("screen: {error}");
    }
}
