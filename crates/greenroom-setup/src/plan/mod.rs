//! What is done to set the virtual camera up, or to undo that: decided from the facts alone.

mod by_hand;
mod commands;
mod dynamic;
pub(crate) mod explain;
mod fixed;
mod found;
mod module;
mod nodes;
mod setup;
mod step;
mod text;
mod topic;
mod undo;
mod user_unit;

use serde::Serialize;

pub use step::{Action, Actor, Check, Condition, NewNode, Step, Undo, UnitScope};
pub use topic::{Explanation, Topic};

use crate::{Facts, Wish};

/// What is done, in which order, and what is left to the user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Whether anything is done.
    pub outcome: Outcome,
    /// What is there: a sentence or two for each thing that the plan depends on.
    pub found: Vec<String>,
    /// How root's rights are got; none if no step needs them.
    pub escalation: Option<Escalation>,
    /// What is done. If a step fails, the steps before it are undone, from the last to the first.
    pub steps: Vec<Step>,
    /// What is left to the user, or is good to know. If nothing can be done, the first says why.
    pub explanations: Vec<Explanation>,
}

impl Plan {
    /// The steps of the helper.
    pub fn of_root(&self) -> Vec<&Step> {
        self.steps.iter().filter(|step| step.actor == Actor::Root).collect()
    }

    /// The steps that the program does before the helper; none if there is nothing for a helper.
    pub fn before_root(&self) -> Vec<&Step> {
        let first = self.first_of_root().unwrap_or(0);
        self.steps[..first].iter().filter(|step| step.actor == Actor::Program).collect()
    }

    /// The steps that the program does after the helper.
    pub fn after_root(&self) -> Vec<&Step> {
        let first = self.first_of_root().unwrap_or(0);
        self.steps[first..].iter().filter(|step| step.actor == Actor::Program).collect()
    }

    /// The steps that are left to the person.
    pub fn of_person(&self) -> Vec<&Step> {
        self.steps.iter().filter(|step| step.actor == Actor::Person).collect()
    }

    fn first_of_root(&self) -> Option<usize> {
        self.steps.iter().position(|step| step.actor == Actor::Root)
    }
}

/// Whether anything is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Everything is there (or, for undoing, nothing is).
    NothingToDo,
    /// The steps of the plan are done.
    Steps,
    /// Set-up can do nothing here; the topic says why, and its explanation what the user can do.
    NotPossible(Topic),
}

/// How root's rights are got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Escalation {
    /// This process has them.
    IsRoot,
    /// pkexec asks on the desktop.
    Pkexec,
    /// sudo asks on the terminal.
    Sudo,
}

/// Steps and explanations, while a plan is made.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) steps: Vec<Step>,
    pub(crate) explanations: Vec<Explanation>,
    /// greenroom's service was stopped, and is to be started again.
    pub(crate) starts_service: bool,
}

/// Decides what is done on a system with these facts. Reads and changes nothing.
pub fn plan(facts: &Facts, wish: &Wish) -> Plan {
    let found = found::describe(facts);
    let draft = if wish.is_undo() { Ok(undo::draft(facts)) } else { setup::draft(facts, wish) };
    let draft = draft.and_then(|draft| match escalation(facts, &draft.steps) {
        Ok(escalation) => Ok((draft, escalation)),
        Err(explanation) => Err(explanation),
    });
    match draft {
        Ok((Draft { steps, explanations, .. }, escalation)) => {
            let outcome = if steps.is_empty() { Outcome::NothingToDo } else { Outcome::Steps };
            Plan { outcome, found, escalation, steps, explanations }
        }
        Err(explanation) => Plan {
            outcome: Outcome::NotPossible(explanation.topic),
            found,
            escalation: None,
            steps: Vec::new(),
            explanations: vec![explanation],
        },
    }
}

fn escalation(facts: &Facts, steps: &[Step]) -> Result<Option<Escalation>, Explanation> {
    if steps.iter().all(|step| step.actor != Actor::Root) {
        return Ok(None);
    }
    let session = &facts.session;
    if session.is_root {
        Ok(Some(Escalation::IsRoot))
    } else if session.desktop && session.pkexec {
        Ok(Some(Escalation::Pkexec))
    } else if session.sudo {
        Ok(Some(Escalation::Sudo))
    } else {
        Err(explain::no_administrator())
    }
}
