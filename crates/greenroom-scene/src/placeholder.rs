use greenroom_frame::{Colour, Frame, FrameError, PixelFormat, Rgb8, SizePx};

/// The picture that is shown when there is nothing to show: a calm dark green that fades to
/// nearly black towards the foot. Nothing of the room, or of any frame before, is in it.
///
/// # Errors
/// [`FrameError::BadSize`].
pub fn placeholder(size: SizePx, colour: Colour) -> Result<Frame, FrameError> {
    let mut frame = Frame::new(PixelFormat::I420, size, colour)?;
    let mut view = frame.view_mut();
    for (plane, mut samples) in view.planes_mut().enumerate() {
        let rows = samples.rows().max(2) - 1;
        for (y, row) in samples.iter_rows_mut().enumerate() {
            let fade = |top: u8, foot: u8| {
                let mix = usize::from(top) * (rows - y.min(rows)) + usize::from(foot) * y.min(rows);
                ((mix + rows / 2) / rows) as u8
            };
            let rgb = Rgb8 { r: fade(22, 6), g: fade(64, 14), b: fade(48, 12) };
            let yuv = colour.encode(rgb);
            row.fill([yuv.y, yuv.u, yuv.v][plane]);
        }
    }
    Ok(frame)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_dark_and_fills_every_size() {
        for size in [SizePx::new(1, 1), SizePx::new(640, 360), SizePx::new(7, 5)] {
            let frame = placeholder(size, Colour::WEBCAM).unwrap();
            let view = frame.view();
            assert!(view.plane(0).iter_rows().flatten().all(|&y| (16..80).contains(&y)));
        }
    }
}
