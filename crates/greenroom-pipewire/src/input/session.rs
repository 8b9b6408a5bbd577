//! One connection to PipeWire, with the cameras that are there, and the stream from one of them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use greenroom_device::{FrameRate, ModeChoice, Wake};
use greenroom_frame::SizePx;
use pipewire::context::ContextRc;
use pipewire::core::{self, CoreRc};
use pipewire::keys;
use pipewire::loop_::Timeout;
use pipewire::main_loop::MainLoopRc;
use pipewire::node::{Node, NodeListener};
use pipewire::properties::properties;
use pipewire::registry::{self, GlobalObject, RegistryRc};
use pipewire::spa::param::ParamType;
use pipewire::spa::utils::Direction;
use pipewire::spa::utils::dict::DictRef;
use pipewire::spa::utils::result::AsyncSeq;
use pipewire::stream::{Stream, StreamFlags, StreamListener, StreamRc, StreamState};
use pipewire::types::ObjectType;

use super::facts::PipewireCameraInfo;
use super::formats::{Negotiated, modes, negotiated};
use super::offers;
use crate::error::PipewireError;
use crate::graph::{Graph, Kind};
use crate::params::Param;
use crate::raw::{Received, be_quiet, newest};

/// A camera's properties and formats, as it has told them.
#[derive(Debug, Default)]
struct Told {
    properties: BTreeMap<String, String>,
    /// In PipeWire's binary form: they are read where a panic would be caught.
    formats: Vec<Vec<u8>>,
}

/// What callbacks write down.
#[derive(Default)]
struct Shared {
    cameras: RefCell<BTreeMap<u32, Told>>,
    graph: RefCell<Graph>,
    /// Cameras have come or gone since this was asked last.
    has_news: Cell<bool>,
    /// The number of our question whether all was told.
    question: Cell<Option<AsyncSeq>>,
    is_told_all: Cell<bool>,
    error: RefCell<Option<PipewireError>>,
    /// The stream's format, if it has changed since this was asked last.
    new_format: RefCell<Option<Vec<u8>>>,
}

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
    stream: Option<CameraStream>,
    nodes: BTreeMap<u32, (NodeListener, Node)>,
    _registry_listener: registry::Listener,
    registry: RegistryRc,
    _core_listener: core::Listener,
    core: CoreRc,
    _context: ContextRc,
    main_loop: MainLoopRc,
    shared: Rc<Shared>,
    /// The camera of the stream.
    chosen: Option<u32>,
    /// The registry tells of links. Over a connection of the portal it tells of cameras alone, and nothing else can be linked.
    sees_links: bool,
    /// Rung by libpipewire's data thread when a frame has come.
    frames: Wake,
}

/// A stream, with whoever listens to it.
struct CameraStream {
    _of_frames: StreamListener<()>,
    _listener: StreamListener<()>,
    stream: StreamRc,
}

impl Drop for CameraStream {
    /// The data thread stops before the listener that it calls goes.
    fn drop(&mut self) {
        if let Err(error) = self.stream.disconnect() {
            tracing::debug!("PipeWire input: {error}");
        }
    }
}

