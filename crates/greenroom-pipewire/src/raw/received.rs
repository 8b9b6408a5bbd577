use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use pipewire::spa::sys::{
    SPA_CHUNK_FLAG_CORRUPTED, SPA_DATA_MemFd, SPA_DATA_MemPtr, SPA_META_HEADER_FLAG_CORRUPTED,
    SPA_META_Header, SPA_META_VideoCrop, spa_buffer_find_meta_data, spa_chunk, spa_data,
    spa_meta_header, spa_meta_region, spa_region,
};
use pipewire::stream::Stream;
use pipewire::sys::pw_buffer;
use rustix::fs::{FileType, SealFlags, fcntl_get_seals, fstat};
use rustix::io::pread;

/// More blocks than any format has planes are not looked at.
const MOST_BLOCKS: usize = 4;

/// A buffer that a camera has filled. It goes back to the camera when this is dropped.
pub(crate) struct Received<'a> {
    stream: &'a Stream,
    buffer: NonNull<pw_buffer>,
}

/// One block of a buffer: memory that is shared with the program that has filled it, and what that program says of it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Block<'a> {
    /// All of its memory, or a copy of what is to be read.
    pub(crate) memory: &'a [u8],
    /// Where the data begins.
    pub(crate) offset_bytes: u32,
    /// How much data there is.
    pub(crate) size_bytes: u32,
    /// Bytes of a row; 0 if that is not told.
    pub(crate) stride_bytes: i32,
    /// The program says that it is damaged.
    pub(crate) is_corrupt: bool,
}

/// Where blocks are copied to whose memory may go while it is read. It grows to what it has to hold.
#[derive(Debug, Default)]
pub(crate) struct Copies([Vec<u8>; MOST_BLOCKS]);

/// The blocks of a buffer, for which no memory is asked unless they have to be copied.
pub(crate) struct Blocks<'a> {
    all: [Block<'a>; MOST_BLOCKS],
    count: usize,
}

impl<'a> std::ops::Deref for Blocks<'a> {
    type Target = [Block<'a>];

    fn deref(&self) -> &[Block<'a>] {
        &self.all[..self.count]
    }
}

/// The newest of the buffers that wait in `stream`, and how many older ones were given back for it.
pub(crate) fn newest(stream: &Stream) -> (Option<Received<'_>>, u32) {
    let (mut newest, mut older) = (None, 0);
    // SAFETY: the pointer is looked at before it is used, and is given back by the drop of `Received`.
    while let Some(buffer) = NonNull::new(unsafe { stream.dequeue_raw_buffer() }) {
        if newest.replace(Received { stream, buffer }).is_some() {
            older += 1;
        }
    }
    (newest, older)
}

impl Received<'_> {
    /// Its blocks; those that another program could make shorter meanwhile are copied.
    ///
    /// # Errors
    /// What is wrong with one, if its memory cannot be read.
    pub(crate) fn blocks<'a>(&'a self, copies: &'a mut Copies) -> Result<Blocks<'a>, &'static str> {
        // SAFETY: libpipewire has given out the buffer, which is valid until it is queued, in the drop of `self`; so is what
        // it points to. Each pointer is looked at before it is followed.
        unsafe {
            let spa = (*self.buffer.as_ptr()).buffer;
            if spa.is_null() || (*spa).n_datas == 0 || (*spa).datas.is_null() {
                return Err("a buffer without blocks");
            }
            let count = (*spa).n_datas as usize;
            if count > MOST_BLOCKS {
                return Err("a buffer of more blocks than a picture has planes");
            }
            let mut blocks = Blocks { all: [Block::default(); MOST_BLOCKS], count };
            let datas = std::slice::from_raw_parts((*spa).datas, count);
            for ((data, place), copy) in datas.iter().zip(&mut blocks.all).zip(&mut copies.0) {
                *place = block(data, copy)?;
            }
            Ok(blocks)
        }
    }

    /// The time of capture by CLOCK_MONOTONIC in microseconds, if the camera tells it.
    pub(crate) fn captured_us(&self) -> Option<i64> {
        self.header().map(|header| header.pts / 1000).filter(|us| *us > 0)
    }

    /// Whether the camera says that the picture is damaged.
    pub(crate) fn is_corrupt(&self) -> bool {
        self.header().is_some_and(|header| header.flags & SPA_META_HEADER_FLAG_CORRUPTED != 0)
    }

    /// The part of the picture that is to be shown, if that is told: left, top, width and height in pixels.
    pub(crate) fn crop_px(&self) -> Option<(u32, u32, u32, u32)> {
        let spa_region { position, size } =
            self.meta::<spa_meta_region>(SPA_META_VideoCrop)?.region;
        let (left, top) = (u32::try_from(position.x).ok()?, u32::try_from(position.y).ok()?);
        (size.width > 0 && size.height > 0).then_some((left, top, size.width, size.height))
    }

    fn header(&self) -> Option<spa_meta_header> {
        self.meta(SPA_META_Header)
    }

    /// What is told beside the frame; `T` is one of libpipewire's structures of numbers, that of `kind`.
    fn meta<T: Copy>(&self, kind: u32) -> Option<T> {
        // SAFETY: the buffer is valid until `self` is dropped. `spa_buffer_find_meta_data` gives null or what has the size that
        // was asked for, in memory that all programs share, and every bit pattern of it is numbers.
        unsafe {
            let spa = NonNull::new((*self.buffer.as_ptr()).buffer)?;
            let told = spa_buffer_find_meta_data(spa.as_ptr(), kind, size_of::<T>());
            NonNull::new(told.cast::<T>()).map(|told| told.as_ptr().read())
        }
    }
}

