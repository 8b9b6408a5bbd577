//! The plans for made-up systems: what is essential of each, what no plan ever does, and all of
//! their texts in tests/plans.txt (written anew with GREENROOM_WRITE_PLANS=1; read them).

#![allow(clippy::unwrap_used)]

mod systems;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use greenroom_setup::facts::{Loaded, Origin, PackageManager};
use greenroom_setup::plan::{Action, Actor, Outcome, Plan};
use greenroom_setup::{Distribution, Facts, Known, Session, Wish, files, plan};
use systems::{Case, Expected, Is};

fn summary(plan: &Plan, expected: &Expected) -> Expected {
    // The words of `expected`, where they are equal to what is found: their lifetime is the
    // program's.
    let word = |text: &str, of: &[&'static str]| {
        of.iter().find(|word| **word == text).copied().unwrap_or_else(|| text.to_owned().leak())
    };
    let mut found = Expected {
        outcome: match plan.outcome {
            Outcome::Steps => Is::Steps,
            Outcome::NothingToDo => Is::Nothing,
            Outcome::NotPossible(_) => Is::NotPossible,
        },
        topics: plan.explanations.iter().map(|explanation| explanation.topic).collect(),
        ..Expected::default()
    };
    for step in &plan.steps {
        match &step.action {
            Action::InstallPackages { packages, .. } => {
                found.packages.extend(packages.iter().map(|name| word(name, &expected.packages)));
            }
            Action::WriteFile { path, .. }
                if !path.starts_with("/home") && path != Path::new(files::SETUP_RECORD) =>
            {
                found.files.push(word(path.to_str().unwrap(), &expected.files));
            }
            Action::ImportKey { .. } => found.key = true,
            Action::Restart => found.restart = true,
            _ => {}
        }
    }
    found
}

#[test]
fn each_system_gets_the_packages_and_files_that_are_right_for_it() {
    let cases = systems::all();
    assert!(cases.len() >= 50, "{}", cases.len());
    let names: BTreeSet<_> = cases.iter().map(|case| case.name).collect();
    assert_eq!(names.len(), cases.len(), "two systems of one name");
    for case in cases {
        let plan = plan(&case.system.facts(), &case.wish);
        let found = summary(&plan, &case.expected);
        assert_eq!(found, case.expected, "{}:\n{plan}", case.name);
    }
}

#[test]
fn no_plan_does_what_none_may_do() {
    for case in systems::all() {
        let facts = case.system.facts();
        let plan = plan(&facts, &case.wish);
        let text = plan.to_text();
        for step in &plan.steps {
            check_action(&step.action, &facts, &text, case.name);
            assert!(!step.why.is_empty() && !step.why.ends_with('.'), "{text}");
        }
        // The program goes first and last, root's helper once in between, and the person ends it.
        let mut actors: Vec<_> = plan.steps.iter().map(|step| step.actor).collect();
        actors.dedup();
        let order = [Actor::Program, Actor::Root, Actor::Program, Actor::Person];
        let mut rest = order.iter();
        assert!(actors.iter().all(|actor| rest.any(|next| next == actor)), "{text}");
        for explanation in &plan.explanations {
            assert!(explanation.text.ends_with(['.', ':']), "{text}");
        }
        if plan.outcome == Outcome::Steps {
            assert!(!plan.steps.is_empty());
        } else {
            assert!(plan.steps.is_empty(), "{text}");
        }
        if matches!(plan.outcome, Outcome::NotPossible(_)) {
            assert!(!plan.explanations[0].next.is_empty(), "no next step:\n{text}");
        }
    }
}

