//! The engine for MediaPipe's multiclass selfie segmentation: inverted bottlenecks and MobileViT-v2 transformers, 4.1
//! million parameters, 4.1 thousand million multiply-adds before the plan's algebra and 3.5 after.
//!
//! `crate::tflite` reads the file's operators (`operators` says which there are), `recognise` finds the `network` in
//! them, `plan` packs that, `run`, `attention` and `decoder` run it in `memory`, `crate::kernels` do the
//! arithmetic.

mod attention;
mod classes;
mod decoder;
mod memory;
mod network;
mod operators;
mod plan;
mod recognise;
mod resize;
mod run;

use std::borrow::Cow;

use greenroom_frame::SizePx;

use self::memory::Memory;
use self::network::{Network, PICTURE};
use self::operators::Graph;
use self::plan::Plan;
use crate::{
    AlphaMap, ChannelOrder, Engine, InputTensor, Isa, Layout, MatteError, ModelDescription,
    Normalisation, OutputMeaning,
};

/// A `static`, so that the program holds one copy of it.
static FILE: &[u8] = include_bytes!(concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../../assets/models/selfie_multiclass_256x256.tflite"
));

/// greenroom's own engine for MediaPipe's multiclass selfie segmentation (`selfie_multiclass_256x256`), on one thread.
///
/// It takes about 25 times as long as the general network of [`SelfieEngine`](crate::SelfieEngine) (100 ms where that
/// takes 4), so it is no network for every frame. Its input is a square of 256x256 pixels in RGB, three planes, from -1
/// (black) to 1. Its output has the same size: 1 - the probability of the class "room", 0..=1. All other classes (hair,
/// skin, clothes, things that a person carries) count as the person.
#[derive(Debug)]
pub struct MulticlassEngine {
    description: ModelDescription,
    isa: Isa,
    plan: Plan,
    memory: Memory,
}

impl MulticlassEngine {
    /// The engine for the built-in file, on the fastest instruction set of this machine. Making it takes about as long
    /// as one inference; it keeps 31 MB of memory, and an inference asks for no more.
    ///
    /// # Errors
    /// As [`from_tflite`](Self::from_tflite); the built-in file passes.
    pub fn built_in() -> Result<Self, MatteError> {
        let engine = Self::from_tflite(NAME, FILE, Isa::best())?;
        Ok(Self { description: Self::built_in_description(), ..engine })
    }

    /// What the built-in file wants and gives.
    pub fn built_in_description() -> ModelDescription {
        ModelDescription {
            licence: Some(Cow::Borrowed("Apache-2.0")),
            ..describe(Cow::Borrowed(NAME))
        }
    }

    /// The TFLite file that is built in: 16 MB, float32, Apache-2.0.
    pub fn file() -> &'static [u8] {
        FILE
    }

    /// The engine for the TFLite file in `bytes`, which must be that very network; its weights may differ. `name` goes
    /// into the description and into messages.
    ///
    /// # Errors
    /// [`MatteError::NotAModel`], [`MatteError::DamagedModel`] or [`MatteError::OtherNetwork`].
    pub fn from_tflite(name: &str, bytes: &[u8], isa: Isa) -> Result<Self, MatteError> {
        let plan = Plan::new(&Network::recognise(&Graph::read(name, bytes)?)?);
        let memory = Memory::new(&plan);
        let description = describe(Cow::Owned(name.to_owned()));
        let size = description.input_size;
        tracing::debug!(model = name, %size, %isa, "model loaded");
        Ok(Self { description, isa, plan, memory })
    }
}

/// The name of the built-in file.
const NAME: &str = "selfie-multiclass";

fn describe(name: Cow<'static, str>) -> ModelDescription {
    let size = SizePx::new(PICTURE.width as u32, PICTURE.height as u32);
    ModelDescription {
        name,
        licence: None,
        input_size: size,
        layout: Layout::Nchw,
        channel_order: ChannelOrder::Rgb,
        normalisation: Normalisation::range(-1.0, 1.0),
        output_size: size,
        output: OutputMeaning::Probability,
    }
}

impl Engine for MulticlassEngine {
    fn description(&self) -> &ModelDescription {
        &self.description
    }

    fn infer(&mut self, input: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        self.description.check(input, alpha)?;
        self.plan.run(self.isa, &mut self.memory, input.values(), alpha.values_mut());
        Ok(())
    }
}
