//! One connection to PipeWire, and the camera that is made over it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::os::fd::BorrowedFd;
use std::rc::Rc;
use std::time::Duration;

use greenroom_device::{Holder, SinkMode};
use pipewire::client::{Client, ClientListener};
use pipewire::core::{self, CoreRc};
use pipewire::loop_::Timeout;
use pipewire::properties::properties;
use pipewire::registry::{self, RegistryRc};
use pipewire::spa::param::ParamType;
use pipewire::spa::utils::Direction;
use pipewire::spa::utils::result::AsyncSeq;
use pipewire::stream::{Stream, StreamFlags, StreamListener, StreamRc, StreamState};
use pipewire::types::ObjectType;
use pipewire::{keys, properties::PropertiesBox};

use crate::clients::holder;
use crate::connection::{self, Connection};
use crate::error::PipewireError;
use crate::graph::{ClientFacts, Graph, Kind};
use crate::opener::PipewireCamera;
use crate::params::{self, Param};
use crate::raw::{Buffers, Frame, Sent};

/// What PipeWire answers when the connection is over, or nobody listens.
const GONE: [i32; 3] = [-32, -104, -111];
/// What it answers when something is not allowed.
const NOT_ALLOWED: [i32; 2] = [-1, -13];

/// What a session has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// PipeWire has not answered all yet.
    Waiting,
    /// The camera is there.
    Ready,
}

/// What callbacks write down.
struct Shared {
    graph: RefCell<Graph>,
    /// The number of our question whether all objects were told.
    question: Cell<Option<AsyncSeq>>,
    is_told_all: Cell<bool>,
    error: RefCell<Option<PipewireError>>,
    buffers: Rc<RefCell<Buffers>>,
}

impl Shared {
    fn new(len_bytes: usize) -> Self {
        Self {
            graph: RefCell::default(),
            question: Cell::default(),
            is_told_all: Cell::default(),
            error: RefCell::default(),
            buffers: Rc::new(RefCell::new(Buffers::new(len_bytes))),
        }
    }
}

/// A connection, with a stream once its name is known to be free. Its fields are dropped in this order.
pub(crate) struct Session {
    stream: Option<(StreamListener<()>, StreamRc)>,
    clients: BTreeMap<u32, (ClientListener, Client)>,
    _registry_listener: registry::Listener,
    _core_listener: core::Listener,
    connection: Connection,
    shared: Rc<Shared>,
    camera: PipewireCamera,
    mode: SinkMode,
}

impl Session {
    /// Connects, without waiting for an answer.
    pub(crate) fn connect(camera: PipewireCamera, mode: SinkMode) -> Result<Self, PipewireError> {
        let connection = Connection::new(None, |why| PipewireError::Failed { why })?;
        let Connection { core, registry, .. } = &connection;
        let shared = Rc::new(Shared::new(params::frame(mode)?.len_bytes()));
        let core_listener = listen_to_core(core, &shared);
        let registry_listener = listen_to_registry(registry, &shared);
        shared.question.set(Some(core.sync(0).map_err(|_| PipewireError::NotRunning)?));
        Ok(Self {
            stream: None,
            clients: BTreeMap::new(),
            _registry_listener: registry_listener,
            _core_listener: core_listener,
            connection,
            shared,
            camera,
            mode,
        })
    }

