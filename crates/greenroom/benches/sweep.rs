//! The processor time of what the output's thread does with a 1280x720 frame, against the time of copying the frame
//! that it takes in and the one that it gives out: in a hot loop, and after other work has taken the caches.
//!
//! Every round serves one frame to each scene in turn, so that a noisy neighbour hits all alike; what is printed are
//! medians, and of the ratios the median of each round's.

mod common;

use std::hint::black_box;
use std::process::Command;
use std::time::{Duration, Instant};

use common::{SIZE, median, sink};
use greenroom::pipeline::{MattePlanes, Painter};
use greenroom_device::Sink;
use greenroom_frame::{Colour, Frame, FrameShape, PixelFormat};
use greenroom_matte::{MatteMaker, Model, RefineSteps};
use greenroom_scene::{BackgroundSpec, MattedFrame, Pace, SceneFormat, SceneSpec};
use rustix::time::{ClockId, clock_gettime};

const ROUNDS: usize = 300;
const FRAMES: usize = 16;
/// More than the second level of any cache.
const OTHER_WORK_BYTES: usize = 16 << 20;
const PERIOD: Duration = Duration::from_millis(33);
const STAGES: [&str; 2] = ["fit", "compose and pack"];
/// As most files are. The output is BT.601.
const SHAPE: FrameShape = FrameShape { format: PixelFormat::I420, size: SIZE, colour: Colour::HD };

/// Processor time of this thread.
fn now() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().expect("a clock that does not go backwards")
}

