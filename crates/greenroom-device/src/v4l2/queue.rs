use std::ffi::c_void;
use std::os::fd::AsFd;
use std::ptr::NonNull;

use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags};

use super::call::{self, call};
use super::device::{Device, Direction};
use super::error::V4l2Error;
use super::raw;

/// V4L2's own limit (VIDEO_MAX_FRAME).
const MAX_BUFFERS: u32 = 32;

/// Twice the largest picture that greenroom handles, 8192x8192 at two bytes a pixel. Whoever copies
/// a buffer asks for as much memory.
pub(super) const MAX_BUFFER_BYTES: usize = 1 << 28;

/// A captured frame's place in the queue, checked: `index` is one of the queue's and `bytes_used`
/// is not longer than the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Buffer {
    /// Which buffer.
    pub(crate) index: usize,
    /// How many of its bytes the driver filled.
    pub(crate) bytes_used: usize,
    /// The driver says that the content is damaged.
    pub(crate) damaged: bool,
    /// The driver's count of frames. One that is missing was lost before it came to us; some drivers
    /// do not count.
    pub(crate) sequence: u32,
    /// CLOCK_MONOTONIC time of capture in microseconds, if the driver's clock is that one.
    pub(crate) captured_us: Option<i64>,
}

/// What VIDIOC_DQBUF gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dequeued {
    /// A frame.
    Frame(Buffer),
    /// No frame is waiting.
    NotReady,
}

/// Buffers of a capturing device, mapped into the process.
#[derive(Debug)]
pub(crate) struct CaptureQueue {
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    mapping: Mapping,
    /// The driver has it, and may write to it.
    queued: bool,
}

impl CaptureQueue {
    /// VIDIOC_REQBUFS, VIDIOC_QUERYBUF and mmap: asks for `count` buffers, of at least `need_bytes`
    /// each, and takes as many as the driver gives. None is queued yet.
    pub(crate) fn new(device: &Device, count: u32, need_bytes: usize) -> Result<Self, V4l2Error> {
        let given = request_buffers(device, count)?;
        if !(1..=MAX_BUFFERS).contains(&given) {
            return Err(nonsense("VIDIOC_REQBUFS", format!("{given} buffers")));
        }
        let slots: Result<Vec<_>, _> =
            (0..given).map(|index| map_buffer(device, index, need_bytes)).collect();
        Ok(Self { slots: slots? })
    }

    /// Number of buffers.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// Length of the longest buffer.
    pub(crate) fn buffer_bytes(&self) -> usize {
        self.slots.iter().map(|slot| slot.mapping.len_bytes).max().unwrap_or(0)
    }

    /// VIDIOC_QBUF for every buffer that we hold.
    pub(crate) fn enqueue_all(&mut self, device: &Device) -> Result<(), V4l2Error> {
        (0..self.slots.len()).try_for_each(|index| self.enqueue(device, index))
    }

    /// VIDIOC_QBUF: gives a buffer back to the driver; nothing happens if it has it already.
    pub(crate) fn enqueue(&mut self, device: &Device, index: usize) -> Result<(), V4l2Error> {
        let slot = &mut self.slots[index];
        if slot.queued {
            return Ok(());
        }
        let mut raw = capture_buffer();
        raw.index = u32::try_from(index).expect("at most 32 buffers");
        call(device.as_fd(), &call::QBUF, &mut raw)?;
        slot.queued = true;
        Ok(())
    }

    /// VIDIOC_DQBUF: takes the oldest filled buffer. v4l2loopback may give one again that we still
    /// hold.
    pub(crate) fn dequeue(&mut self, device: &Device) -> Result<Dequeued, V4l2Error> {
        let mut raw = capture_buffer();
        match call(device.as_fd(), &call::DQBUF, &mut raw) {
            Ok(()) => {}
            Err(error) if error.errno() == Some(Errno::AGAIN) => return Ok(Dequeued::NotReady),
            Err(error) => return Err(error),
        }
        let lengths = |index: usize| self.slots.get(index).map(|slot| slot.mapping.len_bytes);
        let buffer = checked(&raw, lengths)?;
        self.slots[buffer.index].queued = false;
        Ok(Dequeued::Frame(buffer))
    }

    /// The filled bytes of a buffer that we hold; empty while the driver has it.
    ///
    /// A v4l2loopback writer may change them meanwhile: whoever parses them copies them first.
    pub(crate) fn bytes(&self, buffer: &Buffer) -> &[u8] {
        match self.slots.get(buffer.index) {
            Some(slot) if !slot.queued => {
                let bytes = slot.mapping.bytes();
                &bytes[..buffer.bytes_used.min(bytes.len())]
            }
            _ => &[],
        }
    }

    /// Unmaps all buffers and gives them back by VIDIOC_REQBUFS(0). The stream has been stopped.
    pub(crate) fn release(self, device: &Device) -> Result<(), V4l2Error> {
        drop(self.slots);
        request_buffers(device, 0).map(|_| ())
    }
}

fn capture_buffer() -> raw::BufferDesc {
    raw::BufferDesc {
        buf_type: Direction::Capture.buf_type(),
        memory: raw::MEMORY_MMAP,
        ..raw::BufferDesc::default()
    }
}

fn request_buffers(device: &Device, count: u32) -> Result<u32, V4l2Error> {
    let mut raw = raw::RequestBuffers {
        count,
        buf_type: Direction::Capture.buf_type(),
        memory: raw::MEMORY_MMAP,
        ..raw::RequestBuffers::default()
    };
    call(device.as_fd(), &call::REQBUFS, &mut raw)?;
    Ok(raw.count)
}

