use std::time::{Duration, Instant};

use greenroom_frame::{Colour, Frame, FrameShape, MatteView, PixelFormat, SizePx, Yuv8};

use crate::{LookSpec, MattedFrame, Pace, SceneFormat, SceneSpec};

const SIZE: SizePx = SizePx::new(320, 180);
const PERSON: Yuv8 = Yuv8 { y: 110, u: 115, v: 145 };

/// A person of one colour in the lower middle of a grey room.
struct Studio {
    frame: Frame,
    luma: Frame,
    chroma: Frame,
    start: Instant,
}

impl Studio {
    fn new(format: PixelFormat) -> Self {
        let mut frame = Frame::new(format, SIZE, Colour::WEBCAM).unwrap();
        frame.fill(Yuv8 { y: 120, u: 128, v: 128 });
        let grey = |size| Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
        let (mut luma, mut chroma) = (grey(SIZE), grey(format.chroma().plane_size(SIZE)));
        for alpha in [&mut luma, &mut chroma] {
            let size = alpha.size();
            let (width, height) = (size.width_px as usize, size.height_px as usize);
            for row in alpha.view_mut().plane_mut(0).iter_rows_mut().skip(height / 4) {
                row[width / 4..width * 3 / 4].fill(255);
            }
        }
        let codes = [PERSON.y, PERSON.u, PERSON.v];
        for (index, mut plane) in frame.view_mut().planes_mut().enumerate() {
            let alpha = if index == 0 { &luma } else { &chroma };
            for (row, alpha) in plane.iter_rows_mut().zip(alpha.view().plane(0).iter_rows()) {
                let samples = row.iter_mut().zip(alpha).filter(|(_, alpha)| **alpha > 0);
                samples.for_each(|(sample, _)| *sample = codes[index]);
            }
        }
        Self { frame, luma, chroma, start: Instant::now() }
    }

    /// What `scene` shows at each of these milliseconds.
    fn show(&mut self, background: &str, look: LookSpec, times_ms: &[u64]) -> Vec<Frame> {
        let spec =
            SceneSpec { background: background.parse().unwrap(), look, ..SceneSpec::default() };
        let shape: FrameShape = self.frame.shape();
        let mut scene = spec.build(SceneFormat { shape, pace: Pace::Exact }).unwrap();
        let mut seen = Vec::new();
        for &ms in times_ms {
            self.frame.set_captured_at(self.start + Duration::from_millis(ms));
            let view = self.frame.view();
            let matte = MatteView::new(view, self.luma.view(), self.chroma.view()).unwrap();
            let mut canvas = self.frame.clone();
            scene.compose(&MattedFrame { frame: view, matte }, &mut canvas).unwrap();
            seen.push(canvas);
        }
        seen
    }

    fn one(&mut self, background: &str, look: LookSpec) -> Frame {
        self.show(background, look, &[0]).remove(0)
    }
}

/// Codes in the middle of the person.
fn middle(frame: &Frame) -> [u8; 3] {
    [0, 1, 2].map(|index| {
        let view = frame.view();
        let plane = view.plane(index);
        plane.row(plane.rows() * 3 / 4)[plane.row_bytes() / 2]
    })
}

const WRAP: LookSpec = LookSpec { wrap: 1.0, matching: 0.0 };
const MATCH: LookSpec = LookSpec { wrap: 0.0, matching: 1.0 };
const BOTH: LookSpec = LookSpec { wrap: 1.0, matching: 1.0 };

#[test]
fn light_spills_over_the_edge_and_not_further() {
    for format in [PixelFormat::I420, PixelFormat::I422] {
        let mut studio = Studio::new(format);
        let seen = studio.one("gradient=#f0f0f0,#f0f0f0", WRAP);
        let row = seen.view();
        let row = row.plane(0).row(120);
        // The person begins at 80; cells are 4 pixels wide.
        assert!(row[80] > PERSON.y + 15, "{}", row[80]);
        assert!(row[80..96].is_sorted_by(|a, b| a >= b), "{:?}", &row[80..96]);
        assert_eq!(row[96], PERSON.y);
        let seen = studio.one("gradient=#000000,#000000", WRAP);
        assert_eq!(seen.view().plane(0).row(120)[80], PERSON.y, "there is no light");
        // The frame's foot cuts the person off: nothing shines in from there.
        assert_eq!(seen.view().plane(0).row(179)[160], PERSON.y);
    }
}

