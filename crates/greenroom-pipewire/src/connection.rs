//! A connection to PipeWire, as camera and reader both have one.

use std::os::fd::{BorrowedFd, OwnedFd};

use pipewire::context::ContextRc;
use pipewire::core::CoreRc;
use pipewire::keys;
use pipewire::main_loop::MainLoopRc;
use pipewire::properties::properties;
use pipewire::proxy::ProxyT;
use pipewire::registry::{GlobalObject, RegistryRc};
use pipewire::spa::utils::dict::DictRef;
use pipewire::types::ObjectType;

use crate::error::PipewireError;
use crate::raw::be_quiet;

/// Its fields are dropped in this order; who listens to one of them goes before.
pub(crate) struct Connection {
    pub(crate) registry: RegistryRc,
    pub(crate) core: CoreRc,
    _context: ContextRc,
    pub(crate) main_loop: MainLoopRc,
}

impl Connection {
    /// Connects to the session's PipeWire, or over `descriptor`, without waiting for an answer. `failed` makes the error of
    /// what libpipewire could not make.
    pub(crate) fn new(
        descriptor: Option<OwnedFd>,
        failed: fn(String) -> PipewireError,
    ) -> Result<Self, PipewireError> {
        pipewire::init();
        be_quiet();
        let failed = |what: &str| failed(format!("{what}: is libpipewire installed whole?"));
        let main_loop = MainLoopRc::new(None).map_err(|_| failed("no loop"))?;
        let about_us =
            properties! { *keys::APP_NAME => "greenroom", "application.id" => "greenroom" };
        let context =
            ContextRc::new(&main_loop, Some(about_us)).map_err(|_| failed("no context"))?;
        let core = match descriptor {
            Some(descriptor) => context.connect_fd_rc(descriptor, None),
            None => context.connect_rc(None),
        };
        // It says no more than that it failed; the socket was there.
        let core = core.map_err(|_| PipewireError::NotRunning)?;
        let registry = core.get_registry_rc().map_err(|_| failed("no registry"))?;
        Ok(Self { registry, core, _context: context, main_loop })
    }

    /// Readable when PipeWire has something to tell.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.main_loop.loop_().fd()
    }
}

/// Object `id`, which is a `kind`, to be asked; `None` if it has gone.
pub(crate) fn bind<T: ProxyT>(registry: &RegistryRc, id: u32, kind: ObjectType) -> Option<T> {
    let object: GlobalObject<&DictRef> = GlobalObject {
        id,
        permissions: pipewire::permissions::PermissionFlags::R,
        type_: kind,
        version: 0,
        props: None,
    };
    registry.bind(&object).ok()
}