impl CameraSession {
    /// Connects to the session's PipeWire, or over `connection`, without waiting for an answer.
    pub(super) fn connect(connection: Option<OwnedFd>) -> Result<Self, PipewireError> {
        pipewire::init();
        be_quiet();
        let failed = |what: &str| {
            let why = format!("{what}: is libpipewire installed whole?");
            move |_| PipewireError::NoCamera { why }
        };
        let main_loop = MainLoopRc::new(None).map_err(failed("no loop"))?;
        let about_us =
            properties! { *keys::APP_NAME => "greenroom", "application.id" => "greenroom" };
        let context = ContextRc::new(&main_loop, Some(about_us)).map_err(failed("no context"))?;
        // It says no more than that it failed; the socket was there.
        let sees_links = connection.is_none();
        let core = match connection {
            Some(connection) => context.connect_fd_rc(connection, None),
            None => context.connect_rc(None),
        };
        let core = core.map_err(|_| PipewireError::NotRunning)?;
        let registry = core.get_registry_rc().map_err(failed("no registry"))?;
        let shared = Rc::new(Shared::default());
        let core_listener = listen_to_core(&core, &shared);
        let registry_listener = listen_to_registry(&registry, &shared);
        Ok(Self {
            stream: None,
            nodes: BTreeMap::new(),
            _registry_listener: registry_listener,
            registry,
            _core_listener: core_listener,
            core,
            _context: context,
            main_loop,
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
        self.main_loop.loop_().fd()
    }

    /// Takes in what PipeWire has told, after waiting for it for `patience`.
    pub(super) fn advance(&mut self, patience: Duration) -> Result<(), PipewireError> {
        self.main_loop.loop_().iterate(Timeout::Finite(patience));
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
                self.nodes.extend(bind(&self.registry, &self.shared, id));
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
        let question = self.core.sync(0).map_err(|_| PipewireError::NotRunning)?;
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
        let failed = |error: pipewire::Error| PipewireError::NoCamera { why: error.to_string() };
        let stream = StreamRc::new(self.core.clone(), "greenroom-input", properties);
        let stream = stream.map_err(failed)?;
        let listener = listen_to_stream(&stream, &self.shared)?;
        // Its closure is called by libpipewire's data thread, beside those of the other listener: all that it has is the bell.
        // (Without RT_PROCESS, libpipewire would have our loop call it. But while no iteration runs, its loop is nobody's, and
        // then the data thread calls what it has for it itself, and wakes nobody.)
        let bell = self.frames.clone();
        let of_frames = stream.add_local_listener().process(move |_, ()| bell.ring());
        let of_frames = of_frames.register().map_err(failed)?;
        // Not to be given another camera when this one goes.
        let flags = StreamFlags::AUTOCONNECT
            | StreamFlags::MAP_BUFFERS
            | StreamFlags::DONT_RECONNECT
            | StreamFlags::RT_PROCESS;
        let mut formats = [exact.pod()?, raw.pod()?, mjpeg.pod()?];
        let stream =
            self.stream.insert(CameraStream { _of_frames: of_frames, _listener: listener, stream });
        stream.stream.connect(Direction::Input, None, flags, &mut formats).map_err(failed)?;
        self.chosen = Some(camera.id);
        Ok(())
    }

    /// Why the stream has ended, if it has.
    pub(super) fn failure(&self) -> Option<String> {
        match self.stream.as_ref()?.stream.state() {
            StreamState::Error(why) => Some(why),
            StreamState::Unconnected => Some("it was disconnected".to_owned()),
            _ => None,
        }
    }

    /// Whose pictures come.
    pub(super) fn link(&self) -> Link {
        let (Some(CameraStream { stream, .. }), Some(chosen)) = (&self.stream, self.chosen) else {
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
            Some(CameraStream { stream, .. }) if self.frames.clear() => newest(stream),
            _ => (None, 0),
        }
    }
}

fn listen_to_core(core: &CoreRc, shared: &Rc<Shared>) -> core::Listener {
    let (told, of_errors) = (Rc::clone(shared), Rc::clone(shared));
    core.add_listener_local()
        .done(move |id, seq| {
            if id == core::PW_ID_CORE && told.question.get() == Some(seq) {
                told.is_told_all.set(true);
            }
        })
        .error(move |id, _, result, why| {
            tracing::debug!("PipeWire says of object {id}: {why} ({result})");
            // Of other objects: a camera that we asked may have gone meanwhile.
            if id == core::PW_ID_CORE
                && let Some(error) = PipewireError::of_input(result, why)
            {
                of_errors.error.borrow_mut().get_or_insert(error);
            }
        })
        .register()
}

fn listen_to_registry(registry: &RegistryRc, shared: &Rc<Shared>) -> registry::Listener {
    let (come, gone) = (Rc::clone(shared), Rc::clone(shared));
    registry
        .add_listener_local()
        .global(move |object| {
            let kind = match object.type_ {
                ObjectType::Node => Kind::Node,
                ObjectType::Link => Kind::Link,
                ObjectType::Client => Kind::Client,
                _ => return,
            };
            let Some(properties) = object.props else { return };
            come.graph.borrow_mut().add(object.id, kind, |key| properties.get(key));
            if kind == Kind::Node && properties.get("media.class") == Some("Video/Source") {
                let told = Told { properties: owned(properties), formats: Vec::new() };
                come.cameras.borrow_mut().insert(object.id, told);
                come.has_news.set(true);
            }
        })
        .global_remove(move |id| {
            gone.graph.borrow_mut().remove(id);
            if gone.cameras.borrow_mut().remove(&id).is_some() {
                gone.has_news.set(true);
            }
        })
        .register()
}

fn owned(properties: &DictRef) -> BTreeMap<String, String> {
    properties.iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Listens to what a camera tells of itself.
fn bind(
    registry: &RegistryRc,
    shared: &Rc<Shared>,
    id: u32,
) -> Option<(u32, (NodeListener, Node))> {
    let object: GlobalObject<&DictRef> = GlobalObject {
        id,
        permissions: pipewire::permissions::PermissionFlags::R,
        type_: ObjectType::Node,
        version: 0,
        props: None,
    };
    let node: Node = registry.bind(&object).ok()?;
    let (of_info, of_formats) = (Rc::clone(shared), Rc::clone(shared));
    let listener = node
        .add_listener_local()
        .info(move |info| {
            if let (Some(told), Some(properties)) =
                (of_info.cameras.borrow_mut().get_mut(&id), info.props())
            {
                told.properties.extend(owned(properties));
            }
        })
        .param(move |_, kind, _, _, param| {
            if let (ParamType::EnumFormat, Some(param), Some(told)) =
                (kind, param, of_formats.cameras.borrow_mut().get_mut(&id))
            {
                told.formats.push(param.as_bytes().to_vec());
            }
        })
        .register();
    Some((id, (listener, node)))
}

fn listen_to_stream(
    stream: &StreamRc,
    shared: &Rc<Shared>,
) -> Result<StreamListener<()>, PipewireError> {
    let [buffers, header] = offers::buffers()?;
    let of_format = Rc::clone(shared);
    stream
        .add_local_listener()
        .state_changed(|_, (), old, new| tracing::debug!("PipeWire input: {old:?} -> {new:?}"))
        .param_changed(move |stream, (), id, param| {
            if id == ParamType::Format.as_raw()
                && let Some(param) = param
            {
                of_format.new_format.replace(Some(param.as_bytes().to_vec()));
                ask_for_buffers(stream, &buffers, &header);
            }
        })
        .register()
        .map_err(|error| PipewireError::NoCamera { why: error.to_string() })
}

fn ask_for_buffers(stream: &Stream, buffers: &Param, header: &Param) {
    let params = buffers.pod().and_then(|buffers| Ok([buffers, header.pod()?]));
    let asked = params.map(|mut params| stream.update_params(&mut params));
    if !matches!(asked, Ok(Ok(()))) {
        tracing::error!("PipeWire cannot be asked for buffers");
    }
}
