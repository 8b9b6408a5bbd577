use crate::kernels::fade::fade_row;
use crate::{Frame, FrameError, FrameView, Isa};

/// Mixes `over` into `frame`, all samples alike: `frame = (over * weight + frame * (255 - weight)) /
/// 255`, rounded to the nearest; `weight` 0 leaves `frame` as it is, 255 makes it `over`. The time
/// of capture stays `frame`'s.
///
/// # Errors
/// [`FrameError::NoConversion`] unless both are planar and of one shape.
pub fn fade(frame: &mut Frame, over: FrameView<'_>, weight: u8) -> Result<(), FrameError> {
    if frame.shape() != over.shape() || !over.format().is_planar() {
        return Err(FrameError::NoConversion {
            from: over.format(),
            from_size: over.size(),
            to: frame.format(),
            to_size: frame.size(),
        });
    }
    let isa = Isa::best();
    for (index, mut plane) in frame.view_mut().planes_mut().enumerate() {
        for (row, over) in plane.iter_rows_mut().zip(over.plane(index).iter_rows()) {
            fade_row(isa, row, over, weight);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Colour, PixelFormat, SizePx, Yuv8};

    #[test]
    fn the_weight_decides_between_the_two() {
        for format in [PixelFormat::I420, PixelFormat::I422, PixelFormat::Grey] {
            let flat = |y, u, v| {
                let mut frame = Frame::new(format, SizePx::new(67, 5), Colour::WEBCAM).unwrap();
                frame.fill(Yuv8 { y, u, v });
                frame
            };
            let over = flat(200, 100, 50);
            for (weight, mixed) in
                [(0, flat(20, 30, 40)), (255, flat(200, 100, 50)), (128, flat(110, 65, 45))]
            {
                let mut frame = flat(20, 30, 40);
                fade(&mut frame, over.view(), weight).unwrap();
                assert_eq!(frame.bytes(), mixed.bytes());
            }
            let other = Frame::new(format, SizePx::new(66, 5), Colour::WEBCAM).unwrap();
            assert!(fade(&mut flat(0, 0, 0), other.view(), 9).is_err());
        }
    }
}
