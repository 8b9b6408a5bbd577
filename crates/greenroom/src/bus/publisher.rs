//! Emits events and property changes on the bus, on the thread "bus events".

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use greenroom_device::Wake;
use zbus::block_on;
use zbus::blocking::Connection;
use zbus::object_server::Interface;
use zbus::zvariant::OwnedValue;

use super::forward::take_property_set;
use super::output::OutputObject;
use super::root::RootObject;
use super::{PATH, path_of};
use crate::control::{EventFeed, EventReceiver};
use crate::log;
use crate::terminal::printable_json;

/// The publishing thread of one connection. Dropping it ends the thread.
pub(super) struct Publisher {
    stop: Wake,
    thread: Option<JoinHandle<()>>,
}

/// How long after a property was set the writable properties are published again, after what zbus emits.
const REPEAT_AFTER: Duration = Duration::from_millis(200);

/// The values of the properties of one object.
type Properties = HashMap<String, OwnedValue>;

impl Publisher {
    /// Starts to publish the events of `feed` over `connection`, for the root object and the objects of `outputs`
    /// outputs.
    ///
    /// # Errors
    /// When the system has no thread or descriptor left.
    pub(super) fn start(
        connection: Connection,
        feed: &Arc<EventFeed>,
        outputs: usize,
    ) -> io::Result<Self> {
        let (receiver, stop) = (feed.receiver()?, Wake::new()?);
        let thread_stop = stop.clone();
        let thread = thread::Builder::new().name("bus events".into()).spawn(move || {
            let result =
                log::without_panic(|| publish(&connection, &receiver, outputs, &thread_stop));
            // Close the connection, so that the thread "bus" opens a new one with a new publisher.
            if !matches!(result, Ok(Ok(()))) {
                let _ = connection.close();
            }
            match result {
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
        // The thread has caught and logged its panics.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Publishes until `stop` rings.
///
/// # Errors
/// When the bus has gone.
fn publish(
    connection: &Connection,
    receiver: &EventReceiver,
    outputs: usize,
    stop: &Wake,
) -> zbus::Result<()> {
    let mut root = properties::<RootObject>(connection, PATH)?;
    let mut output_properties = Vec::new();
    for number in 0..outputs {
        output_properties.push(properties::<OutputObject>(connection, &path_of(number))?);
    }
    let mut repeat_at: Option<Instant> = None;
    loop {
        let patience = repeat_at.map(|at| at.saturating_duration_since(Instant::now()));
        Wake::wait([stop, receiver.bell()], patience);
        if stop.is_ringing() {
            return Ok(());
        }
        let events = receiver.take();
        if take_property_set() {
            repeat_at = Some(Instant::now() + REPEAT_AFTER);
        }
        if repeat_at.take_if(|at| *at <= Instant::now()).is_some() {
            // What is not known to be published is published.
            RootObject::WRITABLE.iter().for_each(|name| drop(root.remove(*name)));
            for published in &mut output_properties {
                OutputObject::WRITABLE.iter().for_each(|name| drop(published.remove(*name)));
            }
        } else if events.is_empty() {
            continue;
        }
        for event in events {
            let json = serde_json::to_string(&*event).expect("an event has string keys only");
            let json = printable_json(&json);
            let none = None::<&str>;
            connection.emit_signal(none, PATH, RootObject::name(), "Event", &json)?;
        }
        emit_changes::<RootObject>(connection, PATH, &mut root)?;
        for (number, published) in output_properties.iter_mut().enumerate() {
            emit_changes::<OutputObject>(connection, &path_of(number), published)?;
        }
    }
}

/// The current properties of the object at `path`.
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

/// Emits the properties that differ from `published`, and updates `published`.
fn emit_changes<I: Interface>(
    connection: &Connection,
    path: &str,
    published: &mut Properties,
) -> zbus::Result<()> {
    let now = properties::<I>(connection, path)?;
    let changed: HashMap<&str, &OwnedValue> = now
        .iter()
        .filter(|(name, value)| published.get(*name) != Some(value))
        .map(|(name, value)| (name.as_str(), value))
        .collect();
    if !changed.is_empty() {
        let body = (I::name(), changed, [""; 0].as_slice());
        let properties = "org.freedesktop.DBus.Properties";
        connection.emit_signal(None::<&str>, path, properties, "PropertiesChanged", &body)?;
    }
    *published = now;
    Ok(())
}
