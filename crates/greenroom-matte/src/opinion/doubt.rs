//! The level that parts person and room in an answer.

/// Below this a cell is room: 0.5.
pub(super) const DOUBT: u8 = 128;
