//! Every background and every effect on the demo clip, through the real network: each shows
//! something, something of its own, and the same again. With GREENROOM_SHEETS=FOLDER each is
//! written there as a picture, which `cargo xtask sheets` puts together for the docs.
#![allow(clippy::unwrap_used)]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use greenroom::pipeline::MattePlanes;
use greenroom::scenes::SceneOptions;
use greenroom::snapshot;
use greenroom_device::{FileReader, Next, Playback, Source, Wake};
use greenroom_frame::{Frame, FrameShape, PixelFormat};
use greenroom_matte::{MatteMaker, Model, RefineSteps};
use greenroom_scene::{BackgroundSpec, EffectSpec, MattedFrame, Pace, SceneFormat};

/// Frames of the clip with their alpha at the model's size, 0.2 s apart.
struct Clip {
    frames: Vec<(Frame, Frame)>,
}

/// The first frame that is used: the man is in the middle and lifts his head.
const FROM: usize = 50;
const STEP: usize = 5;
const COUNT: usize = 8;

impl Clip {
    fn demo() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/footage/demo.mp4");
        let mut reader = FileReader::open(&path, Playback::EveryFrame).unwrap();
        let mode = reader.mode();
        let mut frame = Frame::new(PixelFormat::I420, mode.size, mode.colour).unwrap();
        let mut maker = MatteMaker::new(Model::DEFAULT).unwrap();
        let wake = Wake::new().unwrap();
        let mut frames = Vec::new();
        for index in 0..FROM + STEP * COUNT {
            let next = reader.next_frame(&mut frame, &wake, Duration::from_secs(20)).unwrap();
            assert!(matches!(next, Next::Frame(_)));
            if index >= FROM && (index - FROM).is_multiple_of(STEP) {
                let made = maker.matte(&frame.view()).unwrap();
                let mut alpha = made.clone();
                greenroom_frame::unpack(made.view(), &mut alpha).unwrap();
                frames.push((frame.clone(), alpha));
            }
        }
        Self { frames }
    }

    fn shape(&self) -> FrameShape {
        self.frames[0].0.shape()
    }

    /// The last frame of the scene.
    fn composed(&self, words: &SceneOptions) -> Frame {
        let scene_format = SceneFormat { shape: self.shape(), pace: Pace::Exact };
        let mut scene = words.check().unwrap().build(scene_format).unwrap();
        let mut planes = MattePlanes::new(scene_format.shape.size, RefineSteps::default()).unwrap();
        let mut canvas = self.frames[0].0.clone();
        for (frame, alpha) in &self.frames {
            let matte = planes.fit(alpha.view(), frame.view(), None).unwrap();
            scene.compose(&MattedFrame { frame: frame.view(), matte }, &mut canvas).unwrap();
        }
        canvas
    }
}

fn words(background: &str) -> SceneOptions {
    SceneOptions { background: Some(background.to_owned()), ..SceneOptions::default() }
}

