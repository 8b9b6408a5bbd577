//! Fail closed: whatever goes wrong in the pipeline, what an output gets is a composed frame or the
//! placeholder. Camera, network and output are stand-ins here, so that each can be made to fail at
//! will; `tests/vm` shows the same path on real parts.
//!
//! The trick: "the room" is black and "the person" is white, a frame is wholly one or the other, and
//! the network says "person" exactly if the frame it was given is white. So a black pixel in the
//! output is a leak: a raw frame, or a frame cut with another frame's matte.

#![allow(clippy::unwrap_used)]

use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use greenroom::pipeline::{CameraFeed, Output, Pipeline, StopError};
use greenroom_device::{
    Codec, DeviceError, FrameRate, Next, PassedOver, Sink, SinkMode, Source, SourceMode, Wake,
};
use greenroom_frame::{Colour, Frame, FrameView, PixelFormat, SizePx, Yuv8};
use greenroom_matte::{
    AlphaMap, Engine, InputTensor, Isa, MatteError, MatteMaker, Model, ModelDescription,
};
use greenroom_scene::{BackgroundSpec, Fit, Scene};

const SIZE: SizePx = SizePx::new(64, 36);
const BLACK: Yuv8 = Yuv8 { y: 16, u: 128, v: 128 };
const WHITE: Yuv8 = Yuv8 { y: 235, u: 128, v: 128 };

/// What the stand-ins do now.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Well,
    CameraStalls,
    CameraGone,
    CameraPanics,
    NetworkFails,
    NetworkPanics,
}

type Shared<T> = Arc<Mutex<T>>;

fn rate() -> FrameRate {
    FrameRate::new(100, 1).unwrap()
}

/// Sends black and white frames by turns.
struct Camera {
    mood: Shared<Mood>,
    count: u32,
}

impl Source for Camera {
    fn name(&self) -> &str {
        "camera"
    }

    fn mode(&self) -> SourceMode {
        let codec = Codec::Raw(PixelFormat::I420);
        SourceMode { codec, size: SIZE, rate: rate(), colour: Colour::WEBCAM }
    }

    fn next_frame(
        &mut self,
        into: &mut Frame,
        wake: &Wake,
        patience: Duration,
    ) -> Result<Next, DeviceError> {
        let mood = *self.mood.lock().unwrap();
        let wait = if mood == Mood::CameraStalls { patience } else { rate().interval() };
        if Wake::wait([wake], Some(wait)) {
            return Ok(Next::Woken);
        }
        match mood {
            Mood::CameraStalls => return Ok(Next::NotYet(PassedOver::default())),
            Mood::CameraGone => return Err(DeviceError::Gone { what: "camera".into() }),
            Mood::CameraPanics => panic!("the camera thread panics, as this test wants"),
            _ => {}
        }
        into.reshape(PixelFormat::I420, SIZE, Colour::WEBCAM)?;
        into.fill(if self.count.is_multiple_of(2) { BLACK } else { WHITE });
        self.count += 1;
        Ok(Next::Frame(PassedOver::default()))
    }
}

/// "Person" if the picture is bright.
struct Network {
    mood: Shared<Mood>,
    description: ModelDescription,
}

impl Engine for Network {
    fn description(&self) -> &ModelDescription {
        &self.description
    }

    fn infer(&mut self, input: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        match *self.mood.lock().unwrap() {
            Mood::NetworkFails => {
                let (have, want) = ("failing".into(), "well".into());
                return Err(MatteError::WrongShape { what: "the network", have, want });
            }
            Mood::NetworkPanics => panic!("the matte thread panics, as this test wants"),
            _ => {}
        }
        let person = if input.values()[0] > 0.5 { 1.0 } else { 0.0 };
        alpha.values_mut().fill(person);
        Ok(())
    }
}

/// What a written frame shows.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Seen {
    Person,
    Background,
    Placeholder,
    Leak,
}

/// Looks at every frame it gets.
struct Witness {
    background: Yuv8,
    seen: Shared<Vec<Seen>>,
}

impl Sink for Witness {
    fn name(&self) -> &str {
        "witness"
    }

    fn mode(&self) -> SinkMode {
        let format = PixelFormat::Yuyv;
        SinkMode { format, size: SIZE, rate: rate(), colour: Colour::WEBCAM }
    }

    fn write(&mut self, frame: FrameView<'_>) -> Result<(), DeviceError> {
        let flat = |yuv: Yuv8| {
            frame
                .bytes()
                .as_chunks::<4>()
                .0
                .iter()
                .all(|pair| *pair == [yuv.y, yuv.u, yuv.y, yuv.v])
        };
        let calm = greenroom_scene::placeholder(SIZE, Colour::WEBCAM).unwrap();
        let mut placeholder = Frame::new(PixelFormat::Yuyv, SIZE, Colour::WEBCAM).unwrap();
        greenroom_frame::pack(calm.view(), &mut placeholder.view_mut()).unwrap();
        self.seen.lock().unwrap().push(if flat(WHITE) {
            Seen::Person
        } else if flat(self.background) {
            Seen::Background
        } else if frame.bytes() == placeholder.bytes() {
            Seen::Placeholder
        } else {
            Seen::Leak
        });
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), DeviceError> {
        Ok(())
    }
}