fn check_action(action: &Action, facts: &Facts, text: &str, name: &str) {
    let ours: [&str; 4] =
        [files::UNIT_FILE, files::OPTIONS_FILE, files::LOAD_FILE, files::SETUP_RECORD];
    let removed = [files::RUN_RECORD].into_iter().chain(ours).map(Path::new);
    let home = PathBuf::from("/home/ada/.config/systemd/user/greenroom.service");
    match action {
        Action::WriteFile { path, content, mode } => {
            assert!(ours.iter().any(|own| Path::new(own) == path) || *path == home, "{text}");
            assert_eq!(*mode, 0o644);
            let marked = files::is_ours(content) || path == Path::new(files::SETUP_RECORD);
            assert!(marked && content.ends_with('\n'), "{name}: {content}");
            // Arrays of two files merge and break both.
            let options = path == Path::new(files::OPTIONS_FILE);
            assert!(!options || facts.foreign_options().next().is_none(), "{text}");
        }
        Action::RemoveFile { path } => {
            assert!(removed.into_iter().any(|own| own == path) || *path == home, "{text}");
        }
        Action::InstallPackages { packages, commands, manager } => {
            let ubuntu = facts.system.os.is_and(|os| Distribution::of(os) == Distribution::Ubuntu);
            assert!(!(ubuntu && packages.iter().any(|name| name.contains("dkms"))), "{text}");
            let partial = commands.iter().any(|command| command.0.iter().any(|word| word == "-Sy"));
            assert!(!(*manager == PackageManager::Pacman && partial), "{text}");
        }
        Action::AddNodes { nodes, .. } => {
            assert!(nodes.iter().all(|node| files::NUMBERS.contains(&node.number)), "{text}");
            let taken = facts.nodes.get().unwrap();
            let mine = |number| {
                taken.loopbacks.iter().any(|n| n.number == number && n.origin == Origin::Setup)
            };
            let free = |number| !taken.taken.contains(&number) || mine(number);
            assert!(nodes.iter().all(|node| free(node.number)), "{text}");
        }
        Action::RemoveNode { number } => {
            let nodes = &facts.nodes.get().unwrap().loopbacks;
            let node = nodes.iter().find(|node| node.number == *number).unwrap();
            // Nobody but greenroom, which is stopped before, has it open.
            let users = node.users.get().unwrap();
            assert!(users.iter().all(|user| user.name == "greenroom"), "{text}");
            assert_eq!(node.origin, Origin::Setup, "{text}");
        }
        Action::UnloadModule { .. } => assert_unused(facts, text),
        Action::LoadModule { commands } if commands.len() > 1 => assert_unused(facts, text),
        _ => {}
    }
}

/// Nobody uses the module, and nobody else has a node of it.
fn assert_unused(facts: &Facts, text: &str) {
    let nodes = &facts.nodes.get().unwrap().loopbacks;
    let users: Vec<_> = nodes.iter().flat_map(|node| node.users.get().unwrap()).collect();
    let unused = matches!(facts.module.loaded, Known::Is(Loaded::Yes { users: Known::Is(0), .. }));
    let greenroom = !users.is_empty() && users.iter().all(|user| user.name == "greenroom");
    assert!(unused || greenroom, "{text}");
    assert!(nodes.iter().all(|node| node.origin == Origin::Setup), "{text}");
}

/// Each file of each system is taken away, emptied, and filled with nonsense, one after the other:
/// no plan does then what none may do.
#[test]
fn missing_and_broken_files_mislead_no_plan() {
    let mut plans = 0;
    for case in systems::all() {
        for (path, _) in tree(case.system.root()) {
            if !path.symlink_metadata().unwrap().is_file() {
                continue;
            }
            let content = fs::read(&path).unwrap();
            for broken in [None, Some(&b""[..]), Some(&b"\xff\0=\n:,{\"-\n"[..])] {
                match broken {
                    None => fs::remove_file(&path).unwrap(),
                    Some(bytes) => fs::write(&path, bytes).unwrap(),
                }
                let facts = case.system.facts();
                let plan = plan(&facts, &case.wish);
                let text = plan.to_long_text();
                for step in &plan.steps {
                    check_action(&step.action, &facts, &text, case.name);
                }
                plans += 1;
            }
            fs::write(&path, content).unwrap();
        }
    }
    assert!(plans > 4000, "{plans}");
}

#[test]
fn a_plan_is_json_with_kinds_that_programs_can_tell_apart() {
    let case = systems::all().into_iter().find(|case| case.name == "Debian 12, Secure Boot");
    let case = case.unwrap();
    let json = serde_json::to_value(plan(&case.system.facts(), &case.wish)).unwrap();
    assert_eq!(json["outcome"], "steps");
    assert_eq!(json["escalation"], "pkexec");
    let kinds: Vec<_> = json["steps"].as_array().unwrap().iter().collect();
    let kinds: Vec<_> = kinds.iter().map(|step| step["action"]["kind"].as_str().unwrap()).collect();
    let expected =
        "write_file install_packages write_file write_file enable_unit import_key restart";
    assert_eq!(kinds.join(" "), expected);
    let install = &json["steps"][1];
    assert_eq!((&install["actor"], &install["condition"]), (&"root".into(), &"always".into()));
    assert_eq!(install["check"]["kind"], "packages_are_installed");
    assert_eq!(install["action"]["commands"][0][0], "apt-get");

    let container = systems::all().into_iter().find(|case| case.name == "A container").unwrap();
    let json = serde_json::to_value(plan(&container.system.facts(), &container.wish)).unwrap();
    assert_eq!(json["outcome"]["not_possible"], "container");
}

#[test]
fn the_system_on_which_this_test_runs_can_be_read() {
    let facts = Facts::read(Path::new("/"), Session::of_this_process()).unwrap();
    assert!(facts.kernel.release != Known::Unknown);
    for wish in [Wish::default(), Wish::undo()] {
        assert!(plan(&facts, &wish).to_text().starts_with("What is there\n"));
    }
}

