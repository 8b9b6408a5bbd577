use std::str::FromStr;

use crate::FrameError;

/// Which weights turn RGB into YUV.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColourMatrix {
    /// ITU-R BT.601: webcams, JPEG.
    Bt601,
    /// ITU-R BT.709: HD video.
    Bt709,
}

/// Which codes the samples use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColourRange {
    /// Y 16..=235, U and V 16..=240.
    Limited,
    /// 0..=255, as JPEG.
    Full,
}

/// How to read a picture's samples as colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Colour {
    /// The matrix.
    pub matrix: ColourMatrix,
    /// The range.
    pub range: ColourRange,
}

/// One colour in 8-bit sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rgb8 {
    /// Red, 0..=255.
    pub r: u8,
    /// Green, 0..=255.
    pub g: u8,
    /// Blue, 0..=255.
    pub b: u8,
}

/// One colour as the three samples of a [`Colour`] encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Yuv8 {
    /// Luma.
    pub y: u8,
    /// Blue difference, 128 = none.
    pub u: u8,
    /// Red difference, 128 = none.
    pub v: u8,
}

impl Colour {
    /// What raw webcams send and consumers of a loopback assume: BT.601, limited range.
    pub const WEBCAM: Self = Self { matrix: ColourMatrix::Bt601, range: ColourRange::Limited };
    /// What a JPEG (JFIF) frame carries: BT.601, full range.
    pub const JPEG: Self = Self { matrix: ColourMatrix::Bt601, range: ColourRange::Full };
    /// What HD video files carry: BT.709, limited range.
    pub const HD: Self = Self { matrix: ColourMatrix::Bt709, range: ColourRange::Limited };

    /// Weights of red and blue in luma.
    pub const fn kr_kb(self) -> (f32, f32) {
        match self.matrix {
            ColourMatrix::Bt601 => (0.299, 0.114),
            ColourMatrix::Bt709 => (0.2126, 0.0722),
        }
    }

    /// Luma's lowest code and span, chroma's span.
    pub const fn scales(self) -> (f32, f32, f32) {
        match self.range {
            ColourRange::Limited => (16.0, 219.0, 224.0),
            ColourRange::Full => (0.0, 255.0, 255.0),
        }
    }

    /// `rgb` in this encoding, rounded to the nearest code.
    pub fn encode(self, rgb: Rgb8) -> Yuv8 {
        let (kr, kb) = self.kr_kb();
        let (floor, luma, chroma) = self.scales();
        let [r, g, b] = [rgb.r, rgb.g, rgb.b].map(|channel| f32::from(channel) / 255.0);
        let y = kr * r + (1.0 - kr - kb) * g + kb * b;
        // `as u8` saturates, so full-range chroma of 255.5 stays 255.
        let code = |value: f32| value.round() as u8;
        Yuv8 {
            y: code(floor + luma * y),
            u: code(128.0 + chroma * (b - y) / (2.0 * (1.0 - kb))),
            v: code(128.0 + chroma * (r - y) / (2.0 * (1.0 - kr))),
        }
    }

    /// `yuv` of this encoding as sRGB, clamped.
    pub fn decode(self, yuv: Yuv8) -> Rgb8 {
        let (kr, kb) = self.kr_kb();
        let (floor, luma, chroma) = self.scales();
        let y = (f32::from(yuv.y) - floor) / luma;
        let u = (f32::from(yuv.u) - 128.0) / chroma;
        let v = (f32::from(yuv.v) - 128.0) / chroma;
        let r = y + 2.0 * (1.0 - kr) * v;
        let b = y + 2.0 * (1.0 - kb) * u;
        let g = (y - kr * r - kb * b) / (1.0 - kr - kb);
        let code = |value: f32| (value * 255.0).round() as u8;
        Rgb8 { r: code(r), g: code(g), b: code(b) }
    }
}

impl FromStr for Rgb8 {
    type Err = FrameError;

    fn from_str(text: &str) -> Result<Self, FrameError> {
        let not_a_colour = || FrameError::NotAColour(text.to_owned());
        let digits = text.strip_prefix('#').ok_or_else(not_a_colour)?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(not_a_colour());
        }
        let value = u32::from_str_radix(digits, 16).map_err(|_| not_a_colour())?;
        let [_, r, g, b] = value.to_be_bytes();
        Ok(Self { r, g, b })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_colours() {
        let green: Rgb8 = "#00ff00".parse().unwrap();
        assert_eq!(Colour::WEBCAM.encode(green), Yuv8 { y: 145, u: 54, v: 34 });
        let white = Rgb8 { r: 255, g: 255, b: 255 };
        assert_eq!(Colour::WEBCAM.encode(white), Yuv8 { y: 235, u: 128, v: 128 });
        assert_eq!(Colour::JPEG.encode(white), Yuv8 { y: 255, u: 128, v: 128 });
    }

    #[test]
    fn encoding_and_decoding_agree_within_rounding() {
        for colour in [Colour::WEBCAM, Colour::JPEG, Colour::HD] {
            for (r, g, b) in [(0, 0, 0), (255, 0, 0), (12, 200, 99), (0, 0, 255), (250, 250, 3)] {
                let rgb = Rgb8 { r, g, b };
                let back = colour.decode(colour.encode(rgb));
                for (a, b) in [(rgb.r, back.r), (rgb.g, back.g), (rgb.b, back.b)] {
                    assert!(a.abs_diff(b) <= 3, "{colour:?} {rgb:?} {back:?}");
                }
            }
        }
    }

    #[test]
    fn only_rrggbb_is_a_colour() {
        for text in ["", "#", "00ff00", "#00ff0", "#00ff000", "#00fg00", "#+0ff00", "#é0000"] {
            assert!(text.parse::<Rgb8>().is_err(), "{text}");
        }
    }
}
