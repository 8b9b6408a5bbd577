use serde::{Deserialize, Serialize};

/// The picture that a preview shows. While the picture is hidden, every preview shows the placeholder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum PreviewPicture {
    /// The output's picture.
    #[default]
    Composed,
    /// The matte of the camera's picture: white for the person, black for the room.
    Matte,
    /// The camera's picture, including the real room.
    Camera,
}

impl PreviewPicture {
    /// The JSON value: `composed`, `matte` or `camera`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Composed => "composed",
            Self::Matte => "matte",
            Self::Camera => "camera",
        }
    }
}

/// The parameters of a requested preview.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PreviewRequest {
    /// The picture: `composed`, `matte` or `camera`; `composed`, if it is missing.
    #[serde(default)]
    pub picture: PreviewPicture,
    /// The name of the output; the first output, if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<String>,
    /// The width in pixels, 64 to 960; 480, if it is missing. A preview is never wider than its output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width_px: Option<u32>,
    /// The maximum number of pictures per second, 1 to 30; 15, if it is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fps: Option<u32>,
}

/// The pixel format of a preview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub enum PreviewFormat {
    /// Three planes without padding: Y, then U and V of half the width and half the height.
    I420,
    /// One plane of 8-bit samples without padding.
    #[serde(rename = "GREY")]
    Grey,
}

/// The layout of the shared memory of a preview. Numbers in the memory are little-endian.
///
/// The first 8 bytes hold the number of the newest picture, 0 before the first picture. Picture number n is in slot
/// (n - 1) modulo `slots`. A slot starts with a header of `header_bytes`: the number of the picture (8 bytes; 0 while
/// the picture is being written), its capture time (8 bytes, nanoseconds of CLOCK_MONOTONIC), and three flags of one
/// byte: 1 for a placeholder, 1 for BT.709 instead of BT.601, 1 for full instead of limited range. A reader copies
/// the picture and then checks that the number in the slot is still n.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct PreviewLayout {
    /// Width of the pictures in pixels.
    pub width_px: u32,
    /// Height of the pictures in pixels.
    pub height_px: u32,
    /// Pixel format of the pictures.
    pub format: PreviewFormat,
    /// Length of the memory in bytes.
    pub bytes: u64,
    /// Number of slots; each holds one picture.
    pub slots: u64,
    /// Offset of the first slot from the start of the memory, in bytes.
    pub first_slot_bytes: u64,
    /// Distance from one slot to the next, in bytes.
    pub slot_bytes: u64,
    /// Length of the header at the start of a slot, in bytes; the picture follows it.
    pub header_bytes: u64,
    /// Length of a picture in bytes.
    pub picture_bytes: u64,
}
