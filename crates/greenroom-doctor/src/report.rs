//! All findings, as text for people and as JSON for programs.

use std::fmt;

use serde::Serialize;

use crate::{Finding, Fix, Severity, Verdict};

/// All findings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The findings, the worst first.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing is wrong. Notes and what cannot be decided do not count.
    pub fn is_healthy(&self) -> bool {
        let is_wrong = |finding: &Finding| {
            finding.verdict == Verdict::Found && finding.severity != Severity::Note
        };
        !self.findings.iter().any(is_wrong)
    }

    /// The findings about which `--fix` does something.
    pub fn fixable(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.can_be_fixed())
    }

    /// As JSON: whether all is well, and the findings.
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Json<'r> {
            healthy: bool,
            findings: &'r [Finding],
        }
        let json = Json { healthy: self.is_healthy(), findings: &self.findings };
        // Structs of strings and numbers can always be written.
        serde_json::to_string_pretty(&json).unwrap_or_default() + "\n"
    }
}

impl Finding {
    /// Whether `--fix` does something about it.
    pub fn can_be_fixed(&self) -> bool {
        self.verdict == Verdict::Found && self.fix != Fix::ByHand
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, undecided): (Vec<&Finding>, Vec<&Finding>) =
            self.findings.iter().partition(|finding| finding.verdict == Verdict::Found);
        if found.is_empty() {
            writeln!(f, "Nothing is wrong.")?;
        }
        for finding in found {
            write!(f, "{finding}")?;
        }
        if !undecided.is_empty() {
            writeln!(f, "\nWhat cannot be decided from here:")?;
        }
        for finding in undecided {
            write!(f, "{finding}")?;
        }
        match self.fixable().count() {
            0 => Ok(()),
            1 => writeln!(f, "\n`greenroom doctor --fix` cures one of these, and asks before."),
            count => {
                writeln!(f, "\n`greenroom doctor --fix` cures {count} of these, and asks before.")
            }
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match (self.verdict, self.severity) {
            (Verdict::Undecided, _) => "unknown",
            (Verdict::Found, Severity::Error) => "error",
            (Verdict::Found, Severity::Warning) => "warning",
            (Verdict::Found, Severity::Note) => "note",
        };
        writeln!(f, "\n{severity}: {} [{}]", self.symptom, self.id)?;
        writeln!(f, "  cause: {}", self.cause)?;
        writeln!(f, "  cure:  {}", self.cure)?;
        for command in &self.commands {
            writeln!(f, "    {command}")?;
        }
        Ok(())
    }
}
