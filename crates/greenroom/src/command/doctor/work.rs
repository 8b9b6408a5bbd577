//! What `--fix` is to do, made of the findings.

use greenroom_doctor::{Facts, Finding, FindingId, Fix, Known, Report};
use greenroom_setup::facts::OwnFile;
use greenroom_setup::plan::{Action, Actor, Plan, Step, Undo};
use greenroom_setup::{Command, Wish};

use super::record::{Done, UndoStep};
use super::{Doctor, root, setup_wish};
use crate::command::setup;
use crate::terminal::Lines;

/// Something that is done about one or more findings.
pub(super) struct Work {
    pub(super) findings: Vec<FindingId>,
    pub(super) kind: WorkKind,
    /// What is written down of it.
    pub(super) done: Done,
}

pub(super) enum WorkKind {
    /// What `greenroom setup` does.
    Setup { wish: Wish, plan: Box<Plan> },
    /// Steps in the user's session.
    Steps(Vec<Step>),
    /// Commands of other programs.
    Commands { actor: Actor, commands: Vec<Command> },
}

/// All that is done, and what is left to the user although a finding promises more.
#[derive(Default)]
pub(super) struct Works {
    pub(super) list: Vec<Work>,
    left: Lines,
}

impl Works {
    pub(super) fn of(doctor: &Doctor, facts: &Facts, report: &Report) -> anyhow::Result<Self> {
        let mut works = Self::default();
        works.add_setup(doctor, facts, report)?;
        for finding in report.fixable() {
            works.add(doctor, facts, finding);
        }
        Ok(works)
    }

    /// Set-up comes first: without a camera, nothing else matters.
    fn add_setup(&mut self, doctor: &Doctor, facts: &Facts, report: &Report) -> anyhow::Result<()> {
        let by_setup = report.fixable().filter(|finding| finding.fix == Fix::Setup);
        let findings: Vec<_> = by_setup.map(|finding| finding.id).collect();
        if findings.is_empty() {
            return Ok(());
        }
        let wish = setup_wish::of(facts);
        let plan = setup::plan_of(&doctor.system, &wish)?;
        if !setup::has_steps(&plan) {
            self.left.push_all(&format!("Set-up does nothing by itself here:\n{plan}"));
            return Ok(());
        }
        let was_there = matches!(&facts.own.record, Known::Is(Some(_)))
            || matches!(&facts.own.unit, Known::Is(OwnFile::Ours(_)));
        // The user's own set-up is the user's to take back.
        let undo = if was_there { Vec::new() } else { vec![UndoStep::Setup {}] };
        let done = Done { what: "Set the virtual camera up".to_owned(), undo };
        let kind = WorkKind::Setup { wish, plan: Box::new(plan) };
        self.list.push(Work { findings, kind, done });
        Ok(())
    }

    fn add(&mut self, doctor: &Doctor, facts: &Facts, finding: &Finding) {
        let id = finding.id;
        match &finding.fix {
            Fix::ByHand | Fix::Setup => {}
            Fix::Steps { steps } => {
                let what = steps.iter().map(|step| step.action.to_string()).collect::<Vec<_>>();
                let done =
                    Done { what: what.join(", then "), undo: undo_steps(doctor, facts, steps) };
                let kind = WorkKind::Steps(steps.clone());
                self.list.push(Work { findings: vec![id], kind, done });
            }
            Fix::Commands { actor, commands, undo } => {
                let is_root = *actor == Actor::Root;
                if is_root && !root::is_possible(&doctor.system.session) {
                    for command in commands {
                        self.left
                            .push(format_args!("\nFor {id}, have an administrator run: {command}"));
                    }
                    return;
                }
                self.add_commands(id, *actor, commands, undo);
            }
        }
    }

