use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use greenroom_matte::onnx::{
    ModelFormat, OnnxDescription, OnnxEngine, OnnxOptions, Provider, model_format,
};
use greenroom_matte::{Isa, MatteError, MatteMaker, Model, RefineSteps, SecondOpinion};

use super::SettingsError;
use crate::cli::OnnxArgs;
use crate::config::ConfigFile;
use crate::models::{
    KnownModel, find_file, known_models, model_folder, package_of_model, read_description,
};
use crate::power::is_on_battery;

/// Which network finds the person. A later engine is a variant here and an arm in
/// [`build`](Self::build).
#[derive(Debug, Clone)]
pub enum ModelChoice {
    /// A built-in one.
    BuiltIn(Model),
    /// A built-in one, at the size that it was trained at.
    BuiltInAsTrained(Model),
    /// A user's TFLite file, read whole.
    TfLite(PathBuf, Vec<u8>),
    /// A user's ONNX file, with what is needed to run it.
    Onnx(Box<OnnxChoice>),
}

/// When a second opinion answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answers {
    /// When it has got round to it, and frames go on: for a camera.
    Late,
    /// Before the frame goes on, which waits: for a file.
    AtOnce,
}

/// An ONNX file, and how it is run.
#[derive(Debug, Clone)]
pub struct OnnxChoice {
    /// The file.
    pub path: PathBuf,
    /// How it is fed and read.
    pub description: OnnxDescription,
    /// What runs it.
    pub options: OnnxOptions,
}

impl ModelChoice {
    /// The model that `said` names, or else the configuration, or else the general one.
    ///
    /// # Errors
    /// One sentence when there is no such model, or it can be seen already that it cannot be run.
    pub fn new(said: Option<&str>, onnx: &OnnxArgs, config: &ConfigFile) -> anyhow::Result<Self> {
        let options = onnx_options(onnx, config)?;
        let said = said.filter(|said| !said.is_empty());
        Self::named(said.or(config.model.as_deref()).unwrap_or("general"), options)
    }

    /// The model that `text` names: a built-in one, a path, or a file of the user's folder.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn named(text: &str, options: OnnxOptions) -> anyhow::Result<Self> {
        if let Ok(model) = text.parse() {
            return Ok(ModelChoice::BuiltIn(model));
        }
        let path = model_file(text)?;
        match format_of(&path)? {
            ModelFormat::Onnx => {
                let description = read_description(&path)?;
                Ok(ModelChoice::Onnx(Box::new(OnnxChoice { path, description, options })))
            }
            ModelFormat::TfLite => {
                let bytes = std::fs::read(&path).map_err(|why| unreadable(&path, why))?;
                Ok(ModelChoice::TfLite(path, bytes))
            }
        }
    }

    /// The user's file.
    pub fn path(&self) -> Option<&Path> {
        match self {
            ModelChoice::BuiltIn(_) | ModelChoice::BuiltInAsTrained(_) => None,
            ModelChoice::TfLite(path, _) => Some(path),
            ModelChoice::Onnx(choice) => Some(&choice.path),
        }
    }

    /// The network, ready to run, with the steps of refinement that are its maker's. The general network, for those
    /// whose machine has time, has a second opinion. A user's model is [guarded](MatteMaker::guarded) by a built-in
    /// one. An ONNX file is read anew each time.
    ///
    /// # Errors
    /// When a user's file cannot be run.
    pub fn build(&self, steps: RefineSteps, answers: Answers) -> Result<MatteMaker, MatteError> {
        match self {
            ModelChoice::BuiltIn(model) => {
                let maker = match answers {
                    Answers::Late => MatteMaker::governable(*model, steps.quality)?,
                    Answers::AtOnce => MatteMaker::of_quality(*model, steps.quality)?,
                };
                let maker = maker.refined(steps)?;
                if !steps.second_opinion || *model != Model::General {
                    return Ok(maker);
                }
                let second_opinion = match answers {
                    Answers::Late => SecondOpinion::on_a_thread(is_on_battery)?,
                    Answers::AtOnce => SecondOpinion::at_once()?,
                };
                Ok(maker.with_second_opinion(second_opinion.paced(steps.quality)))
            }
            ModelChoice::BuiltInAsTrained(_) => self.build_unguarded()?.refined(steps),
            ModelChoice::TfLite(..) | ModelChoice::Onnx(_) => {
                let own = MatteMaker::of_quality(Model::DEFAULT, steps.quality)?.refined(steps)?;
                self.build_unguarded()?.refined(steps)?.guarded(own)
            }
        }
    }

    /// The bare network, ready to run: to be looked at, not to be shown.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_unguarded(&self) -> Result<MatteMaker, MatteError> {
        match self {
            ModelChoice::BuiltIn(model) => MatteMaker::new(*model),
            ModelChoice::BuiltInAsTrained(model) => {
                MatteMaker::from_tflite(&model.description().name, model.file())
            }
            ModelChoice::TfLite(path, bytes) => {
                MatteMaker::from_tflite(&path.display().to_string(), bytes)
            }
            ModelChoice::Onnx(choice) => {
                let OnnxChoice { path, description, options } = &**choice;
                let engine = OnnxEngine::open(path, description, options)?;
                MatteMaker::with_engine(Box::new(engine), Isa::best())
            }
        }
    }
}

