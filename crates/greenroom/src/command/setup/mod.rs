//! `greenroom setup`: the virtual camera is set up, or that is taken back.
//!
//! This program shows the plan, asks, and does what is the user's. For the rest it starts itself
//! once more through pkexec or sudo, with nothing but the [`Wish`]: that helper (`--as-root`) reads
//! the facts and makes the plan itself.

mod ask;
mod error;
mod escalate;
#[cfg(feature = "faults")]
mod made_up;
mod programs;
mod stopped;
mod system;

use anyhow::{Context, bail};
use greenroom_setup::apply::{Undoable, carry_out, take_back};
use greenroom_setup::plan::{Action, Actor, Outcome, Plan};
use greenroom_setup::{Facts, Known, Label, Wish, at_boot, plan};

use crate::cli::SetupArgs;
use crate::terminal::{Lines, print, printable_json, say};
pub use error::SetupRefused;
pub(super) use system::System;

/// `greenroom setup`.
pub(super) fn setup(args: &SetupArgs) -> anyhow::Result<()> {
    let mut system = System::of_this_process(args);
    if let Some(wish) = &args.as_root {
        return as_root(&mut system, wish);
    }
    if args.at_boot {
        return add_nodes(&mut system, args);
    }
    let wish = wish(args)?;
    let facts = system.facts()?;
    let plan = plan(&facts, &wish);
    if args.plan {
        return show(&plan, args.json);
    }
    show(&plan, false)?;
    match plan.outcome {
        Outcome::NothingToDo => {
            stopped::start_again(&mut system)?;
            let mut lines = Lines::default();
            if !wish.is_undo() {
                programs::push(&system, &mut lines)?;
            }
            return lines.print();
        }
        Outcome::NotPossible(_) => return Err(SetupRefused::NotPossible.into()),
        Outcome::Steps => {}
    }
    if !is_only_for_people(&plan) {
        if !args.yes {
            ask::ask(&wish)?;
        }
        do_all(&mut system, &wish, &plan)?;
    }
    conclude(&mut system, &wish, &plan)
}

fn wish(args: &SetupArgs) -> anyhow::Result<Wish> {
    if args.undo {
        return Ok(Wish::undo());
    }
    let label = args.label.as_deref().map(Label::new).transpose()?.unwrap_or_default();
    Ok(Wish::new(args.nodes.unwrap_or(1), label)?)
}

fn show(plan: &Plan, json: bool) -> anyhow::Result<()> {
    if json {
        let json = serde_json::to_string_pretty(plan).context("the plan as JSON")?;
        return print(&printable_json(&format!("{json}\n")));
    }
    let mut lines = Lines::default();
    lines.push_all(&plan.to_text());
    lines.print()
}

/// Whether all that is left is a person's to do: import a key, restart.
fn is_only_for_people(plan: &Plan) -> bool {
    plan.of_person().len() == plan.steps.len()
}

/// What set-up would do to fulfil a wish.
pub(super) fn plan_of(system: &System, wish: &Wish) -> anyhow::Result<Plan> {
    Ok(plan(&system.facts()?, wish))
}

/// Carries a plan out that the user has agreed to, and looks whether everything is there now.
pub(super) fn fulfil(system: &mut System, wish: &Wish, plan: &Plan) -> anyhow::Result<()> {
    do_all(system, wish, plan)?;
    conclude(system, wish, plan)
}

/// Whether there is something in a plan that greenroom does.
pub(super) fn has_steps(plan: &Plan) -> bool {
    plan.outcome == Outcome::Steps && !is_only_for_people(plan)
}

/// Does the steps: the user's first ones, root's, the user's last ones.
fn do_all(system: &mut System, wish: &Wish, plan: &Plan) -> anyhow::Result<()> {
    let stops = |action: &Action| matches!(action, Action::StopService { .. });
    if plan.steps.iter().any(|step| stops(&step.action)) {
        stopped::write_down()?;
    }
    let session = system.session.clone();
    let before =
        system.with(|machine| carry_out(machine, &session, Actor::Program, &plan.before_root()));
    let before = before?;
    if let Err(error) = roots_part(system, wish, plan) {
        undo_before(system, before)?;
        return Err(error);
    }
    let after =
        system.with(|machine| carry_out(machine, &session, Actor::Program, &plan.after_root()));
    after.context("the camera is set up, but not what runs in your session")?;
    stopped::start_again(system)
}

