//! What an ioctl reads and writes.

use super::raw;

/// A struct that an ioctl reads and writes.
///
/// # Safety
/// - `repr(C)`, and every field is an integer or an array of such, so whatever bytes the kernel
///   writes are a value of the type.
/// - It holds no pointer that the kernel would follow.
pub(super) unsafe trait Argument: 'static {}

// SAFETY: all of these are structs of integers, see `raw`. `v4l2_buffer` and `v4l2_format` have
// pointers in unions, for memory and buffer types that greenroom never asks for.
unsafe impl Argument for raw::Capability {}
// SAFETY: as above.
unsafe impl Argument for raw::FmtDesc {}
// SAFETY: as above.
unsafe impl Argument for raw::FrmSizeEnum {}
// SAFETY: as above.
unsafe impl Argument for raw::FrmIvalEnum {}
// SAFETY: as above.
unsafe impl Argument for raw::Format {}
// SAFETY: as above.
unsafe impl Argument for raw::StreamParm {}
// SAFETY: as above.
unsafe impl Argument for raw::RequestBuffers {}
// SAFETY: as above.
unsafe impl Argument for raw::BufferDesc {}
// SAFETY: as above.
unsafe impl Argument for raw::EventSubscription {}
// SAFETY: as above.
unsafe impl Argument for raw::EventDesc {}
// SAFETY: as above.
unsafe impl Argument for raw::Control {}
// SAFETY: an integer.
unsafe impl Argument for u32 {}

/// Puts `bytes` into `argument` from byte `at_bytes` on, as a driver may; what does not fit is
/// left out.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn overwrite<T: Argument>(argument: &mut T, at_bytes: usize, bytes: &[u8]) {
    let count = bytes.len().min(size_of::<T>().saturating_sub(at_bytes));
    if count == 0 {
        return;
    }
    // SAFETY: `at_bytes + count` is not above the size of `T`, so all of it lies inside
    // `argument`; it does not overlap the borrowed `bytes`. `T: Argument` holds for any bytes.
    unsafe {
        let start = std::ptr::from_mut(argument).cast::<u8>().add(at_bytes);
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), start, count);
    }
}

/// A struct of whatever bytes a driver may write; those that are missing are 0.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn struct_of<T: Argument>(bytes: &[u8]) -> T {
    // SAFETY: `T: Argument` holds for any bytes, also for zeros.
    let mut argument = unsafe { std::mem::zeroed() };
    overwrite(&mut argument, 0, bytes);
    argument
}
