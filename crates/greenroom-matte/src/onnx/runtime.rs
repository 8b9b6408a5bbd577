//! The one ONNX Runtime of this process: found and loaded when the first model needs it.

use std::any::Any;
use std::panic::{self, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use ort::environment::Environment;
use ort::logging::LogLevel;

use super::places;
use super::{OnnxOptions, Provider, elf, one_line};
use crate::MatteError;

/// The command that gets an ONNX Runtime where greenroom finds it, on any distribution.
pub const GET_RUNTIME: &str = "greenroom model get onnxruntime";

/// A library that is loaded stays so, and there can be only one of it.
static LOADED: Mutex<Option<Runtime>> = Mutex::new(None);

/// The linker's own names, for places that only its configuration knows.
const LINKER_NAMES: [&str; 2] = ["libonnxruntime.so", "libonnxruntime.so.1"];

/// An ONNX Runtime that is loaded.
#[derive(Clone)]
pub(super) struct Runtime {
    pub environment: Environment,
    pub library: PathBuf,
    pub version: String,
}

/// What is known of an ONNX Runtime.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuntimeInfo {
    /// Where it lies.
    pub library: PathBuf,
    /// Its version.
    pub version: String,
    /// What can do the work: what it was built for, not what this machine has.
    pub providers: Vec<Provider>,
}

/// Finds the ONNX Runtime that a model would be run with, and loads it.
///
/// # Errors
/// [`MatteError::NoRuntime`] or [`MatteError::BadRuntime`].
pub fn find_runtime(options: &OnnxOptions) -> Result<RuntimeInfo, MatteError> {
    let runtime = Runtime::load(options)?;
    let providers = Provider::ALL.into_iter().filter(|provider| provider.is_available()).collect();
    Ok(RuntimeInfo { library: runtime.library, version: runtime.version, providers })
}

impl Runtime {
    /// The one that is loaded, or else the one that `options` names, or else the first that works
    /// of those that are found.
    pub fn load(options: &OnnxOptions) -> Result<Self, MatteError> {
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(runtime) = &*loaded {
            return Ok(runtime.clone());
        }
        let runtime = quietly(|| match &options.library {
            Some(library) => Self::open(library).map_err(|reason| bad(library, reason)),
            None => Self::search(),
        })?;
        tracing::debug!(library = %runtime.library.display(), version = runtime.version, "ONNX Runtime");
        Ok(loaded.insert(runtime).clone())
    }

    fn search() -> Result<Self, MatteError> {
        let mut first_bad = None;
        for library in places::Environment::of_process().candidates() {
            match Self::open(&library) {
                Ok(runtime) => return Ok(runtime),
                Err(reason) => {
                    tracing::debug!("{}: {reason}", library.display());
                    first_bad.get_or_insert_with(|| bad(&library, reason));
                }
            }
        }
        let by_linker = LINKER_NAMES.iter().find_map(|name| Self::start(Path::new(name)).ok());
        let none_here = || first_bad.unwrap_or(MatteError::NoRuntime { get: GET_RUNTIME });
        by_linker.ok_or_else(none_here)
    }

    fn open(library: &Path) -> Result<Self, String> {
        let library = std::path::absolute(library).map_err(|error| error.to_string())?;
        elf::check(&library)?;
        Self::start(&library)
    }

    /// `ort` asserts where it does not expect a library to fail: here is the one place where that
    /// is caught.
    fn start(library: &Path) -> Result<Self, String> {
        let started = catch_unwind(|| {
            let builder = ort::init_from(library).map_err(|error| reason(&error))?;
            let environment = builder
                .with_name("greenroom")
                .with_telemetry(false)
                .with_logger(Arc::new(log))
                .build();
            let environment = environment.map_err(|error| one_line(error.message()))?;
            // It would format its every step, to have us throw it away.
            environment.set_log_level(LogLevel::Warning);
            Ok(Self { environment, library: library.to_owned(), version: version(library) })
        });
        started.unwrap_or_else(|panic| Err(panic_words(panic.as_ref())))
    }
}

