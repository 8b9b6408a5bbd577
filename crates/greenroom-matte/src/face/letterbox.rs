use greenroom_frame::SizePx;

use super::Face;
use super::network::PICTURE;

/// Where a picture lies in the network's square: as large as its shape allows, in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Letterbox {
    /// The picture's size in the square.
    pub size: SizePx,
    /// Columns of the square left of it.
    pub left_px: u32,
    /// Rows of the square above it.
    pub top_px: u32,
}

impl Letterbox {
    /// For a picture of the size `picture`.
    pub fn new(picture: SizePx) -> Self {
        const SIDE_PX: u32 = PICTURE.width as u32;
        let longest_px = u64::from(picture.width_px.max(picture.height_px)).max(1);
        let scaled = |side_px: u32| {
            let nearest = (u64::from(side_px) * u64::from(SIDE_PX) + longest_px / 2) / longest_px;
            (nearest as u32).max(1)
        };
        let size = SizePx::new(scaled(picture.width_px), scaled(picture.height_px));
        let [left_px, top_px] =
            [size.width_px, size.height_px].map(|side_px| (SIDE_PX - side_px) / 2);
        Self { size, left_px, top_px }
    }

    /// `face`, which is in shares of the square, in shares of the picture.
    pub fn to_picture(self, face: Face) -> Face {
        let side_px = PICTURE.width as f32;
        let Self { size: SizePx { width_px, height_px }, left_px, top_px } = self;
        let (across, down) = (side_px / width_px as f32, side_px / height_px as f32);
        Face {
            left: (face.left - left_px as f32 / side_px) * across,
            top: (face.top - top_px as f32 / side_px) * down,
            width: face.width * across,
            height: face.height * down,
            ..face
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_keeps_its_shape_in_the_middle() {
        for (picture, (width, height, left, top)) in [
            ((1280, 720), (128, 72, 0, 28)),
            ((640, 480), (128, 96, 0, 16)),
            ((720, 1280), (72, 128, 28, 0)),
            ((500, 500), (128, 128, 0, 0)),
            ((64, 36), (128, 72, 0, 28)),
            ((4096, 2), (128, 1, 0, 63)),
        ] {
            let letterbox = Letterbox::new(SizePx::new(picture.0, picture.1));
            let want = Letterbox { size: SizePx::new(width, height), left_px: left, top_px: top };
            assert_eq!(letterbox, want, "{picture:?}");
        }
    }

    #[test]
    fn a_face_in_the_square_is_one_in_the_picture() {
        // The whole picture, and the whole square.
        for (picture, top, height) in [((1280, 720), 28.0, 72.0), ((640, 480), 16.0, 96.0)] {
            let letterbox = Letterbox::new(SizePx::new(picture.0, picture.1));
            let (top, height) = (top / 128.0, height / 128.0);
            let whole = Face { left: 0.0, top, width: 1.0, height, score: 0.7 };
            let want = Face { left: 0.0, top: 0.0, width: 1.0, height: 1.0, score: 0.7 };
            assert_eq!(letterbox.to_picture(whole), want, "{picture:?}");
        }
        let upright = Letterbox::new(SizePx::new(720, 1280));
        let square = Face { left: 0.0, top: 0.0, width: 1.0, height: 1.0, score: 0.7 };
        let face = upright.to_picture(square);
        assert_eq!((face.top, face.height), (0.0, 1.0));
        assert!((face.left + 28.0 / 72.0).abs() < 1e-6 && (face.width - 128.0 / 72.0).abs() < 1e-6);
    }
}
