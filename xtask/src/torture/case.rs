//! A case: something is wrong, and something is done.

use super::fault::Fault;
use super::{disk, ffmpeg, limits, socket, stderr};

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    pub fault: Fault,
    pub operation: Operation,
}

/// How a case went: what is wrong, and a few words on what happened.
#[derive(Debug, Default)]
pub struct Verdict {
    pub faults: Vec<String>,
    pub note: String,
}

/// What is done. A word is the ending of the file that is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `run` into a pipe, with the fault; `set`, `snapshot`, `pause` and `resume` without; then SIGTERM.
    OnAir,
    /// The same, with a clip as the background; FFmpeg's fault comes when greenroom is on air.
    SetClip,
    /// `run` into a file in place of an old one, for two seconds.
    Record(&'static str),
    /// `render` into a file in place of an old one.
    Render(&'static str),
    /// `set`, `snapshot`, `status` and `pause` with the fault, of a `run` without.
    Clients,
    /// The same with nobody who answers as greenroom does.
    ClientsAlone,
}

impl Operation {
    pub const ALL: [Self; 6] = [
        Self::OnAir,
        Self::Clients,
        Self::Record("y4m"),
        Self::Record("mkv"),
        Self::Render("y4m"),
        Self::Render("mkv"),
    ];
    /// Those that a limit may hit in ways of their own.
    pub const LIMITED: [Self; 4] =
        [Self::OnAir, Self::Clients, Self::Record("mkv"), Self::Render("mkv")];
    pub const WRITING: [Self; 4] =
        [Self::OnAir, Self::Record("y4m"), Self::Record("mkv"), Self::Render("y4m")];

    fn name(self) -> String {
        match self {
            Self::OnAir => "run, set, snapshot, pause, resume".to_owned(),
            Self::SetClip => "run, set a clip, pause, resume".to_owned(),
            Self::Record(ending) => format!("run --output old.{ending}"),
            Self::Render(ending) => format!("render old.{ending}"),
            Self::Clients => "clients".to_owned(),
            Self::ClientsAlone => "clients alone".to_owned(),
        }
    }
}

impl Case {
    pub fn of_each(fault: &Fault, operations: &[Operation]) -> Vec<Self> {
        let case = |operation: &Operation| Self { fault: fault.clone(), operation: *operation };
        operations.iter().map(case).collect()
    }

    pub fn name(&self) -> String {
        format!("{}: {}", self.fault.name, self.operation.name())
    }
}

/// All of them; without any fault first.
pub fn all(short: bool) -> Vec<Case> {
    let without = if short { &Operation::ALL[..3] } else { &Operation::ALL };
    let mut cases = Case::of_each(&Fault::new("no fault"), without);
    cases.extend(stderr::cases(short));
    cases.extend(limits::cases(short));
    cases.extend(disk::cases(short));
    cases.extend(ffmpeg::cases(short));
    cases.extend(socket::cases(short));
    cases
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::all;

    #[test]
    fn every_case_has_a_name_of_its_own_and_the_short_form_is_a_part() {
        let names = |short| all(short).iter().map(|case| case.name()).collect::<Vec<_>>();
        let (every, some) = (names(false), names(true));
        let set: BTreeSet<_> = every.iter().collect();
        assert_eq!(set.len(), every.len());
        assert!(some.iter().all(|name| set.contains(name)) && 2 * some.len() < every.len());
    }
}
