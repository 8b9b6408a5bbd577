//! Which nodes are wanted, which of them are there, and which numbers the others get.

use std::collections::BTreeSet;

use super::step::{Action, Actor, Check, Step, Undo};
use super::{Explanation, explain};
use crate::facts::{Facts, ModuleConfig, Node, Nodes, Origin, OwnFile};
use crate::files::{self, RunRecord};
use crate::{Generation, Known, Label, Wish};

/// A node that the user wants.
#[derive(Debug)]
pub(super) struct Wanted<'f> {
    pub(super) label: Label,
    pub(super) number: u32,
    pub(super) state: State<'f>,
}

/// Whether a wanted node is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State<'f> {
    /// Set-up made it, with the settings of today.
    There,
    /// Set-up made it, with settings that are not those of today.
    Outdated(&'f Node),
    /// Somebody else made it; the file is the one that makes it at every start.
    Foreign(&'f Node, Option<&'f ModuleConfig>),
    /// It is not there.
    Missing,
}

impl Wanted<'_> {
    pub(super) fn is_missing(&self) -> bool {
        matches!(self.state, State::Missing | State::Outdated(_))
    }
}

/// The nodes that the user wants, in order.
pub(super) fn layout<'f>(facts: &'f Facts, wish: &Wish) -> Result<Vec<Wanted<'f>>, Explanation> {
    let Known::Is(nodes) = &facts.nodes else { return Err(explain::unknown_kernel()) };
    let earlier = earlier_numbers(facts);
    let mut taken = nodes.taken.clone();
    let mut wanted = Vec::new();
    for (index, label) in wish.labels().into_iter().enumerate() {
        let state = state(facts, nodes, &label)?;
        let number = match state {
            State::Outdated(node) | State::Foreign(node, _) => node.number,
            State::There => of_label(nodes, &label).map_or(0, |node| node.number),
            State::Missing => {
                let earlier = earlier.get(index).copied();
                free_number(&taken, earlier).ok_or_else(explain::no_free_number)?
            }
        };
        taken.insert(number);
        wanted.push(Wanted { label, number, state });
    }
    Ok(wanted)
}

/// Nodes that set-up made and that are not wanted any more.
pub(super) fn unwanted<'f>(facts: &'f Facts, wanted: &[Wanted<'_>]) -> Vec<&'f Node> {
    let is_wanted = |node: &Node| wanted.iter().any(|wanted| wanted.number == node.number);
    ours(facts).filter(|node| !is_wanted(node)).collect()
}

/// The nodes that set-up made.
pub(super) fn ours(facts: &Facts) -> impl Iterator<Item = &Node> {
    loopbacks(facts).filter(|node| node.origin == Origin::Setup)
}

/// The nodes that somebody else made.
pub(super) fn foreign(facts: &Facts) -> impl Iterator<Item = &Node> {
    loopbacks(facts).filter(|node| node.origin == Origin::Foreign)
}

/// Removes a node of ours.
pub(super) fn remove(facts: &Facts, node: &Node, why: &str) -> Step {
    let number = node.number;
    let step = Step::new(
        Actor::Root,
        Action::RemoveNode { number },
        format!("{why}; no other program uses it"),
    )
    .checked(Check::NodeIsGone { number });
    // A label of ours was checked when its node was made.
    let Ok(label) = Label::new(&node.label) else { return step };
    let command = files::at_boot_command(&facts.session.program.path, &label, &[number]);
    step.undone(Undo::Run { command })
}

fn loopbacks(facts: &Facts) -> impl Iterator<Item = &Node> {
    facts.nodes.get().into_iter().flat_map(|nodes| &nodes.loopbacks)
}

/// The node with a label; of two, the one that set-up made.
fn of_label<'f>(nodes: &'f Nodes, label: &Label) -> Option<&'f Node> {
    let mut named = nodes.loopbacks.iter().filter(|node| node.label == label.as_str());
    let first = named.clone().next();
    named.find(|node| node.origin == Origin::Setup).or(first)
}

fn state<'f>(facts: &'f Facts, nodes: &'f Nodes, label: &Label) -> Result<State<'f>, Explanation> {
    let Some(node) = of_label(nodes, label) else { return Ok(State::Missing) };
    if node.origin == Origin::Setup {
        let outdated = node.exclusive_caps.is_false()
            || node.buffers.is_and(|buffers| *buffers < facts.buffers_of_a_node())
            || !files::NUMBERS.contains(&node.number);
        return Ok(if outdated { State::Outdated(node) } else { State::There });
    }
    let configs = facts.configs.get().map_or(&[][..], Vec::as_slice);
    let maker = configs.iter().find(|config| config.makes_node(label.as_str()));
    if node.exclusive_caps.is_false() {
        let generation = facts.loaded_generation().unwrap_or(Generation::Unknown);
        return Err(explain::foreign_node(node, maker, generation));
    }
    Ok(State::Foreign(node, maker))
}

/// The numbers that our files have given out before, so that they stay.
fn earlier_numbers(facts: &Facts) -> Vec<u32> {
    match (&facts.own.unit, &facts.own.options) {
        (Known::Is(OwnFile::Ours(unit)), _) => files::unit_numbers(unit),
        (_, Known::Is(OwnFile::Ours(options))) => {
            RunRecord::of_options(options).nodes.iter().map(|node| node.number).collect()
        }
        _ => Vec::new(),
    }
}

fn free_number(taken: &BTreeSet<u32>, earlier: Option<u32>) -> Option<u32> {
    earlier
        .into_iter()
        .chain(files::NUMBERS)
        .find(|number| files::NUMBERS.contains(number) && !taken.contains(number))
}