/// The file that `text` means: a path, or a file of the user's folder.
///
/// # Errors
/// One sentence, for a known model with how to get its file.
pub fn model_file(text: &str) -> Result<PathBuf, SettingsError> {
    find_file(text).ok_or_else(|| no_such(text))
}

/// What the file at `path` is.
///
/// # Errors
/// One sentence for what is none, or cannot be read.
pub fn format_of(path: &Path) -> anyhow::Result<ModelFormat> {
    // Looked at before it is opened: a pipe would be waited for.
    let meta = std::fs::metadata(path).map_err(|why| unreadable(path, why))?;
    if !meta.is_file() {
        let why =
            std::io::Error::other(if meta.is_dir() { "it is a folder" } else { "it is no file" });
        return Err(unreadable(path, why).into());
    }
    Ok(model_format(path).map_err(|why| unreadable(path, why))??)
}

/// What the command line, the environment and the configuration say of ONNX Runtime.
///
/// # Errors
/// One sentence for a provider that is none, or no number of threads.
pub fn onnx_options(args: &OnnxArgs, config: &ConfigFile) -> Result<OnnxOptions, SettingsError> {
    let said = |path: &&PathBuf| !path.as_os_str().is_empty();
    let library = args.onnx_library.as_ref().filter(said).or(config.onnx.library.as_ref());
    let names =
        args.onnx_providers.as_ref().filter(|names| names.iter().any(|name| !name.is_empty()));
    let names = names.or(config.onnx.providers.as_ref()).into_iter().flatten();
    let providers = names.filter(|name| !name.is_empty()).map(|name| name.parse());
    let providers = providers.collect::<Result<Vec<Provider>, _>>();
    let threads = args.onnx_threads.map(i64::from).or(config.onnx.threads);
    let threads = threads.map(|threads| {
        let count = usize::try_from(threads).ok().filter(|count| *count <= 256);
        count.and_then(NonZeroUsize::new).ok_or(SettingsError::NotThreads(threads))
    });
    Ok(OnnxOptions {
        library: library.cloned(),
        providers: providers.map_err(SettingsError::NoSuchProvider)?,
        threads: threads.transpose()?,
    })
}

fn unreadable(path: &Path, why: std::io::Error) -> SettingsError {
    SettingsError::ModelUnreadable { path: path.to_owned(), why }
}

fn no_such(text: &str) -> SettingsError {
    let name = text.to_owned();
    if let Some(package) = package_of_model(text) {
        let next = format!("get it with `greenroom model get {}`", package.name);
        return SettingsError::ModelNotHere { name, next };
    }
    let known = known_models().into_iter().find(|known| known.description.name == text);
    match (known, model_folder()) {
        (Some(KnownModel { source, .. }), Some(folder)) => {
            let next = format!("get it ({source}) and put it into {}", folder.display());
            SettingsError::ModelNotHere { name, next }
        }
        _ => SettingsError::NoSuchModel(name),
    }
}
