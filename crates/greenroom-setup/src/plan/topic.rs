//! What is left to the user: one clear sentence, and the next step.

use serde::Serialize;

/// Something that the user has to know or to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// What it is about.
    pub topic: Topic,
    /// One or two sentences.
    pub text: String,
    /// What the user can do next: commands to run or lines to add, in order.
    pub next: Vec<String>,
}

/// What an explanation is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// The kernel is the host's.
    Container,
    /// The kernel is Microsoft's.
    Wsl,
    /// The system is an image, in which no module can be installed.
    AtomicSystem,
    /// The system is made from a configuration.
    NixOs,
    /// There is no systemd.
    NoSystemd,
    /// `/etc` cannot be written.
    ReadOnlyEtc,
    /// No package of this distribution is known.
    UnknownDistribution,
    /// The kernel's release or the nodes cannot be read.
    UnknownKernel,
    /// The distribution has no prebuilt module for the running kernel.
    NoPrebuiltModule,
    /// The running kernel is not from the distribution.
    OtherKernel,
    /// The running kernel has no video support.
    KernelWithoutVideo,
    /// The distribution's module does not build for the running kernel.
    ModuleTooOld,
    /// The kernel loads only modules with a signature that this distribution cannot give.
    SignatureRequired,
    /// Other files have options for a module that takes one set of options for all.
    ForeignOptions,
    /// A node that set-up did not make has our label, and cannot be used.
    ForeignNode,
    /// A node that set-up did not make has our label, and is used.
    ForeignNodeUsed,
    /// A file that set-up would write is somebody else's.
    ForeignFile,
    /// Others than root can change the program that the boot unit would run.
    ProgramNotSafe,
    /// All numbers for our nodes are taken.
    NoFreeNumber,
    /// Nobody can give root's rights.
    NoAdministrator,
    /// A node is in use, and stays as it is until then.
    NodeInUse,
    /// The module is in use, and is loaded anew only with the system.
    ModuleInUse,
    /// The module may be refused for want of a signature.
    KeyImport,
    /// A package of the module was left half installed.
    BrokenDkms,
    /// greenroom's own service in the user's session.
    UserUnit,
    /// Something stays when set-up is undone.
    Stays,
}

impl Explanation {
    pub(crate) fn new(topic: Topic, text: impl Into<String>) -> Self {
        Self { topic, text: text.into(), next: Vec::new() }
    }

    #[must_use]
    pub(crate) fn next(mut self, step: impl Into<String>) -> Self {
        self.next.push(step.into());
        self
    }
}
