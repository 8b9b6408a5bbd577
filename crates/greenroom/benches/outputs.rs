//! What each output beyond the first costs for a 1280x720 frame, against a floor measured in the same round: a pack and a
//! write, which is what an output has to do that shares its picture with another.
//!
//! Every round serves one frame to each set of outputs in turn, so that a noisy neighbour hits all alike; what is printed
//! are medians. First in a hot loop, then paced like a camera.

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{KernelCopy, SIZE, camera_frames, median, sink};
use greenroom::pipeline::{MattePlanes, Painter};
use greenroom_device::{MjpegData, MjpegDecoder, Sink};
use greenroom_frame::{Colour, Frame, FrameShape, MatteView, PixelFormat, SizePx};
use greenroom_matte::{MatteMaker, Model, RefineSteps};
use greenroom_scene::{BackgroundSpec, MattedFrame, Pace, SceneFormat, SceneSpec};

const ROUNDS: usize = 150;
/// Time between two rounds that are paced: a camera of 30 frames a second.
const PACE: Duration = Duration::from_millis(33);
const SMALL: SizePx = SizePx::new(640, 360);

/// A set of outputs: the background and size of each.
type Outputs = Vec<(&'static str, SizePx)>;

struct Output {
    painter: Painter,
    write: KernelCopy,
}

fn output(background: &str, size: SizePx) -> Output {
    let shape = FrameShape { format: PixelFormat::I422, size: SIZE, colour: Colour::JPEG };
    let background: BackgroundSpec = background.parse().expect("a background without files");
    let spec = SceneSpec { background, ..SceneSpec::default() };
    let scene = spec.build(SceneFormat { shape, pace: Pace::Live }).expect("no files are needed");
    let write = sink(size);
    Output { painter: Painter::new(write.mode(), scene).expect("an output"), write }
}

/// Serves a frame to all outputs, as the output thread does: the time of each.
fn serve(outputs: &mut [Output], matted: &MattedFrame<'_>) -> Vec<Duration> {
    let mut times = Vec::new();
    for at in 0..outputs.len() {
        let start = Instant::now();
        let (before, rest) = outputs.split_at_mut(at);
        let (Output { painter, write }, after) = rest.split_first_mut().expect("there is one");
        let needs_canvas = after.iter().any(|other| painter.shares_canvas_with(&other.painter));
        let others = before.iter_mut().map(|output| &mut output.painter);
        let composed =
            painter.compose_with(matted, others, needs_canvas).expect("frame and matte fit");
        write.write(painter.fit(composed, |_| ()).expect("a canvas")).expect("room in memory");
        times.push(start.elapsed());
    }
    times
}

/// A pack and a write, by an output that composed the frame by itself before.
fn floor(alone: &mut Output, matted: &MattedFrame<'_>) -> Duration {
    let composed =
        alone.painter.compose_with(matted, std::iter::empty(), true).expect("frame and matte fit");
    let start = Instant::now();
    alone
        .write
        .write(alone.painter.fit(composed, |_| ()).expect("a canvas"))
        .expect("room in memory");
    start.elapsed()
}

fn main() {
    // `cargo bench` says so; `cargo test` does not, and wants to see that it runs.
    let rounds = if std::env::args().any(|arg| arg == "--bench") { ROUNDS } else { 3 };
    let mut frame = Frame::new(PixelFormat::I422, SIZE, Colour::JPEG).expect("a frame");
    let mut decoder = MjpegDecoder::new().expect("a decoder");
    decoder.decode(MjpegData(&camera_frames()[0]), &mut frame).expect("a whole frame");
    let maker = MatteMaker::new(Model::DEFAULT).and_then(|it| it.refined(RefineSteps::NONE));
    let mut maker = maker.expect("a built-in model");
    let alpha = maker.matte(&frame.view()).expect("a planar frame").clone();
    let mut planes = MattePlanes::new(SIZE, RefineSteps::NONE).expect("planes");
    let matte = planes.fit(alpha.view(), frame.view(), None).expect("an alpha");
    let (luma, chroma) = (own(matte.luma()), own(matte.chroma()));
    for pace in [None, Some(PACE)] {
        let speed = if pace.is_some() { "paced at 30 fps" } else { "in a hot loop" };
        println!("\n{SIZE} 4:2:2 -> YUYV, {rounds} rounds {speed}");
        println!("{:<44} {:>10} {:>10}", "each output in turn", "ms", "x floor");
        for (name, set) in sets() {
            let mut outputs: Vec<_> =
                set.iter().map(|&(scene, size)| output(scene, size)).collect();
            let mut alone = output("blur", SIZE);
            let (mut laps, mut floors) = (Vec::new(), Vec::new());
            for round in 0..rounds {
                if let Some(pace) = pace {
                    thread::sleep(pace);
                }
                frame.set_captured_at(Instant::now());
                let matte = MatteView::new(frame.view(), luma.view(), chroma.view());
                let matte = matte.expect("planes of this frame");
                let matted = MattedFrame { frame: frame.view(), matte };
                let times = serve(&mut outputs, &matted);
                let floor = floor(&mut alone, &matted);
                // The first picture makes memory warm.
                if round > 0 || rounds == 1 {
                    laps.push(times);
                    floors.push(floor);
                }
            }
            let floor = median(floors.clone()).as_secs_f64();
            for at in 0..outputs.len() {
                let time = median(laps.iter().map(|lap| lap[at]).collect()).as_secs_f64();
                let label = format!("{name}, number {}", at + 1);
                println!("{label:<44} {:>10.3} {:>10.2}", time * 1e3, time / floor);
            }
            println!("{:<44} {:>10.3}", "  floor: a pack and a write at 1280x720", floor * 1e3);
        }
    }
}

fn own(view: greenroom_frame::FrameView<'_>) -> Frame {
    let mut frame = Frame::new(view.format(), view.size(), view.colour()).expect("a plane");
    greenroom_frame::unpack(view, &mut frame).expect("the same shape");
    frame
}

fn sets() -> Vec<(&'static str, Outputs)> {
    vec![
        ("one scene, one size", vec![("blur", SIZE); 4]),
        ("one scene, half the size", vec![("blur", SIZE), ("blur", SMALL)]),
        ("other scenes", vec![("blur", SIZE), ("#00b140", SIZE), ("drift", SIZE), ("stars", SIZE)]),
    ]
}
