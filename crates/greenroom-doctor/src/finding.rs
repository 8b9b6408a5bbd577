//! What is found.

use std::fmt;

use greenroom_setup::Command;
use greenroom_setup::plan::{Actor, Step};
use serde::Serialize;

/// Something that is wrong, or that cannot be decided.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which finding this is.
    pub id: FindingId,
    /// How bad it is.
    pub severity: Severity,
    /// Whether it is so.
    pub verdict: Verdict,
    /// What the user sees, in the user's words.
    pub symptom: String,
    /// Why that is so; if it cannot be decided, why not.
    pub cause: String,
    /// What helps.
    pub cure: String,
    /// The exact commands for that, in order, or the lines to change.
    pub commands: Vec<Instruction>,
    /// What `--fix` does about it.
    pub fix: Fix,
}

/// Whether a finding is so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is so.
    Found,
    /// It cannot be decided from here.
    Undecided,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// There is no virtual camera, or no picture in it.
    Error,
    /// Some program does not get the picture, or something of greenroom does not work.
    Warning,
    /// It works; this is good to know.
    Note,
}

/// What a finding is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// The kernel module v4l2loopback.
    Module,
    /// The virtual camera.
    VirtualCamera,
    /// Programs that show the virtual camera.
    Programs,
    /// The webcam.
    Webcam,
    /// greenroom itself.
    Greenroom,
}

/// Something that the user does: a command, or a change by hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", content = "what", rename_all = "snake_case")]
pub enum Instruction {
    /// Runs a command.
    Run(Command),
    /// Runs a command with root's rights.
    RunAsRoot(Command),
    /// Does something in a program, or adds a line to a file.
    ByHand(String),
}

impl Instruction {
    /// A command of words without spaces.
    pub(crate) fn run(words: &str) -> Self {
        Instruction::Run(Command::words(words))
    }

    /// A command of words without spaces, with root's rights.
    pub(crate) fn root(words: &str) -> Self {
        Instruction::RunAsRoot(Command::words(words))
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Instruction::Run(command) => write!(f, "{command}"),
            Instruction::RunAsRoot(command) => f.write_str(&command.as_root()),
            Instruction::ByHand(text) => f.write_str(text),
        }
    }
}

/// What `--fix` does about a finding, after it has asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Fix {
    /// Nothing: the user does it.
    ByHand,
    /// What `greenroom setup` does; `greenroom setup --undo` takes it back.
    Setup,
    /// Steps of set-up's kind; each says how it is undone.
    Steps {
        /// The steps, in order.
        steps: Vec<Step>,
    },
    /// Commands of other programs.
    Commands {
        /// Who runs them.
        actor: Actor,
        /// The commands, in order.
        commands: Vec<Command>,
        /// The commands that take them back, in order; none if nothing remains to be undone.
        undo: Vec<Command>,
    },
}

impl Finding {
    /// A finding that is so. Nothing can be done by `--fix`, unless that is added.
    pub(crate) fn new(
        id: FindingId,
        severity: Severity,
        symptom: impl Into<String>,
        cause: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self {
            id,
            severity,
            verdict: Verdict::Found,
            symptom: symptom.into(),
            cause: cause.into(),
            cure: cure.into(),
            commands: Vec::new(),
            fix: Fix::ByHand,
        }
    }

    /// The same, but it cannot be decided; `cause` says why.
    #[must_use]
    pub(crate) fn undecided(self) -> Self {
        Self { verdict: Verdict::Undecided, ..self }
    }

    #[must_use]
    pub(crate) fn command(mut self, command: Instruction) -> Self {
        self.commands.push(command);
        self
    }

    #[must_use]
    pub(crate) fn fixed_by(self, fix: Fix) -> Self {
        Self { fix, ..self }
    }

    /// `greenroom setup` cures it.
    #[must_use]
    pub(crate) fn by_setup(self) -> Self {
        self.command(Instruction::run("greenroom setup")).fixed_by(Fix::Setup)
    }

    /// `command` cures it and `undo` takes that back; both are shown and carried out by the user.
    #[must_use]
    pub(crate) fn by_user(self, command: Command, undo: Option<Command>) -> Self {
        self.command(Instruction::Run(command.clone())).fixed_by(commands(
            Actor::Program,
            command,
            undo,
        ))
    }

    /// The same with root's rights.
    #[must_use]
    pub(crate) fn by_root(self, command: Command, undo: Option<Command>) -> Self {
        self.command(Instruction::RunAsRoot(command.clone())).fixed_by(commands(
            Actor::Root,
            command,
            undo,
        ))
    }
}

fn commands(actor: Actor, command: Command, undo: Option<Command>) -> Fix {
    Fix::Commands { actor, commands: vec![command], undo: undo.into_iter().collect() }
}

/// Makes [`FindingId`] and its names of one list.
macro_rules! ids {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $area:ident;)*) => {
        /// Which finding this is. The names are stable: scripts may know them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FindingId {
            $($(#[$doc])* $variant,)*
        }

        impl FindingId {
            /// All of them, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(FindingId::$variant,)*];

            /// Its stable name.
            pub fn name(self) -> &'static str {
                match self { $(FindingId::$variant => $name,)* }
            }

            /// What it is about.
            pub fn area(self) -> Area {
                match self { $(FindingId::$variant => Area::$area,)* }
            }
        }
    };
}

