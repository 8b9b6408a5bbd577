//! The levels that parts of the second opinion have in common.

/// Below this a cell is room by an answer: 0.5.
pub(super) const DOUBT: u8 = 128;
/// Level of the fast network's mask from which on it is sure of a person: 0.85.
pub(super) const SURE: u8 = 217;
