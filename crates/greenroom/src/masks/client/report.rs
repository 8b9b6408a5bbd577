use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use crate::histogram::Histogram;
use crate::status::{MaskServerState, MaskServerStatus, Quantiles};

/// What a [`MaskClient`](super::MaskClient) tells of itself. One thread writes.
#[derive(Debug)]
pub struct MaskServerReport {
    url: String,
    /// Why the server is not waited for; `None`: it is.
    trouble: Mutex<Option<String>>,
    masks: AtomicU64,
    local: AtomicU64,
    answers: Histogram,
}

impl MaskServerReport {
    pub(super) fn new(url: String) -> Self {
        let trouble = Mutex::new(Some("has not answered yet".to_owned()));
        let (masks, local) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { url, trouble, masks, local, answers: Histogram::default() }
    }

    pub(super) fn set_trouble(&self, trouble: Option<String>) {
        // A whole value is put in: every state is a state.
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = trouble;
    }

    pub(super) fn count_mask(&self) {
        self.masks.fetch_add(1, Relaxed);
    }

    pub(super) fn count_local(&self) {
        self.local.fetch_add(1, Relaxed);
    }

    pub(super) fn record(&self, answer: Duration) {
        self.answers.record(answer);
    }

    /// What is going on now.
    pub fn status(&self) -> MaskServerStatus {
        let trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let state = if trouble.is_some() { MaskServerState::Unwell } else { MaskServerState::Well };
        MaskServerStatus {
            url: self.url.clone(),
            state,
            reason: trouble,
            masks: self.masks.load(Relaxed),
            local: self.local.load(Relaxed),
            answer_ms: Quantiles::of(&self.answers),
        }
    }
}
