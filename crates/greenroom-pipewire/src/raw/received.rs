use std::os::fd::BorrowedFd;
use std::ptr::NonNull;

use pipewire::spa::sys::{
    SPA_CHUNK_FLAG_CORRUPTED, SPA_DATA_MemFd, SPA_DATA_MemPtr, SPA_META_HEADER_FLAG_CORRUPTED,
    SPA_META_Header, spa_buffer_find_meta_data, spa_data, spa_meta_header,
};
use pipewire::stream::Stream;
use pipewire::sys::pw_buffer;
use rustix::fs::{FileType, fstat};

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
    /// All of its memory.
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

/// The blocks of a buffer, for which no memory is asked.
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
    /// Its blocks.
    ///
    /// # Errors
    /// What is wrong with one, if its memory cannot be read.
    pub(crate) fn blocks(&self) -> Result<Blocks<'_>, &'static str> {
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
            for (data, place) in datas.iter().zip(&mut blocks.all) {
                *place = block(data)?;
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

    fn header(&self) -> Option<spa_meta_header> {
        // SAFETY: the buffer is valid until `self` is dropped. `spa_buffer_find_meta_data` gives null or a header of the size
        // that was asked for.
        unsafe {
            let spa = NonNull::new((*self.buffer.as_ptr()).buffer)?;
            let header = spa_buffer_find_meta_data(
                spa.as_ptr(),
                SPA_META_Header,
                size_of::<spa_meta_header>(),
            );
            NonNull::new(header.cast::<spa_meta_header>()).map(|header| header.as_ptr().read())
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
unsafe fn block<'a>(data: &spa_data) -> Result<Block<'a>, &'static str> {
    let kind = data.type_;
    if kind != SPA_DATA_MemFd && kind != SPA_DATA_MemPtr {
        return Err("a buffer in memory that cannot be mapped");
    }
    let Some(at) = NonNull::new(data.data.cast::<u8>()) else {
        return Err("a buffer whose memory is not mapped");
    };
    if kind == SPA_DATA_MemFd && !is_as_long(data) {
        return Err("a buffer that is longer than its memory");
    }
    let Some(chunk) = NonNull::new(data.chunk) else { return Err("a buffer without a chunk") };
    // SAFETY: the chunk is in memory that all programs share, and is read once. libpipewire has mapped `maxsize` bytes at
    // `at`, and unmaps them when the buffer goes. The program that fills them does not write while we have the buffer; if it
    // does it all the same, raw samples are torn, and what parses bytes works on a copy.
    unsafe {
        let chunk = chunk.as_ptr().read_volatile();
        Ok(Block {
            memory: std::slice::from_raw_parts(at.as_ptr(), data.maxsize as usize),
            offset_bytes: chunk.offset,
            size_bytes: chunk.size,
            stride_bytes: chunk.stride,
            is_corrupt: chunk.flags & SPA_CHUNK_FLAG_CORRUPTED as i32 != 0,
        })
    }
}

/// Whether a file has as many bytes as `data` says: reading behind its end would kill this process. A device's memory is no
/// file, and has no length to compare with.
fn is_as_long(data: &spa_data) -> bool {
    let Ok(fd) = i32::try_from(data.fd) else { return false };
    if fd < 0 {
        return false;
    }
    // SAFETY: libpipewire keeps the descriptor open as long as the buffer is there.
    let fd = unsafe { BorrowedFd::borrow_raw(fd) };
    let Ok(stat) = fstat(fd) else { return false };
    let need_bytes = u64::from(data.mapoffset) + u64::from(data.maxsize);
    FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile
        || u64::try_from(stat.st_size).is_ok_and(|len_bytes| len_bytes >= need_bytes)
}
