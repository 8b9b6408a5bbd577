//! One connection to PipeWire, with the cameras that are there, and the stream from one of them.

use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use greenroom_device::{Codec, FrameRate, ModeChoice, Wake};
use greenroom_frame::SizePx;
use pipewire::core;
use pipewire::keys;
use pipewire::loop_::Timeout;
use pipewire::node::{Node, NodeListener};
use pipewire::properties::properties;
use pipewire::registry;
use pipewire::spa::param::ParamType;

use super::facts::PipewireCameraInfo;
use super::formats::{Negotiated, modes, negotiated};
use super::listeners::{Shared, bind, listen_to_core, listen_to_registry};
use super::offers;
use super::stream::{InputStream, WantedStream};
use crate::connection::Connection;
use crate::error::PipewireError;
use crate::raw::Received;

/// What goes on with a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Link {
    /// PipeWire has not linked us yet.
    Awaited,
    /// With the camera that was chosen.
    Right,
    /// The camera has gone, or another has taken its place.
    Lost,
}

/// A connection to look at cameras, with a stream from one once it was chosen. Its fields are dropped in this order.
pub(crate) struct CameraSession {
    stream: Option<InputStream>,
    nodes: BTreeMap<u32, (NodeListener, Node)>,
    _registry_listener: registry::Listener,
    _core_listener: core::Listener,
    connection: Connection,
    shared: Rc<Shared>,
    /// The camera of the stream.
    chosen: Option<u32>,
    /// The registry tells of links. Over a connection of the portal it tells of cameras alone, and nothing else can be linked.
    sees_links: bool,
    /// Rung by libpipewire's data thread when a frame has come.
    frames: Wake,
}

impl CameraSession {
    /// Connects to the session's PipeWire, or over `descriptor`, without waiting for an answer.
    pub(super) fn connect(descriptor: Option<OwnedFd>) -> Result<Self, PipewireError> {
        let sees_links = descriptor.is_none();
        let connection = Connection::new(descriptor, |why| PipewireError::NoCamera { why })?;
        let Connection { core, registry, .. } = &connection;
        let shared = Rc::new(Shared::default());
        let core_listener = listen_to_core(core, &shared);
        let registry_listener = listen_to_registry(registry, &shared);
        Ok(Self {
            stream: None,
            nodes: BTreeMap::new(),
            _registry_listener: registry_listener,
            _core_listener: core_listener,
            connection,
            shared,
            chosen: None,
            sees_links,
            frames: Wake::new()
                .map_err(|error| PipewireError::NoCamera { why: error.to_string() })?,
        })
    }

