//! Hostile messages on the session bus. What is no D-Bus message at all ends at the bus daemon; this is what it lets through.

use std::collections::HashMap;

use zbus::blocking::Connection;
use zbus::message::{Flags, Message};
use zbus::zvariant::{DynamicType, Value};

use crate::air::bus::{Bus, NAME, PATH};
use crate::hostile;
use crate::random::Random;
use crate::session_bus::{OUTPUT, OUTPUT_PATH, PROPERTIES, connect, version};
use crate::storms::Counts;

/// Messages without a reply after which one is waited for, so that they come no faster than they are read.
const AT_ONCE: usize = 500;

const PATHS: [&str; 6] =
    [PATH, OUTPUT_PATH, "/", "/org", "/org/greenroom/Greenroom1/outputs/77", "/no/such/object"];
const INTERFACES: [&str; 5] =
    [NAME, OUTPUT, PROPERTIES, "org.freedesktop.DBus.Introspectable", "no.such.interface"];
const MEMBERS: [&str; 16] = [
    "Pause",
    "Resume",
    "Toggle",
    "Set",
    "ShowScene",
    "Next",
    "Snapshot",
    "Record",
    "StopRecording",
    "Request",
    "StatusJson",
    "Get",
    "GetAll",
    "Introspect",
    "Dance",
    "_",
];
const SMALL: [&str; 6] = ["Pause", "Resume", "Toggle", "Next", "StopRecording", "StatusJson"];
const NAMES: [&str; 12] = [
    "Paused",
    "IdleAfter",
    "Background",
    "Effects",
    "Fit",
    "Look",
    "Foreground",
    "Framing",
    "Scene",
    "Version",
    "Outputs",
    "Mood",
];

/// One who sends, and what became of it.
struct Sender {
    connection: Connection,
    random: Random,
    counts: Counts,
    /// Messages since the last whose reply was waited for.
    unread: usize,
}

/// Sends `count` messages.
pub fn send(bus: &Bus, seed: u64, count: usize) -> Counts {
    let (connection, random) = (connect(bus), Random::new(seed));
    let mut sender = Sender { connection, random, counts: Counts::default(), unread: 0 };
    (0..count).for_each(|_| sender.send_one());
    // What was sent before it has been read.
    version(&sender.connection).unwrap();
    sender.counts
}

impl Sender {
    fn send_one(&mut self) {
        let random = &mut self.random;
        let (path, interface) = (random.of(&PATHS), random.of(&INTERFACES));
        let member = random.of(&MEMBERS);
        let text = text(random);
        match random.below(16) {
            0 => self.call(path, interface, member, &()),
            1 => self.call(PATH, NAME, member, &(7u32, true)),
            2 => self.call(OUTPUT_PATH, OUTPUT, member, &(text.as_str(), 1.5f64)),
            3 => self.call(path, interface, member, &vec![text.as_bytes(); 3]),
            4 => self.call(PATH, NAME, "Request", &text),
            5 => {
                let member = self.random.of(&["ShowScene", "Snapshot"]);
                self.call(OUTPUT_PATH, OUTPUT, member, &text);
            }
            6 => self.call(OUTPUT_PATH, OUTPUT, "Record", &(text.as_str(), true)),
            7 | 8 => self.set_property(&text),
            9 => self.set(&text),
            10 => {
                let body = (interface, self.random.of(&NAMES));
                self.call(path, PROPERTIES, "Get", &body);
            }
            // Right by themselves, and too many.
            11..=14 => {
                let member = random.of(&SMALL);
                self.call(PATH, NAME, member, &());
            }
            _ => {
                let json = String::from_utf8_lossy(&hostile::line(&mut self.random)).into_owned();
                self.call(PATH, NAME, "Request", &without_nul(&json));
            }
        }
    }

    /// A property with a value that makes no sense, often of another type.
    fn set_property(&mut self, text: &str) {
        let random = &mut self.random;
        let (path, interface) = random.of(&[(PATH, NAME), (OUTPUT_PATH, OUTPUT)]);
        let value = variant(random, text);
        let body = (interface, random.of(&NAMES), value);
        self.call(path, PROPERTIES, "Set", &body);
    }

    /// Properties of a scene, or of nothing.
    fn set(&mut self, text: &str) {
        let random = &mut self.random;
        let count = random.of(&[0, 1, 3, 1000]);
        let text = if count > 3 { "x" } else { text };
        let properties: HashMap<String, Value<'_>> = (0..count)
            .map(|number| match random.below(3) {
                0 => (random.of(&NAMES).to_owned(), variant(random, text)),
                _ => (format!("Nothing{number}"), Value::U8(7)),
            })
            .collect();
        let (path, interface) = random.of(&[(PATH, NAME), (OUTPUT_PATH, OUTPUT)]);
        self.call(path, interface, "Set", &properties);
    }

    /// Calls a method; two times of three without waiting for a reply.
    fn call<B>(&mut self, path: &str, interface: &str, member: &str, body: &B)
    where
        B: serde::Serialize + DynamicType,
    {
        if self.random.below(3) > 0 {
            let call = Message::method_call(path, member).unwrap().destination(NAME).unwrap();
            let call = call.interface(interface).unwrap().with_flags(Flags::NoReplyExpected);
            self.connection.send(&call.unwrap().build(body).unwrap()).unwrap();
            self.unread += 1;
            if self.unread == AT_ONCE {
                self.unread = 0;
                version(&self.connection).unwrap();
            }
            return;
        }
        match self.connection.call_method(Some(NAME), path, Some(interface), member, body) {
            Ok(_) => self.counts.answered += 1,
            Err(zbus::Error::MethodError(..)) => self.counts.refused += 1,
            Err(error) => panic!("{interface} {member} at {path}: {error}"),
        }
    }
}

/// A text of no use, in one of thirty cases of 200 KiB.
fn text(random: &mut Random) -> String {
    match random.below(30) {
        0 => "x".repeat(200 << 10),
        _ => without_nul(&hostile::value(random)),
    }
}

/// D-Bus has no texts with that.
fn without_nul(text: &str) -> String {
    text.replace('\0', "?")
}

fn variant(random: &mut Random, text: &str) -> Value<'static> {
    match random.below(8) {
        0 => Value::Bool(true),
        1 => random.number().into(),
        2 => random.of(&[f64::NAN, f64::INFINITY, -1.0, 1e308]).into(),
        3 => vec![text.to_owned(); 20].into(),
        4 => (0..20).fold(Value::U8(1), |inner, _| Value::Value(Box::new(inner))),
        5 => (text.to_owned(), 5u8).into(),
        _ => text.to_owned().into(),
    }
}
