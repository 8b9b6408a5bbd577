//! How a failed run is undone: from its last step to its first.

use std::path::Path;

use super::act::is_record;
use super::{Moment, Run, write};
use crate::facts::PackageManager;
use crate::plan::{Action, Actor, Step, Undo};
use crate::{Command, Known, SetupError, files, ordinary};

/// What was there before a step, as far as undoing it needs that.
#[derive(Debug, Default)]
pub(super) struct Before {
    /// The contents of the file.
    content: Option<String>,
    /// The unit was enabled.
    enabled: bool,
    /// The packages that were installed.
    installed: Vec<String>,
}

impl Run<'_, '_> {
    /// Looks at what a step is going to change.
    pub(super) fn look(&mut self, step: &Step) -> Result<Before, SetupError> {
        let mut before = Before::default();
        match &step.action {
            Action::WriteFile { path, .. } | Action::RemoveFile { path } => {
                before.content = ordinary::text(&self.machine.path(path));
            }
            Action::EnableUnit { unit, .. } => before.enabled = self.systemctl("is-enabled", unit),
            Action::InstallPackages { packages, .. } => {
                for package in packages {
                    if self.is_installed(package)? {
                        before.installed.push(package.clone());
                    }
                }
            }
            _ => {}
        }
        Ok(before)
    }

    /// Undoes all steps, and says in one sentence what failed and what was undone.
    pub(super) fn roll_back(&mut self, failed: &Step, error: SetupError) -> SetupError {
        let mut remains = self.undo_all();
        if self.actor == Actor::Root {
            self.load_again();
            if let Err(error) = self.write_rolled_back(remains.is_empty()) {
                remains.push(error.to_string());
            }
        }
        let what = failed.action.to_string();
        SetupError::Step { what, why: error.to_string(), remains: remains.join("; ") }
    }

    /// Undoes all steps. Returns what could not be undone.
    pub(super) fn undo_all(&mut self) -> Vec<String> {
        let mut remains = Vec::new();
        let mut unit_changed = false;
        while let Some((step, before)) = self.begun.pop() {
            (self.machine.watch)(Moment::Undoes(&step));
            unit_changed |= changes_a_unit(&step);
            match self.undo(&step, &before) {
                Ok(Some(stays)) => remains.push(stays),
                Ok(None) => {}
                Err(error) => remains.push(format!("{} ({error})", step.action)),
            }
        }
        if unit_changed {
            let user = if self.actor == Actor::Root { "" } else { "--user " };
            let command = Command::words(&format!("systemctl {user}daemon-reload"));
            let _ = self.machine.run(&command);
        }
        remains
    }

    /// Loads the module again that an undone step has unloaded.
    fn load_again(&mut self) {
        let Ok(facts) = self.facts() else { return };
        if self.was_loaded && facts.loaded_generation().is_none() {
            let somebody = facts.foreign_options().next().is_some()
                || matches!(facts.own.options, Known::Is(crate::facts::OwnFile::Ours(_)));
            let _ = self.machine.run(&files::load_command(somebody));
        }
    }

    /// Undoes a step. Returns what stays, if something does.
    fn undo(&mut self, step: &Step, before: &Before) -> Result<Option<String>, SetupError> {
        match (&step.action, &step.undo) {
            // The record is put right at the end.
            (Action::WriteFile { path, .. } | Action::RemoveFile { path }, _)
                if is_record(path) => {}
            (Action::WriteFile { path, .. } | Action::RemoveFile { path }, _) => {
                self.restore(path, before)?;
            }
            (Action::InstallPackages { packages, .. }, Undo::Run { command }) => {
                self.remove_packages(packages, command, before)?;
            }
            (Action::EnableUnit { .. }, _) if before.enabled => {}
            (Action::StartService { .. }, _) | (_, Undo::Nothing) => {}
            (action, Undo::Stays { why }) => {
                return Ok(Some(format!("\"{action}\" stays, since {why}")));
            }
            (_, Undo::Run { command }) => drop(self.machine.run(command)?),
            (Action::AddNodes { nodes, .. }, Undo::RemoveNodes) => {
                for node in nodes {
                    self.remove_ours(&node.label)?;
                }
            }
            (_, Undo::UnloadModule) => {
                if self.facts()?.loaded_generation().is_some() {
                    self.machine.run(&Command::words("modprobe -r v4l2loopback"))?;
                }
            }
            (_, Undo::RemoveFile | Undo::RestoreFile | Undo::RemoveNodes) => {}
        }
        Ok(None)
    }

    /// Puts a file back as it was.
    fn restore(&mut self, path: &Path, before: &Before) -> Result<(), SetupError> {
        let full = self.machine.path(path);
        let now = ordinary::text(&full);
        match &before.content {
            same if *same == now => Ok(()),
            Some(content) => {
                let watch = &mut *self.machine.watch;
                write::write(&full, content, 0o644, &mut || watch(Moment::HalfWritten))
            }
            None => self.remove_file(path),
        }
    }

    /// Removes the packages that were not there before.
    fn remove_packages(
        &mut self,
        packages: &[String],
        command: &Command,
        before: &Before,
    ) -> Result<(), SetupError> {
        let stays = |word: &String| before.installed.contains(word);
        let words: Vec<_> = command.0.iter().filter(|word| !stays(word)).cloned().collect();
        if packages.iter().all(stays) {
            return Ok(());
        }
        let removed = self.machine.run(&Command(words)).map(drop);
        let facts = self.facts()?;
        // A package that could not be installed cannot always be removed: apt may not know it.
        let is_apt = facts.system.package_manager == Known::Is(PackageManager::Apt);
        let unknown = packages.iter().all(|package| facts.packages.has(package).is_false());
        if is_apt && unknown { Ok(()) } else { removed }
    }

    /// Removes the node of a label, if set-up made it.
    fn remove_ours(&mut self, label: &str) -> Result<(), SetupError> {
        let facts = self.facts()?;
        let record = facts.own.run_record.get().cloned().flatten().unwrap_or_default();
        let ours: Vec<_> = record.nodes.iter().filter(|node| node.label == label).collect();
        ours.into_iter().try_for_each(|node| self.remove_node(node.number))
    }
}

fn changes_a_unit(step: &Step) -> bool {
    let is_unit = |path: &Path| path.extension().is_some_and(|ending| ending == "service");
    match &step.action {
        Action::WriteFile { path, .. } | Action::RemoveFile { path } => is_unit(path),
        _ => false,
    }
}
