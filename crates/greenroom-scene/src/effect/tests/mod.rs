mod anonymous;
mod texts;
mod turns;

use std::time::Duration;

use greenroom_frame::{Colour, Compositor, Frame, MatteView, PixelFormat, Rgb8, SizePx, Yuv8};

use super::KINDS;
use super::action::Effect;
use super::area::Area;
use crate::layers::Workspace;
use crate::{EffectSpec, MattedFrame, Moment, Random, Target};

const MOMENT: Moment = Moment { time: Duration::ZERO, frame: 7, seed: 3 };
const FORMATS: [PixelFormat; 2] = [PixelFormat::I420, PixelFormat::I422];
const COLOURS: [Colour; 3] = [Colour::WEBCAM, Colour::JPEG, Colour::HD];
const SIZES: [SizePx; 4] =
    [SizePx::new(64, 36), SizePx::new(67, 41), SizePx::new(30, 50), SizePx::new(1, 1)];

fn spec(text: &str) -> EffectSpec {
    text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// Random samples within the range.
fn noise(format: PixelFormat, size: SizePx, colour: Colour, seed: u64) -> Frame {
    let mut frame = Frame::new(format, size, colour).unwrap();
    let mut random = Random::new(seed);
    let (floor, span, _) = colour.scales();
    frame.bytes_mut().fill_with(|| (floor + random.unit() * span) as u8);
    frame
}

/// A frame with a person in it, before another picture.
struct Stage {
    room: Frame,
    behind: Frame,
    luma: Frame,
    chroma: Frame,
}

impl Stage {
    /// The person is a box from a quarter to two thirds of the width, the lower half of the height.
    fn new(format: PixelFormat, size: SizePx, colour: Colour) -> Self {
        let matte = |size: SizePx| {
            let mut alpha = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
            let (width, height) = (size.width_px as usize, size.height_px as usize);
            for row in alpha.view_mut().plane_mut(0).iter_rows_mut().skip(height / 2) {
                row[width / 4..(2 * width).div_ceil(3)].fill(255);
            }
            alpha
        };
        Self {
            room: noise(format, size, colour, 1),
            behind: noise(format, size, colour, 2),
            luma: matte(size),
            chroma: matte(format.chroma().plane_size(size)),
        }
    }

    /// What is shown after `effects`.
    fn show(&self, effects: &[&str]) -> Frame {
        let mut effects: Vec<_> = effects.iter().map(|text| spec(text).build()).collect();
        self.show_by(&mut effects, &MOMENT)
    }

    fn show_by(&self, effects: &mut [Effect], moment: &Moment) -> Frame {
        let matte = MatteView::new(self.room.view(), self.luma.view(), self.chroma.view()).unwrap();
        let room = MattedFrame { frame: self.room.view(), matte };
        let mut workspace = Workspace::new();
        let mut layers = workspace.layers(&room, self.behind.view().into());
        for effect in &mut *effects {
            effect.apply_to_layers(&mut layers, moment).unwrap();
        }
        let mut canvas = self.room.clone();
        let (person, behind) = (layers.person.view(), layers.background.backdrop());
        let matte = layers.matte().unwrap();
        Compositor::default().compose(person, behind, matte, None, &mut canvas).unwrap();
        for effect in effects {
            if matches!(effect, Effect::Picture(Target::All, _)) {
                effect.apply_to_whole(&mut canvas, moment).unwrap();
            }
        }
        canvas
    }

    /// How many samples of `frame` differ from `other` where there is all of the person, and where
    /// there is none.
    fn differ(&self, frame: &Frame, other: &Frame) -> (usize, usize) {
        let (mut person, mut room) = (0, 0);
        for plane in 0..3 {
            let alpha = if plane == 0 { &self.luma } else { &self.chroma };
            let (view, other) = (frame.view(), other.view());
            let samples = view.plane(plane).iter_rows().zip(other.plane(plane).iter_rows());
            for ((a, b), alpha) in samples.zip(alpha.view().plane(0).iter_rows()) {
                for ((a, b), alpha) in a.iter().zip(b).zip(alpha) {
                    *(if *alpha == 255 { &mut person } else { &mut room }) += usize::from(a != b);
                }
            }
        }
        (person, room)
    }
}

/// Every effect on everything it can be laid on.
fn every() -> impl Iterator<Item = String> {
    KINDS.iter().flat_map(|kind| {
        let target = |target: &Target| format!("{target:?}:{}", kind.names[0]).to_lowercase();
        kind.targets.iter().map(target)
    })
}

#[test]
fn effects_touch_only_what_they_are_laid_on() {
    for text in every() {
        for format in FORMATS {
            for (size, colour) in SIZES.into_iter().zip(COLOURS.into_iter().cycle()) {
                let stage = Stage::new(format, size, colour);
                let (plain, shown) = (stage.show(&[]), stage.show(&[&text]));
                let name = format!("{text} {format} {size}");
                assert_eq!((shown.format(), shown.colour()), (format, colour), "{name}");
                if size == SizePx::new(1, 1) || text == "all:rotate" {
                    continue;
                }
                assert_eq!(shown.size(), size, "{name}");
                let (person, room) = stage.differ(&shown, &plain);
                let turns = ["mirror", "flip", "rotate"].iter().any(|turn| text.ends_with(turn));
                match (spec(&text).target(), spec(&text).name()) {
                    // These are drawn round the person.
                    (_, "glow" | "shadow") => assert!(person == 0 && room > 0, "{name}"),
                    (Target::Person, _) if turns => assert!(person > 0 && room > 0, "{name}"),
                    (Target::Person, _) => assert!(person > 0 && room == 0, "{name}"),
                    (Target::Background, _) => assert!(person == 0 && room > 0, "{name}"),
                    (Target::All, _) => assert!(person > 0 && room > 0, "{name}"),
                }
            }
        }
    }
}

#[test]
fn the_same_frame_is_the_same_picture() {
    let stage = Stage::new(PixelFormat::I420, SizePx::new(67, 41), Colour::WEBCAM);
    let other = Stage::new(PixelFormat::I422, SizePx::new(64, 36), Colour::JPEG);
    for text in every() {
        let mut effects = [spec(&text).build()];
        let first = stage.show_by(&mut effects, &MOMENT);
        // Frames of another shape and other moments between leave no trace.
        other.show_by(&mut effects, &Moment { frame: 8, ..MOMENT });
        let again = stage.show_by(&mut effects, &MOMENT);
        assert_eq!(first.bytes(), again.bytes(), "{text}");
        let later = stage.show_by(&mut effects, &Moment { frame: 8, ..MOMENT });
        let moves = ["grain", "hologram"].contains(&spec(&text).name());
        assert_eq!(first.bytes() != later.bytes(), moves, "{text}");
    }
}

#[test]
fn effects_are_done_in_their_order() {
    let stage = Stage::new(PixelFormat::I420, SizePx::new(64, 36), Colour::WEBCAM);
    let chain = ["brightness=50", "posterise=3", "mirror"];
    let mut step = stage.show(&[]);
    for text in chain {
        let area = Area::whole(step.size());
        let Effect::Picture(_, mut effect) = spec(text).build() else { panic!("{text}") };
        effect.apply(&mut step, area, &MOMENT).unwrap();
    }
    assert_eq!(stage.show(&chain).bytes(), step.bytes());
    let [first, second, _] = chain;
    assert_ne!(stage.show(&[first, second]).bytes(), stage.show(&[second, first]).bytes());
}

/// The colour that `text` makes of a plain one.
fn of_plain(text: &str, colour: Colour, rgb: [u8; 3]) -> [u8; 3] {
    let size = SizePx::new(67, 41);
    let mut stage = Stage::new(PixelFormat::I420, size, colour);
    let [r, g, b] = rgb;
    stage.behind.fill(colour.encode(Rgb8 { r, g, b }));
    stage.room = stage.behind.clone();
    let shown = stage.show(&[text]);
    let view = shown.view();
    // From the middle, where the vignette is not seen either.
    let [y, u, v] = [(0, 1), (1, 2), (2, 2)]
        .map(|(plane, share)| view.plane(plane).row(20 / share)[33 / share]);
    let Rgb8 { r, g, b } = colour.decode(Yuv8 { y, u, v });
    [r, g, b]
}

#[test]
fn colours_become_what_they_should() {
    for colour in COLOURS {
        for (text, from, to) in [
            ("greyscale", [200, 200, 200], [200, 200, 200]),
            ("sepia", [0, 0, 0], [0, 0, 0]),
            ("sepia", [64, 64, 64], [84, 66, 48]),
            ("colourmap=winter", [128, 128, 128], [0, 128, 191]),
            ("colourmap=negative", [255, 255, 255], [0, 0, 0]),
            ("brightness=50", [100, 60, 20], [150, 90, 30]),
            ("brightness=-100", [100, 60, 20], [0, 0, 0]),
            ("brightness=0", [100, 60, 20], [100, 60, 20]),
            ("contrast=50", [100, 60, 160], [86, 26, 176]),
            ("contrast=-100", [100, 60, 160], [128, 128, 128]),
            ("saturation=-100", [90, 90, 90], [90, 90, 90]),
            ("gamma=2", [64, 64, 64], [128, 128, 128]),
            ("gamma=2", [255, 255, 255], [255, 255, 255]),
            ("temperature=0", [100, 60, 160], [100, 60, 160]),
            ("temperature=100", [100, 100, 100], [124, 95, 67]),
            ("posterise=2", [200, 200, 200], [255, 255, 255]),
            ("vignette=100", [100, 60, 160], [100, 60, 160]),
            ("pixelate", [100, 60, 160], [100, 60, 160]),
            ("sketch", [100, 100, 100], [255, 255, 255]),
            ("opacity=30", [100, 60, 160], [100, 60, 160]),
            ("grain=0", [100, 60, 160], [100, 60, 160]),
        ] {
            let shown = of_plain(text, colour, from);
            let near = shown.iter().zip(to).all(|(&shown, to)| shown.abs_diff(to) <= 4);
            assert!(near, "{text} {colour:?}: {from:?} becomes {shown:?}, not {to:?}");
        }
    }
}

#[test]
fn a_glow_and_a_shadow_are_where_they_should_be() {
    let size = SizePx::new(300, 200);
    let mut stage = Stage::new(PixelFormat::I420, size, Colour::WEBCAM);
    stage.behind.fill(Yuv8 { y: 120, u: 128, v: 128 });
    // The person: columns 75..200, rows 100 on.
    let at = |shown: &Frame, x: usize, y: usize| shown.view().plane(0).row(y)[x];
    let shown = stage.show(&["glow=#ffffff,5"]);
    assert!(at(&shown, 73, 150) > 220 && at(&shown, 201, 150) > 220 && at(&shown, 150, 98) > 220);
    for (x, y) in [(60, 150), (215, 150), (150, 85)] {
        assert_eq!(at(&shown, x, y), 120, "{x}, {y}");
    }
    let shown = stage.show(&["shadow=100,2,10,0"]);
    assert!(at(&shown, 210, 160) < 30, "20 pixels to the right");
    assert_eq!((at(&shown, 230, 160), at(&shown, 70, 160)), (120, 120));
    let shown = stage.show(&["shadow=100,2,-10,-10"]);
    assert!(at(&shown, 65, 160) < 30 && at(&shown, 150, 88) < 30);
    assert_eq!(at(&shown, 205, 160), 120);
}

#[test]
fn nobody_there_is_no_trouble() {
    for size in SIZES {
        let mut stage = Stage::new(PixelFormat::I420, size, Colour::WEBCAM);
        stage.luma.bytes_mut().fill(0);
        stage.chroma.bytes_mut().fill(0);
        let plain = stage.show(&[]);
        for text in every().filter(|text| text.starts_with("person")) {
            assert_eq!(stage.show(&[&text]).bytes(), plain.bytes(), "{text}");
        }
    }
}
