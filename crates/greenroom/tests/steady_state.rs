//! In steady state a frame goes from camera to output, and to previews, without a single allocation, in any thread.
#![allow(clippy::unwrap_used)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Cursor;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use greenroom::pipeline::{
    CameraFeed, MatteFeed, OnLoss, Output, OutputPolicy, Painter, Pipeline, Preview, Reasons,
};
use greenroom::preview::PreviewMemory;
use greenroom::protocol::PreviewPicture;
use greenroom_device::{
    Codec, DeviceError, FrameRate, MjpegData, MjpegDecoder, Next, PassedOver, Sink, SinkMode,
    Source, SourceMode, Wake,
};
use greenroom_frame::{Colour, Frame, FrameShape, FrameView, PixelFormat, SizePx};
use greenroom_matte::{MatteMaker, Model, PlainSteps, RefineSteps, SecondOpinion};
use greenroom_scene::{BackgroundSpec, Pace, SceneFormat, SceneSpec};

/// Counts every allocation of the process.
struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Relaxed);
        // SAFETY: the caller keeps `realloc`'s contract.
        unsafe { System.realloc(pointer, layout, new_size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const RATE: FrameRate = match FrameRate::new(500, 1) {
    Some(rate) => rate,
    None => panic!("500 is a rate"),
};

/// A camera that sends the same two JPEGs by turns, as a webcam would. It waits until the sink has seen a frame before it sends
/// the next, so that it takes no time from the other threads on a slow machine; the two are much alike for the same reason: a
/// second opinion is asked more often where the picture is another.
struct JpegCamera {
    size: SizePx,
    jpegs: [Vec<u8>; 2],
    decoder: MjpegDecoder,
    count: usize,
    /// Frames that the sink has seen by now, and had seen when the last one was sent.
    seen: Arc<Mutex<u64>>,
    seen_before: Option<u64>,
}

impl JpegCamera {
    fn new(size: SizePx, seen: Arc<Mutex<u64>>) -> Self {
        let jpeg = |shift: u32| {
            let colour = |x: u32, y: u32| image::Rgb([(x + shift) as u8, (y * 3) as u8, 90]);
            let picture = image::RgbImage::from_fn(size.width_px, size.height_px, colour);
            let mut jpeg = Cursor::new(Vec::new());
            picture.write_to(&mut jpeg, image::ImageFormat::Jpeg).unwrap();
            jpeg.into_inner()
        };
        let decoder = MjpegDecoder::new().unwrap();
        let jpegs = [jpeg(0), jpeg(4)];
        Self { size, jpegs, decoder, count: 0, seen, seen_before: None }
    }
}

impl Source for JpegCamera {
    fn name(&self) -> &str {
        "JPEG camera"
    }

    fn mode(&self) -> SourceMode {
        SourceMode { codec: Codec::Mjpeg, size: self.size, rate: RATE, colour: Colour::JPEG }
    }

    fn next_frame(
        &mut self,
        into: &mut Frame,
        wake: &Wake,
        _patience: Duration,
    ) -> Result<Next, DeviceError> {
        loop {
            if Wake::wait([wake], Some(RATE.interval())) {
                return Ok(Next::Woken);
            }
            let seen = Some(*self.seen.lock().unwrap());
            // An output repeats its picture while none comes, so that this ends.
            if seen != self.seen_before {
                self.seen_before = seen;
                break;
            }
        }
        self.count += 1;
        self.decoder.decode(MjpegData(&self.jpegs[self.count % 2]), into)?;
        into.set_captured_at(Instant::now());
        Ok(Next::Frame(PassedOver::default()))
    }
}

/// Takes frames and keeps only their number.
struct NullSink {
    mode: SinkMode,
    seen: Arc<Mutex<u64>>,
}

impl Sink for NullSink {
    fn name(&self) -> &str {
        "null"
    }

    fn mode(&self) -> SinkMode {
        self.mode
    }

    fn write(&mut self, frame: FrameView<'_>) -> Result<(), DeviceError> {
        assert_eq!((frame.format(), frame.size()), (self.mode.format, self.mode.size));
        *self.seen.lock().unwrap() += 1;
        Ok(())
    }

    fn is_recording(&self) -> bool {
        true
    }

    fn finish(self: Box<Self>) -> Result<(), DeviceError> {
        Ok(())
    }
}

/// Allocations while 60 frames go through a warm pipeline.
fn allocations_of(background: &BackgroundSpec, sink_size: SizePx) -> u64 {
    let size = SizePx::new(640, 360);
    let seen = Arc::new(Mutex::new(0));
    let mode =
        SinkMode { format: PixelFormat::Yuyv, size: sink_size, rate: RATE, colour: Colour::WEBCAM };
    let sink = NullSink { mode, seen: Arc::clone(&seen) };
    let shape = FrameShape { format: PixelFormat::I420, size, colour: Colour::JPEG };
    let spec = SceneSpec { background: background.clone(), ..SceneSpec::default() };
    let scene = spec.build(SceneFormat { shape, pace: Pace::Live }).unwrap();
    let painter = Painter::new(mode, scene).unwrap();
    let policy = OutputPolicy::recording(OnLoss::End);
    let output = Output::new("null".into(), painter, Ok(Box::new(sink)), policy);
    let feed = CameraFeed {
        source: Some(Box::new(JpegCamera::new(size, Arc::clone(&seen)))),
        name: None,
        open: Box::new(|| -> Result<Box<dyn Source>, DeviceError> {
            unreachable!("the camera is never lost")
        }),
        size,
    };
    // The plain filters are off by default; all that can be on is on.
    let plain = PlainSteps { threshold: Some(0.6), grow: 0.5, feather: 1.5, average: 0.3 };
    let steps = RefineSteps { plain, ..RefineSteps::default() };
    let matte = MatteFeed {
        maker: MatteMaker::new(Model::DEFAULT)
            .unwrap()
            .refined(steps)
            .unwrap()
            .with_second_opinion(SecondOpinion::at_once().unwrap()),
        remake: Box::new(|| unreachable!("the network never fails")),
        server: None,
        steps,
        // On a busy machine it would choose another level, whose first frame makes tables.
        is_governed: false,
        cpu_budget: None,
    };
    let pipeline =
        Pipeline::start(feed, matte, vec![output], Duration::ZERO, Reasons::default()).unwrap();
    // Somebody follows the status, and programs look at each kind of preview.
    let commands = pipeline.commands();
    let _following = commands.changes().follow(Wake::new().unwrap());
    for (number, picture, format) in [
        (1, PreviewPicture::Composed, PixelFormat::I420),
        (2, PreviewPicture::Camera, PixelFormat::I420),
        (3, PreviewPicture::Matte, PixelFormat::Grey),
    ] {
        let (memory, reader) = PreviewMemory::new(format, SizePx::new(160, 90)).unwrap();
        // It never reads.
        std::mem::forget(reader);
        let interval = Duration::from_millis(10);
        commands.begin_preview(0, Preview::new(number, picture, interval, memory));
    }
    let wait_for = |frames: u64| {
        let deadline = Instant::now() + Duration::from_secs(600);
        while *seen.lock().unwrap() < frames {
            assert!(Instant::now() < deadline, "the pipeline stands still");
            std::thread::sleep(Duration::from_millis(1));
        }
    };
    let (stats, mut frames) = (pipeline.stats(), 20);
    wait_for(frames);
    // Where other work takes a second from a frame, the placeholder is painted meanwhile: that is no steady state, nor are the
    // first frames after it.
    let (mut steady, mut made) = (0, 0);
    for _ in 0..1000 {
        let placeholders = stats.placeholders.load(Relaxed);
        wait_for(frames + 5);
        let before = ALLOCATIONS.load(Relaxed);
        wait_for(frames + 15);
        let made_now = ALLOCATIONS.load(Relaxed) - before;
        frames = *seen.lock().unwrap();
        if stats.placeholders.load(Relaxed) == placeholders {
            (steady, made) = (steady + 10, made + made_now);
        }
        if steady >= 60 {
            pipeline.stop().unwrap();
            return made;
        }
    }
    panic!("there were never ten frames without a placeholder, six times");
}

// One test, so that no other thread of the harness allocates meanwhile.
#[test]
fn a_warm_pipeline_asks_for_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let picture = folder.path().join("wall.png");
    let colour = image::Rgb([20u8, 90, 160]);
    image::RgbImage::from_pixel(64, 40, colour).save(&picture).unwrap();
    let (same, held) = (SizePx::new(640, 360), SizePx::new(320, 240));
    for (background, sink_size) in [
        (BackgroundSpec::Colour("#00b140".parse().unwrap()), same),
        (BackgroundSpec::Picture(picture), same),
        ("blur".parse().unwrap(), same),
        (BackgroundSpec::None, same),
        ("blur".parse().unwrap(), held),
    ] {
        assert_eq!(allocations_of(&background, sink_size), 0, "{background:?} to {sink_size}");
    }
    // The count counts.
    let before = ALLOCATIONS.load(Relaxed);
    drop(std::hint::black_box(vec![1u8; 100]));
    assert_eq!(ALLOCATIONS.load(Relaxed) - before, 1);
}
