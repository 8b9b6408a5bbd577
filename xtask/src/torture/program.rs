//! greenroom with a fault in its surroundings: started, asked, stopped, and how it ended.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process};

use super::fault::{Effect, Fault};
use super::folder::{CaseFolder, UNPRIVILEGED_USER};
use super::stderr_fault::Stderr;

/// Longest wait for anything: on the slowest machine it is long over by then, unless it hangs.
pub const PATIENCE: Duration = Duration::from_secs(120);
/// Between two looks at whether it is there.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// The variable by which a case's processes are known.
const MARK: &str = "TORTURE_CASE";

/// A greenroom that was started. Dropped, it is killed.
pub struct Program {
    child: Child,
    stderr: Stderr,
    fault: Fault,
    log: PathBuf,
    /// The folder of FFmpeg's stand-ins.
    bin: PathBuf,
    /// A variable that it and its children have in their environment, and nobody else.
    mark: OsString,
}

/// How it ended, and what it said.
#[derive(Debug)]
pub struct End {
    pub status: ExitStatus,
    /// `None`: nobody could hear it.
    pub said: Option<String>,
}

impl Program {
    /// Starts `greenroom args`, its log in the file `log` beside the case's.
    pub fn start(
        greenroom: &Path,
        folder: &CaseFolder,
        fault: &Fault,
        log: &str,
        args: &[OsString],
        stdout: Stdio,
    ) -> Result<Self> {
        let (log, bin) = (folder.beside(log), folder.beside("bin"));
        let mut stderr = fault.stderr.open(&log)?;
        let mut command = command(fault, greenroom, args, stderr.for_child.is_none());
        command.current_dir(folder.work()).stdin(Stdio::null()).stdout(stdout);
        command.stderr(stderr.for_child.take().unwrap_or_else(Stdio::null));
        command.env("XDG_CONFIG_HOME", folder.beside("config"));
        command.env("XDG_RUNTIME_DIR", folder.beside("runtime"));
        command.env(MARK, &log);
        let mark = [OsStr::new(MARK), log.as_os_str()].join(OsStr::new("="));
        if let Some(ffmpeg) = fault.ffmpeg {
            command.env("PATH", ffmpeg.path_variable(&bin)?);
            if !fault.is_late {
                ffmpeg.install(&bin)?;
            }
        }
        let child = command.spawn().with_context(|| format!("starting {command:?}"))?;
        Ok(Self { child, stderr, fault: fault.clone(), log, bin, mark })
    }

    pub fn take_stdout(&mut self) -> Result<ChildStdout> {
        self.child.stdout.take().context("standard output is no pipe")
    }

    /// What was to come while it runs, comes.
    pub fn strike(&mut self) -> Result<()> {
        self.stderr.strike(self.fault.stderr);
        match self.fault.ffmpeg {
            Some(ffmpeg) if self.fault.is_late => ffmpeg.install(&self.bin),
            _ => Ok(()),
        }
    }

