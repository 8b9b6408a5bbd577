//! What the threads of a screen share: who shows it, what the user is asked, and what has been chosen.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::time::{Duration, Instant};

use greenroom_device::Wake;
use greenroom_scene::LivePictures;
use zbus::blocking::Connection;

use super::portal::ScreenError;
use super::stream;
use crate::lock::lock;

/// How long the stream goes on when nobody looks any more.
const LINGER: Duration = Duration::from_secs(2);

/// What the threads share.
pub(super) struct Hub {
    pub(super) state: Mutex<State>,
    /// Notified when a question is answered, and when a first picture is there.
    pub(super) changed: Condvar,
    /// Rings when [`Screens::trouble`] has changed.
    pub(super) news: Wake,
    /// Rings for the thread "screen".
    pub(super) bell: Wake,
    /// When somebody looked last, in milliseconds since `begun`.
    pub(super) looked_at_ms: AtomicU64,
    pub(super) begun: Instant,
    /// The thread "screen" waits for somebody who looks.
    pub(super) rests: AtomicBool,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) viewers: Vec<Weak<LivePictures>>,
    /// Some of them are new.
    pub(super) has_new_viewers: bool,
    pub(super) asking: Option<Asking>,
    /// Those who wait for the answer.
    pub(super) waiting: usize,
    /// What came of the last question, until everybody who waits has it.
    pub(super) refused: Option<ScreenError>,
    pub(super) shown: Option<Shown>,
    /// Why there is no picture.
    pub(super) trouble: Option<String>,
    /// Number of the last question.
    pub(super) questions: u64,
    pub(super) thread_runs: bool,
}

/// A question to the user. When its connection is closed, the picker closes.
pub(super) struct Asking {
    pub(super) id: u64,
    pub(super) connection: Option<Connection>,
}

/// The screen that the user has chosen in question `id`. When its connection is closed, it is shown no more.
pub(super) struct Shown {
    pub(super) id: u64,
    pub(super) connection: Connection,
    /// Until the thread "screen" has taken it up: a connection to PipeWire, and the number of the node there.
    pub(super) remote: Option<(OwnedFd, u32)>,
}

/// A scene that shows the screen.
pub(super) struct Looker(pub(super) Arc<Hub>);

impl Looker {
    pub(super) fn look(&self) {
        self.0.look();
    }
}

impl Drop for Looker {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Hub {
    pub(super) fn new() -> io::Result<Self> {
        Ok(Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            news: Wake::new()?,
            bell: Wake::new()?,
            looked_at_ms: AtomicU64::new(0),
            begun: Instant::now(),
            rests: AtomicBool::new(false),
        })
    }

    /// Somebody looks. Called for every frame: it waits for nothing.
    pub(super) fn look(&self) {
        self.looked_at_ms.store(self.begun.elapsed().as_millis() as u64, SeqCst);
        if self.rests.swap(false, SeqCst) {
            self.bell.ring();
        }
    }

    /// For how long the stream is to go on, if nobody looks from now on.
    pub(super) fn lingers_for(&self) -> Duration {
        let looked_at = Duration::from_millis(self.looked_at_ms.load(SeqCst));
        (looked_at + LINGER).saturating_sub(self.begun.elapsed())
    }

    /// A scene has gone; with the last one the question and the screen go.
    pub(super) fn leave(&self) {
        // The thread "screen" may have it in its hands still: then it looks again.
        self.viewers();
        self.bell.ring();
    }

    /// The scenes that show the screen. If there are none, the question and the screen are over.
    pub(super) fn viewers(&self) -> Vec<Arc<LivePictures>> {
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
    pub(super) fn grant(
        self: &Arc<Self>,
        id: u64,
        connection: Connection,
        remote: (OwnedFd, u32),
    ) -> bool {
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
    pub(super) fn asks_over(&self, id: u64, connection: &Connection) -> bool {
        let mut state = lock(&self.state);
        let asking = state.asking.as_mut().filter(|asking| asking.id == id);
        let is_wanted = asking.is_some();
        if let Some(asking) = asking {
            asking.connection = Some(connection.clone());
        }
        is_wanted
    }

    /// There is no screen from question `id`, and why.
    pub(super) fn refuse(&self, id: u64, error: ScreenError) {
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
    pub(super) fn end(&self, id: u64, sentence: &str) {
        let mut state = lock(&self.state);
        let Some(shown) = state.shown.take_if(|shown| shown.id == id) else { return };
        tracing::warn!("screen: {sentence}; a plain background is shown");
        state.trouble = Some(sentence.to_owned());
        drop(state);
        close(Some(shown.connection));
        self.tell();
    }

    pub(super) fn tell(&self) {
        self.changed.notify_all();
        self.news.ring();
        self.bell.ring();
    }
}

/// The portal ends what it shows over a connection that is closed.
pub(super) fn close(connection: Option<Connection>) {
    if let Some(Err(error)) = connection.map(Connection::close) {
        tracing::debug!("screen: {error}");
    }
}
