//! Loops over rows of samples: a folder a kernel.
//!
//! `scalar.rs` is the reference. [`dispatch_vectorised!`](crate::dispatch_vectorised) compiles the same bodies a second
//! time with AVX2 switched on, for the compiler to vectorise wider, and chooses at run time; so every machine
//! gives the same bits. `scale`, `edge` and `pack_mixed` have AVX2 written by hand, too, in `avx2.rs`,
//! with the same bits again, and choose with [`dispatch!`](crate::dispatch). Measured at 1280x720, AVX2 against
//! plain x86-64: scaling down to 256x144 0.13x the time, up again 0.11x (0.40x and 0.46x without
//! the hand), packing to YUYV 0.42x, blending 0.82x (it is bound by memory: 0.12 ms, as a copy of
//! the plane).

pub(crate) mod blend;
pub(crate) mod blocks;
pub(crate) mod boxes;
mod dispatch;
pub(crate) mod dither;
pub(crate) mod edge;
pub(crate) mod fade;
pub(crate) mod fetch;
pub(crate) mod mean;
pub(crate) mod pack;
pub(crate) mod pack_mixed;
pub(crate) mod recolour;
pub(crate) mod scale;
pub(crate) mod tint;
