//! How many threads read media ahead: each holds memory, and may hold an `ffmpeg`.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use greenroom_device::Wake;

static THREADS: Mutex<usize> = Mutex::new(0);
static CHANGED: Condvar = Condvar::new();

/// How often somebody who waits looks whether it was given up.
pub(super) const CANCEL_INTERVAL: Duration = Duration::from_millis(20);

/// One thread that reads ahead: made before it is started, dropped when it has let go of all it had.
#[derive(Debug)]
pub(super) struct ReadAhead(());

impl ReadAhead {
    pub(super) fn begin() -> Self {
        *THREADS.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        Self(())
    }
}

impl Drop for ReadAhead {
    fn drop(&mut self) {
        *THREADS.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        CHANGED.notify_all();
    }
}

/// Waits until at most `most` videos and slideshows of this process are being read, those included
/// that are not wanted any more and have not ended yet. `false` if that is not so after `patience`,
/// or if `cancel` rings before.
pub fn wait_for_readers(most: usize, patience: Duration, cancel: &Wake) -> bool {
    let until = Instant::now() + patience;
    let mut threads = THREADS.lock().unwrap_or_else(PoisonError::into_inner);
    while *threads > most {
        if Instant::now() >= until || cancel.is_ringing() {
            return false;
        }
        let waited = CHANGED.wait_timeout(threads, CANCEL_INTERVAL);
        threads = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
    true
}
