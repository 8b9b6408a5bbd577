use std::time::Duration;

use greenroom_frame::{Colour, Frame, MatteView, PixelFormat, Rgb8, SizePx, Yuv8};

use super::{Area, Effect, KINDS};
use crate::layers::Workspace;
use crate::{EffectSpec, Moment, Random, Room, Target, effects_help};

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
        let room = Room { frame: self.room.view(), matte };
        let mut workspace = Workspace::new();
        let mut layers = workspace.layers(&room, self.behind.view());
        for effect in &mut *effects {
            effect.apply_to_layers(&mut layers, moment).unwrap();
        }
        let mut canvas = self.room.clone();
        let (person, behind) = (layers.person.view(), layers.background.view());
        greenroom_frame::blend(person, behind, layers.matte().unwrap(), &mut canvas).unwrap();
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
fn texts_are_read_as_they_are_written() {
    for text in [
        "glow=#ff0000,12.5",
        "glow=#7fd4ff,12.5",
        "shadow=60,5,-4",
        "person:greyscale",
        "background:colourmap=ice",
        "rotate=270",
        "anonymise=silhouette",
        "anonymise=blocks,12",
        "brightness=-33.25",
        "hologram",
    ] {
        assert_eq!(spec(text).to_string(), text);
    }
    for text in every() {
        assert_eq!(spec(&spec(&text).to_string()), spec(&text));
    }
    for (long, short) in [
        ("all:grayscale", "greyscale"),
        ("colormap=viridis", "colourmap"),
        (" glow = #7FD4FF , 4 ", "glow"),
        ("person:hologram", "hologram"),
    ] {
        assert_eq!(spec(long).to_string(), short);
    }
    assert_ne!(spec("glow"), spec("glow=#7fd4ff,5"));
    assert_ne!(spec("all:hologram"), spec("hologram"));
}

#[test]
fn wrong_texts_are_told_what_is_right() {
    for (text, hint) in [
        ("sepai", "\"sepia\""),
        ("", "hologram"),
        ("xyzzy", "hologram"),
        ("sepia=1", "no value"),
        ("gamma=1,2", "one value"),
        ("glow=#fff", "#rrggbb"),
        ("glow=", "#rrggbb"),
        ("glow=#ffffff,1,2", "at most 2"),
        ("brightness=101", "-100 to 100"),
        ("brightness=nan", "-100 to 100"),
        ("posterise=2.5", "2 to 16"),
        ("anonymise=blocks,13", "2 to 12"),
        ("colourmap=vridis", "\"viridis\""),
        ("rotate=45", "90, 180 or 270"),
        ("background:glow", "person"),
        ("room:sepia", "all, person or background"),
        (":sepia", "all, person or background"),
    ] {
        let sentence = text.parse::<EffectSpec>().unwrap_err().to_string();
        assert!(sentence.contains(hint) && !sentence.contains('\n'), "{text}: {sentence}");
    }
    let chain = vec![spec("sepia"); EffectSpec::LONGEST_CHAIN + 1];
    assert!(EffectSpec::check_chain(&chain[1..]).is_ok());
    assert!(EffectSpec::check_chain(&chain).unwrap_err().to_string().contains("17"));
}

