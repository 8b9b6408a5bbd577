//! Who is the person?
//!
//! A [`MatteMaker`] takes a planar picture and gives its *alpha*: one byte a pixel at the model's
//! size, 0 = room, 255 = person. An [`Upscaler`] brings the alpha to any size.
//!
//! ```no_run
//! # use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};
//! # use greenroom_matte::{MatteMaker, Model, Upscaler};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let size = SizePx::new(1280, 720);
//! let picture = Frame::new(PixelFormat::I420, size, Colour::WEBCAM)?;
//! let mut maker = MatteMaker::new(Model::DEFAULT)?;
//! let mut upscaler = Upscaler::new();
//! let mut alpha = Frame::new(PixelFormat::Grey, size, Colour::JPEG)?;
//! let small = maker.matte(&picture.view())?;
//! upscaler.upscale(&small.view(), &mut alpha.view_mut())?;
//! # Ok(())
//! # }
//! ```
//!
//! A model is one [`Engine`] that is fed what its [`ModelDescription`] asks for. The built-in
//! models run on [`SelfieEngine`], greenroom's own engine for the MediaPipe selfie family. [`MulticlassEngine`] runs a
//! far larger network that is too slow for every frame. With the feature `onnx`, a user's own model runs on
//! `onnx::OnnxEngine`.
//!
//! Steady state asks for no memory, and everything runs on the caller's thread.
#![deny(unsafe_code)]
#![cfg_attr(
    not(any(test, feature = "fuzzing")),
    deny(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout)
)]

mod buffer;
mod counting;
mod denoise;
mod dense;
mod description;
mod engine;
mod error;
mod exposure;
mod face;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod guard;
mod kernels;
mod letterbox;
mod look;
mod maker;
mod map;
mod models;
mod multiclass;
#[cfg(feature = "onnx")]
pub mod onnx;
mod opinion;
mod planes;
mod prepare;
mod quality;
mod refine;
mod ring;
mod selfie;
mod tensor;
mod tflite;
mod upscale;
mod values;
mod yuv;

pub use description::{ChannelOrder, Layout, ModelDescription, Normalisation, OutputMeaning};
pub use engine::Engine;
pub use error::MatteError;
pub use face::{Face, FaceFinder};
pub use greenroom_frame::Isa;
pub use guard::{Comparison, RoomGuard};
pub use maker::{Effort, InferenceId, Input, MaskOrigin, MatteMaker};
pub use models::Model;
pub use multiclass::MulticlassEngine;
pub use opinion::SecondOpinion;
pub use prepare::Preparer;
pub use quality::Quality;
pub use refine::{Guide, KeyColour, People, PlainSteps, RefineSteps, ScreenKey};
pub use selfie::SelfieEngine;
pub use tensor::{AlphaMap, InputTensor};
pub use upscale::Upscaler;
