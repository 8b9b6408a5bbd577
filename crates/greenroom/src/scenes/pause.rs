//! The replies to pauses: each comes when every output shows the placeholder.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::replied::Replied;
use crate::lock::lock;

/// How long a request for a pause waits until the placeholder is shown: a reader of an output may stand still, and
/// a slow machine may be at a frame.
pub const PAUSE_PATIENCE: Duration = Duration::from_secs(5);

/// Pauses that are on, and perhaps not shown everywhere yet. All of them wait on one thread, "pause", which is there only
/// while one does.
#[derive(Default)]
pub(super) struct PauseReplies(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    pauses: VecDeque<BegunPause>,
    has_thread: bool,
}

/// A pause whose asker is not told yet.
struct BegunPause {
    /// Told when every output shows the placeholder.
    shown: Receiver<()>,
    replied: Replied,
    deadline: Instant,
}

impl PauseReplies {
    /// `replied` is told when `shown` is, or after [`PAUSE_PATIENCE`] that it was not.
    pub(super) fn add(self: &Arc<Self>, shown: Receiver<()>, replied: Replied) {
        let pause = BegunPause { shown, replied, deadline: Instant::now() + PAUSE_PATIENCE };
        let mut waiting = lock(&self.0);
        waiting.pauses.push_back(pause);
        if waiting.has_thread {
            return;
        }
        let ours = Arc::clone(self);
        let thread = thread::Builder::new().name("pause".into()).spawn(move || ours.reply_to_all());
        waiting.has_thread = thread.is_ok();
        drop(waiting);
        if thread.is_err() {
            // No thread is left: then everyone who asks waits.
            self.reply_to_all();
        }
    }

    fn reply_to_all(&self) {
        while let Some(pause) = self.next() {
            // Whoever is told may fail: the others are told all the same.
            let _ = catch_unwind(AssertUnwindSafe(|| pause.reply()));
        }
    }

    /// The one that has waited for the longest time. All that began before it are told by then: none waits for long.
    fn next(&self) -> Option<BegunPause> {
        let mut waiting = lock(&self.0);
        let next = waiting.pauses.pop_front();
        waiting.has_thread &= next.is_some();
        next
    }
}

impl BegunPause {
    fn reply(self) {
        let left = self.deadline.saturating_duration_since(Instant::now());
        self.replied.tell(self.shown.recv_timeout(left).map_err(|_| NOT_PAUSED_YET.to_owned()));
    }
}

const NOT_PAUSED_YET: &str = "the pause is on and nothing new is shown, but an output takes no placeholder \
                              now: the last picture may stand there; end the program that reads it";

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn each_is_told_once_by_one_thread() {
        let replies = Arc::<PauseReplies>::default();
        let (tell, told) = channel();
        let mut shown = Vec::new();
        for number in 0..100 {
            let (show, is_shown) = channel();
            let tell = tell.clone();
            let thread = move || thread::current().id();
            let replied =
                Replied::new(move |done| tell.send((number, done, thread())).unwrap(), || false);
            replies.add(is_shown, replied);
            shown.push(show);
        }
        assert!(told.try_recv().is_err());
        shown.iter().for_each(|show| show.send(()).unwrap());
        let all: Vec<_> = (0..100).map(|_| told.recv().unwrap()).collect();
        assert!(all.iter().zip(0..).all(|((number, done, _), at)| *number == at && done.is_ok()));
        assert!(all.iter().all(|(.., thread)| *thread == all[0].2));
        // Another one later; and one whose output is gone.
        let (show, is_shown) = channel::<()>();
        let replied = Replied::new(
            move |done| tell.send((7, done, thread::current().id())).unwrap(),
            || false,
        );
        replies.add(is_shown, replied);
        drop(show);
        assert!(told.recv().unwrap().1.unwrap_err().contains("takes no placeholder"));
    }
}
