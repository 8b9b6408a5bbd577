//! What the command line means: texts become checked values, once, before anything starts.

mod bench;
mod camera_choice;
mod checks;
mod error;
mod model;
mod old_environment;
mod output;

use std::path::{Path, PathBuf};
use std::time::Duration;

use greenroom_device::{FileTarget, FrameRate};
use greenroom_frame::SizePx;
use greenroom_matte::{People, RefineSteps};

use crate::cli::{RenderArgs, RunArgs, SceneArgs};
use crate::config::ConfigFile;
use crate::demo;
use crate::governor::CpuBudget;
use crate::masks::MaskServerUrl;
use crate::scenes::{SceneLibrary, SceneOptions, check_privacy};
use crate::session::OnLock;

use checks::{
    camera_choice, checked_placeholder, cpu_budget, frame_rate, mask_server, refuse_to_replace,
    same_target,
};

pub use bench::BenchSettings;
pub use camera_choice::CameraChoice;
pub(crate) use checks::idle_time;
pub use error::SettingsError;
pub use model::{Answers, ModelChoice, OnnxChoice, format_of, model_file, onnx_options};
pub use old_environment::{OldEnvironment, VARIABLES as OLD_VARIABLES};
pub use output::{OutputChoice, OutputSettings};

/// What is shown, and who finds the person.
#[derive(Debug)]
pub struct SceneSettings {
    /// The scenes there are, and the one to begin with.
    pub library: SceneLibrary,
    /// The network.
    pub model: ModelChoice,
    /// What is done about its mask.
    pub steps: RefineSteps,
    /// A background that cannot be shown yet is waited for, before the blurred room.
    pub awaits_background: bool,
    /// The configuration that was read, to be followed.
    pub config: Option<PathBuf>,
}

/// Height of a picture whose size is not known yet.
const USUAL_HEIGHT_PX: u32 = 720;

/// Settings of `greenroom run`, checked.
#[derive(Debug)]
pub struct RunSettings {
    /// Where frames come from.
    pub camera: CameraChoice,
    /// Where they go: at least one.
    pub outputs: Vec<OutputSettings>,
    /// Size to ask of the camera.
    pub size: SizePx,
    /// Rate to ask of the camera.
    pub rate: FrameRate,
    /// When to stop by itself.
    pub stop_after: Option<Duration>,
    /// How long after the last watcher the camera is closed.
    pub idle_after: Duration,
    /// What becomes of the picture when the session is locked.
    pub on_lock: OnLock,
    /// Less is done when frames come late, or the budget is used up.
    pub is_governed: bool,
    /// How much processor time may be used.
    pub cpu_budget: Option<CpuBudget>,
    /// A file as the camera is read as fast as it can be worked on.
    pub unpaced: bool,
    /// Devices that are named and not there are waited for: they were named in a service's file,
    /// by nobody who sits at a keyboard.
    pub awaits_devices: bool,
    /// The user's own placeholder.
    pub placeholder: Option<PathBuf>,
    /// Where to answer questions, if not at the usual place.
    pub socket: Option<PathBuf>,
    /// Who finds the person elsewhere.
    pub mask_server: Option<MaskServerUrl>,
    /// What is shown.
    pub scene: SceneSettings,
}

/// Settings of `greenroom render`, checked.
#[derive(Debug)]
pub struct RenderSettings {
    /// The video to read.
    pub input: PathBuf,
    /// Where the composed video goes.
    pub output: FileTarget,
    /// Where the matte goes.
    pub matte: Option<FileTarget>,
    /// The video's sound goes along.
    pub keeps_sound: bool,
    /// What is shown.
    pub scene: SceneSettings,
}

impl SceneSettings {
    fn new(
        args: &SceneArgs,
        old: Option<&OldEnvironment>,
        config: ConfigFile,
        path: Option<PathBuf>,
        height_px: u32,
    ) -> anyhow::Result<Self> {
        let here = std::env::current_dir().unwrap_or_default();
        let scene = args.scene.clone().or(config.scene.clone());
        let mut options = args.options.clone();
        if let Some(effects) = &mut options.effects {
            effects.retain(|text| !text.is_empty());
        }
        let mut options = options.without_empty();
        if scene.is_none() {
            // Scenes of the configuration have its look already.
            options.look = options.look.or_else(|| config.look.clone());
        }
        let model = ModelChoice::new(args.model.as_deref(), &args.onnx, &config)?;
        let awaits_background = old.is_some() && options.background.is_none();
        let old = old.map(|old| old.scene_options(scene.is_some())).unwrap_or_default();
        let options = options.over(&old).located_in(&here);
        let steps = config.cut;
        if steps.key.is_some() && steps.people == People::Main {
            return Err(SettingsError::MainPersonOfKey.into());
        }
        let library = SceneLibrary::new(config.scenes, scene, &options, steps.people)?;
        // What has no meaning is reported before anything starts; a background may come later.
        let background = library.options().background.clone().filter(|_| !awaits_background);
        let spec = SceneOptions { background, ..library.options().clone() }.check()?;
        check_privacy(&spec, steps.people, height_px)?;
        Ok(Self { library, model, steps, awaits_background, config: path })
    }

    /// The files that are read for it, and for its other scenes.
    fn reads(&self) -> Vec<PathBuf> {
        let model = self.model.path().map(Path::to_owned);
        self.library.files().into_iter().chain(model).chain(self.config.clone()).collect()
    }
}

