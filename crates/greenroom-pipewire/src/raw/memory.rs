use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr::{self, NonNull};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, ftruncate, memfd_create};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

/// Memory for one frame that other processes can map. Nobody can make it shorter, under those who read it.
#[derive(Debug)]
pub(super) struct Memory {
    fd: OwnedFd,
    at: NonNull<u8>,
    len_bytes: usize,
}

impl Memory {
    /// Memory for `len_bytes`, all zero.
    pub(super) fn new(len_bytes: usize) -> io::Result<Self> {
        let fd = memfd_create("greenroom", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&fd, len_bytes as u64)?;
        fcntl_add_seals(&fd, SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL)?;
        let access = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping where the kernel wants it, of memory that keeps its length (the seals).
        let at = unsafe { mmap(ptr::null_mut(), len_bytes, access, MapFlags::SHARED, &fd, 0) }?;
        let at = NonNull::new(at.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Self { fd, at, len_bytes })
    }

    /// The descriptor by which others map it.
    pub(super) fn fd(&self) -> RawFd {
        self.fd.as_raw_fd()
    }

    /// Where it is in this process, and as long as this lives.
    pub(super) fn at(&self) -> NonNull<u8> {
        self.at
    }

    /// Replaces what is in it. False if `bytes` are more than fit, and then nothing was written.
    pub(super) fn write(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > self.len_bytes {
            return false;
        }
        // SAFETY: the mapping has `len_bytes` bytes, and `bytes` is no part of it. Readers are other processes, and may see
        // a frame half written; both halves were composed.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.at.as_ptr(), bytes.len()) };
        true
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        // SAFETY: the mapping is this one's own, and nobody has its address any more.
        let _ = unsafe { munmap(self.at.as_ptr().cast(), self.len_bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_seen_by_whoever_has_the_descriptor() {
        let mut memory = Memory::new(5000).unwrap();
        assert!(memory.write(&[7; 5000]));
        assert!(!memory.write(&[9; 5001]));
        let mut seen = vec![0; 6000];
        assert_eq!(rustix::io::pread(&memory.fd, &mut seen, 0).unwrap(), 5000);
        assert!(seen[..5000].iter().all(|byte| *byte == 7));
        assert!(ftruncate(&memory.fd, 10).is_err());
    }
}
