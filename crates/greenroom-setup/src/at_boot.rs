//! What the boot unit does: adds the nodes that are missing.

use crate::apply::{Machine, Moment, write_run_record};
use crate::facts::{Facts, Loaded};
use crate::files::{self, NodeRecord, RunRecord};
use crate::{Known, Label, Session, SetupError};

/// Loads the module if it is not loaded, and adds a node for each of `numbers` whose label is not
/// there: the first is called `label`, the second `label 2`, and so on. If a number is taken, the
/// node gets the next free one of [`files::NUMBERS`].
///
/// Returns the nodes that were added; `None` if the module is older than 0.13, which makes its nodes
/// by its options file.
///
/// A node is written down in [`files::RUN_RECORD`] before it is added: only nodes in it are ours to
/// remove, and a run that is killed leaves none that nobody knows.
///
/// # Errors
/// If the module cannot be loaded, a node cannot be added or the record cannot be written.
pub fn at_boot(
    machine: &mut Machine<'_>,
    session: &Session,
    label: &Label,
    numbers: &[u32],
) -> Result<Option<Vec<NodeRecord>>, SetupError> {
    let mut facts = Facts::read(machine.root, session.clone())?;
    if facts.module.loaded == Known::Is(Loaded::No) {
        let command = files::load_command(facts.foreign_options().next().is_some());
        let reason = |why| SetupError::Program { command: command.to_string(), why };
        machine.programs.run(&command).map_err(reason)?;
        facts = Facts::read(machine.root, session.clone())?;
    }
    if !facts.module.control.is_true() {
        return Ok(None);
    }
    let mut record = kept(&facts);
    let mut added = Vec::new();
    for (index, wanted) in numbers.iter().enumerate() {
        let label = label.numbered(index + 1);
        if has_node(&facts, &label) {
            continue;
        }
        let node = add(machine, &facts, &mut record, *wanted, &label)?;
        added.push(node);
        facts = Facts::read(machine.root, session.clone())?;
    }
    write_run_record(machine, &record)?;
    Ok(Some(added))
}

/// The nodes of the record that are still there.
fn kept(facts: &Facts) -> RunRecord {
    let record = facts.own.run_record.get().cloned().flatten().unwrap_or_default();
    let is_there = |node: &NodeRecord| {
        facts.nodes.is_and(|nodes| {
            nodes
                .loopbacks
                .iter()
                .any(|found| found.number == node.number && found.label == node.label)
        })
    };
    RunRecord { nodes: record.nodes.into_iter().filter(is_there).collect() }
}

fn has_node(facts: &Facts, label: &Label) -> bool {
    facts.nodes.is_and(|nodes| nodes.loopbacks.iter().any(|node| node.label == label.as_str()))
}

/// Adds a node with the number that is wanted, or else the next free one.
fn add(
    machine: &mut Machine<'_>,
    facts: &Facts,
    record: &mut RunRecord,
    wanted: u32,
    label: &Label,
) -> Result<NodeRecord, SetupError> {
    let taken = |number: &u32| facts.nodes.is_and(|nodes| nodes.taken.contains(number));
    let mut free = [wanted].into_iter().chain(files::NUMBERS).filter(|number| !taken(number));
    let (first, last) = (*files::NUMBERS.start(), *files::NUMBERS.end());
    let number = free.next().ok_or(SetupError::NoFreeNumber { first, last })?;
    let (label, buffers) = (label.to_string(), facts.buffers_of_a_node());
    let node = NodeRecord { number, label, exclusive_caps: true, buffers };
    let with = |node: NodeRecord| RunRecord {
        nodes: record.nodes.iter().cloned().chain([node]).collect(),
    };
    write_run_record(machine, &with(node.clone()))?;
    (machine.watch)(Moment::WrittenDown);
    let added = machine.control.add(number, &node.label, buffers);
    (machine.watch)(Moment::Done);
    match added {
        // The driver takes another number if this one was taken a moment ago.
        Ok(number) => {
            let node = NodeRecord { number, ..node };
            *record = with(node.clone());
            write_run_record(machine, record)?;
            Ok(node)
        }
        Err(why) => {
            write_run_record(machine, record)?;
            Err(SetupError::Node { number, why })
        }
    }
}