/// The configuration that `named`, or else the usual place, has; none where none lies.
pub(crate) fn config(named: Option<&Path>) -> anyhow::Result<(ConfigFile, Option<PathBuf>)> {
    let Some(path) = named.map(Path::to_owned).or_else(ConfigFile::usual_path) else {
        return Ok((ConfigFile::default(), None));
    };
    // At the usual place it may be made later: it is followed from then on.
    let config = match named.is_some() || path.exists() {
        true => ConfigFile::read(&path)?,
        false => ConfigFile::default(),
    };
    tracing::debug!("configuration: {}", path.display());
    Ok((config, Some(std::path::absolute(&path).unwrap_or(path))))
}

impl RunSettings {
    /// Checks the raw arguments.
    ///
    /// # Errors
    /// One sentence for the first word that makes no sense.
    pub fn new(args: &RunArgs) -> anyhow::Result<Self> {
        let (config, path) = config(args.scene.config.as_deref())?;
        Self::over(args, OldEnvironment::of_this_process().as_ref(), config, path)
    }

    /// Checks the raw arguments over the old environment, and both over a configuration, which lies
    /// at `path`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn over(
        args: &RunArgs,
        old: Option<&OldEnvironment>,
        config: ConfigFile,
        path: Option<PathBuf>,
    ) -> anyhow::Result<Self> {
        let config = old.map_or(config.clone(), |old| old.over(config));
        let stop_after = args.stop_after.map(|seconds| {
            let time = Duration::try_from_secs_f64(seconds).ok().filter(|time| !time.is_zero());
            time.ok_or(SettingsError::NotATime(seconds))
        });
        let over = |said: &Option<String>, config: &Option<String>, usual: &str| {
            said.as_ref().or(config.as_ref()).map_or_else(|| usual.to_owned(), String::clone)
        };
        let placeholder = args.placeholder.as_ref().or(config.placeholder.as_ref());
        let size: SizePx = over(&args.size, &config.size, "1280x720").parse()?;
        let outputs = (args.output.clone(), config.outputs.clone());
        let config_on_lock = config.privacy.on_lock;
        let always_on = args.always_on.or(config.always_on).unwrap_or(false);
        let (camera, rate) = (
            camera_choice(&over(&args.camera, &config.camera, "auto"))?,
            frame_rate(&over(&args.fps, &config.fps, "30"))?,
        );
        let idle_after = idle_time(args.idle_after.or(config.idle_after).unwrap_or(3.0))?;
        let mask_server = mask_server(args.mask_server.as_ref().or(config.mask_server.as_ref()))?;
        let cpu_budget = cpu_budget(args.cpu_budget.as_ref().or(config.cpu_budget.as_ref()))?;
        let placeholder = placeholder.map(|path| checked_placeholder(path)).transpose()?;
        let scene = SceneSettings::new(&args.scene, old, config, path, size.height_px)?;
        let settings = Self {
            camera,
            outputs: OutputSettings::all(
                outputs.0,
                outputs.1,
                always_on,
                (&scene, size.height_px),
            )?,
            size,
            rate,
            stop_after: stop_after.transpose()?,
            idle_after,
            on_lock: args.on_lock.or(config_on_lock).unwrap_or_default(),
            is_governed: !args.no_governor && !args.unpaced,
            cpu_budget,
            unpaced: args.unpaced,
            awaits_devices: old.is_some(),
            placeholder,
            socket: args.socket.clone(),
            mask_server,
            scene,
        };
        if settings.mask_server.is_some() && settings.scene.steps.people == People::Main {
            return Err(SettingsError::MainPersonOfServer.into());
        }
        let reads = settings.reads();
        for target in settings.outputs.iter().filter_map(OutputSettings::target) {
            refuse_to_replace(target, &reads)?;
            // Before all work, of which it would be the end.
            target.check(false)?;
        }
        Ok(settings)
    }

    /// The files that are read, and that are still needed afterwards.
    pub fn reads(&self) -> Vec<PathBuf> {
        let camera = match &self.camera {
            CameraChoice::File(path) => Some(path.clone()),
            _ => None,
        };
        // All outputs show what is in that library.
        camera.into_iter().chain(self.placeholder.clone()).chain(self.scene.reads()).collect()
    }

    /// The files that are written.
    pub fn recordings(&self) -> Vec<PathBuf> {
        let targets = self.outputs.iter().filter_map(OutputSettings::target);
        let path = |target: &FileTarget| match target {
            FileTarget::Path(path) => Some(path.clone()),
            FileTarget::Stdout => None,
        };
        targets.filter_map(path).collect()
    }
}

impl RenderSettings {
    /// Checks the raw arguments.
    ///
    /// # Errors
    /// One sentence for the first word that makes no sense.
    pub fn new(args: &RenderArgs) -> anyhow::Result<Self> {
        let input =
            if args.input == Path::new("demo") { demo::clip()? } else { args.input.clone() };
        let output = FileTarget::parse(&args.output);
        let matte = args.matte.as_deref().map(FileTarget::parse);
        let targets = || [Some(&output), matte.as_ref()].into_iter().flatten();
        targets().try_for_each(|target| refuse_to_replace(target, std::slice::from_ref(&input)))?;
        if matte.as_ref().is_some_and(|matte| same_target(matte, &output)) {
            return Err(SettingsError::SameTarget(output.to_string()).into());
        }
        output.check(false)?;
        matte.as_ref().map_or(Ok(()), |matte| matte.check(true))?;
        let (config, path) = config(args.scene.config.as_deref())?;
        // The video's own size is looked at when it is open.
        let scene = SceneSettings::new(&args.scene, None, config, path, USUAL_HEIGHT_PX)?;
        let reads = scene.reads();
        targets().try_for_each(|target| refuse_to_replace(target, &reads))?;
        Ok(Self { input, output, matte, keeps_sound: !args.no_sound, scene })
    }
}

#[cfg(test)]
mod tests;