#[test]
fn the_person_follows_the_background_within_bounds() {
    let mut studio = Studio::new(PixelFormat::I420);
    let tones = [("#f8f8f8", 1.0, 1.16), ("#101010", 0.84, 1.0), ("#2030ff", 0.84, 1.16)];
    for (colour, least, most) in tones {
        let seen = middle(&studio.one(&format!("gradient={colour},{colour}"), MATCH));
        let gain = (f32::from(seen[0]) - 16.0) / (f32::from(PERSON.y) - 16.0);
        assert!((least..=most).contains(&gain) && gain != 1.0, "{colour}: {gain}");
        for (seen, code) in seen[1..].iter().zip([PERSON.u, PERSON.v]) {
            assert!(seen.abs_diff(code) <= 4, "{colour}: {seen}");
        }
    }
    let blue = middle(&studio.one("gradient=#2030ff,#2030ff", MATCH));
    assert!(blue[1] > PERSON.u && blue[2] < PERSON.v, "{blue:?}");
}

#[test]
fn a_plain_colour_and_the_room_itself_light_nobody() {
    let mut studio = Studio::new(PixelFormat::I422);
    for background in ["#00b140", "blur", "bokeh", "pixelate", "none"] {
        let (plain, lit) = (studio.one(background, LookSpec::OFF), studio.one(background, BOTH));
        assert!(plain.bytes() == lit.bytes(), "{background}");
    }
    let stars = [LookSpec::OFF, BOTH].map(|look| studio.one("stars", look));
    assert!(stars[0].bytes() != stars[1].bytes());
}

#[test]
fn it_changes_slowly_and_arrives() {
    let mut studio = Studio::new(PixelFormat::I420);
    let times: Vec<u64> = (0..240).map(|frame| frame * 33).collect();
    let before = studio.frame.clone();
    let spec = "gradient=#f8f8f8,#f8f8f8";
    let bright = middle(&studio.one(spec, MATCH))[0];
    // A light goes on: the camera's picture is suddenly brighter.
    let mut scene_frames = Vec::new();
    let shape = before.shape();
    let look = SceneSpec { background: spec.parse().unwrap(), look: MATCH, ..SceneSpec::default() };
    let mut scene = look.build(SceneFormat { shape, pace: Pace::Exact }).unwrap();
    for &ms in &times {
        let mut frame = before.clone();
        if ms > 1000 {
            frame.view_mut().plane_mut(0).iter_rows_mut().flatten().for_each(|y| *y += 100);
        }
        frame.set_captured_at(studio.start + Duration::from_millis(ms));
        let matte = MatteView::new(frame.view(), studio.luma.view(), studio.chroma.view()).unwrap();
        let mut canvas = frame.clone();
        scene.compose(&MattedFrame { frame: frame.view(), matte }, &mut canvas).unwrap();
        let plain = if ms > 1000 { PERSON.y + 100 } else { PERSON.y };
        scene_frames.push(f32::from(middle(&canvas)[0]) / f32::from(plain));
    }
    let first = scene_frames[0];
    assert!((first - f32::from(bright) / f32::from(PERSON.y)).abs() < 1e-6);
    let steps = scene_frames.windows(2).map(|pair| (pair[1] - pair[0]).abs());
    // Codes are whole: a step of one is half a percent here.
    assert!(steps.fold(0.0, f32::max) < 0.03, "{scene_frames:?}");
    assert!(scene_frames[239] < first - 0.05, "{scene_frames:?}");
}
