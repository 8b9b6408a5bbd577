//! The source of events: whenever the status may have changed, it is compared with the previous status.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};

use greenroom_device::Wake;

use crate::lock::lock;
use crate::pipeline::{Changes, Following};
use crate::protocol::{Event, SentEvent};
use crate::status::Status;

/// Maximum number of events that are queued for one receiver. Beyond it the oldest are lost, which shows as a gap in
/// the sequence numbers.
const MAX_QUEUED: usize = 1024;

/// The source of events for all transports. It has no thread: events are made when a receiver takes them.
pub struct EventFeed {
    status: Box<dyn Fn() -> Status + Send + Sync>,
    changes: Arc<Changes>,
    state: Mutex<FeedState>,
}

#[derive(Default)]
struct FeedState {
    /// The sequence number of the last event.
    seq: u64,
    /// The status after that event.
    last: Option<Status>,
    queues: Vec<Arc<Queue>>,
}

type Queue = Mutex<VecDeque<Arc<SentEvent>>>;

/// Receives all events from its creation until it is dropped.
pub struct EventReceiver {
    feed: Arc<EventFeed>,
    queue: Arc<Queue>,
    bell: Wake,
    _following: Following,
}

impl EventFeed {
    /// A source of events that calls `status` after each ring of `changes`.
    pub fn new(
        changes: Arc<Changes>,
        status: impl Fn() -> Status + Send + Sync + 'static,
    ) -> Arc<Self> {
        Arc::new(Self { status: Box::new(status), changes, state: Mutex::default() })
    }

    /// The current status.
    pub fn status(&self) -> Status {
        (self.status)()
    }

    /// A receiver of all events from now on.
    ///
    /// # Errors
    /// When the process has no descriptor left.
    pub fn receiver(self: &Arc<Self>) -> io::Result<EventReceiver> {
        let bell = Wake::new()?;
        let following = self.changes.follow(bell.clone());
        let queue = Arc::<Queue>::default();
        let mut state = lock(&self.state);
        if state.queues.is_empty() {
            // Changes from before the first receiver are not sent.
            state.last = Some(self.status());
        }
        state.queues.push(Arc::clone(&queue));
        drop(state);
        Ok(EventReceiver { feed: Arc::clone(self), queue, bell, _following: following })
    }

    /// Queues new events for all receivers. Returns the sequence number of the last event and the status after it.
    fn publish(&self) -> (u64, Status) {
        let mut state = lock(&self.state);
        // Read under the lock, so that concurrent calls compare their statuses in the order in which they were read.
        let now = self.status();
        let FeedState { seq, last, queues } = &mut *state;
        for event in last.iter().flat_map(|last| Event::changes(last, &now)) {
            *seq += 1;
            let event = Arc::new(SentEvent { seq: Some(*seq), event });
            for queue in queues.iter() {
                let mut queue = lock(queue);
                if queue.len() >= MAX_QUEUED {
                    queue.pop_front();
                }
                queue.push_back(Arc::clone(&event));
            }
        }
        *last = Some(now.clone());
        (*seq, now)
    }
}

impl EventReceiver {
    /// The bell that rings when there may be new events.
    pub fn bell(&self) -> &Wake {
        &self.bell
    }

    /// Removes and returns all queued events, in order.
    pub fn take(&self) -> VecDeque<Arc<SentEvent>> {
        self.bell.clear();
        self.feed.publish();
        std::mem::take(&mut *lock(&self.queue))
    }

    /// The sequence number of the last event, and the status after it.
    pub fn snapshot(&self) -> (u64, Status) {
        let (seq, status) = self.feed.publish();
        // `publish` may have queued events just now.
        self.bell.ring();
        (seq, status)
    }
}

impl Drop for EventReceiver {
    fn drop(&mut self) {
        lock(&self.feed.state).queues.retain(|queue| !Arc::ptr_eq(queue, &self.queue));
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    fn feed() -> (Arc<EventFeed>, impl Fn(u64) + Clone) {
        let (now, changes) = (Arc::new(Mutex::new(Status::default())), Arc::<Changes>::default());
        let source = Arc::clone(&now);
        let feed = EventFeed::new(Arc::clone(&changes), move || lock(&source).clone());
        let set = move |ms: u64| {
            lock(&now).idle_after_s = ms as f64 / 1e3;
            changes.ring();
        };
        (feed, set)
    }

    fn times(receiver: &EventReceiver) -> Vec<(u64, u64)> {
        let time = |event: Arc<SentEvent>| match event.event {
            Event::IdleAfter { ms } => (event.seq.unwrap(), ms),
            ref other => panic!("{other:?}"),
        };
        receiver.take().into_iter().map(time).collect()
    }

    #[test]
    fn all_receivers_get_the_same_in_the_same_order() {
        let (feed, set) = feed();
        set(1);
        let first = feed.receiver().unwrap();
        assert_eq!(times(&first), []);
        set(2);
        assert!(first.bell().is_ringing());
        let second = feed.receiver().unwrap();
        let (seq, status) = second.snapshot();
        assert_eq!((seq, status.idle_after_s), (1, 0.002));
        set(3);
        set(3);
        assert_eq!(times(&first), [(1, 2), (2, 3)]);
        // An event that the snapshot includes is received, too; its sequence number is not above the snapshot's.
        assert_eq!(times(&second), [(1, 2), (2, 3)]);
        drop(first);
        drop(second);
        set(4);
        let third = feed.receiver().unwrap();
        assert_eq!(times(&third), [], "a change without receivers is not an event");
        set(5);
        assert_eq!(times(&third), [(3, 5)]);
    }

    #[test]
    fn concurrent_receivers_get_the_same_events_and_the_last_status() {
        let (feed, set) = feed();
        let receivers: Vec<_> = (0..4).map(|_| feed.receiver().unwrap()).collect();
        let setters: Vec<_> = (0..4)
            .map(|setter| {
                let set = set.clone();
                thread::spawn(move || (0..200).for_each(|step| set(setter * 1000 + step)))
            })
            .collect();
        let takers = receivers.into_iter().map(|receiver| {
            thread::spawn(move || {
                let mut seen = Vec::new();
                while seen.last().is_none_or(|&(_, ms)| ms != 9999) {
                    seen.extend(times(&receiver));
                }
                seen
            })
        });
        let takers: Vec<_> = takers.collect();
        setters.into_iter().for_each(|setter| setter.join().unwrap());
        set(9999);
        let seen: Vec<_> = takers.into_iter().map(|taker| taker.join().unwrap()).collect();
        assert!(seen.iter().all(|other| *other == seen[0]));
        assert!(seen[0].iter().zip(1..).all(|(&(seq, _), number)| seq == number));
    }

    #[test]
    fn queues_are_bounded() {
        let (feed, set) = feed();
        let [slow, quick] = [feed.receiver().unwrap(), feed.receiver().unwrap()];
        for ms in 1..3000 {
            set(ms);
            assert_eq!(quick.take().len(), 1);
        }
        let kept = times(&slow);
        assert_eq!((kept.len(), kept.last()), (MAX_QUEUED, Some(&(2999, 2999))));
    }
}
