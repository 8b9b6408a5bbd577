//! What each effect and each background costs a 1280x720 frame of 4:2:0, against a floor measured
//! in the same run: three copies of a frame.
//!
//! Every round composes every scene once, one behind the other, so that a noisy neighbour hits all
//! alike; what is printed are medians over the rounds. An effect's time is that of a scene with it
//! less that of one without, in the same round, and so is a foreground's and a framing's; a
//! background's is that of the picture it gives (a video's decoding is FFmpeg's, in a process of its
//! own).
//!
//! `cargo test` only sees that it runs; `--markdown` prints the table of the docs.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use greenroom_frame::{Backdrop, Colour, Frame, MatteView, PixelFormat, SizePx};
use greenroom_scene::{
    Background, BackgroundSpec, EffectSpec, Fit, MattedFrame, Moment, Pace, Random, Scene,
    SceneFormat, SceneSpec,
};

const SIZE: SizePx = SizePx::new(1280, 720);
const ROUNDS: usize = 200;
const QUICK_ROUNDS: usize = 3;
const A_FRAME: Duration = Duration::from_millis(33);

/// A camera's picture and its matte.
struct Studio {
    room: Frame,
    luma: Frame,
    chroma: Frame,
}

impl Studio {
    /// A room with soft light and sensor noise, and a person in it: an oval that covers a third of
    /// the frame, cut off at its foot, with an edge of 16 pixels.
    fn new() -> Self {
        let mut room = Frame::new(PixelFormat::I420, SIZE, Colour::WEBCAM).expect("a size");
        let mut random = Random::new(1);
        for mut plane in room.view_mut().planes_mut() {
            let (width, height) = (plane.row_bytes(), plane.rows());
            for (y, row) in plane.iter_rows_mut().enumerate() {
                for (x, sample) in row.iter_mut().enumerate() {
                    let light = 60.0 + 90.0 * (x as f32 / width as f32 + y as f32 / height as f32);
                    *sample = (light + 8.0 * random.unit()) as u8;
                }
            }
        }
        let matte = |size: SizePx| {
            let mut matte = Frame::new(PixelFormat::Grey, size, Colour::JPEG).expect("a size");
            let (width, height) = (size.width_px as f32, size.height_px as f32);
            for (y, row) in matte.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
                for (x, alpha) in row.iter_mut().enumerate() {
                    let across = (x as f32 / width - 0.5) / 0.25;
                    let down = (y as f32 / height - 0.75) / 0.6;
                    let inside = 1.0 - (across * across + down * down).sqrt();
                    *alpha = (128.0 + inside * 0.25 * width * 255.0 / 16.0) as u8;
                }
            }
            matte
        };
        let chroma = room.format().chroma().plane_size(SIZE);
        Self { luma: matte(SIZE), chroma: matte(chroma), room }
    }

    fn room(&self) -> MattedFrame<'_> {
        let frame = self.room.view();
        let matte = MatteView::new(frame, self.luma.view(), self.chroma.view());
        MattedFrame { frame, matte: matte.expect("made for the frame") }
    }
}

/// Something that is measured.
struct Subject {
    kind: &'static str,
    name: String,
    what: What,
    times: Vec<Duration>,
}

enum What {
    Scene(Box<Scene>),
    Background(Box<dyn Background>),
    Floor { from: Vec<u8>, to: Vec<u8> },
}

impl Subject {
    fn new(kind: &'static str, name: String, what: What) -> Self {
        Self { kind, name, what, times: Vec::new() }
    }

    fn run(&mut self, room: &MattedFrame<'_>, moment: &Moment, canvas: &mut Frame) {
        let start = Instant::now();
        match &mut self.what {
            What::Scene(scene) => scene.compose(room, canvas).expect("a frame that fits"),
            What::Background(background) => {
                let behind = background.behind(room, moment).expect("a frame that fits");
                // One that is worked out where it is seen is seen everywhere.
                if let Backdrop::Scaled(_) = black_box(behind) {
                    behind.copy_to(canvas).expect("a canvas");
                }
            }
            What::Floor { from, to } => {
                for _ in 0..3 {
                    black_box(&mut *to).copy_from_slice(black_box(from));
                }
            }
        }
        self.times.push(start.elapsed());
    }
}

/// A clip of two seconds, which is kept in memory.
fn clip(folder: &Path) -> PathBuf {
    let clip = folder.join("clip.mp4");
    let mut ffmpeg = Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-f", "lavfi", "-i", "testsrc2=size=1280x720:rate=30:duration=2"]);
    let made = ffmpeg.args(["-pix_fmt", "yuv420p"]).arg(&clip).status().expect("ffmpeg runs");
    assert!(made.success(), "ffmpeg makes no clip");
    clip
}