fn map_buffer(device: &Device, index: u32, need_bytes: usize) -> Result<Slot, V4l2Error> {
    let mut raw = capture_buffer();
    raw.index = index;
    call(device.as_fd(), &call::QUERYBUF, &mut raw)?;
    let len_bytes = raw.length as usize;
    check_length(len_bytes, need_bytes)?;
    let mapping = Mapping::new(device, raw.offset, len_bytes)?;
    Ok(Slot { mapping, queued: false })
}

/// That a buffer holds a frame and is not out of all proportion.
fn check_length(len_bytes: usize, need_bytes: usize) -> Result<(), V4l2Error> {
    if (need_bytes.max(1)..=MAX_BUFFER_BYTES).contains(&len_bytes) {
        return Ok(());
    }
    let what = format!("a buffer of {len_bytes} bytes, where a frame needs {need_bytes}");
    Err(nonsense("VIDIOC_QUERYBUF", what))
}

/// The driver's answer to DQBUF, if it can be true. `len_of` gives a buffer's length.
pub(super) fn checked(
    raw: &raw::BufferDesc,
    len_of: impl Fn(usize) -> Option<usize>,
) -> Result<Buffer, V4l2Error> {
    let index = raw.index as usize;
    let len_bytes = len_of(index)
        .ok_or_else(|| nonsense("VIDIOC_DQBUF", format!("buffer {index}, which it never gave")))?;
    let bytes_used = raw.bytes_used as usize;
    if bytes_used > len_bytes {
        let what = format!("{bytes_used} bytes in a buffer of {len_bytes}");
        return Err(nonsense("VIDIOC_DQBUF", what));
    }
    let monotonic = raw.flags & raw::BUF_FLAG_TIMESTAMP_MASK == raw::BUF_FLAG_TIMESTAMP_MONOTONIC;
    let microseconds = || raw.time_s.checked_mul(1_000_000)?.checked_add(raw.time_us);
    Ok(Buffer {
        index,
        bytes_used,
        damaged: raw.flags & raw::BUF_FLAG_ERROR != 0,
        sequence: raw.sequence,
        captured_us: if monotonic { microseconds() } else { None },
    })
}

fn nonsense(call: &'static str, what: String) -> V4l2Error {
    V4l2Error::Nonsense { call, what }
}

/// A buffer of the device, mapped for reading.
#[derive(Debug)]
struct Mapping {
    start: NonNull<u8>,
    len_bytes: usize,
}

// SAFETY: the mapping belongs to the process, not to a thread, and is only read.
unsafe impl Send for Mapping {}

impl Mapping {
    fn new(device: &Device, offset: u32, len_bytes: usize) -> Result<Self, V4l2Error> {
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let start = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                len_bytes,
                ProtFlags::READ,
                MapFlags::SHARED,
                device.as_fd(),
                u64::from(offset),
            )
        }
        .map_err(|errno| V4l2Error::Os { call: "mmap", errno })?;
        let start = NonNull::new(start.cast())
            .ok_or_else(|| nonsense("mmap", "the null address".to_owned()))?;
        Ok(Self { start, len_bytes })
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: `start` is the beginning of a mapping of `len_bytes` readable bytes that lives
        // as long as `self`, and a u8 has no invalid values. The driver does not write to a buffer
        // that is not queued, which `CaptureQueue::bytes` checks. (v4l2loopback lets a writer do
        // it anyway: raw samples may then be torn; what parses bytes works on a copy.)
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len_bytes) }
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        let start: *mut c_void = self.start.as_ptr().cast();
        // SAFETY: exactly what `mmap` gave; every slice of it borrowed `self` and is gone.
        // A failure can only mean a wrong address, and there is nothing to do about it in a drop.
        let _ = unsafe { rustix::mm::munmap(start, self.len_bytes) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(index: u32, bytes_used: u32, flags: u32) -> Result<Buffer, V4l2Error> {
        let raw = raw::BufferDesc {
            index,
            bytes_used,
            flags,
            time_s: 12,
            time_us: 345_678,
            ..raw::BufferDesc::default()
        };
        checked(&raw, |index| [100, 100].get(index).copied())
    }

    #[test]
    fn buffers_outside_the_queue_or_overfull_are_refused() {
        assert!(answer(1, 100, 0).is_ok());
        assert!(answer(0, 0, 0).is_ok());
        assert!(answer(2, 100, 0).is_err());
        assert!(answer(u32::MAX, 100, 0).is_err());
        assert!(answer(0, 101, 0).is_err());
        assert!(answer(0, u32::MAX, 0).is_err());
    }

    #[test]
    fn buffers_hold_a_frame_and_not_the_memory_of_the_machine() {
        assert!(check_length(4096, 4096).is_ok());
        assert!(check_length(8192 * 8192 * 2, 8192 * 8192 * 2).is_ok());
        for (len_bytes, need_bytes) in [(0, 0), (4095, 4096), (u32::MAX as usize, 1)] {
            assert!(check_length(len_bytes, need_bytes).is_err());
        }
    }

    #[test]
    fn only_a_monotonic_clock_counts() {
        let monotonic = raw::BUF_FLAG_TIMESTAMP_MONOTONIC;
        assert_eq!(answer(0, 1, monotonic).unwrap().captured_us, Some(12_345_678));
        assert_eq!(answer(0, 1, 0).unwrap().captured_us, None);
        assert_eq!(answer(0, 1, 0x4000).unwrap().captured_us, None);
        let raw = raw::BufferDesc { time_s: i64::MAX, flags: monotonic, ..Default::default() };
        assert_eq!(checked(&raw, |_| Some(1)).unwrap().captured_us, None);
    }

    #[test]
    fn damage_is_told() {
        assert!(answer(0, 1, raw::BUF_FLAG_ERROR).unwrap().damaged);
        assert!(!answer(0, 1, 0).unwrap().damaged);
    }
}
