//! The mask server: pictures over HTTP in, masks out, for several clients at once.
//!
//! One thread holds all connections (`connections.rs`); where each stands is its `ConnectionState` (`connection_state.rs`),
//! by which those that only wait are ended. What a web page sends is
//! refused (`origin.rs`). A request's body becomes a job in a fair queue; two
//! threads decode, one runs the network (`engine.rs`). Everything is bounded by [`Limits`].

mod answer;
mod body;
mod connection_state;
mod connections;
mod decode;
mod engine;
mod header;
mod limits;
mod listen;
mod mask;
mod origin;
mod queue;
mod refusal;
mod refusal_log;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use greenroom_matte::MatteMaker;
use tokio::sync::{Semaphore, oneshot};

use self::answer::ServerState;
use self::engine::Engine;
pub use self::engine::MakeMatte;
pub use self::limits::Limits;
pub use self::listen::{ListenError, listen};
use self::origin::OwnNames;
use self::refusal_log::RefusalLog;

/// A mask server that answers. Dropped, it ends at once: connections are closed as they stand.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers at `listener` with masks by `matte`, which `make` makes anew if it fails.
    ///
    /// # Errors
    /// When a thread or the listener cannot be set up.
    pub fn start(
        listener: TcpListener,
        limits: Limits,
        matte: MatteMaker,
        make: MakeMatte,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let about = format!(
            "greenroom's mask server, model {}. POST a JPEG, PNG or WebP picture; the answer is a \
             byte for each of its pixels, row by row: 1 = person, 0 = room.\n",
            matte.description().name
        );
        let engine = Engine::start(&limits, matte, make)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let serve = move || {
            let room = Arc::new(Semaphore::new(limits.bodies_bytes));
            let large = Semaphore::new(limits.large_pictures);
            let refusal_log = RefusalLog::default();
            let names = OwnNames::of_this_machine();
            let state =
                Rc::new(ServerState { limits, engine, room, large, refusal_log, about, names });
            let local = tokio::task::LocalSet::new();
            // Dropped at the end, the set takes all connections with it.
            local.block_on(&runtime, connections::serve(state, listener, stopped));
        };
        let thread = thread::Builder::new().name("masks".into()).spawn(serve)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens, with the port that the system chose if none was.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Dropping the sender tells it too.
        drop(self.stop.take());
        // Its panics were told by then.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
