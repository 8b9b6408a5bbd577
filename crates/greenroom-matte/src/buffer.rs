use std::ops::{Deref, DerefMut};

/// Floats, or other values of 32 bits, that begin at a cache line, so that no eight of them straddle two. Fixed in length.
#[derive(Debug)]
pub(crate) struct Buffer<T = f32> {
    data: Vec<T>,
    start: usize,
    len: usize,
}

/// A cache line of every machine we know, and the alignment of the widest vectors.
const LINE_BYTES: usize = 64;

impl<T: Copy + Default> Buffer<T> {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let data = vec![T::default(); len + LINE_BYTES / size_of::<T>()];
        // The vector never grows, so its memory stays where it is. `align_offset` may decline
        // (usize::MAX); alignment only matters for speed.
        let start = data.as_ptr().align_offset(LINE_BYTES).min(data.len() - len);
        Self { data, start, len }
    }

    /// A copy of `values`.
    pub fn copy_of(values: &[T]) -> Self {
        let mut buffer = Self::zeros(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl<T> Deref for Buffer<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.data[self.start..][..self.len]
    }
}

impl<T> DerefMut for Buffer<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.data[self.start..][..self.len]
    }
}
