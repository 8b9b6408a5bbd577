//! The choice between the kernels of the instruction sets: the only place that makes it, for this
//! crate and for greenroom-matte.
//!
//! Both macros are exported for greenroom-matte alone. They expect a module `scalar` beside the
//! place where they stand.

/// Calls a kernel that is written once for each instruction set: `scalar::name` or the hand-written
/// `avx2::name`, both from beside the place where this stands.
///
/// `dispatch!(isa, unsafe name(argument, ...))` stands right below the asserts of what `avx2::name`
/// asks of its caller; whoever writes `unsafe` says that they are there. That function is compiled
/// for AVX2 and FMA, or for one of them, and for nothing more. `dispatch!(isa, unsafe name(...), avx512)` is for a kernel that
/// there is as `avx512::name`, too; `dispatch!(isa, unsafe name(...), avx512, bf16)` for one that there is as `bf16::name`
/// besides.
#[doc(hidden)]
#[macro_export]
macro_rules! dispatch {
    // Arguments are names, so that no expression of the caller's comes into the `unsafe` block.
    ($isa:ident, unsafe $kernel:ident($($argument:ident),* $(,)?)) => {
        $crate::dispatch!($isa, unsafe $kernel($($argument),*), avx2)
    };
    ($isa:ident, unsafe $kernel:ident($($argument:ident),* $(,)?), $widest:ident) => {
        $crate::dispatch!($isa, unsafe $kernel($($argument),*), $widest, $widest)
    };
    ($isa:ident, unsafe $kernel:ident($($argument:ident),* $(,)?), $widest:ident, $pairs:ident) => {
        match $crate::Isa::kind($isa) {
            $crate::IsaKind::Scalar => scalar::$kernel($($argument),*),
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            // SAFETY: an `Isa` of this kind is only made on a machine that has AVX2 and FMA, and
            // the caller has asserted just above what else the kernel asks for.
            $crate::IsaKind::Avx2 => unsafe { avx2::$kernel($($argument),*) },
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            // SAFETY: as above; an `Isa` of this kind is only made on a machine that has AVX-512, AVX2 and FMA.
            $crate::IsaKind::Avx512 => unsafe { $widest::$kernel($($argument),*) },
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code)]
            // SAFETY: as above; an `Isa` of this kind is only made on a machine that has AVX512_BF16 besides.
            $crate::IsaKind::Avx512Bf16 => unsafe { $pairs::$kernel($($argument),*) },
        }
    };
}

/// Makes kernels of bodies that are written once, in `scalar`: compiles each a second time with
/// AVX2 switched on, for the compiler to vectorise wider, and writes the function that chooses.
/// FMA is not switched on, and the compiler fuses nothing by itself, so both give the same bits.
///
/// `dispatch_vectorised! { pub(crate) fn name(argument: Type, ...); }` makes
/// `name(isa, argument, ...)` of `scalar::name(argument, ...)`, which is to be `#[inline(always)]`.
/// It asks for nothing: the twin of a safe function needs no more than AVX2, and that an
/// [`Isa`](crate::Isa) proves.
#[doc(hidden)]
#[macro_export]
macro_rules! dispatch_vectorised {
    ($($(#[$meta:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?);)*) => {
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
            $vis fn $name(isa: $crate::Isa, $($arg: $type),*) {
                $crate::dispatch!(isa, unsafe $name($($arg),*))
            }
        )*
    };
}
