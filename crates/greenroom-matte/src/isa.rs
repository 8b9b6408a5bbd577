use std::fmt;

/// An instruction set that the kernels are written for and that this machine has. There is no way
/// to make one that the machine lacks, which is what the `unsafe` calls of the kernels rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Isa(Kind);

/// See [`Isa`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Scalar,
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Isa {
    /// Plain Rust: runs everywhere, and what the others are tested against.
    pub const SCALAR: Self = Self(Kind::Scalar);

    /// AVX2 with FMA (x86-64 since 2013), if this machine has them.
    pub fn avx2() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Some(Self(Kind::Avx2));
        }
        None
    }

    /// The fastest one of this machine.
    pub fn best() -> Self {
        Self::avx2().unwrap_or(Self::SCALAR)
    }

    /// Every one of this machine, for tests.
    pub fn available() -> impl Iterator<Item = Self> {
        [Some(Self::SCALAR), Self::avx2()].into_iter().flatten()
    }

    pub(crate) fn kind(self) -> Kind {
        self.0
    }
}

impl fmt::Display for Isa {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self.0 {
            Kind::Scalar => "scalar",
            #[cfg(target_arch = "x86_64")]
            Kind::Avx2 => "AVX2+FMA",
        })
    }
}
