//! A client that can also do what none should.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use rustix::net::{AddressFamily, SocketType, bind, connect, socket};

/// Longest wait for something that comes soon on any machine, however slow or busy.
pub const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// That this is a refusal in one sentence.
    #[track_caller]
    pub fn refuses(&self, status: u16, part: &str) {
        let text = String::from_utf8_lossy(&self.body);
        assert_eq!(self.status, status, "{text}");
        assert!(text.contains(part) && text.lines().count() == 1, "{text}");
        assert!(self.head.contains("content-type: text/plain"), "{}", self.head);
    }
}

pub struct Client {
    pub stream: TcpStream,
    ahead: Vec<u8>,
}

impl Client {
    pub fn new(server: SocketAddr) -> Self {
        Self::on(TcpStream::connect(server).unwrap())
    }

    /// A client with another of this machine's loopback addresses, 127.0.0.`last`.
    pub fn from(last: u8, server: SocketAddr) -> Self {
        let address = SocketAddr::from(([127, 0, 0, last], 0));
        let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        bind(&socket, &address).unwrap();
        connect(&socket, &server).unwrap();
        Self::on(socket.into())
    }

    fn on(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self { stream, ahead: Vec::new() }
    }

    pub fn send(&mut self, bytes: &[u8]) -> &mut Self {
        self.stream.write_all(bytes).unwrap();
        self
    }

    pub fn post(&mut self, body: &[u8]) -> Answer {
        self.send(&post(body)).answer()
    }

    /// As [`post`](Self::post); `None` when the server has closed or closes instead.
    pub fn try_post(&mut self, body: &[u8]) -> Option<Answer> {
        self.stream.write_all(&post(body)).ok()?;
        self.try_answer()
    }

    pub fn half_close(&mut self) -> &mut Self {
        self.stream.shutdown(Shutdown::Write).unwrap();
        self
    }

    fn more(&mut self) -> bool {
        let mut part = vec![0; 64 << 10];
        match self.stream.read(&mut part) {
            Ok(read) => {
                self.ahead.extend_from_slice(&part[..read]);
                read > 0
            }
            Err(error) if error.kind() == ErrorKind::ConnectionReset => false,
            Err(error) => panic!("{error}"),
        }
    }

    /// The next answer, or `None` when the server closes before its end.
    pub fn try_answer(&mut self) -> Option<Answer> {
        let end = loop {
            match self.ahead.windows(4).position(|four| four == b"\r\n\r\n") {
                Some(at) => break at + 4,
                None if !self.more() => return None,
                None => {}
            }
        };
        let head = String::from_utf8(self.ahead.drain(..end).collect()).unwrap();
        let head = head.to_ascii_lowercase();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length: usize = length.map_or(0, |length| length.parse().unwrap());
        while self.ahead.len() < length {
            if !self.more() {
                return None;
            }
        }
        Some(Answer { status, head, body: self.ahead.drain(..length).collect() })
    }

    pub fn answer(&mut self) -> Answer {
        self.try_answer().expect("the server closed instead of answering")
    }

    /// Waits until the server closes, without a word.
    pub fn is_let_go(&mut self) {
        while self.more() {}
        assert!(self.ahead.is_empty(), "{:?}", String::from_utf8_lossy(&self.ahead));
    }

    /// Waits until the server has closed its end, without reading what it sent.
    pub fn wait_until_closed_there(&self) {
        let (here, there) = (self.stream.local_addr().unwrap(), self.stream.peer_addr().unwrap());
        // The kernel's table has addresses as hexadecimal numbers in the machine's byte order.
        let text = |at: SocketAddr| match at {
            SocketAddr::V4(at) => {
                let ip = u32::from_ne_bytes(at.ip().octets());
                format!("{ip:08X}:{:04X}", at.port())
            }
            SocketAddr::V6(_) => unreachable!("these tests speak IPv4"),
        };
        let end = format!(" {} {} ", text(there), text(here));
        let since = Instant::now();
        loop {
            let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
            let state = table.lines().find_map(|line| line.split_once(&end)).map(|line| line.1);
            // 01 is an established connection.
            if state.is_none_or(|state| !state.starts_with("01 ")) {
                return;
            }
            assert!(since.elapsed() < PATIENCE, "the server keeps the connection");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

pub fn post(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}
