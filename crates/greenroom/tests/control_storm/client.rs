//! A client of the control socket that sends anything and may be let go at any time.

use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use serde_json::Value;

use crate::air::PATIENCE;

pub struct Client {
    to: UnixStream,
    from: BufReader<UnixStream>,
}

impl Client {
    pub fn connect(path: &Path) -> Self {
        let to = UnixStream::connect(path).unwrap();
        to.set_read_timeout(Some(PATIENCE)).unwrap();
        to.set_write_timeout(Some(PATIENCE)).unwrap();
        let from = BufReader::new(to.try_clone().unwrap());
        Self { to, from }
    }

    /// `false` when greenroom has let it go.
    pub fn send(&mut self, bytes: &[u8]) -> bool {
        match self.to.write_all(bytes) {
            Ok(()) => true,
            Err(error) => {
                assert_ne!(error.kind(), ErrorKind::WouldBlock, "greenroom reads nothing");
                false
            }
        }
    }

    /// The next line; `None` when greenroom has let it go.
    pub fn line(&mut self) -> Option<Value> {
        let mut line = String::new();
        match self.from.read_line(&mut line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line:?}"))),
            Err(error) => {
                assert_ne!(error.kind(), ErrorKind::WouldBlock, "greenroom answers nothing");
                None
            }
        }
    }

    /// The next line that is no event.
    pub fn reply(&mut self) -> Option<Value> {
        loop {
            let line = self.line()?;
            if line.get("event").is_none() {
                return Some(line);
            }
        }
    }

    /// The reply to `request`, of a client that is not let go.
    pub fn ask(&mut self, request: &Value) -> Value {
        assert!(self.send(format!("{request}\n").as_bytes()), "{request}");
        self.reply().expect("a reply")
    }

    /// Whether greenroom has let it go, without reading anything.
    pub fn is_let_go(&self) -> bool {
        let mut fds = [PollFd::new(&self.to, PollFlags::empty())];
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut fds, Some(&now)).unwrap() > 0
    }

    /// How many bytes still come until the end.
    pub fn count_rest(mut self) -> usize {
        let mut bytes = 0;
        loop {
            let read = self.from.fill_buf().map_or(0, <[u8]>::len);
            if read == 0 {
                return bytes;
            }
            bytes += read;
            self.from.consume(read);
        }
    }
}
