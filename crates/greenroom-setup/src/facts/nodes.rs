//! Video nodes: which numbers are taken, and which nodes are loopbacks.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde::Serialize;

use super::module::{Loaded, Module};
use super::own::{OwnFile, OwnFiles};
use super::root::Root;
use crate::Known;
use crate::files::{NodeRecord, RunRecord};

/// The video nodes of a system.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Nodes {
    /// The numbers of all video nodes (`/dev/videoN`), by what device ever.
    pub taken: BTreeSet<u32>,
    /// The nodes of v4l2loopback, by number.
    pub loopbacks: Vec<Node>,
}

/// A node of v4l2loopback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// N of `/dev/videoN`.
    pub number: u32,
    /// The name under which programs list it.
    pub label: String,
    /// Who made it.
    pub origin: Origin,
    /// Whether it shows itself as a camera only, as Chromium and Zoom want it. Of nodes that were
    /// added at run time the kernel does not tell.
    pub exclusive_caps: Known<bool>,
    /// How many buffers it was made with, by set-up's record (sysfs tells how many are in use).
    pub buffers: Known<u32>,
    /// Who has it open.
    pub users: Known<Vec<User>>,
}

/// Who made a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Set-up, as its own record or its own options file says.
    Setup,
    /// Another program, or a person.
    Foreign,
}

/// A process that has a node open.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct User {
    /// Its number.
    pub pid: u32,
    /// Its short name (`/proc/PID/comm`).
    pub name: String,
}

/// Whether a node is in use, and by whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use<'f> {
    /// Nobody has it open.
    Nobody,
    /// Only greenroom itself, which shows its picture there, and nobody watches.
    Greenroom,
    /// These, of which one at least is not greenroom.
    Others(&'f [User]),
    /// Somebody may use it who cannot be seen.
    Unknown,
}

impl Node {
    /// Whether the node is in use, and by whom.
    pub(crate) fn usage(&self) -> Use<'_> {
        match &self.users {
            Known::Is(users) if users.is_empty() => Use::Nobody,
            Known::Is(users) if users.iter().all(|user| user.name == "greenroom") => Use::Greenroom,
            Known::Is(users) => Use::Others(users),
            Known::Unknown => Use::Unknown,
        }
    }
}

const CLASS: &str = "/sys/class/video4linux";
const PARAMETERS: &str = "/sys/module/v4l2loopback/parameters";

impl Nodes {
    pub(super) fn read(root: &Root, module: &Module, own: &OwnFiles) -> Known<Self> {
        let Known::Is(names) = root.names(CLASS) else { return Known::Unknown };
        let number = |name: &String| name.strip_prefix("video")?.parse().ok();
        let taken: BTreeSet<u32> = names.iter().filter_map(number).collect();
        let ours = nodes_of_ours(own);
        let openers = Openers::read(root);
        let loopbacks = taken.iter().copied().filter(|number| is_loopback(root, *number));
        let node = |number: u32| {
            let record = ours.iter().find(|node| node.number == number);
            let label = root.word(format!("{CLASS}/video{number}/name")).unwrap_or_default();
            // A record from before the node was removed and made anew by somebody else.
            let record = record.filter(|record| record.label == label);
            Node {
                origin: if record.is_some() { Origin::Setup } else { Origin::Foreign },
                exclusive_caps: match record {
                    Some(record) => Known::Is(record.exclusive_caps),
                    None => exclusive_caps(root, number),
                },
                buffers: record.map(|record| record.buffers).into(),
                users: openers.of(number, module),
                number,
                label,
            }
        };
        Known::Is(Self { loopbacks: loopbacks.map(node).collect(), taken })
    }
}

/// v4l2loopback is the driver whose nodes have these attributes.
fn is_loopback(root: &Root, number: u32) -> bool {
    ["format", "buffers", "max_openers"]
        .iter()
        .all(|name| root.exists(format!("{CLASS}/video{number}/{name}")).is_true())
}

/// The nodes that the boot unit has added since the start of the system, and those that our options
/// file asks of a module that makes its nodes when it is loaded.
fn nodes_of_ours(own: &OwnFiles) -> Vec<NodeRecord> {
    let record = own.run_record.get().cloned().flatten();
    let mut nodes = record.map_or_else(Vec::new, |record| record.nodes);
    if let Known::Is(OwnFile::Ours(text)) = &own.options
        && nodes.is_empty()
    {
        nodes = RunRecord::of_options(text).nodes;
    }
    nodes
}

/// By the module's parameters, which have an entry for each node that was made when it was loaded.
fn exclusive_caps(root: &Root, number: u32) -> Known<bool> {
    let read = |name: &str| root.word(format!("{PARAMETERS}/{name}"));
    let (Some(numbers), Some(flags)) = (read("video_nr"), read("exclusive_caps")) else {
        return Known::Unknown;
    };
    let place = numbers.split(',').position(|entry| entry.parse() == Ok(number));
    match place.and_then(|place| flags.split(',').nth(place)) {
        Some("Y") => Known::Is(true),
        Some("N") => Known::Is(false),
        _ => Known::Unknown,
    }
}

/// Which processes have which video nodes open, as far as this user may see.
struct Openers {
    found: Vec<(u32, User)>,
    /// Whether the open files of some process could not be seen.
    some_hidden: bool,
}

impl Openers {
    fn read(root: &Root) -> Self {
        let mut openers = Self { found: Vec::new(), some_hidden: false };
        let Known::Is(names) = root.names("/proc") else { return openers };
        for pid in names.iter().filter_map(|name| name.parse::<u32>().ok()) {
            let folder = root.path(format!("/proc/{pid}/fd"));
            let Ok(descriptors) = fs::read_dir(folder) else {
                openers.some_hidden = true;
                continue;
            };
            let target = |entry: fs::DirEntry| fs::read_link(entry.path()).ok();
            let numbers: BTreeSet<u32> = descriptors
                .flatten()
                .filter_map(target)
                .filter_map(|target| node_number(&target))
                .collect();
            let name = || root.word(format!("/proc/{pid}/comm")).unwrap_or_default();
            openers
                .found
                .extend(numbers.iter().map(|number| (*number, User { pid, name: name() })));
        }
        openers
    }

    /// Who has node `number` open. Nobody, if nobody uses the module at all.
    fn of(&self, number: u32, module: &Module) -> Known<Vec<User>> {
        let found: Vec<_> = self
            .found
            .iter()
            .filter(|(of, _)| *of == number)
            .map(|(_, user)| user.clone())
            .collect();
        let unused = matches!(module.loaded, Known::Is(Loaded::Yes { users: Known::Is(0), .. }));
        if !found.is_empty() || unused || !self.some_hidden {
            Known::Is(found)
        } else {
            Known::Unknown
        }
    }
}

fn node_number(path: &Path) -> Option<u32> {
    path.to_str()?.strip_prefix("/dev/video")?.parse().ok()
}
