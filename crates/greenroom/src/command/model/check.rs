use std::path::Path;
use std::time::{Duration, Instant};

use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};
use greenroom_matte::onnx::{ModelFormat, OnnxEngine, OnnxOptions, Port, Signature, find_runtime};
use greenroom_matte::{Comparison, Layout, MatteError, MatteMaker, Model, RoomGuard};

use crate::models::{DescriptionError, empty_room, person, read_description, template};
use crate::settings::{ModelChoice, format_of, model_file};
use crate::terminal::{Lines, say};

/// What is measured ends after so many runs or so long, whichever comes first.
const RUNS: usize = 20;
const PATIENCE: Duration = Duration::from_secs(4);

/// `greenroom model check`.
pub(super) fn check(name: &str, options: OnnxOptions) -> anyhow::Result<()> {
    let built_in = name.parse::<Model>().is_ok();
    if !built_in {
        let path = model_file(name)?;
        let format = format_of(&path)?;
        let bytes = std::fs::metadata(&path).map(|meta| meta.len()).unwrap_or_default();
        let word = match format {
            ModelFormat::Onnx => "ONNX",
            ModelFormat::TfLite => "TFLite",
        };
        say(format_args!("{}: {word}, {bytes} bytes", path.display()))?;
        if format == ModelFormat::Onnx {
            check_description(&path, &options)?;
        }
    }
    let choice = ModelChoice::named(name, options)?;
    let mut maker = choice.build_unguarded()?;
    used_as(&maker)?;
    measure(&mut maker)?;
    try_out(&mut maker)
}

/// What the file tells of itself, and whether its description is whole.
fn check_description(path: &Path, options: &OnnxOptions) -> anyhow::Result<()> {
    let runtime = find_runtime(options)?;
    say(format_args!("ONNX Runtime {}, {}", runtime.version, runtime.library.display()))?;
    let signature = OnnxEngine::signature(path, options)?;
    let ports = |what: &str, ports: &[Port]| {
        say(what)?;
        ports.iter().try_for_each(|port| say(format_args!("  {port}")))
    };
    ports("inputs", &signature.inputs)?;
    ports("outputs", &signature.outputs)?;
    let beside = path.with_extension("toml");
    match read_description(path) {
        Ok(_) if beside.exists() => say(format_args!("description: {}", beside.display())),
        Ok(known) => say(format_args!("description: greenroom's own of {}", known.name)),
        Err(error) => {
            say_template(&error, &beside, &signature)?;
            Err(error.into())
        }
    }
}

fn say_template(
    error: &DescriptionError,
    beside: &Path,
    signature: &Signature,
) -> anyhow::Result<()> {
    let name = beside.file_name().unwrap_or_default().display();
    let what = match error {
        DescriptionError::None { .. } => "none; to begin with",
        _ => "not right; one that fits the file",
    };
    say(format_args!("description: {what}, {name}:"))?;
    let mut lines = Lines::default();
    lines.push_all(&format!("\n{}\n", template(signature)));
    lines.print()
}

fn used_as(maker: &MatteMaker) -> anyhow::Result<()> {
    let model = maker.description();
    let layout = match model.layout {
        Layout::Nchw => "planes",
        Layout::Nhwc => "interleaved",
    };
    let licence = model.licence.as_deref().unwrap_or("unknown");
    say(format_args!("licence: {licence}"))?;
    say(format_args!(
        "used with a picture of {} ({layout}, {:?}), an alpha of {} ({:?})",
        model.input_size, model.channel_order, model.output_size, model.output
    ))
}

/// Runs the model and the built-in one in turn, so that both meet the same machine.
fn measure(maker: &mut MatteMaker) -> anyhow::Result<()> {
    let mut general = MatteMaker::new(Model::General)?;
    let size = SizePx::new(1280, 720);
    let picture = Frame::new(PixelFormat::I420, size, Colour::WEBCAM)?;
    let began = Instant::now();
    let (mut its, mut ours) = (Vec::new(), Vec::new());
    // The first of each is warm-up.
    while its.len() <= RUNS && (its.len() < 2 || began.elapsed() < PATIENCE) {
        its.push(one_run(maker, &picture)?);
        ours.push(one_run(&mut general, &picture)?);
    }
    let runs = its.len() - 1;
    let (its, ours) = (median(&mut its[1..]), median(&mut ours[1..]));
    say(format_args!(
        "one inference takes {} here (median of {runs}); the built-in general model takes {}",
        milliseconds(its),
        milliseconds(ours)
    ))
}

fn one_run(maker: &mut MatteMaker, picture: &Frame) -> anyhow::Result<Duration> {
    maker.prepare(&picture.view())?;
    let began = Instant::now();
    maker.infer()?;
    Ok(began.elapsed())
}

/// Shows the model a person and an empty room, and tells what it makes of them.
fn try_out(maker: &mut MatteMaker) -> anyhow::Result<()> {
    let (with, without) = (compare(maker, &person()?)?, compare(maker, &empty_room()?)?);
    say(format_args!(
        "of a picture of a person it shows {:.1} % of the person and {:.1} % of what surely is room",
        100.0 * with.comparison.found / with.comparison.person.max(f32::MIN_POSITIVE),
        100.0 * with.comparison.room / with.sure_room.max(f32::MIN_POSITIVE),
    ))?;
    say(format_args!("of a picture of an empty room it shows {:.1} %", 100.0 * without.shown))?;
    let shows_room = with.comparison.shows_room() || without.comparison.shows_room();
    let misses_person = with.comparison.misses_person();
    let verdict = match (shows_room, misses_person) {
        (false, false) => "it agrees with the built-in model about both",
        (true, _) => {
            "warning: it takes room for a person; wherever greenroom's own network is sure of that, \
             the room is hidden, and the built-in model takes over"
        }
        (false, true) => {
            "warning: it does not find the person; the built-in model takes over from it. Most \
             often the description is wrong: look at range, mean and std, meaning, class"
        }
    };
    say(verdict)
}

/// What a model made of a picture.
struct Trial {
    comparison: Comparison,
    /// Share of the picture that the model shows.
    shown: f32,
    /// Share of the picture that the built-in network is sure is room.
    sure_room: f32,
}

fn compare(maker: &mut MatteMaker, picture: &Frame) -> Result<Trial, MatteError> {
    maker.reset();
    let mut guard = RoomGuard::new()?;
    guard.look(&picture.view())?;
    let alpha = maker.matte(&picture.view())?;
    let comparison = guard.compare(alpha);
    let shown = alpha.bytes().iter().filter(|&&alpha| alpha > 127).count();
    let shown = shown as f32 / alpha.bytes().len() as f32;
    let mut all = alpha.clone();
    all.bytes_mut().fill(255);
    Ok(Trial { comparison, shown, sure_room: guard.compare(&all).room })
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}