ids! {
    /// This is a container, where much cannot be seen.
    Sandboxed = "sandboxed", Module;
    /// The package v4l2loopback-dkms is half installed.
    DkmsHalfInstalled = "dkms-half-installed", Module;
    /// v4l2loopback-dkms is installed on Ubuntu, where a kernel update may break it.
    DkmsOnUbuntu = "dkms-on-ubuntu", Module;
    /// The running kernel's modules are gone.
    KernelUpdated = "kernel-updated", Module;
    /// There are two files of the module for the running kernel.
    ModuleCopies = "module-copies", Module;
    /// Another version of the module is loaded than is installed.
    ModuleOutdated = "module-outdated", Module;
    /// The kernel's headers are missing, so that the module is not built.
    HeadersMissing = "headers-missing", Module;
    /// The module's sources do not build for the running kernel.
    ModuleTooOld = "module-too-old", Module;
    /// Secure Boot refuses the module.
    SecureBoot = "secure-boot", Module;
    /// Fedora's own repositories have no module.
    FedoraPackage = "fedora-package", Module;
    /// The system is an image without the module.
    AtomicSystem = "atomic-system", Module;
    /// NixOS' configuration does not have the module.
    NixOs = "nixos", Module;
    /// Two files give the module options.
    OptionsInTwoFiles = "options-in-two-files", Module;
    /// Only root may add nodes.
    ControlDeviceRootOnly = "control-device-root-only", Module;
    /// There is no virtual camera, for no other reason that was found.
    NoVirtualCamera = "no-virtual-camera", VirtualCamera;
    /// OBS loaded the module, with a node of its own alone.
    ObsTookModule = "obs-took-module", VirtualCamera;
    /// OBS does not look at nodes with such a high number.
    NodeHiddenFromObs = "node-hidden-from-obs", VirtualCamera;
    /// A program streams from the virtual camera, and others have to wait.
    VirtualCameraTaken = "virtual-camera-taken", VirtualCamera;
    /// Chromium and Zoom do not take the node for a camera.
    NoExclusiveCaps = "no-exclusive-caps", VirtualCamera;
    /// Programs that take the first camera take the virtual one.
    NodeHidesCamera = "node-hides-camera", VirtualCamera;
    /// The driver does not tell who watches.
    NoUsageEvent = "no-usage-event", VirtualCamera;
    /// Somebody watches who cannot be seen.
    UnseenWatcher = "unseen-watcher", VirtualCamera;
    /// A program was started before the camera was there.
    ProgramOlderThanCamera = "program-older-than-camera", Programs;
    /// A Flatpak may not open devices.
    FlatpakNoDevices = "flatpak-no-devices", Programs;
    /// A snap is not connected to cameras.
    SnapNoCamera = "snap-no-camera", Programs;
    /// The camera portal remembers a refusal.
    PortalDenied = "portal-denied", Programs;
    /// The desktop has no camera portal.
    NoCameraPortal = "no-camera-portal", Programs;
    /// A browser does not look for cameras of PipeWire.
    BrowserFlagOff = "browser-flag-off", Programs;
    /// A browser looks for cameras of PipeWire alone.
    BrowserInPipeWire = "browser-in-pipewire", Programs;
    /// PipeWire has no node for the virtual camera, or one with an old format.
    PipeWireNode = "pipewire-node", Programs;
    /// There is no webcam.
    NoCamera = "no-camera", Webcam;
    /// Another program uses the webcam.
    CameraBusy = "camera-busy", Webcam;
    /// The user may not open a camera.
    NoRights = "no-rights", Webcam;
    /// The webcam has only slow modes.
    SlowModes = "slow-modes", Webcam;
    /// The USB bus is too slow for the webcam.
    UsbBandwidth = "usb-bandwidth", Webcam;
    /// FFmpeg is not installed.
    FfmpegMissing = "ffmpeg-missing", Greenroom;
    /// FFmpeg cannot decode usual videos.
    FfmpegDecoder = "ffmpeg-decoder", Greenroom;
    /// The processor has no AVX2.
    NoAvx2 = "no-avx2", Greenroom;
    /// The configured model is not there.
    ModelMissing = "model-missing", Greenroom;
    /// The unit in the user's session is out of date.
    UserUnitStale = "user-unit-stale", Greenroom;
    /// The boot unit is out of date.
    BootUnitStale = "boot-unit-stale", Greenroom;
    /// Two greenrooms run.
    AnotherGreenroom = "another-greenroom", Greenroom;
    /// An older greenroom runs than is installed.
    GreenroomOutdated = "greenroom-outdated", Greenroom;
    /// greenroom is to run with the session and does not.
    ServiceNotRunning = "service-not-running", Greenroom;
}

impl Serialize for FindingId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl fmt::Display for FindingId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
