//! The memory that a preview shares with its reader: a few slots for pictures, and the number of the newest in front.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Instant;

use greenroom_frame::{
    Colour, ColourMatrix, ColourRange, FrameError, FrameLayout, FrameView, FrameViewMut,
    PixelFormat, Rgb8, SizePx, pack,
};
use rustix::fs::{FallocateFlags, MemfdFlags, Mode, OFlags, SealFlags};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::time::{ClockId, clock_gettime};

use crate::protocol::{PreviewFormat, PreviewLayout};

/// Number of slots: one is being read, one holds the newest picture, one is being written.
const SLOTS: u64 = 3;
/// Offset of the first slot; the length of a slot is a multiple of it.
const PAGE_BYTES: u64 = 4096;
/// Length of the header of a slot, in bytes.
const HEADER_BYTES: usize = 64;
/// Offset of the kind of picture in a header.
const KIND_AT: usize = 16;

/// The kind of picture in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreviewKind {
    /// A picture made from the camera.
    Picture,
    /// The placeholder.
    Placeholder,
}

/// Shared memory for pictures of one size and format, and a pipe that gets one byte for each picture. The writer
/// never waits for the reader, even if the reader is stopped or has ended.
#[derive(Debug)]
pub struct PreviewMemory {
    file: OwnedFd,
    /// The writing end of the pipe. It is not shared with the reader, so the reader cannot make it blocking.
    bell: OwnedFd,
    layout: PreviewLayout,
    frame_layout: FrameLayout,
    /// The number of the newest picture; 0 before the first.
    newest: u64,
    /// The content of the next slot: its header, then its picture.
    slot: Vec<u8>,
}

/// The descriptors for the reader of a preview. A program of the same user can reopen the memory for writing through
/// `/proc`, but harms only that preview.
#[derive(Debug)]
pub struct ReaderEnd {
    /// The memory, read-only.
    pub memory: OwnedFd,
    /// The reading end of a pipe that gets one byte for each picture.
    pub bell: OwnedFd,
}

impl PreviewMemory {
    /// Memory for pictures of `size` in [`PixelFormat::I420`] or [`PixelFormat::Grey`], with empty slots; and the
    /// descriptors for its reader.
    ///
    /// # Errors
    /// When the system has no memory or descriptor left, or `/proc` is not mounted.
    pub fn new(format: PixelFormat, size: SizePx) -> io::Result<(Self, ReaderEnd)> {
        let invalid = |error: FrameError| io::Error::new(io::ErrorKind::InvalidInput, error);
        let frame_layout = FrameLayout::tight(format, size).map_err(invalid)?;
        let picture_bytes = frame_layout.len_bytes();
        let slot_bytes = ((HEADER_BYTES + picture_bytes) as u64).next_multiple_of(PAGE_BYTES);
        let bytes = PAGE_BYTES + SLOTS * slot_bytes;
        let file = memory_file()?;
        // Allocate all memory now, so that no write fails later.
        rustix::fs::fallocate(&file, FallocateFlags::empty(), 0, bytes)?;
        // Fix the length, so that a reader may rely on it.
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
        // Reopen the file read-only; a duplicated descriptor would be writable.
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        let memory = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let (readers_bell, bell) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let reader = ReaderEnd { memory, bell: readers_bell };
        Ok((Self { file, bell, layout, frame_layout, newest: 0, slot }, reader))
    }

    /// The layout of the memory.
    pub fn layout(&self) -> PreviewLayout {
        self.layout
    }

    /// The size of the pictures in pixels.
    pub fn size(&self) -> SizePx {
        self.frame_layout.size()
    }

    /// Writes `planar` as the newest picture. Allocates no memory.
    ///
    /// # Errors
    /// When `planar` does not have [`size`](Self::size).
    pub fn write(
        &mut self,
        planar: FrameView<'_>,
        captured_at: Instant,
        kind: PreviewKind,
    ) -> Result<(), FrameError> {
        let (header, picture) = self.slot.split_at_mut(HEADER_BYTES);
        pack(planar, &mut FrameViewMut::new(self.frame_layout, planar.colour(), picture)?)?;
        header.copy_from_slice(&header_of(captured_at, kind, planar.colour()));
        // A write to memory that is already allocated should not fail; if it does, the reader keeps the previous
        // picture.
        let _ = self.publish();
        Ok(())
    }

    /// Copies the newest picture to all other slots.
    pub fn fill(&mut self) {
        // Each copy gets a new number, so all slots are written even if one write fails.
        for _ in 1..SLOTS {
            let _ = self.publish();
        }
    }

    /// Overwrites every slot with a black picture of the kind [`PreviewKind::Placeholder`].
    pub fn blacken(&mut self) {
        let (header, picture) = self.slot.split_at_mut(HEADER_BYTES);
        header.fill(0);
        header[KIND_AT] = 1;
        // Black as the placeholder has it: limited range, chroma in the middle. All of a matte is room.
        let black = Colour::WEBCAM.encode(Rgb8 { r: 0, g: 0, b: 0 });
        let is_matte = self.frame_layout.format() == PixelFormat::Grey;
        let luma_bytes =
            self.frame_layout.planes()[0].stride_bytes * self.frame_layout.planes()[0].rows;
        let (luma, chroma) = picture.split_at_mut(luma_bytes);
        luma.fill(if is_matte { 0 } else { black.y });
        chroma.fill(black.u);
        for _ in 0..SLOTS {
            let _ = self.publish();
        }
    }

