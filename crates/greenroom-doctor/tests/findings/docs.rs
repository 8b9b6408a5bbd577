//! docs/doctor.md: its table is made of the findings on the made-up systems. It is written anew with
//! GREENROOM_WRITE_DOCS=1, and otherwise compared.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use crate::systems::{cases, undecided};
use greenroom_doctor::{Area, Finding, FindingId, Fix, Severity, Verdict};

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/doctor.md");

/// The lines between which the table is.
const BEGIN: &str =
    "<!-- The tables are made by crates/greenroom-doctor/tests/findings/docs.rs. -->";

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn title(area: Area) -> &'static str {
    match area {
        Area::Module => "The kernel module",
        Area::VirtualCamera => "The virtual camera",
        Area::Programs => "Programs in which you make calls",
        Area::Webcam => "The webcam",
        Area::Greenroom => "greenroom itself",
    }
}

fn row(table: &mut String, finding: &Finding) {
    let grade = match (finding.verdict, finding.severity) {
        (Verdict::Undecided, _) => "unknown",
        (Verdict::Found, Severity::Error) => "error",
        (Verdict::Found, Severity::Warning) => "warning",
        (Verdict::Found, Severity::Note) => "note",
    };
    let fix = if finding.fix == Fix::ByHand { "" } else { ", `--fix`" };
    let commands: Vec<_> = finding
        .commands
        .iter()
        .map(|command| format!("`{}`", cell(&command.to_string())))
        .collect();
    let [symptom, cause, cure] =
        [&finding.symptom, &finding.cause, &finding.cure].map(|text| cell(text));
    writeln!(
        table,
        "| `{}`<br>{grade}{fix} | {symptom} | {cause} | {cure} | {} |",
        finding.id,
        commands.join("<br>")
    )
    .unwrap();
}

fn tables() -> String {
    let cases = cases::all();
    let areas = [Area::Module, Area::VirtualCamera, Area::Programs, Area::Webcam, Area::Greenroom];
    let mut text = String::new();
    for area in areas {
        writeln!(text, "\n## {}\n", title(area)).unwrap();
        text += "| finding | what you see | cause | cure | commands |\n|---|---|---|---|---|\n";
        for id in FindingId::ALL.iter().filter(|id| id.area() == area) {
            for case in cases.iter().filter(|case| case.id == *id) {
                case.ill.findings().iter().for_each(|finding| row(&mut text, finding));
            }
        }
    }
    text += "\n## What cannot be decided\n\n\
             | finding | what you may see | why it is not known | what to do | commands |\n\
             |---|---|---|---|---|\n";
    for (id, _, made) in undecided::all() {
        let found = made.findings();
        for finding in found.iter().filter(|finding| finding.id == id) {
            let mut line = String::new();
            row(&mut line, finding);
            // Some are never certain, and have a line above.
            if !text.contains(&line) {
                text += &line;
            }
        }
    }
    text
}

#[test]
fn the_table_of_the_documentation_is_what_doctor_says() {
    let page = fs::read_to_string(PAGE).unwrap_or_default();
    let (before, _) = page.split_once(BEGIN).unwrap_or((&page, ""));
    let right = format!("{before}{BEGIN}\n{}", tables());
    if env::var_os("GREENROOM_WRITE_DOCS").is_some() {
        fs::write(Path::new(PAGE), right).unwrap();
    } else {
        let differs = page.lines().zip(right.lines()).find(|(page, right)| page != right);
        let how = "run GREENROOM_WRITE_DOCS=1 cargo test -p greenroom-doctor";
        assert!(page == right, "{how}: {differs:?}");
    }
}
