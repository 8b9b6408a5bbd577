//! Who watches a loopback: what its driver and its node tell, put together with who has it open.
//!
//! From 0.14 on the driver's event is the whole truth. 0.13 tells of readers that stream by mmap
//! alone; those that call `read()` are heard by inotify (IN_ACCESS). 0.12 tells nothing: there the
//! truth about mmap is who has buffers mapped, found in `/proc` after the node was opened and once a
//! second for as long as somebody has it open.
//!
//! Nothing here does I/O: [`Processes`] is asked, and time is an argument.

use std::time::{Duration, Instant};

use crate::Audience;
use crate::holder::Opener;

/// From the opening of the node to the first look at who it was: most have mapped it by then, and
/// who only lists cameras has closed it.
const FIRST_LOOK: Duration = Duration::from_millis(50);
/// Looks at somebody who has it open come at intervals that double up to this.
const SLOWEST_LOOK: Duration = Duration::from_secs(1);
/// An opening without an opener to be seen, and without a closing for so long, is a program of
/// another user that watches. Programs that list cameras are done after some milliseconds.
const UNSEEN_AFTER: Duration = Duration::from_secs(1);
/// While somebody calls `read()`, it is listened for this often, not at every frame.
const READ_PAUSE: Duration = Duration::from_millis(500);
/// Nobody reads any more if a frame was there to be read for so long. With the pause: about two
/// seconds after the last read.
const UNREAD_FOR: Duration = Duration::from_millis(1500);

/// A program that has opened the node may begin to stream, and its first picture is then the one
/// that was written last: until then that one is written again so often.
const RENEWAL: Duration = Duration::from_millis(80);
/// For so long after the node was opened, if it was closed as often: of two that open it at once the
/// kernel may tell as of one.
const SHORT_VISIT: Duration = Duration::from_millis(250);
/// For so long at the most. Programs begin to stream within a second of opening a camera.
const LONGEST_VISIT: Duration = Duration::from_secs(10);

/// What the driver tells of its readers by an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReaderEvents {
    /// Of all: 0.14 and later.
    All,
    /// Of those that stream by mmap: 0.13.
    Streaming,
    /// Of none: 0.12 and before.
    Nothing,
}

/// What was told since the last time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Activity {
    /// The driver's event: whether somebody streams.
    pub(super) streaming: Option<bool>,
    /// How often the node was opened, closed (the kernel makes one of equal ones that follow each
    /// other).
    pub(super) opened: u32,
    pub(super) closed: u32,
    /// The last of openings and closings was an opening.
    pub(super) opened_last: bool,
    /// Somebody has called `read()`.
    pub(super) read: bool,
    /// There was a closing after the last `read()`.
    pub(super) closed_after_read: bool,
}

/// What inotify is to listen for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Wanted {
    pub(super) opens: bool,
    pub(super) closes: bool,
    pub(super) reads: bool,
}

/// Who has the node open.
pub(super) trait Processes {
    /// Looked for everywhere: expensive.
    fn everywhere(&mut self) -> Vec<Opener>;
    /// Looked for among those that had it open: cheap.
    fn among(&mut self, known: &[Opener]) -> Vec<Opener>;
}

/// A look that is due.
#[derive(Debug, Clone, Copy)]
struct Look {
    at: Instant,
    everywhere: bool,
}

/// Somebody calls `read()`.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// The next time to do something about it.
    due: Instant,
    /// Reads are being listened for.
    listening: bool,
    /// Since when there is a frame that nobody was heard to read.
    unread_since: Option<Instant>,
}

/// Somebody has opened the node and does not watch yet.
#[derive(Debug, Clone, Copy)]
struct Visit {
    /// The last opening.
    since: Instant,
    /// Openings less closings.
    open: u32,
    /// The next time for a renewal.
    next: Instant,
}