fn subjects(scene_format: SceneFormat, frame_bytes: usize, folder: &Path) -> Vec<Subject> {
    let plain = BackgroundSpec::Colour("#00b140".parse().expect("a colour"));
    let scene = |effects| {
        let spec = SceneSpec { background: plain.clone(), effects, ..SceneSpec::default() };
        What::Scene(Box::new(spec.build(scene_format).expect("a scene without files")))
    };
    let copies = What::Floor { from: vec![100; frame_bytes], to: vec![0; frame_bytes] };
    let mut subjects = vec![
        Subject::new("floor", "three copies of a frame".into(), copies),
        Subject::new("blend", "person before background".into(), scene(Vec::new())),
    ];
    for effect in EffectSpec::every() {
        let target = format!("{:?}", effect.target()).to_lowercase();
        let name = format!("{target}:{}", effect.name());
        subjects.push(Subject::new("effect", name, scene(vec![effect])));
    }
    let mut part = |kind, name: &str, spec: SceneSpec| {
        let spec = SceneSpec { background: plain.clone(), ..spec };
        let scene =
            What::Scene(Box::new(spec.build(scene_format).expect("files that were made here")));
        subjects.push(Subject::new(kind, name.to_owned(), scene));
    };
    let dusk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../backgrounds/dusk.jpg");
    for place in ["bottom-right", "fill"] {
        let foreground = format!("{},{place}", dusk.display()).parse().expect("a foreground");
        part(
            "foreground",
            place,
            SceneSpec { foreground: Some(foreground), ..SceneSpec::default() },
        );
    }
    for framing in ["zoom=2", "auto=90%"] {
        let spec = framing.parse().expect("a framing");
        part("framing", framing, SceneSpec { framing: spec, ..SceneSpec::default() });
    }
    // A gradient costs nothing once it is painted, and has a light of its own.
    let gradient: BackgroundSpec = "gradient=#ffffff,#808080".parse().expect("a background");
    for look in ["wrap=40,match=0", "wrap=0,match=50", "usual"] {
        let look_spec = look.parse().expect("a look");
        let spec =
            SceneSpec { background: gradient.clone(), look: look_spec, ..SceneSpec::default() };
        let scene = What::Scene(Box::new(spec.build(scene_format).expect("a scene without files")));
        subjects.push(Subject::new("look", look.to_owned(), scene));
    }
    let of_path = |path: PathBuf| path.display().to_string().parse().expect("a file that is there");
    let files = [("picture", of_path(dusk)), ("video", of_path(clip(folder)))];
    let named = BackgroundSpec::every().map(|spec| (spec.to_string(), spec));
    for (name, spec) in named.chain(files.map(|(name, spec)| (name.to_owned(), spec))) {
        let background = spec.build(Fit::Cover, scene_format).expect("files that were made here");
        subjects.push(Subject::new("background", name, What::Background(background)));
    }
    subjects
}

fn main() {
    let asked = |option: &str| std::env::args().any(|arg| arg == option);
    let rounds = if asked("--bench") { ROUNDS } else { QUICK_ROUNDS };
    let mut studio = Studio::new();
    let scene_format = SceneFormat { shape: studio.room.shape(), pace: Pace::Exact };
    let folder = tempfile::tempdir().expect("a folder for a clip");
    let mut subjects = subjects(scene_format, studio.room.bytes().len(), folder.path());
    let mut canvas = studio.room.clone();
    let start = studio.room.captured_at();
    // The first frame, which makes tables and asks for memory, is not counted.
    for frame in 0..=rounds {
        let time = A_FRAME * frame as u32;
        studio.room.set_captured_at(start + time);
        let moment = Moment { time, frame: frame as u64, seed: 1 };
        for subject in &mut subjects {
            subject.run(&studio.room(), &moment, &mut canvas);
            if frame == 0 {
                subject.times.clear();
            }
        }
    }
    print_table(&subjects, asked("--markdown"));
}

fn print_table(subjects: &[Subject], markdown: bool) {
    let [floor, blend, ..] = subjects else { return };
    if markdown {
        println!("| what | ms a frame | × floor |\n|---|---:|---:|");
    } else {
        println!("{SIZE} 4:2:0, one core, {} rounds", floor.times.len());
        println!("{:<40} {:>10} {:>8}", "what", "ms a frame", "x floor");
    }
    for subject in subjects {
        let less = matches!(subject.kind, "effect" | "foreground" | "framing" | "look")
            .then_some(&blend.times);
        let ms: Vec<f64> = (0..subject.times.len())
            .map(|round| {
                let less = less.map_or(Duration::ZERO, |times| times[round]);
                (subject.times[round].as_secs_f64() - less.as_secs_f64()) * 1e3
            })
            .collect();
        let floors = floor.times.iter().map(|time| time.as_secs_f64() * 1e3);
        let ratio = median(ms.iter().zip(floors).map(|(ms, floor)| ms / floor).collect());
        let (ms, name) = (median(ms), &subject.name);
        if markdown {
            println!("| {} `{name}` | {ms:.2} | {ratio:.1} |", subject.kind);
        } else {
            println!("{:<40} {ms:>10.3} {ratio:>8.2}", format!("{} {name}", subject.kind));
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
