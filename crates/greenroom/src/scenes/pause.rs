//! Replies to pause requests, once every output shows the placeholder.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::replied::Replied;
use crate::lock::lock;

/// How long the reply to a pause waits for the placeholder. The reader of an output may have stopped, or a slow
/// machine may still compose a frame.
pub const PAUSE_PATIENCE: Duration = Duration::from_secs(5);

/// Pauses that have begun, whose replies wait until every output shows the placeholder. One thread, "pause", waits
/// for all of them; it runs only while there are any.
#[derive(Default)]
pub(super) struct PauseReplies(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    pauses: VecDeque<PendingPause>,
    has_thread: bool,
}

/// A pause whose reply is not sent yet.
struct PendingPause {
    /// Gets a message when every output shows the placeholder.
    shown: Receiver<()>,
    replied: Replied,
    deadline: Instant,
}

impl PauseReplies {
    /// Sends the reply through `replied` when `shown` gets its message, or an error after [`PAUSE_PATIENCE`].
    pub(super) fn add(self: &Arc<Self>, shown: Receiver<()>, replied: Replied) {
        let pause = PendingPause { shown, replied, deadline: Instant::now() + PAUSE_PATIENCE };
        let mut waiting = lock(&self.0);
        waiting.pauses.push_back(pause);
        if waiting.has_thread {
            return;
        }
        let replies = Arc::clone(self);
        let thread =
            thread::Builder::new().name("pause".into()).spawn(move || replies.reply_to_all());
        waiting.has_thread = thread.is_ok();
        drop(waiting);
        if thread.is_err() {
            // The system has no thread left: the caller waits instead.
            self.reply_to_all();
        }
    }

    fn reply_to_all(&self) {
        while let Some(pause) = self.next() {
            // A panic while one reply is sent must not prevent the others.
            let _ = catch_unwind(AssertUnwindSafe(|| pause.reply()));
        }
    }

    /// Removes the oldest pause. The deadlines have the same order as the queue, so each pause is answered by its own.
    fn next(&self) -> Option<PendingPause> {
        let mut waiting = lock(&self.0);
        let next = waiting.pauses.pop_front();
        waiting.has_thread &= next.is_some();
        next
    }
}

impl PendingPause {
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
    fn one_thread_sends_all_replies() {
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
        // A later pause, whose output has gone.
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
