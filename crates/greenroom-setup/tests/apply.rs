//! Plans are carried out on made-up systems: whole, failing at each command, and killed at each
//! moment, after which the next run goes on or undoes.

#![allow(clippy::unwrap_used)]

mod made;
#[allow(dead_code)]
mod systems;

use std::collections::BTreeMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use greenroom_setup::apply::{Machine, Moment, carry_out, take_back};
use greenroom_setup::facts::Origin;
use greenroom_setup::plan::{Actor, Outcome, Plan};
use greenroom_setup::{Facts, SetupError, Wish, at_boot, files, plan};
use made::{MadeControl, MadePrograms, nodes};
use systems::{Made, debian, ubuntu};

/// All files below a root directory, with what is in them. What a run of the service and a load of
/// the module leave in `/proc`, `/sys` and `/run/made` is no file.
fn tree(root: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, folder: &Path, into: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(folder).unwrap().flatten() {
            let path = entry.path();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let metadata = path.symlink_metadata().unwrap();
            if ["proc", "sys", "run/made"].contains(&name.as_str()) {
                continue;
            }
            if metadata.is_dir() {
                walk(root, &path, into);
            } else if metadata.is_symlink() {
                into.insert(name, format!("-> {}", fs::read_link(&path).unwrap().display()));
            } else {
                into.insert(name, fs::read_to_string(&path).unwrap_or_default());
            }
        }
    }
    let mut files = BTreeMap::new();
    walk(root, root, &mut files);
    files
}

/// A system on which set-up is tried.
struct Trial {
    name: &'static str,
    make: fn() -> Made,
    version: Option<&'static str>,
}

fn trials() -> Vec<Trial> {
    let noble = || {
        let made = ubuntu::noble();
        // Folders that every system has.
        made.file("/etc/modprobe.d/.empty", "").file("/etc/systemd/system/.empty", "")
    };
    vec![
        Trial { name: "0.15.0 from a package", make: noble, version: Some("0.15.0") },
        Trial { name: "0.12.7 from a package", make: noble, version: None },
        Trial {
            name: "0.12.7 is there, and no user unit",
            make: || {
                debian::bookworm_with_module()
                    .without("/usr/lib/systemd/user/greenroom.service")
                    .file("/etc/systemd/system/.empty", "")
                    .file("/home/ada/.config/.empty", "")
            },
            version: None,
        },
        Trial {
            name: "0.15.0 is loaded",
            make: || {
                ubuntu::noble()
                    .module("kernel/v4l2loopback/v4l2loopback.ko.zst", b"")
                    .loaded(Some("0.15.0"), 0)
            },
            version: Some("0.15.0"),
        },
    ]
}

impl Trial {
    fn programs(&self, made: &Made) -> MadePrograms {
        MadePrograms::new(made.root(), &made.session, self.version)
    }
}

