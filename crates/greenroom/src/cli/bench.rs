use clap::{Args, ValueEnum};
use greenroom_matte::Quality;

/// Arguments of `greenroom bench`.
#[derive(Debug, Default, Args)]
pub struct BenchArgs {
    /// Print JSON, for programs.
    #[arg(long)]
    pub json: bool,
    /// Measure this size only [default: 640x360, 1280x720 and 1920x1080].
    #[arg(long, value_name = "WIDTHxHEIGHT")]
    pub size: Option<String>,
    /// Frames per second of the camera [default: 30].
    #[arg(long, value_name = "FPS")]
    pub fps: Option<String>,
    /// How long each size is measured at each quality [default: 4].
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    pub seconds: Option<f64>,
    /// Measure this quality only, for `cargo xtask paced`.
    #[arg(long, hide = true, value_name = "QUALITY")]
    pub quality: Option<Quality>,
    /// What the camera sends, for `cargo xtask paced`.
    #[arg(long, hide = true, value_enum, default_value_t)]
    pub camera_format: CameraFormat,
    /// How samples that are not compressed read as colour, for `cargo xtask paced`.
    #[arg(long, hide = true, value_enum, default_value_t)]
    pub camera_colour: CameraColour,
    /// How many outputs there are, for `cargo xtask paced`.
    #[arg(long, hide = true, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    pub outputs: u8,
    /// Each output has a scene of its own, for `cargo xtask paced`.
    #[arg(long, hide = true)]
    pub own_scenes: bool,
}

/// What the camera of a benchmark sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum CameraFormat {
    /// A JPEG a frame, 4:2:0, BT.601 of full range.
    #[default]
    Mjpeg,
    /// YUYV.
    Yuyv,
    /// NV12.
    Nv12,
}

/// Matrix and range of samples that are not compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum CameraColour {
    /// BT.601, 16 to 235: a webcam's.
    #[default]
    Bt601Limited,
    /// BT.601, 0 to 255.
    Bt601Full,
    /// BT.709, 16 to 235.
    Bt709Limited,
    /// BT.709, 0 to 255.
    Bt709Full,
}
