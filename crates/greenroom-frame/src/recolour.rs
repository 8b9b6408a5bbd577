use crate::kernels::recolour::{BITS, Mix, remix_chroma, remix_luma, rerange_row};
use crate::{Chroma, Colour, Frame, Isa};

/// Changes a planar picture's samples, in place, from its own colour encoding to `to`: range and
/// matrix (BT.601 and BT.709 share their primaries closely enough for a call, so no gamut mapping).
/// Nothing happens when the encoding is already the asked-for one.
///
/// # Panics
/// If the picture is packed: that is the caller's mistake.
pub fn recolour(frame: &mut Frame, to: Colour) {
    let from = frame.colour();
    assert!(frame.format().is_planar(), "packed pictures are packed from planar ones");
    if from == to {
        return;
    }
    let isa = Isa::best();
    let [to_y, to_u, to_v] = mixes(from, to);
    let share = if frame.format().chroma() == Chroma::Half2x2 { 2 } else { 1 };
    if frame.format().chroma() == Chroma::None || from.matrix == to.matrix {
        // Each plane from itself alone.
        for (mut plane, mix) in frame.view_mut().planes_mut().zip([to_y, to_u, to_v]) {
            plane.iter_rows_mut().for_each(|row| rerange_row(isa, row, mix));
        }
    } else {
        let mut view = frame.view_mut();
        let [mut y, mut u, mut v] = view.yuv_mut();
        for (index, row) in y.iter_rows_mut().enumerate() {
            remix_luma(isa, row, u.row_mut(index / share), v.row_mut(index / share), to_y);
        }
        for (u, v) in u.iter_rows_mut().zip(v.iter_rows_mut()) {
            remix_chroma(isa, u, v, to_u, to_v);
        }
    }
    frame.set_colour(to);
}

/// What makes Y, U and V of `to` from those of `from`. A chroma sample is mixed from itself and
/// its partner; luma does not go into chroma, because grey has none in either encoding.
fn mixes(from: Colour, to: Colour) -> [Mix; 3] {
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
    let one = (1 << BITS) as f32;
    let fixed = |weight: f32| (weight * one).round() as i32;
    let half = 1 << (BITS - 1);
    let (luma_gain, chroma_gain) = (luma / from_luma, chroma / from_chroma);
    let chroma_mix = |own: f32, other: f32| {
        let own = fixed(own * chroma_gain);
        let offset = (128 << BITS) - 128 * own + half;
        Mix { own, first: fixed(other * chroma_gain), second: 0, offset }
    };
    [
        Mix {
            own: fixed(luma_gain),
            first: fixed(y_u * luma / from_chroma),
            second: fixed(y_v * luma / from_chroma),
            offset: fixed(floor - from_floor * luma_gain) + half,
        },
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