/// Frames of the demo clip and their alphas.
fn matted_frames() -> Vec<(Frame, Frame)> {
    let clip = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/footage/demo.mp4");
    let raw = Command::new("ffmpeg")
        .args(["-v", "error", "-i", clip, "-frames:v", &FRAMES.to_string()])
        .args(["-vf", "fps=2,scale=1280:720", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-"])
        .output()
        .expect("ffmpeg is installed")
        .stdout;
    let mut maker = MatteMaker::new(Model::DEFAULT)
        .and_then(|maker| maker.refined(RefineSteps::default()))
        .expect("a built-in model");
    let mut frame = Frame::new(SHAPE.format, SHAPE.size, SHAPE.colour).expect("a frame");
    let frames: Vec<_> = raw
        .chunks_exact(frame.bytes().len())
        .map(|picture| {
            frame.bytes_mut().copy_from_slice(picture);
            (frame.clone(), maker.matte(&frame.view()).expect("a planar frame").clone())
        })
        .collect();
    assert_eq!(frames.len(), FRAMES, "ffmpeg cannot read {clip}; run: cargo xtask assets");
    frames
}

struct Scene {
    name: &'static str,
    planes: MattePlanes,
    painters: Vec<Painter>,
}

impl Scene {
    fn new(name: &'static str, backgrounds: &[&str]) -> Self {
        let painter = |background: &&str| {
            let background: BackgroundSpec = background.parse().expect("a background");
            let spec = SceneSpec { background, ..SceneSpec::default() };
            let scene = spec.build(SceneFormat { shape: SHAPE, pace: Pace::Live });
            Painter::new(sink(SIZE).mode(), scene.expect("its files are there")).expect("an output")
        };
        Self {
            name,
            planes: MattePlanes::new(SIZE, RefineSteps::default()).expect("planes"),
            painters: backgrounds.iter().map(painter).collect(),
        }
    }

    /// Times of the stages for one frame; `sum` makes of what comes out a number to compare.
    fn run(&mut self, (frame, alpha): &(Frame, Frame), sum: &mut u64) -> [Duration; STAGES.len()] {
        let mut times = [Duration::ZERO; STAGES.len()];
        let mut last = now();
        let mut lap = |stage: usize| {
            let now = now();
            times[stage] += now - std::mem::replace(&mut last, now);
        };
        let frame = frame.view();
        let matte = self.planes.fit(alpha.view(), frame, None).expect("an alpha");
        lap(0);
        for painter in &mut self.painters {
            let composed =
                painter.compose(&MattedFrame { frame, matte }).expect("frame and matte fit");
            let packed = painter.fit(composed, |_| ()).expect("a canvas");
            lap(1);
            if *sum != 0 {
                *sum = packed.bytes().iter().fold(*sum, |sum, &byte| {
                    (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
                });
            }
        }
        times
    }
}

fn main() {
    // `cargo bench` says so; `cargo test` does not, and wants to see that it runs.
    let rounds = if std::env::args().any(|arg| arg == "--bench") { ROUNDS } else { 3 };
    let mut frames = matted_frames();
    let picture = concat!(env!("CARGO_MANIFEST_DIR"), "/../../backgrounds/dusk.jpg");
    let scenes = || {
        vec![
            Scene::new("picture", &[picture]),
            Scene::new("blur", &["blur"]),
            Scene::new("colour", &["#00b140"]),
            Scene::new("four scenes", &["blur", "#00b140", picture, "stars"]),
        ]
    };
    let (taken, given) = (frames[0].0.bytes().to_vec(), vec![100; SIZE.area_px() as usize * 2]);
    let (mut take, mut give) = (taken.clone(), given.clone());
    let mut other_work = vec![1u8; OTHER_WORK_BYTES];
    let begin = Instant::now();
    for is_cold in [false, true] {
        let mut scenes = scenes();
        let mut laps = vec![Vec::new(); scenes.len()];
        let mut copies = Vec::new();
        let mut sums = vec![0xcbf2_9ce4_8422_2325; scenes.len()];
        for round in 0..rounds {
            let frame = &mut frames[round % FRAMES];
            frame.0.set_captured_at(begin + PERIOD * round as u32);
            let mut spoil = || {
                if is_cold {
                    black_box(&mut other_work).iter_mut().step_by(64).for_each(|it| *it += 1);
                }
            };
            for ((scene, laps), sum) in scenes.iter_mut().zip(&mut laps).zip(&mut sums) {
                spoil();
                let mut kept = if round < FRAMES { *sum } else { 0 };
                laps.push(scene.run(frame, &mut kept));
                if kept != 0 {
                    *sum = kept;
                }
            }
            spoil();
            let start = now();
            copy(black_box(&mut take), black_box(&taken));
            copy(black_box(&mut give), black_box(&given));
            copies.push(now() - start);
        }
        println!("\n{SIZE} 4:2:0 -> YUYV, {}", if is_cold { "caches cold" } else { "a hot loop" });
        println!("{:<29} {:>11} {:>10}", "", "median", "x copies");
        for ((scene, laps), sum) in scenes.iter().zip(&laps).zip(sums) {
            for (index, stage) in STAGES.iter().enumerate() {
                let label = format!("{}, {stage}", scene.name);
                row(&label, laps.iter().map(|lap| lap[index]).collect(), &copies);
            }
            row(scene.name, laps.iter().map(|lap| lap.iter().sum()).collect(), &copies);
            if std::env::args().any(|arg| arg == "--sums") {
                println!("{sum:x}");
            }
        }
        row("copies", copies.clone(), &copies);
    }
}

/// In pieces, for which no C library goes past the caches.
fn copy(into: &mut [u8], from: &[u8]) {
    const PIECE: usize = 4096;
    into.chunks_mut(PIECE)
        .zip(from.chunks(PIECE))
        .for_each(|(into, from)| into.copy_from_slice(from));
}

fn row(label: &str, times: Vec<Duration>, copies: &[Duration]) {
    let ratios =
        times.iter().zip(copies).map(|(time, copy)| time.as_secs_f64() / copy.as_secs_f64());
    let ratio = median(ratios.collect());
    println!("{label:<29} {:>8.3} ms {ratio:>10.2}", median(times).as_secs_f64() * 1e3);
}
