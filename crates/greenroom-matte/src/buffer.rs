use std::ops::{Deref, DerefMut};

/// Floats that begin at a cache line, so that no eight of them straddle two. Fixed in length.
#[derive(Debug)]
pub(crate) struct Buffer {
    data: Vec<f32>,
    start: usize,
    len: usize,
}

/// A cache line of every machine we know, and the alignment of the widest vectors.
const LINE_BYTES: usize = 64;

impl Buffer {
    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        let data = vec![0.0_f32; len + LINE_BYTES / size_of::<f32>()];
        // The vector never grows, so its memory stays where it is. `align_offset` may decline
        // (usize::MAX); alignment only matters for speed.
        let start = data.as_ptr().align_offset(LINE_BYTES).min(data.len() - len);
        Self { data, start, len }
    }

    /// A copy of `values`.
    pub fn copy_of(values: &[f32]) -> Self {
        let mut buffer = Self::zeros(values.len());
        buffer.copy_from_slice(values);
        buffer
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.data[self.start..][..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.data[self.start..][..self.len]
    }
}
