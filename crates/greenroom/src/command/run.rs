use anyhow::Context;
use greenroom_device::{
    DeviceError, LoopbackSink, Sink, SinkMode, Wake, find_loopback, open_file_sink, open_null_sink,
};
use greenroom_frame::{Colour, PixelFormat};
use greenroom_scene::Scene;

use super::signals;
use crate::camera::CameraOpener;
use crate::cli::RunArgs;
use crate::control::{self, Answer, ControlError, Reply, Request};
use crate::pipeline::{CameraFeed, MatteFeed, Output, Painter, Pipeline, Reporter};
use crate::settings::{OutputChoice, RunSettings};
use crate::{RunFailed, service};

/// `greenroom run`.
pub(super) fn run(args: &RunArgs) -> anyhow::Result<()> {
    let settings = RunSettings::new(args)?;
    let scene = Scene::new(settings.scene.build_background()?);
    let mut camera = CameraOpener::new(&settings);
    // Who watches always has the camera opened at once; then its mode is known, not planned.
    let watched = settings.always_on || !matches!(settings.output, OutputChoice::Device(_));
    let source = if watched { camera.first()? } else { None };
    let plan = match &source {
        Some(source) => Some((source.mode().size, source.mode().rate)),
        None => camera.plan()?,
    };
    let (size, rate) = plan.unwrap_or((settings.size, settings.rate));
    let maker = settings.scene.model.build()?;
    // YUYV, BT.601, limited range: what every consumer opens and assumes.
    let wanted = SinkMode { format: PixelFormat::Yuyv, size, rate, colour: Colour::WEBCAM };
    let output = open_output(&settings, wanted, scene)?.always_on(settings.always_on);
    // Only from here on is there anything to bring to an end; before, a signal ends us as usual,
    // also while a FIFO waits for its reader.
    let stop = signals::stop_bell().context("catching signals")?;
    let model = settings.scene.model.clone();
    let matte = MatteFeed { maker, remake: Box::new(move || model.build()) };
    let feed =
        CameraFeed { source, name: camera.name(), open: Box::new(move || camera.open()), size };
    let pipeline = Pipeline::start(feed, matte, vec![output], settings.idle_after)
        .context("starting threads")?;
    serve(pipeline, &stop, &settings)
}

/// Answers questions, waits for the end and brings it about.
fn serve(pipeline: Pipeline, stop: &Wake, settings: &RunSettings) -> anyhow::Result<()> {
    let reporter = pipeline.reporter();
    let answer = Box::new(move |request| answer(&reporter, request));
    // Without it everything else works: a missing runtime folder is no reason to show no picture.
    let server = settings.socket.clone().map_or_else(control::default_socket, Ok);
    let server = server.and_then(|path| control::Server::start(&path, answer));
    let server = match server {
        Ok(server) => Some(server),
        // Two would take camera and loopback from each other.
        Err(error @ ControlError::AlreadyRunning { .. }) => return Err(error.into()),
        Err(error) => {
            tracing::warn!("{error}");
            None
        }
    };
    service::ready();
    Wake::wait([stop, pipeline.ended()], settings.stop_after);
    service::stopping();
    drop(server);
    let stats = pipeline.stats();
    let ended = pipeline.stop();
    tracing::info!("stopped: {stats}");
    ended.context(RunFailed)
}

fn answer(reporter: &Reporter, request: Request) -> Reply {
    match request {
        Request::Status {} => Reply::Ok(Answer::Status(Box::new(reporter.status()))),
        #[cfg(feature = "faults")]
        Request::Fault { name } if crate::pipeline::faults::ask_for(&name) => {
            Reply::Ok(Answer::Done {})
        }
        #[cfg(feature = "faults")]
        Request::Fault { name } => Reply::Error(format!("there is no fault called {name}")),
    }
}

fn open_output(settings: &RunSettings, wanted: SinkMode, scene: Scene) -> anyhow::Result<Output> {
    let painter = |mode| {
        let painter = Painter::new(mode, scene)?;
        anyhow::Ok(painter.with_placeholder(settings.placeholder.clone()))
    };
    let sink = match &settings.output {
        OutputChoice::Null => open_null_sink(wanted),
        OutputChoice::File(target) => {
            let sink = open_file_sink(target, wanted)?;
            let mode = sink.mode();
            tracing::info!("output: {}, {} {}", sink.name(), mode.size, mode.format);
            sink
        }
        OutputChoice::Device(name) => {
            let open = {
                let name = name.clone();
                move || -> Result<Box<dyn Sink>, DeviceError> {
                    let loopback = find_loopback(&name)?;
                    Ok(Box::new(LoopbackSink::open(&loopback, wanted.size, wanted.rate)?))
                }
            };
            let sink = match open() {
                Ok(sink) => Ok(sink),
                // The module may be loaded later.
                Err(error @ DeviceError::NoneHere { .. }) if name == "auto" => {
                    tracing::warn!("{error}; or name a file with --output FILE; waiting for one");
                    Err(error)
                }
                Err(error) => return Err(error.into()),
            };
            let mode = sink.as_ref().map_or(wanted, |sink| sink.mode());
            return Ok(Output::on_device(name.clone(), painter(mode)?, sink, Box::new(open)));
        }
    };
    let mode = sink.mode();
    Ok(Output::to_file(sink, painter(mode)?))
}