#[test]
fn an_empty_root_directory_is_no_system_to_set_up() {
    let root = tempfile::tempdir().unwrap();
    let session = systems::Made::new("", "").session;
    let facts = Facts::read(root.path(), session.clone()).unwrap();
    assert_eq!(facts.system.os, Known::Unknown);
    let plan = plan(&facts, &Wish::default());
    assert!(matches!(plan.outcome, Outcome::NotPossible(_)), "{plan}");
    assert!(Facts::read(&root.path().join("none"), session).is_err());
}

/// Nobody writes into these: whoever opened one would wait for ever.
#[test]
fn pipes_in_place_of_files_are_not_known() {
    let paths = ["/etc/os-release", "/proc/modules", "/etc/modprobe.d/x.conf", systems::UNIT];
    let made = paths.iter().fold(systems::Made::new("", "6.1.0"), |made, path| made.file(path, ""));
    for path in paths {
        let path = made.root().join(path.trim_start_matches('/'));
        fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
    }
    let facts = made.facts();
    assert_eq!((facts.system.os, facts.own.unit), (Known::Unknown, Known::Unknown));
    assert_eq!(facts.module.loaded, Known::Unknown);
}

#[test]
fn reading_and_planning_change_nothing_and_are_the_same_each_time() {
    for case in systems::all() {
        let before = tree(case.system.root());
        let (first, second) = (case.system.facts(), case.system.facts());
        assert_eq!(first, second);
        let (first, second) = (plan(&first, &case.wish), plan(&second, &case.wish));
        assert_eq!(serde_json::to_string(&first).unwrap(), serde_json::to_string(&second).unwrap());
        assert_eq!(tree(case.system.root()), before, "{}", case.name);
    }
}

fn tree(folder: &Path) -> Vec<(PathBuf, u64)> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let metadata = entry.path().symlink_metadata().unwrap();
        entries.push((entry.path(), metadata.len()));
        if metadata.is_dir() {
            entries.extend(tree(&entry.path()));
        }
    }
    entries.sort();
    entries
}

/// The systems whose plans are written with the contents of files and all the rest.
const LONG: [&str; 4] = [
    "Ubuntu 24.04, HWE kernel, Secure Boot",
    "Debian 12, Secure Boot",
    "Fedora 42, Secure Boot",
    "Undo: everything",
];

#[test]
fn the_texts_are_those_of_plans_txt() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plans.txt");
    let text = |case: &Case| {
        let line = "=".repeat(case.name.len());
        let plan = plan(&case.system.facts(), &case.wish);
        let text = if LONG.contains(&case.name) { plan.to_long_text() } else { plan.to_text() };
        format!("{}\n{line}\n{text}\n", case.name)
    };
    let all: String = systems::all().iter().map(text).collect();
    if env::var_os("GREENROOM_WRITE_PLANS").is_some() {
        fs::write(&path, &all).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let differs = all.lines().zip(expected.lines()).position(|(new, old)| new != old);
    assert!(
        all == expected,
        "tests/plans.txt differs from line {differs:?} on; write it anew with \
         GREENROOM_WRITE_PLANS=1 and read what changed"
    );
}

/// The boot unit as set-up would write it, and whether a plan enables one.
fn boot_unit(plan: &Plan) -> (Option<&str>, bool) {
    let written = plan.steps.iter().find_map(|step| match &step.action {
        Action::WriteFile { path, content, .. } if path == Path::new(files::UNIT_FILE) => {
            Some(content.as_str())
        }
        _ => None,
    });
    let enables =
        |action: &Action| matches!(action, Action::EnableUnit { unit, .. } if unit == files::UNIT);
    (written, plan.steps.iter().any(|step| enables(&step.action)))
}

#[test]
fn units_of_a_package_are_enabled_and_not_written_again() {
    let packaged = include_str!("../../../packaging/systemd/greenroom-camera.service");
    let start = |unit: &str| {
        let line = unit.lines().find(|line| line.starts_with("ExecStart="));
        line.map(str::to_owned)
    };
    let (mut same, mut others) = (0, 0);
    for (without, with) in systems::all().into_iter().zip(systems::all()) {
        let plan_without = plan(&without.system.facts(), &without.wish);
        let (Some(unit), _) = boot_unit(&plan_without) else { continue };
        let system = with.system.file(files::SHIPPED_UNIT_FILE, packaged);
        let plan_with = plan(&system.facts(), &with.wish);
        let (written, enabled) = boot_unit(&plan_with);
        assert!(enabled, "{}:\n{plan_with}", with.name);
        if start(unit) == start(packaged) && !system.has(files::UNIT_FILE) {
            assert_eq!(written, None, "{}:\n{plan_with}", with.name);
            same += 1;
        } else {
            // Other cameras than the package's, or an older unit of set-up: that one goes first.
            assert_eq!(written, Some(unit), "{}:\n{plan_with}", with.name);
            others += 1;
        }
    }
    assert!(same >= 5 && others >= 1, "{same} {others}");
}
