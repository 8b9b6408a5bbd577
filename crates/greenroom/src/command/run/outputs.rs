//! Opens the outputs of `greenroom run`.

use greenroom_device::{
    DeviceError, FileTarget, LoopbackOpener, QueuedSink, Sink, SinkMode, SinkOpener, find_loopback,
    open_file_sink, open_null_sink, own_loopbacks,
};
use greenroom_scene::SceneFormat;

use crate::pipeline::{Idle, OnLoss, Output, OutputPolicy, Painter};
use crate::pipewire::{self, Screens};
use crate::scenes::{FirstScene, make_first_scene};
use crate::settings::{OutputChoice, OutputSettings, RunSettings};

/// The loopback that is ours by its label, else any that is free.
const AUTO: &str = "auto";

/// The outputs, and the scenes that they begin with, by their names.
type Opened = (Vec<Output>, Vec<(String, FirstScene)>);

/// Opens all of them.
///
/// # Errors
/// When one cannot be opened, or its scene cannot be made.
pub(super) fn open(
    settings: &RunSettings,
    wanted: SinkMode,
    scene_format: SceneFormat,
    screens: &Screens,
) -> anyhow::Result<Opened> {
    let all = one_for_each_of_ours(&settings.outputs);
    let is_alone = all.len() == 1;
    let (mut outputs, mut scenes) = (Vec::new(), Vec::new());
    for output in all {
        let (first, scene) =
            make_first_scene(&output.library, &settings.scene, scene_format, screens)?;
        let wanted = SinkMode { size: output.size.unwrap_or(wanted.size), ..wanted };
        let (sink, policy) = open_sink(&output, settings, wanted, is_alone)?;
        let mode = sink.as_ref().map_or(wanted, |sink| sink.mode());
        let painter = Painter::new(mode, scene)?.with_placeholder(settings.placeholder.clone());
        let counts_as_demand = output.opens_camera;
        let idle = if output.always_on { Idle::Keep } else { policy.idle };
        let policy = OutputPolicy { counts_as_demand, idle, ..policy };
        outputs.push(Output::new(output.name.clone(), painter, sink, policy));
        scenes.push((output.name, first));
    }
    Ok((outputs, scenes))
}

/// `auto` is every virtual camera of ours: each loopback, and one on PipeWire.
fn one_for_each_of_ours(outputs: &[OutputSettings]) -> Vec<OutputSettings> {
    let mut all = Vec::new();
    for output in outputs {
        if output.choice != OutputChoice::Device(AUTO.to_owned()) {
            all.push(output.clone());
            continue;
        }
        let is_named = |choice: &OutputChoice| {
            *choice != output.choice && outputs.iter().any(|other| other.choice == *choice)
        };
        let is_called = |name: &str| outputs.iter().any(|other| other.name == name);
        let ours = cameras_of_ours().into_iter().filter(|choice| !is_named(choice));
        for (index, choice) in ours.enumerate() {
            // The first keeps its name.
            let name = match &choice {
                _ if index == 0 => output.name.clone(),
                OutputChoice::Pipewire(name) if is_called("pipewire") => format!("pipewire:{name}"),
                OutputChoice::Pipewire(_) => "pipewire".to_owned(),
                OutputChoice::Device(node) => node.clone(),
                _ => continue,
            };
            all.push(OutputSettings { name, choice, ..output.clone() });
        }
    }
    all
}

/// The virtual cameras that are there now. If there is none, those that may come.
fn cameras_of_ours() -> Vec<OutputChoice> {
    // By its label, so that it is found again after the module was loaded anew.
    let loopback = OutputChoice::Device(AUTO.to_owned());
    let on_pipewire = OutputChoice::Pipewire(pipewire::NAME.to_owned());
    let mut cameras: Vec<_> = match own_loopbacks() {
        ours if ours.len() > 1 => {
            let nodes = ours.iter().map(|loopback| loopback.node.display().to_string());
            nodes.map(OutputChoice::Device).collect()
        }
        _ => match find_loopback(AUTO) {
            Ok(_) => vec![loopback.clone()],
            Err(DeviceError::NoneHere { .. }) => Vec::new(),
            Err(error) if pipewire::is_running() => {
                tracing::warn!("{error}; the camera is on PipeWire alone");
                Vec::new()
            }
            Err(_) => vec![loopback.clone()],
        },
    };
    if pipewire::is_running() {
        cameras.push(on_pipewire);
    } else if cameras.is_empty() {
        cameras.push(loopback);
        if pipewire::may_run() {
            cameras.push(on_pipewire);
        }
    }
    cameras
}

/// A sink, as far as it is there, and what its output means to the whole.
type OpenedSink = (Result<Box<dyn Sink>, DeviceError>, OutputPolicy);

fn open_sink(
    output: &OutputSettings,
    settings: &RunSettings,
    wanted: SinkMode,
    is_alone: bool,
) -> anyhow::Result<OpenedSink> {
    let on_loss = if is_alone { OnLoss::End } else { OnLoss::Drop };
    match &output.choice {
        OutputChoice::Pipewire(name) => {
            let mut opener = pipewire::opener(name, wanted);
            // PipeWire may be started later, and whoever has the name may go.
            let sink = opener.open().inspect_err(|error| {
                tracing::warn!("output: {error}; waiting for it");
            });
            Ok((sink, OutputPolicy::device(opener)))
        }
        OutputChoice::Null => Ok((Ok(open_null_sink(wanted)), OutputPolicy::recording(on_loss))),
        OutputChoice::File(target) => {
            let sink = open_recording(target, wanted, settings.unpaced)?;
            Ok((Ok(sink), OutputPolicy::recording(on_loss)))
        }
        OutputChoice::Device(name) => {
            let mut opener = LoopbackOpener::new(name.clone(), wanted.size, wanted.rate);
            let sink = match opener.open() {
                Ok(sink) => Ok(sink),
                // The module may be loaded later.
                Err(error @ DeviceError::NoneHere { .. }) if name == AUTO => {
                    tracing::warn!("{error}; or name a file with --output FILE; waiting for one");
                    Err(error)
                }
                Err(error @ DeviceError::NotFound { .. }) if settings.awaits_devices => {
                    tracing::warn!("{error}; waiting for it");
                    Err(error)
                }
                Err(error) => return Err(error.into()),
            };
            Ok((sink, OutputPolicy::device(opener)))
        }
    }
}

fn open_recording(
    target: &FileTarget,
    wanted: SinkMode,
    is_unpaced: bool,
) -> anyhow::Result<Box<dyn Sink>> {
    let sink = open_file_sink(target, wanted, None)?;
    let mode = sink.mode();
    tracing::info!("output: {}, {} {}", sink.name(), mode.size, mode.format);
    // As fast as it can be worked on means that nothing is passed over.
    Ok(if is_unpaced { sink } else { Box::new(QueuedSink::start(sink)?) })
}