    fn add_commands(
        &mut self,
        id: FindingId,
        actor: Actor,
        commands: &[Command],
        undo: &[Command],
    ) {
        // The same restart helps against several findings.
        let same = self.list.iter_mut().find(|work| {
            matches!(&work.kind, WorkKind::Commands { commands: its, .. } if its == commands)
        });
        if let Some(work) = same {
            work.findings.push(id);
            return;
        }
        let what: Vec<_> = commands.iter().map(|command| shown(actor, command)).collect();
        let undo = undo.iter().map(|command| undo_command(actor, command)).collect();
        let done = Done { what: what.join("; "), undo };
        let kind = WorkKind::Commands { actor, commands: commands.to_vec() };
        self.list.push(Work { findings: vec![id], kind, done });
    }

    /// Whether something is in the user's session.
    pub(super) fn some_is_the_users(&self) -> bool {
        self.list.iter().any(|work| match &work.kind {
            WorkKind::Setup { .. } => false,
            WorkKind::Steps(_) => true,
            WorkKind::Commands { actor, .. } => *actor != Actor::Root,
        })
    }

    /// What is going to be done, and how it is taken back.
    pub(super) fn lines(&self) -> Lines {
        let mut lines = Lines::default();
        lines.push_all(self.left.text());
        if !self.list.is_empty() {
            lines.push("What --fix does:");
        }
        for (index, work) in self.list.iter().enumerate() {
            let mut names: Vec<_> = work.findings.iter().map(|id| id.name()).collect();
            names.dedup();
            let number = index + 1;
            lines.push(format_args!("  {number}. {} [{}]", work.done.what, names.join(", ")));
            work.details(&mut lines);
        }
        lines
    }
}

impl Work {
    fn details(&self, lines: &mut Lines) {
        match &self.kind {
            WorkKind::Setup { plan, .. } => {
                // The plan has numbers of its own.
                for line in plan.to_string().lines() {
                    lines.push(if line.is_empty() {
                        String::new()
                    } else {
                        format!("     {line}")
                    });
                }
            }
            WorkKind::Steps(steps) => {
                for step in steps {
                    step.to_string().lines().for_each(|line| {
                        // Its undoing is said below, for all of them.
                        if !line.trim_start().starts_with("undo: ") {
                            lines.push(format_args!("     {line}"));
                        }
                    });
                }
            }
            WorkKind::Commands { .. } => {}
        }
        let undo = &self.done.undo;
        let texts: Vec<_> = undo.iter().map(UndoStep::to_string).collect();
        lines.push(match (&self.kind, texts.is_empty()) {
            (_, false) => format!("     undo: {}", texts.join("; ")),
            (WorkKind::Setup { .. }, true) => "     undo: `greenroom setup --undo`".to_owned(),
            (_, true) => "     undo: nothing to undo".to_owned(),
        });
    }
}

/// A command as a person would type it.
pub(super) fn shown(actor: Actor, command: &Command) -> String {
    if actor == Actor::Root { command.as_root() } else { command.to_string() }
}

fn undo_command(actor: Actor, command: &Command) -> UndoStep {
    let command = command.0.clone();
    if actor == Actor::Root { UndoStep::RunAsRoot { command } } else { UndoStep::Run { command } }
}

/// What takes steps back, the last one first. What is there now is what is put back then.
fn undo_steps(doctor: &Doctor, facts: &Facts, steps: &[Step]) -> Vec<UndoStep> {
    let mut undo = Vec::new();
    let run = |words: &str| UndoStep::Run { command: Command::words(words).0 };
    let mut changes_unit = false;
    for step in steps.iter().rev() {
        match (&step.action, &step.undo) {
            (Action::WriteFile { path, .. } | Action::RemoveFile { path }, _) => {
                let content = std::fs::read_to_string(doctor.system.path(path)).ok();
                undo.push(UndoStep::File { path: path.clone(), content });
                changes_unit = true;
            }
            (Action::EnableUnit { .. }, _) => {
                let enabled = matches!(&facts.own.user_unit, Known::Is(unit) if unit.enabled);
                undo.extend((!enabled).then(|| run("systemctl --user disable greenroom.service")));
            }
            (_, Undo::Run { command }) => undo.push(undo_command(step.actor, command)),
            _ => {}
        }
    }
    undo.extend(changes_unit.then(|| run("systemctl --user daemon-reload")));
    undo
}
