use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What happened to the frames. Each counter has one writer; readers may be a frame behind.
#[derive(Debug, Default)]
pub struct Stats {
    /// Frames that the camera delivered whole.
    pub taken: AtomicU64,
    /// Frames passed over in the camera's queue for a newer one.
    pub dropped_in_camera: AtomicU64,
    /// Frames that could not be decoded.
    pub corrupt: AtomicU64,
    /// Frames passed over because the matte thread was still busy.
    pub dropped_before_matte: AtomicU64,
    /// Frames passed over because the output thread was still busy.
    pub dropped_before_output: AtomicU64,
    /// Frames that could not be cut out or composed; a placeholder was shown.
    pub failed: AtomicU64,
    /// Composed frames written, summed over the outputs.
    pub written: AtomicU64,
    /// Placeholders written, summed over the outputs.
    pub placeholders: AtomicU64,
}

impl Stats {
    /// One more.
    pub(crate) fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Relaxed);
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let get = |counter: &AtomicU64| counter.load(Relaxed);
        write!(
            f,
            "{} frames in, {} out, {} placeholders; dropped: {} in the camera, {} before the \
             matte, {} before the output; {} corrupt, {} failed",
            get(&self.taken),
            get(&self.written),
            get(&self.placeholders),
            get(&self.dropped_in_camera),
            get(&self.dropped_before_matte),
            get(&self.dropped_before_output),
            get(&self.corrupt),
            get(&self.failed),
        )
    }
}
