use serde::{Deserialize, Serialize};

/// Which picture a preview is of. While something hides the picture, each shows what watchers see.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum PreviewPicture {
    /// What the output shows.
    #[default]
    Composed,
    /// The matte of the camera's picture: white is the person.
    Matte,
    /// The camera's picture, the real room with it.
    Camera,
}

impl PreviewPicture {
    /// Its word, as in the JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Composed => "composed",
            Self::Matte => "matte",
            Self::Camera => "camera",
        }
    }
}

/// A preview that is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PreviewRequest {
    /// `composed`, `matte` or `camera`; the first, if none is named. `camera` is for the socket only.
    #[serde(default)]
    pub picture: PreviewPicture,
    /// The output that is meant; the first, if none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// Its width in pixels, 64 to 960; 480 if it is not said, and never more than the output's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width_px: Option<u32>,
    /// Most pictures a second, 1 to 30; 15 if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fps: Option<u32>,
}

/// The form of a preview's pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum PreviewFormat {
    /// Three planes without padding: Y, then U and V of half the width and height.
    I420,
    /// One plane without padding.
    #[serde(rename = "GREY")]
    Grey,
}

/// How the pictures lie in the shared memory. Numbers there are little-endian.
///
/// The first 8 bytes are the number of the newest picture, 0 before the first. Picture number n lies in slot (n - 1) modulo
/// `slots`. A slot has a header of `header_bytes`: the picture's number (8 bytes; 0 while it is being written), its time of
/// capture (8 bytes, nanoseconds of CLOCK_MONOTONIC), then a byte each: 1 for a placeholder, 1 for BT.709 instead of BT.601,
/// 1 for full instead of limited range. A reader copies the picture, then looks whether the slot's number is still n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PreviewLayout {
    /// Width of the pictures.
    pub width_px: u32,
    /// Height of the pictures.
    pub height_px: u32,
    /// Their form.
    pub format: PreviewFormat,
    /// Length of the memory.
    pub bytes: u64,
    /// Pictures that it holds.
    pub slots: u64,
    /// Where the first slot begins.
    pub first_slot_bytes: u64,
    /// From one slot to the next.
    pub slot_bytes: u64,
    /// From the begin of a slot to its picture.
    pub header_bytes: u64,
    /// Length of a picture.
    pub picture_bytes: u64,
}
