use std::borrow::Cow;
use std::fmt;
use std::path::Path;

use greenroom_frame::SizePx;
use ort::memory::Allocator;
use ort::session::{
    HasSelectedOutputs, OutputSelector, RunOptions, Session, SessionInputValue, SessionOutputs,
};
use ort::value::{DynValue, Tensor, TensorRef};

use super::fit::{self, OnnxFit, fit};
use super::opening::Opening;
use super::reading::Reader;
use super::{OnnxDescription, OnnxOptions, OnnxOutput, Port, Signature, one_line};
use crate::{AlphaMap, Engine, InputTensor, MatteError, ModelDescription};

/// A user's model on ONNX Runtime.
///
/// The input goes in from where it lies and the memories go from one run to the next without being
/// copied; ONNX Runtime asks for what it needs of memory itself.
pub struct OnnxEngine {
    description: ModelDescription,
    network: Network,
    reader: Reader,
}

/// The session and what goes into it.
struct Network {
    model: String,
    session: Session,
    /// Which outputs are asked for.
    wanted: RunOptions<HasSelectedOutputs>,
    input: (String, [i64; 4]),
    output: String,
    /// Axes of the output, once the first run has told them: they must stay.
    axes: Option<Vec<i64>>,
    memories: Vec<Memory>,
    constants: Vec<(String, DynValue)>,
}

/// What a run hands to the next one.
struct Memory {
    input: String,
    output: String,
    zeros: DynValue,
    state: Option<DynValue>,
}

impl fmt::Debug for OnnxEngine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnnxEngine").field("model", &self.description).finish_non_exhaustive()
    }
}

