//! The cost of a preview of a 1280x720 frame, compared with a floor that is measured in the same round: scaling the
//! picture to the size of the preview, and copying the result.
//!
//! Every round measures both in turn, so that other load on the machine affects both alike. The medians are printed,
//! first for a hot loop, then for a loop at the rate of a preview.

mod common;

use std::thread;
use std::time::{Duration, Instant};

use common::{SIZE, camera_frames, median};
use greenroom::pipeline::Preview;
use greenroom::preview::PreviewMemory;
use greenroom::protocol::PreviewPicture;
use greenroom_device::{MjpegData, MjpegDecoder};
use greenroom_frame::{Colour, Frame, FrameScaler, PixelFormat, SizePx};

const ROUNDS: usize = 300;
/// Time between two paced rounds: a preview of 15 pictures per second.
const PACE: Duration = Duration::from_millis(66);
const SMALL: SizePx = SizePx::new(480, 270);

fn main() {
    // `cargo bench` passes --bench; `cargo test` does not, and only checks that the benchmark runs.
    let rounds = if std::env::args().any(|arg| arg == "--bench") { ROUNDS } else { 3 };
    let mut frame = Frame::new(PixelFormat::I422, SIZE, Colour::JPEG).expect("a frame");
    let mut decoder = MjpegDecoder::new().expect("a decoder");
    decoder.decode(MjpegData(&camera_frames()[0]), &mut frame).expect("a whole frame");
    let (memory, _reader) = PreviewMemory::new(PixelFormat::I420, SMALL).expect("memory");
    let mut preview = Preview::new(1, PreviewPicture::Composed, Duration::ZERO, memory);
    let mut scaler = FrameScaler::default();
    let mut scaled = Frame::new(PixelFormat::I420, SMALL, Colour::JPEG).expect("a frame");
    let mut copy = vec![0u8; SMALL.width_px as usize * SMALL.height_px as usize * 3 / 2];
    println!("{:<32} {:>10} {:>10} {:>10}", "480x270 of 1280x720", "ms", "floor ms", "x floor");
    for pace in [None, Some(PACE)] {
        let (mut ours, mut floors) = (Vec::new(), Vec::new());
        for _ in 0..rounds {
            if let Some(pace) = pace {
                thread::sleep(pace);
            }
            let start = Instant::now();
            scaler.scale(frame.view(), SMALL, &mut scaled).expect("a picture");
            let bytes = copy.len();
            copy.copy_from_slice(&scaled.bytes()[..bytes]);
            std::hint::black_box(&mut copy);
            floors.push(start.elapsed());
            let start = Instant::now();
            preview.take(frame.view(), start).expect("a picture");
            ours.push(start.elapsed());
        }
        let [ours, floor] = [ours, floors].map(|times| median(times).as_secs_f64() * 1e3);
        let speed = if pace.is_some() { "paced at 15 fps" } else { "in a hot loop" };
        println!("{speed:<32} {ours:>10.3} {floor:>10.3} {:>10.2}", ours / floor);
    }
}
