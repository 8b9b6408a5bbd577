//! Faces in pictures of several shapes and formats.
#![allow(clippy::unwrap_used)]

use std::path::Path;

use greenroom_frame::{Colour, Frame, PixelFormat, Rgb8, SizePx};
use greenroom_matte::{Face, FaceFinder, MatteError};

const COLOUR: Colour = Colour::WEBCAM;

/// The photo of a man, 720x576.
fn photo() -> image::RgbImage {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/photos/franck_01829.jpg");
    image::open(path).unwrap().into_rgb8()
}

/// His face there, in pixels from the left and from the top, and its size: what the reference runtime with MediaPipe's
/// anchors says of the whole photo.
const FACE_PX: [f32; 4] = [257.0, 202.0, 272.0, 272.0];

/// A grey frame of `size` with `photos` at these places, as a camera would send it, `brightness` times as bright.
fn frame(format: PixelFormat, size: SizePx, photos: &[(u32, u32)], brightness: f32) -> Frame {
    let photo = photo();
    let encode = |x: usize, y: usize| {
        let pixel = |&(left, top): &(u32, u32)| {
            let (x, y) = ((x as u32).checked_sub(left)?, (y as u32).checked_sub(top)?);
            photo.get_pixel_checked(x, y)
        };
        let rgb = photos.iter().find_map(pixel).map_or([90; 3], |pixel| pixel.0);
        let [r, g, b] = rgb.map(|value| (f32::from(value) * brightness) as u8);
        COLOUR.encode(Rgb8 { r, g, b })
    };
    let mut frame = Frame::new(format, size, COLOUR).unwrap();
    for (index, mut plane) in frame.view_mut().planes_mut().enumerate() {
        for (y, row) in plane.iter_rows_mut().enumerate() {
            for (x, sample) in row.iter_mut().enumerate() {
                *sample = match index {
                    0 => encode(x, y).y,
                    1 => encode(2 * x, 2 * y).u,
                    _ => encode(2 * x, 2 * y).v,
                };
            }
        }
    }
    frame
}

/// That `face` is that of the photo at `left`, `top` in a picture of `size`, within an eighth of its size.
fn assert_is_the_face(face: &Face, (left, top): (u32, u32), size: SizePx) {
    let (across, down) = (size.width_px as f32, size.height_px as f32);
    let have = [face.left * across, face.top * down, face.width * across, face.height * down];
    let want = [FACE_PX[0] + left as f32, FACE_PX[1] + top as f32, FACE_PX[2], FACE_PX[3]];
    let worst = have.iter().zip(want).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
    println!("{size}: {have:?} of {want:?}, score {}", face.score);
    assert!(worst < FACE_PX[2] / 8.0, "{size}: {have:?} instead of {want:?}");
}

#[test]
fn a_face_is_where_the_reference_finds_it() {
    let mut finder = FaceFinder::built_in().unwrap();
    let size = SizePx::new(720, 576);
    let frame = frame(PixelFormat::I420, size, &[(0, 0)], 1.0);
    let [face] = *finder.find(&frame.view(), 1.0).unwrap() else { panic!("not one face") };
    let have = [face.left * 720.0, face.top * 576.0, face.width * 720.0, face.height * 576.0];
    assert!(have.iter().zip(FACE_PX).all(|(a, b)| (a - b).abs() < 4.0), "{have:?}");
    assert!((face.score - 0.975).abs() < 0.01, "{}", face.score);
}

#[test]
fn a_face_is_found_in_pictures_of_any_shape() {
    // One finder for all, as when the camera changes.
    let mut finder = FaceFinder::built_in().unwrap();
    for (format, size, place) in [
        (PixelFormat::I420, SizePx::new(1280, 720), (300, 100)),
        (PixelFormat::I420, SizePx::new(960, 720), (120, 140)),
        (PixelFormat::I420, SizePx::new(720, 1280), (0, 600)),
        (PixelFormat::I420, SizePx::new(721, 721), (0, 20)),
        (PixelFormat::Grey, SizePx::new(1280, 720), (400, 0)),
    ] {
        let frame = frame(format, size, &[place], 1.0);
        let faces = finder.find(&frame.view(), 1.0).unwrap();
        assert_eq!(faces.len(), 1, "{size}: {faces:?}");
        assert_is_the_face(&faces[0], place, size);
    }
}

#[test]
fn two_faces_are_two() {
    let mut finder = FaceFinder::built_in().unwrap();
    let (size, places) = (SizePx::new(1440, 810), [(0, 100), (720, 100)]);
    let frame = frame(PixelFormat::I420, size, &places, 1.0);
    let mut faces = finder.find(&frame.view(), 1.0).unwrap().to_vec();
    assert_eq!(faces.len(), 2, "{faces:?}");
    assert!(faces[0].score >= faces[1].score);
    faces.sort_by(|a, b| a.left.total_cmp(&b.left));
    faces.iter().zip(places).for_each(|(face, place)| assert_is_the_face(face, place, size));
}

#[test]
fn a_dark_face_is_found_when_it_is_made_brighter() {
    let mut finder = FaceFinder::built_in().unwrap();
    let (size, place) = (SizePx::new(1280, 720), (300, 100));
    let frame = frame(PixelFormat::I420, size, &[place], 0.06);
    let score = |faces: &[Face]| faces.first().map_or(0.0, |face| face.score);
    let dark = score(finder.find(&frame.view(), 1.0).unwrap());
    let faces = finder.find(&frame.view(), 10.0).unwrap();
    println!("{dark} becomes {}", score(faces));
    assert!(score(faces) > dark + 0.05);
    assert_is_the_face(&faces[0], place, size);
}

#[test]
fn there_is_no_face_where_there_is_nothing_and_packed_frames_are_refused() {
    let mut finder = FaceFinder::built_in().unwrap();
    let size = SizePx::new(640, 480);
    let black = Frame::new(PixelFormat::I420, size, COLOUR).unwrap();
    assert_eq!(finder.find(&black.view(), 1.0).unwrap(), []);
    let packed = Frame::new(PixelFormat::Yuyv, size, COLOUR).unwrap();
    let refusal = finder.find(&packed.view(), 1.0).unwrap_err();
    assert!(matches!(refusal, MatteError::UnsupportedFrame { .. }), "{refusal}");
}
