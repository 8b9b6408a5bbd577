//! Programs that follow the status by its events, on the socket and on the bus.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use greenroom::protocol::{Event, SentEvent};
use greenroom::status::Status;
use serde_json::json;
use zbus::blocking::{Connection, MessageIterator};

use crate::air::bus::{Bus, NAME, PATH};
use crate::air::socket::Socket;
use crate::air::{Air, PATIENCE};
use crate::session_bus::connect;

/// One that follows: what it knows, and how it came to know it.
pub struct Subscriber {
    /// The status at the beginning, and every event since laid over it.
    pub known: Status,
    /// The number of the last event that was in the status at the beginning; on the bus it is not told.
    pub since: Option<u64>,
    pub seen: Vec<SentEvent>,
    events: Receiver<SentEvent>,
}

impl Subscriber {
    /// Over the socket.
    pub fn on_socket(air: &Air) -> Self {
        let mut socket = Socket::of(air);
        let subscribed = socket.ask(&json!({ "subscribe": {} }))["ok"]["subscribed"].take();
        let since = subscribed["seq"].as_u64();
        let known = serde_json::from_value(subscribed["status"].clone()).unwrap();
        let (send, events) = channel();
        thread::spawn(move || read_socket(socket, &send));
        Self { known, since: Some(since.unwrap()), seen: Vec::new(), events }
    }

    /// By the signal Event. What happens between the first signal and the answer to StatusJson is in both: events say how
    /// things are, so that it does no harm.
    pub fn on_bus(bus: &Bus) -> Self {
        let connection = connect(bus);
        let rule = format!("type='signal',interface='{NAME}',member='Event',path='{PATH}'");
        let signals = MessageIterator::for_match_rule(rule.as_str(), &connection, Some(1024));
        let (signals, known) = (signals.unwrap(), status_on_bus(&connection));
        let (send, events) = channel();
        thread::spawn(move || {
            for signal in signals.map_while(Result::ok) {
                let event: String = signal.body().deserialize().unwrap();
                if send.send(serde_json::from_str(&event).unwrap()).is_err() {
                    break;
                }
            }
        });
        Self { known, since: None, seen: Vec::new(), events }
    }

    /// Takes events until `last` has come.
    pub fn follow_until(&mut self, last: &Event) {
        loop {
            let sent = self.events.recv_timeout(PATIENCE).expect("an event");
            let is_last = sent.event == *last;
            sent.event.clone().apply(&mut self.known);
            self.seen.push(sent);
            if is_last {
                return;
            }
        }
    }
}

fn read_socket(mut socket: Socket, to: &Sender<SentEvent>) {
    let mut before = std::mem::take(&mut socket.events).into_iter();
    let mut next = || before.next().or_else(|| Some(socket.line()?["event"].take()));
    while let Some(event) = next() {
        if to.send(serde_json::from_value(event).unwrap()).is_err() {
            break;
        }
    }
}

fn status_on_bus(connection: &Connection) -> Status {
    let reply = connection.call_method(Some(NAME), PATH, Some(NAME), "StatusJson", &()).unwrap();
    let json: String = reply.body().deserialize().unwrap();
    serde_json::from_str(&json).unwrap()
}
