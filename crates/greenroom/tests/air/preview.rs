//! A client that reads a preview.

use std::fs::File;
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Instant;

use greenroom::protocol::PreviewLayout;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use serde_json::{Value, json};

use super::PATIENCE;

/// A running preview; it ends when this is dropped.
pub struct Preview {
    pub stream: UnixStream,
    pub layout: PreviewLayout,
    pub memory: File,
    bell: OwnedFd,
}

/// One picture of a preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub number: u64,
    pub is_placeholder: bool,
    pub bytes: Vec<u8>,
}

impl Preview {
    /// Requests a preview at `socket`; the error is greenroom's refusal.
    pub fn ask(socket: &Path, wanted: Value) -> Result<Self, String> {
        let stream = UnixStream::connect(socket).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        rustix::io::write(&stream, format!("{}\n", json!({ "preview": wanted })).as_bytes())
            .unwrap();
        let mut line = [0; 4096];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
        let mut enclosed = RecvAncillaryBuffer::new(&mut space);
        let parts = &mut [IoSliceMut::new(&mut line)];
        let read = recvmsg(&stream, parts, &mut enclosed, RecvFlags::CMSG_CLOEXEC).unwrap().bytes;
        let mut fds = enclosed.drain().flat_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => fds.collect::<Vec<_>>(),
            _ => Vec::new(),
        });
        let fds = [fds.next(), fds.next()];
        let reply: Value = serde_json::from_slice(&line[..read]).unwrap();
        if let Some(sentence) = reply["error"].as_str() {
            return Err(sentence.to_owned());
        }
        let layout = serde_json::from_value(reply["ok"]["preview"].clone()).unwrap();
        let [Some(memory), Some(bell)] = fds else { panic!("no descriptors with {reply}") };
        Ok(Self { stream, layout, memory: memory.into(), bell })
    }

    /// The newest picture; `None` before the first.
    pub fn newest(&self) -> Option<Picture> {
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            let newest = self.number_at(0);
            if newest == 0 {
                return None;
            }
            let slot = self.slot((newest - 1) % self.layout.slots);
            // greenroom may overwrite the slot while it is read.
            if let Some(picture) = slot.filter(|picture| picture.number == newest) {
                return Some(picture);
            }
        }
        panic!("no slot could be read before it was overwritten");
    }

    /// The picture in slot `index`; `None` while it is being written.
    pub fn slot(&self, index: u64) -> Option<Picture> {
        let at = self.layout.first_slot_bytes + index * self.layout.slot_bytes;
        let number = self.number_at(at);
        let mut header = vec![0; self.layout.header_bytes as usize];
        self.memory.read_exact_at(&mut header, at).unwrap();
        let mut bytes = vec![0; self.layout.picture_bytes as usize];
        self.memory.read_exact_at(&mut bytes, at + self.layout.header_bytes).unwrap();
        let is_whole = number != 0 && self.number_at(at) == number;
        is_whole.then(|| Picture { number, is_placeholder: header[16] == 1, bytes })
    }

    /// The next newest picture that `matches`.
    pub fn wait_for(&self, what: &str, matches: impl Fn(&Picture) -> bool) -> Picture {
        let begun = Instant::now();
        loop {
            if let Some(picture) = self.newest().filter(&matches) {
                return picture;
            }
            assert!(begun.elapsed() < PATIENCE, "never {what}");
            self.wait();
        }
    }

    /// Waits for another picture, but at most one second.
    fn wait(&self) {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let soon = Timespec { tv_sec: 1, tv_nsec: 0 };
        let mut fds = [PollFd::new(&self.bell, PollFlags::IN)];
        if poll(&mut fds, Some(&soon)).unwrap() > 0 {
            rustix::io::read(&self.bell, &mut [0u8; 8]).unwrap();
        }
    }

    fn number_at(&self, at: u64) -> u64 {
        let mut number = [0; 8];
        self.memory.read_exact_at(&mut number, at).unwrap();
        u64::from_le_bytes(number)
    }

    /// The Y, U and V samples near the upper left corner.
    pub fn corner(&self, picture: &Picture) -> [u8; 3] {
        let (width, height) = (self.layout.width_px as usize, self.layout.height_px as usize);
        let chroma = width * height + 2 * (width / 2) + 2;
        [4 * width + 4, chroma, chroma + width / 2 * (height / 2)].map(|at| picture.bytes[at])
    }
}
