//! Runs the pipeline of `greenroom run` on the benchmark's camera, and looks at it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use greenroom_device::{DeviceError, Sink, SinkMode, Source, Wake};
use greenroom_frame::{Colour, FrameShape, FrameView, PixelFormat, SizePx};
use greenroom_matte::{Model, Quality, RefineSteps};
use greenroom_scene::{BackgroundSpec, Pace, SceneFormat, SceneSpec};

use super::camera::{BenchCamera, Pictures};
use super::processor::{ProcessorTime, three_copies};
use super::report::{CaseFrames, CaseReport, Percentiles, thousandths};
use crate::RunFailed;
use crate::lock::lock;
use crate::pipeline::{
    CameraFeed, MatteFeed, OnLoss, Output, OutputPolicy, Painter, Pipeline, Reasons,
};
use crate::settings::{Answers, BenchSettings, ModelChoice};
use crate::status::FrameCounts;

/// Until the second opinion's networks are loaded and the first answer is there.
const WARM_UP: Duration = Duration::from_secs(2);
/// Room for the times of a case without a pause for memory.
const TIMES: usize = 1 << 16;

/// When each picture was written, and how old it was then.
type Written = Arc<Mutex<Vec<(Instant, Duration)>>>;

/// Takes frames as a v4l2loopback node does, by a copy, and notes how old each one is then.
struct MemorySink {
    mode: SinkMode,
    memory: Vec<u8>,
    written: Written,
}

impl Sink for MemorySink {
    fn name(&self) -> &str {
        "memory"
    }

    fn mode(&self) -> SinkMode {
        self.mode
    }

    fn write(&mut self, frame: FrameView<'_>) -> Result<(), DeviceError> {
        self.memory.copy_from_slice(frame.bytes());
        lock(&self.written).push((Instant::now(), frame.captured_at().elapsed()));
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), DeviceError> {
        Ok(())
    }
}

/// Measures one size and quality.
///
/// # Errors
/// When the pipeline cannot be started, or a part of it fails.
pub(super) fn measure(
    pictures: &Arc<Pictures>,
    size: SizePx,
    quality: Quality,
    settings: &BenchSettings,
    backgrounds: &[BackgroundSpec],
) -> anyhow::Result<CaseReport> {
    let copies_before = three_copies(size, settings.rate);
    let written: Written = Arc::new(Mutex::new(Vec::with_capacity(TIMES)));
    let pipeline = start(pictures, size, quality, settings, backgrounds, &written)?;
    run_for(&pipeline, WARM_UP)?;
    let (begun, frames, times) = (Instant::now(), pipeline.stats().frames(), ProcessorTime::now());
    // At a low rate, too, there are frames to judge by.
    run_for(&pipeline, settings.time.max(4 * settings.rate.interval()))?;
    let (ended, frames, after) =
        (Instant::now(), since(frames, pipeline.stats().frames()), ProcessorTime::now());
    let stages_ms = pipeline.reporter().status().stages_ms;
    pipeline.stop().context(RunFailed)?;
    if frames.written == 0 {
        bail!(
            "no picture of {size} came through in {:.1} s; try a smaller one with --size",
            settings.time.as_secs_f64()
        );
    }
    let delays = lock(&written);
    let delays = delays.iter().filter(|(at, _)| (begun..ended).contains(at));
    let delays = delays.map(|(_, age)| age.as_secs_f64() * 1e3).collect();
    let pictures_written = frames.written / settings.outputs.max(1) as u64;
    let (processor_ms, threads_ms) = after.ms_a_frame_since(&times, pictures_written);
    let core_share = processor_ms * pictures_written as f64 / 1e3 / (ended - begun).as_secs_f64();
    let copies = (copies_before + three_copies(size, settings.rate)) / 2;
    let (_, processors) = super::processor::processors();
    let keeps_up = frames.keeps_up();
    Ok(CaseReport {
        size: size.to_string(),
        quality: quality.to_string(),
        frames,
        processor_ms: thousandths(processor_ms),
        threads_ms: threads_ms.into_iter().map(|(name, ms)| (name, thousandths(ms))).collect(),
        core_share: thousandths(core_share),
        latency_ms: Percentiles::of(delays),
        stages_ms,
        three_copies_ms: thousandths(copies.as_secs_f64() * 1e3),
        keeps_up,
        fits: keeps_up && core_share <= processors as f64 / 2.0,
    })
}

fn start(
    pictures: &Arc<Pictures>,
    size: SizePx,
    quality: Quality,
    settings: &BenchSettings,
    backgrounds: &[BackgroundSpec],
    written: &Written,
) -> anyhow::Result<Pipeline> {
    let shape = FrameShape { format: pictures.planar_format(), size, colour: pictures.colour() };
    let steps = RefineSteps { quality, ..RefineSteps::default() };
    let model = ModelChoice::BuiltIn(Model::DEFAULT);
    let maker = model.build(steps, Answers::Late)?;
    // As `greenroom run` asks of its outputs.
    let mode = SinkMode {
        format: PixelFormat::Yuyv,
        size: size.even(),
        rate: settings.rate,
        colour: Colour::WEBCAM,
    };
    let outputs = backgrounds.iter().enumerate().map(|(index, background)| {
        let spec = SceneSpec { background: background.clone(), ..SceneSpec::default() };
        let scene = spec.build(SceneFormat { shape, pace: Pace::Live })?;
        let memory = vec![0; 2 * size.even().area_px() as usize];
        let sink = MemorySink { mode, memory, written: Arc::clone(written) };
        let policy = OutputPolicy::recording(OnLoss::End);
        let painter = Painter::new(mode, scene)?;
        Ok(Output::new(format!("memory {index}"), painter, Ok(Box::new(sink)), policy))
    });
    let outputs = outputs.collect::<anyhow::Result<Vec<_>>>()?;
    let remake = Box::new(move || model.build(steps, Answers::Late));
    // Without a governor: what the whole of the work costs is to be found out.
    let (is_governed, cpu_budget) = (false, None);
    let matte = MatteFeed { maker, remake, server: None, steps, is_governed, cpu_budget };
    let (again, rate) = (Arc::clone(pictures), settings.rate);
    let feed = CameraFeed {
        source: Some(Box::new(BenchCamera::new(Arc::clone(pictures), rate)?)),
        name: None,
        open: Box::new(move || -> Result<Box<dyn Source>, DeviceError> {
            Ok(Box::new(BenchCamera::new(Arc::clone(&again), rate)?))
        }),
        size,
    };
    Pipeline::start(feed, matte, outputs, Duration::ZERO, Reasons::default())
        .context("starting threads")
}

/// Lets it run.
fn run_for(pipeline: &Pipeline, time: Duration) -> anyhow::Result<()> {
    if Wake::wait([pipeline.ended()], Some(time)) {
        bail!("a part of greenroom failed, which is our bug; the lines above tell where");
    }
    Ok(())
}

fn since(before: FrameCounts, after: FrameCounts) -> CaseFrames {
    let dropped = |counts: FrameCounts| {
        let dropped = counts.dropped;
        dropped.in_camera + dropped.before_matte + dropped.before_output
    };
    CaseFrames {
        taken: after.taken - before.taken,
        written: after.composed - before.composed,
        dropped: dropped(after) - dropped(before),
        placeholders: after.placeholders - before.placeholders,
    }
}
