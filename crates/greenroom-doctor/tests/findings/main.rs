//! Each finding appears on a made-up system, alone, and is gone once that is cured.

#![allow(clippy::unwrap_used)]

mod docs;
mod hostile;
mod report;
mod systems;

use std::collections::BTreeSet;

use greenroom_doctor::{Finding, FindingId, Fix, Probes, Report, Severity, Verdict, findings};
use greenroom_setup::plan::Action;
use systems::{Made, cases, healthy, undecided};

fn ids(made: &Made) -> Vec<FindingId> {
    made.findings().iter().map(|finding| finding.id).collect()
}

fn text(made: &Made) -> String {
    Report { findings: made.findings() }.to_string()
}

#[test]
fn nothing_is_found_on_a_healthy_system() {
    let made = healthy();
    assert!(made.findings().is_empty(), "{}", text(&made));
    let report = Report { findings: made.findings() };
    assert!(report.is_healthy());
    assert_eq!(report.to_string(), "Nothing is wrong.\n");
    assert_eq!(report.to_json(), "{\n  \"healthy\": true,\n  \"findings\": []\n}\n");
}

#[test]
fn each_finding_appears_alone_and_is_gone_on_the_cured_system() {
    for case in cases::all() {
        assert_eq!(ids(&case.ill), [case.id], "{}:{}", case.name, text(&case.ill));
        assert!(case.cured.findings().is_empty(), "{}:{}", case.name, text(&case.cured));
    }
}

/// `--fix` writes and removes files; the second run finds nothing.
#[test]
fn what_a_fix_writes_cures() {
    let mut count = 0;
    for case in cases::all() {
        let found = case.ill.findings();
        let Some(Fix::Steps { steps }) = found.first().map(|finding| &finding.fix) else {
            continue;
        };
        let mut made = case.ill;
        let mut changes = 0;
        for step in steps {
            made = match &step.action {
                Action::WriteFile { path, content, .. } => {
                    made.file(path.to_str().unwrap(), content)
                }
                Action::RemoveFile { path } => made.without(path.to_str().unwrap()),
                _ => continue,
            };
            changes += 1;
        }
        if changes > 0 {
            assert!(made.findings().is_empty(), "{}:{}", case.name, text(&made));
            count += 1;
        }
    }
    assert_eq!(count, 2);
}

#[test]
fn there_is_a_case_for_each_finding() {
    let with_case: BTreeSet<_> = cases::all().iter().map(|case| case.id).collect();
    let all: BTreeSet<_> = FindingId::ALL.iter().copied().collect();
    assert_eq!(with_case, all);
    let names: BTreeSet<_> = all.iter().map(|id| id.name()).collect();
    assert_eq!(names.len(), all.len());
}

#[test]
fn what_cannot_be_decided_says_so_and_how_to_find_out() {
    for (id, name, made) in undecided::all() {
        let found = made.findings();
        let of_id: Vec<_> = found.iter().filter(|finding| finding.id == id).collect();
        assert!(!of_id.is_empty(), "{name}: {}", text(&made));
        for finding in of_id {
            assert_eq!(finding.verdict, Verdict::Undecided, "{name}: {}", text(&made));
            assert!(!finding.can_be_fixed() && !finding.commands.is_empty(), "{name}");
        }
        // Nothing is claimed that was not seen.
        assert!(
            found.iter().all(|finding| finding.verdict == Verdict::Undecided),
            "{}",
            text(&made)
        );
    }
}

/// Without an answer from any device or program, nothing is claimed that is not so.
#[test]
fn what_nobody_was_asked_is_not_guessed() {
    for case in cases::all() {
        let made = case.cured.probes(|probes| *probes = Probes::default());
        let found = made.findings();
        let certain = found.iter().filter(|finding| finding.verdict == Verdict::Found);
        assert_eq!(certain.count(), 0, "{}: {}", case.name, text(&made));
    }
}

#[test]
fn every_finding_has_sentences_and_commands() {
    let undecided = undecided::all().into_iter().map(|(_, name, made)| (name, made));
    let cases = cases::all().into_iter().map(|case| (case.name, case.ill));
    for (name, made) in cases.chain(undecided) {
        for finding in made.findings() {
            let Finding { symptom, cause, cure, .. } = &finding;
            for sentence in [symptom, cause, cure] {
                assert!(sentence.ends_with('.'), "{name}: {sentence}");
                assert!(!sentence.contains("  ") && sentence.len() <= 300, "{sentence}");
            }
            assert!(!finding.commands.is_empty(), "{name}");
            if let Fix::Steps { steps } = &finding.fix {
                assert!(!steps.is_empty() && steps.iter().all(|step| !step.why.ends_with('.')));
            }
        }
    }
}

#[test]
fn what_is_certain_and_worse_than_a_note_makes_the_system_ill() {
    for case in cases::all() {
        let found = case.ill.findings();
        let ill = found
            .iter()
            .any(|finding| finding.verdict == Verdict::Found && finding.severity != Severity::Note);
        assert_eq!(Report { findings: found }.is_healthy(), !ill, "{}", case.name);
    }
}

#[test]
fn findings_are_the_same_from_the_same_facts() {
    for case in cases::all() {
        let facts = case.ill.facts();
        let evidence = case.ill.evidence(&facts);
        assert_eq!(findings(&facts, &evidence), findings(&facts, &evidence), "{}", case.name);
    }
}