fn roots_part(system: &mut System, wish: &Wish, plan: &Plan) -> anyhow::Result<()> {
    use greenroom_setup::plan::Escalation;
    match plan.escalation {
        None => Ok(()),
        Some(Escalation::IsRoot) => {
            let session = system.session.clone();
            let steps = plan.of_root();
            let done = system.with(|machine| carry_out(machine, &session, Actor::Root, &steps));
            Ok(done.map(drop)?)
        }
        Some(Escalation::Pkexec) => escalate::through(system, "pkexec", wish),
        Some(Escalation::Sudo) => escalate::through(system, "sudo", wish),
    }
}

/// The helper has failed and undone what it did: so does this.
fn undo_before(system: &mut System, before: Undoable) -> anyhow::Result<()> {
    let session = system.session.clone();
    let remains = system.with(|machine| take_back(machine, &session, before))?;
    for line in remains {
        say(format_args!("This could not be undone: {line}"))?;
    }
    stopped::start_again(system)
}

/// Root's part, which pkexec or sudo have started.
fn as_root(system: &mut System, wish: &str) -> anyhow::Result<()> {
    if !system.session.is_root {
        return Err(SetupRefused::NotRoot.into());
    }
    let wish: Wish = serde_json::from_str(wish).map_err(SetupRefused::Wish)?;
    let plan = plan(&system.facts()?, &wish);
    if let Outcome::NotPossible(_) = plan.outcome {
        let why = plan.explanations.first().map(|explanation| explanation.text.clone());
        return Err(SetupRefused::NotPossibleAsRoot(why.unwrap_or_default()).into());
    }
    let session = system.session.clone();
    let steps = plan.of_root();
    let done = system.with(|machine| carry_out(machine, &session, Actor::Root, &steps));
    Ok(done.map(drop)?)
}

/// What the boot unit does.
fn add_nodes(system: &mut System, args: &SetupArgs) -> anyhow::Result<()> {
    let label = args.label.as_deref().map(Label::new).transpose()?.unwrap_or_default();
    let session = system.session.clone();
    let added = system.with(|machine| at_boot(machine, &session, &label, &args.number));
    let Some(added) = added? else {
        return say(
            "this v4l2loopback is older than 0.13: it makes its cameras when it is loaded, as the \
             files in /etc/modprobe.d say",
        );
    };
    for node in &added {
        say(format_args!("added /dev/video{} \"{}\"", node.number, node.label))?;
    }
    Ok(())
}

/// Looks whether everything is there now, and says what is left.
fn conclude(system: &mut System, wish: &Wish, done: &Plan) -> anyhow::Result<()> {
    let facts = system.facts()?;
    let next = plan(&facts, wish);
    let left = next.steps.len() - next.of_person().len();
    if left > 0 {
        show(&next, false)?;
        bail!("something is still to be done; run `greenroom setup` again");
    }
    let mut lines = Lines::default();
    lines.push("");
    if wish.is_undo() {
        lines.push(if next.explanations.is_empty() {
            "Set-up is undone."
        } else {
            "Set-up is undone, but for what is left to you above."
        });
    } else {
        for_each_camera(&facts, wish, &mut lines);
        programs::push(system, &mut lines)?;
    }
    if !done.of_person().is_empty() {
        lines.push("What is left to you is above: do it now, then run `greenroom setup` again.");
    }
    lines.print()
}

fn for_each_camera(facts: &Facts, wish: &Wish, lines: &mut Lines) {
    let Known::Is(nodes) = &facts.nodes else { return };
    let labels = wish.labels();
    let ours = nodes.loopbacks.iter();
    let ours: Vec<_> =
        ours.filter(|node| labels.iter().any(|label| label.as_str() == node.label)).collect();
    for node in &ours {
        lines.push(format_args!(
            "The camera \"{}\" is there: /dev/video{}.",
            node.label, node.number
        ));
    }
    if !ours.is_empty() {
        lines.push(
            "Choose it in the camera settings of your call; restart programs that were running \
             before it was there.",
        );
    }
}
