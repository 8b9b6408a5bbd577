//! Buses: the connection to one, and greenroom on the session bus, for desktops and their tools.
//!
//! The object `/org/greenroom/Greenroom1` of the name `org.greenroom.Greenroom1` has the interface of the same name; each
//! output has an object below it. `docs/control.md` describes them. What is asked for there goes the way of the socket's
//! requests (`crate::control::Dispatcher`), with the trust of any program of the session.

mod asked;
mod connection;
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
/// The path of the object for all outputs; those of single ones lie below.
pub const PATH: &str = "/org/greenroom/Greenroom1";

/// How long the start waits for the session bus: one that hangs is no reason not to start.
const START_PATIENCE: Duration = Duration::from_secs(2);

/// Greenroom on the session bus, on a thread of its own that ends with the process.
pub struct Bus {
    dispatcher: mpsc::Sender<Dispatcher>,
}

impl Bus {
    /// Connects. To be called before other threads are started, as [`has_threads`] says; where there is no bus, nothing is
    /// left running.
    pub fn start() -> Self {
        let (dispatcher, served) = mpsc::channel();
        let (tell_begun, begun) = mpsc::channel();
        let thread = thread::Builder::new().name("bus".into());
        if let Err(error) = thread.spawn(move || live(tell_begun, &served)) {
            tracing::warn!("bus: no thread ({error}); greenroom is steered over its socket only");
        }
        // Where no thread could be had the sender is gone: no wait.
        let _ = begun.recv_timeout(START_PATIENCE);
        Self { dispatcher }
    }

    /// From now on, what is asked for on the bus is done by `dispatcher`. Only now the name is taken: who waits for it is
    /// served.
    pub fn serve(self, dispatcher: Dispatcher) {
        // It has ended where there is no bus.
        let _ = self.dispatcher.send(dispatcher);
    }
}

/// Connects, tells so, and serves whoever comes for as long as the process lives.
fn live(tell_begun: mpsc::Sender<()>, served: &mpsc::Receiver<Dispatcher>) {
    if !has_threads() {
        tracing::warn!(
            "bus: the system has no thread left; greenroom is steered over its socket only"
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
            tracing::warn!("bus: no word from the session bus ({error}); trying again");
            None
        }
        Err(panic) => return tracing::warn!("bus: {panic}"),
    };
    // Whoever started us may wait no longer.
    let _ = tell_begun.send(());
    drop(tell_begun);
    // Without it greenroom has not started.
    let Ok(dispatcher) = served.recv() else { return };
    let mut retry = BusRetry::default();
    loop {
        let since = Instant::now();
        let end = log::without_panic(|| {
            let connection = connection.take().map_or_else(|| connect(&address), Ok)?;
            serve(&connection, &dispatcher)
        });
        let why = match end {
            Ok(Ok(())) => "the session bus has gone".to_owned(),
            Ok(Err(error)) => error.to_string(),
            Err(panic) => panic,
        };
        tracing::debug!("bus: {why}; trying again");
        thread::sleep(retry.after(since.elapsed()));
    }
}

/// Serves over `connection` until it is closed.
fn serve(connection: &Connection, dispatcher: &Dispatcher) -> zbus::Result<()> {
    let server = connection.object_server();
    let outputs = dispatcher.feed().status().outputs.len();
    server.at(PATH, RootObject::new(dispatcher.clone()))?;
    for number in 0..outputs {
        server.at(path_of(number), OutputObject::new(dispatcher.clone(), number))?;
    }
    let publisher = Publisher::start(connection.clone(), dispatcher.feed(), outputs)?;
    // In the queue, so that the name is ours as soon as another program lets go of it; and nobody takes it from us. (Two
    // flags have none in common: it is how one writes none.)
    let no_flags = RequestNameFlags::DoNotQueue & RequestNameFlags::AllowReplacement;
    match connection.request_name_with_flags(NAME, no_flags)? {
        RequestNameReply::InQueue | RequestNameReply::Exists => tracing::warn!(
            "bus: another program has the name {NAME} on the session bus; until it lets go of it, this greenroom is \
             steered over its socket only"
        ),
        _ => tracing::debug!("bus: {NAME} is ours"),
    }
    connection.closed();
    drop(publisher);
    Ok(())
}

/// The path of output number `number`.
fn path_of(number: usize) -> String {
    format!("{PATH}/outputs/{number}")
}
