//! Carries a plan out: each step is written down, done and checked; if one fails, what this run did is
//! undone, from the last step to the first.
//!
//! A run that is killed leaves [`files::SETUP_RECORD`], which names the step that it was at. The next
//! run needs no more than that: it plans from what is there, so it goes on (or undoes, with `--undo`).

mod act;
mod check;
mod journal;
mod undo;
mod write;

use std::path::{Path, PathBuf};

pub use write::TEMPORARY_ENDING;
pub(crate) use write::temporary;

use crate::files::{self, RunRecord, SetupRecord};
use crate::plan::{Actor, Condition, Step};
use crate::{Command, Facts, Generation, ModuleVersion, Session, SetupError};
use journal::Journal;
use undo::Before;

/// Runs programs. Tests have made-up ones.
pub trait Programs {
    /// Runs a command to its end and returns what it wrote to standard output.
    ///
    /// # Errors
    /// If it cannot be started or does not succeed: the reason, in words without a full stop.
    fn run(&mut self, command: &Command) -> Result<String, String>;
}

/// The control device of v4l2loopback. Tests have a made-up one.
pub trait Control {
    /// Adds a node that shows itself as a camera only, and returns its number.
    ///
    /// # Errors
    /// If that is refused: the reason, in words.
    fn add(&mut self, number: u32, label: &str, buffers: u32) -> Result<u32, String>;

    /// Removes a node that nobody has open. One that is not there is removed already.
    ///
    /// # Errors
    /// If that is refused: the reason, in words.
    fn remove(&mut self, number: u32) -> Result<(), String>;
}

/// Where a run is. A test kills it there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment<'s> {
    /// A step begins: its number, counted from 1, and how many there are at most.
    Begins(&'s Step, usize, usize),
    /// It is written down that a step is done next.
    WrittenDown,
    /// A file is written under another name, and has not replaced the old one yet.
    HalfWritten,
    /// A step was done.
    Done,
    /// It was seen that a step was done.
    Checked,
    /// A step is undone, since it or a later one failed.
    Undoes(&'s Step),
}

/// The system that is changed, and those who watch.
pub struct Machine<'m> {
    /// Its root directory.
    pub root: &'m Path,
    /// What runs programs.
    pub programs: &'m mut dyn Programs,
    /// What adds and removes nodes.
    pub control: &'m mut dyn Control,
    /// Is told of each moment.
    pub watch: &'m mut dyn FnMut(Moment<'_>),
    /// Whether the run is to stop before its next step, as if that had failed.
    pub stop: &'m dyn Fn() -> bool,
}

impl Machine<'_> {
    fn path(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn run(&mut self, command: &Command) -> Result<String, SetupError> {
        let reason = |why| SetupError::Program { command: command.to_string(), why };
        self.programs.run(command).map_err(reason)
    }

    fn run_all(&mut self, commands: &[Command]) -> Result<(), SetupError> {
        commands.iter().try_for_each(|command| self.run(command).map(drop))
    }
}

/// The steps of a run that was carried out, with what was there before.
#[derive(Debug, Default)]
pub struct Undoable(Vec<(Step, Before)>);

/// Does `steps`, which are all `actor`'s, and checks each.
///
/// # Errors
/// If a step fails. The steps of this run are undone then, and the error says what could not be.
pub fn carry_out(
    machine: &mut Machine<'_>,
    session: &Session,
    actor: Actor,
    steps: &[&Step],
) -> Result<Undoable, SetupError> {
    if steps.is_empty() && actor == Actor::Root {
        return Ok(Undoable::default());
    }
    let mut run = Run::begin(machine, session, actor)?;
    run.clear_up();
    for (index, step) in steps.iter().enumerate() {
        if let Err(error) = run.step(step, index + 1, steps.len()) {
            return Err(run.roll_back(step, error));
        }
    }
    run.end()?;
    Ok(Undoable(run.begun))
}

/// Undoes a run of [`Actor::Program`] whose successor, the helper, has failed. Returns what could
/// not be undone.
pub fn take_back(
    machine: &mut Machine<'_>,
    session: &Session,
    undoable: Undoable,
) -> Result<Vec<String>, SetupError> {
    let mut run = Run::begin(machine, session, Actor::Program)?;
    run.begun = undoable.0;
    Ok(run.undo_all())
}

