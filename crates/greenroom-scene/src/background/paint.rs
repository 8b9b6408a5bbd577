//! What painted backgrounds share: colours between codes, and a small fine picture that is enlarged
//! without bands.

use greenroom_frame::{
    Colour, DitherScaler, Frame, FrameError, FrameShape, FrameView, Rgb8, SizePx,
};

/// A small picture of fine samples, enlarged and dithered.
pub(super) struct Painting {
    small: SizePx,
    /// Y, U and V, row by row, as [`DitherScaler::sample`] makes them.
    pub(super) planes: [Vec<i16>; 3],
    luma: DitherScaler,
    chroma: DitherScaler,
    shown: Frame,
}

impl Painting {
    /// For frames of this shape, painted on `rows` rows or as many as there are.
    pub(super) fn new(like: FrameShape, rows: u32) -> Result<Self, FrameError> {
        let size = like.size;
        let rows = size.height_px.min(rows).max(1);
        let columns = u64::from(size.width_px) * u64::from(rows) / u64::from(size.height_px);
        let small = SizePx::new((columns as u32).clamp(1, size.width_px), rows);
        let plane = || vec![0; small.area_px() as usize];
        Ok(Self {
            small,
            planes: [plane(), plane(), plane()],
            luma: DitherScaler::new(small, size)?,
            chroma: DitherScaler::new(small, like.format.chroma().plane_size(size))?,
            shown: Frame::new(like.format, size, like.colour)?,
        })
    }

    /// Size of the small picture.
    pub(super) fn size(&self) -> SizePx {
        self.small
    }

    /// Shape of the large picture.
    pub(super) fn shape(&self) -> FrameShape {
        self.shown.view().shape()
    }

    /// Sets a pixel of the small picture.
    pub(super) fn set(&mut self, index: usize, yuv: [f32; 3]) {
        for (plane, code) in self.planes.iter_mut().zip(yuv) {
            plane[index] = DitherScaler::sample(code);
        }
    }

    /// Enlarges it.
    pub(super) fn finish(&mut self) {
        let mut view = self.shown.view_mut();
        for ((index, small), mut plane) in self.planes.iter().enumerate().zip(view.planes_mut()) {
            let scaler = if index == 0 { &mut self.luma } else { &mut self.chroma };
            scaler.scale(small, &mut plane);
        }
    }

    /// The large picture, as it was last finished.
    pub(super) fn view(&self) -> FrameView<'_> {
        self.shown.view()
    }

    /// The large picture alone.
    pub(super) fn into_frame(self) -> Frame {
        self.shown
    }
}

/// A colour, 0.0 to 1.0 a channel, in `colour`'s codes, not rounded.
pub(super) fn encode(colour: Colour, [r, g, b]: [f32; 3]) -> [f32; 3] {
    let (kr, kb) = colour.kr_kb();
    let (floor, luma, chroma) = colour.scales();
    let y = kr * r + (1.0 - kr - kb) * g + kb * b;
    [
        floor + luma * y,
        128.0 + chroma * (b - y) / (2.0 * (1.0 - kb)),
        128.0 + chroma * (r - y) / (2.0 * (1.0 - kr)),
    ]
}

/// `share` of the way from `from` to `to`, through colours that look as if they lay between: in
/// OKLab (Ottosson 2020), where blue to yellow does not go through grey mud.
pub(super) fn between(from: Rgb8, to: Rgb8, share: f32) -> [f32; 3] {
    let (from, to) = (to_oklab(from), to_oklab(to));
    from_oklab([0, 1, 2].map(|channel| from[channel] + (to[channel] - from[channel]) * share))
}

fn to_oklab(Rgb8 { r, g, b }: Rgb8) -> [f32; 3] {
    let [r, g, b] = [r, g, b].map(|channel| {
        let channel = f32::from(channel) / 255.0;
        if channel <= 0.040_45 { channel / 12.92 } else { ((channel + 0.055) / 1.055).powf(2.4) }
    });
    let l = (0.412_221_47 * r + 0.536_332_54 * g + 0.051_445_993 * b).cbrt();
    let m = (0.211_903_5 * r + 0.680_699_5 * g + 0.107_396_96 * b).cbrt();
    let s = (0.088_302_46 * r + 0.281_718_85 * g + 0.629_978_7 * b).cbrt();
    [
        0.210_454_26 * l + 0.793_617_8 * m - 0.004_072_047 * s,
        1.977_998_5 * l - 2.428_592_2 * m + 0.450_593_7 * s,
        0.025_904_037 * l + 0.782_771_77 * m - 0.808_675_77 * s,
    ]
}

fn from_oklab([lightness, a, b]: [f32; 3]) -> [f32; 3] {
    let l = (lightness + 0.396_337_78 * a + 0.215_803_76 * b).powi(3);
    let m = (lightness - 0.105_561_346 * a - 0.063_854_17 * b).powi(3);
    let s = (lightness - 0.089_484_18 * a - 1.291_485_5 * b).powi(3);
    [
        4.076_741_7 * l - 3.307_711_6 * m + 0.230_969_94 * s,
        -1.268_438 * l + 2.609_757_4 * m - 0.341_319_38 * s,
        -0.004_196_086_3 * l - 0.703_418_6 * m + 1.707_614_7 * s,
    ]
    .map(|channel| {
        let channel = channel.clamp(0.0, 1.0);
        if channel <= 0.003_130_8 {
            12.92 * channel
        } else {
            1.055 * channel.powf(1.0 / 2.4) - 0.055
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_the_colours_themselves() {
        let (one, other) = (Rgb8 { r: 12, g: 200, b: 99 }, Rgb8 { r: 250, g: 3, b: 140 });
        for (share, rgb) in [(0.0, one), (1.0, other)] {
            for colour in [Colour::WEBCAM, Colour::JPEG, Colour::HD] {
                let exact = colour.encode(rgb);
                let seen = encode(colour, between(one, other, share)).map(|code| code.round());
                assert_eq!(seen, [exact.y, exact.u, exact.v].map(f32::from));
            }
        }
    }
}