impl Drop for Received<'_> {
    fn drop(&mut self) {
        // SAFETY: it came from this stream and was not given back yet.
        unsafe { self.stream.queue_raw_buffer(self.buffer.as_ptr()) };
    }
}

/// What `data` has.
///
/// # Safety
/// It belongs to a buffer that stays valid for `'a`, of a stream that maps its buffers.
unsafe fn block<'a>(data: &spa_data, copy: &'a mut Vec<u8>) -> Result<Block<'a>, &'static str> {
    let kind = data.type_;
    if kind != SPA_DATA_MemFd && kind != SPA_DATA_MemPtr {
        return Err("a buffer in memory that cannot be mapped");
    }
    let Some(at) = NonNull::new(data.data.cast::<u8>()) else {
        return Err("a buffer whose memory is not mapped");
    };
    let Some(chunk) = NonNull::new(data.chunk) else { return Err("a buffer without a chunk") };
    let memory = if kind == SPA_DATA_MemFd { length(data) } else { Length::Fixed };
    if memory == Length::TooShort {
        return Err("a buffer that is longer than its memory");
    }
    // SAFETY: the chunk is in memory that all programs share, and is read once. libpipewire has mapped `maxsize` bytes at
    // `at`, and unmaps them when the buffer goes. The program that fills them does not write while we have the buffer; if it
    // does it all the same, raw samples are torn, and what parses bytes works on a copy.
    unsafe {
        let chunk = chunk.as_ptr().read_volatile();
        let (memory, offset_bytes) = match memory {
            Length::MayChange => (read(data, &chunk, copy)?, 0),
            _ => {
                let mapped = std::slice::from_raw_parts(at.as_ptr(), data.maxsize as usize);
                (mapped, chunk.offset)
            }
        };
        Ok(Block {
            memory,
            offset_bytes,
            size_bytes: chunk.size,
            stride_bytes: chunk.stride,
            is_corrupt: chunk.flags & SPA_CHUNK_FLAG_CORRUPTED as i32 != 0,
        })
    }
}

/// What is known of the length of a block's memory. Reading behind its end would kill this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Length {
    /// It is as long as is said, and stays so: PipeWire seals what it allocates; a device's memory is no file.
    Fixed,
    /// It is as long as is said, and whoever has made it may make it shorter.
    MayChange,
    TooShort,
}

/// The descriptor of a block of the kind MemFd.
fn descriptor(data: &spa_data) -> Option<BorrowedFd<'_>> {
    let fd = i32::try_from(data.fd).ok().filter(|fd| *fd >= 0)?;
    // SAFETY: libpipewire keeps the descriptor open as long as the buffer is there.
    Some(unsafe { BorrowedFd::borrow_raw(fd) })
}

