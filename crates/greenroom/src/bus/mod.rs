//! Greenroom on the session bus, for desktops and their tools; and connections to D-Bus buses in general.
//!
//! The object `/org/greenroom/Greenroom1` of the name `org.greenroom.Greenroom1` has the interface of the same name;
//! each output has an object below it. `docs/control.md` describes them. Their requests go to the same
//! `crate::control::Dispatcher` as those of the socket, with `Trust::Session`.

mod connection;
mod forward;
mod output;
mod publisher;
mod root;

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use zbus::Address;
use zbus::blocking::Connection;
use zbus::fdo::{RequestNameFlags, RequestNameReply};

pub(crate) use self::connection::{BusRetry, connect, has_threads, is_no_bus};
use self::output::OutputObject;
use self::publisher::Publisher;
use self::root::RootObject;
use crate::control::Dispatcher;
use crate::log;

/// The name on the session bus.
pub const NAME: &str = "org.greenroom.Greenroom1";
/// The path of the object for all outputs; the objects of single outputs have paths below it.
pub const PATH: &str = "/org/greenroom/Greenroom1";

/// How long the start of greenroom waits for the session bus. If the bus hangs, greenroom starts without it.
const START_TIMEOUT: Duration = Duration::from_secs(2);

/// Greenroom on the session bus. It has a thread of its own, "bus", which ends with the process.
pub struct Bus {
    dispatcher: mpsc::Sender<Dispatcher>,
}

impl Bus {
    /// Connects to the session bus. Call this before other threads are started, because zbus needs threads (see
    /// `has_threads`). If there is no session bus, no thread is left running.
    pub fn start() -> Self {
        let (dispatcher, dispatchers) = mpsc::channel();
        let (send_connected, connected) = mpsc::channel();
        let thread = thread::Builder::new().name("bus".into());
        if let Err(error) = thread.spawn(move || run(send_connected, &dispatchers)) {
            tracing::warn!(
                "bus: no thread ({error}); greenroom is controlled over its socket only"
            );
        }
        // Without a thread the sender has been dropped, and this returns at once.
        let _ = connected.recv_timeout(START_TIMEOUT);
        Self { dispatcher }
    }

    /// Starts to pass requests to `dispatcher`. The bus name is requested only now, so that programs that wait for
    /// the name find greenroom ready.
    pub fn serve(self, dispatcher: Dispatcher) {
        // The send fails if there is no bus, because the thread has ended.
        let _ = self.dispatcher.send(dispatcher);
    }
}

/// The thread "bus": connects, reports that on `send_connected`, waits for the dispatcher and serves until the process
/// ends.
fn run(send_connected: mpsc::Sender<()>, dispatchers: &mpsc::Receiver<Dispatcher>) {
    if !has_threads() {
        tracing::warn!(
            "bus: the system has no thread left; greenroom is controlled over its socket only"
        );
        return;
    }
    let address = match Address::session() {
        Ok(address) => address,
        Err(error) => return tracing::info!("bus: no session bus ({error})"),
    };
    let mut connection = match log::without_panic(|| connect(&address)) {
        Ok(Ok(connection)) => Some(connection),
        Ok(Err(error)) if is_no_bus(&error) => {
            return tracing::debug!("bus: no session bus ({error})");
        }
        Ok(Err(error)) => {
            tracing::warn!("bus: cannot connect to the session bus ({error}); trying again");
            None
        }
        Err(panic) => return tracing::warn!("bus: {panic}"),
    };
    // `start` may have stopped waiting.
    let _ = send_connected.send(());
    drop(send_connected);
    // There is no dispatcher if greenroom failed to start.
    let Ok(dispatcher) = dispatchers.recv() else { return };
    let mut retry = BusRetry::default();
    loop {
        let since = Instant::now();
        let end = log::without_panic(|| {
            let connection = connection.take().map_or_else(|| connect(&address), Ok)?;
            serve(&connection, &dispatcher)
        });
        let why = match end {
            Ok(Ok(())) => "the session bus has closed the connection".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(panic) => panic,
        };
        tracing::debug!("bus: {why}; trying again");
        thread::sleep(retry.after(since.elapsed()));
    }
}

/// Serves requests and publishes events over `connection` until it is closed.
fn serve(connection: &Connection, dispatcher: &Dispatcher) -> zbus::Result<()> {
    let server = connection.object_server();
    let outputs = dispatcher.feed().status().outputs.len();
    server.at(PATH, RootObject::new(dispatcher.clone()))?;
    for number in 0..outputs {
        server.at(path_of(number), OutputObject::new(dispatcher.clone(), number))?;
    }
    let publisher = Publisher::start(connection.clone(), dispatcher.feed(), outputs)?;
    // Without flags, greenroom queues for the name if another program owns it, and no other program can take it over.
    // (Two different flags have no bit in common: the type has no other way to write "no flags".)
    let no_flags = RequestNameFlags::DoNotQueue & RequestNameFlags::AllowReplacement;
    match connection.request_name_with_flags(NAME, no_flags)? {
        RequestNameReply::InQueue | RequestNameReply::Exists => tracing::warn!(
            "bus: another program has the name {NAME} on the session bus; until it releases the name, this greenroom is \
             controlled over its socket only"
        ),
        _ => tracing::debug!("bus: greenroom owns the name {NAME}"),
    }
    connection.closed();
    drop(publisher);
    Ok(())
}

/// The path of the object of output number `number`.
fn path_of(number: usize) -> String {
    format!("{PATH}/outputs/{number}")
}
