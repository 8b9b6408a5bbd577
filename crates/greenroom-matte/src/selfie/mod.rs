//! The engine for the MediaPipe selfie family: MobileNetV3-like, 106,413 parameters, 33 million
//! multiply-adds at 256x144 before the plan's algebra and 29 after.
//!
//! `crate::tflite` reads the file's operators (`operators` says which there are), `recognise` finds the `network` in
//! them (`walk` goes from operator to operator), `plan` packs that, `run` runs it row by row in `memory`, `crate::kernels` do the arithmetic.

mod memory;
mod network;
mod operators;
mod plan;
mod recognise;
mod run;
mod walk;

use std::borrow::Cow;

use greenroom_frame::SizePx;

use self::memory::Memory;
use self::network::Network;
use self::operators::Graph;
use self::plan::Plan;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::walk::VALUES_MAX;
use crate::{AlphaMap, Engine, InputTensor, Isa, MatteError, Model, ModelDescription, Quality};

/// greenroom's own engine for MediaPipe Selfie Segmentation, on one thread.
#[derive(Debug)]
pub struct SelfieEngine {
    description: ModelDescription,
    isa: Isa,
    other_sizes: Vec<SizePx>,
    /// For the description's size, and each of the others.
    ready: Vec<Ready>,
}

/// The network, ready for pictures of one size.
#[derive(Debug)]
struct Ready {
    size: SizePx,
    plan: Plan,
    memory: Memory,
}

impl Ready {
    fn new(network: &Network, isa: Isa) -> Self {
        let plan = Plan::new(network, isa);
        let size = SizePx::new(plan.picture.width as u32, plan.picture.height as u32);
        let memory = Memory::new(&plan);
        Self { size, plan, memory }
    }
}

impl SelfieEngine {
    /// The engine for the TFLite file in `bytes`; what it wants and gives is read from the file.
    /// `name` goes into the description and into messages. What bf16 would cost is not known of it, so it multiplies floats.
    ///
    /// # Errors
    /// [`MatteError::NotAModel`], [`MatteError::DamagedModel`] or [`MatteError::OtherNetwork`].
    pub fn from_tflite(name: &str, bytes: &[u8], isa: Isa) -> Result<Self, MatteError> {
        let isa = isa.in_floats();
        let ready = Ready::new(&Network::recognise(&Graph::read(name, bytes)?)?, isa);
        let description = ModelDescription::selfie(Cow::Owned(name.to_owned()), ready.size);
        Ok(Self::new(description, &[], vec![ready], isa))
    }

    /// The engine for a built-in model, at all [sizes](Model::sizes) that it is prepared for in balanced quality.
    ///
    /// # Errors
    /// As [`from_tflite`](Self::from_tflite); the built-in files pass.
    pub fn built_in(model: Model, isa: Isa) -> Result<Self, MatteError> {
        Self::of_quality(model, Quality::Balanced, isa)
    }

    /// The same in a given quality.
    ///
    /// # Errors
    /// As [`from_tflite`](Self::from_tflite); the built-in files pass.
    pub fn of_quality(model: Model, quality: Quality, isa: Isa) -> Result<Self, MatteError> {
        Self::of_sizes(model, model.sizes(quality), isa)
    }

    /// The same at these sizes, of which the first is the description's.
    ///
    /// # Errors
    /// As [`from_tflite`](Self::from_tflite); the built-in files pass at the sizes of the model.
    pub(crate) fn of_sizes(model: Model, sizes: &[SizePx], isa: Isa) -> Result<Self, MatteError> {
        let isa = match model {
            Model::General => isa,
            // What bf16 costs was measured for the general one only, on the sets of docs/cut.md.
            Model::Landscape => isa.in_floats(),
        };
        let description =
            ModelDescription { input_size: sizes[0], output_size: sizes[0], ..model.description() };
        let graph = Graph::read(&description.name, model.file())?;
        let at_size = |&size: &SizePx| {
            let network = Network::recognise(&graph)?.resized(size).ok_or_else(|| {
                graph.other_network(format!("its maps cannot be those of a picture of {size}"))
            })?;
            Ok(Ready::new(&network, isa))
        };
        let ready = sizes.iter().map(at_size).collect::<Result<_, MatteError>>()?;
        Ok(Self::new(description, &sizes[1..], ready, isa))
    }

    fn new(
        description: ModelDescription,
        other_sizes: &[SizePx],
        ready: Vec<Ready>,
        isa: Isa,
    ) -> Self {
        let (name, size) = (&description.name, description.input_size);
        tracing::debug!(model = %name, %size, %isa, "model loaded");
        Self { description, isa, other_sizes: other_sizes.to_vec(), ready }
    }
}

#[cfg(any(test, feature = "fuzzing"))]
impl SelfieEngine {
    /// Values of all maps that are kept.
    pub(crate) fn map_values(&self) -> usize {
        let maps = self.ready.iter().flat_map(|it| it.memory.maps.iter().chain(&it.memory.smalls));
        maps.map(|map| map.shape.len()).sum()
    }
}

impl Engine for SelfieEngine {
    fn description(&self) -> &ModelDescription {
        &self.description
    }

    fn other_sizes(&self) -> &[SizePx] {
        &self.other_sizes
    }

    fn infer(&mut self, input: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        let fits = |ready: &&mut Ready| {
            (input.size(), input.layout(), alpha.size())
                == (ready.size, self.description.layout, ready.size)
        };
        let Some(Ready { plan, memory, .. }) = self.ready.iter_mut().find(fits) else {
            // The description's size is among those that do not fit.
            return self.description.check(input, alpha);
        };
        plan.run(self.isa, memory, input.values(), alpha.values_mut());
        Ok(())
    }
}
