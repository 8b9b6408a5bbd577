use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
#[cfg(feature = "mask-server")]
use std::time::Duration;

use crate::histogram::Histogram;
use crate::lock::lock;
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
}

impl MaskServerReport {
    /// Of the server at `url`, which is not there yet.
    pub fn new(url: String) -> Self {
        let trouble = Mutex::new(Some("has not answered yet".to_owned()));
        let (masks, local) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { url, trouble, masks, local, answers: Histogram::default() }
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
    }

    fn count(&self, by_server: bool) {
        let counter = if by_server { &self.masks } else { &self.local };
        counter.fetch_add(1, Relaxed);
    }

    fn record(&self, answer: Duration) {
        self.answers.record(answer);
    }
}
