//! Reports as text and as JSON.

use greenroom_doctor::{FindingId, Fix, Report};
use greenroom_setup::plan::{Actor, Undo};
use serde_json::Value;

use crate::systems::{cases, healthy, undecided};

fn report_of(id: FindingId) -> Report {
    let case = cases::all().into_iter().find(|case| case.id == id).unwrap();
    Report { findings: case.ill.findings() }
}

#[test]
fn a_report_is_text_that_ends_with_what_fix_does() {
    let text = report_of(FindingId::SnapNoCamera).to_string();
    let expected = "\n\
        warning: Zoom (snap) lists no camera at all. [snap-no-camera]\n\
        \x20 cause: The snap zoom-client is not connected to cameras.\n\
        \x20 cure:  Connect it, then start Zoom again.\n\
        \x20   sudo snap connect zoom-client:camera\n\
        \n\
        `greenroom doctor --fix` cures one of these, and asks before.\n";
    assert_eq!(text, expected);
}

#[test]
fn what_cannot_be_decided_comes_last_and_is_not_called_wrong() {
    let (_, _, made) = undecided::all().into_iter().next().unwrap();
    let text = Report { findings: made.findings() }.to_string();
    assert!(text.starts_with("Nothing is wrong.\n\nWhat cannot be decided from here:\n"), "{text}");
    assert!(text.contains("\nunknown: ") && !text.contains("--fix"), "{text}");
}

#[test]
fn a_report_is_json_with_stable_names() {
    let json: Value = serde_json::from_str(&report_of(FindingId::SnapNoCamera).to_json()).unwrap();
    let finding = &json["findings"][0];
    assert_eq!(finding["id"], "snap-no-camera");
    assert_eq!(finding["severity"], "warning");
    assert_eq!(finding["verdict"], "found");
    assert_eq!(finding["commands"][0]["kind"], "run_as_root");
    assert_eq!(finding["commands"][0]["what"][1], "connect");
    assert_eq!(finding["fix"]["kind"], "commands");
    assert_eq!(finding["fix"]["undo"][0][1], "disconnect");
    for case in cases::all() {
        let report = Report { findings: case.ill.findings() };
        assert!(serde_json::from_str::<Value>(&report.to_json()).is_ok(), "{}", case.name);
    }
}

#[test]
fn what_a_fix_changes_says_how_it_is_undone() {
    for case in cases::all() {
        for finding in case.ill.findings() {
            match finding.fix {
                // The processes are as they were when they run again.
                Fix::Commands { commands, undo, actor } if undo.is_empty() => {
                    assert_eq!(actor, Actor::Program, "{}", case.name);
                    assert!(commands.iter().all(|command| command.to_string().contains("restart")));
                }
                Fix::Steps { steps } => {
                    let undone = steps.iter().any(|step| step.undo != Undo::Nothing);
                    assert!(undone, "{}", case.name);
                }
                Fix::Commands { .. } | Fix::Setup | Fix::ByHand => {}
            }
        }
    }
}

/// Prints what is found on this machine, from files alone: for a look.
#[test]
#[ignore = "its result depends on the machine"]
fn of_this_machine() {
    use greenroom_doctor::{Evidence, Facts, Folders, Probes, findings};
    use greenroom_setup::Session;

    let root = std::path::Path::new("/");
    let facts = Facts::read(root, Session::of_this_process()).unwrap();
    let folders = Folders::of_this_process();
    let evidence = Evidence::read(root, &facts, &folders, Probes::default());
    println!("{}", Report { findings: findings(&facts, &evidence) });
    println!("{}", serde_json::to_string_pretty(&evidence).unwrap());
}

/// A list of a device node that gives this user the right, as a desktop session has it.
#[test]
fn an_access_control_list_gives_rights() {
    use rustix::fs::{XattrFlags, setxattr};

    let made = healthy().mode("/dev/video0", 0o060);
    let entry = |tag: u16, bits: u16, id: u32| {
        [&tag.to_le_bytes()[..], &bits.to_le_bytes(), &id.to_le_bytes()].concat()
    };
    let none = u32::MAX;
    let entries = [
        entry(0x01, 0, none),
        entry(0x02, 6, 4242),
        entry(0x04, 0, none),
        entry(0x10, 6, none),
        entry(0x20, 0, none),
    ];
    let list = [&2_u32.to_le_bytes()[..], &entries.concat()].concat();
    let ids = || made.findings().iter().map(|finding| finding.id).collect::<Vec<_>>();
    assert_eq!(ids(), [FindingId::NoRights]);
    let path = made.path("/dev/video0");
    match setxattr(&path, "system.posix_acl_access", &list, XattrFlags::empty()) {
        Ok(()) => assert_eq!(ids(), []),
        // Not every file system has lists.
        Err(error) => assert_eq!(error, rustix::io::Errno::OPNOTSUPP),
    }
}
