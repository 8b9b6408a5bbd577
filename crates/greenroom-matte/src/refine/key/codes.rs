//! The codes of distances from the screen's colour that have a meaning.

/// Code of a distance of 0: colours without the screen's hue; and of 1: the screen's colour.
pub(super) const NEUTRAL: f32 = 64.0;
pub(super) const SCREEN: f32 = 192.0;
/// Code of the distance half way to the screen's colour.
pub(super) const HALF: u8 = 128;