/// A pipeline of stand-ins, with what they do and what was seen.
struct Stage {
    pipeline: Pipeline,
    mood: Shared<Mood>,
    seen: Shared<Vec<Seen>>,
}

impl Stage {
    fn new() -> Self {
        let mood = Arc::new(Mutex::new(Mood::Well));
        let seen: Shared<Vec<Seen>> = Arc::default();
        let rgb = "#00b140".parse().unwrap();
        let background = Colour::WEBCAM.encode(rgb);
        let scene = Scene::new(BackgroundSpec::Colour(rgb).build(Fit::Cover).unwrap());
        let witness = Witness { background, seen: Arc::clone(&seen) };
        let output = Output::on_device(Box::new(witness), scene).unwrap();
        let description = Model::General.description();
        let network = Box::new(Network { mood: Arc::clone(&mood), description });
        let maker = MatteMaker::with_engine(network, Isa::best()).unwrap();
        let moods = Arc::clone(&mood);
        let open = move || -> Result<Box<dyn Source>, DeviceError> {
            Ok(Box::new(Camera { mood: Arc::clone(&moods), count: 0 }))
        };
        let feed = CameraFeed { source: Some(open().unwrap()), reopen: Box::new(open), size: SIZE };
        let pipeline = Pipeline::start(feed, maker, vec![output]).unwrap();
        let stage = Self { pipeline, mood, seen };
        stage.wait_for(&[Seen::Person, Seen::Background]);
        stage
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    /// Forgets what was seen and waits until each of `wanted` has been seen since.
    fn wait_for(&self, wanted: &[Seen]) {
        self.seen.lock().unwrap().clear();
        let deadline = Instant::now() + Duration::from_secs(20);
        while !wanted.iter().all(|wanted| self.seen.lock().unwrap().contains(wanted)) {
            assert!(
                Instant::now() < deadline,
                "{wanted:?} not among {:?}",
                self.seen.lock().unwrap()
            );
            assert!(!self.seen.lock().unwrap().contains(&Seen::Leak));
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Stops, and asserts that no frame leaked and that the placeholder is in every buffer.
    fn end(self) -> Result<(), StopError> {
        let ended = self.pipeline.stop();
        let seen = self.seen.lock().unwrap();
        assert!(!seen.contains(&Seen::Leak), "{seen:?}");
        let left = seen.iter().rev().take_while(|&&seen| seen == Seen::Placeholder).count();
        assert!(left >= 32, "the placeholder was left {left} times, and 32 buffers are possible");
        ended
    }
}

#[test]
fn a_stalled_camera_shows_the_placeholder_until_it_is_back() {
    let stage = Stage::new();
    stage.set(Mood::CameraStalls);
    stage.wait_for(&[Seen::Placeholder]);
    stage.set(Mood::Well);
    stage.wait_for(&[Seen::Person, Seen::Background]);
    stage.end().unwrap();
}

#[test]
fn a_lost_camera_shows_the_placeholder_and_is_opened_again() {
    let stage = Stage::new();
    stage.set(Mood::CameraGone);
    stage.wait_for(&[Seen::Placeholder]);
    stage.set(Mood::Well);
    stage.wait_for(&[Seen::Person, Seen::Background]);
    stage.end().unwrap();
}

#[test]
fn a_failing_network_shows_the_placeholder_and_recovers() {
    let stage = Stage::new();
    stage.set(Mood::NetworkFails);
    stage.wait_for(&[Seen::Placeholder]);
    stage.set(Mood::Well);
    stage.wait_for(&[Seen::Person, Seen::Background]);
    assert!(stage.pipeline.stats().failed.load(Relaxed) > 0);
    stage.end().unwrap();
}

#[test]
fn a_panic_ends_the_pipeline_and_leaves_the_placeholder() {
    for mood in [Mood::CameraPanics, Mood::NetworkPanics] {
        let stage = Stage::new();
        stage.set(mood);
        assert!(Wake::wait([stage.pipeline.ended()], Some(Duration::from_secs(20))), "{mood:?}");
        assert!(matches!(stage.end(), Err(StopError::Panic)), "{mood:?}");
    }
}

#[test]
fn every_frame_is_accounted_for() {
    let stage = Stage::new();
    for mood in [Mood::NetworkFails, Mood::Well, Mood::CameraStalls, Mood::Well] {
        stage.set(mood);
        std::thread::sleep(Duration::from_millis(300));
    }
    let stats = stage.pipeline.stats();
    stage.end().unwrap();
    let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Relaxed);
    let accounted = get(&stats.written)
        + get(&stats.failed)
        + get(&stats.dropped_before_matte)
        + get(&stats.dropped_before_output);
    let taken = get(&stats.taken);
    // At the stop one frame may be in each slot and one in each thread behind the camera.
    assert!(
        accounted <= taken && taken <= accounted + 4,
        "{taken} taken, {accounted} accounted for"
    );
    assert!(taken > 40, "{taken}");
}
