//! The user's session: while it is locked or the machine goes to sleep, the picture is hidden.

mod logind;

use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use serde::Deserialize;

use self::logind::Logind;
use crate::bus::{BusRetry, has_threads, is_no_bus};
use crate::log;
use crate::pipeline::{PipelineCommands, Reason};

/// What becomes of the picture when the session is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum OnLock {
    /// The placeholder is shown, and the camera is closed, until it is unlocked
    #[default]
    Placeholder,
    /// The picture goes on
    Continue,
}

/// How long the start waits for the first word: a bus that hangs is no reason not to start.
const START_PATIENCE: Duration = Duration::from_secs(2);
/// How long a sleep waits until the placeholder is shown.
const HIDE_PATIENCE: Duration = Duration::from_secs(2);

/// Somebody who hears what becomes of the session.
pub struct Listener {
    /// Takes up what is heard.
    follower: mpsc::Sender<Arc<PipelineCommands>>,
    is_locked: bool,
}

impl Listener {
    /// Begins to listen, on a thread of its own that ends with the process. To be called before other threads are
    /// started: those of the bus's crate are counted here, as it ends the process where it gets none.
    pub fn start(on_lock: OnLock) -> Self {
        let (follower, followed) = mpsc::channel();
        let (tell_lock, told) = mpsc::channel();
        let thread = thread::Builder::new().name("session".into());
        if let Err(error) = thread.spawn(move || listen(on_lock, &tell_lock, &followed)) {
            tracing::warn!("session: no thread ({error}); a locked screen is not noticed");
        }
        // Where no thread could be had the sender is gone: no wait.
        let is_locked = told.recv_timeout(START_PATIENCE).unwrap_or(false);
        Self { follower, is_locked }
    }

    /// Whether the session was locked already.
    pub fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// From now on `commands` hide the picture while there is a reason.
    pub fn tell(self, commands: Arc<PipelineCommands>) {
        // It has ended where there is no bus.
        let _ = self.follower.send(commands);
    }
}

/// Tells whether the session is locked, then whoever it gets from `followed` what becomes of it.
fn listen(
    on_lock: OnLock,
    tell_lock: &mpsc::Sender<bool>,
    followed: &mpsc::Receiver<Arc<PipelineCommands>>,
) {
    if !has_threads() {
        tracing::warn!("session: the system has no thread left; a locked screen is not noticed");
        return;
    }
    let logind = match log::without_panic(Logind::connect) {
        Ok(Ok(logind)) => Some(logind),
        Ok(Err(error)) if is_no_bus(&error) => return tell_unheard(&error),
        Ok(Err(error)) => {
            tracing::warn!("session: no word from the system bus ({error}); trying again");
            None
        }
        Err(panic) => return tell_unheard(&panic),
    };
    // What cannot be told now is told to those who follow.
    let is_locked = logind.as_ref().is_some_and(|logind| logind.is_locked().unwrap_or(false));
    // Whoever started us may wait no longer, and tells us nothing if greenroom could not start.
    let _ = tell_lock.send(is_locked && on_lock == OnLock::Placeholder);
    if let Ok(commands) = followed.recv() {
        Session { commands, on_lock }.run(logind);
    }
}

fn tell_unheard(error: &dyn std::fmt::Display) {
    tracing::info!("session: no word from logind ({error}); a locked screen is not noticed");
}

/// What is done about the session.
struct Session {
    commands: Arc<PipelineCommands>,
    on_lock: OnLock,
}

impl Session {
    fn run(self, mut logind: Option<Logind>) {
        let mut retry = BusRetry::default();
        loop {
            let since = Instant::now();
            // What was known goes on to hold: who is locked stays hidden.
            let end = log::without_panic(|| {
                let logind = logind.take().map_or_else(Logind::connect, Ok)?;
                logind.follow(|news| self.heed(news))
            });
            let error = match end {
                Ok(Ok(never)) => match never {},
                Ok(Err(error)) => error.to_string(),
                Err(panic) => panic,
            };
            tracing::debug!("session: {error}; trying again");
            thread::sleep(retry.after(since.elapsed()));
        }
    }

    fn heed(&self, news: logind::News) {
        let (reason, holds) = match news {
            logind::News::Locked(_) if self.on_lock == OnLock::Continue => return,
            logind::News::Locked(is_locked) => (Reason::Lock, is_locked),
            logind::News::Sleeps(sleeps) => (Reason::Sleep, sleeps),
        };
        if self.commands.reasons().contains(reason) == holds {
            return;
        }
        let (begins, ends) = match reason {
            Reason::Lock => ("locked; hidden until it is unlocked", "unlocked"),
            _ => ("the machine goes to sleep; hidden", "awake again"),
        };
        if holds {
            // A sleep waits for it.
            let _ = self.commands.hide(reason).recv_timeout(HIDE_PATIENCE);
            tracing::info!("session: {begins}");
        } else {
            self.commands.end_hiding(reason);
            tracing::info!("session: {ends}");
        }
    }
}
