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

/// The file with rounded weights, which the build script makes. A `static`, so that the program holds one copy of it.
static FILE: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/selfie_multiclass_256x256.tflite"));

/// greenroom's own engine for MediaPipe's multiclass selfie segmentation (`selfie_multiclass_256x256`), on one thread.
///
/// At 256x256 it takes about 25 times as long as the general network of [`SelfieEngine`](crate::SelfieEngine) (100 ms where
/// that takes 4), so it is no network for every frame. Its input is a picture in RGB, three planes, from -1 (black) to 1,
/// of 256x256 pixels, as it was trained, or of one of its [other sizes](Engine::other_sizes). Its output has the same size: 1 - the probability of the class "room", 0..=1. All other classes (hair,
/// skin, clothes, things that a person carries) count as the person.
#[derive(Debug)]
pub struct MulticlassEngine {
    description: ModelDescription,
    isa: Isa,
    plan: Plan,
    memory: Memory,
}

impl MulticlassEngine {
    /// Sizes that fit pictures of 16:9, 4:3, 3:2, 16:10 and 2.35:1. On 26 clips and 19 stills of real rooms the network sees persons
    /// better than in the square that 16:9 is stretched to (IoU 0.9483 and 0.9617; before 0.9458 and 0.9621, with a quarter
    /// more of the room in the stills), in 0.56 of the time. Twice as many pixels, 320x192, gain nothing.
    pub(crate) const OTHER_SIZES: &[SizePx] = &[
        SizePx::new(256, 144),
        SizePx::new(256, 192),
        SizePx::new(256, 176),
        SizePx::new(256, 160),
        SizePx::new(256, 112),
    ];

    /// The engine for the built-in file, on the fastest instruction set of this machine. Making it takes about as long
    /// as one inference; it keeps up to 31 MB of memory, and an inference asks for more only when the size of its picture
    /// changes.
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

    /// The TFLite file that is built in: 16 MB, float32, each weight rounded to the 11 significant bits of a 16-bit float,
    /// so that a package has half the size; Apache-2.0.
    pub fn file() -> &'static [u8] {
        FILE
    }

    /// The engine for the TFLite file in `bytes`, which must be that very network; its weights may differ. `name` goes
    /// into the description and into messages.
    ///
    /// # Errors
    /// [`MatteError::NotAModel`], [`MatteError::DamagedModel`] or [`MatteError::OtherNetwork`].
    pub fn from_tflite(name: &str, bytes: &[u8], isa: Isa) -> Result<Self, MatteError> {
        let plan = Plan::new(&Network::recognise(&Graph::read(name, bytes)?)?, isa);
        let description = describe(Cow::Owned(name.to_owned()));
        let size = description.input_size;
        let memory = Memory::new(&plan, Self::OTHER_SIZES[0]);
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

    fn other_sizes(&self) -> &[SizePx] {
        Self::OTHER_SIZES
    }

    /// Asks for memory when the size of the picture is another than the last one's.
    fn infer(&mut self, input: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        let size = input.size();
        let is_other = Self::OTHER_SIZES.contains(&size)
            && (input.layout(), alpha.size()) == (self.description.layout, size);
        if !is_other {
            self.description.check(input, alpha)?;
        }
        if self.memory.size() != size {
            self.memory = Memory::new(&self.plan, size);
        }
        self.plan.run(self.isa, &mut self.memory, input.values(), alpha.values_mut());
        Ok(())
    }
}
