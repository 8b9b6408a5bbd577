//! Fail closed: whatever goes wrong in the pipeline, what an output gets is a composed frame or the
//! placeholder. Camera, network and output are stand-ins here, so that each can be made to fail at
//! will; `tests/vm` shows the same path on real parts.
//!
//! The trick: "the room" is black and "the person" is white, a frame is wholly one or the other, and
//! the network says "person" exactly if the frame it was given is white. So a black pixel in the
//! output is a leak: a raw frame, or a frame cut with another frame's matte.

#![allow(clippy::unwrap_used)]

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use greenroom::pipeline::{
    CameraFeed, MatteFeed, Output, OutputPolicy, Painter, Pipeline, PlaceholderReason, Preview,
    Reason, Reasons, StopError, Tap, TapCounts,
};
use greenroom::preview::PreviewMemory;
use greenroom::protocol::PreviewPicture;
use greenroom::status::{CameraState, OutputState};
use greenroom_device::{
    Audience, Codec, DeviceError, FrameRate, Next, PassedOver, Sink, SinkMode, Source, SourceMode,
    Wake,
};
use greenroom_frame::{Colour, Frame, FrameShape, FrameView, PixelFormat, SizePx, Yuv8};
use greenroom_matte::{
    AlphaMap, Engine, InputTensor, Isa, MatteError, MatteMaker, Model, ModelDescription,
    RefineSteps,
};
use greenroom_scene::{BackgroundSpec, Pace, Scene, SceneFormat, SceneSpec};

const SIZE: SizePx = SizePx::new(64, 36);
const BLACK: Yuv8 = Yuv8 { y: 16, u: 128, v: 128 };
const WHITE: Yuv8 = Yuv8 { y: 235, u: 128, v: 128 };

/// What the stand-ins do now.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Mood {
    Well,
    CameraStalls,
    CameraGone,
    CameraBusy,
    CameraPanics,
    NetworkFails,
    NetworkBreaks,
    NetworkPanics,
    NetworkHangs,
    SinkGone,
    SinkHangs,
    SinkPanics,
}

type Shared<T> = Arc<Mutex<T>>;

fn rate() -> FrameRate {
    FrameRate::new(100, 1).unwrap()
}

/// Sends black and white frames by turns, and counts how many of it are open.
struct Camera {
    mood: Shared<Mood>,
    count: u32,
    open: Arc<AtomicU32>,
}

impl Drop for Camera {
    fn drop(&mut self) {
        self.open.fetch_sub(1, Relaxed);
    }
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
    /// Fails whatever comes.
    broken: bool,
}

impl Engine for Network {
    fn description(&self) -> &ModelDescription {
        &self.description
    }