/// What `greenroom setup` does, with all rights. `watch` is told of each moment.
fn set_up(
    made: &Made,
    programs: &mut MadePrograms,
    wish: &Wish,
    watch: &mut dyn FnMut(Moment<'_>),
) -> Result<Plan, SetupError> {
    let plan = plan(&made.facts(), wish);
    let mut control = MadeControl(made.root().to_owned());
    let mut machine =
        Machine { root: made.root(), programs, control: &mut control, watch, stop: &|| false };
    let session = &made.session;
    let before = carry_out(&mut machine, session, Actor::Program, &plan.before_root())?;
    if let Err(error) = carry_out(&mut machine, session, Actor::Root, &plan.of_root()) {
        assert_eq!(take_back(&mut machine, session, before)?, Vec::<String>::new());
        return Err(error);
    }
    carry_out(&mut machine, session, Actor::Program, &plan.after_root())?;
    Ok(plan)
}

fn assert_set_up(made: &Made, context: &str) {
    let facts: Facts = made.facts();
    let next = plan(&facts, &Wish::default());
    assert_eq!(next.outcome, Outcome::NothingToDo, "{context}:\n{next}");
    let labels: Vec<_> = nodes(made.root()).into_iter().map(|(_, label)| label).collect();
    assert_eq!(labels, ["greenroom"], "{context}");
    let left: Vec<_> =
        tree(made.root()).into_keys().filter(|name| name.contains("greenroom-new")).collect();
    assert_eq!(left, Vec::<String>::new(), "{context}");
    assert!(facts.own.record.get().unwrap().as_ref().is_none_or(|r| r.in_progress.is_none()));
}

#[test]
fn set_up_works_the_second_run_finds_nothing_and_undo_leaves_the_files_of_before() {
    for trial in trials() {
        let made = (trial.make)();
        let mut programs = trial.programs(&made);
        let before = tree(made.root());
        set_up(&made, &mut programs, &Wish::default(), &mut |_| {}).unwrap();
        assert_set_up(&made, trial.name);
        let plan = set_up(&made, &mut programs, &Wish::undo(), &mut |_| {}).unwrap();
        assert_eq!(tree(made.root()), before, "{}:\n{plan}", trial.name);
        assert_eq!(nodes(made.root()), [], "{}", trial.name);
        let again = greenroom_setup::plan(&made.facts(), &Wish::undo());
        assert_eq!(again.outcome, Outcome::NothingToDo, "{}:\n{again}", trial.name);
    }
}

/// Thrown at a moment: nothing of set-up runs afterwards, as after SIGKILL.
struct Killed;

/// Runs set-up and kills it at the moment `at`. Whether it lived that long.
fn killed_at(made: &Made, programs: &mut MadePrograms, wish: &Wish, at: usize) -> bool {
    let mut moment = 0;
    let mut watch = |_: Moment<'_>| {
        moment += 1;
        if moment > at {
            std::panic::resume_unwind(Box::new(Killed));
        }
    };
    let run = AssertUnwindSafe(|| set_up(made, programs, wish, &mut watch).map(drop));
    match catch_unwind(run) {
        Ok(done) => {
            done.unwrap();
            false
        }
        Err(payload) => {
            assert!(payload.is::<Killed>());
            true
        }
    }
}

/// On each system, once for each moment: `before` (what is done first), set-up for `wish`, which is killed at the moment,
/// and `then`, which is told where that was; after it, the files must be those of before. Returns how many were killed.
fn killed_at_each_moment(
    before: &[Wish],
    wish: &Wish,
    then: &dyn Fn(&Made, &mut MadePrograms, &str),
) -> usize {
    let mut kills = 0;
    for trial in trials() {
        for at in 0.. {
            let made = (trial.make)();
            let mut programs = trial.programs(&made);
            let files = tree(made.root());
            for wish in before {
                set_up(&made, &mut programs, wish, &mut |_| {}).unwrap();
            }
            if !killed_at(&made, &mut programs, wish, at) {
                break;
            }
            kills += 1;
            let context = format!("{}, killed at {at}", trial.name);
            then(&made, &mut programs, &context);
            set_up(&made, &mut programs, &Wish::undo(), &mut |_| {}).unwrap();
            assert_eq!(tree(made.root()), files, "{context}");
            assert_eq!(nodes(made.root()), [], "{context}");
        }
    }
    kills
}

#[test]
fn killed_at_each_moment_the_next_run_goes_on() {
    let kills = killed_at_each_moment(&[], &Wish::default(), &|made, programs, context| {
        set_up(made, programs, &Wish::default(), &mut |_| {}).unwrap();
        assert_set_up(made, context);
    });
    assert!(kills > 60, "{kills}");
}

#[test]
fn killed_at_each_moment_undo_leaves_the_files_of_before() {
    let kills = killed_at_each_moment(&[], &Wish::default(), &|_, _, _| {});
    assert!(kills > 60, "{kills}");
}

#[test]
fn undo_killed_at_each_moment_is_undone_by_the_next_one() {
    let kills = killed_at_each_moment(&[Wish::default()], &Wish::undo(), &|_, _, _| {});
    assert!(kills > 30, "{kills}");
}