    /// Readable when PipeWire has something to tell.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.connection.fd()
    }

    /// Takes in what PipeWire has told, after waiting for it for `patience`. Makes the camera as soon as its name is known
    /// to be free.
    pub(crate) fn advance(&mut self, patience: Duration) -> Result<Progress, PipewireError> {
        self.connection.main_loop.loop_().iterate(Timeout::Finite(patience));
        if let Some(error) = self.shared.error.borrow().clone() {
            return Err(error);
        }
        let Some((_, stream)) = &self.stream else {
            if self.shared.is_told_all.get() {
                self.make_camera()?;
            }
            return Ok(Progress::Waiting);
        };
        match stream.state() {
            StreamState::Error(why) if is_refusal(&why) => Err(PipewireError::Denied { why }),
            StreamState::Error(why) => Err(PipewireError::Failed { why }),
            StreamState::Unconnected => Err(PipewireError::NotRunning),
            StreamState::Connecting => Ok(Progress::Waiting),
            StreamState::Paused | StreamState::Streaming => Ok(Progress::Ready),
        }
    }

    /// Whether somebody takes frames now.
    pub(crate) fn is_watched(&self) -> bool {
        let stream = self.stream.as_ref();
        stream.is_some_and(|(_, stream)| matches!(stream.state(), StreamState::Streaming))
    }

    /// Who is linked to the camera, as far as PipeWire has told of them.
    pub(crate) fn watchers(&mut self) -> Vec<Holder> {
        let Some((_, stream)) = &self.stream else { return Vec::new() };
        let graph = self.shared.graph.borrow();
        let readers = graph.readers_of(stream.node_id());
        self.clients.retain(|client, _| readers.contains(client));
        let mut watchers: Vec<Holder> = Vec::new();
        for client in readers {
            if !self.clients.contains_key(&client) {
                self.clients.extend(ask(&self.connection.registry, &self.shared, client));
            }
            let facts = graph.client(client).filter(|facts| facts.is_complete);
            if let Some(holder) = facts.map(holder).filter(|it| it.pid != std::process::id())
                && !watchers.contains(&holder)
            {
                watchers.push(holder);
            }
        }
        watchers.sort_by_key(|holder| holder.pid);
        watchers
    }

    /// Gives a frame to those who watch.
    pub(crate) fn send(&mut self, frame: Frame<'_>) -> Sent {
        match &self.stream {
            Some((_, stream)) => self.shared.buffers.borrow_mut().send(stream, frame),
            None => Sent::NoBuffer,
        }
    }

    /// Puts `bytes` into every buffer that there is and that will come.
    pub(crate) fn cover(&mut self, bytes: &[u8]) {
        self.shared.buffers.borrow_mut().cover(bytes);
    }

    fn make_camera(&mut self) -> Result<(), PipewireError> {
        let PipewireCamera { node_name, description } = &self.camera;
        if let Some(client) = self.shared.graph.borrow().camera_called(node_name) {
            let holder = client.map_or_else(|| "a device".to_owned(), |it| holder(it).to_string());
            return Err(PipewireError::NameTaken { name: node_name.clone(), holder });
        }
        let properties = properties! {
            *keys::MEDIA_CLASS => "Video/Source",
            *keys::MEDIA_ROLE => "Camera",
            *keys::MEDIA_TYPE => "Video",
            *keys::MEDIA_CATEGORY => "Capture",
            *keys::NODE_NAME => node_name.as_str(),
            *keys::NODE_DESCRIPTION => description.as_str(),
        };
        let stream = new_stream(&self.connection.core, node_name, properties)?;
        let listener = listen_to_stream(&stream, &self.shared, self.mode)?;
        let format = params::format(self.mode)?;
        // No callback of ours runs on libpipewire's data thread: none is registered for `process`.
        // PipeWire allocates the buffers. Were they ours, PipeWire 0.3.65 would now and then link a reader before it has been
        // told where they are, and that reader would get no picture.
        let flags = StreamFlags::DRIVER | StreamFlags::MAP_BUFFERS | StreamFlags::RT_PROCESS;
        stream
            .connect(Direction::Output, None, flags, &mut [format.pod()?])
            .map_err(|error| PipewireError::Failed { why: error.to_string() })?;
        self.stream = Some((listener, stream));
        Ok(())
    }
}

fn new_stream(
    core: &CoreRc,
    name: &str,
    properties: PropertiesBox,
) -> Result<StreamRc, PipewireError> {
    StreamRc::new(core.clone(), name, properties)
        .map_err(|error| PipewireError::Failed { why: error.to_string() })
}

fn is_refusal(why: &str) -> bool {
    ["not permitted", "denied", "no permission"].iter().any(|words| why.contains(words))
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
            // Of other objects: a program that we asked for may have gone meanwhile.
            if id != core::PW_ID_CORE {
                return;
            }
            let why = why.to_owned();
            let error = match result {
                result if GONE.contains(&result) => PipewireError::NotRunning,
                result if NOT_ALLOWED.contains(&result) => PipewireError::Denied { why },
                _ => return,
            };
            of_errors.error.borrow_mut().get_or_insert(error);
        })
        .register()
}

fn listen_to_registry(registry: &RegistryRc, shared: &Rc<Shared>) -> registry::Listener {
    let (come, gone) = (Rc::clone(shared), Rc::clone(shared));
    registry
        .add_listener_local()
        .global(move |object| {
            let Some(kind) = Kind::of(&object.type_) else { return };
            if let Some(properties) = object.props {
                come.graph.borrow_mut().add(object.id, kind, |key| properties.get(key));
            }
        })
        .global_remove(move |id| gone.graph.borrow_mut().remove(id))
        .register()
}

/// Asks PipeWire for all that `client` says of itself.
fn ask(
    registry: &RegistryRc,
    shared: &Rc<Shared>,
    client: u32,
) -> Option<(u32, (ClientListener, Client))> {
    let proxy: Client = connection::bind(registry, client, ObjectType::Client)?;
    let shared = Rc::clone(shared);
    let listener = proxy
        .add_listener_local()
        .info(move |info| {
            if let Some(properties) = info.props() {
                let facts = ClientFacts::read(|key| properties.get(key), true);
                shared.graph.borrow_mut().complete(client, facts);
            }
        })
        .register();
    Some((client, (listener, proxy)))
}

fn listen_to_stream(
    stream: &StreamRc,
    shared: &Rc<Shared>,
    mode: SinkMode,
) -> Result<StreamListener<()>, PipewireError> {
    let [buffers, header] = params::buffers(mode)?;
    let listener = stream.add_local_listener();
    Buffers::follow(&shared.buffers, listener)
        .state_changed(|_, (), old, new| tracing::debug!("PipeWire stream: {old:?} -> {new:?}"))
        .param_changed(move |stream, (), id, param| {
            // Without a parameter: the session manager has suspended the camera, or the last reader has left.
            if id == ParamType::Format.as_raw() && param.is_some() {
                offer_buffers(stream, &buffers, &header);
            }
        })
        .register()
        .map_err(|error| PipewireError::Failed { why: error.to_string() })
}

fn offer_buffers(stream: &Stream, buffers: &Param, header: &Param) {
    let params = buffers.pod().and_then(|buffers| Ok([buffers, header.pod()?]));
    let offered = params.map(|mut params| stream.update_params(&mut params));
    if !matches!(offered, Ok(Ok(()))) {
        tracing::error!("PipeWire takes no buffers");
    }
}
