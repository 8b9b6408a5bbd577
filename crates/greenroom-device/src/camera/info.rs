use std::fs;
use std::path::{Path, PathBuf};

use greenroom_frame::SizePx;

use super::{CameraIdentity, CameraMode};
use crate::node::Node;
use crate::node_name::display_name;
use crate::v4l2::{Device, Direction, FourCc, Rates, Sizes, V4l2Error};
use crate::{Codec, FrameRate, loopback};

/// Sizes to list of a camera that takes any within a range.
const USUAL_SIZES: [SizePx; 8] = [
    SizePx::new(320, 180),
    SizePx::new(320, 240),
    SizePx::new(640, 360),
    SizePx::new(640, 480),
    SizePx::new(960, 540),
    SizePx::new(1280, 720),
    SizePx::new(1920, 1080),
    SizePx::new(3840, 2160),
];

/// Rates to list of a camera that takes any within a range.
const USUAL_FPS: [u32; 8] = [60, 50, 30, 25, 24, 15, 10, 5];

/// A camera, as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraInfo {
    /// Its node, `/dev/video0`.
    pub node: PathBuf,
    /// What it calls itself.
    pub card: String,
    /// The kernel's driver, `uvcvideo`.
    pub driver: String,
    /// Where it is plugged in.
    pub bus: String,
    /// Its link below `/dev/v4l/by-id`, which stays when the node's number changes.
    pub by_id: Option<PathBuf>,
    /// What it is recognised by when it comes back on another node.
    pub identity: CameraIdentity,
    /// It is the reading side of a loopback: another program's picture, not a camera.
    pub is_loopback: bool,
    /// What it offers and greenroom can decode, in the driver's order of formats.
    pub modes: Vec<CameraMode>,
}

impl CameraInfo {
    /// Card and node, for people: `HD Webcam (/dev/video0)`.
    pub fn name(&self) -> String {
        display_name(&self.card, &self.node)
    }

    /// Whether it has a mode with colour: the infrared camera beside many a laptop's has not.
    pub(crate) fn has_colour(&self) -> bool {
        let grey = Codec::Raw(greenroom_frame::PixelFormat::Grey);
        self.modes.iter().any(|mode| mode.codec != grey)
    }

    /// A node of a camera, asked for its modes.
    pub(crate) fn of(node: &Node) -> Result<Self, V4l2Error> {
        Ok(Self {
            card: node.caps.card.clone(),
            driver: node.caps.driver.clone(),
            bus: node.caps.bus.clone(),
            by_id: by_id(&node.path),
            identity: CameraIdentity::of(node),
            is_loopback: loopback::is_loopback(&node.caps),
            modes: modes(&node.device, None)?,
            node: node.path.clone(),
        })
    }
}

/// The link of `node` below `/dev/v4l/by-id`.
fn by_id(node: &Path) -> Option<PathBuf> {
    let mut links: Vec<_> = fs::read_dir("/dev/v4l/by-id")
        .ok()?
        .flatten()
        .map(|entry| entry.path())
        .filter(|link| fs::canonicalize(link).is_ok_and(|target| target == node))
        .collect();
    links.sort();
    links.into_iter().next()
}

/// All modes of a device that greenroom can decode. Ranges become the usual sizes and rates within
/// them, and what is `wanted` if that is within them.
pub(super) fn modes(
    device: &Device,
    wanted: Option<(SizePx, FrameRate)>,
) -> Result<Vec<CameraMode>, V4l2Error> {
    let mut modes: Vec<CameraMode> = Vec::new();
    for fourcc in device.formats(Direction::Capture)? {
        let Some(codec) = fourcc.codec() else { continue };
        for size in sizes(device, fourcc, wanted.map(|(size, _)| size))? {
            let known = modes.iter().any(|mode| (mode.fourcc, mode.size) == (fourcc, size));
            if !known {
                let rates = device.rates(fourcc, size)?;
                let rates = listed_rates(rates, wanted.map(|(_, rate)| rate));
                modes.push(CameraMode { fourcc, codec, size, rates });
            }
        }
    }
    Ok(modes)
}