#[test]
fn whatever_command_fails_leaves_the_state_of_before_and_says_so_in_a_sentence() {
    let mut failures = 0;
    for trial in trials() {
        let made = (trial.make)();
        let mut programs = trial.programs(&made);
        set_up(&made, &mut programs, &Wish::default(), &mut |_| {}).unwrap();
        let questions = ["is-enabled", "is-failed", "is-active", "modinfo"];
        let commands =
            programs.log.iter().filter(|line| !questions.iter().any(|q| line.contains(q)));
        for command in commands {
            let made = (trial.make)();
            let mut programs = trial.programs(&made);
            programs.fails = Some(command.clone().leak());
            let before = tree(made.root());
            let error = set_up(&made, &mut programs, &Wish::default(), &mut |_| {}).unwrap_err();
            let text = error.to_string();
            let context = format!("{}, {command} fails: {text}", trial.name);
            assert!(text.contains("it broke") && text.contains("`greenroom setup"), "{context}");
            failures += 1;
            // What the user's part does comes after what root did, which stays.
            if !command.contains("--user") {
                assert_eq!(tree(made.root()), before, "{context}");
                assert_eq!(nodes(made.root()), [], "{context}");
            }
            programs.fails = None;
            set_up(&made, &mut programs, &Wish::default(), &mut |_| {}).unwrap();
            assert_set_up(&made, &context);
        }
    }
    assert!(failures > 12, "{failures}");
}

#[test]
fn whatever_command_of_undoing_fails_leaves_the_camera_as_it_was() {
    let mut failures = 0;
    for trial in trials() {
        let set_up_one = || {
            let made = (trial.make)();
            let mut programs = trial.programs(&made);
            set_up(&made, &mut programs, &Wish::default(), &mut |_| {}).unwrap();
            programs.log.clear();
            (made, programs)
        };
        let (made, mut programs) = set_up_one();
        set_up(&made, &mut programs, &Wish::undo(), &mut |_| {}).unwrap();
        let commands = programs.log.iter().filter(|line| !line.contains("is-"));
        for command in commands {
            let (made, mut programs) = set_up_one();
            let before = tree(made.root());
            programs.fails = Some(command.clone().leak());
            let error = set_up(&made, &mut programs, &Wish::undo(), &mut |_| {}).unwrap_err();
            let context = format!("{}, {command} fails: {error}", trial.name);
            assert!(error.to_string().contains("it broke"), "{context}");
            assert_eq!(tree(made.root()), before, "{context}");
            assert_eq!(nodes(made.root()).len(), 1, "{context}");
            failures += 1;
            programs.fails = None;
            set_up(&made, &mut programs, &Wish::undo(), &mut |_| {}).unwrap();
            assert_eq!(nodes(made.root()), [], "{context}");
        }
    }
    assert!(failures > 8, "{failures}");
}

#[test]
fn an_old_node_of_ours_is_made_anew_and_comes_back_if_that_fails() {
    let record = "{\"nodes\":[{\"number\":10,\"label\":\"greenroom\",\"exclusive_caps\":false,\
                  \"buffers\":4}]}";
    for fails in [None, Some("restart greenroom-camera.service")] {
        let made = (trials()[3].make)();
        let mut programs = trials()[3].programs(&made);
        set_up(&made, &mut programs, &Wish::default(), &mut |_| {}).unwrap();
        let made = made.file(files::RUN_RECORD, record);
        programs.fails = fails;
        let done = set_up(&made, &mut programs, &Wish::default(), &mut |_| {});
        assert_eq!(done.is_err(), fails.is_some(), "{:?}", done.err());
        assert_eq!(nodes(made.root()), [(10, "greenroom".to_owned())]);
        let facts = made.facts();
        assert_eq!(facts.nodes.get().unwrap().loopbacks[0].origin, Origin::Setup);
    }
}

#[test]
fn a_foreign_file_that_came_since_the_plan_is_never_replaced() {
    let made = ubuntu::noble()
        .module("kernel/v4l2loopback/v4l2loopback.ko.zst", b"")
        .loaded(Some("0.15.0"), 0);
    let planned = plan(&made.facts(), &Wish::default());
    let made = made.file(files::UNIT_FILE, "[Unit]\nDescription=theirs\n");
    let before = tree(made.root());
    let mut programs = MadePrograms::new(made.root(), &made.session, Some("0.15.0"));
    let mut control = MadeControl(made.root().to_owned());
    let mut machine = Machine {
        root: made.root(),
        programs: &mut programs,
        control: &mut control,
        watch: &mut |_| {},
        stop: &|| false,
    };
    let error =
        carry_out(&mut machine, &made.session, Actor::Root, &planned.of_root()).unwrap_err();
    assert!(error.to_string().contains("was not written by set-up"), "{error}");
    assert_eq!(tree(made.root()), before);
}