    fn infer(&mut self, input: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        let mood = *self.mood.lock().unwrap();
        self.broken |= mood == Mood::NetworkBreaks;
        match mood {
            _ if self.broken || mood == Mood::NetworkFails => {
                let (have, want) = ("failing".into(), "well".into());
                return Err(MatteError::WrongShape { what: "the network", have, want });
            }
            Mood::NetworkPanics => panic!("the matte thread panics, as this test wants"),
            Mood::NetworkHangs => {
                while *self.mood.lock().unwrap() == Mood::NetworkHangs {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
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
    /// The background of [`other_scene`].
    Other,
    Placeholder,
    Leak,
}

/// A device: looks at every frame it gets, and somebody watches it or not.
struct Witness {
    background: Yuv8,
    seat: Seat,
    placeholders: Vec<Frame>,
}

impl Witness {
    fn placeholders() -> Vec<Frame> {
        let holder = "zoom (pid 7)".to_owned();
        let all = [
            PlaceholderReason::Off,
            PlaceholderReason::Paused,
            PlaceholderReason::Locked,
            PlaceholderReason::Asleep,
            PlaceholderReason::Starting,
            PlaceholderReason::Lost,
            PlaceholderReason::Busy(holder),
            PlaceholderReason::Silent,
            PlaceholderReason::Failed,
        ];
        let packed = |placeholder_reason: PlaceholderReason| {
            let text = placeholder_reason.to_string();
            let calm = greenroom_scene::placeholder(SIZE, Colour::WEBCAM, &text).unwrap();
            let mut packed = Frame::new(PixelFormat::Yuyv, SIZE, Colour::WEBCAM).unwrap();
            greenroom_frame::pack(calm.view(), &mut packed.view_mut()).unwrap();
            packed
        };
        all.into_iter().map(packed).collect()
    }
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
        if *self.seat.mood.lock().unwrap() == Mood::SinkGone {
            return Err(DeviceError::Gone { what: "witness".into() });
        }
        if *self.seat.mood.lock().unwrap() == Mood::SinkPanics {
            panic!("a sink panics, as this test wants");
        }
        while *self.seat.mood.lock().unwrap() == Mood::SinkHangs {
            *self.seat.hangs.lock().unwrap() = true;
            std::thread::sleep(Duration::from_millis(2));
        }
        let flat = |yuv: Yuv8| {
            frame
                .bytes()
                .as_chunks::<4>()
                .0
                .iter()
                .all(|pair| *pair == [yuv.y, yuv.u, yuv.y, yuv.v])
        };
        self.seat.seen.lock().unwrap().push(if flat(WHITE) {
            Seen::Person
        } else if flat(self.background) {
            Seen::Background
        } else if flat(Colour::WEBCAM.encode(OTHER.parse().unwrap())) {
            Seen::Other
        } else if self.placeholders.iter().any(|calm| frame.bytes() == calm.bytes()) {
            Seen::Placeholder
        } else {
            Seen::Leak
        });
        Ok(())
    }

    /// Into every buffer.
    fn blank(&mut self, placeholder: FrameView<'_>) -> Result<(), DeviceError> {
        (0..33).try_for_each(|_| self.write(placeholder))
    }

    fn finish(self: Box<Self>) -> Result<(), DeviceError> {
        Ok(())
    }

    fn audience_fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.seat.bell.as_fd())
    }

    fn audience(&mut self) -> Result<Audience, DeviceError> {
        self.seat.bell.clear();
        let watched = *self.seat.watched.lock().unwrap();
        let renewal_due = std::mem::take(&mut *self.seat.visited.lock().unwrap());
        Ok(Audience { watched, renewal_due, ..Audience::default() })
    }
}

/// Short enough to be waited for.
const IDLE_AFTER: Duration = Duration::from_millis(300);
/// Longer than any test.
const NEVER_IDLE: Duration = Duration::from_secs(3600);

/// A pipeline of stand-ins, with what they do and what was seen.
struct Stage {
    pipeline: Pipeline,
    mood: Shared<Mood>,
    seen: Shared<Vec<Seen>>,
    watched: Shared<bool>,
    visited: Shared<bool>,
    bell: Wake,
    cameras: Arc<AtomicU32>,
    hangs: Shared<bool>,
}

/// Where a witness sits: what it does, what it has seen, and who looks at it.
#[derive(Clone)]
struct Seat {
    mood: Shared<Mood>,
    seen: Shared<Vec<Seen>>,
    watched: Shared<bool>,
    visited: Shared<bool>,
    bell: Wake,
    hangs: Shared<bool>,
}

impl Default for Seat {
    fn default() -> Self {
        Self {
            mood: Arc::new(Mutex::new(Mood::Well)),
            seen: Arc::default(),
            watched: Arc::default(),
            visited: Arc::default(),
            bell: Wake::new().unwrap(),
            hangs: Arc::default(),
        }
    }
}

impl Seat {
    fn sink(&self) -> Result<Box<dyn Sink>, DeviceError> {
        if *self.mood.lock().unwrap() == Mood::SinkGone {
            return Err(DeviceError::Gone { what: "witness".into() });
        }
        let background = Colour::WEBCAM.encode(GREEN.parse().unwrap());
        let placeholders = Witness::placeholders();
        Ok(Box::new(Witness { background, seat: self.clone(), placeholders }))
    }

    /// An output to a witness here, which shows the person before that background.
    fn output(&self, name: &str, background: &str) -> Output {
        self.output_of(name, background, true)
    }

