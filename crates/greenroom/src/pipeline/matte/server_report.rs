use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, OnceLock};
#[cfg(feature = "mask-server")]
use std::time::Duration;

use crate::histogram::Histogram;
use crate::lock::lock;
use crate::pipeline::Changes;
use crate::status::{MaskServerState, MaskServerStatus, Quantiles};

/// How a mask server does, as its [`MaskClient`](crate::masks::MaskClient) tells. One thread writes.
#[derive(Debug)]
pub struct MaskServerReport {
    url: String,
    /// Why the server is not waited for; `None`: it is.
    trouble: Mutex<Option<String>>,
    masks: AtomicU64,
    local: AtomicU64,
    answers: Histogram,
    /// Rung when the server's state changes.
    changes: OnceLock<Arc<Changes>>,
}

impl MaskServerReport {
    /// Of the server at `url`, which is not there yet.
    pub fn new(url: String) -> Self {
        let trouble = Mutex::new(Some("has not answered yet".to_owned()));
        let (masks, local) = (AtomicU64::new(0), AtomicU64::new(0));
        let answers = Histogram::default();
        Self { url, trouble, masks, local, answers, changes: OnceLock::new() }
    }

    /// From now on `changes` are rung.
    pub(in crate::pipeline) fn tell(&self, changes: &Arc<Changes>) {
        self.changes.get_or_init(|| Arc::clone(changes));
    }

    /// What is going on now.
    pub fn status(&self) -> MaskServerStatus {
        let trouble = lock(&self.trouble).clone();
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

#[cfg(feature = "mask-server")]
impl crate::masks::Observer for MaskServerReport {
    fn set_trouble(&self, trouble: Option<String>) {
        *lock(&self.trouble) = trouble;
        if let Some(changes) = self.changes.get() {
            changes.ring();
        }
    }

    fn count(&self, by_server: bool) {
        let counter = if by_server { &self.masks } else { &self.local };
        counter.fetch_add(1, Relaxed);
    }

    fn record(&self, answer: Duration) {
        self.answers.record(answer);
    }
}