fn length(data: &spa_data) -> Length {
    let Some(fd) = descriptor(data) else { return Length::TooShort };
    let Ok(stat) = fstat(fd) else { return Length::TooShort };
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Length::Fixed;
    }
    let need_bytes = u64::from(data.mapoffset) + u64::from(data.maxsize);
    if !u64::try_from(stat.st_size).is_ok_and(|len_bytes| len_bytes >= need_bytes) {
        return Length::TooShort;
    }
    match fcntl_get_seals(fd) {
        Ok(seals) if seals.contains(SealFlags::SHRINK) => Length::Fixed,
        _ => Length::MayChange,
    }
}

/// Reads what `chunk` speaks of into `copy`: a file that has become shorter is an error then, and no signal.
fn read<'a>(
    data: &spa_data,
    chunk: &spa_chunk,
    copy: &'a mut Vec<u8>,
) -> Result<&'a [u8], &'static str> {
    const TOO_LONG: &str = "more bytes than a buffer has";
    let end = chunk.offset.checked_add(chunk.size).filter(|end| *end <= data.maxsize);
    end.ok_or(TOO_LONG)?;
    copy.resize(chunk.size as usize, 0);
    let mut at = u64::from(data.mapoffset) + u64::from(chunk.offset);
    let mut left = copy.as_mut_slice();
    while !left.is_empty() {
        let fd = descriptor(data).ok_or(TOO_LONG)?;
        match pread(fd, &mut *left, at) {
            Ok(0) | Err(_) => return Err("a buffer that has become shorter while it was read"),
            Ok(count) => {
                at += count as u64;
                left = &mut left[count..];
            }
        }
    }
    Ok(copy)
}

#[cfg(test)]
mod tests {
    use std::os::fd::{AsRawFd, OwnedFd};
    use std::ptr;

    use rustix::fs::{MemfdFlags, fcntl_add_seals, ftruncate, memfd_create};
    use rustix::io::pwrite;

    use super::*;

    /// A file of 64 bytes that are their own numbers, as a camera's buffer from byte 16 on.
    fn file() -> OwnedFd {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let file = memfd_create("camera", flags).unwrap();
        let bytes: Vec<u8> = (0..64).collect();
        assert_eq!(pwrite(&file, &bytes, 0).unwrap(), 64);
        file
    }

    fn buffer(file: &OwnedFd, mapped: &mut [u8], chunk: &mut spa_chunk) -> spa_data {
        spa_data {
            type_: SPA_DATA_MemFd,
            flags: 0,
            fd: file.as_raw_fd().into(),
            mapoffset: 16,
            maxsize: mapped.len() as u32,
            data: mapped.as_mut_ptr().cast(),
            chunk: ptr::from_mut(chunk),
        }
    }

    #[test]
    fn memory_that_may_become_shorter_is_read_as_a_file() {
        let file = file();
        let mut mapped = [255; 48];
        let mut chunk = spa_chunk { offset: 8, size: 24, stride: 0, flags: 0 };
        let data = buffer(&file, &mut mapped, &mut chunk);
        let mut copy = Vec::new();
        // SAFETY: what `data` points to lives as long as this function.
        let taken = unsafe { block(&data, &mut copy) }.unwrap();
        assert_eq!((taken.offset_bytes, taken.size_bytes), (0, 24));
        assert_eq!(taken.memory, (24..48).collect::<Vec<u8>>());
        ftruncate(&file, 40).unwrap();
        // SAFETY: as above.
        let refused = unsafe { block(&data, &mut copy) }.unwrap_err();
        assert_eq!(refused, "a buffer that is longer than its memory");
        // It has become so in between.
        assert!(read(&data, &chunk, &mut copy).unwrap_err().contains("shorter while it was read"));
        let beyond = spa_chunk { offset: 40, ..chunk };
        assert_eq!(read(&data, &beyond, &mut copy), Err("more bytes than a buffer has"));
    }

    #[test]
    fn sealed_memory_is_read_where_it_is_mapped() {
        let file = file();
        fcntl_add_seals(&file, SealFlags::SHRINK).unwrap();
        let mut mapped = [7; 48];
        let mut chunk = spa_chunk { offset: 8, size: 24, stride: 0, flags: 0 };
        let data = buffer(&file, &mut mapped, &mut chunk);
        let mut copy = Vec::new();
        // SAFETY: what `data` points to lives as long as this function.
        let taken = unsafe { block(&data, &mut copy) }.unwrap();
        assert_eq!((taken.memory, taken.offset_bytes), (&[7; 48][..], 8));
    }
}
