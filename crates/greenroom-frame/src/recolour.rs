use crate::kernels::recolour::{Mix, remix_chroma, remix_luma, rerange_row};
use crate::{Chroma, Colour, Frame, Isa, SizePx};

/// Changes a planar picture's samples, in place, from its own colour encoding to `to`: range and
/// matrix (BT.601 and BT.709 share their primaries closely enough for a call, so no gamut mapping).
/// Nothing happens when the encoding is already the asked-for one.
///
/// # Panics
/// If the picture is packed: that is the caller's mistake.
pub fn recolour(frame: &mut Frame, to: Colour) {
    assert!(frame.format().is_planar(), "packed pictures are packed from planar ones");
    let Some(mut rows) = Recolour::new(frame.colour(), to) else { return };
    let share = frame.format().chroma().luma_rows();
    let mut view = frame.view_mut();
    if view.format().chroma() == Chroma::None {
        for row in view.plane_mut(0).iter_rows_mut() {
            row.copy_from_slice(rows.luma(row, &[], &[]));
        }
    } else {
        let [mut y, mut u, mut v] = view.yuv_mut();
        for (index, row) in y.iter_rows_mut().enumerate() {
            row.copy_from_slice(rows.luma(row, u.row_mut(index / share), v.row_mut(index / share)));
        }
        for (u, v) in u.iter_rows_mut().zip(v.iter_rows_mut()) {
            let (to_u, to_v) = rows.chroma(u, v);
            u.copy_from_slice(to_u);
            v.copy_from_slice(to_v);
        }
    }
    frame.set_colour(to);
}

/// Samples of the longest row.
pub(crate) const MAX_ROW: usize = SizePx::MAX_SIDE_PX as usize;

/// Rows of one colour encoding in another. Its own rows are as long as the longest that there are, on the stack; what is
/// made of a row lies in the first level of the cache.
pub(crate) struct Recolour {
    isa: Isa,
    mixes: [Mix; 3],
    /// Whether luma is made of chroma as well.
    mixes_planes: bool,
    luma: [u8; MAX_ROW],
    chroma: [[u8; MAX_ROW.div_ceil(2)]; 2],
}

impl Recolour {
    /// `None` if both are the same.
    pub(crate) fn new(from: Colour, to: Colour) -> Option<Self> {
        (from != to).then(|| Self {
            isa: Isa::best(),
            mixes: mixes(from, to),
            mixes_planes: from.matrix != to.matrix,
            luma: [0; MAX_ROW],
            chroma: [[0; MAX_ROW.div_ceil(2)]; 2],
        })
    }

    /// A row of luma, with the rows of U and V that belong to it, as they were. In a grey picture these are empty.
    pub(crate) fn luma(&mut self, y: &[u8], u: &[u8], v: &[u8]) -> &[u8] {
        let out = &mut self.luma[..y.len()];
        if self.mixes_planes && !u.is_empty() {
            remix_luma(self.isa, out, y, u, v, self.mixes[0]);
        } else {
            out.copy_from_slice(y);
            rerange_row(self.isa, out, self.mixes[0]);
        }
        out
    }

    /// A row of U and one of V.
    pub(crate) fn chroma(&mut self, u: &[u8], v: &[u8]) -> (&[u8], &[u8]) {
        let [to_u, to_v] = &mut self.chroma;
        let (to_u, to_v) = (&mut to_u[..u.len()], &mut to_v[..v.len()]);
        to_u.copy_from_slice(u);
        to_v.copy_from_slice(v);
        let [_, mix_u, mix_v] = self.mixes;
        if self.mixes_planes {
            remix_chroma(self.isa, to_u, v, mix_u);
            remix_chroma(self.isa, to_v, u, mix_v);
        } else {
            rerange_row(self.isa, to_u, mix_u);
            rerange_row(self.isa, to_v, mix_v);
        }
        (to_u, to_v)
    }
}

/// What makes Y, U and V of `to` from those of `from`. A chroma sample is mixed from itself and
/// its partner; luma does not go into chroma, because grey has none in either encoding.
pub(crate) fn mixes(from: Colour, to: Colour) -> [Mix; 3] {
    let ((from_kr, from_kb), (kr, kb)) = (from.kr_kb(), to.kr_kb());
    let ((from_floor, from_luma, from_chroma), (floor, luma, chroma)) =
        (from.scales(), to.scales());
    // R - Y and B - Y of a unit of the source's chroma; then G - Y from the source's weights.
    let (r_v, b_u) = (2.0 * (1.0 - from_kr), 2.0 * (1.0 - from_kb));
    let (g_u, g_v) = {
        let kg = 1.0 - from_kr - from_kb;
        (-from_kb * b_u / kg, -from_kr * r_v / kg)
    };
    // The target's luma of that, relative to the source's luma.
    let kg = 1.0 - kr - kb;
    let (y_u, y_v) = (kb * b_u + kg * g_u, kr * r_v + kg * g_v);
    let (u_u, u_v) = ((b_u - y_u) / (2.0 * (1.0 - kb)), -y_v / (2.0 * (1.0 - kb)));
    let (v_v, v_u) = ((r_v - y_v) / (2.0 * (1.0 - kr)), -y_u / (2.0 * (1.0 - kr)));
    let (luma_gain, chroma_gain) = (luma / from_luma, chroma / from_chroma);
    let chroma_mix = |own: f32, other: f32| {
        let own = own * chroma_gain;
        Mix::new(own, [other * chroma_gain, 0.0], 128.0 * (1.0 - own))
    };
    let luma_of_chroma = luma / from_chroma;
    let weights = [y_u, y_v].map(|weight| weight * luma_of_chroma);
    [
        Mix::new(luma_gain, weights, floor - from_floor * luma_gain),
        chroma_mix(u_u, u_v),
        chroma_mix(v_v, v_u),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ColourMatrix, ColourRange, PixelFormat, Rgb8, SizePx};

    #[test]
    fn colours_stay_what_they_are() {
        let all = [ColourMatrix::Bt601, ColourMatrix::Bt709].map(|matrix| {
            [ColourRange::Limited, ColourRange::Full].map(|range| Colour { matrix, range })
        });
        for from in all.into_iter().flatten() {
            for to in all.into_iter().flatten() {
                for (r, g, b) in
                    [(0, 0, 0), (255, 255, 255), (200, 30, 60), (10, 220, 90), (40, 60, 250)]
                {
                    let rgb = Rgb8 { r, g, b };
                    for format in [PixelFormat::I420, PixelFormat::I422] {
                        let mut frame = Frame::new(format, SizePx::new(6, 4), from).unwrap();
                        frame.fill(from.encode(rgb));
                        recolour(&mut frame, to);
                        assert_eq!(frame.colour(), to);
                        let expected = to.encode(rgb);
                        let view = frame.view();
                        let planes = [expected.y, expected.u, expected.v];
                        for (plane, code) in planes.into_iter().enumerate() {
                            for &sample in view.plane(plane).row(1) {
                                let error = sample.abs_diff(code);
                                assert!(error <= 2, "{from:?} {to:?} {rgb:?}: {sample} {code}");
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn grey_pictures_change_range_only() {
        let mut frame = Frame::new(PixelFormat::Grey, SizePx::new(5, 3), Colour::JPEG).unwrap();
        frame.bytes_mut().fill(255);
        recolour(&mut frame, Colour::HD);
        assert!(frame.bytes().iter().all(|&sample| sample == 235));
    }
}
