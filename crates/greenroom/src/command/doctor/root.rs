//! Commands of other programs with root's rights: shown, agreed to, and run by pkexec or sudo.

use std::process::Stdio;

use greenroom_setup::{Command, Session};

use super::super::setup::System;
use greenroom_setup::apply::Programs;

/// Programs that a fix runs as root, which the [record](super::record) may therefore name: it is a file
/// of the user's.
const PROGRAMS: [&str; 6] = ["apt-get", "dnf", "pacman", "zypper", "apk", "snap"];

/// How root's rights are had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    IsRoot,
    Through(&'static str),
}

fn way(session: &Session) -> Option<Way> {
    if session.is_root {
        Some(Way::IsRoot)
    } else if session.desktop && session.pkexec {
        Some(Way::Through("pkexec"))
    } else if session.sudo {
        Some(Way::Through("sudo"))
    } else {
        None
    }
}

/// Whether there is a way to root's rights.
pub(super) fn is_possible(session: &Session) -> bool {
    way(session).is_some()
}

/// Runs a command with root's rights. Its messages go where ours go.
///
/// # Errors
/// Why it did not succeed, in words.
pub(super) fn run(system: &mut System, command: &Command) -> Result<(), String> {
    let name = command.0.first().map(String::as_str).unwrap_or_default();
    if !PROGRAMS.contains(&name) {
        return Err(format!("{name} is not run as root; run `{}` yourself", command.as_root()));
    }
    match way(&system.session) {
        Some(Way::IsRoot) => system.programs.run(command).map(drop),
        Some(Way::Through(tool)) => through(system, tool, command),
        None => Err(format!(
            "neither pkexec nor sudo is installed; run `{command}` as an administrator"
        )),
    }
}

fn through(system: &System, tool: &'static str, command: &Command) -> Result<(), String> {
    let mut process = system.programs.command(tool);
    if tool == "sudo" {
        process.arg("--");
    }
    // sudo asks on the terminal itself, not on standard input.
    let status = process.args(&command.0).stdin(Stdio::null()).status();
    match status.map(|status| (status.success(), status.code())) {
        Ok((true, _)) => Ok(()),
        Ok((_, Some(126))) if tool == "pkexec" => {
            Err("the question for the password was dismissed; run this again".to_owned())
        }
        Ok((_, Some(127))) if tool == "pkexec" => {
            Err(format!("pkexec got no permission; run `{}` in a terminal", command.as_root()))
        }
        Ok(_) => Err(format!("see what {name} says above", name = command.0[0])),
        Err(error) => Err(format!("{tool} cannot be started ({error})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::SetupArgs;

    #[test]
    fn a_record_cannot_have_root_run_anything() {
        let mut system = System::of_this_process(&SetupArgs::default());
        for line in ["sh -c id", "/tmp/apt-get install x", "env apt-get install x", ""] {
            let why = run(&mut system, &Command::words(line)).unwrap_err();
            assert!(why.contains("is not run as root"), "{why}");
        }
    }
}