/// Writes the record of our nodes.
pub(crate) fn write_run_record(
    machine: &mut Machine<'_>,
    record: &RunRecord,
) -> Result<(), SetupError> {
    let path = machine.path(Path::new(files::RUN_RECORD));
    if record.nodes.is_empty() {
        write::remove(&path)?;
        write::remove_own_folder(&path);
        return Ok(());
    }
    let watch = &mut *machine.watch;
    write::write(&path, &record.to_json(), 0o644, &mut || watch(Moment::HalfWritten))
}

/// A run, while it lasts.
pub(crate) struct Run<'r, 'm> {
    machine: &'r mut Machine<'m>,
    session: &'r Session,
    actor: Actor,
    journal: Journal,
    /// The steps that were begun, with what was there before.
    begun: Vec<(Step, Before)>,
    /// Known from when a step depends on it.
    generation: Option<Generation>,
    /// The module was loaded when the run began.
    was_loaded: bool,
}

impl<'r, 'm> Run<'r, 'm> {
    fn begin(
        machine: &'r mut Machine<'m>,
        session: &'r Session,
        actor: Actor,
    ) -> Result<Self, SetupError> {
        let facts = Facts::read(machine.root, session.clone())?;
        let record = facts.own.record.get().cloned().flatten();
        let was_loaded = facts.loaded_generation().is_some();
        let journal = Journal::new(record);
        Ok(Self {
            machine,
            session,
            actor,
            journal,
            begun: Vec::new(),
            generation: None,
            was_loaded,
        })
    }

    /// Removes what a killed run has left, and has the package manager end what it had begun.
    fn clear_up(&mut self) {
        self.remove_temporaries();
        if self.actor == Actor::Root && self.journal.interrupted_packages() {
            let words = "env DEBIAN_FRONTEND=noninteractive dpkg --configure -a";
            // If it fails, the package manager says so at the next step.
            let _ = self.machine.run(&Command::words(words));
        }
    }

    /// Removes files that were not written whole: by a killed run, or a boot unit that was killed.
    fn remove_temporaries(&self) {
        let of_root = self.actor == Actor::Root;
        let own = files::ALL.iter().map(PathBuf::from).filter(|_| of_root);
        let home = self.session.home.as_deref().map(files::user_unit_file);
        for path in own.chain(home.filter(|_| !of_root)) {
            let path = self.machine.path(&path);
            if write::remove_temporary(&path) {
                write::remove_own_folder(&path);
            }
        }
    }

    fn step(&mut self, step: &Step, number: usize, of: usize) -> Result<(), SetupError> {
        if !self.applies(step.condition)? {
            return Ok(());
        }
        if (self.machine.stop)() {
            return Err(SetupError::Stopped);
        }
        (self.machine.watch)(Moment::Begins(step, number, of));
        let before = self.look(step)?;
        if self.actor == Actor::Root {
            self.write_down(step, number, of)?;
        }
        (self.machine.watch)(Moment::WrittenDown);
        self.begun.push((step.clone(), before));
        self.act(step)?;
        (self.machine.watch)(Moment::Done);
        self.check(step)?;
        (self.machine.watch)(Moment::Checked);
        Ok(())
    }

    fn facts(&self) -> Result<Facts, SetupError> {
        Facts::read(self.machine.root, self.session.clone())
    }

    fn applies(&mut self, condition: Condition) -> Result<bool, SetupError> {
        let wanted = match condition {
            Condition::Always => return Ok(true),
            Condition::ModuleIsDynamic => Generation::Dynamic,
            Condition::ModuleIsFixed => Generation::Fixed,
        };
        let generation = match self.generation {
            Some(generation) => generation,
            None => self.find_generation()?,
        };
        self.generation = Some(generation);
        Ok(generation == wanted)
    }

    /// How the module that is installed makes its nodes, by its file or else by modinfo.
    fn find_generation(&mut self) -> Result<Generation, SetupError> {
        match self.facts()?.installed_generation() {
            Some(generation) if generation != Generation::Unknown => Ok(generation),
            _ => {
                let version =
                    self.machine.run(&Command::words("modinfo --field version v4l2loopback"))?;
                // Versions before 0.13 may tell none.
                let version = ModuleVersion::parse(&version);
                Ok(version.unwrap_or(ModuleVersion::BEFORE_CONTROL).into())
            }
        }
    }

    /// The run is over: what it was at is not written down any more.
    fn end(&mut self) -> Result<(), SetupError> {
        if self.actor == Actor::Root { self.write_end() } else { Ok(()) }
    }
}

/// Whether a record has anything that a later run needs.
fn is_empty(record: &SetupRecord) -> bool {
    *record == SetupRecord::default()
}
