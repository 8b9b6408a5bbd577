//! Whether a frame is greenroom's own placeholder, whatever text is on it.
//!
//! The plain one is rendered beside it. Outside the text, that is everywhere but in the middle third of the rows and
//! 90 % of their width, each sample must be the same. A sample within may also lie between the plain one and the ink:
//! a range of a few codes in chroma, which no picture of a room keeps to. And letters leave most of their field free.

use anyhow::Result;
use greenroom_frame::{Colour, Frame, PixelFormat, Rgb8, SizePx, pack};
use greenroom_scene::placeholder;

/// The lightest pixel of the text.
const INK: Rgb8 = Rgb8 { r: 186, g: 214, b: 202 };
/// Rounding.
const TOLERANCE: u8 = 1;
/// H.264 rings around letters, in luma only: by up to 25 codes where the rest of the frame is off by 1 (measured on 25
/// recordings on a busy machine). In the text's field luma may be off by so many times the tolerance.
const RINGING: u8 = 3;
/// No more than one pixel in so many of the text's field is text: up to 3 % with "Camera off", up to 30 % with 108 of the
/// font's darkest letters.
const FREE: usize = 2;

/// The plain placeholder of one size, as YUYV, to compare frames with.
pub struct Plain {
    yuyv: Vec<u8>,
    width: usize,
    height: usize,
}

impl Plain {
    /// For frames of `width` x `height`.
    pub fn new(width: usize, height: usize) -> Result<Self> {
        let size = SizePx::new(width.try_into()?, height.try_into()?);
        let plain = placeholder(size, Colour::WEBCAM, "")?;
        let mut packed = Frame::new(PixelFormat::Yuyv, size, Colour::WEBCAM)?;
        pack(plain.view(), &mut packed.view_mut())?;
        Ok(Self { yuyv: packed.bytes().to_vec(), width, height })
    }

    /// Whether `frame` (YUYV) is the placeholder.
    pub fn is(&self, frame: &[u8]) -> bool {
        self.is_nearly(frame, TOLERANCE)
    }

