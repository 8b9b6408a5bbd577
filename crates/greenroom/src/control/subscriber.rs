//! The subscriptions of socket clients.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{EventFeed, EventReceiver};
use crate::protocol::{Answer, Event, EventLine, NUMBERS_MS, Numbers, Reply, SentEvent};
use crate::status::Status;

/// Maximum number of clients that get events.
const MAX_SUBSCRIBERS: usize = 16;

/// The subscription of one client.
pub(super) struct Subscriber {
    /// The last event that was part of the status at the start of the subscription.
    first_status_seq: u64,
    numbers: Option<NumbersClock>,
}

/// The interval and the due time of a client's numbers.
struct NumbersClock {
    interval: Duration,
    due: Instant,
    /// The status at the time of the previous numbers.
    previous: Status,
}

impl Subscriber {
    /// Whether `event` is newer than the status that the client received.
    pub(super) fn wants(&self, event: &SentEvent) -> bool {
        event.seq.is_some_and(|seq| seq > self.first_status_seq)
    }

    /// When the next numbers are due.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.numbers.as_ref().map(|clock| clock.due)
    }

    /// The event with numbers from `status`, if it is due at `now`.
    pub(super) fn numbers(
        &mut self,
        now: Instant,
        status: impl FnOnce() -> Status,
    ) -> Option<SentEvent> {
        let clock = self.numbers.as_mut().filter(|clock| clock.due <= now)?;
        let status = status();
        let numbers = Numbers::between(&clock.previous, &status);
        clock.previous = status;
        // Missed intervals are skipped.
        clock.due = now.max(clock.due) + clock.interval;
        Some(SentEvent { seq: None, event: Event::Numbers(numbers) })
    }
}

/// Receives the events for all clients of the socket, while at least one of them is subscribed.
pub(super) struct Subscriptions {
    feed: Option<Arc<EventFeed>>,
    receiver: Option<EventReceiver>,
}

impl Subscriptions {
    /// Subscriptions to `feed`; without a feed, `subscribe` is refused.
    pub(super) fn new(feed: Option<Arc<EventFeed>>) -> Self {
        Self { feed, receiver: None }
    }

    pub(super) fn receiver(&self) -> Option<&EventReceiver> {
        self.receiver.as_ref()
    }

    pub(super) fn feed(&self) -> Option<&Arc<EventFeed>> {
        self.feed.as_ref()
    }

    /// Stops receiving events, when the last subscriber has gone.
    pub(super) fn end(&mut self) {
        self.receiver = None;
    }

    /// Subscribes a client while `others` are subscribed already. Returns its subscription and the reply.
    ///
    /// # Errors
    /// One sentence that says why the subscription is refused.
    pub(super) fn subscribe(
        &mut self,
        numbers_ms: Option<u64>,
        others: usize,
        now: Instant,
    ) -> Result<(Subscriber, Reply), String> {
        if let Some(ms) = numbers_ms.filter(|ms| !NUMBERS_MS.contains(ms)) {
            let (least, most) = (NUMBERS_MS.start(), NUMBERS_MS.end());
            return Err(format!("numbers cannot come every {ms} ms; write {least} to {most}"));
        }
        if others >= MAX_SUBSCRIBERS {
            return Err(format!(
                "{MAX_SUBSCRIBERS} programs get events already; end one and try again"
            ));
        }
        let feed = self.feed.as_ref().ok_or("there are no events here")?;
        let receiver = match self.receiver.take() {
            Some(receiver) => receiver,
            None => feed.receiver().map_err(|error| {
                format!(
                    "greenroom has no file descriptor left for events ({error}); close some connections and try again"
                )
            })?,
        };
        let (seq, status) = self.receiver.insert(receiver).snapshot();
        let numbers = numbers_ms.map(Duration::from_millis).map(|interval| NumbersClock {
            interval,
            due: now + interval,
            previous: status.clone(),
        });
        let answer = Answer::Subscribed { seq, status: Box::new(status) };
        Ok((Subscriber { first_status_seq: seq, numbers }, Reply::Ok(answer)))
    }
}

/// The line for `event`, without its line feed.
pub(super) fn event_line(event: &SentEvent) -> String {
    serde_json::to_string(&EventLine { event: event.clone() })
        .expect("an event has string keys only")
}
