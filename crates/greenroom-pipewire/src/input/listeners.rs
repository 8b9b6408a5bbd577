//! The callbacks of a connection, and what they write down for it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use pipewire::core::{self, CoreRc};
use pipewire::node::{Node, NodeListener};
use pipewire::registry::{self, RegistryRc};
use pipewire::spa::param::ParamType;
use pipewire::spa::utils::dict::DictRef;
use pipewire::spa::utils::result::AsyncSeq;
use pipewire::stream::{Stream, StreamListener, StreamRc};
use pipewire::types::ObjectType;

use crate::connection;
use crate::error::PipewireError;
use crate::graph::{Graph, Kind};
use crate::params::Param;

/// A camera's properties and formats, as it has told them.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) properties: BTreeMap<String, String>,
    /// In PipeWire's binary form: they are read where a panic would be caught.
    pub(super) formats: Vec<Vec<u8>>,
}

/// What callbacks write down.
#[derive(Default)]
pub(super) struct Shared {
    pub(super) cameras: RefCell<BTreeMap<u32, Told>>,
    pub(super) graph: RefCell<Graph>,
    /// Cameras have come or gone since this was asked last.
    pub(super) has_news: Cell<bool>,
    /// The number of our question whether all was told.
    pub(super) question: Cell<Option<AsyncSeq>>,
    pub(super) is_told_all: Cell<bool>,
    pub(super) error: RefCell<Option<PipewireError>>,
    /// The stream's format, if it has changed since this was asked last.
    pub(super) new_format: RefCell<Option<Vec<u8>>>,
}

/// Listens to the connection.
pub(super) fn listen_to_core(core: &CoreRc, shared: &Rc<Shared>) -> core::Listener {
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

/// Listens to what comes and goes.
pub(super) fn listen_to_registry(registry: &RegistryRc, shared: &Rc<Shared>) -> registry::Listener {
    let (come, gone) = (Rc::clone(shared), Rc::clone(shared));
    registry
        .add_listener_local()
        .global(move |object| {
            let Some(kind) = Kind::of(&object.type_) else { return };
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
pub(super) fn bind(
    registry: &RegistryRc,
    shared: &Rc<Shared>,
    id: u32,
) -> Option<(u32, (NodeListener, Node))> {
    let node: Node = connection::bind(registry, id, ObjectType::Node)?;
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

/// Listens to the stream's format, and asks for `buffers` in each.
pub(super) fn listen_to_stream(
    stream: &StreamRc,
    shared: &Rc<Shared>,
    buffers: Vec<Param>,
) -> Result<StreamListener<()>, PipewireError> {
    let of_format = Rc::clone(shared);
    stream
        .add_local_listener()
        .state_changed(|_, (), old, new| tracing::debug!("PipeWire input: {old:?} -> {new:?}"))
        .param_changed(move |stream, (), id, param| {
            if id == ParamType::Format.as_raw()
                && let Some(param) = param
            {
                of_format.new_format.replace(Some(param.as_bytes().to_vec()));
                ask_for_buffers(stream, &buffers);
            }
        })
        .register()
        .map_err(|error| PipewireError::NoCamera { why: error.to_string() })
}

fn ask_for_buffers(stream: &Stream, buffers: &[Param]) {
    let params: Result<Vec<_>, _> = buffers.iter().map(Param::pod).collect();
    let asked = params.map(|mut params| stream.update_params(&mut params));
    if !matches!(asked, Ok(Ok(()))) {
        tracing::error!("PipeWire cannot be asked for buffers");
    }
}
