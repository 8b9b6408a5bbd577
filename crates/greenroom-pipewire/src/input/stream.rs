//! A stream that takes frames.

use std::rc::Rc;

use greenroom_device::Wake;
use pipewire::properties::PropertiesBox;
use pipewire::spa::utils::Direction;
use pipewire::stream::{StreamFlags, StreamListener, StreamRc, StreamState};

use super::listeners::{Shared, listen_to_stream};
use crate::connection::Connection;
use crate::error::PipewireError;
use crate::params::Param;
use crate::raw::{Received, newest};

/// A stream, with whoever listens to it.
pub(super) struct InputStream {
    _of_frames: StreamListener<()>,
    _listener: StreamListener<()>,
    stream: StreamRc,
}

/// What is wanted of it.
pub(super) struct WantedStream<'a> {
    pub(super) properties: PropertiesBox,
    /// The node that it is of, unless the properties say so.
    pub(super) node_id: Option<u32>,
    /// What we take, the best first.
    pub(super) formats: &'a [Param],
    /// What is asked for in each format.
    pub(super) buffers: Vec<Param>,
}

impl InputStream {
    /// Begins a stream; `frames` rings when a frame has come.
    pub(super) fn open(
        connection: &Connection,
        shared: &Rc<Shared>,
        frames: &Wake,
        wanted: WantedStream<'_>,
    ) -> Result<Self, PipewireError> {
        let WantedStream { properties, node_id, formats, buffers } = wanted;
        let failed = |error: pipewire::Error| PipewireError::NoCamera { why: error.to_string() };
        let stream = StreamRc::new(connection.core.clone(), "greenroom-input", properties);
        let stream = stream.map_err(failed)?;
        let listener = listen_to_stream(&stream, shared, buffers)?;
        // Its closure is called by libpipewire's data thread, beside those of the other listener: all that it has is the bell.
        // (Without RT_PROCESS, libpipewire would have our loop call it. But while no iteration runs, its loop is nobody's, and
        // then the data thread calls what it has for it itself, and wakes nobody.)
        let bell = frames.clone();
        let of_frames = stream.add_local_listener().process(move |_, ()| bell.ring());
        let of_frames = of_frames.register().map_err(failed)?;
        // Not to be given another source when this one goes.
        let flags = StreamFlags::AUTOCONNECT
            | StreamFlags::MAP_BUFFERS
            | StreamFlags::DONT_RECONNECT
            | StreamFlags::RT_PROCESS;
        let mut formats = formats.iter().map(Param::pod).collect::<Result<Vec<_>, _>>()?;
        let opened = Self { _of_frames: of_frames, _listener: listener, stream };
        let stream = &opened.stream;
        stream.connect(Direction::Input, node_id, flags, &mut formats).map_err(failed)?;
        Ok(opened)
    }

    /// Why it has ended, if it has.
    pub(super) fn failure(&self) -> Option<String> {
        match self.stream.state() {
            StreamState::Error(why) => Some(why),
            StreamState::Unconnected => Some("it was disconnected".to_owned()),
            _ => None,
        }
    }

    /// The number of its node.
    pub(super) fn node_id(&self) -> u32 {
        self.stream.node_id()
    }

    /// The newest frame, and how many older ones were passed over.
    pub(super) fn newest(&self) -> (Option<Received<'_>>, u32) {
        newest(&self.stream)
    }
}

impl Drop for InputStream {
    /// The data thread stops before the listener that it calls goes.
    fn drop(&mut self) {
        if let Err(error) = self.stream.disconnect() {
            tracing::debug!("PipeWire input: {error}");
        }
    }
}