    /// What it said until now.
    pub fn said(&self) -> Option<String> {
        let text = || fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        self.fault.stderr.is_readable().then(|| text().unwrap_or_default())
    }

    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().is_ok_and(|status| status.is_some())
    }

    /// Waits until `is_so`, or until it has ended; whether it is so. `None`: it hangs.
    pub fn wait_until(&mut self, mut is_so: impl FnMut() -> bool) -> Option<bool> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if is_so() {
                return Some(true);
            }
            if self.has_ended() {
                return Some(is_so());
            }
            if Instant::now() > deadline {
                return None;
            }
            thread::sleep(LOOK_AGAIN);
        }
    }

    /// SIGTERM.
    pub fn stop(&self) {
        if let Some(pid) = Pid::from_raw(self.child.id() as i32) {
            let _ = kill_process(pid, Signal::TERM);
        }
    }

    /// Waits for its end. `None`: it hangs.
    pub fn wait(&mut self) -> Result<Option<End>> {
        self.wait_until(|| false);
        let status = self.child.try_wait()?;
        Ok(status.map(|status| End { status, said: self.said() }))
    }

    /// The numbers of FFmpeg's processes that are there now.
    fn children(&self) -> Vec<Pid> {
        let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
        let pid = |name: OsString| name.to_str()?.parse::<u32>().ok();
        let pids = processes.flatten().filter_map(|process| pid(process.file_name()));
        let is_marked = |pid: &u32| {
            let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|entry| entry == self.mark.as_bytes())
        };
        let others = pids.filter(|pid| *pid != self.child.id()).filter(is_marked);
        others.filter_map(|pid| Pid::from_raw(pid as i32)).collect()
    }

    /// Whether some of FFmpeg's processes do not end after greenroom has.
    pub fn leaves_children(&self) -> bool {
        let deadline = Instant::now() + PATIENCE / 4;
        while !self.children().is_empty() {
            if Instant::now() > deadline {
                return true;
            }
            thread::sleep(LOOK_AGAIN);
        }
        false
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        for pid in self.children() {
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

impl End {
    pub fn is_success(&self) -> bool {
        self.status.success()
    }

    /// The exit code, and how the sentence begins.
    pub fn summary(&self) -> String {
        let said = self.said.as_deref().unwrap_or_default();
        let sentence = said.lines().find_map(|line| line.strip_prefix("greenroom: "));
        let sentence: String = sentence.unwrap_or_default().chars().take(90).collect();
        format!("{} {sentence}", self.status).trim_end().to_owned()
    }

    /// A line for all that is wrong with the way in which `what` ended: the code, the sentence.
    pub fn faults(&self, what: &str, effect: Effect) -> Vec<String> {
        let mut faults = Vec::new();
        let code = self.status.code();
        match (code, self.status.signal()) {
            (Some(0..=2), _) => {}
            (Some(code), _) => faults.push(format!("{what}: exit code {code}")),
            (None, signal) => {
                faults.push(format!("{what}: ended by signal {}", signal.unwrap_or(0)))
            }
        }
        match effect {
            Effect::None if code != Some(0) => {
                faults.push(format!("{what}: exit code {code:?} though nothing is in its way"));
            }
            Effect::MustRefuse(_) if code == Some(0) => {
                faults.push(format!("{what}: was not refused"))
            }
            _ => {}
        }
        let Some(said) = &self.said else { return faults };
        if said.contains("panicked") {
            let line = said.lines().find(|line| line.contains("panicked")).unwrap_or_default();
            faults.push(format!("{what}: {line}"));
        }
        let sentences: Vec<&str> = said.lines().filter(|line| !is_log_line(line)).collect();
        let is_right = match (&sentences[..], self.is_success()) {
            ([], true) => true,
            ([sentence], false) => {
                let word = if let Effect::MustRefuse(word) = effect { word } else { "" };
                sentence.starts_with("greenroom: ") && sentence.contains(word)
            }
            _ => false,
        };
        if !is_right {
            let told = sentences.iter().take(3).map(|line| line.chars().take(160).collect());
            let told: Vec<String> = told.collect();
            faults.push(format!("{what}: with exit code {code:?} it said {told:?}"));
        }
        faults
    }
}

/// `greenroom args` with limits, as another user, with standard error closed.
fn command(fault: &Fault, greenroom: &Path, args: &[OsString], is_silent: bool) -> Command {
    let mut words: Vec<OsString> = Vec::new();
    if fault.is_unprivileged {
        words.extend(become_unprivileged());
    }
    if !fault.limits.is_empty() {
        words.push("prlimit".into());
        words.extend(fault.limits.iter().map(Into::into));
    }
    if is_silent {
        words.extend(["sh", "-c", "exec \"$0\" \"$@\" 2>&-"].map(Into::into));
    }
    words.push(greenroom.into());
    words.extend(args.iter().cloned());
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    // The settings of whoever runs the tests are none of ours.
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("GREENROOM_") {
            command.env_remove(name);
        }
    }
    command
}

/// Words before a command that has it run by somebody who is not root.
fn become_unprivileged() -> Vec<OsString> {
    let user = UNPRIVILEGED_USER.to_string();
    ["setpriv", "--reuid", &user, "--regid", &user, "--clear-groups"].map(Into::into).to_vec()
}

/// Whether we may start programs as somebody else.
pub fn can_become_unprivileged() -> bool {
    let words = become_unprivileged();
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).arg("true").stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// ` INFO camera: …`
fn is_log_line(line: &str) -> bool {
    let level = line.split_whitespace().next().unwrap_or_default();
    ["INFO", "WARN", "ERROR", "DEBUG", "TRACE"].contains(&level)
}
