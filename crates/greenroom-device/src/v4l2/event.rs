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
        let mut raw = raw::EventSubscription {
            kind: raw::EVENT_SOURCE_CHANGE,
            id: input,
            ..raw::EventSubscription::default()
        };
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

fn event_of(raw: &raw::EventDesc) -> Event {
    // `v4l2_event_src_change` is one u32 at the start of the union.
    let changes = raw.payload[0].to_ne_bytes();
    let changes = u32::from_ne_bytes([changes[0], changes[1], changes[2], changes[3]]);
    if raw.kind == raw::EVENT_SOURCE_CHANGE && changes & raw::SRC_CH_RESOLUTION != 0 {
        Event::SourceChanged
    } else {
        Event::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_new_resolution_is_a_change_of_source() {
        let event = |kind, first: u32| {
            let mut raw = raw::EventDesc { kind, ..raw::EventDesc::default() };
            let [a, b, c, d] = first.to_ne_bytes();
            raw.payload[0] = u64::from_ne_bytes([a, b, c, d, 0xff, 0xff, 0xff, 0xff]);
            event_of(&raw)
        };
        assert_eq!(event(raw::EVENT_SOURCE_CHANGE, 1), Event::SourceChanged);
        assert_eq!(event(raw::EVENT_SOURCE_CHANGE, 2), Event::Other);
        assert_eq!(event(3, 1), Event::Other);
    }
}
