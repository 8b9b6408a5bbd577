//! From a file to a session, with the providers that the user wants and the library has.

use std::path::Path;
use std::thread::available_parallelism;

use ort::ErrorCode;
use ort::session::Session;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};

use super::runtime::Runtime;
use super::{OnnxOptions, Provider, one_line};
use crate::MatteError;

/// More threads than this gain little on networks for video and take the cores of others.
const MOST_THREADS: usize = 4;

/// A file that ONNX Runtime is to run.
pub(super) struct Opening<'a> {
    pub path: &'a Path,
    pub options: &'a OnnxOptions,
    pub runtime: Runtime,
}

impl<'a> Opening<'a> {
    pub fn new(path: &'a Path, options: &'a OnnxOptions) -> Result<Self, MatteError> {
        Ok(Self { path, options, runtime: Runtime::load(options)? })
    }

    /// The providers that are wanted and that the library has; a line for each that it has not.
    pub fn providers(&self) -> Vec<Provider> {
        let (has, lacks): (Vec<Provider>, Vec<Provider>) =
            self.options.providers.iter().partition(|provider| provider.is_available());
        for provider in lacks {
            let library = self.runtime.library.display();
            tracing::warn!("the ONNX Runtime {library} has no {provider}; going on without it");
        }
        has.into_iter().filter(|provider| *provider != Provider::Cpu).collect()
    }

    /// A session with `providers`, the first before the next; the CPU does what they leave.
    ///
    /// # Errors
    /// [`MatteError::DamagedModel`] or [`MatteError::Unrunnable`].
    pub fn session(&self, providers: &[Provider]) -> Result<Session, MatteError> {
        let mut builder = self.builder().map_err(|error| self.refusal(&error))?;
        for provider in providers {
            if let Err(error) = provider.register(&mut builder) {
                tracing::warn!(
                    "{provider} does not start ({}); going on without it",
                    one_line(error.message())
                );
            }
        }
        builder.commit_from_file(self.path).map_err(|error| self.refusal(&error))
    }

    fn builder(&self) -> ort::Result<SessionBuilder> {
        let cores = available_parallelism().map_or(1, usize::from);
        let threads = self.options.threads.map_or(cores.min(MOST_THREADS), usize::from);
        Ok(Session::builder(&self.runtime.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(threads)?
            // Threads that spin between two frames would take the cores from everything else.
            .with_intra_op_spinning(false)?)
    }

    fn refusal(&self, error: &ort::Error) -> MatteError {
        let (model, reason) = (self.path.display().to_string(), one_line(error.message()));
        match error.code() {
            ErrorCode::InvalidProtobuf | ErrorCode::NoModel => {
                MatteError::DamagedModel { model, reason }
            }
            _ => MatteError::Unrunnable { model, version: self.runtime.version.clone(), reason },
        }
    }
}
