use std::fmt;
use std::str::FromStr;

use greenroom_frame::{Colour, Rgb8};

/// The colour of the screen that the person sits before: `key` of `[cut]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyColour {
    /// Whatever saturated colour fills much of the room.
    Auto,
    /// This one, as the screen looks in plain light. The light may change it much, the hue may differ by 30 degrees.
    Colour(Rgb8),
}

/// Chroma of a colour, from -128 to 127: U and V less 128.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Hue {
    pub u: f32,
    pub v: f32,
}

impl Hue {
    /// Of `rgb` in pictures encoded so.
    pub(super) fn of(rgb: Rgb8, colour: Colour) -> Self {
        let yuv = colour.encode(rgb);
        Self { u: f32::from(yuv.u) - 128.0, v: f32::from(yuv.v) - 128.0 }
    }

    pub(super) fn of_codes(u: u8, v: u8) -> Self {
        Self { u: f32::from(u) - 128.0, v: f32::from(v) - 128.0 }
    }

    /// In codes: 0 is grey.
    pub(super) fn saturation(self) -> f32 {
        self.u.hypot(self.v)
    }

    /// Whether `other` is within an angle of this one, given by its cosine.
    pub(super) fn is_near(self, other: Self, cosine: f32) -> bool {
        let dot = self.u * other.u + self.v * other.v;
        dot > 0.0 && dot >= cosine * self.saturation() * other.saturation()
    }
}

/// Colours less saturated than this (codes of chroma) are too near to grey for a key: noise has 3 to 5.
pub(super) const MIN_SATURATION: f32 = 14.0;

impl KeyColour {
    /// Whether a screen can have it: greys cannot be told from the person by their hue.
    fn is_colourful(rgb: Rgb8) -> bool {
        Hue::of(rgb, Colour::JPEG).saturation() >= 2.0 * MIN_SATURATION
    }
}

impl fmt::Display for KeyColour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.pad("auto"),
            Self::Colour(Rgb8 { r, g, b }) => f.pad(&format!("#{r:02x}{g:02x}{b:02x}")),
        }
    }
}

impl FromStr for KeyColour {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "auto" {
            return Ok(Self::Auto);
        }
        match text.parse() {
            Ok(rgb) if Self::is_colourful(rgb) => Ok(Self::Colour(rgb)),
            Ok(_) => Err(format!(
                "\"{text}\" is too grey to tell a screen by; write a colour such as \"#00b140\", or \"auto\""
            )),
            Err(_) => Err(format!(
                "\"{text}\" is not a colour; write #rrggbb, such as \"#00b140\", or \"auto\""
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_and_printed() {
        for word in ["auto", "#00b140", "#0047bb"] {
            assert_eq!(word.parse::<KeyColour>().unwrap().to_string(), word);
        }
        for (word, part) in [("#808080", "too grey"), ("green", "#rrggbb"), ("", "#rrggbb")] {
            assert!(word.parse::<KeyColour>().unwrap_err().contains(part), "{word}");
        }
    }
}
