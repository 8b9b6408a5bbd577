//! Clients that get events.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{EventFeed, EventReceiver};
use crate::protocol::{Answer, Event, EventLine, NUMBERS_MS, Numbers, Reply, SentEvent};
use crate::status::Status;

/// Most clients that get events at once.
const MAX_SUBSCRIBERS: usize = 16;

/// What one client gets.
pub(super) struct Subscriber {
    /// It knows the events up to this number.
    known: u64,
    numbers: Option<NumbersClock>,
}

/// When a client gets numbers.
struct NumbersClock {
    interval: Duration,
    due: Instant,
    /// As it was when it got the last.
    before: Status,
}

impl Subscriber {
    /// Whether `event` is news to it.
    pub(super) fn wants(&self, event: &SentEvent) -> bool {
        event.seq.is_some_and(|seq| seq > self.known)
    }

    /// When it is to get numbers.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.numbers.as_ref().map(|clock| clock.due)
    }

    /// The numbers that are due at `now`, of what `status` tells.
    pub(super) fn numbers(
        &mut self,
        now: Instant,
        status: impl FnOnce() -> Status,
    ) -> Option<SentEvent> {
        let clock = self.numbers.as_mut().filter(|clock| clock.due <= now)?;
        let status = status();
        let numbers = Numbers::between(&clock.before, &status);
        clock.before = status;
        // Those that were missed are not made up for.
        clock.due = now.max(clock.due) + clock.interval;
        Some(SentEvent { seq: None, event: Event::Numbers(numbers) })
    }
}

/// The events for all clients of the socket. They are only listened to while there is a subscriber.
pub(super) struct Subscriptions {
    feed: Option<Arc<EventFeed>>,
    receiver: Option<EventReceiver>,
}

impl Subscriptions {
    /// Of what `feed` tells; nobody can subscribe to `None`.
    pub(super) fn new(feed: Option<Arc<EventFeed>>) -> Self {
        Self { feed, receiver: None }
    }

    pub(super) fn receiver(&self) -> Option<&EventReceiver> {
        self.receiver.as_ref()
    }

    pub(super) fn feed(&self) -> Option<&Arc<EventFeed>> {
        self.feed.as_ref()
    }

    /// Nobody listens any more.
    pub(super) fn end(&mut self) {
        self.receiver = None;
    }

    /// Another client, beside `others`; what it is answered.
    ///
    /// # Errors
    /// One sentence.
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
                "{MAX_SUBSCRIBERS} programs get events already; end one and ask again"
            ));
        }
        let feed = self.feed.as_ref().ok_or("there are no events here")?;
        let receiver = match self.receiver.take() {
            Some(receiver) => receiver,
            None => feed.receiver().map_err(|error| {
                format!(
                    "there is no descriptor left for events ({error}); close some and ask again"
                )
            })?,
        };
        let (seq, status) = self.receiver.insert(receiver).snapshot();
        let numbers = numbers_ms.map(Duration::from_millis).map(|interval| NumbersClock {
            interval,
            due: now + interval,
            before: status.clone(),
        });
        let answer = Answer::Subscribed { seq, status: Box::new(status) };
        Ok((Subscriber { known: seq, numbers }, Reply::Ok(answer)))
    }
}

/// The line, without its line feed, that tells `event`.
pub(super) fn line_of(event: &SentEvent) -> String {
    serde_json::to_string(&EventLine { event: event.clone() })
        .expect("an event has string keys only")
}
