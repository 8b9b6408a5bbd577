//! What is written down of a run before each step: [`files::SETUP_RECORD`].

use std::path::Path;

use super::{Moment, Run, is_empty, write};
use crate::files::{self, InProgress, SetupRecord};
use crate::plan::{Action, Step};
use crate::{Known, SetupError};

/// The record, as it is and as it was.
pub(super) struct Journal {
    /// What was installed before this run.
    before: SetupRecord,
    /// What is installed, this run included.
    pub(super) now: SetupRecord,
}

impl Journal {
    pub(super) fn new(record: Option<SetupRecord>) -> Self {
        let record = record.unwrap_or_default();
        Self { before: record.clone(), now: record }
    }

    /// Whether an earlier run was interrupted while the package manager worked.
    pub(super) fn interrupted_packages(&self) -> bool {
        self.before.in_progress.as_ref().is_some_and(|run| run.packages)
    }
}

impl Run<'_, '_> {
    /// Writes down that a step is done next.
    pub(super) fn write_down(
        &mut self,
        step: &Step,
        number: usize,
        of: usize,
    ) -> Result<(), SetupError> {
        let packages =
            matches!(step.action, Action::InstallPackages { .. } | Action::RemovePackages { .. });
        let what = step.action.to_string();
        self.journal.now.in_progress = Some(InProgress { step: number, of, what, packages });
        self.write_record()
    }

    /// The step that writes the record: its packages, but those that are there already where that
    /// could not be seen without asking the package manager.
    pub(super) fn adopt_record(&mut self, content: &str) -> Result<(), SetupError> {
        let Ok(planned) = serde_json::from_str::<SetupRecord>(content) else { return Ok(()) };
        let unknown = self.facts()?.packages.installed == Known::Unknown;
        for package in planned.packages {
            let is_new = !self.journal.now.packages.contains(&package);
            if is_new && !(unknown && self.is_installed(&package)?) {
                self.journal.now.packages.push(package);
            }
        }
        self.journal.now.certificate = planned.certificate;
        self.write_record()
    }

    /// Nothing is in progress any more.
    pub(super) fn write_end(&mut self) -> Result<(), SetupError> {
        self.remove_temporaries();
        self.journal.now.in_progress = None;
        let path = self.machine.path(Path::new(files::SETUP_RECORD));
        if is_empty(&self.journal.now) {
            write::remove(&path)?;
            write::remove_own_folder(&path);
            return Ok(());
        }
        self.write_record()
    }

    /// After everything was undone, the record is what it was. If something could not be undone, it
    /// stays, so that `--undo` knows of it.
    pub(super) fn write_rolled_back(&mut self, all_undone: bool) -> Result<(), SetupError> {
        if all_undone {
            self.journal.now = self.journal.before.clone();
        }
        self.write_end()
    }

    fn write_record(&mut self) -> Result<(), SetupError> {
        let path = self.machine.path(Path::new(files::SETUP_RECORD));
        let watch = &mut *self.machine.watch;
        let content = self.journal.now.to_json();
        write::write(&path, &content, 0o644, &mut || watch(Moment::HalfWritten))
    }

    /// The record is removed, and begins anew.
    pub(super) fn forget_record(&mut self) {
        self.journal.now = SetupRecord::default();
    }
}
