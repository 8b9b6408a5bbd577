//! The steps of a plan.

use std::path::PathBuf;

use serde::Serialize;

use crate::Command;
use crate::facts::PackageManager;

/// A step of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What is done.
    pub action: Action,
    /// Why, in a sentence without a full stop.
    pub why: String,
    /// Who does it.
    pub actor: Actor,
    /// When it is done.
    pub condition: Condition,
    /// How it is seen afterwards that it was done.
    pub check: Check,
    /// How it is undone, by `--undo` and when a later step fails.
    pub undo: Undo,
}

/// Who does a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// The helper, with root's rights.
    Root,
    /// The program, with the user's rights.
    Program,
    /// The person at the keyboard: no program can do it.
    Person,
}

/// When a step is done. Which version of the module a distribution has is sometimes known only when
/// it is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// In any case.
    Always,
    /// If the module is of 0.13 or later, which adds nodes at run time.
    ModuleIsDynamic,
    /// If the module is older than 0.13, which makes its nodes when it is loaded.
    ModuleIsFixed,
}

/// Whose service manager has a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitScope {
    /// The system's.
    System,
    /// The user's.
    User,
}

/// What a step does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Action {
    /// Makes a repository known to the package manager.
    AddRepository {
        /// Its name, for people.
        name: String,
        /// The commands, in order.
        commands: Vec<Command>,
    },
    /// Installs packages.
    InstallPackages {
        /// The package manager.
        manager: PackageManager,
        /// The packages.
        packages: Vec<String>,
        /// The commands, in order.
        commands: Vec<Command>,
    },
    /// Removes packages that set-up had installed.
    RemovePackages {
        /// The packages.
        packages: Vec<String>,
        /// The command.
        command: Command,
    },
    /// Makes the key with which modules are signed on this machine.
    MakeKey {
        /// Where its certificate comes to be.
        certificate: PathBuf,
        /// The command.
        command: Command,
    },
    /// Builds the module for the running kernel.
    BuildModule {
        /// The command.
        command: Command,
    },
    /// Writes a file.
    WriteFile {
        /// The file.
        path: PathBuf,
        /// All of its contents.
        content: String,
        /// Its permissions.
        mode: u32,
    },
    /// Removes a file of ours, and the folder if it is ours alone and empty.
    RemoveFile {
        /// The file.
        path: PathBuf,
    },
    /// Enables a unit.
    EnableUnit {
        /// The unit.
        unit: String,
        /// Whose.
        scope: UnitScope,
        /// The commands, in order.
        commands: Vec<Command>,
    },
    /// Stops greenroom's own service for a moment; a later step starts it again.
    StopService {
        /// The command.
        command: Command,
    },
    /// Starts greenroom's own service again.
    StartService {
        /// The command.
        command: Command,
    },
    /// Disables a unit.
    DisableUnit {
        /// The unit.
        unit: String,
        /// Whose.
        scope: UnitScope,
        /// The command.
        command: Command,
    },
    /// Loads the module, whose options make the nodes.
    LoadModule {
        /// The commands, in order.
        commands: Vec<Command>,
    },
    /// Unloads the module, which nobody uses.
    UnloadModule {
        /// The command.
        command: Command,
    },
    /// Adds nodes at run time.
    AddNodes {
        /// The nodes.
        nodes: Vec<NewNode>,
        /// The command, which adds all that are missing.
        command: Command,
    },
    /// Removes a node of ours at run time (the control device's ioctl 0x4C81).
    RemoveNode {
        /// N of `/dev/videoN`.
        number: u32,
    },
    /// Has the firmware trust the key with which the module is signed.
    ImportKey {
        /// The key's certificate.
        certificate: PathBuf,
        /// What the person does, in order.
        instructions: Vec<String>,
    },
    /// Restarts the computer.
    Restart,
}

/// A node that is added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewNode {
    /// N of `/dev/videoN`.
    pub number: u32,
    /// The name under which programs list it.
    pub label: String,
}

