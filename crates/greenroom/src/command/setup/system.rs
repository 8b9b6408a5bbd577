//! The system that is set up: `/`, or a made-up one in tests.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use greenroom_device::{LoopbackControl, printable};
use greenroom_setup::apply::{Control, Machine, Moment, Programs};
use greenroom_setup::{Command, Facts, Session, SetupError};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::flag;

use crate::cli::SetupArgs;
use crate::terminal::say;

/// The system that is set up.
pub(in crate::command) struct System {
    root: PathBuf,
    pub(in crate::command) session: Session,
    pub(in crate::command) programs: SystemPrograms,
    control: Box<dyn Control>,
    #[cfg(feature = "faults")]
    death: super::made_up::Death,
}

impl System {
    pub(in crate::command) fn of_this_process(args: &SetupArgs) -> Self {
        #[cfg(feature = "faults")]
        if let Some(made_up) = super::made_up::MadeUp::of_environment(args) {
            return Self {
                root: made_up.root,
                session: made_up.session,
                programs: SystemPrograms { folder: Some(made_up.programs) },
                control: made_up.control,
                death: made_up.death,
            };
        }
        let _ = args;
        Self {
            root: PathBuf::from("/"),
            session: Session::of_this_process(),
            programs: SystemPrograms { folder: None },
            control: Box::new(DriverControl),
            #[cfg(feature = "faults")]
            death: super::made_up::Death::of_environment(args),
        }
    }

    /// Its root directory.
    pub(in crate::command) fn root(&self) -> &Path {
        &self.root
    }

    /// Where a path of the system is for this process.
    pub(in crate::command) fn path(&self, path: &Path) -> PathBuf {
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Whether this is no system of a test, so that devices may be asked.
    pub(in crate::command) fn is_real(&self) -> bool {
        self.programs.folder.is_none()
    }

    pub(in crate::command) fn facts(&self) -> Result<Facts, SetupError> {
        Facts::read(&self.root, self.session.clone())
    }

    /// Runs `work` on this system. Each step is printed; a signal ends the run between two steps, and
    /// what it did is undone.
    pub(in crate::command) fn with<T>(&mut self, work: impl FnOnce(&mut Machine<'_>) -> T) -> T {
        let stop = Arc::new(AtomicBool::new(false));
        let signals = [SIGINT, SIGTERM, SIGHUP];
        let caught = signals.map(|signal| flag::register(signal, Arc::clone(&stop)));
        #[cfg(feature = "faults")]
        let death = &mut self.death;
        let mut machine = Machine {
            root: &self.root,
            programs: &mut self.programs,
            control: &mut *self.control,
            watch: &mut |moment| {
                tell(moment);
                #[cfg(feature = "faults")]
                death.may_come();
            },
            stop: &|| stop.load(SeqCst),
        };
        let result = work(&mut machine);
        for id in caught.into_iter().flatten() {
            signal_hook::low_level::unregister(id);
        }
        result
    }
}

/// Says what is done. Whether that can be read decides nothing.
fn tell(moment: Moment<'_>) {
    let _ = match moment {
        Moment::Begins(step, number, of) => say(format_args!("[{number}/{of}] {}", step.action)),
        Moment::Undoes(step) => say(format_args!("[undone] {}", step.action)),
        _ => Ok(()),
    };
}

/// The programs of this system.
pub(in crate::command) struct SystemPrograms {
    /// Where a test has its own.
    folder: Option<PathBuf>,
}

impl SystemPrograms {
    /// A program, by its name.
    pub(in crate::command) fn command(&self, name: &str) -> std::process::Command {
        // Also where the user's PATH has no folders for administrators.
        const FOLDERS: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
        let folders = match &self.folder {
            Some(folder) => format!("{}:{FOLDERS}", folder.display()),
            None => format!("{FOLDERS}:/run/wrappers/bin:/run/current-system/sw/bin"),
        };
        // A name alone would be looked up in this process's own PATH.
        let found = folders.split(':').map(|folder| Path::new(folder).join(name));
        let found = found.into_iter().find(|path| path.exists()).unwrap_or_else(|| name.into());
        let mut command = std::process::Command::new(found);
        command.env("PATH", folders);
        command
    }
}

impl Programs for SystemPrograms {
    fn run(&mut self, command: &Command) -> Result<String, String> {
        let Some((name, arguments)) = command.0.split_first() else { return Ok(String::new()) };
        let mut process = self.command(name);
        // Its messages are looked at: those of apt and systemctl are for people.
        let output = process.args(arguments).env("LC_ALL", "C.UTF-8").stdin(Stdio::null()).output();
        match output {
            Ok(output) if output.status.success() => {
                Ok(String::from_utf8_lossy(&output.stdout).into_owned())
            }
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                let last = said.lines().rev().find(|line| !line.trim().is_empty());
                let last =
                    last.map_or(String::new(), |line| format!(": {}", printable(line.trim())));
                Err(format!("{}{last}", output.status))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(format!("{name} is not installed"))
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

/// The control device of the module, opened for each call: the module may have come since.
struct DriverControl;

impl DriverControl {
    fn open() -> Result<LoopbackControl, String> {
        match LoopbackControl::open() {
            Ok(Some(control)) => Ok(control),
            Ok(None) => Err("there is no /dev/v4l2loopback; load the module again".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}

impl Control for DriverControl {
    fn add(&mut self, number: u32, label: &str, buffers: u32) -> Result<u32, String> {
        let control = Self::open()?;
        let added = control.add(number, label, buffers).map_err(|error| error.to_string())?;
        // Asked, and not believed.
        match control.query(added) {
            Ok(Some(node)) if node.label == label && node.exclusive_caps => Ok(added),
            Ok(node) => {
                let _ = control.remove(added);
                Err(format!("the driver made another node than it was asked for: {node:?}"))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    fn remove(&mut self, number: u32) -> Result<(), String> {
        Self::open()?.remove(number).map_err(|error| error.to_string())
    }
}
