use crate::kernels::pack::{
    average_rows, pack_pairs, pack_uyvy, pack_yuyv, unpack_pairs, unpack_uyvy, unpack_yuyv,
};
use crate::kernels::pack_mixed::{Order, pack_mixed};
use crate::recolour::{MAX_ROW, Recolour, mixes};
use crate::{Chroma, Frame, FrameError, FrameView, FrameViewMut, Isa, PixelFormat, PlaneMut};

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

/// Turns a planar picture into any format and colour encoding of the same size: 4:2:0 chroma rows are repeated where
/// 4:2:2 is asked for, 4:2:2 ones averaged by two where 4:2:0 is. Another encoding costs no pass over the picture: rows
/// are [recoloured](crate::recolour) on their way.
///
/// # Errors
/// [`FrameError::NoConversion`] if sizes differ, or `from` is packed, or has no chroma and `into`
/// has.
pub fn pack(from: FrameView<'_>, into: &mut FrameViewMut<'_>) -> Result<(), FrameError> {
    check_pack(from, into)?;
    let into_colour = into.colour();
    let recolour = || Recolour::new(from.colour(), into_colour);
    match into.format() {
        PixelFormat::Yuyv | PixelFormat::Uyvy => pack_rows(from, into),
        PixelFormat::Nv12 => pack_nv12(from, into, recolour()),
        format if (format, into_colour) == (from.format(), from.colour()) => {
            copy_planes(from, into)
        }
        PixelFormat::I420 | PixelFormat::I422 => pack_planar(from, into, recolour()),
        PixelFormat::Grey => copy_luma(from, &mut into.plane_mut(0), &mut recolour()),
    }
    Ok(())
}

/// Whether `from` can be packed into `into`.
pub(crate) fn check_pack(from: FrameView<'_>, into: &FrameViewMut<'_>) -> Result<(), FrameError> {
    let grey_to_colour = from.format() == PixelFormat::Grey && into.format() != PixelFormat::Grey;
    if from.size() != into.size() || !from.format().is_planar() || grey_to_colour {
        return Err(FrameError::NoConversion {
            from: from.format(),
            from_size: from.size(),
            to: into.format(),
            to_size: into.size(),
        });
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

/// Row `index` of `from`'s luma, with the rows of chroma that belong to it; a grey picture has none.
fn rows_of_luma(from: FrameView<'_>, index: usize) -> [&[u8]; 3] {
    if from.format().chroma() == Chroma::None {
        return [from.plane(0).row(index), &[], &[]];
    }
    let share = from.format().chroma().luma_rows();
    [from.plane(0).row(index), from.plane(1).row(index / share), from.plane(2).row(index / share)]
}

fn copy_luma(from: FrameView<'_>, into: &mut PlaneMut<'_>, recolour: &mut Option<Recolour>) {
    for (index, to) in into.iter_rows_mut().enumerate() {
        let [y, u, v] = rows_of_luma(from, index);
        to.copy_from_slice(match recolour {
            Some(recolour) => recolour.luma(y, u, v),
            None => y,
        });
    }
}

/// Packs into YUYV or UYVY.
fn pack_rows(from: FrameView<'_>, into: &mut FrameViewMut<'_>) {
    let isa = Isa::best();
    let [from_colour, to_colour] = [from.colour(), into.colour()];
    let is_yuyv = into.format() == PixelFormat::Yuyv;
    let mut plane = into.plane_mut(0);
    let rows = plane.iter_rows_mut().zip((0..).map(|index| rows_of_luma(from, index)));
    if from_colour == to_colour {
        let pack_row = if is_yuyv { pack_yuyv } else { pack_uyvy };
        rows.for_each(|(packed, [y, u, v])| pack_row(isa, packed, y, u, v));
    } else {
        let mixes = mixes(from_colour, to_colour);
        let order = if is_yuyv { Order::Yuyv } else { Order::Uyvy };
        rows.for_each(|(packed, [y, u, v])| pack_mixed(isa, packed, y, [u, v], mixes, order));
    }
}

/// Makes the rows of 4:2:0 chroma of a picture of either chroma.
struct ChromaRows {
    recolour: Option<Recolour>,
    /// The means of two rows of 4:2:2, the longest that there are: on the stack, no scratch to keep.
    means: [[u8; MAX_ROW / 2]; 2],
}

impl ChromaRows {
    /// The row of U and of V that luma's row `index` has.
    fn of_luma<'a>(&'a mut self, from: FrameView<'a>, index: usize) -> (&'a [u8], &'a [u8]) {
        let [_, u, v] = rows_of_luma(from, index);
        match &mut self.recolour {
            Some(recolour) => recolour.chroma(u, v),
            None => (u, v),
        }
    }

    /// Row `index` of U and V.
    fn row<'a>(&'a mut self, from: FrameView<'a>, index: usize) -> (&'a [u8], &'a [u8]) {
        let isa = Isa::best();
        let (mut u, mut v) = if from.format().chroma() == Chroma::Half2x2 {
            (from.plane(1).row(index), from.plane(2).row(index))
        } else {
            let [u_mean, v_mean] = &mut self.means;
            for (plane, mean) in [(1, &mut *u_mean), (2, &mut *v_mean)] {
                let plane = from.plane(plane);
                let (above, below) =
                    (plane.row(2 * index), plane.row((2 * index + 1).min(plane.rows() - 1)));
                average_rows(isa, &mut mean[..above.len()], above, below);
            }
            let len = from.plane(1).row(0).len();
            (&u_mean[..len], &v_mean[..len])
        };
        if let Some(recolour) = &mut self.recolour {
            (u, v) = recolour.chroma(u, v);
        }
        (u, v)
    }
}

