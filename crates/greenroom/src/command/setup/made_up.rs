//! A made-up system, for tests: only with the feature `faults`.

use std::env;
use std::fs;
use std::path::PathBuf;

use greenroom_setup::apply::Control;
use greenroom_setup::facts::Program;
use greenroom_setup::{Known, Session};

use crate::cli::SetupArgs;

/// A made-up system: `GREENROOM_SETUP_ROOT` is its root directory, `GREENROOM_SETUP_PROGRAMS` a
/// folder with its programs.
pub(super) struct MadeUp {
    pub(super) root: PathBuf,
    pub(super) session: Session,
    pub(super) programs: PathBuf,
    pub(super) control: Box<dyn Control>,
    pub(super) death: Death,
}

impl MadeUp {
    pub(super) fn of_environment(args: &SetupArgs) -> Option<Self> {
        let root = PathBuf::from(env::var_os("GREENROOM_SETUP_ROOT")?);
        let programs = PathBuf::from(env::var_os("GREENROOM_SETUP_PROGRAMS")?);
        let is_there = |name: &str| programs.join(name).exists();
        let part = part(args);
        let session = Session {
            is_root: part != "user",
            desktop: env::var_os("DISPLAY").is_some(),
            pkexec: is_there("pkexec"),
            sudo: is_there("sudo"),
            program: Program {
                path: "/usr/bin/greenroom".into(),
                only_root_can_change: Known::Is(true),
            },
            home: if part == "user" { env::var_os("HOME").map(PathBuf::from) } else { None },
        };
        let control = Box::new(Folders(root.clone()));
        Some(Self { root, session, programs, control, death: Death::of_environment(args) })
    }
}

/// Which part of set-up this process does.
fn part(args: &SetupArgs) -> &'static str {
    match args {
        SetupArgs { as_root: Some(_), .. } => "root",
        SetupArgs { at_boot: true, .. } => "boot",
        _ => "user",
    }
}

/// SIGKILL at a moment, also on a real system: `GREENROOM_SETUP_DIES=root:7` is the seventh of root's part.
#[derive(Default)]
pub(super) struct Death {
    at: Option<usize>,
    moments: usize,
}

impl Death {
    pub(super) fn of_environment(args: &SetupArgs) -> Self {
        let part = part(args);
        let wanted = env::var("GREENROOM_SETUP_DIES").unwrap_or_default();
        let at = wanted.split_once(':').filter(|(of, _)| *of == part);
        Self { at: at.and_then(|(_, at)| at.parse().ok()), moments: 0 }
    }

    pub(super) fn may_come(&mut self) {
        self.moments += 1;
        if self.at == Some(self.moments) {
            let _ = rustix::process::kill_process(
                rustix::process::getpid(),
                rustix::process::Signal::KILL,
            );
        }
    }
}

/// Nodes that are folders of a made-up `/sys`.
struct Folders(PathBuf);

impl Folders {
    fn node(&self, number: u32) -> PathBuf {
        self.0.join(format!("sys/class/video4linux/video{number}"))
    }
}

impl Control for Folders {
    fn add(&mut self, number: u32, label: &str, _buffers: u32) -> Result<u32, String> {
        let folder = self.node(number);
        let made = fs::create_dir_all(&folder).and_then(|()| {
            for name in ["format", "buffers", "max_openers"] {
                fs::write(folder.join(name), "")?;
            }
            fs::write(folder.join("name"), format!("{label}\n"))
        });
        made.map(|()| number).map_err(|error| error.to_string())
    }

    fn remove(&mut self, number: u32) -> Result<(), String> {
        let _ = fs::remove_dir_all(self.node(number));
        Ok(())
    }
}
