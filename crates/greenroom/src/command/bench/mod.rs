//! `greenroom bench`: how greenroom runs on this machine.

mod camera;
mod measure;
mod processor;
mod report;

use std::sync::Arc;

use anyhow::Context;
use greenroom_device::Codec;
use greenroom_frame::PixelFormat;
use greenroom_scene::BackgroundSpec;

use crate::cli::{BenchArgs, CameraFormat};
use crate::settings::BenchSettings;
use crate::terminal::{print, printable_json, say};
use camera::Pictures;
use report::{BenchReport, HEADER};

/// What four outputs show that have each a scene of its own.
const SCENES: [&str; 4] = ["blur", "#00b140", "drift", "stars"];

/// Measures every size at every quality, and tells.
pub(super) fn bench(args: &BenchArgs) -> anyhow::Result<()> {
    let settings = BenchSettings::new(args)?;
    let scenes = SCENES.map(|scene| if settings.own_scenes { scene } else { SCENES[0] });
    let scenes = &scenes[..settings.outputs.min(SCENES.len())];
    let backgrounds = scenes.iter().map(|scene| scene.parse::<BackgroundSpec>());
    let backgrounds = backgrounds.collect::<Result<Vec<_>, _>>().context("a built-in scene")?;
    let (processor, processors) = processor::processors();
    let camera_format = match settings.camera_format {
        CameraFormat::Mjpeg => Codec::Mjpeg,
        CameraFormat::Yuyv => Codec::Raw(PixelFormat::Yuyv),
        CameraFormat::Nv12 => Codec::Raw(PixelFormat::Nv12),
    };
    let mut report = BenchReport {
        version: env!("CARGO_PKG_VERSION"),
        processor,
        processors,
        fps: settings.rate.as_fps(),
        seconds: settings.time.as_secs_f64(),
        camera_format: camera_format.to_string(),
        backgrounds: scenes.iter().map(ToString::to_string).collect(),
        cases: Vec::new(),
    };
    if !args.json {
        tell_beginning(&report)?;
    }
    for &size in &settings.sizes {
        let pictures = Arc::new(Pictures::of_a_swaying_person(size, &settings)?);
        for &quality in &settings.qualities {
            let case = measure::measure(&pictures, size, quality, &settings, &backgrounds)?;
            if !args.json {
                say(&case)?;
            }
            report.cases.push(case);
        }
    }
    if args.json {
        let json = serde_json::to_string_pretty(&report).context("formatting")?;
        return print(&printable_json(&format!("{json}\n")));
    }
    say("")?;
    report.sentences().iter().try_for_each(say)
}

fn tell_beginning(report: &BenchReport) -> anyhow::Result<()> {
    let BenchReport { version, processor, processors, fps, seconds, camera_format, .. } = report;
    let count = if *processors == 1 {
        "one processor".to_owned()
    } else {
        format!("{processors} processors")
    };
    say(format_args!("greenroom {version} on {processor}, {count}"))?;
    say(format_args!(
        "A photograph of a person who sways stands for the camera ({camera_format}, {fps} frames a second); the room behind \
         is blurred. Each row takes {seconds} s and some for the start; let nothing else run."
    ))?;
    say("")?;
    say(HEADER)
}
