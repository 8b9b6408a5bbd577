use crate::kernels::blend::lay_row;
use crate::{Frame, FrameError, FrameView, Isa, MatteView, SizePx};

/// Lays a small picture over a part of `frame`: as [`blend`](crate::blend), but in place and only
/// where the picture is. Its top left corner comes to `left_px`, `top_px`, both even, so that
/// chroma samples stay whole.
///
/// # Errors
/// [`FrameError::NoConversion`] unless both are of one planar format and colour, the matte fits the
/// picture, and the picture lies within the frame at an even place.
pub fn overlay(
    frame: &mut Frame,
    picture: FrameView<'_>,
    matte: MatteView<'_>,
    left_px: u32,
    top_px: u32,
) -> Result<(), FrameError> {
    let (size, part) = (frame.size(), picture.size());
    let inside = left_px.checked_add(part.width_px).is_some_and(|right| right <= size.width_px)
        && top_px.checked_add(part.height_px).is_some_and(|bottom| bottom <= size.height_px);
    let same = (frame.format(), frame.colour()) == (picture.format(), picture.colour());
    if !(same
        && inside
        && frame.format().is_planar()
        && left_px.is_multiple_of(2)
        && top_px.is_multiple_of(2))
    {
        return Err(FrameError::NoConversion {
            from: picture.format(),
            from_size: part,
            to: frame.format(),
            to_size: size,
        });
    }
    let matte = MatteView::new(picture, matte.luma(), matte.chroma())?;
    let corner = SizePx::new(left_px, top_px);
    let chroma_corner = frame.format().chroma().plane_size(corner);
    let isa = Isa::best();
    for (index, mut plane) in frame.view_mut().planes_mut().enumerate() {
        let (alpha, at) =
            if index == 0 { (matte.luma(), corner) } else { (matte.chroma(), chroma_corner) };
        let rows = plane.iter_rows_mut().skip(at.height_px as usize);
        let laid = picture.plane(index).iter_rows().zip(alpha.plane(0).iter_rows());
        for (row, (over, alpha)) in rows.zip(laid) {
            lay_row(isa, &mut row[at.width_px as usize..][..over.len()], over, alpha);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Colour, PixelFormat, Yuv8};

    fn flat(format: PixelFormat, size: SizePx, y: u8) -> Frame {
        let mut frame = Frame::new(format, size, Colour::WEBCAM).unwrap();
        frame.fill(Yuv8 { y, u: y, v: y });
        frame
    }

    #[test]
    fn only_the_pictures_place_changes() {
        for format in [PixelFormat::I420, PixelFormat::I422] {
            // An odd picture in the corner of an odd frame, where chroma rounds up in both.
            let (size, part) = (SizePx::new(31, 21), SizePx::new(7, 5));
            let (picture, mut frame) = (flat(format, part, 200), flat(format, size, 20));
            let luma = flat(PixelFormat::Grey, part, 255);
            let chroma = flat(PixelFormat::Grey, format.chroma().plane_size(part), 255);
            let matte = MatteView::new(picture.view(), luma.view(), chroma.view()).unwrap();
            overlay(&mut frame, picture.view(), matte, 24, 16).unwrap();
            for plane in 0..3 {
                let seen = frame.view().plane(plane);
                let laid = seen.iter_rows().flatten().filter(|&&sample| sample == 200).count();
                let plane = picture.view().plane(plane);
                assert_eq!(laid, plane.rows() * plane.row_bytes());
                let last = seen.row(seen.rows() - 1);
                assert_eq!((last[0], last[last.len() - 1]), (20, 200));
            }
            for (left, top) in [(25, 16), (24, 17), (26, 16), (24, 18), (u32::MAX - 1, 0)] {
                let matte = MatteView::new(picture.view(), luma.view(), chroma.view()).unwrap();
                assert!(overlay(&mut frame, picture.view(), matte, left, top).is_err());
            }
        }
    }
}