    /// Readable when a frame has come: then [`newest`](Self::newest) makes it unreadable again.
    pub(super) fn frames_fd(&self) -> BorrowedFd<'_> {
        self.frames.as_fd()
    }

    /// Readable when PipeWire has something to tell.
    pub(super) fn fd(&self) -> BorrowedFd<'_> {
        self.connection.fd()
    }

    /// Takes in what PipeWire has told, after waiting for it for `patience`.
    pub(super) fn advance(&mut self, patience: Duration) -> Result<(), PipewireError> {
        self.connection.main_loop.loop_().iterate(Timeout::Finite(patience));
        match self.shared.error.borrow().clone() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Whether cameras have come or gone since this was asked last.
    pub(super) fn has_news(&mut self) -> bool {
        // An error is news, too.
        self.advance(Duration::ZERO).is_err() || self.shared.has_news.take()
    }

    /// The cameras that are there now, asked for what they are and what they offer; those that have not answered within
    /// `patience` make it an error. Modes as for [`modes`].
    pub(super) fn cameras(
        &mut self,
        wanted: Option<(SizePx, FrameRate)>,
        patience: Duration,
    ) -> Result<Vec<PipewireCameraInfo>, PipewireError> {
        let deadline = Instant::now() + patience;
        self.wait_for_answers(deadline)?;
        self.ask();
        self.wait_for_answers(deadline)?;
        let graph = self.shared.graph.borrow();
        let cameras = self.shared.cameras.borrow();
        Ok(cameras
            .iter()
            .map(|(id, told)| {
                let client = told.properties.get("client.id").and_then(|it| it.parse().ok());
                // A device's node belongs to the session manager.
                let client = client.and_then(|client| graph.client(client));
                let program = client.and_then(|client| client.name.clone());
                let pid = client.and_then(|client| client.peer_pid);
                let modes = modes(&told.formats, wanted);
                PipewireCameraInfo::new(*id, &told.properties, (program, pid), modes)
            })
            .collect())
    }

    /// Asks every camera what it is and what it offers.
    fn ask(&mut self) {
        let ids: Vec<u32> = self.shared.cameras.borrow().keys().copied().collect();
        self.nodes.retain(|id, _| ids.contains(id));
        for id in ids {
            if !self.nodes.contains_key(&id) {
                self.nodes.extend(bind(&self.connection.registry, &self.shared, id));
            }
        }
        for told in self.shared.cameras.borrow_mut().values_mut() {
            told.formats.clear();
        }
        for (_, node) in self.nodes.values() {
            node.enum_params(0, Some(ParamType::EnumFormat), 0, u32::MAX);
        }
    }

    fn wait_for_answers(&mut self, deadline: Instant) -> Result<(), PipewireError> {
        self.shared.is_told_all.set(false);
        let question = self.connection.core.sync(0).map_err(|_| PipewireError::NotRunning)?;
        self.shared.question.set(Some(question));
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            self.advance(left)?;
            if self.shared.is_told_all.get() {
                return Ok(());
            }
            if left.is_zero() {
                return Err(PipewireError::Silent);
            }
        }
    }

    /// Begins to stream from `camera`: in the mode that was chosen or, if another program has it in another, in that one.
    pub(super) fn start(
        &mut self,
        camera: &PipewireCameraInfo,
        choice: &ModeChoice,
    ) -> Result<(), PipewireError> {
        let is_listed = camera.modes.iter().any(|mode| {
            (mode.codec, mode.size) == (choice.codec, choice.size) && !mode.rates.is_empty()
        });
        let exact = offers::exact(choice.codec, choice.size, is_listed.then_some(choice.rate))?;
        let [raw, mjpeg] = offers::anything(choice.size, choice.rate)?;
        // By its number: another camera of the same name is another.
        let target = camera.serial.as_ref().unwrap_or(&camera.node_name);
        let properties = properties! {
            *keys::MEDIA_TYPE => "Video",
            *keys::MEDIA_CATEGORY => "Capture",
            *keys::MEDIA_ROLE => "Camera",
            *keys::NODE_NAME => "greenroom-input",
            *keys::NODE_DESCRIPTION => "greenroom",
            "target.object" => target.as_str(),
        };
        let jpeg_size = Some(choice.size).filter(|_| choice.codec == Codec::Mjpeg);
        let wanted = WantedStream {
            properties,
            node_id: None,
            formats: &[exact, raw, mjpeg],
            buffers: offers::buffers(jpeg_size)?,
        };
        let stream = InputStream::open(&self.connection, &self.shared, &self.frames, wanted)?;
        self.stream = Some(stream);
        self.chosen = Some(camera.id);
        Ok(())
    }

    /// Why the stream has ended, if it has.
    pub(super) fn failure(&self) -> Option<String> {
        self.stream.as_ref()?.failure()
    }

    /// Whose pictures come.
    pub(super) fn link(&self) -> Link {
        let (Some(stream), Some(chosen)) = (&self.stream, self.chosen) else {
            return Link::Lost;
        };
        if !self.shared.cameras.borrow().contains_key(&chosen) {
            return Link::Lost;
        }
        let graph = self.shared.graph.borrow();
        let sources = graph.sources_of(stream.node_id());
        let unseen = if self.sees_links { Link::Awaited } else { Link::Right };
        sources.fold(unseen, |link, source| match link {
            Link::Awaited | Link::Right if source == chosen => Link::Right,
            _ => Link::Lost,
        })
    }

    /// The format of the frames from now on, if it has changed since this was asked last; the inner `None` is one that
    /// greenroom cannot read.
    pub(super) fn new_format(&mut self, asked: FrameRate) -> Option<Option<Negotiated>> {
        self.shared.new_format.take().map(|format| negotiated(&format, asked))
    }

    /// The newest frame, if one has come since this was asked last, and how many older ones were passed over.
    pub(super) fn newest(&self) -> (Option<Received<'_>>, u32) {
        match &self.stream {
            Some(stream) if self.frames.clear() => stream.newest(),
            _ => (None, 0),
        }
    }
}
