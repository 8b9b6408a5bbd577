use std::cell::RefCell;
use std::ptr::{self, NonNull};
use std::rc::Rc;

use pipewire::spa::sys::{SPA_META_Header, spa_buffer_find_meta_data, spa_data, spa_meta_header};
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
    /// A buffer is not as it was asked for.
    WrongBuffer,
}

/// The buffers that readers have mapped, and what is put into each before anybody sees it.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// As libpipewire tells of them: each is valid from `add` to `remove`.
    all: Vec<NonNull<pw_buffer>>,
    /// The placeholder.
    cover: Vec<u8>,
}

impl Buffers {
    /// Has `buffers` follow the buffers of the stream that `listener` listens to.
    pub(crate) fn follow<'a>(
        buffers: &Rc<RefCell<Self>>,
        listener: ListenerLocalBuilder<'a, ()>,
    ) -> ListenerLocalBuilder<'a, ()> {
        let (come, gone) = (Rc::clone(buffers), Rc::clone(buffers));
        listener
            // SAFETY: libpipewire maps a buffer before it tells of it (MAP_BUFFERS), and tells before it unmaps it.
            .add_buffer(move |_, (), buffer| unsafe { come.borrow_mut().add(buffer) })
            .remove_buffer(move |_, (), buffer| gone.borrow_mut().remove(buffer))
    }

    /// A buffer has come (`add_buffer` of the stream's events): it is covered at once, as it may have anything in it.
    ///
    /// # Safety
    /// `buffer` is valid until it is given to [`remove`](Self::remove), and its memory is mapped.
    unsafe fn add(&mut self, buffer: *mut pw_buffer) {
        let Some(buffer) = NonNull::new(buffer) else { return };
        self.all.push(buffer);
        // SAFETY: by this function's own contract.
        if !unsafe { write(buffer, &self.cover) } {
            tracing::debug!("a buffer of PipeWire is not as it was asked for");
        }
    }

    /// A buffer goes (`remove_buffer`).
    fn remove(&mut self, buffer: *mut pw_buffer) {
        self.all.retain(|known| known.as_ptr() != buffer);
    }

    /// Puts `bytes` in place of what is in every buffer, also of what readers look at now, and of what comes later.
    pub(crate) fn cover(&mut self, bytes: &[u8]) {
        self.cover.clear();
        self.cover.extend_from_slice(bytes);
        for buffer in &self.all {
            // SAFETY: `add` asks for buffers that are valid until they are removed from `all`.
            unsafe { write(*buffer, bytes) };
        }
    }

    /// Gives a frame to the readers of `stream`, whose buffers these are.
    pub(crate) fn send(&mut self, stream: &Stream, frame: Frame<'_>) -> Sent {
        // SAFETY: the pointer is looked at before it is used, and is given back below. (One that is not stays out of
        // use until the stream's format is negotiated anew.)
        let buffer = unsafe { stream.dequeue_raw_buffer() };
        let Some(buffer) = NonNull::new(buffer) else { return Sent::NoBuffer };
        if !self.all.contains(&buffer) {
            return Sent::WrongBuffer;
        }
        // SAFETY: it is among the valid ones.
        if !unsafe { write(buffer, frame.bytes) } {
            return Sent::WrongBuffer;
        }
        // SAFETY: `buffer` is valid, and so is the `spa_buffer` in it; `write` has seen that there is a first block with
        // a chunk. `spa_buffer_find_meta_data` gives null or a header of the size that was asked for. We are the only
        // ones who write to these until the buffer is queued. It came from this stream.
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

/// Copies `bytes` into a buffer's first block. False if that has no memory for them, and nothing was written.
///
/// # Safety
/// `buffer` is valid and its memory is mapped.
unsafe fn write(buffer: NonNull<pw_buffer>, bytes: &[u8]) -> bool {
    // SAFETY: `buffer` is valid, so is what it points to, and each pointer is looked at before it is followed. A mapped
    // block has `maxsize` bytes at `data`. Readers are other processes; they may see a frame half written, both halves of
    // which were composed.
    unsafe {
        let spa = (*buffer.as_ptr()).buffer;
        if spa.is_null() || (*spa).n_datas == 0 || (*spa).datas.is_null() {
            return false;
        }
        let block: &spa_data = &*(*spa).datas;
        if block.data.is_null() || block.chunk.is_null() || (block.maxsize as usize) < bytes.len() {
            return false;
        }
        ptr::copy_nonoverlapping(bytes.as_ptr(), block.data.cast::<u8>(), bytes.len());
    }
    true
}
