//! What is wrong with greenroom's surroundings in one case.

use super::fake_ffmpeg::FakeFfmpeg;
use super::socket_fault::SocketFault;
use super::stderr_fault::StderrFault;

/// A fault, and what it may do to greenroom. Without anything else: no fault at all.
#[derive(Debug, Clone, Default)]
pub struct Fault {
    /// `kind/which`.
    pub name: String,
    pub stderr: StderrFault,
    /// Options of `prlimit`.
    pub limits: Vec<String>,
    /// Whether greenroom runs as a user of its own who is not root: some limits do not bind root.
    pub is_unprivileged: bool,
    pub ffmpeg: Option<FakeFfmpeg>,
    /// Whether FFmpeg is as it should be until greenroom is on air.
    pub is_late: bool,
    /// Space on the disk that files are written to, beside the old files; `None`: plenty.
    pub disk_bytes: Option<u64>,
    pub socket: SocketFault,
    pub effect: Effect,
}

/// What a fault may do to greenroom.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Effect {
    /// Nothing: all must work.
    #[default]
    None,
    /// What cannot be done is refused in one sentence.
    MayRefuse,
    /// What cannot be done must be refused in one sentence that contains the word.
    MustRefuse(&'static str),
}

impl Fault {
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    pub fn may_refuse(name: impl Into<String>) -> Self {
        Self { effect: Effect::MayRefuse, ..Self::new(name) }
    }
}
