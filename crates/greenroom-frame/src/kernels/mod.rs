//! Loops over rows of samples: a folder a kernel.
//!
//! `scalar.rs` is the reference and the only place where the arithmetic stands. [`dispatch`]
//! compiles the same bodies a second time with AVX2 switched on, for the compiler to vectorise
//! wider, and chooses at run time; so every machine gives the same bits. Only `scale` has AVX2
//! written by hand, in `avx2.rs`, with the same bits again. Measured at 1280x720, AVX2 against
//! plain x86-64: scaling down to 256x144 0.13x the time, up again 0.11x (0.40x and 0.46x without
//! the hand), packing to YUYV 0.42x, blending 0.82x (it is bound by memory: 0.12 ms, as a copy of
//! the plane).

pub(crate) mod blend;
pub(crate) mod dither;
pub(crate) mod edge;
pub(crate) mod fade;
pub(crate) mod mean;
pub(crate) mod pack;
pub(crate) mod recolour;
pub(crate) mod scale;
pub(crate) mod tint;

/// Instruction set that a kernel runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Isa {
    /// What every x86-64 (or other) machine has.
    Scalar,
    /// AVX2, present and checked.
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Isa {
    /// The best one of this machine. The detection is cached by the standard library.
    pub(crate) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            return Isa::Avx2;
        }
        Isa::Scalar
    }

    /// All that this machine has, for tests.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Isa::Scalar];
        if Self::best() != Isa::Scalar {
            all.push(Self::best());
        }
        all
    }
}

/// Writes the AVX2 twins of scalar kernels (`mod avx2`) and the dispatching functions.
///
/// `dispatch! { pub(crate) fn name(arg: Type, ...) }` makes `name(isa, arg, ...)`.
macro_rules! dispatch {
    ($($(#[$meta:meta])* fn $name:ident($($arg:ident: $type:ty),* $(,)?);)*) => {
        #[cfg(target_arch = "x86_64")]
        mod avx2 {
            #[allow(unused_imports)]
            use super::*;
            $(
                #[target_feature(enable = "avx2")]
                #[allow(clippy::too_many_arguments)]
                pub(super) fn $name($($arg: $type),*) {
                    super::scalar::$name($($arg),*);
                }
            )*
        }
        $(
            $(#[$meta])*
            #[allow(clippy::too_many_arguments)]
            pub(crate) fn $name(isa: $crate::kernels::Isa, $($arg: $type),*) {
                match isa {
                    $crate::kernels::Isa::Scalar => scalar::$name($($arg),*),
                    #[cfg(target_arch = "x86_64")]
                    // SAFETY: `Isa::Avx2` is made only by `Isa::best`, which has checked the CPU.
                    #[allow(unsafe_code)]
                    $crate::kernels::Isa::Avx2 => unsafe { avx2::$name($($arg),*) },
                }
            }
        )*
    };
}
pub(crate) use dispatch;
