//! Memory that is needed soon.

/// Of a line of the cache.
#[cfg(target_arch = "x86_64")]
pub(crate) const LINE_BYTES: usize = 64;

/// Has the processor fetch what lies so many bytes behind these samples: the same columns of a row below. By
/// itself it foresees long rows, but not the pieces of rows that an edge is made of, and a frame that comes
/// from another thread is in no near cache. Exported for greenroom-matte alone.
#[inline]
#[allow(unsafe_code)]
pub fn fetch_below(samples: &[u8], behind_bytes: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        for at in (0..samples.len()).step_by(LINE_BYTES) {
            let place = samples.as_ptr().wrapping_add(behind_bytes + at);
            // SAFETY: SSE is part of x86-64, and nothing is read, wherever this points.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(place.cast()) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (samples, behind_bytes);
}