    fn output_of(&self, name: &str, background: &str, counts_as_demand: bool) -> Output {
        let (seat, sink) = (self.clone(), self.sink().unwrap());
        let painter = Painter::new(sink.mode(), scene(background)).unwrap();
        let policy = OutputPolicy { counts_as_demand, ..OutputPolicy::device(move || seat.sink()) };
        Output::new(name.into(), painter, Ok(sink), policy)
    }
}

const GREEN: &str = "#00b140";
const OTHER: &str = "#1e3cc8";

fn scene(background: &str) -> Scene {
    let background = BackgroundSpec::Colour(background.parse().unwrap());
    let spec = SceneSpec { background, ..SceneSpec::default() };
    let shape = FrameShape { format: PixelFormat::I420, size: SIZE, colour: Colour::WEBCAM };
    spec.build(SceneFormat { shape, pace: Pace::Live }).unwrap()
}

impl Stage {
    /// A stage with a watcher who sees a picture.
    fn new() -> Self {
        let stage = Self::dark(IDLE_AFTER);
        stage.watch(true);
        stage.wait_for(&[Seen::Person, Seen::Background]);
        stage
    }

    /// A stage that nobody watches, and that closes its camera so long after somebody did.
    fn dark(idle_after: Duration) -> Self {
        Self::beside(idle_after, Vec::new())
    }

    /// The same beside other outputs, which come after it.
    fn beside(idle_after: Duration, others: Vec<Output>) -> Self {
        let seat = Seat::default();
        let mut outputs = vec![seat.output("witness", GREEN)];
        outputs.extend(others);
        let Seat { mood, seen, watched, visited, bell, hangs } = seat;
        let network = {
            let mood = Arc::clone(&mood);
            move || {
                let description = Model::General.description();
                let network = Network { mood: Arc::clone(&mood), description, broken: false };
                MatteMaker::with_engine(Box::new(network), Isa::best())
            }
        };
        let matte = MatteFeed {
            maker: network().unwrap(),
            remake: Box::new(network),
            server: None,
            steps: RefineSteps::NONE,
            // It goes by the clock, and these tests do not.
            is_governed: false,
            cpu_budget: None,
        };
        let cameras: Arc<AtomicU32> = Arc::default();
        let open = {
            let (mood, cameras) = (Arc::clone(&mood), Arc::clone(&cameras));
            move || -> Result<Box<dyn Source>, DeviceError> {
                if *mood.lock().unwrap() == Mood::CameraBusy {
                    let (holder, remedy) = ("zoom (pid 7)".into(), "close it there".into());
                    return Err(DeviceError::Busy { what: "camera".into(), holder, remedy });
                }
                cameras.fetch_add(1, Relaxed);
                let (mood, open) = (Arc::clone(&mood), Arc::clone(&cameras));
                Ok(Box::new(Camera { mood, count: 0, open }))
            }
        };
        let feed = CameraFeed { source: None, name: None, open: Box::new(open), size: SIZE };
        let pipeline =
            Pipeline::start(feed, matte, outputs, idle_after, Reasons::default()).unwrap();
        Self { pipeline, mood, seen, watched, visited, bell, cameras, hangs }
    }

    fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
    }

    fn watch(&self, watched: bool) {
        *self.watched.lock().unwrap() = watched;
        self.bell.ring();
    }

    /// Somebody opens the device and does not watch.
    fn visit(&self) {
        *self.visited.lock().unwrap() = true;
        self.bell.ring();
    }

    /// Forgets what was seen and waits until each of `wanted` has been seen since.
    fn wait_for(&self, wanted: &[Seen]) {
        self.seen.lock().unwrap().clear();
        self.wait_until(|| wanted.iter().all(|one| self.seen.lock().unwrap().contains(one)));
    }

