use std::fmt;
use std::str::FromStr;

use ort::ep::{self, ExecutionProvider};
use ort::session::builder::SessionBuilder;

/// What does a model's arithmetic. A later one is a variant here and a line in each function.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Provider {
    /// NVIDIA's TensorRT.
    TensorRt,
    /// NVIDIA's CUDA.
    Cuda,
    /// AMD's MIGraphX.
    MiGraphX,
    /// AMD's ROCm.
    Rocm,
    /// Intel's OpenVINO.
    OpenVino,
    /// Any GPU, where the library has WebGPU built in.
    WebGpu,
    /// The processor: what is always there.
    Cpu,
}

impl Provider {
    /// Every provider.
    pub const ALL: [Self; 7] = [
        Self::TensorRt,
        Self::Cuda,
        Self::MiGraphX,
        Self::Rocm,
        Self::OpenVino,
        Self::WebGpu,
        Self::Cpu,
    ];

    /// Whether the library was built with it; the library must be loaded.
    pub(super) fn is_available(self) -> bool {
        let available = match self {
            Self::TensorRt => ep::TensorRT::is_available(),
            Self::Cuda => ep::CUDA::is_available(),
            Self::MiGraphX => ep::MIGraphX::is_available(),
            Self::Rocm => ep::ROCm::is_available(),
            Self::OpenVino => ep::OpenVINO::is_available(),
            Self::WebGpu => ep::WebGPU::is_available(),
            Self::Cpu => ep::CPU::is_available(),
        };
        available.unwrap_or(false)
    }

    /// Asks for it in the sessions of `builder`, after those that were asked for before.
    pub(super) fn register(self, builder: &mut SessionBuilder) -> ort::Result<()> {
        match self {
            Self::TensorRt => ep::TensorRT::default().register(builder),
            Self::Cuda => ep::CUDA::default().register(builder),
            Self::MiGraphX => ep::MIGraphX::default().register(builder),
            Self::Rocm => ep::ROCm::default().register(builder),
            Self::OpenVino => ep::OpenVINO::default().register(builder),
            Self::WebGpu => ep::WebGPU::default().register(builder),
            // It does what is left in any case.
            Self::Cpu => Ok(()),
        }
    }
}

impl fmt::Display for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::TensorRt => "tensorrt",
            Self::Cuda => "cuda",
            Self::MiGraphX => "migraphx",
            Self::Rocm => "rocm",
            Self::OpenVino => "openvino",
            Self::WebGpu => "webgpu",
            Self::Cpu => "cpu",
        })
    }
}

impl FromStr for Provider {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wanted = text.trim().to_lowercase();
        let found = Self::ALL.into_iter().find(|provider| provider.to_string() == wanted);
        found.ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(Self::to_string).collect();
            format!("there is no provider \"{text}\"; give one of {}", names.join(", "))
        })
    }
}
