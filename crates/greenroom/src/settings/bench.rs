//! What the command line of `greenroom bench` means.

use std::time::Duration;

use greenroom_device::FrameRate;
use greenroom_frame::{Colour, ColourMatrix, ColourRange, SizePx};
use greenroom_matte::Quality;

use super::SettingsError;
use super::checks::frame_rate;
use crate::cli::{BenchArgs, CameraColour, CameraFormat};

/// What is measured where no size is named.
const SIZES: [SizePx; 3] = [SizePx::new(640, 360), SizePx::new(1280, 720), SizePx::new(1920, 1080)];
const TIME: Duration = Duration::from_secs(4);
const LEAST_TIME: Duration = Duration::from_millis(500);
const MOST_TIME: Duration = Duration::from_secs(600);
/// Sides of a picture that can be measured.
const SIDES_PX: std::ops::RangeInclusive<u32> = 64..=4096;

/// Settings of `greenroom bench`, checked.
#[derive(Debug)]
pub struct BenchSettings {
    /// Sizes of the camera's pictures, the smallest first: at least one.
    pub sizes: Vec<SizePx>,
    /// At least one, the cheapest first.
    pub qualities: Vec<Quality>,
    /// Rate of the camera.
    pub rate: FrameRate,
    /// How long each case is measured.
    pub time: Duration,
    /// What the camera sends.
    pub camera_format: CameraFormat,
    /// How its samples read as colour where they are not compressed.
    pub camera_colour: Colour,
    /// How many outputs there are.
    pub outputs: usize,
    /// Each of them has a scene of its own.
    pub own_scenes: bool,
}

impl BenchSettings {
    /// Checks the raw arguments.
    ///
    /// # Errors
    /// One sentence for the first word that makes no sense.
    pub fn new(args: &BenchArgs) -> anyhow::Result<Self> {
        let sizes = match &args.size {
            None => SIZES.to_vec(),
            Some(text) => {
                let size: SizePx = text.parse()?;
                let fits = [size.width_px, size.height_px].iter().all(|px| SIDES_PX.contains(px));
                vec![fits.then_some(size).ok_or(SettingsError::NotMeasurableSize(size))?]
            }
        };
        let time = args.seconds.map_or(Ok(TIME), |seconds| {
            let time = Duration::try_from_secs_f64(seconds).ok();
            let time = time.filter(|time| (LEAST_TIME..=MOST_TIME).contains(time));
            time.ok_or(SettingsError::NotMeasuringTime(seconds))
        })?;
        Ok(Self {
            sizes,
            qualities: args.quality.map_or(Quality::ALL.to_vec(), |quality| vec![quality]),
            rate: frame_rate(args.fps.as_deref().unwrap_or("30"))?,
            time,
            camera_format: args.camera_format,
            camera_colour: colour(args.camera_colour),
            outputs: args.outputs.into(),
            own_scenes: args.own_scenes,
        })
    }
}

fn colour(colour: CameraColour) -> Colour {
    let (matrix, range) = match colour {
        CameraColour::Bt601Limited => (ColourMatrix::Bt601, ColourRange::Limited),
        CameraColour::Bt601Full => (ColourMatrix::Bt601, ColourRange::Full),
        CameraColour::Bt709Limited => (ColourMatrix::Bt709, ColourRange::Limited),
        CameraColour::Bt709Full => (ColourMatrix::Bt709, ColourRange::Full),
    };
    Colour { matrix, range }
}
