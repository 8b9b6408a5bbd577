use std::slice;

use super::step::Action;
use crate::Command;

impl Action {
    /// The commands that do it, in their order; none if it takes no program, or a person.
    pub(crate) fn commands(&self) -> &[Command] {
        match self {
            Action::AddRepository { commands, .. }
            | Action::InstallPackages { commands, .. }
            | Action::EnableUnit { commands, .. }
            | Action::LoadModule { commands } => commands,
            Action::RemovePackages { command, .. }
            | Action::MakeKey { command, .. }
            | Action::BuildModule { command }
            | Action::StopService { command }
            | Action::StartService { command }
            | Action::DisableUnit { command, .. }
            | Action::UnloadModule { command }
            | Action::AddNodes { command, .. } => slice::from_ref(command),
            Action::WriteFile { .. }
            | Action::RemoveFile { .. }
            | Action::RemoveNode { .. }
            | Action::ImportKey { .. }
            | Action::Restart => &[],
        }
    }
}