fn pack_nv12(from: FrameView<'_>, into: &mut FrameViewMut<'_>, mut recolour: Option<Recolour>) {
    let isa = Isa::best();
    let mut planes = into.planes_mut();
    let (Some(mut y), Some(mut uv)) = (planes.next(), planes.next()) else { return };
    copy_luma(from, &mut y, &mut recolour);
    let mut rows = ChromaRows { recolour, means: [[0; MAX_ROW / 2]; 2] };
    for (index, pairs) in uv.iter_rows_mut().enumerate() {
        let (u, v) = rows.row(from, index);
        pack_pairs(isa, pairs, u, v);
    }
}

fn pack_planar(from: FrameView<'_>, into: &mut FrameViewMut<'_>, mut recolour: Option<Recolour>) {
    let to_422 = into.format() == PixelFormat::I422;
    let [mut y, mut u, mut v] = into.yuv_mut();
    copy_luma(from, &mut y, &mut recolour);
    let mut rows = ChromaRows { recolour, means: [[0; MAX_ROW / 2]; 2] };
    for (index, (to_u, to_v)) in u.iter_rows_mut().zip(v.iter_rows_mut()).enumerate() {
        let (u, v) = if to_422 { rows.of_luma(from, index) } else { rows.row(from, index) };
        to_u.copy_from_slice(u);
        to_v.copy_from_slice(v);
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
    fn packing_into_another_encoding_is_recolouring_on_the_way() {
        for size in [SizePx::new(40, 6), SizePx::new(35, 5)] {
            for from in [PixelFormat::I420, PixelFormat::I422, PixelFormat::Grey] {
                let mut picture = noise(from, size);
                // No code is cut off, so that it makes no difference what is done first.
                picture.bytes_mut().iter_mut().for_each(|byte| *byte = 64 + *byte / 2);
                picture.set_colour(Colour::HD);
                for colour in [Colour::WEBCAM, Colour::JPEG] {
                    let mut recoloured = picture.clone();
                    crate::recolour(&mut recoloured, colour);
                    for to in PixelFormat::ALL {
                        let pack_from = |from: &Frame| {
                            let mut out = Frame::new(to, size, colour).unwrap();
                            pack(from.view(), &mut out.view_mut()).map(|()| out)
                        };
                        let (Ok(at_once), Ok(one_by_one)) =
                            (pack_from(&picture), pack_from(&recoloured))
                        else {
                            assert!(from == PixelFormat::Grey && to != PixelFormat::Grey);
                            continue;
                        };
                        let bytes = at_once.bytes().iter().zip(one_by_one.bytes());
                        // A mean of two rows is rounded before or after.
                        let most = bytes.map(|(one, other)| one.abs_diff(*other)).max();
                        assert!(most <= Some(1), "{from} {to} {size} {colour:?}: {most:?}");
                        if from.chroma() == to.chroma() || to.chroma() == crate::Chroma::Half2x1 {
                            assert_eq!(most, Some(0), "{from} {to} {size} {colour:?}");
                        }
                    }
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
