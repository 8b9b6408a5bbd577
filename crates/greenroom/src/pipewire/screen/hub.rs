//! What the threads of a screen share: who shows it, what the user is asked, and what has been chosen.

use std::io;
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex, Weak};
use std::time::{Duration, Instant};

use greenroom_device::Wake;
use greenroom_scene::LivePictures;
use zbus::blocking::Connection;

use super::portal::{self, ScreenError};
use super::stream;
use crate::lock::lock;

/// How long the stream goes on when nobody looks any more.
const LINGER: Duration = Duration::from_secs(2);
const NEVER: u64 = u64::MAX;

/// What the threads share.
pub(super) struct Hub {
    pub(super) state: Mutex<State>,
    /// Notified when a question is answered, and when a first picture is there.
    pub(super) changed: Condvar,
    /// Rings when [`Screens::trouble`] has changed.
    pub(super) news: Wake,
    /// Rings for the thread "screen".
    pub(super) bell: Wake,
    /// When somebody looked last, in milliseconds since `begun`; [`NEVER`] before.
    looked_at_ms: AtomicU64,
    /// How often somebody has begun to look.
    looks: AtomicU64,
    begun: Instant,
    /// The thread "screen" waits for somebody who looks.
    pub(super) rests: AtomicBool,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) viewers: Vec<Weak<LivePictures>>,
    /// Some of them are new.
    pub(super) has_new_viewers: bool,
    pub(super) asking: Option<Asking>,
    /// A question that nobody waits for: it is put when somebody has begun to look more often than this.
    owed_after: Option<u64>,
    /// Those who wait for the answer.
    pub(super) waiting: usize,
    /// What came of the last question, until everybody who waits has it.
    pub(super) refused: Option<ScreenError>,
    pub(super) shown: Option<Shown>,
    /// Why there is no picture.
    pub(super) trouble: Option<String>,
    /// Number of the last question.
    questions: u64,
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
            looked_at_ms: AtomicU64::new(NEVER),
            looks: AtomicU64::new(0),
            begun: Instant::now(),
            rests: AtomicBool::new(false),
        })
    }

    /// Somebody looks. Called for every frame: it waits for nothing.
    pub(super) fn look(&self) {
        let now = self.begun.elapsed().as_millis() as u64;
        let before = self.looked_at_ms.swap(now, SeqCst);
        let begins = before == NEVER || now.saturating_sub(before) >= LINGER.as_millis() as u64;
        if begins {
            self.looks.fetch_add(1, SeqCst);
        }
        if self.rests.swap(false, SeqCst) || begins {
            self.bell.ring();
        }
    }

    /// For how long the stream is to go on, if nobody looks from now on.
    pub(super) fn lingers_for(&self) -> Duration {
        let looked_at = match self.looked_at_ms.load(SeqCst) {
            NEVER => return Duration::ZERO,
            looked_at_ms => Duration::from_millis(looked_at_ms),
        };
        (looked_at + LINGER).saturating_sub(self.begun.elapsed())
    }

    /// Has the thread "screen" put a question when somebody begins to look.
    pub(super) fn owe_question(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        self.run(state)?;
        state.owed_after.get_or_insert(self.looks.load(SeqCst));
        Ok(())
    }

    /// Puts the question that is owed, if it is time for that.
    pub(super) fn put_owed_question(self: &Arc<Self>) {
        let mut state = lock(&self.state);
        let looks = self.looks.load(SeqCst);
        if state.owed_after.take_if(|after| looks > *after).is_none()
            || state.shown.is_some()
            || state.asking.is_some()
        {
            return;
        }
        let id = state.begin_question();
        drop(state);
        portal::ask(self, id, true);
        self.news.ring();
    }

    /// Sees to it that the thread "screen" runs.
    fn run(self: &Arc<Self>, state: &mut State) -> io::Result<()> {
        if !state.thread_runs {
            stream::start(self)?;
            state.thread_runs = true;
        }
        Ok(())
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
            (state.trouble, state.owed_after) = (None, None);
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
        (state.trouble, state.refused, state.owed_after) = (None, None, None);
        let started = self.run(&mut state);
        drop(state);
        close(before.map(|before| before.connection));
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
        if state.shown.is_none() {
            let sentence = error.to_string();
            // Whoever waits tells it; otherwise it is told here, once.
            if state.waiting == 0 && state.trouble.as_ref() != Some(&sentence) {
                tracing::warn!("screen: a plain background is shown: {sentence}");
            }
            state.trouble = Some(sentence);
            // The session's start may not be over.
            let is_passing = matches!(error, ScreenError::Missing(_) | ScreenError::NoAnswer);
            state.owed_after = is_passing.then(|| self.looks.load(SeqCst));
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
        tracing::warn!("screen: a plain background is shown: {sentence}");
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

impl State {
    /// The number of a new question; whoever calls this puts it.
    pub(super) fn begin_question(&mut self) -> u64 {
        self.questions += 1;
        (self.refused, self.owed_after) = (None, None);
        self.asking = Some(Asking { id: self.questions, connection: None });
        self.questions
    }
}

/// The portal ends what it shows over a connection that is closed.
pub(super) fn close(connection: Option<Connection>) {
    if let Some(Err(error)) = connection.map(Connection::close) {
        tracing::debug!("screen: {error}");
    }
}
