//! Small things that several effects need of planes.

use greenroom_frame::{Chroma, Colour, Frame, FrameView, Plane};

/// The bytes of plane `index` (tight: frames have no padding), and its width.
pub(super) fn tight_plane(frame: &mut Frame, index: usize) -> (&mut [u8], usize) {
    let plane = frame.layout().planes()[index];
    debug_assert_eq!(plane.stride_bytes, plane.row_bytes, "an owned frame is tight");
    let bytes = &mut frame.bytes_mut()[plane.offset_bytes..][..plane.row_bytes * plane.rows];
    (bytes, plane.row_bytes)
}

/// Copies a plane into `copy`, tightly.
pub(super) fn copy_plane(plane: Plane<'_>, copy: &mut Vec<u8>) {
    copy.resize(plane.row_bytes() * plane.rows(), 0);
    for (to, from) in copy.chunks_exact_mut(plane.row_bytes().max(1)).zip(plane.iter_rows()) {
        to.copy_from_slice(from);
    }
}

/// Luma rows that belong to one row of chroma.
pub(super) fn luma_rows_a_chroma_row(frame: FrameView<'_>) -> usize {
    if frame.format().chroma() == Chroma::Half2x2 { 2 } else { 1 }
}

/// Luma at the places of a chroma row's samples: the mean of the pixels each belongs to, which are
/// pairs of one row, or of two. `means` is half as long as the rows, rounded up.
pub(super) fn luma_means(upper: &[u8], lower: &[u8], means: &mut [u8]) {
    let whole = upper.len() / 2;
    let pairs = upper.chunks_exact(2).zip(lower.chunks_exact(2));
    for (mean, (upper, lower)) in means.iter_mut().zip(pairs) {
        let sum = [upper[0], upper[1], lower[0], lower[1]].map(u16::from).iter().sum::<u16>();
        *mean = ((sum + 2) >> 2) as u8;
    }
    if let (Some(mean), Some(&upper), Some(&lower)) =
        (means.get_mut(whole), upper.last(), lower.last())
    {
        *mean = (u16::from(upper) + u16::from(lower)).div_ceil(2) as u8;
    }
}

/// A luma code as 0..=1, black to white; codes beyond either are those.
pub(super) fn luma_share(colour: Colour, code: u8) -> f32 {
    let (floor, span, _) = colour.scales();
    ((f32::from(code) - floor) / span).clamp(0.0, 1.0)
}

/// The luma code of 0..=1.
pub(super) fn luma_code(colour: Colour, share: f32) -> u8 {
    let (floor, span, _) = colour.scales();
    (floor + span * share.clamp(0.0, 1.0)).round() as u8
}

/// The chroma code of -0.5..=0.5.
pub(super) fn chroma_code(colour: Colour, share: f32) -> u8 {
    let (_, _, span) = colour.scales();
    // `as u8` saturates: full range has no code for +0.5.
    (128.0 + span * share.clamp(-0.5, 0.5)).round() as u8
}
