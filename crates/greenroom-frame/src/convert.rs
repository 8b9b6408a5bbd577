use crate::kernels::pack::{
    average_rows, pack_pairs, pack_uyvy, pack_yuyv, unpack_pairs, unpack_uyvy, unpack_yuyv,
};
use crate::{Chroma, Frame, FrameError, FrameView, FrameViewMut, Isa, PixelFormat};

/// Turns a picture of any format into the planar format of its own chroma
/// ([`PixelFormat::I420`], [`PixelFormat::I422`] or [`PixelFormat::Grey`]); no sample changes.
/// `into` is reshaped and takes over colour and time.
///
/// # Errors
/// [`FrameError::BadSize`].
pub fn unpack(from: FrameView<'_>, into: &mut Frame) -> Result<(), FrameError> {
    into.reshape(from.format().chroma().planar_format(), from.size(), from.colour())?;
    into.set_captured_at(from.captured_at());
    let isa = Isa::best();
    match from.format() {
        PixelFormat::Yuyv | PixelFormat::Uyvy => {
            let unpack_row =
                if from.format() == PixelFormat::Yuyv { unpack_yuyv } else { unpack_uyvy };
            let mut to = into.view_mut();
            let [mut y, mut u, mut v] = to.yuv_mut();
            for (index, packed) in from.plane(0).iter_rows().enumerate() {
                unpack_row(isa, packed, y.row_mut(index), u.row_mut(index), v.row_mut(index));
            }
        }
        PixelFormat::Nv12 => {
            let mut to = into.view_mut();
            let [mut y, mut u, mut v] = to.yuv_mut();
            for (index, row) in from.plane(0).iter_rows().enumerate() {
                y.row_mut(index).copy_from_slice(row);
            }
            for (index, pairs) in from.plane(1).iter_rows().enumerate() {
                unpack_pairs(isa, pairs, u.row_mut(index), v.row_mut(index));
            }
        }
        PixelFormat::I420 | PixelFormat::I422 | PixelFormat::Grey => {
            copy_planes(from, &mut into.view_mut());
        }
    }
    Ok(())
}

/// Turns a planar picture into any format of the same size: 4:2:0 chroma rows are repeated where
/// 4:2:2 is asked for, 4:2:2 ones averaged by two where 4:2:0 is. Colour is taken as it is.
///
/// # Errors
/// [`FrameError::NoConversion`] if sizes differ, or `from` is packed, or has no chroma and `into`
/// has.
pub fn pack(from: FrameView<'_>, into: &mut FrameViewMut<'_>) -> Result<(), FrameError> {
    let grey_to_colour = from.format() == PixelFormat::Grey && into.format() != PixelFormat::Grey;
    if from.size() != into.size() || !from.format().is_planar() || grey_to_colour {
        return Err(FrameError::NoConversion {
            from: from.format(),
            from_size: from.size(),
            to: into.format(),
            to_size: into.size(),
        });
    }
    match into.format() {
        PixelFormat::Yuyv | PixelFormat::Uyvy => pack_rows(from, into),
        PixelFormat::Nv12 => pack_nv12(from, into),
        PixelFormat::I420 | PixelFormat::I422 => pack_planar(from, into),
        PixelFormat::Grey => copy_planes(from, into),
    }
    Ok(())
}

/// Copies as many planes as `into` has.
fn copy_planes(from: FrameView<'_>, into: &mut FrameViewMut<'_>) {
    for (index, mut to) in into.planes_mut().enumerate() {
        to.iter_rows_mut()
            .zip(from.plane(index).iter_rows())
            .for_each(|(to, from)| to.copy_from_slice(from));
    }
}

/// Rows of 4:2:2 that share one row of `from`'s chroma.
fn luma_rows_a_chroma_row(from: FrameView<'_>) -> usize {
    if from.format().chroma() == Chroma::Half2x2 { 2 } else { 1 }
}

fn pack_rows(from: FrameView<'_>, into: &mut FrameViewMut<'_>) {
    let isa = Isa::best();
    let pack_row = if into.format() == PixelFormat::Yuyv { pack_yuyv } else { pack_uyvy };
    let share = luma_rows_a_chroma_row(from);
    let [y, u, v] = [0, 1, 2].map(|plane| from.plane(plane));
    for (index, packed) in into.plane_mut(0).iter_rows_mut().enumerate() {
        pack_row(isa, packed, y.row(index), u.row(index / share), v.row(index / share));
    }
}

/// The two rows of `from`'s chroma that make row `index` of 4:2:0 (one and the same row if
/// `from` is 4:2:0 already, or at an odd picture's end).
fn chroma_pair(from: FrameView<'_>, plane: usize, index: usize) -> (&[u8], &[u8]) {
    let plane = from.plane(plane);
    if from.format().chroma() == Chroma::Half2x2 {
        return (plane.row(index), plane.row(index));
    }
    (plane.row(2 * index), plane.row((2 * index + 1).min(plane.rows() - 1)))
}