/// Pictures, a video, an animation and a folder of pictures, and what they are called in the sheet.
fn files(folder: &Path) -> Vec<(String, SceneOptions)> {
    let dusk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../backgrounds/dusk.jpg");
    let at = |name: &str| folder.join(name);
    let make = |args: &[&str], name: &str| {
        let mut ffmpeg = Command::new("ffmpeg");
        ffmpeg.args(["-v", "error", "-y", "-f", "lavfi", "-i"]).args(args).arg(at(name));
        assert!(ffmpeg.status().unwrap().success(), "{args:?}");
    };
    make(
        &["gradients=size=320x240:rate=25:speed=0.05:seed=9", "-t", "4", "-pix_fmt", "yuv420p"],
        "video.mp4",
    );
    make(&["testsrc2=size=160x120:rate=10", "-t", "2"], "animation.gif");
    make(
        &["gradients=size=160x120:rate=10:seed=3", "-t", "2", "-c:v", "libwebp_anim"],
        "animated.webp",
    );
    std::fs::create_dir(at("frames")).unwrap();
    make(&["life=size=160x120:rate=10:seed=2:mold=10", "-frames:v", "20"], "frames/%03d.png");
    std::fs::create_dir(at("slides")).unwrap();
    std::fs::copy(&dusk, at("slides/dusk.jpg")).unwrap();
    image::RgbImage::from_fn(64, 64, |x, _| image::Rgb([0, x as u8 * 4, 90]))
        .save(at("slides/b.png"))
        .unwrap();
    let logo = image::RgbaImage::from_fn(80, 80, |x, y| {
        let from_middle = (x as f32 - 39.5).hypot(y as f32 - 39.5);
        let alpha = ((39.0 - from_middle) * 128.0).clamp(0.0, 255.0) as u8;
        image::Rgba([250, 180 - y as u8, 40, alpha])
    });
    logo.save(at("logo.png")).unwrap();
    let text = |path: PathBuf| path.display().to_string();
    let named = |name: &str, path: PathBuf| (name.to_owned(), words(&text(path)));
    let mut files = vec![
        named("picture", dusk),
        named("video", at("video.mp4")),
        named("animation", at("animation.gif")),
        named("animated WebP", at("animated.webp")),
        named("numbered pictures", at("frames/%03d.png")),
        named("slideshow", at("slides")),
    ];
    let foreground = Some(format!("{},bottom-right,25%", text(at("logo.png"))));
    files.push(("foreground".into(), SceneOptions { foreground, ..words("blur") }));
    for framing in ["zoom=1.6,0,-0.3", "auto=90%"] {
        let framing_words = SceneOptions { framing: Some(framing.into()), ..words("drift") };
        files.push((format!("framing {framing}"), framing_words));
    }
    files
}

fn mean_difference(one: &Frame, other: &Frame) -> f64 {
    assert_eq!(one.bytes().len(), other.bytes().len());
    let sum: u64 =
        one.bytes().iter().zip(other.bytes()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / one.bytes().len() as f64
}

#[test]
fn every_background_and_every_effect_shows_something_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let clip = Clip::demo();
    let mut scenes: Vec<(String, SceneOptions)> = Vec::new();
    for background in ["#00b140".parse().unwrap(), BackgroundSpec::None]
        .into_iter()
        .chain(BackgroundSpec::every())
    {
        scenes.push((background.to_string(), words(&background.to_string())));
    }
    scenes.extend(files(folder.path()));
    let dusk = scenes.iter().find(|(name, _)| name == "picture").unwrap().1.clone();
    for effect in EffectSpec::every() {
        let effects = Some(vec![effect.to_string()]);
        scenes.push((format!("effect {effect}"), SceneOptions { effects, ..dusk.clone() }));
    }
    // Variants that look different enough to be shown.
    for effect in
        ["all:hologram", "anonymise=silhouette", "person:opacity=40", "background:greyscale"]
    {
        let effects = Some(vec![effect.to_owned()]);
        scenes.push((format!("effect {effect}"), SceneOptions { effects, ..dusk.clone() }));
    }
    assert!(scenes.len() > 35, "{}", scenes.len());

    let sheets = std::env::var_os("GREENROOM_SHEETS").map(PathBuf::from);
    let mut seen: Vec<(String, Frame)> = Vec::new();
    for (number, (name, words)) in scenes.iter().enumerate() {
        let shown = clip.composed(words);
        assert_eq!(shown.colour(), clip.shape().colour, "{name}");
        assert!(
            mean_difference(&shown, &clip.composed(words)) == 0.0,
            "{name} is not the same again"
        );
        for (other, frame) in &seen {
            let is_a_variant = name.contains(other.as_str()) || other.contains(name.as_str());
            if frame.size() == shown.size() && !is_a_variant {
                let difference = mean_difference(&shown, frame);
                assert!(difference > 0.05, "{name} looks like {other} ({difference})");
            }
        }
        if let Some(folder) = &sheets {
            let name = name.replace('/', "_");
            snapshot::write(&shown, &folder.join(format!("{number:02} {name}.png"))).unwrap();
        }
        seen.push((name.clone(), shown));
    }
    // The room is seen with `none` alone: what the plain frame shows above his head is elsewhere in
    // no other scene.
    let plain = &clip.frames.last().unwrap().0;
    for (name, frame) in &seen {
        let has_room_in_focus =
            name.contains("none") || name.contains("rotate") || frame.size() != plain.size();
        if !has_room_in_focus {
            assert!(mean_difference(plain, frame) > 1.0, "{name} shows the plain room");
        }
    }
}