#[test]
fn a_run_that_is_stopped_undoes_what_it_did() {
    let made = (trials()[0].make)();
    let before = tree(made.root());
    let mut programs = MadePrograms::new(made.root(), &made.session, Some("0.15.0"));
    let plan = plan(&made.facts(), &Wish::default());
    let mut control = MadeControl(made.root().to_owned());
    let stop = std::cell::Cell::new(false);
    let mut machine = Machine {
        root: made.root(),
        programs: &mut programs,
        control: &mut control,
        watch: &mut |moment| stop.set(matches!(moment, Moment::Begins(_, 3, _)) || stop.get()),
        stop: &|| stop.get(),
    };
    let error = carry_out(&mut machine, &made.session, Actor::Root, &plan.of_root()).unwrap_err();
    assert!(error.to_string().contains("it was stopped"), "{error}");
    assert_eq!(tree(made.root()), before);
}

#[test]
fn the_boot_unit_killed_at_each_moment_never_leaves_a_node_that_nobody_knows() {
    for at in 0.. {
        let made = ubuntu::noble()
            .module("kernel/v4l2loopback/v4l2loopback.ko.zst", b"")
            .loaded(Some("0.15.0"), 0);
        let mut programs = MadePrograms::new(made.root(), &made.session, Some("0.15.0"));
        let mut boot = |at: usize| {
            let mut control = MadeControl(made.root().to_owned());
            let mut moment = 0;
            let mut machine = Machine {
                root: made.root(),
                programs: &mut programs,
                control: &mut control,
                watch: &mut |_| {
                    moment += 1;
                    if moment > at {
                        std::panic::resume_unwind(Box::new(Killed));
                    }
                },
                stop: &|| false,
            };
            let label = greenroom_setup::Label::default();
            let run = || at_boot(&mut machine, &made.session, &label, &[10, 11]).map(drop);
            catch_unwind(AssertUnwindSafe(run)).is_ok()
        };
        let lived = boot(at);
        assert!(boot(usize::MAX));
        let facts = made.facts();
        let loopbacks = &facts.nodes.get().unwrap().loopbacks;
        let found: Vec<_> =
            loopbacks.iter().map(|node| (node.label.as_str(), node.origin)).collect();
        assert_eq!(found, [("greenroom", Origin::Setup), ("greenroom 2", Origin::Setup)], "{at}");
        if lived {
            assert!(at > 8, "{at}");
            break;
        }
    }
}

#[test]
fn the_boot_unit_takes_the_next_number_if_one_is_taken_and_leaves_an_old_module_alone() {
    let made = ubuntu::noble()
        .module("kernel/v4l2loopback/v4l2loopback.ko.zst", b"")
        .loaded(Some("0.15.0"), 0)
        .file("/sys/class/video4linux/video10/name", "capture card\n");
    let old = ubuntu::noble().module("updates/v4l2loopback.ko", ubuntu::OLD_MODULE).loaded(None, 0);
    let boot = |made: &Made| {
        let mut programs = MadePrograms::new(made.root(), &made.session, None);
        let mut control = MadeControl(made.root().to_owned());
        let mut machine = Machine {
            root: made.root(),
            programs: &mut programs,
            control: &mut control,
            watch: &mut |_| {},
            stop: &|| false,
        };
        at_boot(&mut machine, &made.session, &greenroom_setup::Label::default(), &[10])
    };
    let added = boot(&made).unwrap().unwrap();
    assert_eq!((added[0].number, added.len()), (11, 1));
    assert_eq!(boot(&made).unwrap().unwrap(), []);
    assert_eq!(boot(&old).unwrap(), None);
    assert_eq!(nodes(old.root()), []);
}

#[test]
fn a_module_before_0_15_gets_no_node_whose_buffers_it_would_refuse() {
    let buffers = |version, parameter: Option<&str>| {
        let made = ubuntu::noble()
            .module("kernel/v4l2loopback/v4l2loopback.ko.zst", b"")
            .loaded(Some(version), 0);
        let path = "/sys/module/v4l2loopback/parameters/max_buffers";
        let made = match parameter {
            Some(text) => made.file(path, text),
            None => made,
        };
        made.facts().buffers_of_a_node()
    };
    assert_eq!(buffers("0.13.2", Some("2\n")), 3);
    assert_eq!(buffers("0.13.2", Some("4\n")), files::BUFFERS);
    assert_eq!(buffers("0.15.0", Some("2\n")), files::BUFFERS);
    assert_eq!(buffers("0.13.2", None), files::BUFFERS);
}
