//! Whether a step was done: looked at afterwards, and not believed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Run;
use super::act::is_record;
use crate::facts::{Facts, Loaded};
use crate::plan::{Action, Check, Step};
use crate::{Command, Known, SetupError, files, ordinary};

impl Run<'_, '_> {
    pub(super) fn check(&mut self, step: &Step) -> Result<(), SetupError> {
        if self.holds(step)? {
            Ok(())
        } else {
            Err(SetupError::Check { expected: step.check.to_string() })
        }
    }

    fn holds(&mut self, step: &Step) -> Result<bool, SetupError> {
        Ok(match &step.check {
            Check::FileIsThere { path } => self.is_there(path),
            Check::FileIsAsWritten { path } => self.is_as_written(path, &step.action),
            Check::FileIsGone { path } => !self.is_there(path),
            Check::ModuleIsInstalled { .. } => self.facts()?.installed_generation().is_some(),
            Check::PackagesAreInstalled { packages } => self.are_installed(packages, true)?,
            Check::PackagesAreGone { packages } => self.are_installed(packages, false)?,
            Check::UnitIsEnabled { unit } => {
                self.systemctl("is-enabled", unit) && !self.systemctl("is-failed", unit)
            }
            Check::UnitIsDisabled { unit } => !self.systemctl("is-enabled", unit),
            Check::ServiceIsStopped => !self.systemctl("is-active", files::USER_UNIT),
            Check::ServiceRuns => self.systemctl("is-active", files::USER_UNIT),
            Check::NodesAreThere { labels } => {
                let facts = self.facts()?;
                labels.iter().all(|label| has_node(&facts, label))
            }
            Check::NodeIsGone { number } => {
                let facts = self.facts()?;
                facts.nodes.is_and(|nodes| nodes.loopbacks.iter().all(|n| n.number != *number))
            }
            Check::ModuleIsUnloaded => self.facts()?.module.loaded == Known::Is(Loaded::No),
            // After a restart, and by the next run.
            Check::KeyIsEnrolled { .. } | Check::NextRunFindsNothing => true,
        })
    }

    fn is_there(&self, path: &Path) -> bool {
        fs::symlink_metadata(self.machine.path(path)).is_ok()
    }

    fn is_as_written(&self, path: &Path, action: &Action) -> bool {
        let Action::WriteFile { content, mode, .. } = action else { return true };
        let full = self.machine.path(path);
        let content = if is_record(path) { &self.journal.now.to_json() } else { content };
        ordinary::text(&full).is_some_and(|text| text == *content)
            && fs::metadata(&full).is_ok_and(|meta| meta.permissions().mode() & 0o7777 == *mode)
    }

    fn are_installed(&mut self, packages: &[String], wanted: bool) -> Result<bool, SetupError> {
        for package in packages {
            if self.is_installed(package)? != wanted {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether the service manager that has a unit answers yes.
    pub(super) fn systemctl(&mut self, question: &str, unit: &str) -> bool {
        let user = if unit == files::USER_UNIT { "--user " } else { "" };
        let command = Command::words(&format!("systemctl {user}{question} --quiet"));
        self.machine.run(&command.with([unit])).is_ok()
    }
}

fn has_node(facts: &Facts, label: &str) -> bool {
    facts.nodes.is_and(|nodes| nodes.loopbacks.iter().any(|node| node.label == label))
}
