use crate::buffer::Buffer;
use crate::kernels::{Pair, Pointwise, Values, ValuesMut};

/// Memory for the values of a map, or of rows of one.
#[derive(Debug)]
pub(crate) enum ValuesBuffer {
    Floats(Buffer),
    /// Of values that only go into products of bf16: half as much memory, and none of these layers rounds them again.
    Pairs(Buffer<Pair>),
}

impl ValuesBuffer {
    /// `len` zeros, which are even in number if they are in pairs.
    pub fn zeros(len: usize, is_in_pairs: bool) -> Self {
        match is_in_pairs {
            true => Self::Pairs(Buffer::zeros(len / 2)),
            false => Self::Floats(Buffer::zeros(len)),
        }
    }

    /// `len` values from the one at `first` on; both are even.
    pub fn part(&self, first: usize, len: usize) -> Values<'_> {
        debug_assert!(first.is_multiple_of(2) && len.is_multiple_of(2));
        match self {
            Self::Floats(values) => Values::Floats(&values[first..][..len]),
            Self::Pairs(pairs) => Values::Pairs(&pairs[first / 2..][..len / 2]),
        }
    }

    /// The same, to be written.
    pub fn part_mut(&mut self, first: usize, len: usize) -> ValuesMut<'_> {
        debug_assert!(first.is_multiple_of(2) && len.is_multiple_of(2));
        match self {
            Self::Floats(values) => ValuesMut::Floats(&mut values[first..][..len]),
            Self::Pairs(pairs) => ValuesMut::Pairs(&mut pairs[first / 2..][..len / 2]),
        }
    }

    /// Values in floats.
    ///
    /// # Panics
    /// If they are in pairs.
    pub fn floats(&self) -> &[f32] {
        match self {
            Self::Floats(values) => values,
            Self::Pairs(_) => panic!("the values are in pairs"),
        }
    }
}

/// Memory for a row on its way from one layer to the next.
#[derive(Debug)]
pub(crate) struct Rows {
    pub floats: ValuesBuffer,
    pairs: ValuesBuffer,
}

impl Rows {
    /// For rows of up to `len` values.
    pub fn zeros(len: usize) -> Self {
        Self { floats: ValuesBuffer::zeros(len, false), pairs: ValuesBuffer::zeros(len, true) }
    }

    /// As `next`, which the row goes into, takes it.
    pub fn for_layer(&mut self, next: &Pointwise) -> &mut ValuesBuffer {
        if next.is_in_pairs() { &mut self.pairs } else { &mut self.floats }
    }
}
