//! The engine for the MediaPipe selfie family: MobileNetV3-like, 106,413 parameters, 33 million
//! multiply-adds at 256x144 before the plan's algebra and 29 after.
//!
//! `crate::tflite` reads the file's operators (`operators` says which there are), `recognise` finds the `network` in
//! them, `plan` packs that, `run` runs it row by row in `memory`, `crate::kernels` do the arithmetic.

mod memory;
mod network;
mod operators;
mod plan;
mod recognise;
mod run;

use std::borrow::Cow;

use greenroom_frame::SizePx;

use self::memory::Memory;
use self::network::Network;
use self::operators::Graph;
use self::plan::Plan;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use self::recognise::VALUES_MAX;
use crate::{AlphaMap, Engine, InputTensor, Isa, MatteError, Model, ModelDescription};

/// greenroom's own engine for MediaPipe Selfie Segmentation, on one thread.
#[derive(Debug)]
pub struct SelfieEngine {
    description: ModelDescription,
    isa: Isa,
    plan: Plan,
    memory: Memory,
}

impl SelfieEngine {
    /// The engine for the TFLite file in `bytes`; what it wants and gives is read from the file.
    /// `name` goes into the description and into messages.
    ///
    /// # Errors
    /// [`MatteError::NotAModel`], [`MatteError::DamagedModel`] or [`MatteError::OtherNetwork`].
    pub fn from_tflite(name: &str, bytes: &[u8], isa: Isa) -> Result<Self, MatteError> {
        let network = Network::recognise(&Graph::read(name, bytes)?)?;
        Ok(Self::new(name, &network, isa))
    }

    /// The engine for a built-in model, at the size that its description tells.
    ///
    /// # Errors
    /// As [`from_tflite`](Self::from_tflite); the built-in files pass.
    pub fn built_in(model: Model, isa: Isa) -> Result<Self, MatteError> {
        let description = model.description();
        let graph = Graph::read(&description.name, model.file())?;
        let size = description.input_size;
        let network = Network::recognise(&graph)?.resized(size).ok_or_else(|| {
            graph.other_network(format!("its maps cannot be those of a picture of {size}"))
        })?;
        let engine = Self::new(&description.name, &network, isa);
        Ok(Self { description, ..engine })
    }

    fn new(name: &str, network: &Network, isa: Isa) -> Self {
        let plan = Plan::new(network);
        let size = SizePx::new(plan.picture.width as u32, plan.picture.height as u32);
        tracing::debug!(model = name, %size, %isa, "model loaded");
        let description = ModelDescription::selfie(Cow::Owned(name.to_owned()), size);
        let memory = Memory::new(&plan);
        Self { description, isa, plan, memory }
    }
}

#[cfg(any(test, feature = "fuzzing"))]
impl SelfieEngine {
    /// Values of all maps that are kept.
    pub(crate) fn map_values(&self) -> usize {
        self.memory.maps.iter().chain(&self.memory.smalls).map(|map| map.values.len()).sum()
    }
}

impl Engine for SelfieEngine {
    fn description(&self) -> &ModelDescription {
        &self.description
    }

    fn infer(&mut self, input: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        self.description.check(input, alpha)?;
        self.plan.run(self.isa, &mut self.memory, input.values(), alpha.values_mut());
        Ok(())
    }
}
