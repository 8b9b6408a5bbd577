//! The programs the VM is made with, and how they are called.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A program and the Debian package that brings it.
type Tool = (&'static str, &'static str);

/// What every run needs.
pub const TO_RUN: &[Tool] = &[
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("busybox", "busybox-static"),
    ("cpio", "cpio"),
    ("modprobe", "kmod"),
    ("setpriv", "util-linux"),
    ("prlimit", "util-linux"),
];

/// What the first run needs besides, to get the kernel.
pub const TO_UNPACK: &[Tool] =
    &[("apt-get", "apt"), ("apt-cache", "apt"), ("dpkg-deb", "dpkg"), ("depmod", "kmod")];

/// What the first run with a v4l2loopback needs besides, to build it.
pub const TO_BUILD: &[Tool] = &[("make", "make"), ("gcc", "gcc")];

/// Fails with one sentence that names all that is missing and the command that brings it.
pub fn require(tools: &[Tool]) -> Result<()> {
    let missing: Vec<&Tool> = tools.iter().filter(|(program, _)| find(program).is_none()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let programs: Vec<&str> = missing.iter().map(|(program, _)| *program).collect();
    let mut packages: Vec<&str> = missing.iter().map(|(_, package)| *package).collect();
    packages.dedup();
    bail!(
        "the VM needs {}, not installed here; run `apt-get install {}` as root, then try again",
        programs.join(", "),
        packages.join(" ")
    )
}

/// Where a program lies.
pub fn find(program: &str) -> Option<PathBuf> {
    env::split_paths(&search_path()).map(|folder| folder.join(program)).find(|path| path.is_file())
}

/// A command that also finds programs an ordinary user's `PATH` leaves out, such as `depmod`. It reads nothing and
/// speaks plain English, so that its output can be read.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env("PATH", search_path()).env("LC_ALL", "C").stdin(Stdio::null());
    command
}

/// Runs a command to its end and gives back what it printed; when it fails, the error ends with its last words.
pub fn call(command: &mut Command, doing: &str) -> Result<String> {
    let output = command.output().with_context(|| {
        format!("cannot {doing}: {} does not start", command.get_program().display())
    })?;
    if !output.status.success() {
        let program = Path::new(command.get_program()).display().to_string();
        bail!("cannot {doing}: {program} failed ({})", reason(&output.stderr));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// A program's complaint in one line: apt's first error, which the others only follow from, else its last words.
fn reason(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let first_of_apt = text.lines().find(|line| line.starts_with("E: "));
    first_of_apt.map_or_else(|| last_lines(stderr, 3).replace('\n', "; "), str::to_owned)
}

/// The last lines of what a program printed, blank ones left out.
pub fn last_lines(text: &[u8], lines: usize) -> String {
    let text = String::from_utf8_lossy(text);
    let all: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn search_path() -> OsString {
    let mut path = env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin:/sbin");
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_named_with_its_package() {
        require(&[("sh", "dash")]).unwrap();
        let error = require(&[("sh", "dash"), ("no-such-program", "such"), ("nor-this", "such")])
            .unwrap_err();
        let text = error.to_string();
        assert!(text.contains("needs no-such-program, nor-this,"), "{text}");
        assert!(text.contains("`apt-get install such`"), "{text}");
    }

    #[test]
    fn a_failed_call_ends_with_the_programs_words() {
        let mut failing = command("sh");
        failing.args(["-c", "echo one >&2; echo >&2; echo two >&2; exit 3"]);
        let error = call(&mut failing, "do it").unwrap_err().to_string();
        assert_eq!(error, "cannot do it: sh failed (one; two)");
        failing = command("sh");
        failing.args(["-c", "echo 'E: first' >&2; echo 'E: second' >&2; exit 1"]);
        let error = call(&mut failing, "do it").unwrap_err().to_string();
        assert_eq!(error, "cannot do it: sh failed (E: first)");
        assert_eq!(call(command("sh").args(["-c", "echo out"]), "do it").unwrap(), "out\n");
    }
}
