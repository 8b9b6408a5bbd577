use std::time::Duration;

use anyhow::Context;
use greenroom_device::{
    FileReader, FileTarget, Film, Next, Playback, Sink, SinkMode, Sound, Source, Wake,
    open_file_sink,
};
use greenroom_frame::{Colour, Frame, PixelFormat};
use greenroom_matte::MatteMaker;
use greenroom_scene::{MattedFrame, Pace, SceneFormat};
use indicatif::{ProgressBar, ProgressStyle};

use super::signals::{Parts, Signals};
use crate::RunFailed;
use crate::cli::RenderArgs;
use crate::pipeline::{MatteOutput, MattePlanes, Painter};
use crate::scenes::make_scene;
use crate::settings::{Answers, RenderSettings};

/// Longest wait for one frame of a file: a decoder that is silent for so long hangs.
const PATIENCE: Duration = Duration::from_secs(60);

/// `greenroom render`: the path of a frame, on one thread, every frame in order.
pub(super) fn render(args: &RenderArgs) -> anyhow::Result<()> {
    // Before anything is opened: whenever a signal comes, nothing is left behind.
    let signals = Signals::catch(Parts::Remove).context("catching signals")?;
    let settings = RenderSettings::new(args)?;
    let mut source = FileReader::open(&settings.input, Playback::EveryFrame)?;
    let progress = progress_bar(source.expected_frames());
    let mut job = Job::open(&settings, &mut source)?;
    let stop = signals.started();
    let mut frames = 0u64;
    while job.next(&mut source, stop)? {
        frames += 1;
        progress.set_position(frames);
    }
    progress.finish_and_clear();
    job.finish()?;
    let matte = settings.matte.map(|target| format!(", its matte: {target}")).unwrap_or_default();
    if settings.output != FileTarget::Stdout {
        tracing::info!("{frames} frames written: {}{matte}", settings.output);
    }
    Ok(())
}

fn progress_bar(frames: Option<u64>) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} frames, {per_sec}, {eta} left");
    let bar = frames.map_or_else(ProgressBar::no_length, ProgressBar::new);
    bar.with_style(style.expect("the template is a constant"))
}

/// A render under way. Dropped before [`finish`](Self::finish), it leaves no file.
struct Job {
    maker: MatteMaker,
    planes: MattePlanes,
    painter: Painter,
    sink: Box<dyn Sink>,
    matte_output: Option<MatteOutput>,
    /// The frame to be worked on next; the first is there from the start.
    frame: Frame,
    more: bool,
}

impl Job {
    /// Reads the first frame, which tells the picture's chroma, and opens the outputs for it.
    fn open(settings: &RenderSettings, source: &mut FileReader) -> anyhow::Result<Self> {
        let mode = source.mode();
        let maker = settings.scene.model.build(settings.scene.steps, Answers::AtOnce)?;
        let mut frame = Frame::new(PixelFormat::I420, mode.size, mode.colour)?;
        let more = next_frame(source, &mut frame, &Wake::new().context("making an eventfd")?)?;
        let scene_format = SceneFormat { shape: frame.shape(), pace: Pace::Exact };
        let (_, scene) = make_scene(&settings.scene.library, scene_format)?;
        let wanted = SinkMode {
            format: frame.format(),
            size: frame.size(),
            rate: mode.rate,
            colour: frame.colour(),
        };
        let sound = if settings.keeps_sound { Sound::of(&settings.input)? } else { None };
        let first_frame_at = source.first_frame_at();
        let film = Film { sound: sound.as_ref(), first_frame_at };
        let sink = open_file_sink(&settings.output, wanted, Some(&film))?;
        let painter = Painter::new(sink.mode(), scene)?;
        let grey = SinkMode { format: PixelFormat::Grey, colour: Colour::JPEG, ..wanted };
        let matte_output = match &settings.matte {
            Some(target) => {
                let film = Film { sound: None, first_frame_at };
                Some(MatteOutput::new(open_file_sink(target, grey, Some(&film))?)?)
            }
            None => None,
        };
        let planes = MattePlanes::new(frame.size(), settings.scene.steps)?;
        Ok(Self { maker, planes, painter, sink, matte_output, frame, more })
    }

    /// Works on one frame and reads the next; `false` at the end.
    fn next(&mut self, source: &mut FileReader, stop: &Wake) -> anyhow::Result<bool> {
        if !self.more {
            return Ok(false);
        }
        let frame = self.frame.view();
        self.maker.prepare(&frame).context(RunFailed)?;
        let inference_id = self.maker.inference_id();
        self.maker.infer().context(RunFailed)?;
        let alpha = self.maker.refine(&frame).context(RunFailed)?;
        let matte = self.planes.fit(alpha.view(), frame, inference_id).context(RunFailed)?;
        let composed = self.painter.compose(&MattedFrame { frame, matte }).context(RunFailed)?;
        let packed = self.painter.fit(composed, |_| ()).context(RunFailed)?;
        self.sink.write(packed).context(RunFailed)?;
        if let Some(matte_output) = &mut self.matte_output {
            matte_output.write(matte.luma(), frame.captured_at()).context(RunFailed)?;
        }
        self.more = next_frame(source, &mut self.frame, stop)?;
        Ok(true)
    }

    /// Both files take their names, or none does.
    fn finish(mut self) -> anyhow::Result<()> {
        self.sink.complete().context(RunFailed)?;
        self.matte_output.as_mut().map_or(Ok(()), MatteOutput::complete).context(RunFailed)?;
        self.sink.finish().context(RunFailed)?;
        self.matte_output.map_or(Ok(()), MatteOutput::finish).context(RunFailed)
    }
}

/// Fills `frame`; `false` at the end of the file.
fn next_frame(source: &mut FileReader, frame: &mut Frame, stop: &Wake) -> anyhow::Result<bool> {
    match source.next_frame(frame, stop, PATIENCE)? {
        Next::Frame(_) => Ok(true),
        Next::Ended => Ok(false),
        Next::Woken => Err(anyhow::anyhow!("stopped before the end of {}", source.name())),
        Next::NotYet(_) => Err(anyhow::anyhow!(
            "{} gave no frame for {} seconds",
            source.name(),
            PATIENCE.as_secs()
        )),
    }
}
