//! A client of the control socket that does not use greenroom's own client code.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use serde_json::Value;

use super::{Air, PATIENCE};

/// A connection that sends requests and receives replies and events.
pub struct Socket {
    pub to: UnixStream,
    from: BufReader<UnixStream>,
    /// Events that were received before an awaited reply.
    pub events: Vec<Value>,
}

impl Socket {
    pub fn of(air: &Air) -> Self {
        let to = UnixStream::connect(air.at("socket")).unwrap();
        to.set_read_timeout(Some(PATIENCE)).unwrap();
        let from = BufReader::new(to.try_clone().unwrap());
        Self { to, from, events: Vec::new() }
    }

    /// Sends `request` and returns the reply.
    pub fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.to, "{request}").unwrap();
        self.reply()
    }

    pub fn reply(&mut self) -> Value {
        loop {
            let line = self.line().expect("a reply");
            match line.get("event") {
                Some(event) => self.events.push(event.clone()),
                None => return line,
            }
        }
    }

    /// The next event.
    pub fn event(&mut self) -> Value {
        if !self.events.is_empty() {
            return self.events.remove(0);
        }
        let line = self.line().expect("an event");
        line["event"].clone()
    }

    /// The content of the next event with this name.
    pub fn event_called(&mut self, name: &str) -> Value {
        loop {
            if let Some(content) = self.event().get(name) {
                return content.clone();
            }
        }
    }

    /// The next line; `None` when greenroom has closed the connection.
    pub fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.from.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap()),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => None,
            Err(error) => panic!("{error}"),
        }
    }
}
