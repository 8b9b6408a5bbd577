use std::cell::RefCell;
use std::ptr::{self, NonNull};
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

use pipewire::spa::sys::{
    SPA_META_Busy, SPA_META_Header, spa_buffer_find_meta_data, spa_meta_busy, spa_meta_header,
};
use pipewire::stream::{ListenerLocalBuilder, Stream};
use pipewire::sys::pw_buffer;

/// A frame for readers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    /// Packed samples, tight.
    pub(crate) bytes: &'a [u8],
    /// Bytes of a row.
    pub(crate) stride_bytes: usize,
    /// CLOCK_MONOTONIC, in nanoseconds.
    pub(crate) time_ns: i64,
    /// Counts frames.
    pub(crate) number: u64,
}

/// What became of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Readers have it.
    Yes,
    /// All buffers are in use.
    NoBuffer,
    /// A buffer has no memory for it.
    WrongBuffer,
}

/// The buffers of a stream, in memory that PipeWire shares among it, us and the readers. Whatever we put into one was given
/// to [`cover`](Self::cover) or [`send`](Self::send).
#[derive(Debug)]
pub(crate) struct Buffers {
    /// As libpipewire tells of them: each is valid from `add` to `remove`.
    all: Vec<(NonNull<pw_buffer>, Memory)>,
    /// What is put into each before anybody sees it: the placeholder, or black.
    cover: Vec<u8>,
    /// Frames in a row for which no buffer was free.
    missed: u32,
}

/// Where a buffer's one block is mapped.
#[derive(Debug)]
struct Memory {
    /// Valid for `len_bytes` as long as the buffer is.
    at: NonNull<u8>,
    len_bytes: usize,
}

impl Memory {
    /// Replaces what is in it. False if `bytes` are more than fit, and then nothing was written.
    fn write(&mut self, bytes: &[u8]) -> bool {
        if bytes.len() > self.len_bytes {
            return false;
        }
        // SAFETY: the block has `len_bytes` bytes, and nobody can make that shorter: PipeWire has allocated and sealed it, as our
        // stream brings no memory of its own and a reader cannot; `bytes` is no part of it: nobody here makes a slice of it. Readers are
        // other processes, and may see a frame half written; both halves were composed.
        unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), self.at.as_ptr(), bytes.len()) };
        true
    }
}

/// After so many frames without a free buffer they are taken back: a quarter of a second, at the usual rate.
const MOST_MISSED: u32 = 8;

impl Buffers {
    /// For frames of `len_bytes` in packed YUYV.
    pub(crate) fn new(len_bytes: usize) -> Self {
        let black = [16, 128, 16, 128].into_iter().cycle().take(len_bytes).collect();
        Self { all: Vec::new(), cover: black, missed: 0 }
    }