/// All that is known of a node's readers.
#[derive(Debug)]
pub(super) struct Readers {
    reader_events: ReaderEvents,
    streaming: bool,
    reading: Option<Reading>,
    /// A program that cannot be seen has it open; how many openings came since.
    unseen: Option<u32>,
    /// Who had it open when last looked at; not ourselves.
    openers: Vec<Opener>,
    look: Option<Look>,
    interval: Duration,
    /// The last thing heard was an opening, and nobody was seen yet whose it was.
    opened_at: Option<Instant>,
    visit: Option<Visit>,
    renewal_due: bool,
}

impl Readers {
    /// Nothing is known yet; a look at everybody is due if the driver does not tell all.
    pub(super) fn new(reader_events: ReaderEvents, now: Instant) -> Self {
        let look =
            (reader_events == ReaderEvents::Nothing).then_some(Look { at: now, everywhere: true });
        Self {
            reader_events,
            streaming: false,
            reading: None,
            unseen: None,
            openers: Vec::new(),
            look,
            interval: FIRST_LOOK,
            opened_at: None,
            visit: None,
            renewal_due: false,
        }
    }

    /// Takes in what was told and looks at processes where that may have changed the truth.
    pub(super) fn update(
        &mut self,
        activity: &Activity,
        now: Instant,
        processes: &mut impl Processes,
    ) {
        let mut look = self.look.filter(|look| look.at <= now).map(|look| look.everywhere);
        if let Some(streaming) = activity.streaming {
            // Not only on a change: one reader may have followed another.
            look = look.max((streaming || self.reading.is_some()).then_some(streaming));
            self.streaming = streaming;
        }
        if self.reader_events == ReaderEvents::Nothing {
            self.note_openings(activity, now);
        }
        if activity.read {
            look = look.max(self.reading.is_none().then_some(true));
            let due = now + READ_PAUSE;
            self.reading = Some(Reading { due, listening: false, unread_since: None });
        }
        if activity.closed > 0 && !self.openers.is_empty() {
            look = look.max(Some(false));
        }
        if let Some(everywhere) = look {
            self.look_at(processes, everywhere, activity.closed > 0);
            self.plan_look(now);
        }
        let readers_left = self.openers.iter().any(|opener| !opener.maps);
        if activity.closed_after_read && !readers_left {
            self.reading = None;
        }
        self.listen_for_reads(now);
        self.note_visit(activity, now);
        if !self.is_watched() && self.reader_events != ReaderEvents::Nothing {
            self.openers.clear();
        }
    }

    /// A frame was written.
    pub(super) fn wrote(&mut self, now: impl FnOnce() -> Instant) {
        if let Some(Reading { listening: true, unread_since: unread @ None, .. }) =
            &mut self.reading
        {
            *unread = Some(now());
        }
    }

    /// When there is something to do although nothing is told.
    pub(super) fn due(&self) -> Option<Instant> {
        let look = self.look.map(|look| look.at);
        let reading = self.reading.map(|reading| reading.due);
        let visit = self.visit.map(|visit| visit.next);
        look.into_iter().chain(reading).chain(visit).min()
    }

    /// What to listen for.
    pub(super) fn wanted(&self) -> Wanted {
        Wanted {
            opens: true,
            closes: true,
            reads: self.reader_events != ReaderEvents::All
                && self.reading.is_none_or(|reading| reading.listening),
        }
    }

    /// Who watches.
    pub(super) fn audience(&self) -> Audience {
        if !self.is_watched() {
            return Audience { renewal_due: self.renewal_due, ..Audience::nobody() };
        }
        let any_maps = self.openers.iter().any(|opener| opener.maps);
        let by_mmap = self.streaming || self.reader_events == ReaderEvents::Nothing;
        // From 0.14 on there is one reader, by mmap or by read().
        let by_read =
            self.reading.is_some() || (self.reader_events == ReaderEvents::All && !any_maps);
        let watches = |opener: &&Opener| if opener.maps { by_mmap } else { by_read };
        let watchers = self.openers.iter().filter(watches);
        let watchers = watchers.map(|opener| opener.holder.clone()).collect();
        Audience { watched: true, watchers, renewal_due: false }
    }

