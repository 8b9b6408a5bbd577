//! Standard error that is gone.

use super::case::Case;
use super::fault::Fault;
use super::operation::Operation;
use super::stderr_fault::StderrFault;

const FAULTS: [(&str, StderrFault); 7] = [
    ("stderr/closed-pipe", StderrFault::ClosedPipe),
    ("stderr/full-device", StderrFault::FullDevice),
    ("stderr/closed", StderrFault::Closed),
    ("stderr/full-pipe", StderrFault::FullPipe),
    ("stderr/closed-terminal", StderrFault::ClosedTerminal),
    ("stderr/pipe-closed-later", StderrFault::PipeClosedLater),
    ("stderr/terminal-closed-later", StderrFault::TerminalClosedLater),
];

/// A log that cannot be written is no reason for anything.
pub fn cases(short: bool) -> Vec<Case> {
    let mut cases = Vec::new();
    for (name, stderr) in FAULTS {
        let fault = Fault { stderr, ..Fault::new(name) };
        let operations = match stderr {
            _ if !short => &Operation::ALL[..],
            // One that fails, one that waits.
            StderrFault::ClosedPipe | StderrFault::FullPipe => {
                &[Operation::OnAir, Operation::Clients, Operation::Render("mkv")]
            }
            _ => &[Operation::OnAir],
        };
        cases.extend(Case::of_each(&fault, operations));
    }
    cases
}
