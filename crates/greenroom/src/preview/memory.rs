//! The memory that a preview shares with its reader: a few small pictures, the newest named in front.

use std::io;
use std::os::fd::OwnedFd;
use std::time::Instant;

use greenroom_device::Wake;
use greenroom_frame::{
    Colour, ColourMatrix, ColourRange, FrameError, FrameLayout, FrameView, FrameViewMut,
    PixelFormat, SizePx, pack,
};
use rustix::fs::{MemfdFlags, Mode, OFlags, SealFlags};
use rustix::time::{ClockId, clock_gettime};

use crate::protocol::{PreviewFormat, PreviewLayout};

/// Pictures that the memory holds: one is being read, one is the newest, one is being written.
const SLOTS: u64 = 3;
/// Where the first slot begins, and what the length of a slot is a multiple of.
const PAGE_BYTES: u64 = 4096;
/// What lies in a slot before its picture.
const HEADER_BYTES: usize = 64;

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviewKind {
    /// A picture of the camera.
    Picture,
    /// The placeholder.
    Placeholder,
}

/// Shared memory that pictures of one size and format are written into. A reader that stands still or dies is not noticed.
#[derive(Debug)]
pub struct PreviewMemory {
    file: OwnedFd,
    bell: Wake,
    layout: PreviewLayout,
    frame_layout: FrameLayout,
    /// Pictures so far.
    newest: u64,
    /// A slot as it is written: its header, then its picture.
    slot: Vec<u8>,
}

impl PreviewMemory {
    /// For pictures of `size`, [`PixelFormat::I420`] or [`PixelFormat::Grey`]. All slots are black, and none holds a picture.
    ///
    /// # Errors
    /// When the system has no memory or descriptor left.
    pub fn new(format: PixelFormat, size: SizePx) -> io::Result<Self> {
        let invalid = |error: FrameError| io::Error::new(io::ErrorKind::InvalidInput, error);
        let frame_layout = FrameLayout::tight(format, size).map_err(invalid)?;
        let picture_bytes = frame_layout.len_bytes();
        let slot_bytes = ((HEADER_BYTES + picture_bytes) as u64).next_multiple_of(PAGE_BYTES);
        let bytes = PAGE_BYTES + SLOTS * slot_bytes;
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = rustix::fs::memfd_create("greenroom preview", flags)?;
        rustix::fs::ftruncate(&file, bytes)?;
        // A reader may rely on its length: nobody can cut it.
        rustix::fs::fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        let layout = PreviewLayout {
            width_px: size.width_px,
            height_px: size.height_px,
            format: match format {
                PixelFormat::Grey => PreviewFormat::Grey,
                _ => PreviewFormat::I420,
            },
            bytes,
            slots: SLOTS,
            first_slot_bytes: PAGE_BYTES,
            slot_bytes,
            header_bytes: HEADER_BYTES as u64,
            picture_bytes: picture_bytes as u64,
        };
        let slot = vec![0; HEADER_BYTES + picture_bytes];
        Ok(Self { file, bell: Wake::new()?, layout, frame_layout, newest: 0, slot })
    }

    /// How it lies in the memory.
    pub fn layout(&self) -> PreviewLayout {
        self.layout
    }

    /// The size of its pictures.
    pub fn size(&self) -> SizePx {
        self.frame_layout.size()
    }

    /// Rings with every picture.
    pub fn bell(&self) -> &Wake {
        &self.bell
    }

    /// A descriptor for the reader, who can map it to read and not to write.
    ///
    /// # Errors
    /// When the process has no descriptor left, or no `/proc`.
    pub fn for_the_reader(&self) -> io::Result<OwnedFd> {
        use std::os::fd::AsRawFd;
        let path = format!("/proc/self/fd/{}", self.file.as_raw_fd());
        Ok(rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?)
    }

    /// Makes `planar`, of this size, the newest picture. Asks for no memory.
    ///
    /// # Errors
    /// When it is of another size.
    pub fn write(
        &mut self,
        planar: FrameView<'_>,
        captured_at: Instant,
        kind: PreviewKind,
    ) -> Result<(), FrameError> {
        let (header, picture) = self.slot.split_at_mut(HEADER_BYTES);
        pack(planar, &mut FrameViewMut::new(self.frame_layout, planar.colour(), picture)?)?;
        header.copy_from_slice(&header_of(captured_at, kind, planar.colour()));
        // What the system refuses of its own memory cannot be mended here: the reader keeps what it had.
        let _ = self.publish();
        Ok(())
    }