    fn is_watched(&self) -> bool {
        let maps = || self.openers.iter().any(|opener| opener.maps);
        self.streaming
            || self.reading.is_some()
            || self.unseen.is_some()
            || (self.reader_events == ReaderEvents::Nothing && maps())
    }

    /// Whether what was written last is to get the time of now, and when to ask that again.
    fn note_visit(&mut self, activity: &Activity, now: Instant) {
        self.renewal_due = false;
        // Who watches is written to.
        if self.is_watched() {
            self.visit = None;
            return;
        }
        if activity.opened > 0 {
            let open = self.visit.map_or(0, |visit| visit.open).saturating_add(activity.opened);
            self.visit = Some(Visit { since: now, open, next: now });
        }
        let Some(visit) = &mut self.visit else { return };
        visit.open = visit.open.saturating_sub(activity.closed);
        let time = now.saturating_duration_since(visit.since);
        if time >= if visit.open > 0 { LONGEST_VISIT } else { SHORT_VISIT } {
            self.visit = None;
        } else if now >= visit.next {
            visit.next = now + RENEWAL;
            self.renewal_due = true;
        }
    }

    fn note_openings(&mut self, activity: &Activity, now: Instant) {
        if let Some(openings) = &mut self.unseen {
            *openings += activity.opened;
            // One that came later has gone, or else the one that cannot be seen.
            match openings.checked_sub(activity.closed) {
                Some(left) => *openings = left,
                None => self.unseen = None,
            }
        }
        if activity.opened > 0 {
            self.interval = FIRST_LOOK;
            self.look = Some(Look { at: now + FIRST_LOOK, everywhere: true });
        }
        if activity.opened > 0 || activity.closed > 0 {
            self.opened_at = activity.opened_last.then_some(now);
        }
    }

    fn look_at(&mut self, processes: &mut impl Processes, everywhere: bool, closed: bool) {
        let before = self.openers.len();
        if !everywhere {
            self.openers = processes.among(&self.openers);
        }
        // Left without closing it: handed on to a child or another process.
        let handed_on = !everywhere && !closed && self.openers.len() < before;
        if everywhere || handed_on {
            self.openers = processes.everywhere();
        }
    }

    /// After a look: when to look again.
    fn plan_look(&mut self, now: Instant) {
        if self.reader_events != ReaderEvents::Nothing {
            return;
        }
        if !self.openers.is_empty() {
            self.opened_at = None;
        }
        let look_after_opening = self.look.filter(|look| look.at > now);
        self.look = if let Some(opened_at) = self.opened_at {
            let deadline = opened_at + UNSEEN_AFTER;
            if now >= deadline {
                self.opened_at = None;
                self.unseen = Some(0);
                None
            } else {
                Some(Look { at: deadline, everywhere: true })
            }
        } else if self.openers.is_empty() {
            None
        } else {
            self.interval =
                if self.is_watched() { SLOWEST_LOOK } else { SLOWEST_LOOK.min(self.interval * 2) };
            Some(Look { at: now + self.interval, everywhere: false })
        };
        // A look at everybody that is due soon stays.
        if let Some(look) = look_after_opening.filter(|look| look.everywhere) {
            self.look = Some(look);
        }
    }

    fn listen_for_reads(&mut self, now: Instant) {
        let Some(reading) = &mut self.reading else { return };
        if reading.due > now {
            return;
        }
        let unread_for = reading.unread_since.map(|since| now.saturating_duration_since(since));
        if reading.listening && unread_for.is_some_and(|unread| unread >= UNREAD_FOR) {
            self.reading = None;
            return;
        }
        reading.listening = true;
        reading.due = now + READ_PAUSE;
    }
}

#[cfg(test)]
#[path = "readers_tests.rs"]
mod tests;