    /// Waits until something is true; never sees a leak meanwhile.
    fn wait_until(&self, mut is_true: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !is_true() {
            let seen = self.seen.lock().unwrap();
            assert!(Instant::now() < deadline, "never; seen: {seen:?}");
            assert!(!seen.contains(&Seen::Leak));
            drop(seen);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn output_state(&self) -> OutputState {
        self.pipeline.reporter().status().outputs[0].state
    }

    fn cameras(&self) -> u32 {
        self.cameras.load(Relaxed)
    }

    /// Stops, and asserts that no frame leaked and that the placeholder is in every buffer.
    fn end(self) -> Result<(), StopError> {
        let ended = self.pipeline.stop();
        let seen = self.seen.lock().unwrap();
        assert!(!seen.contains(&Seen::Leak), "{seen:?}");
        let left = seen.iter().rev().take_while(|&&seen| seen == Seen::Placeholder).count();
        assert!(left >= 32, "the placeholder was left {left} times, and 32 buffers are possible");
        assert_eq!(self.cameras.load(Relaxed), 0, "the camera was left open");
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
fn a_network_that_goes_on_failing_is_made_anew() {
    let stage = Stage::new();
    stage.set(Mood::NetworkBreaks);
    stage.wait_for(&[Seen::Placeholder]);
    stage.set(Mood::Well);
    stage.wait_for(&[Seen::Person, Seen::Background]);
    stage.end().unwrap();
}

#[test]
fn a_panic_shows_the_placeholder_and_the_picture_comes_back() {
    for mood in [Mood::CameraPanics, Mood::NetworkPanics] {
        let stage = Stage::new();
        stage.set(mood);
        stage.wait_for(&[Seen::Placeholder]);
        stage.set(Mood::Well);
        stage.wait_for(&[Seen::Person, Seen::Background]);
        stage.end().unwrap();
    }
}

#[test]
fn a_hanging_network_shows_the_placeholder() {
    let stage = Stage::new();
    stage.set(Mood::NetworkHangs);
    stage.wait_for(&[Seen::Placeholder]);
    stage.set(Mood::Well);
    stage.wait_for(&[Seen::Person, Seen::Background]);
    stage.end().unwrap();
}

#[test]
fn a_busy_camera_is_told_by_the_name_of_who_has_it_and_taken_when_it_is_free() {
    let stage = Stage::dark(IDLE_AFTER);
    stage.set(Mood::CameraBusy);
    stage.watch(true);
    stage.wait_for(&[Seen::Placeholder]);
    stage.wait_until(|| {
        let camera = stage.pipeline.reporter().status().camera;
        camera.state == CameraState::Lost && camera.reason.unwrap().contains("zoom (pid 7)")
    });
    stage.set(Mood::Well);
    stage.wait_for(&[Seen::Person, Seen::Background]);
    stage.end().unwrap();
}

/// The answer to a pause comes when the picture has gone, and not before.
#[test]
fn a_pause_is_answered_when_the_placeholder_is_in_every_buffer() {
    let stage = Stage::new();
    stage.set(Mood::SinkHangs);
    stage.wait_until(|| *stage.hangs.lock().unwrap());
    let answered = stage.pipeline.commands().hide(Reason::Pause);
    // The picture from before the pause is still being written.
    assert!(answered.recv_timeout(Duration::from_millis(300)).is_err());
    stage.set(Mood::Well);
    answered.recv_timeout(Duration::from_secs(180)).unwrap();
    let seen = stage.seen.lock().unwrap().clone();
    let left = seen.iter().rev().take_while(|&&seen| seen == Seen::Placeholder).count();
    assert!(left >= 32, "{left} placeholders: {seen:?}");
    // And nothing else comes behind them.
    let count = seen.len();
    stage.wait_until(|| stage.seen.lock().unwrap().len() > count + 3);
    assert!(stage.seen.lock().unwrap()[count..].iter().all(|&seen| seen == Seen::Placeholder));
    stage.wait_until(|| stage.cameras() == 0);
    stage.pipeline.commands().end_hiding(Reason::Pause);
    stage.wait_for(&[Seen::Person, Seen::Background]);
    stage.end().unwrap();
}

/// What is done before an end at once, while the rest goes on as if nothing were to end.
#[test]
fn an_end_at_once_leaves_the_placeholder() {
    let stage = Stage::new();
    stage.wait_for(&[Seen::Person, Seen::Background]);
    let hide = stage.pipeline.hider();
    hide();
    // (It waits for some frames' time; this machine may be slower.)
    stage.wait_until(|| {
        let seen = stage.seen.lock().unwrap();
        seen.iter().rev().take_while(|&&seen| seen == Seen::Placeholder).count() >= 32
    });
    stage.end().unwrap();
}

/// A pause that has ended before anybody looked hides all the same, and the camera was off for it.
#[test]
fn a_short_pause_is_a_pause() {
    let stage = Stage::new();
    let opened = || stage.pipeline.reporter().status().camera.opened;
    for _ in 0..20 {
        let before = opened();
        stage.seen.lock().unwrap().clear();
        let answered = stage.pipeline.commands().hide(Reason::Pause);
        stage.pipeline.commands().end_hiding(Reason::Pause);
        answered.recv_timeout(Duration::from_secs(180)).unwrap();
        assert!(stage.seen.lock().unwrap().contains(&Seen::Placeholder));
        stage.wait_until(|| opened() > before);
        stage.wait_for(&[Seen::Person, Seen::Background]);
    }
    stage.end().unwrap();
}

/// Across whatever interrupts the picture nothing fades.
#[test]
fn the_scene_of_before_never_comes_back_after_an_interruption() {
    for interruption in [None, Some(Mood::CameraGone), Some(Mood::NetworkFails)] {
        let stage = Stage::new();
        match interruption {
            None => drop(stage.pipeline.commands().hide(Reason::Pause)),
            Some(mood) => stage.set(mood),
        }
        stage.wait_for(&[Seen::Placeholder]);
        stage.seen.lock().unwrap().clear();
        // What a fade would show is neither of them: a leak, which `wait_until` never lets pass.
        stage.pipeline.commands().change(0, scene(OTHER), false);
        match interruption {
            None => stage.pipeline.commands().end_hiding(Reason::Pause),
            Some(_) => stage.set(Mood::Well),
        }
        stage.wait_until(|| stage.seen.lock().unwrap().contains(&Seen::Other));
        let seen = stage.seen.lock().unwrap().clone();
        assert!(!seen.contains(&Seen::Background), "{interruption:?}: {seen:?}");
        stage.wait_for(&[Seen::Person, Seen::Other]);
        stage.end().unwrap();
    }
}

#[test]
fn nobody_watches_nothing_works() {
    let stage = Stage::dark(IDLE_AFTER);
    stage.wait_until(|| stage.seen.lock().unwrap().len() >= 33);
    for _ in 0..3 {
        // Idle: the camera is closed and nothing is written.
        let written = stage.seen.lock().unwrap().len();
        std::thread::sleep(Duration::from_millis(600));
        assert_eq!(stage.seen.lock().unwrap().len(), written);
        assert_eq!((stage.cameras(), stage.output_state()), (0, OutputState::Holding));
        // The first thing that a watcher gets is the placeholder, then the picture.
        stage.seen.lock().unwrap().clear();
        stage.watch(true);
        stage.wait_until(|| stage.seen.lock().unwrap().contains(&Seen::Person));
        assert_eq!(stage.seen.lock().unwrap()[0], Seen::Placeholder);
        assert_eq!((stage.cameras(), stage.output_state()), (1, OutputState::Watched));
        // After the last one has left the placeholder goes into every buffer.
        stage.watch(false);
        stage.wait_until(|| stage.output_state() == OutputState::Holding);
        stage.wait_until(|| stage.cameras() == 0);
        let seen = stage.seen.lock().unwrap();
        let left = seen.iter().rev().take_while(|&&seen| seen == Seen::Placeholder).count();
        assert!(left >= 32, "{left} placeholders");
    }
    stage.end().unwrap();
}

/// A recording that wants the camera has it opened while nobody watches, and closed at its end; one that does not gets
/// what is shown to others.
#[test]
fn a_recording_opens_the_camera_if_it_is_to() {
    let stage = Stage::dark(IDLE_AFTER);
    stage.wait_until(|| stage.seen.lock().unwrap().len() >= 33);
    let (recorder, counts) = (Seat::default(), Arc::<TapCounts>::default());
    let (ended, end) = std::sync::mpsc::channel();
    let tap = |opens_camera| {
        let sink = recorder.sink().unwrap();
        Tap::new(sink, opens_camera, Arc::clone(&counts), ended.clone())
    };
    let commands = stage.pipeline.commands();
    for _ in 0..2 {
        recorder.seen.lock().unwrap().clear();
        commands.begin_tap(0, tap(true));
        stage.wait_until(|| recorder.seen.lock().unwrap().contains(&Seen::Person));
        assert_eq!(stage.cameras(), 1);
        commands.end_tap(0);
        assert!(end.recv_timeout(Duration::from_secs(180)).unwrap().lost.is_none());
        stage.wait_until(|| stage.cameras() == 0);
        stage.wait_until(|| {
            let seen = stage.seen.lock().unwrap();
            seen.iter().rev().take_while(|&&seen| seen == Seen::Placeholder).count() >= 32
        });
    }
    commands.begin_tap(0, tap(false));
    recorder.seen.lock().unwrap().clear();
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(stage.cameras(), 0);
    stage.watch(true);
    stage.wait_until(|| recorder.seen.lock().unwrap().contains(&Seen::Person));
    // What it fails with is no matter of the output.
    *recorder.mood.lock().unwrap() = Mood::SinkGone;
    assert!(end.recv_timeout(Duration::from_secs(180)).unwrap().lost.is_some());
    stage.seen.lock().unwrap().clear();
    stage.wait_until(|| stage.seen.lock().unwrap().len() >= 10);
    assert!(!stage.seen.lock().unwrap().contains(&Seen::Placeholder));
    stage.end().unwrap();
}

/// A preview has the camera opened while nobody watches the device. What it leaves, in its memory and on the device, is not a
/// picture; nor is one there once the device has gone.
#[test]
fn a_preview_opens_the_camera_and_leaves_no_picture() {
    let stage = Stage::dark(IDLE_AFTER);
    stage.wait_until(|| stage.seen.lock().unwrap().len() >= 33);
    let commands = stage.pipeline.commands();
    let begin = |number| {
        let (memory, reader) = PreviewMemory::new(PixelFormat::I420, SizePx::new(64, 36)).unwrap();
        let (interval, layout) = (Duration::from_millis(1), memory.layout());
        let preview = Preview::new(number, PreviewPicture::Camera, interval, memory);
        commands.begin_preview(0, preview);
        // Of each slot the byte that says whether it holds a placeholder; nothing before it was written.
        move || {
            let kind = |slot: u64| {
                let mut header = [0; 17];
                let at = layout.first_slot_bytes + slot * layout.slot_bytes;
                rustix::io::pread(&reader.memory, &mut header, at).unwrap();
                (header[..8] != [0; 8]).then_some(header[16] == 1)
            };
            (0..layout.slots).map(kind).collect::<Vec<_>>()
        }
    };
    let hidden = [Some(true); 3];
    for number in 1..=2 {
        let slots = begin(number);
        stage.wait_until(|| slots().contains(&Some(false)));
        assert_eq!((stage.cameras(), stage.output_state()), (1, OutputState::Holding));
        let (tell, ended) = std::sync::mpsc::channel();
        commands.end_preview(0, number, Box::new(move || tell.send(slots()).unwrap()));
        assert_eq!(ended.recv_timeout(Duration::from_secs(180)).unwrap(), hidden);
        stage.wait_until(|| stage.cameras() == 0);
        stage.wait_until(|| {
            let seen = stage.seen.lock().unwrap();
            seen.iter().rev().take_while(|&&seen| seen == Seen::Placeholder).count() >= 32
        });
    }
    let slots = begin(3);
    stage.wait_until(|| slots().contains(&Some(false)));
    stage.set(Mood::SinkGone);
    stage.wait_until(|| slots() == hidden);
    // It goes on once the device is back.
    stage.set(Mood::Well);
    stage.wait_until(|| slots().contains(&Some(false)));
    stage.end().unwrap();
}

/// Who opens the device gets a first picture that is not old, and nothing else happens.
#[test]
fn what_a_device_holds_is_renewed_for_who_comes() {
    let stage = Stage::dark(IDLE_AFTER);
    stage.wait_until(|| stage.seen.lock().unwrap().len() >= 33);
    for _ in 0..3 {
        let written = stage.seen.lock().unwrap().len();
        stage.visit();
        stage.wait_until(|| stage.seen.lock().unwrap().len() == written + 1);
        assert_eq!(stage.seen.lock().unwrap().last(), Some(&Seen::Placeholder));
        assert_eq!((stage.cameras(), stage.output_state()), (0, OutputState::Holding));
    }
    // While the picture is still on, that one is written again; a camera that is silent shows it.
    stage.watch(true);
    stage.wait_for(&[Seen::Person, Seen::Background]);
    stage.set(Mood::CameraStalls);
    stage.wait_for(&[Seen::Placeholder]);
    stage.watch(false);
    stage.visit();
    stage.wait_until(|| !*stage.visited.lock().unwrap());
    stage.end().unwrap();
}

/// What was written last is repeated for a while when nothing comes, but not when it is known why.
#[test]
fn a_picture_is_not_repeated_after_a_loss_is_known() {
    for mood in [Mood::CameraGone, Mood::NetworkFails, Mood::CameraPanics, Mood::NetworkPanics] {
        let stage = Stage::new();
        stage.set(mood);
        stage.wait_for(&[Seen::Placeholder]);
        // A frame that was under way may follow the first placeholder; then there is none left.
        stage.wait_for(&[Seen::Placeholder]);
        stage.wait_until(|| stage.seen.lock().unwrap().len() >= 12);
        let seen = stage.seen.lock().unwrap().clone();
        let pictures = seen.iter().skip(4).filter(|&&seen| seen != Seen::Placeholder).count();
        assert_eq!(pictures, 0, "{mood:?}: {seen:?}");
        stage.set(Mood::Well);
        stage.wait_for(&[Seen::Person, Seen::Background]);
        stage.end().unwrap();
    }
}

#[test]
fn who_leaves_and_comes_back_at_once_finds_the_picture_going_on() {
    let stage = Stage::dark(NEVER_IDLE);
    stage.watch(true);
    stage.wait_for(&[Seen::Person, Seen::Background]);
    stage.seen.lock().unwrap().clear();
    stage.watch(false);
    stage.wait_until(|| stage.output_state() == OutputState::Lingering);
    stage.watch(true);
    stage.wait_until(|| stage.output_state() == OutputState::Watched);
    assert_eq!(stage.pipeline.reporter().status().camera.opened, 1);
    stage.wait_for(&[Seen::Person, Seen::Background]);
    // Who wants it closed sooner has it closed, also after somebody who has left already.
    stage.watch(false);
    stage.wait_until(|| stage.output_state() == OutputState::Lingering);
    stage.pipeline.commands().set_idle_after(Duration::ZERO);
    stage.wait_until(|| stage.output_state() == OutputState::Holding && stage.cameras() == 0);
    stage.end().unwrap();
}

#[test]
fn a_node_that_leaves_comes_back() {
    let stage = Stage::new();
    stage.set(Mood::SinkGone);
    stage.wait_until(|| stage.output_state() == OutputState::Missing);
    stage.wait_until(|| stage.cameras() == 0);
    stage.set(Mood::Well);
    stage.wait_for(&[Seen::Placeholder, Seen::Person, Seen::Background]);
    stage.end().unwrap();
}

#[test]
fn every_frame_is_accounted_for() {
    let stage = Stage::new();
    let stats = stage.pipeline.stats();
    for mood in [Mood::NetworkFails, Mood::Well, Mood::CameraStalls, Mood::Well] {
        stage.set(mood);
        match mood {
            Mood::CameraStalls => stage.wait_for(&[Seen::Placeholder]),
            _ => {
                let enough = stats.taken.load(Relaxed) + 20;
                stage.wait_until(|| stats.taken.load(Relaxed) >= enough);
            }
        }
    }
    stage.end().unwrap();
    let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Relaxed);
    let accounted = get(&stats.composed)
        + get(&stats.failed)
        + get(&stats.dropped_before_matte)
        + get(&stats.dropped_unwatched)
        + get(&stats.dropped_before_output);
    let taken = get(&stats.taken);
    // At the stop one frame may be in each slot and one in each thread behind the camera.
    assert!(
        accounted <= taken && taken <= accounted + 4,
        "{taken} taken, {accounted} accounted for"
    );
    assert!(taken >= 60, "{taken}");
}

/// Behind a thread that hangs nothing queues up: it has one frame, and one waits. All others are passed over, so that the
/// next picture is as young as it can be.
#[test]
fn no_stage_holds_more_than_one_frame() {
    for mood in [Mood::NetworkHangs, Mood::SinkHangs] {
        let stage = Stage::new();
        let stats = stage.pipeline.stats();
        let under_way = || {
            let frames = stats.frames();
            let dropped = frames.dropped;
            let passed_over = dropped.before_matte + dropped.before_output + dropped.unwatched;
            let done = frames.composed + frames.failed + passed_over;
            stats.taken.load(Relaxed).saturating_sub(done)
        };
        stage.set(mood);
        let enough = stats.taken.load(Relaxed) + 40;
        stage.wait_until(|| stats.taken.load(Relaxed) >= enough);
        // Waited for, as frames come while the counters are read; a longer queue would never be this short.
        stage.wait_until(|| under_way() == 2);
        assert!(
            stats.frames().dropped != Default::default(),
            "{mood:?}: the others were passed over"
        );
        stage.set(Mood::Well);
        stage.end().unwrap();
    }
}

/// The first output is well all the time.
#[test]
fn what_fails_in_one_output_is_no_matter_of_another() {
    for mood in [Mood::SinkGone, Mood::SinkPanics] {
        let other = Seat::default();
        *other.watched.lock().unwrap() = true;
        let stage = Stage::beside(NEVER_IDLE, vec![other.output("other", OTHER)]);
        stage.watch(true);
        stage.wait_for(&[Seen::Person, Seen::Background]);
        stage.wait_until(|| other.seen.lock().unwrap().contains(&Seen::Other));

        stage.seen.lock().unwrap().clear();
        let written = || stage.pipeline.reporter().status().outputs.clone();
        let before = written();
        *other.mood.lock().unwrap() = mood;
        stage.wait_until(|| written()[1].state == OutputState::Missing);
        let enough = written()[0].written + 50;
        stage.wait_until(|| written()[0].written > enough);
        // No placeholder, and each frame that was composed for it.
        assert!(!stage.seen.lock().unwrap().contains(&Seen::Placeholder), "{mood:?}");
        assert_eq!(written()[0].placeholders, before[0].placeholders);

        *other.mood.lock().unwrap() = Mood::Well;
        other.seen.lock().unwrap().clear();
        stage.wait_until(|| other.seen.lock().unwrap().contains(&Seen::Other));
        // Whoever comes back begins with the placeholder.
        assert_eq!(other.seen.lock().unwrap()[0], Seen::Placeholder);
        assert!(!stage.seen.lock().unwrap().contains(&Seen::Placeholder), "{mood:?}");
        stage.end().unwrap();
        assert!(!other.seen.lock().unwrap().contains(&Seen::Leak));
    }
}

/// Outputs show their own scenes, and those that show the same share what is composed: until one of them changes.
#[test]
fn outputs_share_a_scene_and_part() {
    let seats = [Seat::default(), Seat::default()];
    let outputs = [("same", GREEN), ("other", OTHER)].into_iter().zip(&seats);
    let outputs = outputs.map(|((name, background), seat)| {
        *seat.watched.lock().unwrap() = true;
        seat.output(name, background)
    });
    let stage = Stage::beside(NEVER_IDLE, outputs.collect());
    stage.watch(true);
    stage.wait_for(&[Seen::Person, Seen::Background]);
    let sees = |seat: &Seat, wanted: Seen| {
        seat.seen.lock().unwrap().clear();
        stage.wait_until(|| seat.seen.lock().unwrap().contains(&wanted));
    };
    for _ in 0..3 {
        sees(&seats[0], Seen::Background);
        sees(&seats[1], Seen::Other);
    }
    let commands = stage.pipeline.commands();
    // The second goes its own way.
    commands.change(1, scene(OTHER), true);
    sees(&seats[0], Seen::Other);
    stage.wait_for(&[Seen::Person, Seen::Background]);
    // And back.
    commands.change(1, scene(GREEN), true);
    sees(&seats[0], Seen::Background);
    // The first goes, the second stays.
    commands.change(0, scene(OTHER), true);
    stage.wait_for(&[Seen::Other]);
    sees(&seats[0], Seen::Background);
    // Two that are the same while a third is not there.
    *seats[0].mood.lock().unwrap() = Mood::SinkGone;
    sees(&seats[1], Seen::Other);
    commands.drop_retired();
    stage.end().unwrap();
    for seat in seats {
        assert!(!seat.seen.lock().unwrap().contains(&Seen::Leak));
    }
}

/// Who watches what does not open the camera sees a picture only while it is open for somebody else.
#[test]
fn an_output_that_does_not_open_the_camera_looks_on() {
    let other = Seat::default();
    *other.watched.lock().unwrap() = true;
    let stage = Stage::beside(IDLE_AFTER, vec![other.output_of("other", OTHER, false)]);
    stage.wait_until(|| other.seen.lock().unwrap().len() >= 40);
    assert_eq!(stage.cameras(), 0);
    for _ in 0..3 {
        stage.watch(true);
        stage.wait_until(|| other.seen.lock().unwrap().contains(&Seen::Other));
        stage.watch(false);
        stage.wait_until(|| stage.cameras() == 0);
        // At once, and for as long as nobody else comes.
        stage.wait_until(|| other.seen.lock().unwrap().last() == Some(&Seen::Placeholder));
        other.seen.lock().unwrap().clear();
        stage.wait_until(|| other.seen.lock().unwrap().len() >= 3);
        let seen = other.seen.lock().unwrap().clone();
        assert!(seen.iter().all(|&seen| seen == Seen::Placeholder), "{seen:?}");
    }
    stage.end().unwrap();
    assert!(!other.seen.lock().unwrap().contains(&Seen::Leak));
}