fn pack_nv12(from: FrameView<'_>, into: &mut FrameViewMut<'_>) {
    let isa = Isa::best();
    let mut planes = into.planes_mut();
    let (Some(mut y), Some(mut uv)) = (planes.next(), planes.next()) else { return };
    for (to, row) in y.iter_rows_mut().zip(from.plane(0).iter_rows()) {
        to.copy_from_slice(row);
    }
    // Two rows of at most 4096 samples: the stack holds them, no scratch to keep.
    let (mut u_mean, mut v_mean) = ([0; 4096], [0; 4096]);
    for (index, pairs) in uv.iter_rows_mut().enumerate() {
        let (u, v) = (chroma_pair(from, 1, index), chroma_pair(from, 2, index));
        let half = pairs.len() / 2;
        average_rows(isa, &mut u_mean[..half], u.0, u.1);
        average_rows(isa, &mut v_mean[..half], v.0, v.1);
        pack_pairs(isa, pairs, &u_mean[..half], &v_mean[..half]);
    }
}

fn pack_planar(from: FrameView<'_>, into: &mut FrameViewMut<'_>) {
    if from.format() == into.format() {
        return copy_planes(from, into);
    }
    let isa = Isa::best();
    let to_422 = into.format() == PixelFormat::I422;
    for (plane, mut to) in into.planes_mut().enumerate() {
        for (index, row) in to.iter_rows_mut().enumerate() {
            match (plane, to_422) {
                (0, _) => row.copy_from_slice(from.plane(0).row(index)),
                (_, true) => row.copy_from_slice(from.plane(plane).row(index / 2)),
                (_, false) => {
                    let (above, below) = chroma_pair(from, plane, index);
                    average_rows(isa, row, above, below);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Colour, FrameLayout, SizePx};
    use std::time::Instant;

    fn noise(format: PixelFormat, size: SizePx) -> Frame {
        let mut frame = Frame::new(format, size, Colour::WEBCAM).unwrap();
        for (i, byte) in frame.bytes_mut().iter_mut().enumerate() {
            *byte = (i * 193 % 251) as u8;
        }
        frame
    }

    #[test]
    fn unpack_then_pack_is_the_same_picture() {
        for format in PixelFormat::ALL {
            for size in [SizePx::new(16, 8), SizePx::new(2, 2), SizePx::new(130, 6)] {
                let picture = noise(format, size);
                let mut planar = noise(PixelFormat::Grey, SizePx::new(1, 1));
                unpack(picture.view(), &mut planar).unwrap();
                assert!(planar.format().is_planar());
                let mut back = Frame::new(format, size, Colour::WEBCAM).unwrap();
                pack(planar.view(), &mut back.view_mut()).unwrap();
                assert_eq!(back.bytes(), picture.bytes(), "{format} {size}");
            }
        }
    }

    #[test]
    fn padding_between_rows_never_shows() {
        let size = SizePx::new(6, 4);
        for format in PixelFormat::ALL {
            let picture = noise(format, size);
            let stride = picture.layout().planes()[0].row_bytes + 10;
            let layout = FrameLayout::with_stride(format, size, stride).unwrap();
            let mut padded = vec![255; layout.len_bytes()];
            let mut view = FrameViewMut::new(layout, Colour::WEBCAM, &mut padded).unwrap();
            for (index, mut plane) in view.planes_mut().enumerate() {
                for (to, from) in plane.iter_rows_mut().zip(picture.view().plane(index).iter_rows())
                {
                    to.copy_from_slice(from);
                }
            }
            let view = FrameView::new(layout, Colour::WEBCAM, Instant::now(), &padded).unwrap();
            let [mut tight, mut from_padded] =
                [0, 1].map(|_| Frame::new(format, size, Colour::WEBCAM).unwrap());
            unpack(picture.view(), &mut tight).unwrap();
            unpack(view, &mut from_padded).unwrap();
            assert_eq!(tight.bytes(), from_padded.bytes(), "{format}");
        }
    }

    #[test]
    fn every_planar_format_packs_into_every_format() {
        let flat = crate::Yuv8 { y: 90, u: 60, v: 200 };
        for size in [SizePx::new(8, 6), SizePx::new(7, 5)] {
            for from in [PixelFormat::I420, PixelFormat::I422] {
                let mut picture = Frame::new(from, size, Colour::WEBCAM).unwrap();
                picture.fill(flat);
                for to in PixelFormat::ALL {
                    let mut out = Frame::new(to, size, Colour::WEBCAM).unwrap();
                    pack(picture.view(), &mut out.view_mut()).unwrap();
                    let mut back = Frame::new(to, size, Colour::WEBCAM).unwrap();
                    unpack(out.view(), &mut back).unwrap();
                    let mut expected = back.clone();
                    expected.fill(flat);
                    assert_eq!(back.bytes(), expected.bytes(), "{from} {to} {size}");
                }
            }
        }
    }

    #[test]
    fn what_cannot_be_packed_is_refused() {
        let size = SizePx::new(8, 6);
        let grey = noise(PixelFormat::Grey, size);
        let yuyv = noise(PixelFormat::Yuyv, size);
        let mut out = noise(PixelFormat::I420, size);
        assert!(pack(grey.view(), &mut out.view_mut()).is_err());
        assert!(pack(yuyv.view(), &mut out.view_mut()).is_err());
        let mut small = noise(PixelFormat::I420, SizePx::new(6, 6));
        assert!(pack(out.view(), &mut small.view_mut()).is_err());
    }
}
