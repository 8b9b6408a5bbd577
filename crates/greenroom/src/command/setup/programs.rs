//! Where the programs on this system have the camera, and which of them will not list it.

use greenroom_doctor::{Finding, Verdict};

use super::System;
use crate::command::doctor;
use crate::terminal::Lines;

/// Says it, as `greenroom doctor` does. Of root's session nothing is said: people make calls in their own.
pub(super) fn push(system: &System, lines: &mut Lines) -> anyhow::Result<()> {
    if system.session.is_root {
        return Ok(());
    }
    let programs = doctor::call_programs(system)?;
    let with_menu = programs
        .installed
        .iter()
        .filter_map(|program| Some((program.title(), program.camera_menu()?)));
    let menus: Vec<_> = with_menu.map(|(title, menu)| format!("  {title}: {menu}")).collect();
    if !menus.is_empty() {
        lines.push("");
        lines.push("Where the programs on this system have the camera:");
        menus.iter().for_each(|line| lines.push(line));
    }
    let (found, undecided): (Vec<&Finding>, Vec<&Finding>) =
        programs.findings.iter().partition(|finding| finding.verdict == Verdict::Found);
    push_findings(lines, "Programs that need something first:", &found);
    if found.iter().any(|finding| finding.can_be_fixed()) {
        lines.push("`greenroom doctor --fix` does what it can of this, and asks before.");
    }
    push_findings(lines, "What cannot be seen from here:", &undecided);
    Ok(())
}

fn push_findings(lines: &mut Lines, title: &str, findings: &[&Finding]) {
    if findings.is_empty() {
        return;
    }
    lines.push("");
    lines.push(title);
    for finding in findings {
        lines.push(format_args!("  {} {}", finding.symptom, finding.cause));
        lines.push(format_args!("    {}", finding.cure));
        for command in &finding.commands {
            lines.push(format_args!("      {command}"));
        }
    }
}
