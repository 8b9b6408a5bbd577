use std::time::Duration;

use anyhow::Context;
use greenroom_device::{
    DeviceError, FileReader, LoopbackSink, Playback, Sink, SinkMode, Source, V4l2Camera, Wake,
    find_camera, find_loopback, open_file_sink,
};
use greenroom_frame::{Colour, PixelFormat, SizePx};
use greenroom_scene::Scene;

use super::signals;
use crate::RunFailed;
use crate::cli::RunArgs;
use crate::pipeline::{CameraFeed, Output, Pipeline};
use crate::settings::{CameraChoice, OutputChoice, RunSettings};

/// `greenroom run`.
pub(super) fn run(args: &RunArgs) -> anyhow::Result<()> {
    let settings = RunSettings::new(args)?;
    let scene = Scene::new(settings.scene.build_background()?);
    let source = first_source(&settings)?;
    let (size, rate) = source
        .as_ref()
        .map_or((settings.size, settings.rate), |source| (source.mode().size, source.mode().rate));
    let maker = settings.scene.model.build()?;
    // YUYV, BT.601, limited range: what every consumer opens and assumes.
    let wanted = SinkMode { format: PixelFormat::Yuyv, size, rate, colour: Colour::WEBCAM };
    let Some(output) = open_output(&settings.output, wanted, scene)? else {
        return Ok(());
    };
    if source.is_none() {
        tracing::info!("waiting for a camera");
    }
    let feed = CameraFeed { source, reopen: reopen(&settings), size };
    // Only from here on is there anything to bring to an end; before, a signal ends us as usual,
    // also while a FIFO waits for its reader.
    let stop = signals::stop_bell().context("catching signals")?;
    let pipeline = Pipeline::start(feed, maker, vec![output]).context("starting threads")?;
    serve(pipeline, &stop, settings.stop_after)
}

/// Waits for the end and brings it about.
fn serve(pipeline: Pipeline, stop: &Wake, stop_after: Option<Duration>) -> anyhow::Result<()> {
    Wake::wait([stop, pipeline.ended()], stop_after);
    let stats = pipeline.stats();
    let ended = pipeline.stop();
    tracing::info!("stopped: {stats}");
    ended.context(RunFailed)
}

/// Opens the camera; none there is no error for `auto`, which waits for one.
fn first_source(settings: &RunSettings) -> anyhow::Result<Option<Box<dyn Source>>> {
    match open_source(&settings.camera, settings.size, settings.rate) {
        Ok(source) => Ok(Some(source)),
        Err(error @ DeviceError::NoneHere { .. }) if settings.camera == CameraChoice::Auto => {
            tracing::warn!("{error}");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn open_source(
    camera: &CameraChoice,
    size: SizePx,
    rate: greenroom_device::FrameRate,
) -> Result<Box<dyn Source>, DeviceError> {
    Ok(match camera {
        CameraChoice::Auto => Box::new(V4l2Camera::open(&find_camera("auto")?, size, rate)?),
        CameraChoice::Device(name) => Box::new(V4l2Camera::open(&find_camera(name)?, size, rate)?),
        CameraChoice::File(path) => {
            let reader = FileReader::open(path, Playback::Live)?;
            tracing::info!("camera: {}, {}", reader.name(), reader.mode());
            Box::new(reader)
        }
    })
}

fn reopen(settings: &RunSettings) -> crate::pipeline::OpenSource {
    let (camera, size, rate) = (settings.camera.clone(), settings.size, settings.rate);
    Box::new(move || open_source(&camera, size, rate))
}

/// Opens the output. `None`: there is no loopback and none was named, and the user has been told.
fn open_output(
    choice: &OutputChoice,
    wanted: SinkMode,
    scene: Scene,
) -> anyhow::Result<Option<Output>> {
    match choice {
        OutputChoice::File(target) => {
            let sink = open_file_sink(target, wanted)?;
            let mode = sink.mode();
            tracing::info!("output: {}, {} {}", sink.name(), mode.size, mode.format);
            Ok(Some(Output::to_file(sink, scene)?))
        }
        OutputChoice::Device(name) => match find_loopback(name) {
            Ok(loopback) => {
                let sink: Box<dyn Sink> =
                    Box::new(LoopbackSink::open(&loopback, wanted.size, wanted.rate)?);
                Ok(Some(Output::on_device(sink, scene)?))
            }
            Err(error @ DeviceError::NoneHere { .. }) if name == "auto" => {
                tracing::warn!("{error}; or name a file with --output FILE");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        },
    }
}