#[test]
fn the_help_names_everything_once() {
    let help = effects_help();
    for kind in &KINDS {
        let usage = |line: &&str| {
            line.strip_prefix("  ")
                .is_some_and(|line| line.split(['[', ' ']).next() == Some(kind.names[0]))
        };
        assert_eq!(help.lines().filter(usage).count(), 1, "{}", kind.names[0]);
        assert!(help.contains(kind.help));
        for name in kind.names {
            let count = KINDS.iter().filter(|other| other.names.contains(name)).count();
            assert_eq!(count, 1, "{name}");
        }
    }
    assert!(help.lines().all(|line| line.len() <= 100), "{help}");
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
fn nothing_is_left_of_who_is_anonymised() {
    for format in FORMATS {
        for size in [SizePx::new(160, 96), SizePx::new(161, 97)] {
            let mut stage = Stage::new(format, size, Colour::WEBCAM);
            stage.luma.bytes_mut().iter_mut().step_by(3).for_each(|alpha| *alpha /= 2);
            let (plain, shown) = (stage.show(&[]), stage.show(&["all:anonymise"]));
            assert_ne!(plain.bytes(), shown.bytes());
            for (index, plane) in (0..3).map(|index| (index, shown.view().plane(index))) {
                let side = size.height_px.div_ceil(8) as usize & !1;
                let wide = if index == 0 { side } else { side / 2 };
                let high = if index > 0 && format == PixelFormat::I420 { side / 2 } else { side };
                for (y, row) in plane.iter_rows().enumerate() {
                    for (x, &sample) in row.iter().enumerate() {
                        let corner = plane.row(y / high * high)[x / wide * wide];
                        assert_eq!(sample, corner, "{format} {size} plane {index} at {x}, {y}");
                        let step = if index == 0 { 16 } else { 8 };
                        assert!(sample == 255 || sample % step == 0, "few bits: {sample}");
                    }
                }
            }
        }
    }
}

/// Two people who differ in every sample must look the same as silhouettes: before another picture,
/// and before the plain camera, which shows them, too; at soft edges, and whatever was done before.
#[test]
fn a_silhouette_is_the_same_of_everyone() {
    for (format, bare) in [true, false].map(|bare| FORMATS.map(|f| (f, bare))).into_iter().flatten()
    {
        let mut one = Stage::new(format, SizePx::new(161, 97), Colour::WEBCAM);
        for alpha in [&mut one.luma, &mut one.chroma] {
            alpha.bytes_mut().iter_mut().step_by(3).for_each(|alpha| *alpha /= 8);
        }
        let mut other = one_like(&one);
        for (index, mut plane) in other.room.view_mut().planes_mut().enumerate() {
            let alpha = if index == 0 { &one.luma } else { &one.chroma };
            for (row, alpha) in plane.iter_rows_mut().zip(alpha.view().plane(0).iter_rows()) {
                let person = row.iter_mut().zip(alpha).filter(|(_, alpha)| **alpha > 0);
                person.for_each(|(sample, _)| *sample = 255 - *sample);
            }
        }
        for before in ["person:sepia", "person:mirror", "background:flip", "opacity=0"] {
            let chain = [before, "anonymise=silhouette", "opacity"];
            let [one, other] = [&one, &other].map(|stage| show_silhouette(stage, &chain, bare));
            assert_eq!(one.bytes(), other.bytes(), "{format} {before} {bare}");
        }
    }
}

/// What is shown after `effects`, before the plain camera if `bare`.
fn show_silhouette(stage: &Stage, effects: &[&str], bare: bool) -> Frame {
    let matte = MatteView::new(stage.room.view(), stage.luma.view(), stage.chroma.view()).unwrap();
    let room = Room { frame: stage.room.view(), matte };
    let mut workspace = Workspace::new();
    let behind = if bare { room.frame } else { stage.behind.view() };
    let mut layers = workspace.layers(&room, behind);
    for text in effects {
        spec(text).build().apply_to_layers(&mut layers, &MOMENT).unwrap();
    }
    let mut canvas = stage.room.clone();
    let (person, behind) = (layers.person.view(), layers.background.view());
    greenroom_frame::blend(person, behind, layers.matte().unwrap(), &mut canvas).unwrap();
    canvas
}

fn one_like(stage: &Stage) -> Stage {
    let Stage { room, behind, luma, chroma } = stage;
    let [room, behind, luma, chroma] = [room, behind, luma, chroma].map(Frame::clone);
    Stage { room, behind, luma, chroma }
}

#[test]
fn four_quarter_turns_are_none() {
    for format in FORMATS {
        for size in SIZES {
            let stage = Stage::new(format, size, Colour::WEBCAM);
            let plain = stage.show(&[]);
            let turned = stage.show(&["rotate=90"]);
            assert_eq!(
                (turned.size().width_px, turned.size().height_px),
                (size.height_px, size.width_px)
            );
            let (before, after) = (plain.view(), turned.view());
            for y in 0..size.height_px as usize {
                for x in 0..size.width_px as usize {
                    let to = size.height_px as usize - 1 - y;
                    assert_eq!(before.plane(0).row(y)[x], after.plane(0).row(x)[to]);
                }
            }
            let same = |effects: &[&str]| {
                let shown = stage.show(effects);
                let planes = if format == PixelFormat::I420 { 3 } else { 1 };
                for plane in 0..planes {
                    let rows = shown
                        .view()
                        .plane(plane)
                        .iter_rows()
                        .zip(plain.view().plane(plane).iter_rows());
                    rows.for_each(|(a, b)| assert_eq!(a, b, "{effects:?} {format} {size}"));
                }
            };
            same(&["rotate"; 4]);
            same(&["rotate=90", "rotate=270"]);
            same(&["rotate=180", "mirror", "flip"]);
            same(&["person:mirror", "background:mirror", "mirror"]);
        }
    }
}

#[test]
fn rotated_chroma_stays_with_its_luma() {
    for format in FORMATS {
        for text in ["rotate=90", "rotate=270", "person:rotate", "background:rotate=270"] {
            let size = SizePx::new(120, 80);
            let mut stage = Stage::new(format, size, Colour::WEBCAM);
            // Left half dark blue, right half bright red.
            for frame in [&mut stage.room, &mut stage.behind] {
                for (index, mut plane) in frame.view_mut().planes_mut().enumerate() {
                    for row in plane.iter_rows_mut() {
                        let half = row.len() / 2;
                        row[..half].fill([60, 200, 100][index]);
                        row[half..].fill([180, 90, 210][index]);
                    }
                }
            }
            stage.luma.bytes_mut().fill(if text.starts_with('p') { 255 } else { 0 });
            stage.chroma.bytes_mut().fill(if text.starts_with('p') { 255 } else { 0 });
            let shown = stage.show(&[text]);
            let view = shown.view();
            let (width, rows) = (shown.size().width_px as usize, shown.size().height_px as usize);
            let chroma_high = if format == PixelFormat::I420 { 2 } else { 1 };
            for (y, upper) in [(rows / 8, true), (rows * 7 / 8, false)] {
                let first_half = upper != text.contains("270");
                let wanted = if first_half { [60, 200, 100] } else { [180, 90, 210] };
                for x in [0, width / 2, width - 1] {
                    let seen = [
                        view.plane(0).row(y)[x],
                        view.plane(1).row(y / chroma_high)[x / 2],
                        view.plane(2).row(y / chroma_high)[x / 2],
                    ];
                    assert_eq!(seen, wanted, "{text} {format} at {x}, {y}");
                }
            }
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
