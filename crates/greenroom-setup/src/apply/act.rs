//! What each step does.

use std::fs;
use std::path::Path;

use super::{Moment, Run, write, write_run_record};
use crate::files::{self, RunRecord};
use crate::plan::{Action, Step};
use crate::{Command, SetupError, ordinary};

impl Run<'_, '_> {
    pub(super) fn act(&mut self, step: &Step) -> Result<(), SetupError> {
        match &step.action {
            Action::WriteFile { path, content, .. } if is_record(path) => {
                self.adopt_record(content)
            }
            Action::WriteFile { path, content, mode } => self.write_file(path, content, *mode),
            Action::RemoveFile { path } => self.remove_file(path),
            Action::RemoveNode { number } => self.remove_node(*number),
            // A person does these.
            Action::ImportKey { .. } | Action::Restart => Ok(()),
            action => self.machine.run_all(action.commands()),
        }
    }

    pub(super) fn write_file(
        &mut self,
        path: &Path,
        content: &str,
        mode: u32,
    ) -> Result<(), SetupError> {
        self.refuse_foreign(path)?;
        let watch = &mut *self.machine.watch;
        let path = self.machine.root.join(path.strip_prefix("/").unwrap_or(path));
        write::write(&path, content, mode, &mut || watch(Moment::HalfWritten))
    }

    pub(super) fn remove_file(&mut self, path: &Path) -> Result<(), SetupError> {
        self.refuse_foreign(path)?;
        let full = self.machine.path(path);
        write::remove(&full)?;
        write::remove_own_folder(&full);
        if is_record(path) {
            self.forget_record();
        }
        Ok(())
    }

    /// A file that set-up has not written is neither replaced nor removed, whoever made it since the
    /// plan.
    fn refuse_foreign(&self, path: &Path) -> Result<(), SetupError> {
        if is_record(path) || path == Path::new(files::RUN_RECORD) {
            return Ok(());
        }
        let full = self.machine.path(path);
        let is_there = fs::symlink_metadata(&full).is_ok();
        let ours = ordinary::text(&full).is_some_and(|text| files::is_ours(&text));
        if is_there && !ours { Err(SetupError::ForeignFile { path: path.into() }) } else { Ok(()) }
    }

    /// Removes a node that our record has, and forgets it.
    pub(super) fn remove_node(&mut self, number: u32) -> Result<(), SetupError> {
        let facts = self.facts()?;
        let record = facts.own.run_record.get().cloned().flatten().unwrap_or_default();
        let removed = self.machine.control.remove(number);
        removed.map_err(|why| SetupError::Node { number, why })?;
        let nodes: Vec<_> =
            record.nodes.iter().filter(|node| node.number != number).cloned().collect();
        if nodes.len() == record.nodes.len() {
            return Ok(());
        }
        write_run_record(self.machine, &RunRecord { nodes })
    }

    /// Whether the package manager says that a package is installed, where no file tells it.
    pub(super) fn is_installed(&mut self, package: &str) -> Result<bool, SetupError> {
        use crate::facts::PackageManager;
        let facts = self.facts()?;
        let query = match facts.system.package_manager.get() {
            Some(PackageManager::Dnf | PackageManager::Zypper) => "rpm --query --quiet",
            Some(PackageManager::Apk) => "apk info --installed --quiet",
            _ => {
                let packages = [package.to_owned()];
                return Ok(facts.packages.missing(&packages).is_empty());
            }
        };
        Ok(self.machine.run(&Command::words(query).with([package])).is_ok())
    }
}

/// Whether this is the record, which a run writes before each step.
pub(super) fn is_record(path: &Path) -> bool {
    path == Path::new(files::SETUP_RECORD)
}