    /// Makes what was written last the content of every slot.
    pub fn fill(&mut self) {
        (1..SLOTS).for_each(|_| drop(self.publish()));
    }

    fn publish(&mut self) -> io::Result<()> {
        let number = self.newest + 1;
        let place = PAGE_BYTES + (number - 1) % SLOTS * self.layout.slot_bytes;
        // The number comes last: until then the slot says that it is being written.
        write_all_at(&self.file, &self.slot, place)?;
        write_all_at(&self.file, &number.to_le_bytes(), place)?;
        write_all_at(&self.file, &number.to_le_bytes(), 0)?;
        self.newest = number;
        self.bell.ring();
        Ok(())
    }
}

/// A slot's header: number (not yet), time, kind, matrix, range.
fn header_of(captured_at: Instant, kind: PreviewKind, colour: Colour) -> [u8; HEADER_BYTES] {
    let now = clock_gettime(ClockId::Monotonic);
    let now_ns = now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64;
    let age_ns = u64::try_from(captured_at.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let mut header = [0; HEADER_BYTES];
    header[8..16].copy_from_slice(&now_ns.saturating_sub(age_ns).to_le_bytes());
    header[16] = u8::from(kind == PreviewKind::Placeholder);
    header[17] = u8::from(colour.matrix == ColourMatrix::Bt709);
    header[18] = u8::from(colour.range == ColourRange::Full);
    header
}

fn write_all_at(file: &OwnedFd, mut bytes: &[u8], mut at: u64) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = rustix::io::pwrite(file, bytes, at)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        bytes = &bytes[written..];
        at += written as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use greenroom_frame::{Frame, Yuv8};

    use super::*;

    fn read(memory: &PreviewMemory, at: u64, bytes: usize) -> Vec<u8> {
        let mut read = vec![0; bytes];
        let file = memory.for_the_reader().unwrap();
        assert_eq!(rustix::io::pread(&file, &mut read, at).unwrap(), bytes);
        read
    }

    #[test]
    fn the_newest_picture_lies_where_the_layout_says() {
        let size = SizePx::new(32, 18);
        let mut memory = PreviewMemory::new(PixelFormat::I420, size).unwrap();
        let layout = memory.layout();
        assert_eq!(read(&memory, 0, 8), [0; 8]);
        let mut frame = Frame::new(PixelFormat::I422, size, Colour::WEBCAM).unwrap();
        for number in 1..=7u8 {
            frame.fill(Yuv8 { y: number, u: 100, v: 200 });
            memory.write(frame.view(), Instant::now(), PreviewKind::Picture).unwrap();
            assert_eq!(read(&memory, 0, 8), u64::from(number).to_le_bytes());
            let slot = layout.first_slot_bytes + u64::from(number - 1) % 3 * layout.slot_bytes;
            let header = read(&memory, slot, 64);
            assert_eq!((header[0], header[16], header[17], header[18]), (number, 0, 0, 0));
            let picture = read(&memory, slot + 64, layout.picture_bytes as usize);
            assert_eq!(
                (picture[0], picture[575], picture[576], picture[863]),
                (number, number, 100, 200)
            );
        }
        frame.fill(Yuv8 { y: 9, u: 128, v: 128 });
        memory.write(frame.view(), Instant::now(), PreviewKind::Placeholder).unwrap();
        memory.fill();
        for slot in 0..3 {
            let slot = read(&memory, layout.first_slot_bytes + slot * layout.slot_bytes, 65);
            assert_eq!((slot[16], slot[64]), (1, 9), "no slot holds what was there before");
        }
        assert!(memory.bell().is_ringing());
    }

    #[test]
    fn a_reader_can_neither_write_nor_cut_it() {
        let memory = PreviewMemory::new(PixelFormat::Grey, SizePx::new(16, 16)).unwrap();
        let reader = memory.for_the_reader().unwrap();
        assert!(rustix::io::pwrite(&reader, b"x", 0).is_err());
        assert!(rustix::fs::ftruncate(&memory.file, 0).is_err());
        assert!(rustix::fs::ftruncate(&memory.file, 1 << 30).is_err());
        let seals = rustix::fs::fcntl_get_seals(&reader).unwrap();
        assert!(seals.contains(SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL));
    }
}
