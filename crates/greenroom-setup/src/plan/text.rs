//! A plan as text for people: `{}` with what is done and why, `{:#}` also with the files' contents,
//! the checks and how each step is undone.

use std::fmt;

use super::step::{Action, Actor, Check, Condition, Step, Undo, UnitScope};
use super::{Escalation, Explanation, Outcome, Plan};
use crate::Command;

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "What is there")?;
        for line in &self.found {
            writeln!(f, "  {line}")?;
        }
        match self.outcome {
            Outcome::NothingToDo => writeln!(f, "\nThere is nothing to do.")?,
            Outcome::NotPossible(_) => writeln!(f, "\nSet-up can do nothing here.")?,
            Outcome::Steps => {
                writeln!(f, "\nWhat is done{}", self.rights())?;
                for (index, step) in self.steps.iter().enumerate() {
                    write!(f, "  {}. ", index + 1)?;
                    step.fmt(f)?;
                }
            }
        }
        if !self.explanations.is_empty() {
            writeln!(f, "\nWhat is left to you")?;
            for explanation in &self.explanations {
                write!(f, "{explanation}")?;
            }
        }
        Ok(())
    }
}

impl Plan {
    /// The plan as text for people: what is there, what is done and why, what is left to them.
    pub fn to_text(&self) -> String {
        self.to_string()
    }

    /// The same with the contents of files, the checks, and how each step is undone.
    pub fn to_long_text(&self) -> String {
        format!("{self:#}")
    }

    fn rights(&self) -> &'static str {
        match self.escalation {
            None => "",
            Some(Escalation::IsRoot) => " (as root)",
            Some(Escalation::Pkexec) => " (# as root, for which pkexec asks)",
            Some(Escalation::Sudo) => " (# as root, for which sudo asks)",
        }
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  - {}", self.text)?;
        self.next.iter().try_for_each(|step| writeln!(f, "      {step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let condition = match self.condition {
            Condition::Always => "",
            Condition::ModuleIsDynamic => "If the module is 0.13 or later: ",
            Condition::ModuleIsFixed => "If the module is older than 0.13: ",
        };
        writeln!(f, "{condition}{}.", self.action)?;
        let prompt = match self.actor {
            Actor::Root => "#",
            Actor::Program => "$",
            Actor::Person => "you:",
        };
        for line in self.action.details() {
            writeln!(f, "       {prompt} {line}")?;
        }
        writeln!(f, "     why: {}", self.why)?;
        if !f.alternate() {
            return Ok(());
        }
        if let Action::WriteFile { content, .. } = &self.action {
            for line in content.lines() {
                writeln!(f, "       | {line}")?;
            }
        }
        writeln!(f, "     check: {}", self.check)?;
        writeln!(f, "     undo: {}", self.undo)
    }
}

impl Action {
    /// The command lines, or what a person does.
    fn details(&self) -> Vec<String> {
        match self {
            Action::ImportKey { instructions, .. } => instructions.clone(),
            Action::Restart => vec!["systemctl reboot".to_owned()],
            _ => self.commands().iter().map(Command::to_string).collect(),
        }
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = |scope: &UnitScope| match scope {
            UnitScope::System => "the system's",
            UnitScope::User => "your session's",
        };
        match self {
            Action::AddRepository { name, .. } => write!(f, "Add the repository {name}"),
            Action::InstallPackages { packages, .. } => {
                write!(f, "Install {}", packages.join(", "))
            }
            Action::RemovePackages { packages, .. } => write!(f, "Remove {}", packages.join(", ")),
            Action::MakeKey { certificate, .. } => {
                write!(f, "Make the key of {}, if there is none", certificate.display())
            }
            Action::BuildModule { .. } => f.write_str("Build the module for the running kernel"),
            Action::WriteFile { path, mode, .. } => {
                write!(f, "Write {} (mode {mode:04o})", path.display())
            }
            Action::RemoveFile { path } => write!(f, "Remove {}", path.display()),
            Action::EnableUnit { unit, scope, .. } => write!(f, "Enable {} {unit}", whose(scope)),
            Action::StopService { .. } => f.write_str("Stop greenroom for a moment"),
            Action::StartService { .. } => f.write_str("Start greenroom again"),
            Action::DisableUnit { unit, scope, .. } => write!(f, "Disable {} {unit}", whose(scope)),
            Action::LoadModule { .. } => f.write_str("Load the module"),
            Action::UnloadModule { .. } => f.write_str("Unload the module"),
            Action::AddNodes { nodes, .. } => {
                let names = nodes.iter().map(|n| format!("/dev/video{} \"{}\"", n.number, n.label));
                write!(f, "Add {}", names.collect::<Vec<_>>().join(", "))
            }
            Action::RemoveNode { number } => write!(f, "Remove /dev/video{number}"),
            Action::ImportKey { certificate, .. } => {
                write!(f, "Have the firmware trust the key of {}", certificate.display())
            }
            Action::Restart => f.write_str("Restart the computer"),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Check::FileIsThere { path } => write!(f, "{} is there", path.display()),
            Check::FileIsAsWritten { path } => write!(f, "{} is as written", path.display()),
            Check::FileIsGone { path } => write!(f, "{} is gone", path.display()),
            Check::ModuleIsInstalled { kernel } => {
                write!(f, "/lib/modules/{kernel}/modules.dep lists v4l2loopback")
            }
            Check::PackagesAreInstalled { packages } => {
                write!(f, "installed: {}", packages.join(", "))
            }
            Check::PackagesAreGone { packages } => {
                write!(f, "not installed: {}", packages.join(", "))
            }
            Check::UnitIsEnabled { unit } => write!(f, "{unit} is enabled and has not failed"),
            Check::UnitIsDisabled { unit } => write!(f, "{unit} is not enabled"),
            Check::ServiceIsStopped => f.write_str("greenroom.service does not run"),
            Check::ServiceRuns => f.write_str("greenroom.service runs"),
            Check::NodesAreThere { labels } => {
                write!(f, "video nodes are there with the labels {}", labels.join(", "))
            }
            Check::NodeIsGone { number } => write!(f, "/dev/video{number} is gone"),
            Check::ModuleIsUnloaded => f.write_str("v4l2loopback is not loaded"),
            Check::KeyIsEnrolled { certificate } => write!(
                f,
                "after the restart, the firmware's list of keys has {}",
                certificate.display()
            ),
            Check::NextRunFindsNothing => f.write_str("`greenroom setup` finds nothing more to do"),
        }
    }
}

impl fmt::Display for Undo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Undo::Nothing => f.write_str("nothing to undo"),
            Undo::Stays { why } => write!(f, "it stays, since {why}"),
            Undo::RemoveFile => f.write_str("the file is removed"),
            Undo::RestoreFile => f.write_str("the file of before is written again"),
            Undo::Run { command } => write!(f, "{command}"),
            Undo::RemoveNodes => f.write_str("the nodes are removed, unless a program uses them"),
            Undo::UnloadModule => f.write_str("the module is unloaded, unless a program uses it"),
        }
    }
}
