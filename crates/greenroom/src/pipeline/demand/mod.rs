//! Whether anybody wants a picture, and what hides it all the same.

mod reasons;

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

pub use reasons::{Reason, Reasons};

/// One stretch of time in which a picture is wanted, or none is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pipeline) struct Epoch(u64);

impl Epoch {
    /// Whether a picture is wanted in it.
    pub(in crate::pipeline) fn wants_picture(self) -> bool {
        self.0 % 2 == 1
    }
}

/// Whether anybody wants a picture: what opens and closes the camera. Numbered, so that a frame
/// that was taken for one watcher is never shown to a later one.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct Demand(AtomicU64);

impl Demand {
    pub(in crate::pipeline) fn epoch(&self) -> Epoch {
        Epoch(self.0.load(SeqCst))
    }

    /// Tells whether that is news.
    pub(in crate::pipeline) fn set(&self, wanted: bool) -> bool {
        let changed = self.epoch().wants_picture() != wanted;
        if changed {
            self.0.fetch_add(1, SeqCst);
        }
        changed
    }
}