/// Does `work`, during which a panic of this thread prints nothing: it becomes a sentence.
fn quietly<T>(work: impl FnOnce() -> T) -> T {
    let before = Arc::new(panic::take_hook());
    let (usual, here) = (Arc::clone(&before), thread::current().id());
    panic::set_hook(Box::new(move |info| {
        if thread::current().id() != here {
            usual(info);
        }
    }));
    let done = work();
    panic::set_hook(Box::new(move |info| before(info)));
    done
}

/// Its words are for us: what users must know, the errors of its calls tell.
fn log(level: LogLevel, _category: &str, _id: &str, place: &str, message: &str) {
    tracing::debug!(?level, place, "ONNX Runtime: {}", one_line(message));
}

fn bad(library: &Path, reason: String) -> MatteError {
    MatteError::BadRuntime { library: library.display().to_string(), reason, get: GET_RUNTIME }
}

fn reason(error: &ort::LoadDynamicError) -> String {
    match error {
        ort::LoadDynamicError::Dlopen { error, .. } => {
            format!("the linker refuses it ({})", one_line(&error.to_string()))
        }
        ort::LoadDynamicError::MissingApi { .. } => "it is no ONNX Runtime".to_owned(),
        ort::LoadDynamicError::InvalidVersionString => "it does not tell its version".to_owned(),
        ort::LoadDynamicError::BadVersion { version_str, .. } => format!(
            "its version is {}, and 1.{} or newer is needed",
            one_line(version_str),
            ort::MINOR_VERSION
        ),
    }
}

fn panic_words(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
    format!("it does not start ({})", one_line(words.unwrap_or("no reason given")))
}

/// From the name of the file, or from what it tells of its build.
fn version(library: &Path) -> String {
    let real = library.canonicalize().unwrap_or_else(|_| library.to_owned());
    let name = real.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let of_name = name.split_once(".so.").map(|(_, version)| version.to_owned());
    let of_name = of_name.filter(|version| version.contains('.'));
    of_name.or_else(|| of_build(ort::info())).unwrap_or_else(|| "of an unknown version".to_owned())
}

fn of_build(info: &str) -> Option<String> {
    let branch = info.split([',', ' ']).find_map(|word| word.strip_prefix("git-branch=rel-"))?;
    Some(branch.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_in_the_name_or_in_the_build() {
        let info =
            "ORT Build Info: git-branch=rel-1.20.1, git-commit-id=5c1b7cc, build type=Release";
        assert_eq!(of_build(info).as_deref(), Some("1.20.1"));
        assert_eq!(of_build("ORT Build Info: git-commit-id=5"), None);
        assert_eq!(version(Path::new("/nowhere/libonnxruntime.so.1.32.0")), "1.32.0");
    }

    #[test]
    fn what_is_no_onnx_runtime_is_refused_and_nothing_panics() {
        let folder = tempfile::tempdir().unwrap();
        let refusal = |path: &Path| {
            let options = OnnxOptions { library: Some(path.to_owned()), ..OnnxOptions::default() };
            let error = Runtime::load(&options).err().unwrap();
            assert!(matches!(error, MatteError::BadRuntime { .. }), "{error:?}");
            error.to_string()
        };
        let text = folder.path().join("text.so");
        std::fs::write(&text, "x".repeat(10_000)).unwrap();
        assert!(refusal(&text).contains("no shared library"));
        assert!(refusal(&folder.path().join("none.so")).contains("No such file"));
        assert!(refusal(folder.path()).contains("no file"));
        // A library, but another: the C library, wherever this program found it.
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let libc = maps.lines().find_map(|line| Some(&line[line.find('/')?..]));
        let libc = maps
            .lines()
            .filter_map(|line| Some(&line[line.find('/')?..]))
            .find(|path| path.contains("libc.so"))
            .or(libc)
            .unwrap();
        let said = refusal(Path::new(libc));
        assert!(said.contains("no ONNX Runtime"), "{said}");
        assert!(said.contains("greenroom model get onnxruntime"), "{said}");
    }
}
