//! The time of each stage of a 1280x720 frame's path, and of the whole, against a floor measured in
//! the same run: one bare inference on one thread and three copies of a frame.
//!
//! Every round runs every stage once, one behind the other, so that a noisy neighbour hits all
//! alike; what is printed are medians over the rounds, and the median of each round's ratio.

mod common;

use std::hint::black_box;
use std::time::{Duration, Instant};

use common::{KernelCopy, SIZE, camera_frames, median, sink};
use greenroom::pipeline::{MattePlanes, Painter};
use greenroom_device::{MjpegData, MjpegDecoder, Sink};
use greenroom_frame::{Colour, Frame, FrameShape, PixelFormat};
use greenroom_matte::{MatteMaker, Model, RefineSteps};
use greenroom_scene::{BackgroundSpec, MattedFrame, Pace, SceneFormat, SceneSpec};

const ROUNDS: usize = 200;
const STAGES: [&str; 7] =
    ["decode", "pre-process", "inference", "refine", "fit", "compose and pack", "write"];

struct Path {
    decoder: MjpegDecoder,
    frame: Frame,
    maker: MatteMaker,
    planes: MattePlanes,
    painter: Painter,
    write: KernelCopy,
}

impl Path {
    fn new(background: &BackgroundSpec, steps: RefineSteps) -> Self {
        let shape = FrameShape { format: PixelFormat::I422, size: SIZE, colour: Colour::JPEG };
        let spec = SceneSpec { background: background.clone(), ..SceneSpec::default() };
        let scene = spec
            .build(SceneFormat { shape, pace: Pace::Live })
            .expect("a background without files");
        Self {
            decoder: MjpegDecoder::new().expect("a decoder"),
            frame: Frame::new(PixelFormat::I422, SIZE, Colour::JPEG).expect("a frame"),
            maker: MatteMaker::new(Model::DEFAULT)
                .and_then(|maker| maker.refined(steps))
                .expect("a built-in model"),
            planes: MattePlanes::new(SIZE, steps).expect("planes"),
            painter: Painter::new(sink(SIZE).mode(), scene).expect("an output"),
            write: sink(SIZE),
        }
    }

    /// Times of the stages for one frame.
    fn run(&mut self, jpeg: &[u8]) -> [Duration; STAGES.len()] {
        let mut times = [Duration::ZERO; STAGES.len()];
        let mut last = Instant::now();
        let mut lap = |stage: usize| {
            let now = Instant::now();
            times[stage] = now - std::mem::replace(&mut last, now);
        };
        self.decoder.decode(MjpegData(jpeg), &mut self.frame).expect("a whole frame");
        lap(0);
        let frame = self.frame.view();
        self.maker.prepare(&frame).expect("a planar frame");
        lap(1);
        self.maker.infer().expect("a prepared frame");
        lap(2);
        let alpha = self.maker.refine(&frame).expect("a prepared frame");
        lap(3);
        let matte = self.planes.fit(alpha.view(), frame, None).expect("an alpha");
        lap(4);
        let composed = self
            .painter
            .compose(&MattedFrame { frame, matte })
            .expect("frame and matte belong together");
        let packed = self.painter.fit(composed, |_| ()).expect("a canvas");
        lap(5);
        self.write.write(packed).expect("room in memory");
        lap(6);
        times
    }
}

/// The floor: a bare inference, and three copies of a frame.
fn floor(maker: &mut MatteMaker, from: &[u8], to: &mut [u8]) -> Duration {
    let start = Instant::now();
    black_box(maker.infer().expect("a prepared frame"));
    for _ in 0..3 {
        black_box(&mut *to).copy_from_slice(black_box(from));
    }
    start.elapsed()
}

fn main() {
    // `cargo bench` says so; `cargo test` does not, and wants to see that it runs.
    let rounds = if std::env::args().any(|arg| arg == "--bench") { ROUNDS } else { 3 };
    let frames = camera_frames();
    let colour = BackgroundSpec::Colour("#00b140".parse().expect("a colour"));
    let all = RefineSteps::default();
    let blur = BackgroundSpec::default();
    for (name, background, steps) in [
        ("colour", &colour, all),
        ("colour, no refinement", &colour, RefineSteps::NONE),
        ("blur", &blur, all),
    ] {
        let mut path = Path::new(background, steps);
        let mut maker = MatteMaker::new(Model::DEFAULT).expect("a built-in model");
        path.run(&frames[0]);
        maker.prepare(&path.frame.view()).expect("a planar frame");
        let copy = vec![100; SIZE.area_px() as usize * 2];
        let mut into = copy.clone();
        let (mut floors, mut laps) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            laps.push(path.run(&frames[round % frames.len()]));
            floors.push(floor(&mut maker, &copy, &mut into));
        }
        print_table(name, &floors, &laps);
    }
}

fn print_table(name: &str, floors: &[Duration], laps: &[[Duration; STAGES.len()]]) {
    let row = |label: &str, times: Vec<Duration>| {
        let ratios = times.iter().zip(floors).map(|(t, f)| t.as_secs_f64() / f.as_secs_f64());
        let ratio = median(ratios.collect());
        println!("{label:<12} {:>8.3} ms {ratio:>8.2}", median(times).as_secs_f64() * 1e3);
    };
    println!("\n{SIZE} MJPEG 4:2:2 -> YUYV, background {name}, {} rounds", floors.len());
    println!("{:<12} {:>11} {:>8}", "stage", "median", "x floor");
    for (index, stage) in STAGES.iter().enumerate() {
        row(stage, laps.iter().map(|lap| lap[index]).collect());
    }
    row("whole", laps.iter().map(|lap| lap.iter().sum()).collect());
    row("floor", floors.to_vec());
}