/// How it is seen that a step was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Check {
    /// A file is there.
    FileIsThere {
        /// The file.
        path: PathBuf,
    },
    /// A file has the contents and permissions that were written.
    FileIsAsWritten {
        /// The file.
        path: PathBuf,
    },
    /// A file is not there.
    FileIsGone {
        /// The file.
        path: PathBuf,
    },
    /// The module's file is there for a kernel.
    ModuleIsInstalled {
        /// The kernel's release.
        kernel: String,
    },
    /// The package manager lists packages as installed.
    PackagesAreInstalled {
        /// The packages.
        packages: Vec<String>,
    },
    /// The package manager lists packages as not installed.
    PackagesAreGone {
        /// The packages.
        packages: Vec<String>,
    },
    /// The service manager says that a unit is enabled, and that it has not failed.
    UnitIsEnabled {
        /// The unit.
        unit: String,
    },
    /// The service manager says that a unit is not enabled.
    UnitIsDisabled {
        /// The unit.
        unit: String,
    },
    /// greenroom's own service does not run.
    ServiceIsStopped,
    /// greenroom's own service runs.
    ServiceRuns,
    /// Nodes with these labels are there.
    NodesAreThere {
        /// The labels.
        labels: Vec<String>,
    },
    /// No node with this number is there.
    NodeIsGone {
        /// N of `/dev/videoN`.
        number: u32,
    },
    /// The module is not loaded.
    ModuleIsUnloaded,
    /// The firmware's list of keys has the certificate, after a restart.
    KeyIsEnrolled {
        /// The certificate.
        certificate: PathBuf,
    },
    /// The next run of `greenroom setup` finds nothing to do.
    NextRunFindsNothing,
}

/// How a step is undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Undo {
    /// Nothing remains of it that has to be undone.
    Nothing,
    /// It stays.
    Stays {
        /// Why, in a sentence without a full stop.
        why: String,
    },
    /// The file is removed.
    RemoveFile,
    /// The former contents of a file of ours are written again if a later step fails; `--undo`
    /// removes the file.
    RestoreFile,
    /// A command takes it back.
    Run {
        /// The command.
        command: Command,
    },
    /// The nodes are removed, unless a program uses them.
    RemoveNodes,
    /// The module is unloaded, unless a program uses it.
    UnloadModule,
}

impl Step {
    /// A step that is done in any case.
    pub(crate) fn new(actor: Actor, action: Action, why: impl Into<String>) -> Self {
        Self {
            action,
            why: why.into(),
            actor,
            condition: Condition::Always,
            check: Check::NextRunFindsNothing,
            undo: Undo::Nothing,
        }
    }

    #[must_use]
    pub(crate) fn checked(self, check: Check) -> Self {
        Self { check, ..self }
    }

    #[must_use]
    pub(crate) fn undone(self, undo: Undo) -> Self {
        Self { undo, ..self }
    }

    #[must_use]
    pub(crate) fn only_if(self, condition: Condition) -> Self {
        Self { condition, ..self }
    }

    /// Writes one of our files. `before` is whether one of ours is there.
    pub(crate) fn write(
        actor: Actor,
        path: impl Into<PathBuf>,
        content: String,
        before: bool,
        why: &str,
    ) -> Self {
        let path = path.into();
        let action = Action::WriteFile { path: path.clone(), content, mode: 0o644 };
        let undo = if before { Undo::RestoreFile } else { Undo::RemoveFile };
        Step::new(actor, action, why).checked(Check::FileIsAsWritten { path }).undone(undo)
    }

    /// Removes one of our files.
    pub(crate) fn remove(actor: Actor, path: impl Into<PathBuf>, why: &str) -> Self {
        let path = path.into();
        let check = Check::FileIsGone { path: path.clone() };
        Step::new(actor, Action::RemoveFile { path }, why).checked(check).undone(Undo::RestoreFile)
    }
}