    fn publish(&mut self) -> io::Result<()> {
        self.newest += 1;
        let number = self.newest;
        let place = PAGE_BYTES + (number - 1) % SLOTS * self.layout.slot_bytes;
        // The number in the slot is written last: until then it is 0, which means that the slot is being written.
        write_all_at(&self.file, &self.slot, place)?;
        write_all_at(&self.file, &number.to_le_bytes(), place)?;
        write_all_at(&self.file, &number.to_le_bytes(), 0)?;
        // The write fails when the pipe is full (64 KiB); then the reader has enough unread bytes to be woken.
        let _ = rustix::io::write(&self.bell, &[1]);
        Ok(())
    }
}

/// The header of a slot: number (0 for now), capture time, kind, colour matrix, colour range.
fn header_of(captured_at: Instant, kind: PreviewKind, colour: Colour) -> [u8; HEADER_BYTES] {
    let now = clock_gettime(ClockId::Monotonic);
    let now_ns = now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64;
    let age_ns = u64::try_from(captured_at.elapsed().as_nanos()).unwrap_or(u64::MAX);
    let mut header = [0; HEADER_BYTES];
    header[8..16].copy_from_slice(&now_ns.saturating_sub(age_ns).to_le_bytes());
    header[KIND_AT] = u8::from(kind == PreviewKind::Placeholder);
    header[17] = u8::from(colour.matrix == ColourMatrix::Bt709);
    header[18] = u8::from(colour.range == ColourRange::Full);
    header
}

/// An anonymous file in memory.
fn memory_file() -> io::Result<OwnedFd> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    let create = |flags| rustix::fs::memfd_create("greenroom preview", flags);
    // Kernels before 6.3 reject NOEXEC_SEAL; newer ones may be configured to require it.
    match create(flags | MemfdFlags::NOEXEC_SEAL) {
        Err(Errno::INVAL) => Ok(create(flags)?),
        created => Ok(created?),
    }
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

    fn read(reader: &ReaderEnd, at: u64, bytes: usize) -> Vec<u8> {
        let mut read = vec![0; bytes];
        assert_eq!(rustix::io::pread(&reader.memory, &mut read, at).unwrap(), bytes);
        read
    }

    #[test]
    fn the_newest_picture_lies_where_the_layout_says() {
        let size = SizePx::new(32, 18);
        let (mut memory, reader) = PreviewMemory::new(PixelFormat::I420, size).unwrap();
        let layout = memory.layout();
        assert_eq!(read(&reader, 0, 8), [0; 8]);
        let mut frame = Frame::new(PixelFormat::I422, size, Colour::WEBCAM).unwrap();
        for number in 1..=7u8 {
            frame.fill(Yuv8 { y: number, u: 100, v: 200 });
            memory.write(frame.view(), Instant::now(), PreviewKind::Picture).unwrap();
            assert_eq!(read(&reader, 0, 8), u64::from(number).to_le_bytes());
            let slot = layout.first_slot_bytes + u64::from(number - 1) % 3 * layout.slot_bytes;
            let header = read(&reader, slot, 64);
            assert_eq!((header[0], header[16], header[17], header[18]), (number, 0, 0, 0));
            let picture = read(&reader, slot + 64, layout.picture_bytes as usize);
            assert_eq!(
                (picture[0], picture[575], picture[576], picture[863]),
                (number, number, 100, 200)
            );
        }
        frame.fill(Yuv8 { y: 9, u: 128, v: 128 });
        memory.write(frame.view(), Instant::now(), PreviewKind::Placeholder).unwrap();
        memory.fill();
        for slot in 0..3 {
            let slot = read(&reader, layout.first_slot_bytes + slot * layout.slot_bytes, 65);
            assert_eq!((slot[16], slot[64]), (1, 9), "no slot holds a picture from before");
        }
        memory.blacken();
        for slot in 0..3 {
            let slot = read(&reader, layout.first_slot_bytes + slot * layout.slot_bytes, 65);
            assert_eq!((slot[16], slot[64]), (1, 16));
            let chroma = read(&reader, layout.first_slot_bytes + 64 + 576, 288);
            assert!(chroma.iter().all(|&byte| byte == 128), "black, not green");
        }
        let mut bytes = [0; 100];
        let rung = rustix::io::read(&reader.bell, &mut bytes).unwrap();
        assert_eq!(rung, 7 + 3 + 3);
    }

    #[test]
    fn a_reader_can_neither_write_nor_cut_it() {
        let (mut memory, reader) =
            PreviewMemory::new(PixelFormat::Grey, SizePx::new(16, 16)).unwrap();
        assert!(rustix::io::pwrite(&reader.memory, b"x", 0).is_err());
        assert!(rustix::fs::ftruncate(&memory.file, 0).is_err());
        assert!(rustix::fs::ftruncate(&memory.file, 1 << 30).is_err());
        let seals = rustix::fs::fcntl_get_seals(&reader.memory).unwrap();
        assert!(seals.contains(SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL));
        // Nor can the reader block the writer, by not reading or by making its own end blocking.
        rustix::fs::fcntl_setfl(&reader.bell, OFlags::empty()).unwrap();
        let frame =
            greenroom_frame::Frame::new(PixelFormat::Grey, SizePx::new(16, 16), Colour::WEBCAM);
        let frame = frame.unwrap();
        for _ in 0..70_000 {
            memory.write(frame.view(), Instant::now(), PreviewKind::Picture).unwrap();
        }
    }
}
