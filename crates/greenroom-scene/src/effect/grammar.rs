use std::fmt;
use std::str::FromStr;

use super::KINDS;
use super::action::Effect;
use super::kind::EffectKind;
use super::target::Target;
use crate::SceneError;
use crate::words::{
    Value, Values, listed, nearest, parameters_help, read_values, usage, write_values,
};

/// One effect of a chain: the checked form of what a user writes, `[TARGET:]NAME[=VALUE[,VALUE…]]`.
#[derive(Clone)]
pub struct EffectSpec {
    kind: &'static EffectKind,
    target: Target,
    values: Vec<Value>,
}

impl EffectSpec {
    /// A chain may have so many effects: at 1.5 ms each, more cannot keep up with a camera.
    pub const LONGEST_CHAIN: usize = 16;

    /// Every effect there is, as its bare name makes it.
    pub fn every() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|kind| Self {
            kind,
            target: kind.targets[0],
            values: kind.parameters.iter().map(|parameter| parameter.allowed.default()).collect(),
        })
    }

    /// Its name, without target and values.
    pub fn name(&self) -> &'static str {
        self.kind.names[0]
    }

    /// What it is laid on.
    pub fn target(&self) -> Target {
        self.target
    }

    /// That a chain is not too long.
    ///
    /// # Errors
    /// [`SceneError::BadEffect`].
    pub fn check_chain(chain: &[Self]) -> Result<(), SceneError> {
        if chain.len() > Self::LONGEST_CHAIN {
            return Err(SceneError::BadEffect(format!(
                "{} effects are more than can be shown in time; leave at most {}",
                chain.len(),
                Self::LONGEST_CHAIN
            )));
        }
        Ok(())
    }

    pub(crate) fn build(&self) -> Effect {
        (self.kind.make)(self.target, Values::new(&self.values))
    }
}

impl PartialEq for EffectSpec {
    fn eq(&self, other: &Self) -> bool {
        (self.name(), self.target, &self.values) == (other.name(), other.target, &other.values)
    }
}

impl fmt::Debug for EffectSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EffectSpec(\"{self}\")")
    }
}

impl FromStr for EffectSpec {
    type Err = SceneError;

    fn from_str(text: &str) -> Result<Self, SceneError> {
        let (what, values) = match text.split_once('=') {
            Some((what, values)) => (what, Some(values)),
            None => (text, None),
        };
        let (target, name) = match what.split_once(':') {
            Some((target, name)) => (Some(target.trim()), name.trim()),
            None => (None, what.trim()),
        };
        let kind = find_kind(name)?;
        let target = match target {
            None => kind.targets[0],
            Some(text) => find_target(text, kind)?,
        };
        Ok(Self {
            kind,
            target,
            values: read_values(kind.names[0], kind.parameters, values)
                .map_err(SceneError::BadEffect)?,
        })
    }
}

fn find_kind(name: &str) -> Result<&'static EffectKind, SceneError> {
    let every_name = || KINDS.iter().flat_map(|kind| kind.names).copied();
    KINDS.iter().find(|kind| kind.names.contains(&name)).ok_or_else(|| {
        let near = nearest(name, every_name());
        let advice = near.map_or_else(
            || {
                let names: Vec<_> = KINDS.iter().map(|kind| kind.names[0]).collect();
                format!("effects are {}", listed(&names, "and"))
            },
            |near| format!("did you mean \"{near}\"?"),
        );
        SceneError::BadEffect(format!("\"{name}\" is no effect; {advice}"))
    })
}

fn find_target(text: &str, kind: &'static EffectKind) -> Result<Target, SceneError> {
    let names: Vec<_> = kind.targets.iter().map(|target| target.name()).collect();
    let known = Target::EVERY.into_iter().find(|target| target.name() == text);
    known.filter(|target| kind.targets.contains(target)).ok_or_else(|| {
        let (effect, names) = (kind.names[0], listed(&names, "or"));
        let sentence = format!("{effect} cannot be laid on \"{text}\"; write {names} before the :");
        SceneError::BadEffect(sentence)
    })
}

impl fmt::Display for EffectSpec {
    /// As short as it can be: what goes without saying is not said.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.target != self.kind.targets[0] {
            write!(f, "{}:", self.target.name())?;
        }
        f.write_str(self.name())?;
        write_values(f, self.kind.parameters, &self.values)
    }
}

/// All effects with what they take, for a terminal: made from what parses them.
pub fn effects_help() -> String {
    let mut text = String::from("Effects, as [TARGET:]NAME[=VALUE[,VALUE...]]:\n");
    for kind in &KINDS {
        let targets: Vec<_> = kind.targets.iter().map(|target| target.name()).collect();
        text += &format!("\n  {}", kind.names[0]);
        text += &usage(kind.parameters);
        text += &format!("\n      {}\n      on: {} (default)", kind.help, targets[0]);
        if targets.len() > 1 {
            text += &format!(", {}", targets[1..].join(", "));
        }
        text.push('\n');
        text += &parameters_help(kind.parameters);
        if let [_, also @ ..] = kind.names
            && !also.is_empty()
        {
            text += &format!("      also written {}\n", listed(also, "or"));
        }
    }
    text
}
