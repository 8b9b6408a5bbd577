use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use greenroom_device::{Holder, SinkMode};

use crate::status::{OutputState, OutputStatus, Watcher};

/// What others may know of an output. Who watches is told in the log, too: one line an event.
#[derive(Debug, Default)]
pub(super) struct OutputReport {
    status: Mutex<OutputStatus>,
    /// Composed frames written.
    pub(super) written: AtomicU64,
    /// Placeholders written.
    pub(super) placeholders: AtomicU64,
}

impl OutputReport {
    /// The state as it is now.
    pub(super) fn status(&self) -> OutputStatus {
        OutputStatus {
            written: self.written.load(Relaxed),
            placeholders: self.placeholders.load(Relaxed),
            ..self.lock().clone()
        }
    }

    /// Sets what the output is doing; `reason` says why it is missing.
    pub(super) fn set_state(
        &self,
        name: &str,
        state: OutputState,
        mode: Option<SinkMode>,
        reason: Option<String>,
    ) {
        let mut status = self.lock();
        let before = std::mem::replace(&mut status.state, state);
        status.name.clear();
        status.name.push_str(name);
        status.mode = mode
            .map(|SinkMode { format, size, rate, .. }| format!("{size} {format} at {rate} fps"));
        status.reason = reason;
        if state != OutputState::Watched {
            status.watchers.clear();
        }
        match (before, state) {
            (OutputState::Watched, OutputState::Lingering) => {
                tracing::info!("output: nobody watches {name} any more");
            }
            (OutputState::Holding | OutputState::Lingering, OutputState::Watched) => {
                tracing::debug!("output: {name} is watched");
            }
            _ => {}
        }
    }

    /// Sets who watches, while it is watched.
    pub(super) fn set_watchers(&self, watchers: &[Holder]) {
        let mut status = self.lock();
        if status.state != OutputState::Watched {
            return;
        }
        let watchers: Vec<Watcher> = watchers.iter().map(Into::into).collect();
        for come in watchers.iter().filter(|watcher| !status.watchers.contains(watcher)) {
            tracing::info!("output: {} is watched by {come}", status.name);
        }
        status.watchers = watchers;
    }

    fn lock(&self) -> MutexGuard<'_, OutputStatus> {
        // Plain data: every state between two assignments is a state.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
