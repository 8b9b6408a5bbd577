//! Tells the bus what has changed, on the thread "bus events".

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use greenroom_device::Wake;
use zbus::block_on;
use zbus::blocking::Connection;
use zbus::object_server::Interface;
use zbus::zvariant::OwnedValue;

use super::output::OutputObject;
use super::root::RootObject;
use super::{PATH, path_of};
use crate::control::{EventFeed, EventReceiver};
use crate::log;
use crate::terminal::printable_json;

/// The thread of one connection; dropped, it ends.
pub(super) struct Publisher {
    stop: Wake,
    thread: Option<JoinHandle<()>>,
}

/// The properties of one object, as they were told last.
type Properties = HashMap<String, OwnedValue>;

impl Publisher {
    /// Tells what `feed` says over `connection`, for the objects of so many outputs.
    ///
    /// # Errors
    /// When the system has no thread or descriptor left.
    pub(super) fn start(
        connection: Connection,
        feed: &Arc<EventFeed>,
        outputs: usize,
    ) -> io::Result<Self> {
        let (receiver, stop) = (feed.receiver()?, Wake::new()?);
        let ours = stop.clone();
        let thread = thread::Builder::new().name("bus events".into()).spawn(move || {
            let told = log::without_panic(|| publish(&connection, &receiver, outputs, &ours));
            // Without it nobody is told anything: another connection begins anew.
            if !matches!(told, Ok(Ok(()))) {
                let _ = connection.close();
            }
            match told {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!("bus: {error}"),
                Err(panic) => tracing::error!("bus: {panic}"),
            }
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.stop.ring();
        // What a panic there was is told.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Until `stop` rings or the bus has gone.
fn publish(
    connection: &Connection,
    receiver: &EventReceiver,
    outputs: usize,
    stop: &Wake,
) -> zbus::Result<()> {
    let mut root = properties::<RootObject>(connection, PATH)?;
    let mut of_outputs = Vec::new();
    for number in 0..outputs {
        of_outputs.push(properties::<OutputObject>(connection, &path_of(number))?);
    }
    loop {
        Wake::wait([stop, receiver.bell()], None);
        if stop.is_ringing() {
            return Ok(());
        }
        let events = receiver.take();
        if events.is_empty() {
            continue;
        }
        for event in events {
            let json = serde_json::to_string(&*event).expect("an event has string keys only");
            let json = printable_json(&json);
            let none = None::<&str>;
            connection.emit_signal(none, PATH, RootObject::name(), "Event", &json)?;
        }
        tell_changes::<RootObject>(connection, PATH, &mut root)?;
        for (number, told) in of_outputs.iter_mut().enumerate() {
            tell_changes::<OutputObject>(connection, &path_of(number), told)?;
        }
    }
}

/// What the object at `path` says now.
fn properties<I: Interface>(connection: &Connection, path: &str) -> zbus::Result<Properties> {
    let server = connection.object_server();
    let object = server.interface::<_, I>(path)?;
    let inner = connection.inner();
    let all = async {
        let emitter = object.signal_emitter();
        object.get().get_all(inner.object_server(), inner, None, emitter).await
    };
    Ok(block_on(all)?)
}

fn tell_changes<I: Interface>(
    connection: &Connection,
    path: &str,
    told: &mut Properties,
) -> zbus::Result<()> {
    let now = properties::<I>(connection, path)?;
    let changed: HashMap<&str, &OwnedValue> = now
        .iter()
        .filter(|(name, value)| told.get(*name) != Some(value))
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    if !changed.is_empty() {
        let body = (I::name(), changed, [""; 0].as_slice());
        let properties = "org.freedesktop.DBus.Properties";
        connection.emit_signal(None::<&str>, path, properties, "PropertiesChanged", &body)?;
    }
    *told = now;
    Ok(())
}
