//! A reader of a preview.

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

/// A preview, for as long as this lives.
pub struct Preview {
    pub stream: UnixStream,
    pub layout: PreviewLayout,
    pub memory: File,
    bell: OwnedFd,
}

/// One picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    pub number: u64,
    pub is_placeholder: bool,
    pub bytes: Vec<u8>,
}

impl Preview {
    /// Asks at `socket` for one; the refusal if there is one.
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
            // It may be written meanwhile.
            if let Some(picture) = slot.filter(|picture| picture.number == newest) {
                return Some(picture);
            }
        }
        panic!("no picture stands still");
    }

    /// What lies in slot `index`; `None` while it is written.
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

    /// The next picture for which `is_it` holds.
    pub fn wait_for(&self, what: &str, is_it: impl Fn(&Picture) -> bool) -> Picture {
        let begun = Instant::now();
        loop {
            if let Some(picture) = self.newest().filter(&is_it) {
                return picture;
            }
            assert!(begun.elapsed() < PATIENCE, "never {what}");
            self.wait();
        }
    }

    /// Until there is another picture.
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

    /// Y, U, V near the upper left corner.
    pub fn corner(&self, picture: &Picture) -> [u8; 3] {
        let (width, height) = (self.layout.width_px as usize, self.layout.height_px as usize);
        let chroma = width * height + 2 * (width / 2) + 2;
        [4 * width + 4, chroma, chroma + width / 2 * (height / 2)].map(|at| picture.bytes[at])
    }
}
