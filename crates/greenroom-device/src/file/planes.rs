//! A frame goes into a file plane by plane, without padding.

use std::io::{self, Write};

use greenroom_frame::{FrameError, FrameLayout, FrameView};

use crate::SinkMode;

/// That the frame is what the sink takes.
pub(super) fn check_frame(frame: FrameView<'_>, mode: SinkMode) -> Result<(), FrameError> {
    if (frame.format(), frame.size()) == (mode.format, mode.size) {
        return Ok(());
    }
    Err(FrameError::NoConversion {
        from: frame.format(),
        from_size: frame.size(),
        to: mode.format,
        to_size: mode.size,
    })
}

/// How many bytes [`write_planes`] writes.
pub(super) fn frame_bytes(frame: FrameView<'_>) -> usize {
    let planes = (0..frame.format().plane_count()).map(|index| frame.plane(index));
    planes.map(|plane| plane.iter_rows().map(<[u8]>::len).sum::<usize>()).sum()
}

/// Writes the frame's planes without padding.
pub(super) fn write_planes(frame: FrameView<'_>, to: &mut impl Write) -> io::Result<()> {
    if FrameLayout::tight(frame.format(), frame.size()).as_ref() == Ok(frame.layout()) {
        return to.write_all(frame.bytes());
    }
    let mut planes = (0..frame.format().plane_count()).map(|index| frame.plane(index));
    planes.try_for_each(|plane| plane.iter_rows().try_for_each(|row| to.write_all(row)))
}