    /// Has `buffers` follow the buffers of the stream that `listener` listens to. The stream is to be connected with
    /// MAP_BUFFERS.
    pub(crate) fn follow<'a>(
        buffers: &Rc<RefCell<Self>>,
        listener: ListenerLocalBuilder<'a, ()>,
    ) -> ListenerLocalBuilder<'a, ()> {
        let (come, gone) = (Rc::clone(buffers), Rc::clone(buffers));
        listener
            // SAFETY: libpipewire tells of a buffer when it is made, and again before it is freed.
            .add_buffer(move |_, (), buffer| unsafe { come.borrow_mut().add(buffer) })
            .remove_buffer(move |_, (), buffer| gone.borrow_mut().remove(buffer))
    }

    /// A buffer has come: the cover is put into it.
    ///
    /// # Safety
    /// `buffer` is valid until it is given to [`remove`](Self::remove), and so is what it points to.
    unsafe fn add(&mut self, buffer: *mut pw_buffer) {
        let Some(buffer) = NonNull::new(buffer) else { return };
        // SAFETY: `buffer` is valid, so is what it points to, and each pointer is looked at before it is followed.
        let block = unsafe {
            let spa = (*buffer.as_ptr()).buffer;
            if spa.is_null() || (*spa).n_datas != 1 || (*spa).datas.is_null() {
                return;
            }
            &*(*spa).datas
        };
        let Some(at) = NonNull::new(block.data.cast::<u8>()) else { return };
        if block.chunk.is_null() {
            return;
        }
        let mut memory = Memory { at, len_bytes: block.maxsize as usize };
        if memory.write(&self.cover) {
            self.all.push((buffer, memory));
        }
    }

    /// A buffer goes, and its memory with it.
    fn remove(&mut self, buffer: *mut pw_buffer) {
        self.all.retain(|(known, _)| known.as_ptr() != buffer);
    }

    /// Puts `bytes` in place of what is in every buffer, also of what readers look at now, and of what comes later.
    pub(crate) fn cover(&mut self, bytes: &[u8]) {
        self.cover.clear();
        self.cover.extend_from_slice(bytes);
        for (_, memory) in &mut self.all {
            memory.write(bytes);
        }
    }

    /// Makes every buffer free, whoever has it: a reader that takes frames and never gives them back would keep all others
    /// from getting any. It sees newer frames in the buffers that it holds.
    fn take_back(&mut self) {
        tracing::debug!("PipeWire: a reader gives no buffer back; they are used all the same");
        self.missed = 0;
        for (buffer, _) in &self.all {
            // SAFETY: `buffer` is among those that are valid. `spa_buffer_find_meta_data` gives null or a counter in memory
            // that all processes share, which each of them changes in one step.
            unsafe {
                let spa = (*buffer.as_ptr()).buffer;
                let busy =
                    spa_buffer_find_meta_data(spa, SPA_META_Busy, size_of::<spa_meta_busy>());
                if let Some(busy) = NonNull::new(busy.cast::<spa_meta_busy>()) {
                    AtomicU32::from_ptr(&raw mut (*busy.as_ptr()).count).store(0, SeqCst);
                }
            }
        }
    }

    /// Gives a frame to the readers of `stream`, whose buffers these are.
    pub(crate) fn send(&mut self, stream: &Stream, frame: Frame<'_>) -> Sent {
        // SAFETY: the pointer is looked at before it is used, and is given back below. (One without memory stays out of use
        // until the stream's format is negotiated anew.)
        let buffer = unsafe { stream.dequeue_raw_buffer() };
        let Some(buffer) = NonNull::new(buffer) else {
            self.missed += 1;
            if self.missed == MOST_MISSED {
                self.take_back();
            }
            return Sent::NoBuffer;
        };
        self.missed = 0;
        let Some((_, memory)) = self.all.iter_mut().find(|(known, _)| *known == buffer) else {
            return Sent::WrongBuffer;
        };
        if !memory.write(frame.bytes) {
            return Sent::WrongBuffer;
        }
        // SAFETY: `buffer` is among those that are valid, and `add` has seen that it has one block with a chunk.
        // `spa_buffer_find_meta_data` gives null or a header of the size that was asked for. We are the only ones who write
        // to these until the buffer is queued. It came from this stream.
        unsafe {
            let spa = (*buffer.as_ptr()).buffer;
            let chunk = (*(*spa).datas).chunk;
            (*chunk).offset = 0;
            (*chunk).size = frame.bytes.len() as u32;
            (*chunk).stride = frame.stride_bytes as i32;
            (*chunk).flags = 0;
            let header =
                spa_buffer_find_meta_data(spa, SPA_META_Header, size_of::<spa_meta_header>());
            if let Some(mut header) = NonNull::new(header.cast::<spa_meta_header>()) {
                *header.as_mut() = spa_meta_header {
                    flags: 0,
                    offset: 0,
                    pts: frame.time_ns,
                    dts_offset: 0,
                    seq: frame.number,
                };
            }
            stream.queue_raw_buffer(buffer.as_ptr());
        }
        if let Err(error) = stream.trigger_process() {
            tracing::debug!("PipeWire was not told of a frame: {error}");
        }
        Sent::Yes
    }
}
