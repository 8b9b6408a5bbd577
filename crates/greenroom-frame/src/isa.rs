use std::fmt;
#[cfg(target_arch = "x86_64")]
use std::sync::LazyLock;

/// An instruction set that the kernels are written for and that this machine has. There is no way
/// to make one that the machine lacks, which is what the `unsafe` calls of the kernels rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Isa(IsaKind);

/// Which instruction set an [`Isa`] is. It proves nothing about the machine: there is no way back
/// from here to an [`Isa`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IsaKind {
    /// Plain Rust for every machine.
    Scalar,
    /// AVX2 with FMA.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// AVX-512 (F, BW, DQ and VL) beside AVX2 and FMA.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// [`Avx512`](Self::Avx512) with quick products of bf16.
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16,
}

impl Isa {
    /// Plain Rust: it runs everywhere, and the others are tested against it.
    pub const SCALAR: Self = Self(IsaKind::Scalar);

    /// AVX2 with FMA (x86-64 since 2013), if this machine has both.
    pub fn avx2() -> Option<Self> {
        // The standard library remembers what it has detected.
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Some(Self(IsaKind::Avx2));
        }
        None
    }

    /// AVX-512 beside [`avx2`](Self::avx2), if this machine has it. Kernels that gain nothing by it are those of AVX2.
    pub fn avx512() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
        {
            return Self::avx2().map(|_| Self(IsaKind::Avx512));
        }
        None
    }

    /// AVX512_BF16 beside [`avx512`](Self::avx512), if this machine has it and gains by it: AMD's processors since Zen 4.
    ///
    /// They add a vector of pairs of products (VDPBF16PS) in the time of a vector of single ones. Intel's with AVX512_BF16
    /// do it on one port, where they have two for single products (uops.info, Sapphire Rapids), so nothing would be
    /// gained.
    pub fn avx512_bf16() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx512bf16") && *IS_OF_AMD {
            return Self::avx512().map(|_| Self(IsaKind::Avx512Bf16));
        }
        None
    }

    /// The same without products of bf16: all are of floats.
    #[must_use]
    pub fn in_floats(self) -> Self {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            IsaKind::Avx512Bf16 => Self(IsaKind::Avx512),
            _ => self,
        }
    }

    /// The fastest one of this machine.
    pub fn best() -> Self {
        Self::avx512_bf16().or_else(Self::avx512).or_else(Self::avx2).unwrap_or(Self::SCALAR)
    }

    /// Every one of this machine, [`SCALAR`](Self::SCALAR) first, for tests.
    pub fn available() -> impl Iterator<Item = Self> {
        let others = [Self::avx2(), Self::avx512(), Self::avx512_bf16()];
        std::iter::once(Self::SCALAR).chain(others.into_iter().flatten())
    }

    /// Which one this is, to choose a kernel by.
    #[inline]
    pub fn kind(self) -> IsaKind {
        self.0
    }
}

/// Whether AMD made the processor: by CPUID leaf 0, which is slow in a virtual machine, and so asked once.
#[cfg(target_arch = "x86_64")]
static IS_OF_AMD: LazyLock<bool> = LazyLock::new(|| {
    // Safe to call in later versions of Rust than the oldest that builds this.
    #[allow(unsafe_code, unused_unsafe)]
    // SAFETY: every x86-64 processor has CPUID and leaf 0.
    let leaf = unsafe { std::arch::x86_64::__cpuid(0) };
    [leaf.ebx, leaf.edx, leaf.ecx].map(u32::to_le_bytes).as_flattened() == b"AuthenticAMD"
});

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self.0 {
            IsaKind::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            IsaKind::Avx2 => "AVX2+FMA",
            #[cfg(target_arch = "x86_64")]
            IsaKind::Avx512 => "AVX-512",
            #[cfg(target_arch = "x86_64")]
            IsaKind::Avx512Bf16 => "AVX-512+BF16",
        })
    }
}
