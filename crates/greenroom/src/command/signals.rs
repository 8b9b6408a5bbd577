use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use greenroom_device::{Wake, end_leftovers};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator;
use signal_hook::low_level::emulate_default_handler;

use crate::log;

/// What becomes of files that are not whole when a second signal ends the process at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parts {
    /// They stay, and are told: what was recorded cannot be had again.
    Keep,
    /// They go: they can be made again.
    Remove,
}

/// SIGINT, SIGTERM and SIGHUP, caught from the very start.
///
/// Until [`started`](Self::started) a signal ends the process as it would any other, whatever is
/// being waited for (the reader of a FIFO, an address that does not answer), but no file is left
/// behind. From then on the first signal asks for an orderly end, and the second one ends the process
/// at once, so that nobody is ever stuck.
#[derive(Debug)]
pub(super) struct Signals {
    stop: Wake,
    has_started: Arc<AtomicBool>,
}

impl Signals {
    /// Catches them. To be called before anything is opened.
    ///
    /// # Errors
    /// When the process has no thread or descriptor left.
    pub fn catch(parts: Parts) -> io::Result<Self> {
        let (stop, has_started) = (Wake::new()?, Arc::new(AtomicBool::new(false)));
        let mut signals = iterator::Signals::new([SIGINT, SIGTERM, SIGHUP])?;
        let (bell, started) = (stop.clone(), Arc::clone(&has_started));
        // Blocked in a read for as long as the process lives: no wake-ups, nothing to join.
        thread::Builder::new().name("signals".into()).spawn(move || {
            let mut is_stopping = false;
            for signal in signals.forever() {
                if !started.load(SeqCst) {
                    end_leftovers(false);
                    // Ends the process.
                    let _ = emulate_default_handler(signal);
                } else if std::mem::replace(&mut is_stopping, true) {
                    end_at_once(parts);
                } else {
                    bell.ring();
                }
            }
        })?;
        Ok(Self { stop, has_started })
    }

    /// From here on there is something to bring to an end: the bell that asks for it.
    pub fn started(&self) -> &Wake {
        self.has_started.store(true, SeqCst);
        &self.stop
    }
}

fn end_at_once(parts: Parts) -> ! {
    let kept = end_leftovers(parts == Parts::Keep);
    tracing::warn!("stopped at once: what was being written is not complete");
    for part in kept {
        tracing::warn!("what there is of it stays in {}; look at it, or remove it", part.display());
    }
    log::flush();
    std::process::exit(1);
}
