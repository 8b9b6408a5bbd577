//! Modules before 0.13: an options file says which nodes are made when the module is loaded.

use super::nodes::{self, Wanted};
use super::setup::Setting;
use super::step::{Action, Actor, Check, Condition, Step, Undo};
use super::{Draft, Explanation, explain};
use crate::facts::{Loaded, OwnFile};
use crate::{Command, Known, Label, files};

/// The options file, and the module loaded now. Says whether the system has to be restarted.
pub(super) fn steps(
    setting: &Setting<'_>,
    condition: Condition,
    draft: &mut Draft,
) -> Result<bool, Explanation> {
    let facts = setting.facts;
    let certain = condition == Condition::Always;
    let options = files::options(&setting.labels(), &setting.numbers());
    let obstacle = if facts.configs == Known::Unknown {
        Some(explain::unreadable_configs())
    } else {
        let line = options.lines().last().unwrap_or_default();
        let mut foreign = facts.foreign_options();
        foreign.next().map(|(config, _)| explain::foreign_options(config, line, setting.generation))
    };
    match obstacle {
        Some(obstacle) if certain => return Err(obstacle),
        Some(obstacle) => {
            draft.explanations.push(obstacle);
            return Ok(false);
        }
        None => {}
    }
    let why = "This version of the module makes its nodes when it is loaded, and no other file \
               gives it options";
    let mut changed = own_file(&facts.own.options, files::OPTIONS_FILE, options, why)?;
    let why = "The module is loaded at every start";
    changed.extend(own_file(&facts.own.load, files::LOAD_FILE, files::load(), why)?);
    let changes = !changed.is_empty();
    draft.steps.extend(changed.into_iter().map(|step| step.only_if(condition)));
    if setting.waits_for_restart || !(changes || setting.wanted.iter().any(Wanted::is_missing)) {
        return Ok(false);
    }
    let load = Command::words("modprobe v4l2loopback");
    let commands = match &facts.module.loaded {
        Known::Is(Loaded::No) => vec![load],
        Known::Is(Loaded::Yes { users: Known::Is(0), .. })
            if nodes::foreign(facts).next().is_none() =>
        {
            vec![Command::words("modprobe -r v4l2loopback"), load]
        }
        _ => {
            let others: Vec<_> = nodes::foreign(facts).collect();
            draft.explanations.push(explain::module_in_use(&others));
            return Ok(true);
        }
    };
    let labels = setting.labels().iter().map(Label::to_string).collect();
    let why = "The camera is there now, and not only after a restart";
    let step = Step::new(Actor::Root, Action::LoadModule { commands }, why)
        .checked(Check::NodesAreThere { labels })
        .undone(Undo::UnloadModule);
    draft.steps.push(step.only_if(condition));
    Ok(false)
}

/// Writes one of our files, if it is not there as it should be.
fn own_file(
    file: &Known<OwnFile>,
    path: &str,
    content: String,
    why: &str,
) -> Result<Vec<Step>, Explanation> {
    let before = match file {
        Known::Is(OwnFile::Foreign) => return Err(explain::foreign_file(path)),
        Known::Is(OwnFile::Ours(text)) if *text == content => return Ok(Vec::new()),
        Known::Is(OwnFile::Ours(_)) => true,
        Known::Is(OwnFile::Absent) | Known::Unknown => false,
    };
    Ok(vec![Step::write(Actor::Root, path, content, before, why)])
}
