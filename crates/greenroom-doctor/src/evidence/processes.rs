//! Processes that matter here, as far as `/proc` shows them to this user.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use greenroom_setup::Known;
use serde::Serialize;

use super::programs::CallProgram;
use crate::root::Root;

/// Linux counts times in hundredths of a second towards programs, on every processor.
const TICKS_PER_S: u64 = 100;

/// Open files of one process that are looked at.
const MOST_DESCRIPTORS: usize = 20_000;

/// Processes that matter here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Processes {
    /// Those that have a video node open, are a greenroom, or a program in which people make calls.
    pub found: Vec<Process>,
    /// Whether the open files of some process cannot be seen: of another user's, or in a sandbox.
    pub some_hidden: bool,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// Its short name (`/proc/PID/comm`).
    pub name: String,
    /// The number of the user whose process it is.
    pub owner: Known<u32>,
    /// The number of the process that started it.
    pub parent: Known<u32>,
    /// When it was started, in seconds since 1970.
    pub started_at_s: Known<i64>,
    /// The numbers of the video nodes that it has open.
    pub video_nodes: BTreeSet<u32>,
    /// Whether it is a greenroom that runs a virtual camera.
    pub is_greenroom: bool,
    /// Whether the file of its program was replaced or removed since it was started.
    pub program_is_gone: bool,
    /// Which program this is, if people make calls in it.
    pub program: Option<CallProgram>,
}

impl Process {
    /// As text for people: `firefox (pid 812)`.
    pub fn title(&self) -> String {
        format!("{} (pid {})", self.name, self.pid)
    }
}

impl Processes {
    pub(super) fn read(root: &Root) -> Self {
        let Known::Is(names) = root.names("/proc") else {
            return Self { found: Vec::new(), some_hidden: true };
        };
        let boot = boot_time(root);
        let mut processes = Self::default();
        for pid in names.iter().filter_map(|name| name.parse::<u32>().ok()) {
            let nodes = video_nodes(root, pid);
            processes.some_hidden |= nodes.is_none();
            let process = process(root, pid, nodes.unwrap_or_default(), boot);
            let matters = process.is_greenroom || process.program.is_some();
            if matters || !process.video_nodes.is_empty() {
                processes.found.push(process);
            }
        }
        processes.found.sort_by_key(|process| process.pid);
        processes
    }

    /// All greenrooms that run a virtual camera.
    pub fn greenrooms(&self) -> impl Iterator<Item = &Process> {
        self.found.iter().filter(|process| process.is_greenroom)
    }

    /// Who but greenroom has a video node open.
    pub fn holders(&self, number: u32) -> Vec<&Process> {
        let holds = |process: &&Process| {
            process.video_nodes.contains(&number) && process.name != "greenroom"
        };
        self.found.iter().filter(holds).collect()
    }
}

fn process(root: &Root, pid: u32, video_nodes: BTreeSet<u32>, boot: Option<i64>) -> Process {
    let folder = format!("/proc/{pid}");
    let name = root.word(format!("{folder}/comm")).unwrap_or_default();
    let stat = root.text(format!("{folder}/stat")).unwrap_or_default();
    let exe = root.link(format!("{folder}/exe"));
    let exe = exe.as_deref().and_then(Path::to_str).unwrap_or_default();
    let command_line = root.text(format!("{folder}/cmdline")).unwrap_or_default();
    let runs = command_line.split('\0').skip(1).any(|word| word == "run");
    let started = stat_field(&stat, 19).zip(boot);
    let owner = root.metadata(&folder).get().and_then(|found| Some(found.as_ref()?.uid()));
    Process {
        pid,
        owner: owner.into(),
        parent: stat_field(&stat, 1).and_then(|pid| u32::try_from(pid).ok()).into(),
        started_at_s: started
            .and_then(|(ticks, boot)| boot.checked_add_unsigned(ticks / TICKS_PER_S))
            .into(),
        video_nodes,
        is_greenroom: name == "greenroom" && runs,
        program_is_gone: exe.ends_with(" (deleted)"),
        program: CallProgram::of_process(&name),
        name,
    }
}

/// A field of `/proc/PID/stat`, counted from the state, which follows the name in parentheses.
fn stat_field(stat: &str, index: usize) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(')')?;
    fields.split_whitespace().nth(index)?.parse().ok()
}

/// When the system was started, in seconds since 1970.
fn boot_time(root: &Root) -> Option<i64> {
    let stat = root.text("/proc/stat")?;
    stat.lines().find_map(|line| line.strip_prefix("btime ")?.trim().parse().ok())
}

/// The video nodes that a process has open; `None` if that cannot be seen.
fn video_nodes(root: &Root, pid: u32) -> Option<BTreeSet<u32>> {
    let descriptors = fs::read_dir(root.path(format!("/proc/{pid}/fd"))).ok()?;
    let number = |entry: fs::DirEntry| {
        let target = fs::read_link(entry.path()).ok()?;
        target.to_str()?.strip_prefix("/dev/video")?.parse().ok()
    };
    Some(descriptors.take(MOST_DESCRIPTORS).flatten().filter_map(number).collect())
}
