//! Who has a device node open, as far as `/proc` shows it to us.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::printable::printable;

/// A program that has a device open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// Its process number.
    pub pid: u32,
    /// Its name, at most 15 characters as the kernel keeps it.
    pub name: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (pid {})", self.name, self.pid)
    }
}

/// A holder and what it can do with the node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Opener {
    pub(crate) holder: Holder,
    /// Opened for writing. Readers of V4L2 mostly are, too.
    pub(crate) may_write: bool,
    /// Has buffers of the node mapped: streams by mmap, not by `read()` or `write()`.
    pub(crate) maps: bool,
}

/// Everybody but ourselves who has `node` open. Processes of other users stay hidden unless we are
/// root.
pub(crate) fn openers(node: &Path) -> Vec<Opener> {
    let Ok(wanted) = fs::metadata(node) else { return Vec::new() };
    let own_pid = std::process::id();
    let mut openers = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let pid = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok());
        let Some(pid) = pid.filter(|pid| *pid != own_pid) else { continue };
        openers.extend(opener(pid, wanted.rdev()));
    }
    openers.sort_by_key(|opener| opener.holder.pid);
    openers
}

/// Those of `known` who still have `node` open.
pub(crate) fn still_openers(node: &Path, known: &[Opener]) -> Vec<Opener> {
    let Ok(wanted) = fs::metadata(node) else { return Vec::new() };
    known.iter().filter_map(|known| opener(known.holder.pid, wanted.rdev())).collect()
}

/// What process `pid` does with the character device `rdev`; `None` if it has not got it open, or
/// is gone or hidden.
fn opener(pid: u32, rdev: u64) -> Option<Opener> {
    let process = Path::new("/proc").join(pid.to_string());
    let mut path_there = None;
    let mut may_write = false;
    for fd in fs::read_dir(process.join("fd")).ok()?.flatten() {
        // Cheap first: only links below /dev are worth a stat.
        let Ok(link) = fs::read_link(fd.path()) else { continue };
        let is_node = link.starts_with("/dev")
            && fs::metadata(fd.path()).is_ok_and(|found| found.rdev() == rdev);
        if is_node {
            let info = fs::read_to_string(process.join("fdinfo").join(fd.file_name()));
            may_write |= info.is_ok_and(|info| opened_for_writing(&info));
            path_there = Some(link);
        }
    }
    let path_there = path_there?;
    let maps = fs::read_to_string(process.join("maps")).unwrap_or_default();
    let maps = maps.lines().any(|line| line.ends_with(&*path_there.to_string_lossy()));
    let name = fs::read_to_string(process.join("comm")).unwrap_or_default();
    let name = match printable(name.trim()) {
        name if name.is_empty() => "a program".to_owned(),
        name => name,
    };
    Some(Opener { holder: Holder { pid, name }, may_write, maps })
}

/// Whether the octal `flags:` line of an fdinfo has O_WRONLY or O_RDWR.
pub(crate) fn opened_for_writing(fdinfo: &str) -> bool {
    fdinfo
        .lines()
        .find_map(|line| line.strip_prefix("flags:"))
        .and_then(|flags| u32::from_str_radix(flags.trim(), 8).ok())
        .is_some_and(|flags| matches!(flags & 0o3, 1 | 2))
}

/// The holders in one phrase: `ffmpeg (pid 12), obs (pid 13)`.
pub(crate) fn phrase(openers: &[Opener]) -> String {
    match openers {
        [] => "a program that cannot be seen from here (another user's, perhaps)".to_owned(),
        _ => {
            let names: Vec<_> =
                openers.iter().take(3).map(|opener| opener.holder.to_string()).collect();
            names.join(", ")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn access_modes_are_read() {
        assert!(opened_for_writing("pos:\t0\nflags:\t0104002\nmnt_id:\t25\n"));
        assert!(opened_for_writing("flags:\t01\n"));
        assert!(!opened_for_writing("pos:\t0\nflags:\t0100000\n"));
        assert!(!opened_for_writing(""));
        assert!(!opened_for_writing("flags:\tx\n"));
    }

    #[test]
    fn a_program_with_the_node_open_is_found_and_we_are_not() {
        let _ours = fs::File::open("/dev/full").unwrap();
        let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut child = Command::new("sleep").arg("60").stdout(Stdio::from(full)).spawn().unwrap();
        let found = openers(Path::new("/dev/full"));
        let still = still_openers(Path::new("/dev/full"), &found);
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(still, found);
        assert!(still_openers(Path::new("/dev/full"), &found).len() < found.len());
        let sleep = found.iter().find(|opener| opener.holder.pid == child.id()).unwrap();
        assert!(sleep.may_write && !sleep.maps);
        assert!(found.iter().all(|opener| opener.holder.pid != std::process::id()));
        assert!(phrase(&found).contains(&format!("(pid {})", child.id())));
    }

    #[test]
    fn nobody_is_a_phrase_too() {
        assert!(phrase(&[]).contains("cannot be seen"));
        assert!(openers(Path::new("/dev/no-such-node")).is_empty());
    }
}