    /// Whether `frame` (YUYV) is the placeholder, each sample off by `tolerance` at the most, luma in the text's field by more: a
    /// frame that was coded.
    pub fn is_nearly(&self, frame: &[u8], tolerance: u8) -> bool {
        if frame.len() != self.yuyv.len() {
            return false;
        }
        let ink = Colour::WEBCAM.encode(INK);
        let ringing = if tolerance > TOLERANCE { RINGING } else { 1 };
        let (rows, columns) = (
            self.height / 3..self.height - self.height / 3,
            self.width / 20..self.width - self.width / 20,
        );
        let mut text = 0;
        let pairs = frame.as_chunks::<4>().0.iter().zip(self.yuyv.as_chunks::<4>().0).enumerate();
        for (index, (seen, plain)) in pairs {
            let (x, y) = (2 * index % self.width, 2 * index / self.width);
            if seen.iter().zip(plain).all(|(seen, plain)| seen.abs_diff(*plain) <= tolerance) {
                continue;
            }
            let between = |seen: u8, plain: u8, ink: u8, tolerance: u8| {
                let darkest = plain.min(ink).saturating_sub(tolerance);
                (darkest..=plain.max(ink).saturating_add(tolerance)).contains(&seen)
            };
            let luma = tolerance.saturating_mul(ringing);
            let like_text = seen.iter().zip(plain).zip([
                (ink.y, luma),
                (ink.u, tolerance),
                (ink.y, luma),
                (ink.v, tolerance),
            ]);
            let like_text = like_text
                .into_iter()
                .all(|((seen, plain), (ink, tolerance))| between(*seen, *plain, ink, tolerance));
            // A chroma sample at the edge of the field is shared with a pixel outside.
            let in_field = rows.contains(&y)
                && columns.contains(&(x + 1))
                && columns.contains(&x.saturating_sub(1));
            if !like_text || !in_field {
                return false;
            }
            text += 2;
        }
        text * FREE <= rows.len() * columns.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: [(usize, usize); 5] =
        [(320, 180), (640, 480), (642, 362), (1280, 720), (1920, 1080)];
    const TEXTS: [&str; 5] = [
        "",
        "Camera off",
        "Waiting for camera …",
        "Waiting: the camera is used by zoom (pid 4711)",
        "MMMMMMMMMMMMMMMMMMMMMMMMMMMM WWWWWWWWWWWWWWWWWWWWWWWWWWWWWW ############################ @@@@@@@@@@@@@@@@@@@@",
    ];

    fn shown(width: usize, height: usize, text: &str) -> Vec<u8> {
        let size = SizePx::new(width as u32, height as u32);
        let mut packed = Frame::new(PixelFormat::Yuyv, size, Colour::WEBCAM).unwrap();
        pack(placeholder(size, Colour::WEBCAM, text).unwrap().view(), &mut packed.view_mut())
            .unwrap();
        packed.bytes().to_vec()
    }

    #[test]
    fn it_is_known_in_every_size_with_every_text() {
        for (width, height) in SIZES {
            let plain = Plain::new(width, height).unwrap();
            for text in TEXTS {
                assert!(plain.is(&shown(width, height, text)), "{width}x{height} {text}");
            }
        }
    }

    #[test]
    fn the_least_of_a_room_in_it_is_seen() {
        for (width, height) in [SIZES[0], SIZES[2]] {
            let plain = Plain::new(width, height).unwrap();
            let calm = shown(width, height, TEXTS[3]);
            // A pair of pixels of some other colour, in the text and beside it, at every place of a grid.
            for room in
                [[120, 54, 120, 34], [180, 60, 180, 200], [100, 128, 100, 140], [16, 128, 16, 128]]
            {
                for at in (0..calm.len() / 4).step_by(calm.len() / 4 / 499) {
                    let mut leak = calm.clone();
                    leak[4 * at..][..4].copy_from_slice(&room);
                    assert!(!plain.is(&leak), "{width}x{height} {room:?} at {at}");
                }
            }
        }
    }

    #[test]
    fn a_coded_frame_may_ring_around_letters_and_nowhere_else() {
        let (width, height) = SIZES[0];
        let plain = Plain::new(width, height).unwrap();
        let calm = shown(width, height, TEXTS[2]);
        let darker = |x: usize, y: usize, byte: usize| {
            let mut frame = calm.clone();
            frame[2 * width * y + 2 * x + byte] =
                frame[2 * width * y + 2 * x + byte].wrapping_sub(25);
            frame
        };
        let (in_text, above) = ((width / 2, height / 2), (width / 2, height / 8));
        assert!(plain.is_nearly(&darker(in_text.0, in_text.1, 0), 12));
        assert!(!plain.is(&darker(in_text.0, in_text.1, 0)), "not coded");
        assert!(!plain.is_nearly(&darker(in_text.0, in_text.1, 1), 12), "chroma");
        assert!(!plain.is_nearly(&darker(above.0, above.1, 0), 12), "outside");
    }

    #[test]
    fn other_pictures_are_none() {
        let (width, height) = (640, 360);
        let plain = Plain::new(width, height).unwrap();
        let calm = shown(width, height, TEXTS[1]);
        let bytes = calm.len();
        assert!(!plain.is(&vec![0; bytes]), "a cleared buffer");
        assert!(!plain.is(&[16, 128].repeat(bytes / 2)), "plain black");
        assert!(!plain.is(&calm[..bytes - 4]), "a part of it");
        // Ink all over the text's field, and a stroke of it outside.
        let ink = Colour::WEBCAM.encode(INK);
        let ink = [ink.y, ink.u, ink.y, ink.v];
        let painted = |rows: std::ops::Range<usize>, pairs: std::ops::Range<usize>| {
            let mut frame = calm.clone();
            for y in rows {
                frame[2 * width * y..][4 * pairs.start..4 * pairs.end]
                    .copy_from_slice(&ink.repeat(pairs.len()));
            }
            frame
        };
        assert!(!plain.is(&painted(121..239, 17..303)));
        assert!(!plain.is(&painted(100..101, 100..101)));
        assert!(!plain.is(&painted(180..181, 4..5)));
        assert!(plain.is(&painted(180..181, 100..101)), "as a hyphen would");
    }
}
