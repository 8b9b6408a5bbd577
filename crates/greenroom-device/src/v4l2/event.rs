use std::os::fd::AsFd;

use rustix::io::Errno;

use super::call::{self, call};
use super::device::Device;
use super::error::V4l2Error;
use super::raw;

/// Something that a device told by VIDIOC_DQEVENT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Event {
    /// Nothing (more) to tell.
    NotReady,
    /// The size of what comes in has changed: stop, ask for the format, start again.
    SourceChanged,
    /// v4l2loopback: how many readers stream now. 0.13 does not count those that call `read()`;
    /// from 0.14 on there is at most one, of either kind.
    Readers(u32),
    /// Anything else.
    Other,
}

impl Device {
    /// VIDIOC_SUBSCRIBE_EVENT for changes of the source that is selected now (VIDIOC_G_INPUT).
    /// False if the driver knows no such event.
    pub(crate) fn subscribe_source_change(&self) -> Result<bool, V4l2Error> {
        let mut input = 0;
        // A device without inputs to choose from has the one.
        let _ = call(self.as_fd(), &call::G_INPUT, &mut input);
        let raw = raw::EventSubscription {
            kind: raw::EVENT_SOURCE_CHANGE,
            id: input,
            ..raw::EventSubscription::default()
        };
        self.subscribe(raw)
    }

    /// VIDIOC_SUBSCRIBE_EVENT for v4l2loopback's readers; the first event tells of now. False if
    /// the driver knows no such event: 0.12 and before.
    pub(crate) fn subscribe_readers(&self) -> Result<bool, V4l2Error> {
        self.subscribe(raw::EventSubscription {
            kind: raw::EVENT_LOOPBACK_READERS,
            flags: raw::EVENT_SUB_SEND_INITIAL,
            ..raw::EventSubscription::default()
        })
    }

    fn subscribe(&self, mut raw: raw::EventSubscription) -> Result<bool, V4l2Error> {
        match call(self.as_fd(), &call::SUBSCRIBE_EVENT, &mut raw) {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.errno(), Some(Errno::NOTTY | Errno::INVAL)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// VIDIOC_DQEVENT.
    pub(crate) fn next_event(&self) -> Result<Event, V4l2Error> {
        let mut raw = raw::EventDesc::default();
        match call(self.as_fd(), &call::DQEVENT, &mut raw) {
            Ok(()) => Ok(event_of(&raw)),
            Err(error) if error.errno() == Some(Errno::NOENT) => Ok(Event::NotReady),
            Err(error) => Err(error),
        }
    }
}

pub(super) fn event_of(raw: &raw::EventDesc) -> Event {
    // `v4l2_event_src_change` and v4l2loopback's are one u32 at the start of the union.
    let first = raw.payload[0].to_ne_bytes();
    let first = u32::from_ne_bytes([first[0], first[1], first[2], first[3]]);
    match raw.kind {
        raw::EVENT_SOURCE_CHANGE if first & raw::SRC_CH_RESOLUTION != 0 => Event::SourceChanged,
        raw::EVENT_LOOPBACK_READERS => Event::Readers(first),
        _ => Event::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_told_apart() {
        let event = |kind, first: u32| {
            let mut raw = raw::EventDesc { kind, ..raw::EventDesc::default() };
            let [a, b, c, d] = first.to_ne_bytes();
            raw.payload[0] = u64::from_ne_bytes([a, b, c, d, 0xff, 0xff, 0xff, 0xff]);
            event_of(&raw)
        };
        assert_eq!(event(raw::EVENT_SOURCE_CHANGE, 1), Event::SourceChanged);
        assert_eq!(event(raw::EVENT_SOURCE_CHANGE, 2), Event::Other);
        assert_eq!(event(3, 1), Event::Other);
        assert_eq!(event(283_115_521, 0), Event::Readers(0));
        assert_eq!(event(283_115_521, 2), Event::Readers(2));
    }
}
