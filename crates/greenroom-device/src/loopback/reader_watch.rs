//! Hears who comes to a loopback and leaves it: one descriptor for the driver's event, the node's
//! inotify and a timer.
//!
//! inotify hears of one inode. A container that has made a node of its own for the device
//! (`docker --device`) is heard by the driver's event alone: with 0.12 not at all, and with 0.13
//! only if it streams by mmap.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::fs::inotify::{self, ReadFlags, Reader, WatchFlags};
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};
use tracing::trace;

use super::Dialect;
use super::readers::{Activity, Processes, ReaderEvents, Readers, Wanted};
use crate::holder::{Opener, openers, still_openers};
use crate::node::{Node, refusal};
use crate::v4l2::{Device, Event, V4l2Error};
use crate::{Audience, DeviceError};

/// More of the driver's events than ever wait.
const EVENTS_AT_ONCE: usize = 8;

/// The ears of a sink.
#[derive(Debug)]
pub(super) struct ReaderWatch {
    epoll: OwnedFd,
    inotify: OwnedFd,
    timer: OwnedFd,
    node: PathBuf,
    listening_for: Option<Wanted>,
    timer_at: Option<Instant>,
    readers: Readers,
}

impl ReaderWatch {
    /// Begins to listen to a node that has been opened for writing. Its descriptor is readable at
    /// once, so that the first look is not forgotten.
    pub(super) fn new(node: &Node, dialect: Dialect) -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let inotify =
            inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
        let timer = timerfd_create(
            TimerfdClockId::Monotonic,
            TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK,
        )?;
        let add =
            |fd: BorrowedFd<'_>, events| epoll::add(&epoll, fd, EventData::new_u64(0), events);
        add(inotify.as_fd(), EventFlags::IN)?;
        add(timer.as_fd(), EventFlags::IN)?;
        // Before the subscription: 0.13 does not put a poller on its list while an event waits.
        add(node.device.as_fd(), EventFlags::PRI)?;
        let has_event = node.device.subscribe_readers().unwrap_or(false);
        let reader_events = match (has_event, dialect) {
            (false, _) => ReaderEvents::Nothing,
            (true, Dialect::Late) => ReaderEvents::All,
            (true, _) => ReaderEvents::Streaming,
        };
        let mut reader_watch = Self {
            epoll,
            inotify,
            timer,
            node: node.path.clone(),
            listening_for: None,
            timer_at: None,
            readers: Readers::new(reader_events, Instant::now()),
        };
        reader_watch.listen()?;
        reader_watch.set_timer()?;
        Ok(reader_watch)
    }

    /// A frame was written.
    pub(super) fn wrote(&mut self) {
        self.readers.wrote(Instant::now);
    }

    /// Takes in all that was told; tells who watches. `name` is the device's, for people.
    pub(super) fn audience(
        &mut self,
        device: &Device,
        name: &str,
    ) -> Result<Audience, DeviceError> {
        let mut activity = self.hear_node(device, name)?;
        // Also of a driver without the event: if the device is gone, this says so.
        activity.streaming = streaming(device).map_err(|error| refusal(name, &self.node, error))?;
        // What has run out is known by the clock; this only makes the timer unreadable.
        if rustix::io::read(&self.timer, &mut [0u8; 8]).is_ok() {
            self.timer_at = None;
        }
        let mut processes = OfNode(&self.node);
        self.readers.update(&activity, Instant::now(), &mut processes);
        self.listen().and_then(|()| self.set_timer()).map_err(|errno| match errno {
            Errno::NOENT => DeviceError::Gone { what: name.to_owned() },
            errno => refusal(name, &self.node, V4l2Error::Os { call: "watching it", errno }),
        })?;
        let audience = self.readers.audience();
        trace!("{name}: {activity:?}: watched by {audience}");
        Ok(audience)
    }

    /// Reads what inotify has to tell.
    fn hear_node(&self, device: &Device, name: &str) -> Result<Activity, DeviceError> {
        let mut activity = Activity::default();
        let mut buffer = [MaybeUninit::uninit(); 1024];
        let mut events = Reader::new(&self.inotify, &mut buffer);
        let mut may_have_left = false;
        while let Ok(event) = events.next() {
            let flags = event.events();
            if flags.contains(ReadFlags::OPEN) {
                activity.opened += 1;
                activity.opened_last = true;
            } else if flags.intersects(ReadFlags::CLOSE_WRITE | ReadFlags::CLOSE_NOWRITE) {
                activity.closed += 1;
                activity.opened_last = false;
                activity.closed_after_read = true;
            } else if flags.contains(ReadFlags::ACCESS) {
                activity.read = true;
                activity.closed_after_read = false;
            } else if flags.contains(ReadFlags::QUEUE_OVERFLOW) {
                // Something was lost: look at everybody, as after an opening.
                activity.opened += 1;
            } else {
                may_have_left = true;
            }
        }
        // Not by its path: while this is told, the path still leads there for a moment.
        if may_have_left && rustix::fs::fstat(device).is_ok_and(|found| found.st_nlink == 0) {
            return Err(DeviceError::Gone { what: name.to_owned() });
        }
        Ok(activity)
    }

    /// Tells inotify what to listen for, if that has changed.
    fn listen(&mut self) -> Result<(), Errno> {
        let wanted = self.readers.wanted();
        if self.listening_for == Some(wanted) {
            return Ok(());
        }
        // An unlinked node that is still open tells of it by ATTRIB (its count of links).
        let mut flags = WatchFlags::ATTRIB | WatchFlags::DELETE_SELF;
        flags.set(WatchFlags::OPEN, wanted.opens);
        flags.set(WatchFlags::CLOSE, wanted.closes);
        flags.set(WatchFlags::ACCESS, wanted.reads);
        inotify::add_watch(&self.inotify, &self.node, flags)?;
        self.listening_for = Some(wanted);
        Ok(())
    }

    /// Sets the timer to what is due next, if that has changed.
    fn set_timer(&mut self) -> Result<(), Errno> {
        let due = self.readers.due();
        if due == self.timer_at {
            return Ok(());
        }
        // All zero disarms; what is due already comes in a nanosecond.
        let left = due.map_or(Duration::ZERO, |due| {
            due.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1))
        });
        let it_value = Timespec::try_from(left).map_err(|_| Errno::INVAL)?;
        let it_interval = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = Itimerspec { it_interval, it_value };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &value)?;
        self.timer_at = due;
        Ok(())
    }
}

impl AsFd for ReaderWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

/// Whether somebody streams, by the last of the events that wait.
pub(super) fn streaming(device: &Device) -> Result<Option<bool>, V4l2Error> {
    let mut streaming = None;
    // The kernel keeps one of them; a driver that goes on telling must not hold us here.
    for _ in 0..EVENTS_AT_ONCE {
        match device.next_event()? {
            Event::NotReady => break,
            Event::Readers(count) => streaming = Some(count > 0),
            Event::SourceChanged | Event::Other => {}
        }
    }
    Ok(streaming)
}

/// Who has a node open, by `/proc`.
struct OfNode<'a>(&'a PathBuf);

impl Processes for OfNode<'_> {
    fn everywhere(&mut self) -> Vec<Opener> {
        openers(self.0)
    }

    fn among(&mut self, known: &[Opener]) -> Vec<Opener> {
        still_openers(self.0, known)
    }
}
