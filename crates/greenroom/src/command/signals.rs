use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use greenroom_device::{Wake, end_leftovers};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGXFSZ};
use signal_hook::low_level::emulate_default_handler;
use signal_hook::{flag, iterator};

use crate::lock::lock;
use crate::log;

/// What becomes of files that are not whole when a second signal ends the process at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parts {
    /// They stay, and are told: what was recorded cannot be had again.
    Keep,
    /// They go: they can be made again.
    Remove,
}

/// From now on a file that may not grow any more (`ulimit -f`) is an error of the write, as a full disk
/// is one, and not the end of the process. To be called first of all.
pub fn outlive_file_size_limit() {
    // Caught, not ignored: a child begins with the default again. It fails for no signal that there is.
    let _ = flag::register(SIGXFSZ, Arc::default());
}

/// Signals within this time of the first one are the same request: `timeout` sends it to the process and
/// to its group, and a terminal that closes sends two.
const SAME_REQUEST: Duration = Duration::from_millis(500);

/// What a signal asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// An orderly end.
    End,
    /// What the first one did.
    Same,
    /// The end, at once.
    EndAtOnce,
}

/// The signals since there is something to bring to an end.
#[derive(Debug, Default)]
struct Requests {
    first: Option<Instant>,
}

impl Requests {
    fn hear(&mut self, now: Instant) -> Asked {
        match self.first {
            None => {
                self.first = Some(now);
                Asked::End
            }
            Some(first) if now.duration_since(first) < SAME_REQUEST => Asked::Same,
            Some(_) => Asked::EndAtOnce,
        }
    }
}

type Act = Box<dyn FnOnce() + Send>;

/// What is done just before the process ends at once.
#[derive(Clone, Default)]
struct LastAct(Arc<Mutex<Option<Act>>>);

impl LastAct {
    fn set(&self, act: impl FnOnce() + Send + 'static) {
        *lock(&self.0) = Some(Box::new(act));
    }

    fn run(&self) {
        let act = lock(&self.0).take();
        act.into_iter().for_each(|act| act());
    }
}

impl fmt::Debug for LastAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LastAct")
    }
}

/// SIGINT, SIGTERM and SIGHUP, caught from the very start.
///
/// Until [`started`](Self::started) a signal ends the process as it would any other, whatever is
/// being waited for (the reader of a FIFO, an address that does not answer), but no file is left
/// behind. From then on the first signal asks for an orderly end, and one that comes more than
/// [`SAME_REQUEST`] later ends the process at once, so that nobody is ever stuck.
#[derive(Debug)]
pub(super) struct Signals {
    stop: Wake,
    has_started: Arc<AtomicBool>,
    last_act: LastAct,
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
        let last_act = LastAct::default();
        let act = last_act.clone();
        // Blocked in a read for as long as the process lives: no wake-ups, nothing to join.
        thread::Builder::new().name("signals".into()).spawn(move || {
            let mut requests = Requests::default();
            for signal in signals.forever() {
                if !started.load(SeqCst) {
                    end_leftovers(false);
                    // Ends the process.
                    let _ = emulate_default_handler(signal);
                    continue;
                }
                match requests.hear(Instant::now()) {
                    Asked::End => bell.ring(),
                    Asked::Same => {}
                    Asked::EndAtOnce => {
                        act.run();
                        end_at_once(parts);
                    }
                }
            }
        })?;
        Ok(Self { stop, has_started, last_act })
    }

    /// Has `hide` done before the process ends at once: it takes away what must not be left to be seen,
    /// and is soon back.
    pub fn hide_by(&self, hide: impl FnOnce() + Send + 'static) {
        self.last_act.set(hide);
    }

    /// From here on there is something to bring to an end: the bell that asks for it.
    pub fn started(&self) -> &Wake {
        self.has_started.store(true, SeqCst);
        &self.stop
    }

    /// From here on nothing is left that has to be brought to an end: a signal ends the process again, as before
    /// [`started`](Self::started).
    pub fn ended(&self) {
        self.has_started.store(false, SeqCst);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_at_once_are_one_request() {
        let (mut requests, start) = (Requests::default(), Instant::now());
        assert_eq!(requests.hear(start), Asked::End);
        assert_eq!(requests.hear(start), Asked::Same);
        assert_eq!(requests.hear(start + Duration::from_millis(499)), Asked::Same);
        assert_eq!(requests.hear(start + SAME_REQUEST), Asked::EndAtOnce);
    }
}
