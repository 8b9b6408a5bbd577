use crate::kernels::tint::tint_row;
use crate::{Frame, FrameError, Isa, MatteView, Yuv8};

/// Mixes one colour into `frame`, each sample by a weight of its own:
/// `frame = (yuv * weight + frame * (255 - weight)) / 255`, rounded to the nearest; weight 0 leaves
/// a sample as it is, 255 makes it the colour.
///
/// # Errors
/// [`FrameError::NoConversion`] if the weights are not of `frame`'s sizes.
pub fn tint(frame: &mut Frame, weights: MatteView<'_>, yuv: Yuv8) -> Result<(), FrameError> {
    let weights = MatteView::new(frame.view(), weights.luma(), weights.chroma())?;
    let isa = Isa::best();
    let values = [yuv.y, yuv.u, yuv.v];
    for ((index, mut plane), value) in frame.view_mut().planes_mut().enumerate().zip(values) {
        let weights = if index == 0 { weights.luma() } else { weights.chroma() };
        for (row, weights) in plane.iter_rows_mut().zip(weights.plane(0).iter_rows()) {
            tint_row(isa, row, weights, value);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Colour, PixelFormat, SizePx};

    #[test]
    fn each_sample_goes_by_its_weight() {
        for format in [PixelFormat::I420, PixelFormat::I422] {
            let size = SizePx::new(67, 5);
            let flat = |y, u, v| {
                let mut frame = Frame::new(format, size, Colour::WEBCAM).unwrap();
                frame.fill(Yuv8 { y, u, v });
                frame
            };
            let grey = |size, weight| {
                let mut frame = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
                frame.bytes_mut().fill(weight);
                frame
            };
            let mut frame = flat(20, 30, 40);
            let (luma, chroma) = (grey(size, 128), grey(format.chroma().plane_size(size), 255));
            let weights = MatteView::new(frame.view(), luma.view(), chroma.view()).unwrap();
            tint(&mut frame, weights, Yuv8 { y: 200, u: 100, v: 50 }).unwrap();
            assert_eq!(frame.bytes(), flat(110, 100, 50).bytes());
            let mut other = Frame::new(format, SizePx::new(66, 5), Colour::WEBCAM).unwrap();
            assert!(tint(&mut other, weights, Yuv8 { y: 0, u: 0, v: 0 }).is_err());
        }
    }
}
