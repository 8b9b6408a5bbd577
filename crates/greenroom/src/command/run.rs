mod outputs;

use std::sync::Arc;

use anyhow::Context;
use greenroom_device::{Codec, SinkMode, Wake};
use greenroom_frame::{Colour, FrameShape, PixelFormat};
use greenroom_matte::RoomGuard;
use greenroom_scene::{Pace, SceneFormat};

use super::signals::{Parts, Signals};
use crate::bus::Bus;
use crate::camera::CameraOpener;
use crate::cli::RunArgs;
use crate::control::{self, ControlError, Dispatcher, Trust};
use crate::masks::MaskClient;
use crate::pipeline::{
    CameraFeed, MaskServer, MaskServerReport, MatteFeed, Pipeline, Reason, Reasons, StopError,
};
use crate::pipewire::Screens;
use crate::recorder::Recorder;
use crate::scenes::{FilesInUse, FirstScene, PauseMark, SceneService};
use crate::settings::{Answers, OutputSettings, RunSettings};
use crate::{RunFailed, service, session};

/// `greenroom run`.
pub(super) fn run(args: &RunArgs) -> anyhow::Result<()> {
    // Before anything is opened: whenever a signal comes, nothing is left behind.
    let signals = Signals::catch(Parts::Keep).context("catching signals")?;
    let settings = RunSettings::new(args)?;
    // Two would take camera and output from each other: nothing of theirs is touched before.
    let socket = claim_socket(&settings);
    if let Err(error @ ControlError::AlreadyRunning { .. }) = socket {
        return Err(error.into());
    }
    let mark = PauseMark::of(socket.as_ref().ok().map(control::Claim::path));
    let session = session::Listener::start(settings.on_lock);
    let bus = Bus::start();
    let mut reasons = Reasons::default();
    reasons.set(Reason::Lock, session.is_locked());
    if mark.is_set() {
        reasons.set(Reason::Pause, true);
        tracing::warn!("still paused, as when greenroom ended; to go on air: greenroom resume");
    }
    let mut camera = CameraOpener::new(&settings);
    // Who watches always has the camera opened at once; then its mode is known, not planned.
    // Not while something hides: then it opens when that ends.
    let watched =
        reasons.is_empty() && settings.outputs.iter().any(OutputSettings::is_watched_at_once);
    let source = if watched { camera.first()? } else { None };
    let plan = match &source {
        Some(source) => Some((source.mode().size, source.mode().rate)),
        None => camera.plan()?,
    };
    let (size, rate) = plan.unwrap_or((settings.size, settings.rate));
    // The chroma is a guess; if another comes, the scene is made anew for it.
    let format = source.as_ref().map_or(PixelFormat::I420, |source| match source.mode().codec {
        Codec::Raw(format) => format.chroma().planar_format(),
        Codec::Mjpeg => PixelFormat::I422,
    });
    let colour = source.as_ref().map_or(Colour::WEBCAM, |source| source.mode().colour);
    let scene_format = SceneFormat { shape: FrameShape { format, size, colour }, pace: Pace::Live };
    let maker = settings.scene.model.build(settings.scene.steps, Answers::Late)?;
    // YUYV, BT.601, limited range: what every consumer opens and assumes.
    let wanted = SinkMode { format: PixelFormat::Yuyv, size, rate, colour: Colour::WEBCAM };
    let screens = Screens::new().context("opening a descriptor")?;
    let (outputs, scenes) = outputs::open(&settings, wanted, scene_format, &screens)?;
    let stop = signals.started();
    let (model, steps) = (settings.scene.model.clone(), settings.scene.steps);
    let server = match settings.mask_server.clone() {
        Some(url) => {
            let report = Arc::new(MaskServerReport::new(url.to_string()));
            let client = MaskClient::start(url, rate, RoomGuard::new()?, report.clone());
            Some(MaskServer { client: client.context("starting threads")?, report })
        }
        None => None,
    };
    let remake = Box::new(move || model.build(steps, Answers::Late));
    let (is_governed, cpu_budget) = (settings.is_governed, settings.cpu_budget);
    let matte = MatteFeed { maker, remake, server, steps, is_governed, cpu_budget };
    let feed = CameraFeed { source, name: camera.name(), open: Box::new(camera), size };
    let pipeline = Pipeline::start(feed, matte, outputs, settings.idle_after, reasons)
        .context("starting threads")?;
    signals.hide_by(pipeline.hider());
    session.tell(pipeline.commands());
    serve(pipeline, stop, &settings, (socket, mark, bus), (scenes, screens))
}

fn claim_socket(settings: &RunSettings) -> Result<control::Claim, ControlError> {
    let path = settings.socket.clone().map_or_else(control::default_socket, Ok)?;
    control::Claim::of(&path)
}

/// Answers questions, waits for the end and brings it about. Without a control socket everything
/// else works: a missing runtime folder is no reason to show no picture.
fn serve(
    pipeline: Pipeline,
    stop: &Wake,
    settings: &RunSettings,
    (socket, mark, bus): (Result<control::Claim, ControlError>, PauseMark, Bus),
    (scenes, screens): (Vec<(String, FirstScene)>, Screens),
) -> anyhow::Result<()> {
    let files = FilesInUse { recordings: settings.recordings(), read: settings.reads() };
    let config = settings.scene.config.as_deref();
    let commands = pipeline.commands();
    let scene_service = SceneService::start(scenes, commands, config, &files, mark, &screens);
    let scene_service = scene_service.context("starting threads")?;
    let recorder = Recorder::new(pipeline.commands(), settings.recordings());
    let dispatcher = Dispatcher::new(
        pipeline.reporter(),
        pipeline.commands(),
        scene_service.handle(),
        Arc::clone(&recorder),
    );
    let streams = dispatcher.streams();
    bus.serve(dispatcher.clone());
    let answer = Box::new(move |request, replier| {
        dispatcher.dispatch(request, Trust::Owner, replier);
    });
    let server = socket.and_then(|socket| socket.serve(answer, Some(streams)));
    let server = server.map_err(|error| tracing::warn!("{error}"));
    service::ready();
    Wake::wait([stop, pipeline.ended()], settings.stop_after);
    service::stopping();
    drop(server);
    drop(scene_service);
    let stats = pipeline.stats();
    let ended = pipeline.stop();
    // Where an output hangs nobody waits: a recording plays as far as it came.
    if !matches!(ended, Err(StopError::Blocked)) {
        recorder.finish();
    }
    tracing::info!("stopped: {stats}");
    ended.context(RunFailed)
}