fn sizes(
    device: &Device,
    fourcc: FourCc,
    wanted: Option<SizePx>,
) -> Result<Vec<SizePx>, V4l2Error> {
    match device.sizes(fourcc)? {
        Sizes::Listed(sizes) => Ok(sizes),
        range @ Sizes::Range { .. } => Ok(sizes_in(&range, wanted)),
        // An old driver: what it makes of the usual sizes is what it has.
        Sizes::Untold => {
            let mut sizes = Vec::new();
            for size in wanted.into_iter().chain(USUAL_SIZES) {
                match device.try_format(Direction::Capture, fourcc, size) {
                    Ok(format) if format.fourcc == fourcc && !sizes.contains(&format.size) => {
                        sizes.push(format.size);
                    }
                    _ => {}
                }
            }
            Ok(sizes)
        }
    }
}

/// The sizes of `sizes` that are worth choosing from, smallest first: of a range the usual ones, and the one that is
/// `wanted`.
pub fn sizes_in(range: &Sizes, wanted: Option<SizePx>) -> Vec<SizePx> {
    let mut sizes: Vec<_> =
        USUAL_SIZES.into_iter().chain(wanted).filter(|size| range.contains(*size)).collect();
    if let (Sizes::Range { max, .. }, true) = (range, sizes.is_empty()) {
        sizes.push(*max);
    }
    sizes.sort_by_key(|size| (size.area_px(), size.width_px));
    sizes.dedup();
    sizes
}

/// The rates of `rates`, fastest first: of a range the usual ones, and the one that is `wanted`.
pub fn listed_rates(rates: Rates, wanted: Option<FrameRate>) -> Vec<FrameRate> {
    let mut rates = match rates {
        Rates::Listed(rates) => rates,
        Rates::Untold => Vec::new(),
        Rates::Range { slowest, fastest } => USUAL_FPS
            .into_iter()
            .filter_map(|fps| FrameRate::new(fps, 1))
            .chain(wanted)
            .filter(|rate| (slowest.as_fps()..=fastest.as_fps()).contains(&rate.as_fps()))
            .chain([fastest])
            .collect(),
    };
    rates.sort_by(|a, b| b.as_fps().total_cmp(&a.as_fps()));
    rates.dedup_by_key(|rate| rate.as_fps());
    rates
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fps(numerator: u32, denominator: u32) -> FrameRate {
        FrameRate::new(numerator, denominator).unwrap()
    }

    #[test]
    fn a_range_lists_usual_sizes_and_the_wanted_one() {
        let range = Sizes::Range {
            min: SizePx::new(48, 32),
            max: SizePx::new(1280, 1024),
            step: SizePx::new(1, 1),
        };
        let sizes = sizes_in(&range, Some(SizePx::new(800, 600)));
        assert!(sizes.contains(&SizePx::new(800, 600)));
        assert!(sizes.contains(&SizePx::new(1280, 720)));
        assert!(!sizes.contains(&SizePx::new(1920, 1080)));
        assert_eq!(sizes_in(&range, Some(SizePx::new(1920, 1080))).len(), sizes.len() - 1);
        let odd = Sizes::Range {
            min: SizePx::new(752, 480),
            max: SizePx::new(752, 480),
            step: SizePx::new(1, 1),
        };
        assert_eq!(sizes_in(&odd, None), [SizePx::new(752, 480)]);
    }

    #[test]
    fn rates_come_fastest_first_and_once() {
        let listed = Rates::Listed(vec![fps(15, 1), fps(30, 1), fps(60, 2)]);
        assert_eq!(listed_rates(listed, None), [fps(30, 1), fps(15, 1)]);
        let range = || Rates::Range { slowest: fps(5, 1), fastest: fps(40, 1) };
        let rates = listed_rates(range(), Some(fps(20, 1)));
        assert_eq!(rates.first(), Some(&fps(40, 1)));
        assert!(rates.contains(&fps(20, 1)) && rates.contains(&fps(30, 1)));
        assert!(!listed_rates(range(), Some(fps(90, 1))).contains(&fps(90, 1)));
        assert!(listed_rates(Rates::Untold, Some(fps(30, 1))).is_empty());
    }
}