impl OnnxEngine {
    /// The engine for the ONNX file at `path`, fed and read as `description` says. It is run twice
    /// here: what does not fit is told now, not on air.
    ///
    /// # Errors
    /// [`MatteError::NoRuntime`], [`MatteError::BadRuntime`], [`MatteError::DamagedModel`],
    /// [`MatteError::Unrunnable`] or [`MatteError::Mismatch`].
    pub fn open(
        path: &Path,
        description: &OnnxDescription,
        options: &OnnxOptions,
    ) -> Result<Self, MatteError> {
        let opening = Opening::new(path, options)?;
        let mut providers = opening.providers();
        loop {
            let made = opening
                .session(&providers)
                .and_then(|session| Self::new(path, session, description, &opening));
            match made {
                Ok(engine) => {
                    let ModelDescription { input_size, output_size, .. } = engine.description;
                    tracing::debug!(model = %path.display(), %input_size, %output_size, ?providers, "model loaded");
                    return Ok(engine);
                }
                Err(
                    MatteError::Unrunnable { reason, .. } | MatteError::RunFailed { reason, .. },
                ) if !providers.is_empty() => {
                    let failed = providers.remove(0);
                    tracing::warn!(
                        "{failed} cannot run this model ({reason}); going on without it"
                    );
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// What the file at `path` tells of itself.
    ///
    /// # Errors
    /// As [`open`](Self::open), but for the description.
    pub fn signature(path: &Path, options: &OnnxOptions) -> Result<Signature, MatteError> {
        Ok(Signature::of(&Opening::new(path, options)?.session(&[])?))
    }

    fn new(
        path: &Path,
        session: Session,
        wanted: &OnnxDescription,
        opening: &Opening<'_>,
    ) -> Result<Self, MatteError> {
        let model = path.display().to_string();
        let mismatch = |mismatch| MatteError::Mismatch { model: model.clone(), mismatch };
        let signature = Signature::of(&session);
        let fit = fit(wanted, &signature).map_err(mismatch)?;
        let port = signature.outputs.into_iter().find(|port| port.name == wanted.output.name);
        let port = port.expect("the fit has found it");
        let (input_size, layout) = (fit.input_size, wanted.input.layout);
        let network = Network::new(model.clone(), session, wanted, fit);
        let failed = |error: ort::Error| MatteError::RunFailed {
            model: model.clone(),
            reason: one_line(error.message()),
        };
        let mut network = network.map_err(failed)?;
        // What a plain grey picture gives tells the size of the map, if the file does not.
        let grey = vec![0.5; 3 * input_size.area_px() as usize];
        let reader = network.first_run(&grey, &wanted.output, &port, input_size);
        let reader = reader.map_err(|error| match error {
            FirstRun::Mismatch(words) => mismatch(words),
            FirstRun::Failed(reason) => {
                let version = opening.runtime.version.clone();
                MatteError::Unrunnable { model: model.clone(), version, reason }
            }
        })?;
        let description = ModelDescription {
            name: Cow::Owned(wanted.name.clone()),
            licence: wanted.licence.clone().map(Cow::Owned),
            input_size,
            layout,
            channel_order: wanted.input.channel_order,
            normalisation: wanted.input.normalisation,
            output_size: reader.size(),
            output: wanted.output.meaning,
        };
        Ok(Self { description, network, reader })
    }
}

/// Why the first run is the last.
enum FirstRun {
    Mismatch(String),
    Failed(String),
}

impl Network {
    fn new(
        model: String,
        session: Session,
        wanted: &OnnxDescription,
        fit: OnnxFit,
    ) -> ort::Result<Self> {
        let mut outputs = OutputSelector::no_default().with(&wanted.output.name);
        let mut memories = Vec::new();
        for (pair, shape) in wanted.recurrent.iter().zip(fit.memories) {
            // A memory may be what is read, too.
            if pair.output != wanted.output.name {
                outputs = outputs.with(&pair.output);
            }
            memories.push(Memory {
                input: pair.input.clone(),
                output: pair.output.clone(),
                zeros: Tensor::<f32>::new(&Allocator::default(), shape)?.into_dyn(),
                state: None,
            });
        }
        let mut constants = Vec::new();
        for (constant, (shape, is_integer)) in wanted.constants.iter().zip(fit.constants) {
            let value = match is_integer {
                true => {
                    let values: Vec<i64> =
                        constant.values.iter().map(|value| *value as i64).collect();
                    Tensor::from_array((shape, values))?.into_dyn()
                }
                false => Tensor::from_array((shape, constant.values.clone()))?.into_dyn(),
            };
            constants.push((constant.name.clone(), value));
        }
        Ok(Self {
            model,
            session,
            wanted: RunOptions::new()?.with_outputs(outputs),
            input: (wanted.input.name.clone(), fit.input_shape),
            output: wanted.output.name.clone(),
            axes: None,
            memories,
            constants,
        })
    }

    /// Runs twice, since a memory that does not fit shows in the second run, and makes the reader of
    /// what comes out.
    fn first_run(
        &mut self,
        input: &[f32],
        wanted: &OnnxOutput,
        port: &Port,
        input_size: SizePx,
    ) -> Result<Reader, FirstRun> {
        let failed = |error: ort::Error| FirstRun::Failed(one_line(error.message()));
        let mut axes = Vec::new();
        self.run(input, |output| {
            axes = output.shape().to_vec();
            Ok(())
        })
        .map_err(failed)?;
        let lengths: Vec<u64> = axes.iter().map(|axis| axis.unsigned_abs()).collect();
        let map = fit::map(wanted, port, &lengths).map_err(FirstRun::Mismatch)?;
        self.axes = Some(axes);
        self.run(input, |_| Ok(())).map_err(failed)?;
        self.forget();
        Ok(Reader::new(wanted, map, input_size))
    }

    /// One run: `read` gets the output, the memories keep theirs.
    fn run(
        &mut self,
        input: &[f32],
        read: impl FnOnce(&DynValue) -> ort::Result<()>,
    ) -> ort::Result<()> {
        let (name, shape) = &self.input;
        let picture = TensorRef::from_array_view((*shape, input))?;
        let mut feeds: Vec<(Cow<'_, str>, SessionInputValue<'_>)> =
            Vec::with_capacity(1 + self.memories.len() + self.constants.len());
        feeds.push((Cow::Borrowed(name), picture.into()));
        for Memory { input, zeros, state, .. } in &self.memories {
            let value = state.as_ref().unwrap_or(zeros);
            feeds.push((Cow::Borrowed(input), value.into()));
        }
        for (name, value) in &self.constants {
            feeds.push((Cow::Borrowed(name), value.into()));
        }
        let mut outputs: SessionOutputs<'_> = self.session.run_with_options(feeds, &self.wanted)?;
        let output = outputs.get(&self.output);
        read(output.ok_or_else(|| ort::Error::new("the output did not come"))?)?;
        for memory in &mut self.memories {
            memory.state = outputs.remove(&memory.output);
        }
        Ok(())
    }

    fn forget(&mut self) {
        for memory in &mut self.memories {
            memory.state = None;
        }
    }
}

impl Engine for OnnxEngine {
    fn description(&self) -> &ModelDescription {
        &self.description
    }

    fn infer(&mut self, input: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        let Self { description, network, reader } = self;
        description.check(input, alpha)?;
        let axes = network.axes.clone();
        let mut sound = false;
        let ran = network.run(input.values(), |output| {
            let (shape, values) = output.try_extract_tensor::<f32>()?;
            if axes.as_deref() != Some(&**shape) {
                return Err(ort::Error::new(format!("its output is {shape} all of a sudden")));
            }
            sound = reader.read(values, alpha.values_mut());
            Ok(())
        });
        let failed = |error: ort::Error| MatteError::RunFailed {
            model: network.model.clone(),
            reason: one_line(error.message()),
        };
        ran.map_err(failed)?;
        if !sound && !network.memories.is_empty() {
            tracing::debug!("{} gave what is no number; its memory is cleared", network.model);
            network.forget();
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.network.forget();
    }

    fn remembers(&self) -> bool {
        !self.network.memories.is_empty()
    }
}
